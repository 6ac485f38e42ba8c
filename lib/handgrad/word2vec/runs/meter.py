"""What a run has cost: losses are added up as steps come in, and each entry is the exact mean since the one before."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from handgrad.word2vec.engines.engine import Step
    from handgrad.word2vec.schedule import Place, Schedule

REPORTS = 100  # in a run, where report_every_words does not say otherwise


class LossEntry(NamedTuple):
    """What was measured since the entry before.

    Attributes
    ----------
    raw_words : int
        Words of the text read so far, all epochs together.
    loss : float
        Mean loss of a prediction, in nats.
    held_out : float
        The same on held-out text; nan where there is none.
    learning_rate : float
    step : int
        Steps of the engine so far (see ``TrainingConfig``).

    Examples
    --------
    >>> from handgrad.word2vec import Trainer, TrainingConfig
    >>> config = TrainingConfig(engine="numpy", min_count=1, subsample=0, epochs=1)
    >>> trainer = Trainer(config)
    >>> vectors = trainer.fit([["red", "apple"], ["green", "apple"]] * 50)
    >>> trainer.losses[-1].raw_words, trainer.losses[-1].step
    (200, 4)
    """

    raw_words: int
    loss: float
    held_out: float
    learning_rate: float
    step: int


class Meter:
    """Adds up what the steps since the last entry have cost.

    Parameters
    ----------
    learning_rate : float
        η before the first step.

    Attributes
    ----------
    loss_sum : float
    predictions : int
        How many losses are in that sum.
    learning_rate : float
        η of the last step.
    entries : list of LossEntry
    entries_before : int
        Those that do not count among the REPORTS: of a run that was shorter.
    """

    def __init__(self, learning_rate: float) -> None:
        self.loss_sum, self.predictions, self.learning_rate = 0.0, 0, learning_rate
        self.entries: list[LossEntry] = []
        self.entries_before = 0

    def add(self, step: Step) -> None:
        for loss in step.losses:
            self.loss_sum += loss
        self.predictions += step.predictions
        if step.learning_rate is not None:
            self.learning_rate = step.learning_rate

    def entry_is_due(self, place: Place, schedule: Schedule) -> bool:
        """Whether the step that led there has reached a multiple of the interval, or a hundredth of the run."""
        if every := schedule.config.report_every_words:
            before = self.entries[-1].raw_words if self.entries else 0
            return passed_a_multiple(every, before, schedule.raw_words_behind(place))
        return schedule.share(place) * REPORTS >= len(self.entries) - self.entries_before + 1

    def enter(self, raw_words: int, held_out: float, step: int) -> None:
        """Make an entry of the mean, and begin anew."""
        loss = self.loss_sum / self.predictions
        self.entries.append(LossEntry(raw_words, loss, held_out, self.learning_rate, step))
        self.loss_sum, self.predictions = 0.0, 0

    def restore(self, loss_sum: float, predictions: int, entries: list, share: float) -> None:
        """Become what it was when that share of the run was behind. JSON has no nan."""
        self.loss_sum, self.predictions = loss_sum, predictions
        self.entries = [LossEntry._make(math.nan if value is None else value for value in entry) for entry in entries]
        self.entries_before = max(0, len(self.entries) - int(share * REPORTS))


def passed_a_multiple(every: int, before: int, now: int) -> bool:
    """Whether a multiple lies between two numbers of words, the second included. A step seldom ends at one."""
    return now // every > before // every
