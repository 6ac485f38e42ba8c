"""How far a run is, worked by hand."""

import numpy as np
import pytest

from handgrad.word2vec import TrainingConfig
from handgrad.word2vec.schedule import Place, Schedule
from handgrad.word2vec.text.windows import NumSkipsBatches

STREAM = {"num_skips": 2, "window": 1, "batch_size": 8, "subsample": 0, "dynamic_window": False}


def schedule(words=100, raw_words=130, **settings):
    return Schedule(
        TrainingConfig(**{"epochs": 4, "learning_rate": 0.2, "min_learning_rate": 0.01} | settings), words, raw_words
    )


def test_a_run_begins_at_nothing():
    assert Place() == (0, 0, 0) and schedule().share(Place()) == 0 and not schedule().is_over(Place())
    assert schedule().learning_rate(Place()) == 0.2


def test_the_rate_falls_in_a_straight_line_to_its_least_value():
    of = schedule()
    assert of.learning_rate(Place(1, 50, 7)) == pytest.approx(0.2 * (1 - 1.5 / 4))
    assert of.learning_rate(Place(3, 99, 7)) == 0.01 == of.learning_rate(Place(4, 0, 9))


def test_words_without_a_vector_count_in_proportion():
    of = schedule()
    assert of.epochs_behind(Place(1, 50)) == 1.5 and of.raw_words_behind(Place(1, 50)) == 195
    assert of.total_raw_words == 520 == of.raw_words_behind(Place(4, 0))


def test_whichever_comes_first_ends_it_epochs_or_steps():
    of = schedule(max_steps=10)
    assert of.share(Place(0, 50, 5)) == 0.5  # of the steps: of the words it is an eighth
    assert of.share(Place(3, 0, 5)) == 0.75
    assert of.is_over(Place(0, 50, 10)) and of.is_over(Place(4, 0, 5)) and not of.is_over(Place(3, 100, 9))
    assert of.total_raw_words is None  # how many words will have been read is not known
    assert not schedule().is_over(Place(3, 100, 10**6)) and schedule().is_over(Place(4, 0, 1))


@pytest.mark.parametrize("max_steps", [0, 60])
def test_a_stream_goes_on_from_epoch_to_epoch(max_steps):
    """50 words have 48 windows, and a batch has 4 of them."""
    of = schedule(50, 50, max_steps=max_steps, **STREAM)
    steps = max_steps or 4 * 48 // 4
    assert of.place_in_stream(13) == Place(1, 4, 13) and not of.has_epochs
    assert of.share(of.place_in_stream(12)) == 12 / steps
    assert of.is_over(of.place_in_stream(steps)) and not of.is_over(of.place_in_stream(steps - 1))
    assert of.total_raw_words == round(steps * 4 / 48 * 50)


def test_the_windows_of_a_stream_are_those_of_its_batches():
    stream = NumSkipsBatches(np.arange(50), 8, 2, 1, np.random.default_rng(0))
    of = schedule(50, 50, **STREAM)
    for step in range(30):
        assert of.place_in_stream(step).position == stream.position
        next(stream)
