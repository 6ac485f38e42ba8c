"""A run that is killed at random moments, many of them while it writes a checkpoint, and resumed until it is done.

Run as a program: ``python kill_and_resume.py FOLDER KILLS SEED``. Forks each attempt from one process that has
imported everything, so that the moments fall into the run and not into its imports. Each attempt notes the step at
which it began: if all began at the first, they would end with the same bits too.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path

import numpy as np

import handgrad.word2vec.runs.run_folder  # noqa: F401  all imports before the first fork
from handgrad.word2vec import Callback, Trainer, TrainingConfig

CONFIG = TrainingConfig(
    dimension=40, window=3, epochs=2, subsample=1e-2, batch_size=16, optimizer="adam", learning_rate=0.01,
    min_count=1, checkpoint_every_words=90, keep=2, held_out=40, engine="numpy",
)  # fmt: skip
TEXT = [[f"w{i}" for i in row] for row in np.random.default_rng(0).zipf(1.6, (100, 12)).clip(max=60)]


class NoteTheStep(Callback):
    """Adds the step at which a run begins, or goes on, to a file beside its folder."""

    def __init__(self, folder):
        self.file = folder.with_suffix(".begun")

    def on_train_begin(self, trainer):
        with open(self.file, "a", encoding="utf-8") as file:
            file.write(f"{trainer.step}\n")


def run(folder, resume):
    return Trainer(CONFIG, [NoteTheStep(folder)]).fit(TEXT, output=folder, resume=resume)


def begun(folder):
    """The steps at which the attempts at a run began, in order; those that were killed before are not among them."""
    return [int(step) for step in folder.with_suffix(".begun").read_text(encoding="utf-8").split()]


def is_finished(folder):
    """Whether a run says so. One can be killed after that, before its process ends."""
    told = folder / "run.json"
    return told.exists() and json.loads(told.read_text(encoding="utf-8"))["status"] == "finished"


def attempt(folder, seconds):
    """Run or resume in a child process that is killed after so many seconds. True if it was quicker."""
    child = os.fork()
    if child == 0:
        try:
            run(folder, resume=folder.exists())
            os._exit(0)
        except BaseException as error:
            print(repr(error), file=sys.stderr, flush=True)
            os._exit(1)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        raise SystemExit("a resumed run failed")
    return os.WIFEXITED(status) or is_finished(folder)


def main(folder, kills, seed):
    run(folder / "first", resume=False)  # the first run imports things that later ones find imported
    started = time.perf_counter()
    whole = run(folder / "whole", resume=False)
    length = time.perf_counter() - started
    expected = (folder / "whole" / "vectors.bin").read_bytes()
    losses = (folder / "whole" / "loss.csv").read_bytes()
    rng, killed, runs, went_on = np.random.default_rng(seed), 0, 0, 0
    while killed < kills:
        runs += 1
        path = folder / f"run-{runs}"
        while not attempt(path, rng.uniform(0, 0.8 * length)):
            killed += 1
        if (path / "vectors.bin").read_bytes() != expected or (path / "loss.csv").read_bytes() != losses:
            raise SystemExit(f"run {runs}, after {killed} kills, ended with other bits")
        steps = begun(path)
        if steps != sorted(steps):
            raise SystemExit(f"run {runs} lost a checkpoint: its attempts began at the steps {steps}")
        went_on += sum(step > 0 for step in steps)
    if not went_on:
        raise SystemExit(f"none of {killed} killed attempts went on from a checkpoint: all began anew")
    print(f"{killed} kills in {runs} runs of {length:.2f} s, {len(whole)} words, {went_on} times from a checkpoint:")
    print("all ended with the same bits")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
