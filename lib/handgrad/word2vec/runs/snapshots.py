"""A callback that looks at some words again and again, so that a training can be replayed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from handgrad.errors import InputError
from handgrad.word2vec.runs.callbacks import Callback

if TYPE_CHECKING:
    from handgrad.word2vec.trainer import Trainer


class Snapshots(Callback):
    """Copies of some words' vectors: before the first step, then at entries of the loss.

    Words move fastest at the beginning, so the first ``every`` entries have a snapshot each.

    A run that is resumed goes on from the snapshots of this object, and has none of the time before.

    Parameters
    ----------
    words : list of str
    every : int
        Entries of ``trainer.losses`` from one snapshot to the next; a run has about a hundred of them.

    Attributes
    ----------
    vectors : list of float arrays (len(words), D)
    raw_words : list of int
        Words of the text read so far, for each snapshot.
    losses : list of float
        The loss of a prediction at each; nan before the first step.

    Raises
    ------
    InputError
        If ``every`` is below 1.

    Examples
    --------
    >>> from handgrad.word2vec import Snapshots, Trainer, TrainingConfig
    >>> snapshots = Snapshots(["red", "green"])
    >>> small = {"dimension": 8, "min_count": 1, "subsample": 0}
    >>> trainer = Trainer(TrainingConfig(engine="numpy", **small), [snapshots])
    >>> vectors = trainer.fit([["red", "apple"], ["green", "apple"]] * 50)
    >>> snapshots.vectors[0].shape, snapshots.raw_words[0]
    ((2, 8), 0)
    """

    def __init__(self, words: Iterable[str], every: int = 4) -> None:
        if every < 1:
            raise InputError(f"Snapshots are taken at every entry of the loss or more seldom, but got every = {every}.")
        self.words, self.every = list(words), every
        self.vectors: list[np.ndarray] = []
        self.raw_words: list[int] = []
        self.losses: list[float] = []

    def on_train_begin(self, trainer: Trainer) -> None:
        self._take(trainer, float("nan"))

    def on_report(self, trainer: Trainer) -> None:
        n = len(trainer.losses)
        if n <= self.every or n % self.every == 0:
            self._take(trainer, trainer.losses[-1].loss)

    def _take(self, trainer, loss):
        self.vectors.append(trainer.vectors[self.words])  # a copy: rows by their words
        self.raw_words.append(trainer.raw_words)
        self.losses.append(loss)
