"""Checkpoints by the clock, runs that are made longer, and texts that are found again: what is learned is the same."""

import hashlib
import json
import os
import shutil

import numpy as np
import pytest
from click.testing import CliRunner
from stop_at import StopAt

from handgrad.cli import main
from handgrad.errors import InputError
from handgrad.word2vec import Callback, EarlyStopping, Trainer, TrainingConfig
from handgrad.word2vec.runs import run_folder
from handgrad.word2vec.runs.checkpoint import SUMS, checkpoints, is_whole_checkpoint, load_checkpoint

TEXT = [[f"w{i}" for i in row] for row in np.random.default_rng(0).zipf(1.6, (120, 12)).clip(max=60)]
SMALL = {"dimension": 8, "min_count": 1, "batch_size": 16, "epochs": 2, "subsample": 1e-2, "engine": "numpy"}
CONSTANT = {"learning_rate": 0.025, "min_learning_rate": 0.025}
PIECES = {"engine": "compiled", "batch_size": 64}  # the default: there are no batches
ENGINES = [
    {}, {"optimizer": "adam"}, PIECES, PIECES | {"deterministic": True, "threads": 2}, PIECES | {"model": "cbow"},
    {"engine": "compiled", "objective": "nce", "negatives": 8},
    {"engine": "torch", "device": "cpu"}, {"engine": "torch", "device": "cpu", "examples_on": "device"},
]  # fmt: skip


def run(folder, callbacks=(), resume=False, text=TEXT, **changes):
    trainer = Trainer(TrainingConfig(**SMALL | changes), callbacks)
    trainer.fit(text, folder, resume)
    return trainer


def vectors(folder):
    return (folder / "vectors.bin").read_bytes()


@pytest.mark.parametrize("changes", ENGINES, ids=str)
def test_a_checkpoint_at_any_moment_changes_nothing_that_is_learned(tmp_path, changes):
    run(tmp_path / "whole", **changes)
    seen = []

    class Noted(Callback):
        def on_checkpoint(self, trainer, path):
            seen.append(trainer.step)

    changes = changes | {"checkpoint_every_words": 1}
    whole = run(tmp_path / "often", [Noted()], **changes)
    assert len(seen) > 5 and whole.step
    assert vectors(tmp_path / "often") == vectors(tmp_path / "whole")
    if "examples_on" not in changes:  # the device adds up the loss, and is asked for it more often
        assert (tmp_path / "often" / "loss.csv").read_bytes() == (tmp_path / "whole" / "loss.csv").read_bytes()
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "parts", [StopAt(5)], report_every_words=1, **changes)
    run(tmp_path / "parts", [StopAt(-1)], resume=True, **changes)
    assert vectors(tmp_path / "parts") == vectors(tmp_path / "whole")


def test_by_default_a_run_has_checkpoints_by_the_clock(tmp_path, monkeypatch):
    now, seen = [0.0], []
    monkeypatch.setattr(run_folder.time, "monotonic", lambda: now[0])

    class Ten(Callback):
        def on_report(self, trainer):
            now[0] += 10

        def on_checkpoint(self, trainer, path):
            seen.append(trainer.step)

    run(tmp_path / "run", [Ten()], report_every_words=1, max_steps=12)
    assert seen == [4, 8, 12]  # each thirty seconds after the one before
    seen.clear()
    run(tmp_path / "none", [Ten()], report_every_words=1, max_steps=12, checkpoint_seconds=0)
    assert seen == []
    seen.clear()
    monkeypatch.setattr(run_folder, "BYTES_A_SECOND", 1e4)  # and so one would take more than half a second
    run(tmp_path / "slow", [Ten()], report_every_words=1, max_steps=12)
    assert seen[0] > 4
    run(None, [Ten()], report_every_words=1, max_steps=12)  # without a folder there are none


def test_one_that_takes_long_is_the_more_seldom(tmp_path, monkeypatch):
    now, seen = [0.0], []
    monkeypatch.setattr(run_folder.time, "monotonic", lambda: now[0])
    save = run_folder.save_checkpoint

    def slowly(*arguments):
        now[0] += 2
        return save(*arguments)

    monkeypatch.setattr(run_folder, "save_checkpoint", slowly)

    class Ten(Callback):
        def on_report(self, trainer):
            now[0] += 10

        def on_checkpoint(self, trainer, path):
            seen.append(trainer.step)

    run(tmp_path / "run", [Ten()], report_every_words=1, epochs=4, max_steps=130)
    assert seen == [4, 45, 86, 127]  # thirty seconds, and then four hundred: two hundred times what the last one took


@pytest.mark.parametrize("changes", ENGINES, ids=str)
def test_more_epochs_are_as_if_they_had_been_asked_for_from_the_start(tmp_path, changes):
    run(tmp_path / "parts", **CONSTANT, **changes)
    run(tmp_path / "parts", resume=True, **CONSTANT, **changes | {"epochs": 4})
    run(tmp_path / "whole", **CONSTANT, **changes | {"epochs": 4})
    assert vectors(tmp_path / "parts") == vectors(tmp_path / "whole")
    told = json.loads((tmp_path / "parts" / "run.json").read_text(encoding="utf-8"))
    assert told["status"] == "finished" and told["config"]["epochs"] == 4


def test_a_longer_run_goes_on_being_measured(tmp_path):
    run(tmp_path / "run", **CONSTANT)
    before = len((tmp_path / "run" / "loss.csv").read_text(encoding="utf-8").splitlines())
    longer = run(tmp_path / "run", resume=True, epochs=4, **CONSTANT)
    assert len(longer.losses) > before + 30


def test_more_steps(tmp_path):
    run(tmp_path / "parts", max_steps=20, **CONSTANT)
    assert run(tmp_path / "parts", resume=True, max_steps=40, **CONSTANT).step == 40
    run(tmp_path / "whole", max_steps=40, **CONSTANT)
    assert vectors(tmp_path / "parts") == vectors(tmp_path / "whole")


def test_a_rate_that_had_fallen_is_said(tmp_path):
    run(tmp_path / "run")
    with pytest.warns(UserWarning, match=r"goes on with a learning rate of 0\.0125 after .*others than if"):
        run(tmp_path / "run", resume=True, epochs=4)


def test_what_cannot_be_made_longer_says_why(tmp_path):
    run(tmp_path / "run", [StopAt(-1)], **CONSTANT)
    for epochs in (1, 2):
        with pytest.raises(InputError, match=r"is finished; its vectors are in .* give epochs above 2"):
            run(tmp_path / "run", resume=True, epochs=epochs, **CONSTANT)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "stopped", [StopAt(60)], report_every_words=1, **CONSTANT)
    with pytest.raises(InputError, match=r"has 1\.\d epochs and 60 steps behind it: give more than that"):
        run(tmp_path / "stopped", resume=True, epochs=1, **CONSTANT)
    run(tmp_path / "early", [EarlyStopping(patience=1, min_delta=100)], report_every_words=160, **CONSTANT)
    with pytest.raises(InputError, match="It ended early: the loss has not fallen"):
        run(tmp_path / "early", [EarlyStopping(patience=1, min_delta=100)], resume=True, epochs=9, **CONSTANT)


def test_how_a_run_is_watched_may_change_when_it_goes_on(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "parts", [StopAt(12)], report_every_words=1)
    run(
        tmp_path / "parts",
        resume=True,
        report_every_words=230,
        checkpoint_every_words=300,
        checkpoint_seconds=5,
        keep=1,
    )
    run(tmp_path / "whole")
    assert vectors(tmp_path / "parts") == vectors(tmp_path / "whole")
    assert len(checkpoints(tmp_path / "parts" / "checkpoints")) == 1


# on the command line

OPTIONS = ("--dimension", "4", "--subsample", "0", "--engine", "numpy", "--batch-size", "16", "--min-count", "1")


def train(*arguments):
    return CliRunner().invoke(main, ["train", *map(str, arguments)])


@pytest.fixture
def world(tmp_path, monkeypatch):
    for folder in ("here", "there"):
        (tmp_path / folder).mkdir()
    monkeypatch.chdir(tmp_path / "here")
    (tmp_path / "here" / "text.txt").write_text("\n".join(map(" ".join, TEXT)).upper(), encoding="utf-8")
    return tmp_path


def test_a_relative_text_is_found_from_another_folder_and_a_moved_world_is_whole(world, monkeypatch):
    assert train("text.txt", "--output", "run", *OPTIONS, "--epochs", 1, "--lowercase").exit_code == 0
    told = json.loads((world / "here" / "run" / "run.json").read_text(encoding="utf-8"))
    assert told["corpus"] == "text.txt" and told["corpus_path"] == str(world / "here" / "text.txt")
    assert told["lowercase"] is True and told["tokenize"] == "blanks"
    monkeypatch.chdir(world / "there")
    result = train("--resume", "--output", "../here/run", "--epochs", 2)  # in lower case, as it began
    assert result.exit_code == 0, result.output
    assert (
        "training: going on from step" in result.stderr and "50% of the run, with the checkpoint of 20" in result.stderr
    )
    assert "training: The run goes on with a learning rate" in result.stderr
    assert "(--min-learning-rate = --learning-rate)" in result.stderr
    shutil.move(world / "here", world / "moved")
    monkeypatch.chdir(world / "moved")
    assert train("--resume", "--output", "run", "--epochs", 3).exit_code == 0
    os.rename("text.txt", "other.txt")
    result = train("--resume", "--output", "run", "--epochs", 4)
    assert result.exit_code == 2 and "there is no" in result.stderr
    (world / "moved" / "text.txt").write_text("another text\n" * 9, encoding="utf-8")
    result = train("--resume", "--output", "run", "--epochs", 4)
    assert result.exit_code == 2 and "learned from another text" in result.stderr
    assert train("other.txt", "--resume", "--output", "run", "--epochs", 4).exit_code == 0
    os.rename("other.txt", "gone.txt")
    result = train("--resume", "--output", "run", "--epochs", 5)
    assert result.exit_code == 2 and "other.txt: give CORPUS too, the same text where it is now." in result.stderr


def test_words_of_a_toml_file(world):
    (world / "here" / "s.toml").write_bytes(b'\xef\xbb\xbftokenize = "simple"\r\nepochs = 1\r\n')
    (world / "here" / "text.txt").write_text("Some words, of Letters.\n" * 9, encoding="utf-8")
    assert train("text.txt", "--output", "run", *OPTIONS, "--config", "s.toml").exit_code == 0
    assert json.loads((world / "here" / "run" / "run.json").read_text(encoding="utf-8"))["tokenize"] == "simple"
    for wrong in ("lowercase = 1", 'tokenize = "letters"'):
        (world / "here" / "s.toml").write_text(wrong, encoding="utf-8")
        result = train("text.txt", "--config", "s.toml")
        assert result.exit_code == 2 and result.stderr.startswith("Error: s.toml: "), result.stderr


def test_ctrl_c_before_the_first_step_advises_nothing_that_fails(world, monkeypatch):
    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("handgrad.word2vec.trainer.keep_probabilities", interrupted)  # the text has been read
    result = train("text.txt", "--output", "run", *OPTIONS)
    assert result.exit_code == 130 and "Stopped before the first step. Nothing was saved." in result.stderr
    assert not (world / "here" / "run").exists()


def test_what_will_not_be_saved_is_said_at_the_start_and_at_the_end(world):
    result = train("text.txt", *OPTIONS, "--epochs", 1)
    assert result.stderr.startswith("training: nothing will be saved; to keep the vectors, give --output DIR.")
    assert "were not saved: give --output DIR" in result.stdout
    assert "nothing will be saved" not in train("text.txt", "--output", "run", *OPTIONS).output


def test_auto_says_when_it_leaves_the_compiled_engine(world):
    options = (*OPTIONS, "--engine", "auto", "--batch-size", 64)
    said = [train("text.txt", *options, "--optimizer", name).stderr for name in ("adagrad", "sgd")]
    assert "times as slow as the compiled engine, which does not do --optimizer = 'adagrad'." in said[0]
    assert "slow" not in said[1]


def test_words_that_are_all_alike_say_what_to_do(world):
    (world / "here" / "small.txt").write_text("the cat sat on the mat\nthe dog sat on the rug\n" * 20, encoding="utf-8")
    options = ("--min-count", 1, "--engine", "numpy", "--dimension", 8, "--subsample", 0)
    result = train("small.txt", *options, "--epochs", 1, "--initialization", "word2vec")
    alike = "All cosines are about 1" in result.stdout
    numbers = [float(n) for row in result.stdout.splitlines()[2:5] for n in row.split()[2::2]]
    assert alike == (min(numbers) > 0.99)


# damaged checkpoints with sums that fit


@pytest.mark.parametrize(
    "key, value",
    [
        ("step", "1e9993"), ("step", "4" * 400), ("step", "-1"), ("step", "null"), ("epoch", "4e20"),
        ("position", "10" + 30 * "0"), ("seconds", "1e9993"), ("loss_sum", "NaN"), ("losses", "[[1, 2]]"),
        ("losses", "3"), ("noise_rng", "{}"), ("stop_reason", "3"), ("predictions", "true"), ("callbacks", "[1]"),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("default")
def test_a_state_that_cannot_be_is_passed_over(tmp_path, key, value):
    run(tmp_path / "whole", checkpoint_every_words=160)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "run", [StopAt(7)], checkpoint_every_words=160, report_every_words=1)
    newest = checkpoints(tmp_path / "run" / "checkpoints")[-1]
    state = load_checkpoint(newest)[1]
    text = json.dumps(state | {key: "HERE"}).replace('"HERE"', value)
    (newest / "state.json").write_text(text, encoding="utf-8")
    names = ("arrays.safetensors", "state.json")
    sums = {name: hashlib.sha256((newest / name).read_bytes()).hexdigest() for name in names}
    (newest / SUMS).write_text("".join(f"{sums[name]}  {name}\n" for name in names), encoding="utf-8")
    assert is_whole_checkpoint(newest)
    with pytest.warns(UserWarning, match="step-000000007 is damaged: .* The one before it is used"):
        run(tmp_path / "run", resume=True, checkpoint_every_words=160)
    assert vectors(tmp_path / "run") == vectors(tmp_path / "whole")
