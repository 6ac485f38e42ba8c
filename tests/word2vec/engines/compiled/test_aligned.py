"""Rows that begin where a vector may, and are whole vectors long."""

import numpy as np
import pytest

from handgrad.word2vec.engines.compiled.aligned import CACHE_LINE, aligned_table, aligned_zeros, up_to
from handgrad.word2vec.engines.compiled.compiling import LANES

both_precisions = pytest.mark.parametrize("dtype", [np.float32, np.float64])


@pytest.mark.parametrize("n", range(10))
def test_a_number_is_rounded_up_to_a_multiple(n):
    assert up_to(4, n) == next(m for m in range(n, n + 4) if m % 4 == 0)


@both_precisions
@pytest.mark.parametrize("D", [1, LANES - 1, LANES, LANES + 1, 2 * LANES - 3, 100])
@pytest.mark.parametrize("more", [0, 3])
def test_vectors_are_filled_up_to_whole_ones(dtype, D, more):
    table = np.random.default_rng(0).normal(size=(7, 2 * D)).astype(dtype)[:, ::2]
    before = table.copy()
    wide = aligned_table(table, more)
    assert wide.shape == (7 + more, -(-D // LANES) * LANES) and wide.dtype == dtype and wide.flags.c_contiguous
    assert wide.ctypes.data % CACHE_LINE == 0 and not any(
        s % min(CACHE_LINE, LANES * wide.itemsize) for s in wide.strides[:1]
    )
    assert (wide[:7, :D] == table).all() and not wide[:, D:].any() and not wide[7:].any()
    wide[:] = 5
    np.testing.assert_array_equal(table, before)  # a copy


def test_a_table_without_rows_is_one():
    assert aligned_table(np.zeros((0, 5), np.float32)).shape == (0, -(-5 // LANES) * LANES)


@both_precisions
def test_zeros_made_by_compiled_code_are_aligned_too(dtype):
    for rows, columns in [(0, 16), (3, 16), (5, 112)]:
        zeros = aligned_zeros(rows, columns, np.ones((1, 1), dtype))
        assert zeros.shape == (rows, columns) and zeros.dtype == dtype and not zeros.any()
        assert zeros.ctypes.data % CACHE_LINE == 0 and zeros.flags.c_contiguous
