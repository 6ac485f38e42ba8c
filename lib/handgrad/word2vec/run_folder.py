"""The folder of a run: what was run, what was measured, and all that is needed to go on.

run.json      the configuration, the text, the versions, how far the run is and what it measured
loss.csv      the loss, entry by entry
checkpoints/  the state of the run, in case it is stopped
tensorboard/  curves and histograms, for ``tensorboard --logdir``
vectors.bin   the vectors, in word2vec's binary format, when the run is finished
"""

import csv
import json
import math
import os
import platform
from pathlib import Path

import numpy as np

from handgrad.errors import InputError
from handgrad.word2vec.checkpoint import checkpoints, load_newest_checkpoint, save_checkpoint
from handgrad.word2vec.summaries import SummaryWriter

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
        self.description, self.vectors = self.path / "run.json", self.path / "vectors.bin"
        self.checkpoints, self.tensorboard = self.path / "checkpoints", self.path / "tensorboard"
        self.summaries = None
        self.earlier = self._read() if resume else None
        if not resume:
            self._make()

    def _make(self):
        if self.path.exists() and (not self.path.is_dir() or any(self.path.iterdir())):
            raise InputError(
                f"The output {self.path} exists already and is left as it is: name a new folder, or resume the run "
                "that is in it."
            )
        self.path.mkdir(parents=True, exist_ok=True)

    def _read(self):
        try:
            earlier = json.loads(self.description.read_text(encoding="utf-8"))
            status, _, _ = earlier["status"], earlier["config"].keys(), earlier["text"]["digest"]  # what resuming needs
        except FileNotFoundError as error:
            if self.path.is_dir() and not [left for left in self.path.iterdir() if left.suffix != ".partial"]:
                return None  # it was killed before it could say what it was
            raise InputError(f"There is no run to resume in {self.path}: it has no run.json.") from error
        except OSError as error:
            raise InputError(f"There is no run to resume in {self.path}: run.json: {error.strerror}.") from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(f"{self.description} is damaged, so the run cannot be resumed: {error}.") from error
        if status == "finished":
            raise InputError(f"The run in {self.path} is finished; its vectors are in {self.vectors}.")
        return earlier

    def remove_if_empty(self):
        """Leave nothing behind where nothing was run."""
        if self.path.is_dir() and not any(self.path.iterdir()):
            self.path.rmdir()

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
        trainer.restore(arrays, state)

    def begin(self, trainer):
        """Say what is being run, before it takes its time."""
        self._describe(trainer, "running")
        self._write_losses(trainer.losses)
        self.summaries = SummaryWriter(self.tensorboard, first_step=trainer.step + 1 if trainer.step else 0)

    def report(self, trainer):
        """A new entry of the loss."""
        self._write_losses(trainer.losses)
        entry = trainer.losses[-1]
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

    def finish(self, trainer, vectors):
        """The vectors, and the last word in run.json."""
        self.checkpoint(trainer)
        vectors.save_word2vec_format(self.vectors, binary=True)
        self._describe(trainer, "finished")

    def close(self):
        if self.summaries:
            self.summaries.close()

    # how it is written

    def _require_the_same_run(self, trainer):
        """The configuration and the text are those of the run in the folder, or a sentence says what differs."""
        config, text = self.earlier["config"], self.earlier["text"]
        for name, value in trainer.config.to_dict().items():
            if config.get(name) != value:
                raise InputError(
                    f"The run in {self.path} has {name} = {config.get(name)!r}, but it should go on with {value!r}: "
                    "resume it as it was, or start a new run in a new folder."
                )
        if text["digest"] != trainer.text.digest:
            raise InputError(
                f"The run in {self.path} learned from another text, of {text['words']:,} words; this one has "
                f"{trainer.vocabulary.raw_words:,}: give the same text, or start a new run in a new folder."
            )

    def _describe(self, trainer, status):
        """Write run.json, whole or not at all."""
        from handgrad import __version__

        partial = self.description.with_suffix(".partial")
        versions = {"handgrad": __version__, "numpy": np.__version__, "python": platform.python_version()}
        with open(partial, "w", encoding="utf-8") as file:
            json.dump({"status": status, **trainer.describe(), "versions": versions}, file, indent=2)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, self.description)

    def _write_losses(self, entries):
        """Write loss.csv from the start: a run that goes on replaces what came after its checkpoint."""
        with open(self.path / "loss.csv", "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["raw_words", "loss_per_pair", "held_out_loss", "learning_rate", "step"])
            writer.writerows([["" if value != value else value for value in entry] for entry in entries])


def in_scope(named, scope):
    """Of a dict by name, what is in a scope: "embed" or "embed/" for "embed/V"."""
    inside = {name: value for name, value in named.items() if name.startswith(scope.rstrip("/") + "/")}
    if not inside:
        raise InputError(f"There is no parameter in the scope {scope!r}: there are {', '.join(named)}.")
    return inside
