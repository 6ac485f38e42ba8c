"""What each process does that ``torchrun`` starts for test_processes.py: several runs, one after the other.

Run as a program: ``torchrun --nproc-per-node 2 processes_of_a_test.py FOLDER``. Each process writes down what it has
seen in FOLDER/RANK.json.
"""

import hashlib
import json
import os
import signal
import sys
from pathlib import Path

import numpy as np
import torch

from handgrad.errors import InputError
from handgrad.word2vec import Callback, Trainer, TrainingConfig
from handgrad.word2vec.runs.processes import Processes

RANK = int(os.environ.get("RANK", 0))  # a test imports the settings below
CONFIG = TrainingConfig(
    dimension=8, min_count=1, subsample=0, epochs=4, learning_rate=0.05, held_out=400,
    batch_size=16, sync_every=8,
    checkpoint_every_words=2560, report_every_words=1, engine="torch", device="cpu",
)  # fmt: skip


def sentences_of_two_topics(n=1000, seed=0):
    """Words a0…a9 keep company with one another, and so do b0…b9; two words are only in the second half."""
    rng = np.random.default_rng(seed)
    for i in range(n):
        topic = rng.choice(["a", "b"])
        late = [f"{topic}late"] if i > 0.6 * n and not i % 10 else []
        yield [f"{topic}{j}" for j in rng.integers(0, 10, size=8)] + late


TEXT = list(sentences_of_two_topics())
UNEQUAL = [["a", "b", "c"] * 300, *[["lonely"]] * 900]  # the second half has no pair of words


class OneIsStopped(Callback):
    """At a step only the second process gets the signal, as when torchrun's reach them at different moments."""

    def __init__(self, step, do):
        self.at, self.do = step, do

    def on_report(self, trainer):
        if trainer.step == self.at and RANK == 1:
            self.do(trainer)


def seen(trainer):
    vectors = [parameter.value for parameter in trainer.network.parameters]
    return {
        "bits": hashlib.sha256(b"".join(value.tobytes() for value in vectors)).hexdigest(),
        "losses": [list(entry) for entry in trainer.losses],
        "rank": trainer.processes.rank,
        "count": trainer.processes.count,
        "raw_words": [trainer.raw_words, trainer.schedule.total_raw_words],
        "stop_reason": trainer.stop_reason,
        "step": trainer.step,
        "weight": trainer.network.weight,
    }


def run(folder, *callbacks, resume=False, text=TEXT, **changes):
    trainer = Trainer(TrainingConfig(**CONFIG.to_dict() | changes), callbacks)
    try:
        vectors = trainer.fit(text, folder, resume)
    except (InputError, KeyboardInterrupt, SystemExit) as end:
        return {"ended": type(end).__name__, "said": str(end), "step": getattr(trainer, "step", None)}
    near = {word: [other for other, _ in vectors.most_similar(word, topn=9)] for word in vectors.index_to_key}
    return seen(trainer) | {"near": near}


def averaged():
    """Two replicas of a table: row 0 moved by nobody, 1 by the first, 2 by the second, 3 by both."""
    before = torch.arange(8.0).reshape(4, 2)
    moves = torch.tensor([[[0.0, 0], [1, 2], [0, 0], [3, 3]], [[0, 0], [0, 0], [5, 0], [1, -1]]])
    now = before + moves[RANK]
    with Processes("cpu") as processes:
        processes.average([now], [before])
    return now.tolist(), before.tolist()


def main(folder):
    told = {
        "averaged": averaged(),
        "whole": run(folder / "whole"),
        "stopped": run(
            folder / "parts", OneIsStopped(7, lambda trainer: signal.raise_signal(signal.SIGINT))
        ),
        "terminated": run(
            folder / "parts", OneIsStopped(23, lambda trainer: signal.raise_signal(signal.SIGTERM)), resume=True
        ),
        "resumed": run(folder / "parts", resume=True),
        "callback": run(folder / "callback", OneIsStopped(5, lambda trainer: trainer.stop("enough"))),
        "another text": run(folder / "text", text=TEXT[RANK:]),
        "another seed": run(folder / "seed", seed=RANK),
        "unequal shares": run(None, text=UNEQUAL, held_out=0, epochs=2, max_repeats=4),
        "adam": run(None, optimizer="adam"),
        "steps": run(None, max_steps=3),
        "on the host": run(None, examples_on="host"),
        "numpy": run(None, engine="numpy", device="auto", sync_every=64),
        "intervals": run(None, report_every_words=600),
        "cbow": run(None, model="cbow", objective="hierarchical-softmax", epochs=1),
        "nce": run(None, objective="nce", epochs=1),
        "nothing": run(None, text=[["a"], ["b"]], held_out=0),
    }  # fmt: skip
    (folder / f"{RANK}.json").write_text(json.dumps(told), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
