"""The folder of a run: what was run, what was measured, and all that is needed to go on.

run.json      the configuration, the text, the versions, how far the run is and what it measured
loss.csv      the loss, entry by entry
checkpoints/  the state of the run, in case it is stopped
tensorboard/  curves, histograms and the projector, for ``tensorboard --logdir``
vectors.bin   the vectors, in word2vec's binary format, when the run is finished
"""

import contextlib
import csv
import io
import json
import math
import os
import platform
import shutil
import time
import warnings
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from filelock import FileLock, Timeout

from handgrad.errors import InputError, is_whole
from handgrad.files import whole_file
from handgrad.word2vec.config import MOST, TrainingConfig
from handgrad.word2vec.runs.checkpoint import (
    STATE,
    checkpoints,
    is_whole_checkpoint,
    load_newest_checkpoint,
    save_checkpoint,
)
from handgrad.word2vec.runs.state import describe
from handgrad.word2vec.runs.summaries import SummaryWriter
from handgrad.word2vec.vectors.projector import save_projector
from handgrad.word2vec.vectors.vector_writing import encode_word

if TYPE_CHECKING:
    from handgrad.word2vec.trainer import Trainer

LOCK = ".lock"  # held by the process that is at work here
PARTS = {"run.json", "loss.csv", "tensorboard", "checkpoints"}  # of a run that has no vectors yet
# Settings that may change when a run goes on. (Threads too, where the engine says so.)
MAY_CHANGE = {"epochs", "max_steps", "report_every_words", "checkpoint_every_words", "checkpoint_seconds", "keep"}
# Of a run's time, that writing checkpoints by the clock may take. With 0.01 they cost a run 1.1 %, since what waits for
# one, and begins anew after it, is not in that time; all together should be below 1 %.
COST = 0.005
BYTES_A_SECOND = 250e6  # that are written, until a checkpoint was measured
HISTOGRAM_ROWS = 10_000  # of a parameter, those of the most frequent words, are summarized


class RunFolder:
    """A new folder for a run, or the folder of a run that was stopped, or of which there should be more.

    Parameters
    ----------
    path : str or os.PathLike
    resume : bool; True wants the folder of a run, False one that is empty, or not there, or in which a run came to
        nothing
    config : TrainingConfig, optional, with which a run should go on
    """

    def __init__(self, path: str | os.PathLike, resume: bool = False, config: TrainingConfig | None = None):
        if not str(path):
            raise InputError("The output folder has no name.")
        self.path = Path(path)
        self.description, self.losses = self.path / "run.json", self.path / "loss.csv"
        self.vectors = self.path / "vectors.bin"
        self.checkpoints, self.tensorboard = self.path / "checkpoints", self.path / "tensorboard"
        self.summaries, self.is_ours, self.has_begun, self.resume = None, False, False, resume
        self.earlier = read_run(self.path) if resume else None
        if self.earlier:
            self._require_something_left(config)
        if not resume:
            self._make()
        self.lock = FileLock(self.path / LOCK)
        try:
            self.lock.acquire(timeout=0)
        except Timeout as error:
            raise InputError(f"Another process is at work in {self.path}: wait for it, or stop it.") from error

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        """Leave nothing behind where nothing was run, and say in a sentence what went wrong with the disk."""
        with contextlib.suppress(OSError):
            if self.summaries:
                self.summaries.close()
            if kind and issubclass(kind, Exception) and self.has_begun:
                self._describe(self.trainer, "failed")
        (self.path / LOCK).unlink(missing_ok=True)  # while it is still ours
        self.lock.release()
        if self.is_ours and not any(self.path.iterdir()):
            self.path.rmdir()
        if kind and issubclass(kind, OSError):
            raise InputError(self._what_became_of_it(error)) from error

    def _what_became_of_it(self, error):
        what = f"{error.strerror or error}" + (f": {error.filename}" if error.filename else "")
        if not self.has_begun:
            return f"The run could not begin: {what}. Nothing was written to {self.path}."
        what = f"The run in {self.path} could not be written: {what}."
        if not checkpoints(self.checkpoints):
            return f"{what} It had no checkpoint yet: make room and begin it anew."
        return f"{what} Its checkpoints are whole; make room and resume it."

    def _make(self):
        if advice := self.path.exists() and self._in_the_way():
            raise InputError(f"The output {self.path} exists already and is left as it is: {advice}.")
        self.is_ours = not self.path.exists()
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"The output folder {self.path} could not be made: {error.strerror}.") from error

    def _in_the_way(self):
        """What to do where a new run would be the end of something in the folder; or "".

        Of a run that ended before its first checkpoint there is nothing to lose: it does not block its own folder.
        """
        left = {path.name for path in _what_is_in(self.path)} if self.path.is_dir() else {""}
        if not left:
            return ""
        try:
            earlier = read_run(self.path)
        except InputError:
            return "name a new folder"
        if earlier["status"] == "finished":
            return "name a new folder, or resume the run that is in it with more epochs"
        if kept := checkpoints(self.checkpoints):
            goes_on = any(map(is_whole_checkpoint, kept)) and not earlier["config"].get("checkpoint_scope")
            return f"name a new folder{', or resume the run that is in it' if goes_on else ''}"
        return "" if left <= PARTS else "name a new folder, or resume the run that is in it"

    def _require_something_left(self, config):
        """A run that is finished goes on only if more of it is wanted."""
        then = self.earlier["config"]
        if self.earlier["status"] != "finished":
            return
        if reason := self.earlier.get("stopped_early"):
            raise InputError(
                f"The run in {self.path} is finished; its vectors are in {self.vectors}. It ended early: {reason}. To "
                "learn more, start a new run in a new folder."
            )
        if config and _is_longer(config, then):
            return
        more = f"max_steps above {then['max_steps']}" if then.get("max_steps") else f"epochs above {then.get('epochs')}"
        raise InputError(
            f"The run in {self.path} is finished; its vectors are in {self.vectors}. For more of it give {more}."
        )

    # what the trainer calls, in this order

    def resume_run(self, trainer):
        """Bring a trainer to where the newest whole checkpoint left the run in this folder."""
        if not checkpoints(self.checkpoints):  # it ended before the first, and nothing holds it to what it was
            trainer.say(f"the run in {self.path} had no checkpoint yet, and begins anew.")
            return
        self._require_the_same_run(trainer)
        path, arrays, state = load_newest_checkpoint(self.checkpoints, partial(require_right, trainer))
        if "scope" in state:
            raise InputError(
                f"{path} holds the parameters in the scope {state['scope']!r} alone, and a run cannot go on from that: "
                "start a new one in a new folder, with these as shared parameters."
            )
        if trainer.engine.other_bits:
            warnings.warn(
                f"The run goes on from step {state['step']:,}, but its bits will be others than if it had not been "
                f"stopped: {trainer.engine.other_bits}.",
                stacklevel=2,
            )
        trainer.restore(arrays, state)
        self._say_what_is_left(trainer)
        made = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime((path / STATE).stat().st_mtime))
        trainer.say(
            f"going on from step {trainer.step:,}, after {trainer.raw_words:,} words, {trainer.share:.0%} of the run, "
            f"with the checkpoint of {made}."
        )

    def _say_what_is_left(self, trainer):
        """Of a run that should be longer, or shorter, than was said when it began."""
        then, now = self.earlier["config"], trainer.config
        if (then.get("epochs"), then.get("max_steps")) == (now.epochs, now.max_steps):
            return
        behind = trainer.schedule.epochs_behind(trainer.place)
        if behind > now.epochs or 0 < now.max_steps < trainer.step:
            raise InputError(
                f"The run in {self.path} has {behind:.1f} epochs and {trainer.step:,} steps behind it: "
                f"give more than that, but got epochs {now.epochs} and max_steps {now.max_steps}."
            )
        if now.learning_rate != now.min_learning_rate:
            before = trainer.losses[-1].learning_rate if trainer.losses else now.learning_rate
            tell = trainer.say if trainer.says else partial(warnings.warn, stacklevel=2)
            tell(
                f"The run goes on with a learning rate of {trainer.learning_rate:.3g} after {before:.3g}, so its "
                "vectors will be others than if it had had this length from the start: only a rate that does not fall "
                "(min_learning_rate = learning_rate) makes no difference."
            )

    def begin(self, trainer):
        """Say what is being run, before it takes its time."""
        if scope := trainer.config.checkpoint_scope:  # a wrong one is refused now, not at the first checkpoint
            in_scope({parameter.name: parameter for parameter in trainer.network.parameters}, scope)
        for word in trainer.vocabulary.index_to_key:
            encode_word(word)  # it is refused now, not when the vectors are saved
        self.trainer, self.has_begun = trainer, True
        self._describe(trainer, "running")
        self._write_losses(trainer.losses)
        if not self.resume:  # a run that came to nothing may have left some
            shutil.rmtree(self.tensorboard, ignore_errors=True)
        self.kept_at = time.monotonic()
        self.cost = sum(parameter.value.nbytes for parameter in trainer.network.parameters) / BYTES_A_SECOND
        self.summaries = SummaryWriter(self.tensorboard, first_step=trainer.step + 1)

    def report(self, trainer):
        """A new entry of the loss."""
        entry = trainer.losses[-1]
        with open(self.losses, "a", newline="", encoding="utf-8") as file:
            csv.writer(file).writerow(_row(entry))
        scalars = {"loss": entry.loss, "learning_rate": entry.learning_rate}
        if not math.isnan(entry.held_out):
            scalars["held_out_loss"] = entry.held_out
        self.summaries.scalars(entry.step, **scalars, words_per_second=trainer.words_per_second)

    def checkpoint_is_due(self, trainer):
        """By the clock: the last one is so long ago that writing another takes a two-hundredth of that, at most."""
        seconds = trainer.config.checkpoint_seconds
        return seconds > 0 and time.monotonic() - self.kept_at >= max(seconds, self.cost / COST)

    def checkpoint(self, trainer, status="running"):
        """The state of the run, or the parameters in the configured scope; and histograms of the parameters."""
        began = time.monotonic()
        arrays, state = trainer.state()
        scope = trainer.config.checkpoint_scope
        if scope:
            arrays, state = in_scope(arrays, scope), {"step": trainer.step, "scope": scope}
        path = save_checkpoint(self.checkpoints, trainer.step, arrays, state, trainer.config.keep)
        for parameter in trainer.network.parameters:
            self.summaries.histogram(trainer.step, parameter.name, parameter.value[:HISTOGRAM_ROWS])
        self._describe(trainer, status)
        self.kept_at = time.monotonic()
        self.cost = self.kept_at - began
        return path

    def finish(self, trainer):
        """The vectors, for everybody and for TensorBoard's projector, and the last word in run.json."""
        self.checkpoint(trainer)
        trainer.vectors.save_word2vec_format(self.vectors, binary=True)
        save_projector(trainer.vectors, self.tensorboard, overwrite=True)
        self._describe(trainer, "finished")

    # how it is written

    def _require_the_same_run(self, trainer):
        """The configuration and the text are those of the run in the folder, or a sentence says what differs."""
        config, text = self.earlier["config"], self.earlier["text"]
        ignored = trainer.engine.ignores(trainer.processes)
        then, now = self.earlier.get("versions"), _versions(trainer)
        if then != now:
            warnings.warn(f"The run was begun with {then} and goes on with {now}: its bits may differ.", stacklevel=2)
        for name, value in trainer.config.to_dict().items():
            may_change = name in MAY_CHANGE or (name == "threads" and trainer.engine.any_threads)
            may_change = may_change or name in ignored  # an older run may have it
            then = config.get(name, getattr(TrainingConfig, name, None))  # a run may be older than a setting
            if then != value and not may_change:
                raise InputError(
                    f"The run in {self.path} has {name} = {then!r}, but it should go on with {value!r}: "
                    "resume it as it was, or start a new run in a new folder."
                )
        if text["digest"] != trainer.data.whole.digest:
            raise InputError(
                f"The run in {self.path} learned from another text, of {text['words']:,} words; this one has "
                f"{trainer.vocabulary.raw_words:,}: give the same text, or learn more in a new folder, from "
                f"where this run ended (begin_from {str(self.path)!r})."
            )

    def _describe(self, trainer, status):
        """Write run.json, whole or not at all."""
        description = {"status": status, **describe(trainer), "versions": _versions(trainer)}
        if self.earlier and self.earlier.get("corpus_path") == trainer.data.path is not None:
            description["corpus"] = self.earlier.get("corpus")  # as it was given first: relative, it may still be found
        with whole_file(self.description) as file:
            file.write(json.dumps(description, indent=2).encode() + b"\n")

    def _write_losses(self, entries):
        """Write loss.csv from the start: a run that goes on replaces what came after its checkpoint."""
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        writer.writerow(["raw_words", "loss_per_pair", "held_out_loss", "learning_rate", "step"])
        writer.writerows(_row(entry) for entry in entries)
        with whole_file(self.losses) as file:
            file.write(text.getvalue().encode())


def _row(entry):
    return ["" if value != value else value for value in entry]  # nan: nothing was held out


def _versions(trainer):
    """Of all that has a part in the bits of a run."""
    from handgrad import __version__

    versions = {"handgrad": __version__, "numpy": np.__version__, "python": platform.python_version()}
    return versions | trainer.engine.versions()


def _what_is_in(path):
    """All but what a process that was killed has left half done."""
    return [left for left in path.iterdir() if left.suffix != ".partial" and left.name != LOCK]


def _is_longer(config, then):
    """Whether a configuration asks for more than the settings of a finished run."""
    if config.epochs > then.get("epochs", 0):
        return True
    return 0 < then.get("max_steps", 0) and not 0 < config.max_steps <= then["max_steps"]


def read_run(path: Path) -> dict[str, Any] | None:
    """The description of the run in a folder; None if it was killed before it could write one."""
    description = path / "run.json"
    try:
        earlier = json.loads(description.read_text(encoding="utf-8-sig"))
        if not isinstance(earlier, dict):
            raise TypeError("it is no table of names and values")
        if not isinstance(earlier["config"], dict) or not isinstance(earlier["status"], str):
            raise TypeError("it has no settings or no status")
        text = earlier["text"]
        if not isinstance(text["digest"], str) or not isinstance(text.get("words", 0), int):
            raise TypeError("it does not say what the text was")
        lengths = [earlier["config"].get(name, 0) for name in ("epochs", "max_steps")]
        if not all(map(is_whole, lengths)):
            raise TypeError("it does not say how long the run is")
        earlier["config"] = _with_intervals_in_words(earlier)
    except FileNotFoundError as error:
        if path.is_dir() and not _what_is_in(path):
            return None  # it was killed before it could say what it was
        raise InputError(
            f"There is no run to resume in {path}: it has no run.json. Name the folder of a run, or begin one without "
            "resume, in a new folder."
        ) from error
    except OSError as error:
        raise InputError(
            f"There is no run to resume in {path}: run.json: {error.strerror}. Name the folder of a run, or "
            "begin one without resume, in a new folder."
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        what = f"it has no {error}" if isinstance(error, KeyError) else " ".join(str(error).split())
        raise InputError(
            f"{description} is damaged, so the run cannot be resumed: {what}. Begin a new one in a new folder."
        ) from error
    return earlier


def _with_intervals_in_words(earlier):
    """The settings of a run. One of an earlier version has intervals in steps, which become as many words.

    How many words a step has depends on the engine: as many as those of this run had. A run without any, which begins
    anew, counts as one that learned batches.
    """
    config, steps, words = dict(earlier["config"]), earlier.get("steps"), earlier.get("raw_words")
    if not (is_whole(steps) and is_whole(words) and steps > 0):
        steps, words = 1, config.get("batch_size", TrainingConfig.batch_size)
    for name in ("report_every", "checkpoint_every"):
        every = config.pop(name, None)
        if every is not None:
            if not is_whole(every) or not is_whole(words):
                raise TypeError(f"its {name} is no number of steps")
            config[f"{name}_words"] = min(max(every * words // steps, 1), MOST) if every else 0
    return config


def require_right(trainer: "Trainer", arrays: dict[str, np.ndarray], state: dict[str, Any]) -> None:
    """A checkpoint can be a state of this run, or there is an error of some kind: what is in it is of somebody else.

    What it holds beyond that, for callbacks and for the engine, is looked at by them.
    """
    if "scope" in state:
        return
    for key in ("epoch", "position", "step", "predictions"):
        if not is_whole(state[key]) or not 0 <= state[key] < 2**63:
            raise ValueError(f"{key} is {state[key]!r:.40}")
    if not trainer.config.num_skips and state["position"] > len(trainer.text):
        raise ValueError(f"position is {state['position']}, and the text ends before")
    for key in ("loss_sum", "seconds"):
        if not math.isfinite(state[key]):
            raise ValueError(f"{key} is {state[key]!r:.40}")
    if not isinstance(state["stop_reason"], str | None):
        raise TypeError("stop_reason is no text")
    for entry in state["losses"]:
        numbers = [0.0 if number is None else number for number in entry]
        if len(numbers) != 5 or not all(math.isfinite(number) for number in numbers) or not is_whole(numbers[4]):
            raise ValueError("an entry of the loss is none")
    for name in ("noise_rng", "example_rng"):
        np.random.default_rng(0).bit_generator.state = state[name]
    for _, _ in state["callbacks"]:
        pass
    for parameter in trainer.network.parameters:
        found = arrays[parameter.name]
        if found.shape != parameter.value.shape or found.dtype != parameter.value.dtype:
            raise ValueError(f"{parameter.name} has another shape or type")
        if not np.isfinite([found.min(), found.max()]).all():
            raise ValueError(f"{parameter.name} has a number that is NaN or infinite")


def in_scope(named, scope):
    """Of a dict by name, what is in a scope: "embed" or "embed/" for "embed/V"."""
    inside = {name: value for name, value in named.items() if name.startswith(scope.rstrip("/") + "/")}
    if not inside:
        raise InputError(f"There is no parameter in the scope {scope!r}: there are {', '.join(named)}.")
    return inside
