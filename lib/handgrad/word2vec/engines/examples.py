"""The batches that NumPy draws, each with its learning rate and the place behind it, for engines that learn batches."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from handgrad.word2vec.engines.engine import Task
from handgrad.word2vec.schedule import Place, Schedule
from handgrad.word2vec.text.windows import NumSkipsBatches, window_batches


class Batch(NamedTuple):
    """What a step learns from.

    inputs : int32 array (B, C), words of the windows
    targets : int32 array (B,)
    learning_rate : float, by the words before this batch
    place : Place, where the run is when it is learned
    """

    inputs: np.ndarray
    targets: np.ndarray
    learning_rate: float
    place: Place


class Examples:
    """Goes through the text of a task.

    Parameters
    ----------
    task : Task
    schedule : Schedule
    rng : numpy.random.Generator, of a stream with num_skips; windows have one for each chunk of the text
    """

    def __init__(self, task: Task, schedule: Schedule, rng: np.random.Generator) -> None:
        self.task, self.schedule, config = task, schedule, task.config
        self.stream: NumSkipsBatches | None = None
        if config.num_skips:
            self.stream = NumSkipsBatches(task.text.ids, config.batch_size, config.num_skips, config.window, rng)

    def batches(self, place: Place) -> Iterator[Batch]:
        """From a place to the end of its epoch; of a stream, without end."""
        return self._of_windows(place) if self.stream is None else self._of_stream(self.stream, place)

    def _of_windows(self, place):
        config, text = self.task.config, self.task.text
        seed = (*config.seed_of("examples"), place.epoch)
        batches = window_batches(
            text, config.batch_size, config.window, seed, self.task.keep, config.dynamic_window, place.position
        )
        for inputs, targets, behind in batches:
            rate = self.schedule.learning_rate(place)
            place = Place(place.epoch, behind, place.step + 1)
            yield Batch(inputs, targets, rate, place)

    def _of_stream(self, stream, place):
        """Pairs of one stream of words, as in word2vec_basic."""
        stream.position = self.schedule.place_in_stream(place.step).position
        for inputs, targets in stream:
            rate = self.schedule.learning_rate(place)
            place = self.schedule.place_in_stream(place.step + 1)
            yield Batch(inputs[:, None], targets, rate, place)
