"""Batches come with their rate and the place behind them, and go on from any place."""

import numpy as np
import pytest

from handgrad.word2vec import Network, TrainingConfig, encode_text
from handgrad.word2vec.engines.engine import Engine, Task
from handgrad.word2vec.engines.examples import Examples
from handgrad.word2vec.runs.processes import OneProcess
from handgrad.word2vec.schedule import Place, Schedule

TEXT = encode_text([["a", "b", "c", "d"]] * 12)
STREAM = {"num_skips": 2, "window": 1, "subsample": 0, "dynamic_window": False}


def examples(**settings):
    config = TrainingConfig(**{"min_count": 1, "batch_size": 8, "epochs": 2, "window": 2, "engine": "numpy"} | settings)
    network = Network(config, TEXT.vocabulary.counts)
    task = Task(config, TEXT, np.ones(4), network, Engine.make_optimizer(network), OneProcess())
    return Examples(task, Schedule(config, len(TEXT), len(TEXT)), np.random.default_rng(0))


@pytest.mark.parametrize("settings", [{}, STREAM], ids=str)
def test_the_rate_is_by_the_words_before_a_batch_and_the_place_is_behind_it(settings):
    of, before = examples(**settings), Place()
    batches = of.batches(before)
    for _ in range(5):
        batch = next(batches)
        assert batch.learning_rate == of.schedule.learning_rate(before) > of.schedule.learning_rate(batch.place)
        assert batch.place.step == before.step + 1
        before = batch.place


@pytest.mark.parametrize("settings", [{}, STREAM], ids=str)
def test_they_go_on_from_the_place_behind_any_of_them(settings):
    batches = examples(**settings).batches(Place())
    all_of_them = [next(batches) for _ in range(6)]
    rest = examples(**settings).batches(all_of_them[2].place)
    for expected in all_of_them[3:]:
        found = next(rest)
        np.testing.assert_array_equal(found.inputs, expected.inputs)
        np.testing.assert_array_equal(found.targets, expected.targets)
        assert found[2:] == expected[2:]


def test_windows_end_with_their_epoch_and_a_stream_does_not():
    *_, last = examples().batches(Place(1, 0, 6))
    assert last.place == Place(1, 48, 12)
    stream = examples(**STREAM).batches(Place())
    places = [next(stream).place for _ in range(13)]  # 46 windows, of which a batch has 4
    assert places[-1] == Place(1, 6, 13)
