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
import platform
import warnings
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout

from handgrad.errors import InputError
from handgrad.files import whole_file
from handgrad.word2vec.checkpoint import checkpoints, load_newest_checkpoint, save_checkpoint
from handgrad.word2vec.projector import save_projector
from handgrad.word2vec.summaries import SummaryWriter
from handgrad.word2vec.vector_files import encode_word

LOCK = ".lock"  # held by the process that is at work here
HISTOGRAM_ROWS = 10_000  # of a parameter, those of the most frequent words, are summarized


class RunFolder:
    """A new folder for a run, or the folder of a run that was stopped.

    Parameters
    ----------
    path : str or os.PathLike
    resume : bool; True wants the folder of a run that is not finished, False one that is empty or not there
    """

    def __init__(self, path, resume=False):
        if not str(path):
            raise InputError("The output folder has no name.")
        self.path = Path(path)
        self.description, self.losses = self.path / "run.json", self.path / "loss.csv"
        self.vectors = self.path / "vectors.bin"
        self.checkpoints, self.tensorboard = self.path / "checkpoints", self.path / "tensorboard"
        self.summaries, self.is_ours, self.has_begun = None, False, False
        self.earlier = read_run(self.path) if resume else None
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
        if self.path.exists() and (not self.path.is_dir() or any(self.path.iterdir())):
            raise InputError(
                f"The output {self.path} exists already and is left as it is: name a new folder, or resume the run "
                "that is in it."
            )
        self.is_ours = not self.path.exists()
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"The output folder {self.path} could not be made: {error.strerror}.") from error

    # what the trainer calls, in this order

    def restore(self, trainer):
        """Bring a trainer to where the newest whole checkpoint left the run in this folder."""
        if not self.earlier:
            return
        self._require_the_same_run(trainer)
        if not checkpoints(self.checkpoints):  # it was killed before the first: from the beginning, then
            return
        path, arrays, state = load_newest_checkpoint(self.checkpoints)
        if "scope" in state:
            raise InputError(
                f"{path} holds the parameters in the scope {state['scope']!r} alone, and a run cannot go on from that: "
                "start a new one, with these as shared parameters."
            )
        if trainer.engine.other_bits:
            warnings.warn(
                f"The run goes on from step {state['step']:,}, but its bits will be others than if it had not been "
                f"stopped: {trainer.engine.other_bits}.",
                stacklevel=2,
            )
        trainer.restore(arrays, state)

    def begin(self, trainer):
        """Say what is being run, before it takes its time."""
        if scope := trainer.config.checkpoint_scope:  # a wrong one is refused now, not at the first checkpoint
            in_scope({parameter.name: parameter for parameter in trainer.network.parameters}, scope)
        for word in trainer.vocabulary.index_to_key:
            encode_word(word)  # it is refused now, not when the vectors are saved
        self.trainer, self.has_begun = trainer, True
        self._describe(trainer, "running")
        self._write_losses(trainer.losses)
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

    def checkpoint(self, trainer, status="running"):
        """The state of the run, or the parameters in the configured scope; and histograms of the parameters."""
        arrays, state = trainer.state()
        scope = trainer.config.checkpoint_scope
        if scope:
            arrays, state = in_scope(arrays, scope), {"step": trainer.step, "scope": scope}
        path = save_checkpoint(self.checkpoints, trainer.step, arrays, state, trainer.config.keep)
        for parameter in trainer.network.parameters:
            self.summaries.histogram(trainer.step, parameter.name, parameter.value[:HISTOGRAM_ROWS])
        self._describe(trainer, status)
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
        then, now = self.earlier.get("versions"), _versions(trainer)
        if then != now:
            warnings.warn(f"The run was begun with {then} and goes on with {now}: its bits may differ.", stacklevel=2)
        for name, value in trainer.config.to_dict().items():
            if config.get(name) != value and not (name == "threads" and trainer.engine.any_threads):
                raise InputError(
                    f"The run in {self.path} has {name} = {config.get(name)!r}, but it should go on with {value!r}: "
                    "resume it as it was, or start a new run in a new folder."
                )
        if text["digest"] != trainer.corpus.digest:
            raise InputError(
                f"The run in {self.path} learned from another text, of {text['words']:,} words; this one has "
                f"{trainer.vocabulary.raw_words:,}: give the same text, or start a new run in a new folder."
            )

    def _describe(self, trainer, status):
        """Write run.json, whole or not at all."""
        description = {"status": status, **trainer.describe(), "versions": _versions(trainer)}
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


def read_run(path):
    """The description of a run that can be resumed; None if it was killed before it could write one."""
    description = path / "run.json"
    try:
        earlier = json.loads(description.read_text(encoding="utf-8"))
        status, _, _ = earlier["status"], earlier["config"].keys(), earlier["text"]["digest"]  # what resuming needs
    except FileNotFoundError as error:
        if path.is_dir() and not [left for left in path.iterdir() if left.suffix != ".partial" and left.name != LOCK]:
            return None  # it was killed before it could say what it was
        raise InputError(f"There is no run to resume in {path}: it has no run.json.") from error
    except OSError as error:
        raise InputError(f"There is no run to resume in {path}: run.json: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{description} is damaged, so the run cannot be resumed: {error}.") from error
    if status == "finished":
        raise InputError(f"The run in {path} is finished; its vectors are in {path / 'vectors.bin'}.")
    return earlier


def in_scope(named, scope):
    """Of a dict by name, what is in a scope: "embed" or "embed/" for "embed/V"."""
    inside = {name: value for name, value in named.items() if name.startswith(scope.rstrip("/") + "/")}
    if not inside:
        raise InputError(f"There is no parameter in the scope {scope!r}: there are {', '.join(named)}.")
    return inside
