"""Callbacks: code of yours that runs at certain moments of the training. gensim's names, where it has them."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from handgrad.word2vec.trainer import Trainer


class Callback:
    """Does nothing; override what you need. Each method is called with the trainer.

    Its methods are on_train_begin, on_epoch_begin, on_epoch_end and on_train_end, and those below.

    Examples
    --------
    >>> from handgrad.word2vec import Callback, Trainer, TrainingConfig
    >>> class CountEpochs(Callback):
    ...     def on_epoch_end(self, trainer):
    ...         print(trainer.epoch, "of", trainer.config.epochs)
    >>> config = TrainingConfig(engine="numpy", min_count=1, subsample=0, epochs=2)
    >>> trainer = Trainer(config, callbacks=[CountEpochs()])
    >>> vectors = trainer.fit([["red", "apple"]] * 50)
    1 of 2
    2 of 2
    """

    def on_train_begin(self, trainer: Trainer) -> None:
        pass

    def on_epoch_begin(self, trainer: Trainer) -> None:
        pass

    def on_epoch_end(self, trainer: Trainer) -> None:
        pass

    def on_report(self, trainer: Trainer) -> None:
        """After each new entry of ``trainer.losses``: see ``report_every_words``."""

    def on_checkpoint(self, trainer: Trainer, path: Path) -> None:
        """After each checkpoint in the course of the run, if it has a folder."""

    def on_train_end(self, trainer: Trainer) -> None:
        pass

    def state(self) -> Any:
        """What a checkpoint should remember of this callback: anything that JSON can hold."""
        return None

    def restore(self, state: Any) -> None:
        """Take back what ``state`` returned, when a run is resumed."""


class EarlyStopping(Callback):
    """Ends the training when the loss has not fallen for a while.

    The loss is the one on held-out text if there is any (``held_out`` in the configuration), else that of training.

    Parameters
    ----------
    patience : int
        Entries of the loss without a new minimum.
    min_delta : float
        How far below the minimum counts as a new one.

    Examples
    --------
    With a learning rate of 0 the loss never falls by one nat. The first entry is the minimum; two more pass in vain:

    >>> from handgrad.word2vec import EarlyStopping, Trainer, TrainingConfig
    >>> still = {"learning_rate": 0, "min_learning_rate": 0}
    >>> small = {"min_count": 1, "subsample": 0, "batch_size": 4}
    >>> small |= {"report_every_words": 1}  # after each step
    >>> config = TrainingConfig(engine="numpy", **still, **small)
    >>> stopping = EarlyStopping(patience=2, min_delta=1.0)
    >>> trainer = Trainer(config, callbacks=[stopping])
    >>> vectors = trainer.fit([["red", "apple"]] * 50)
    >>> trainer.step
    3
    """

    def __init__(self, patience: int = 3, min_delta: float = 0.0) -> None:
        self.patience, self.min_delta = patience, min_delta
        self.best, self.waited = math.inf, 0

    def on_train_begin(self, trainer: Trainer) -> None:
        if not trainer.step:  # not resumed
            self.best, self.waited = math.inf, 0

    def on_report(self, trainer: Trainer) -> None:
        entry = trainer.losses[-1]
        loss = entry.loss if math.isnan(entry.held_out) else entry.held_out
        if loss < self.best - self.min_delta:
            self.best, self.waited = loss, 0
        else:
            self.waited += 1
        if self.waited >= self.patience:
            trainer.stop(f"the loss has not fallen below {self.best:.4f} in {self.waited} entries")

    def state(self) -> Any:
        return {"best": self.best if math.isfinite(self.best) else None, "waited": self.waited}

    def restore(self, state: Any) -> None:
        self.best = math.inf if state["best"] is None else state["best"]
        self.waited = state["waited"]
