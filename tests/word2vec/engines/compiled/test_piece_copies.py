"""Pieces that are learned as if the other were not there: which rows they use, copy and join. (The whole engine is in
``test_compiled``.)"""

import numpy as np
import pytest

from handgrad.word2vec.engines.compiled.aligned import aligned_table
from handgrad.word2vec.engines.compiled.compiling import LANES
from handgrad.word2vec.engines.compiled.piece_copies import copy_shared, join_copies, nothing_used, used_by


@pytest.mark.parametrize("n", [0, 1, 500])
def test_the_rows_that_are_used_come_once_each_and_are_counted(n):
    ids = np.random.default_rng(n).zipf(1.5, n).clip(max=60).astype(np.int32)
    before = ids.copy()
    used = used_by(ids, nothing_used(61))
    assert used.rows.tolist() == list(dict.fromkeys(ids.tolist()))
    np.testing.assert_array_equal(used.uses, np.bincount(ids, minlength=61)[used.rows])
    np.testing.assert_array_equal(used.rows[used.which], ids)
    np.testing.assert_array_equal(ids, before)
    assert used.place[used.rows].tolist() == list(range(len(used.rows)))
    assert (np.delete(used.place, used.rows) == -1).all()


def test_what_was_used_before_is_forgotten():
    used = used_by(np.array([3, 1, 3], np.int32), nothing_used(6))
    again = used_by(np.array([5, 3], np.int32), used)
    assert again.place is used.place and again.place.tolist() == [-1, -1, -1, 1, -1, 0]
    assert used_by(np.array([], np.int32), again).place.tolist() == [-1] * 6


def learned_apart(table, pieces, way, learn):
    """Learn two pieces, each a list of ids: the table without its copies, and the ids that each one was given."""
    n, most = len(table), max(map(len, pieces))
    wide, given, places = aligned_table(table, 2 * most), [], []
    used = [used_by(np.array(piece, np.int32), nothing_used(n)) for piece in pieces]
    for i in range(2):
        where, ids = copy_shared(wide, used[i], used[1 - i], n + most * i)
        places.append(where)
        given.append(ids)
        learn(i, wide, ids)
    join_copies(wide, *used, *places, way)
    return wide[:n, : table.shape[1]], given


def two_pieces(seed=0):
    rng = np.random.default_rng(seed)
    table = rng.normal(size=(30, LANES + 3))
    return table, [rng.permutation(30)[:15][rng.integers(0, 15, 50)] for _ in range(2)]


def test_pieces_go_together_as_far_as_single_steps_would_go():
    """Each step goes a third of what is left to a goal; so the order of the steps makes no difference."""
    table, pieces = two_pieces()
    goal = np.random.default_rng(1).normal(size=table.shape)
    row_of = {}

    def learn(i, wide, ids):
        for id, row in zip(ids, pieces[i], strict=True):
            row_of.setdefault(id, row)
            wide[id, : table.shape[1]] += (goal[row] - wide[id, : table.shape[1]]) / 3

    new, _ = learned_apart(table, pieces, 1 - (2 / 3) ** np.arange(60.0), learn)
    steps = np.bincount(np.concatenate(pieces), minlength=30)
    np.testing.assert_allclose(new, goal + (table - goal) * (2 / 3) ** steps[:, None], rtol=1e-12, atol=1e-14)
    assert (steps == 0).any() and steps.max() > 8
    assert all(row_of[id] == row for id, row in row_of.items() if id < 30)


def test_more_uses_than_have_a_way_of_their_own_go_as_far_as_the_last():
    table, learn = np.zeros((2, LANES)), lambda i, wide, ids: np.add.at(wide, ids, 1.0)
    new, _ = learned_apart(table, [[0] * 9, [0] * 4], np.array([0, 0.5, 0.75]), learn)
    np.testing.assert_allclose(new, [[0.75 * (9 + 4) / (0.75 + 0.75)] * LANES, [0] * LANES])


def test_only_what_both_pieces_use_is_copied_and_no_piece_sees_what_the_other_learns():
    table, pieces = two_pieces()
    seen, both = {}, set(pieces[0].tolist()) & set(pieces[1].tolist())

    def learn(i, wide, ids):
        for id, row in zip(ids, pieces[i], strict=True):
            seen.setdefault((i, row), wide[id, : table.shape[1]].copy())
            wide[id, : table.shape[1]] += 1 + i

    new, given = learned_apart(table, pieces, np.arange(60.0), learn)  # a way of n steps: changes are added
    for (_, row), vector in seen.items():
        np.testing.assert_array_equal(vector, table[row])
    for piece, ids in zip(pieces, given, strict=True):
        assert [row != id for row, id in zip(piece, ids, strict=True)] == [row in both for row in piece.tolist()]
    copies = [set(ids[ids >= 30].tolist()) for ids in given]
    assert copies[0].isdisjoint(copies[1]) and len(copies[0]) == len(copies[1]) == len(both) > 3
    times = np.array([np.bincount(piece, minlength=30) for piece in pieces])
    np.testing.assert_allclose(new - table, (times * [[1], [2]]).sum(axis=0)[:, None] * np.ones(table.shape[1]))
