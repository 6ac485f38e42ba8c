"""Copies of rows that are used often: which row is used, and what becomes of what was learned."""

import numpy as np
import pytest

from handgrad.word2vec.engines.compiled.compiling import LANES
from handgrad.word2vec.engines.compiled.thread_copies import NO_COPIES, join, use_copies


def test_rows_with_copies_are_used_where_these_are():
    rows = np.arange(9, dtype=np.int32)
    use_copies(rows, (2, 5, 30))
    assert rows.tolist() == [0, 1, 32, 33, 34, 5, 6, 7, 8]
    use_copies(rows, (2, 5, 30))  # a copy has none
    assert rows.tolist() == [0, 1, 32, 33, 34, 5, 6, 7, 8]
    use_copies(rows, NO_COPIES[0][0])
    assert rows.tolist() == [0, 1, 32, 33, 34, 5, 6, 7, 8]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_copies_have_learned_is_taken_to_the_rows_once(dtype):
    """Rows 2 to 4; the copies lie 10 behind them, and what these began as three more."""
    table = np.random.default_rng(0).normal(size=(20, LANES)).astype(dtype)
    before = table.copy()
    for _ in range(2):
        join(table, (2, 5, 10))
        expected = before[2:5] + (before[12:15] - before[15:18])
        for rows in (table[2:5], table[12:15], table[15:18]):
            np.testing.assert_allclose(rows, expected, rtol=1e-14 if dtype == np.float64 else 1e-6, atol=1e-7)
        untouched = [*range(2), *range(5, 12), 18, 19]
        np.testing.assert_array_equal(table[untouched], before[untouched])


def test_what_two_threads_have_learned_of_a_row_adds_up():
    """Rows 2 to 4 have copies of one thread from row 12, of another from row 18; they come home one after the other."""
    table = np.random.default_rng(1).normal(size=(24, LANES))
    before = table.copy()
    join(table, (2, 5, 10))
    join(table, (2, 5, 16))
    learned = [before[at : at + 3] - before[at + 3 : at + 6] for at in (12, 18)]
    np.testing.assert_allclose(table[2:5], before[2:5] + sum(learned), rtol=1e-14, atol=1e-14)
