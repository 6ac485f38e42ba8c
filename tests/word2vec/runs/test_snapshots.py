"""Copies of some words' vectors in the course of a training: at which entries, and that they are copies."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from handgrad.errors import InputError
from handgrad.word2vec import KeyedVectors
from handgrad.word2vec.runs.snapshots import Snapshots


def replayed(snapshots, entries):
    """A training of so many entries, at each of which all vectors have moved by 1."""
    vectors = KeyedVectors(["a", "b", "c"], np.arange(6.0).reshape(3, 2))
    trainer = SimpleNamespace(losses=[], raw_words=0, vectors=vectors)
    snapshots.on_train_begin(trainer)
    for entry in range(1, entries + 1):
        vectors.vectors += 1
        trainer.raw_words += 100
        trainer.losses.append(SimpleNamespace(loss=10.0 - entry))
        snapshots.on_report(trainer)
    return snapshots


@pytest.mark.parametrize(
    "every, entries",
    [(1, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]), (3, [0, 1, 2, 3, 6, 9]), (4, [0, 1, 2, 3, 4, 8]), (20, list(range(10)))],
)
def test_one_before_the_first_step_then_the_first_entries_then_every_so_many(every, entries):
    snapshots = replayed(Snapshots(["c", "a"], every), 9)
    assert [words // 100 for words in snapshots.raw_words] == entries
    assert math.isnan(snapshots.losses[0]) and snapshots.losses[1:] == [10.0 - entry for entry in entries[1:]]
    for entry, vectors in zip(entries, snapshots.vectors, strict=True):
        assert vectors.tolist() == [[4.0 + entry, 5.0 + entry], [entry, 1.0 + entry]]  # as they were then


def test_every_fourth_where_no_number_is_given():
    assert replayed(Snapshots(["a"]), 12).raw_words == [0, 100, 200, 300, 400, 800, 1200]


def test_less_than_every_entry_is_a_sentence():
    for every in (0, -4):
        with pytest.raises(InputError, match=f"at every entry of the loss or more seldom, but got every = {every}"):
            Snapshots(["a"], every)
