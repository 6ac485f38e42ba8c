"""Copies of rows that are used often: which row is used, and what becomes of what was learned."""

import numpy as np
import pytest

from handgrad.word2vec.engines.compiled.compiling import LANES
from handgrad.word2vec.engines.compiled.thread_copies import NO_COPIES, join, use_copies


def test_rows_with_copies_are_used_where_these_are():
    rows = np.arange(9, dtype=np.int32)
    use_copies(rows, (2, 5, 30, 1.0))
    assert rows.tolist() == [0, 1, 32, 33, 34, 5, 6, 7, 8]
    use_copies(rows, (2, 5, 30, 1.0))  # a copy has none
    assert rows.tolist() == [0, 1, 32, 33, 34, 5, 6, 7, 8]
    use_copies(rows, NO_COPIES[0][0])
    assert rows.tolist() == [0, 1, 32, 33, 34, 5, 6, 7, 8]


@pytest.mark.parametrize("share", [1.0, 0.5])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_copies_have_learned_is_taken_to_the_rows_once(dtype, share):
    """Rows 2 to 4; the copies lie 10 behind them, and what these began as three more."""
    table = np.random.default_rng(0).normal(size=(20, LANES)).astype(dtype)
    before = table.copy()
    for _ in range(2):
        join(table, (2, 5, 10, share))
        expected = before[2:5] + share * (before[12:15] - before[15:18])
        for rows in (table[2:5], table[12:15], table[15:18]):
            np.testing.assert_allclose(rows, expected, rtol=1e-14 if dtype == np.float64 else 1e-6, atol=1e-7)
        untouched = [*range(2), *range(5, 12), 18, 19]
        np.testing.assert_array_equal(table[untouched], before[untouched])
