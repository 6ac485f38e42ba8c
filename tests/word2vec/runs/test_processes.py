"""Two processes on this machine, started by torchrun as users start them: what they learn, and how they end."""

import json
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import processes_of_a_test as program
import pytest

from handgrad.errors import InputError
from handgrad.word2vec import KeyedVectors, Trainer, TrainingConfig
from handgrad.word2vec.runs.checkpoint import checkpoints

TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
ALONE = {"examples_on": "device", "sync_every": 64}  # what one process needs, to learn as several do


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """The folder of the runs, and what each of the two processes has seen of them."""
    folder = tmp_path_factory.mktemp("processes")
    command = [*TORCHRUN, Path(program.__file__), folder]
    result = subprocess.run(
        command, capture_output=True, text=True, timeout=300, env=os.environ | {"OMP_NUM_THREADS": "1"}
    )
    assert result.returncode == 0, result.stderr
    return folder, [json.loads((folder / f"{rank}.json").read_text(encoding="utf-8")) for rank in (0, 1)]


def share_of_company(near):
    return np.mean([other[0] == word[0] for word, found in near.items() for other in found])


def test_each_row_is_averaged_over_those_that_have_moved_it(ran):
    expected = [[0, 1], [2 + 1, 3 + 2], [4 + 5, 5], [6 + (3 + 1) / 2, 7 + (3 - 1) / 2]]
    for told in ran[1]:
        assert told["averaged"] == [expected, expected]


def test_both_have_the_same_vectors_losses_and_progress(ran):
    first, second = (told["whole"] for told in ran[1])
    assert [(told["rank"], told["count"]) for told in (first, second)] == [(0, 2), (1, 2)]
    assert first["bits"] == second["bits"] and first["losses"] == second["losses"]
    assert first["raw_words"] == second["raw_words"] and first["raw_words"][0] == first["raw_words"][1]


def test_two_learn_as_well_as_one(ran):
    told = ran[1][0]["whole"]
    alone = Trainer(TrainingConfig(**program.CONFIG.to_dict() | ALONE | {"report_every_words": 10**6}))
    alone.fit(program.TEXT)
    assert share_of_company(told["near"]) > 0.97  # words that only one of them has met included
    assert "alate" in told["near"] and "blate" in told["near"]
    together = told["losses"][-1][2]  # on text unseen
    assert together < 0.8 * told["losses"][0][2]
    assert together == pytest.approx(alone.losses[-1].held_out, rel=0.02)
    rounds = math.ceil(len(alone.text) / 2 / 16 / 8)
    assert told["step"] == 4 * rounds and alone.step == 4 * math.ceil(len(alone.text) / 16)


def test_a_prediction_counts_as_many_times_as_there_are_processes(ran):
    """What an average of so many replicas would take away; what ``TorchNetwork`` does with it, its tests see."""
    assert [told["whole"]["weight"] for told in ran[1]] == [2, 2]
    alone = Trainer(TrainingConfig(**program.CONFIG.to_dict() | ALONE | {"max_steps": 1, "report_every_words": 0}))
    alone.fit(program.TEXT)
    assert alone.network.weight == 1


def test_the_loss_counts_every_prediction_of_both(ran):
    """At first each σ is one half, and so the loss of each prediction is log 2 for each of its six words."""
    losses = [loss for _, loss, *_ in ran[1][0]["whole"]["losses"]]
    assert losses[0] == pytest.approx(5.85 * np.log(2), rel=0.05) and losses[-1] < 0.75 * losses[0]


def test_reports_are_due_by_the_words_of_all(ran):
    """At the first round that has reached a multiple, in each process; and at the end."""
    whole = [(words, step) for words, *_, step in ran[1][0]["whole"]["losses"]]
    before = [0] + [words for words, _ in whole]
    due = [entry for entry, words in zip(whole, before, strict=False) if entry[0] // 600 > words // 600]
    assert [step for _, step in whole] == list(range(1, len(whole) + 1)) and 10 < len(due) < len(whole) / 2
    for told in ran[1]:
        found = [(words, step) for words, *_, step in told["intervals"]["losses"]]
        assert due[-1] != whole[-1] and found == [*due, (told["intervals"]["raw_words"][1], whole[-1][1])]
        assert told["intervals"]["bits"] == told["whole"]["bits"]


def test_the_first_writes_the_folder(ran):
    folder, (first, _) = ran
    told = json.loads((folder / "whole" / "run.json").read_text(encoding="utf-8"))
    assert (told["status"], told["processes"], told["engine"]) == ("finished", 2, "torch")
    assert told["steps"] == first["whole"]["step"]
    vectors = KeyedVectors.load_word2vec_format(folder / "whole" / "vectors.bin")
    near = {word: [other for other, _ in vectors.most_similar(word, topn=9)] for word in vectors.index_to_key}
    assert near == first["whole"]["near"]


def test_a_signal_to_one_ends_all_at_one_step_and_resuming_ends_with_the_same_bits(ran):
    folder, (first, second) = ran
    for told in (first, second):
        assert (told["stopped"]["ended"], told["stopped"]["step"]) == ("KeyboardInterrupt", 7)
        assert (told["terminated"]["ended"], told["terminated"]["step"]) == ("SystemExit", 23)
        assert told["terminated"]["said"] == str(128 + signal.SIGTERM)
        assert told["resumed"]["bits"] == told["whole"]["bits"] and told["resumed"]["losses"] == told["whole"]["losses"]
    for name in ("vectors.bin", "loss.csv"):
        assert (folder / "parts" / name).read_bytes() == (folder / "whole" / name).read_bytes()


def test_a_callback_that_stops_one_stops_all(ran):
    first, second = (told["callback"] for told in ran[1])
    assert first["step"] == second["step"] == 5 and first["bits"] == second["bits"]
    assert (first["stop_reason"], second["stop_reason"]) == ("another process was stopped", "enough")


def test_other_texts_and_settings_are_refused(ran):
    for run, what in [("another text", "text"), ("another seed", "settings")]:
        first, second = (told[run] for told in ran[1])
        assert second["said"] == f"Process 1 has another {what} than process 0: give all of them the same."
        assert first["ended"] == "InputError"  # it does not wait for ever


def test_who_has_no_words_left_waits_for_the_others(ran):
    first, second = (told["unequal shares"] for told in ran[1])
    assert first["bits"] == second["bits"] and first["step"] == second["step"] > 2


@pytest.mark.parametrize("run", ["cbow", "nce"])
def test_other_objectives(ran, run):
    first, second = (told[run] for told in ran[1])
    assert first["bits"] == second["bits"] and first["losses"][-1][1] < first["losses"][0][1]


@pytest.mark.parametrize(
    "run, sentence",
    [
        ("adam", "Several processes do not do optimizer = 'adam': choose 'sgd'."),
        ("steps", "Several processes do not do max_steps = 3: choose 0."),
        ("on the host", "Several processes do not do examples_on = 'host': choose 'auto'."),
        ("numpy", "2 processes were started for this run, and only the torch engine does that: choose it."),
        ("nothing", "There is nothing to learn from: "),
    ],
)
def test_what_several_do_not_do_all_of_them_say(ran, run, sentence):
    for told in ran[1]:
        assert told[run]["ended"] == "InputError" and told[run]["said"].startswith(sentence)


def test_another_number_of_processes_is_one_sentence():
    """The checkpoint of two, which only the number makes different."""
    config = TrainingConfig(**program.CONFIG.to_dict() | ALONE | {"report_every_words": 0, "max_steps": 3})
    trainer = Trainer(config)
    trainer.fit(program.TEXT)
    arrays, state = trainer.state()
    with pytest.raises(InputError) as error:
        trainer.restore(arrays, state | {"positions": [16, 32]})
    assert str(error.value) == ("The run was begun by 2 processes, and should go on with 1: start as many as before.")


def test_the_command_stops_at_ctrl_c_and_goes_on(tmp_path):
    """Ctrl-C in a terminal reaches torchrun, which passes it on."""
    (tmp_path / "text.txt").write_text("\n".join(" ".join(s) for s in program.TEXT * 8), encoding="utf-8")
    command = [*TORCHRUN, "-m", "handgrad.cli", "train"]
    settings = "--engine torch --device cpu --dimension 8 --min-count 1 --subsample 0 --batch-size 256".split()
    settings += "--max-repeats 8 --checkpoint-every-words 6144 --sync-every 4".split()
    output = ["--output", tmp_path / "run"]
    env = os.environ | {"OMP_NUM_THREADS": "1"}
    begun = subprocess.Popen(
        [*command, tmp_path / "text.txt", *settings, *output],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=env,
    )
    wait_for(lambda: checkpoints(tmp_path / "run" / "checkpoints"), begun)
    begun.send_signal(signal.SIGINT)
    out, err = begun.communicate(timeout=120)
    assert err.count("Stopped after") == 1 and "go on with: torchrun ... -m handgrad.cli train --resume" in err
    assert "Saved in" not in out and "Error:" not in err
    told = json.loads((tmp_path / "run" / "run.json").read_text(encoding="utf-8"))
    assert told["status"] == "stopped" and 0 < told["steps"]
    on = subprocess.run(
        [*command, "--resume", *output, "--epochs", "5"], capture_output=True, text=True, timeout=240, env=env
    )
    assert on.returncode == 0, on.stderr
    assert on.stdout.count("Saved in") == 1  # one speaks for both
    assert json.loads((tmp_path / "run" / "run.json").read_text(encoding="utf-8"))["status"] == "finished"


def wait_for(what, process):
    end = time.monotonic() + 120
    while not what():
        assert process.poll() is None and time.monotonic() < end, process.communicate()
        time.sleep(0.1)
