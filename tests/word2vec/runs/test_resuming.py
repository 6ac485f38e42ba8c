"""Runs that are stopped, killed, filled up or disturbed, and what is left of them."""

import csv
import json
import math
import resource
import signal
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from stop_at import bits
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from handgrad.errors import InputError
from handgrad.word2vec import Callback, EarlyStopping, KeyedVectors, Trainer, TrainingConfig
from handgrad.word2vec.engines.numpy_engine import NumPyEngine
from handgrad.word2vec.runs import run_folder
from handgrad.word2vec.runs.checkpoint import checkpoints, load_checkpoint
from handgrad.word2vec.runs.progress import signals_noted
from handgrad.word2vec.runs.run_folder import RunFolder

TEXT = [[f"w{i}" for i in row] for row in np.random.default_rng(0).zipf(1.6, (40, 10)).clip(max=30)]
SMALL = {
    "dimension": 6, "min_count": 1, "window": 2, "batch_size": 16, "epochs": 2, "subsample": 1e-2,
    "report_every_words": 1, "checkpoint_every_words": 170, "engine": "numpy",
}  # fmt: skip


class KilledError(BaseException):
    """Stands for a kill: nobody in the library catches it, and nothing is tidied up before the next run."""


class At(Callback):
    """Does something at a step, after its entry of the loss."""

    def __init__(self, step, do):
        self.at, self.do = step, do

    def on_report(self, trainer):
        if trainer.step == self.at:
            self.do()


def kill():
    raise KilledError


def ctrl_c():
    signal.raise_signal(signal.SIGINT)


def terminate():
    signal.raise_signal(signal.SIGTERM)


def run(folder, *callbacks, resume=False, text=TEXT, **changes):
    trainer = Trainer(TrainingConfig(**SMALL | changes), callbacks)
    trainer.fit(text, folder, resume)
    return trainer


def told(folder):
    return json.loads((folder / "run.json").read_text(encoding="utf-8"))


def rows(folder):
    with open(folder / "loss.csv", newline="", encoding="utf-8") as file:
        return [(int(row["step"]), float(row["loss_per_pair"])) for row in csv.DictReader(file)]


# the stream of word2vec_basic


@pytest.mark.parametrize("step", [4, 8, 9, 10, 19, 30])
@pytest.mark.parametrize("num_skips", [2, 4])
def test_a_stream_that_begins_again_goes_on_where_it_was(tmp_path, num_skips, step):
    text = [[f"w{i}" for i in np.random.default_rng(1).integers(0, 8, 42)]]  # 38 windows, 4 or 2 to a step
    changes = {"num_skips": num_skips, "subsample": 0, "dynamic_window": False, "batch_size": 8, "max_steps": 33}
    whole = run(tmp_path / "whole", text=text, **changes)
    stream = whole.engine.examples.stream
    assert stream.windows == 38 and stream.centers == 8 // num_skips
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "parts", At(step, ctrl_c), text=text, **changes)
    resumed = run(tmp_path / "parts", resume=True, text=text, **changes)
    assert resumed.step == 33 and bits(tmp_path / "parts") == bits(tmp_path / "whole")


# early stopping


@pytest.mark.parametrize(
    "losses, held_out, stops",
    [
        ([3, 2, 1, 0.5], [2, 3, 4, 5], True),
        ([2, 3, 4, 5], [3, 2, 1, 0.5], False),
        ([2, 3, 4, 5], [math.nan] * 4, True),
        ([3, 2, 1, 0.5], [math.nan] * 4, False),
    ],
)
def test_early_stopping_looks_at_the_held_out_text_where_there_is_some(losses, held_out, stops):
    stopping, reasons = EarlyStopping(patience=3), []
    trainer = SimpleNamespace(losses=[], stop=reasons.append)
    for loss, held in zip(losses, held_out, strict=True):
        trainer.losses.append(SimpleNamespace(loss=loss, held_out=held))
        stopping.on_report(trainer)
    assert bool(reasons) == stops


def early():
    return EarlyStopping(patience=2, min_delta=100)  # after the third entry


@pytest.mark.parametrize("every, step", [(170, 16), (130, 12)])  # checkpoints are due at 5, 10 and 16
@pytest.mark.parametrize("ends", [kill, ctrl_c, terminate])
def test_early_stopping_comes_at_the_same_step_when_the_run_ended_just_after_it(tmp_path, ends, every, step):
    changes = {"report_every_words": every, "epochs": 9}
    whole = run(tmp_path / "whole", early(), **changes)
    assert whole.step == step and whole.stop_reason
    with pytest.raises((KilledError, KeyboardInterrupt, SystemExit)):
        run(tmp_path / "parts", early(), At(step, ends), **changes)
    resumed = run(tmp_path / "parts", early(), resume=True, **changes)
    assert (resumed.step, resumed.stop_reason) == (step, whole.stop_reason)
    assert told(tmp_path / "parts")["stopped_early"] == whole.stop_reason
    assert bits(tmp_path / "parts") == bits(tmp_path / "whole")


def test_a_run_that_was_killed_after_its_last_checkpoint_takes_no_step_more(tmp_path, monkeypatch):
    run(tmp_path / "whole", early(), report_every_words=170)

    class KillAtCheckpoint(Callback):
        def on_checkpoint(self, trainer, path):
            if trainer.stop_reason:
                kill()

    with pytest.raises(KilledError):
        run(tmp_path / "parts", early(), KillAtCheckpoint(), report_every_words=170)
    assert told(tmp_path / "parts")["status"] == "running"
    monkeypatch.setattr(NumPyEngine, "learn", lambda *batch: pytest.fail("a step was taken"))
    run(tmp_path / "parts", early(), resume=True, report_every_words=170)
    assert bits(tmp_path / "parts") == bits(tmp_path / "whole")


@pytest.mark.parametrize("at", ["save_checkpoint", "save_projector"])
def test_a_run_that_was_killed_while_it_finished_is_finished_when_resumed(tmp_path, monkeypatch, at):
    run(tmp_path / "whole", checkpoint_every_words=0)
    with monkeypatch.context() as patch, pytest.raises(KilledError):
        patch.setattr(run_folder, at, lambda *arguments, **options: kill())
        run(tmp_path / "parts", checkpoint_every_words=0)
    assert told(tmp_path / "parts")["status"] == "running"
    run(tmp_path / "parts", resume=True, checkpoint_every_words=0)
    assert told(tmp_path / "parts")["status"] == "finished"
    assert bits(tmp_path / "parts") == bits(tmp_path / "whole")


# signals


def test_sigterm_ends_with_its_own_status(tmp_path):
    with pytest.raises(SystemExit) as ended:
        run(tmp_path, At(7, terminate))
    assert ended.value.code == 128 + signal.SIGTERM == 143
    assert told(tmp_path)["status"] == "stopped"
    assert checkpoints(tmp_path / "checkpoints")[-1].name == "step-000000007"


@pytest.mark.parametrize(
    "first, second, ends",
    [
        (ctrl_c, ctrl_c, KeyboardInterrupt),
        (terminate, ctrl_c, KeyboardInterrupt),
        (terminate, terminate, SystemExit),
        (ctrl_c, terminate, SystemExit),
    ],
)
def test_the_second_signal_is_not_waited_for(tmp_path, first, second, ends):
    passed = []

    def both():
        first()
        passed.append(first)  # nothing is half done yet
        second()
        passed.append(second)

    with pytest.raises((KeyboardInterrupt, SystemExit)) as ended:
        run(tmp_path, At(7, both))
    assert passed == [first] and ended.type is ends
    assert ends is KeyboardInterrupt or ended.value.code == 143
    assert told(tmp_path)["status"] == "running"
    assert checkpoints(tmp_path / "checkpoints")[-1].name == "step-000000005"  # none was written at the seventh
    run(tmp_path, resume=True)


@pytest.fixture
def handlers():
    """Handlers of whoever calls the library, which it should leave as they were."""
    mine = {number: lambda number, frame: None for number in (signal.SIGINT, signal.SIGTERM)}
    before = {number: signal.signal(number, handler) for number, handler in mine.items()}
    yield mine
    for number, handler in before.items():
        signal.signal(number, handler)


def test_a_signal_that_the_process_ignores_stays_ignored(handlers):
    """A script's background job ignores Ctrl-C, which is meant for what runs in the foreground."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with signals_noted() as noted:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGTERM)
    assert noted == [signal.SIGTERM]
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_a_handler_that_is_none_of_pythons_is_not_taken(handlers, monkeypatch):
    """Python calls it None, and could not put it back: a run would fail when it is over."""
    monkeypatch.setattr(signal, "getsignal", {signal.SIGINT: None, signal.SIGTERM: handlers[signal.SIGTERM]}.get)
    taken = []
    put = signal.signal
    monkeypatch.setattr(signal, "signal", lambda number, handler: taken.append(number) or put(number, handler))
    with signals_noted():
        pass
    assert taken == [signal.SIGTERM, signal.SIGTERM]  # taken, and put back


def fail():
    raise RuntimeError("a callback of the reader's own")


@pytest.mark.parametrize(
    "do, ends", [(list, ()), (ctrl_c, KeyboardInterrupt), (terminate, SystemExit), (fail, RuntimeError)]
)
def test_signal_handlers_are_put_back(tmp_path, handlers, do, ends):
    inside = []

    def look_and_do():
        inside.append({number: signal.getsignal(number) for number in handlers})
        do()

    if ends:
        with pytest.raises(ends):
            run(tmp_path, At(3, look_and_do))
    else:
        run(tmp_path, At(3, look_and_do))
    assert all(inside[0][number] is not handlers[number] for number in handlers)
    assert {number: signal.getsignal(number) for number in handlers} == handlers


# what is measured, after a kill


@pytest.mark.parametrize("killed_at, goes_on_from", [(3, 0), (13, 10)])
def test_what_a_killed_run_measured_after_its_checkpoint_is_measured_anew(tmp_path, killed_at, goes_on_from):
    run(tmp_path / "whole")
    with pytest.raises(KilledError):
        run(tmp_path / "parts", At(killed_at, kill))
    assert [step for step, _ in rows(tmp_path / "parts")] == list(range(1, killed_at + 1))
    begun = []

    class Look(Callback):
        def on_train_begin(self, trainer):
            begun.append([step for step, _ in rows(tmp_path / "parts")])

    run(tmp_path / "parts", Look(), resume=True)
    assert begun == [list(range(1, goes_on_from + 1))]
    assert rows(tmp_path / "parts") == rows(tmp_path / "whole")
    events = EventAccumulator(str(tmp_path / "parts" / "tensorboard"), purge_orphaned_data=True)
    events.Reload()
    shown = [(event.step, event.value) for event in events.Scalars("loss")]
    assert [step for step, _ in shown] == [step for step, _ in rows(tmp_path / "whole")]
    assert [loss for _, loss in shown] == pytest.approx([loss for _, loss in rows(tmp_path / "whole")])
    histograms = [event.step for event in events.Histograms("embed/V")]
    assert histograms == sorted(set(histograms))


# two at once, and no room


RESUME = """
import sys
from handgrad.errors import InputError
from handgrad.word2vec.runs.run_folder import RunFolder
for resume in (True, False):
    try:
        RunFolder(sys.argv[1], resume)
    except InputError as error:
        print(error)
"""


def test_the_second_process_in_a_folder_is_sent_away_and_the_first_is_unharmed(tmp_path):
    run(tmp_path / "alone")
    said = []

    def disturb():
        command = [sys.executable, "-c", RESUME, tmp_path / "disturbed"]
        said.extend(subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines())

    run(tmp_path / "disturbed", At(7, disturb))
    resumed, begun = said
    assert resumed.startswith(f"Another process is at work in {tmp_path / 'disturbed'}: wait for it")
    assert "exists already and is left as it is" in begun
    assert bits(tmp_path / "disturbed") == bits(tmp_path / "alone")
    assert told(tmp_path / "disturbed")["status"] == "finished"


@pytest.mark.parametrize(
    "owner, writes, newest",
    [
        (RunFolder, "_describe", None),  # run.json, when the run begins
        (RunFolder, "_write_losses", None),  # loss.csv, when the run begins
        (RunFolder, "report", None),  # loss.csv, at an entry
        (run_folder, "save_checkpoint", None),
        (KeyedVectors, "save_word2vec_format", "the last"),  # vectors.bin, at the end
        (run_folder, "save_projector", "the last"),
    ],
)
def test_without_room_a_run_ends_in_a_sentence_and_goes_on_when_there_is_some(
    tmp_path, monkeypatch, owner, writes, newest
):
    """A limit on the size of files stands for the disk, while one of them is written."""
    run(tmp_path / "whole")
    write, (soft, hard) = getattr(owner, writes), resource.getrlimit(resource.RLIMIT_FSIZE)

    def write_without_room(*arguments, **options):
        resource.setrlimit(resource.RLIMIT_FSIZE, (10, hard))
        try:
            return write(*arguments, **options)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    with monkeypatch.context() as patch, pytest.raises(InputError, match=r"could not be written: .*make room"):
        patch.setattr(owner, writes, write_without_room)
        run(tmp_path / "full")
    kept = checkpoints(tmp_path / "full" / "checkpoints")
    assert bool(kept) == bool(newest)
    for path in kept:
        load_checkpoint(path)
    left = [path.name for path in (tmp_path / "full").rglob("*") if "partial" in path.name or "unfinished" in path.name]
    assert left == []
    if (tmp_path / "full" / "run.json").exists():
        run(tmp_path / "full", resume=True)
    else:  # it could not even say what it was
        run(tmp_path / "full")
    assert bits(tmp_path / "full") == bits(tmp_path / "whole")
    assert told(tmp_path / "full")["status"] == "finished"


# what is refused, and what goes wrong


def test_a_word_with_a_blank_is_refused_before_the_training_and_leaves_no_folder(tmp_path):
    begun = []

    class Look(Callback):
        def on_train_begin(self, trainer):
            begun.append(trainer)

    text = [["New York", "is", "a", "city"]] * 10
    with pytest.raises(InputError, match="New York"):
        run(tmp_path / "run", Look(), text=text)
    assert not begun and not (tmp_path / "run").exists()
    assert "New York" in run(None, text=text).vocabulary.key_to_index  # where nothing is written, it is a word


@pytest.mark.parametrize("rate", [1e5, 1e20])  # the scores are too large at first, or the vectors themselves
def test_a_run_that_diverges_says_so_and_keeps_its_last_good_checkpoints(tmp_path, rate):
    with (
        np.errstate(all="ignore"),
        pytest.raises(InputError, match=r"The (loss is|vectors are) .* choose a learning_rate below"),
    ):
        run(tmp_path, learning_rate=rate, checkpoint_every_words=1, keep=2)
    assert told(tmp_path)["status"] == "failed"
    kept = checkpoints(tmp_path / "checkpoints")
    assert 1 <= len(kept) <= 2
    for path in kept:
        arrays, _ = load_checkpoint(path)
        assert all(np.isfinite(array).all() for array in arrays.values()), path.name
    assert not (tmp_path / "vectors.bin").exists()
