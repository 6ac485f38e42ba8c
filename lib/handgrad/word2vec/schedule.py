"""How far a run is, and what follows from that: the learning rate, the share that is behind, the end.

All of it is worked out from where the run is, a Place, and nothing is remembered: whoever takes the steps and whoever
writes them down ask the same schedule.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

from handgrad.word2vec.config import TrainingConfig


class Place(NamedTuple):
    """Where a run is.

    Attributes
    ----------
    epoch : int
        Passes over the text that are behind.
    position : int
        Words of this pass that are behind; with num_skips windows.
    step : int
        Steps that are made.
    """

    epoch: int = 0
    position: int = 0
    step: int = 0


@dataclass(frozen=True)
class Schedule:
    """The way of a run from its first word to its last.

    Parameters
    ----------
    config : TrainingConfig
    words : int
        In the text that is learned from, all with a vector.
    raw_words : int
        The same with the words that have none.
    """

    config: TrainingConfig
    words: int
    raw_words: int

    def learning_rate(self, place: Place) -> float:
        """η: it falls in a straight line from the first word to the last."""
        return max(self.config.learning_rate * (1 - self.share(place)), self.config.min_learning_rate)

    def share(self, place: Place) -> float:
        """How much of the run is behind, from 0 to 1."""
        config = self.config
        if config.num_skips:
            return min(place.step / self._steps_of_stream, 1.0)
        words = (place.epoch + place.position / self.words) / config.epochs
        return min(max(words, place.step / config.max_steps) if config.max_steps else words, 1.0)

    def is_over(self, place: Place) -> bool:
        """Whether all steps that were asked for are made, or all epochs are over."""
        config = self.config
        if config.num_skips:
            return place.step >= self._steps_of_stream
        return place.epoch >= config.epochs or 0 < config.max_steps <= place.step

    def epochs_behind(self, place: Place) -> float:
        """Passes over the text that are behind, the one that is not whole in its share."""
        return place.epoch + place.position / self.words

    def raw_words_behind(self, place: Place) -> int:
        """Words of the text that are behind, those without a vector included: in proportion to those with one."""
        return round(self.epochs_behind(place) * self.raw_words)

    @property
    def total_raw_words(self) -> int | None:
        """The same at the end, if that is known beforehand."""
        if self.config.num_skips:
            return round(self._steps_of_stream * self._centers / self._windows * self.raw_words)
        return None if self.config.max_steps else self.config.epochs * self.raw_words

    @property
    def has_epochs(self) -> bool:
        """Whether the text is gone through again and again; a stream begins anew in the middle of a batch."""
        return not self.config.num_skips

    # with num_skips: one stream of windows, which begins anew where the text ends

    def place_in_stream(self, step: int) -> Place:
        """Where so many batches lead."""
        epoch, position = divmod(step * self._centers, self._windows)
        return Place(epoch, position, step)

    @property
    def _centers(self):
        """Windows of a batch."""
        return self.config.batch_size // self.config.num_skips

    @property
    def _windows(self):
        """In the text."""
        return self.words - 2 * self.config.window

    @property
    def _steps_of_stream(self):
        """How many batches there will be: as many as were asked for, or those of the epochs."""
        return self.config.max_steps or math.ceil(self.config.epochs * self._windows / self._centers)
