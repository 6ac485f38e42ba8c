"""The few vector instructions, beside NumPy: each does what its line in the module's docstring says."""

import numpy as np
import pytest
from numba import njit

from handgrad.word2vec.simd import CACHE_LINE, LANES, fma, load, spread, store, total, whole_vectors

both_precisions = pytest.mark.parametrize("dtype", [np.float32, np.float64])


@njit
def copy_one(source, row, place, target, target_row, target_place):
    store(target, target_row, target_place, load(source, row, place))


@njit
def spread_to(s, target):
    store(target, 0, 0, spread(s))


@njit
def fma_of_rows(table, target):
    store(target, 0, 0, fma(load(table, 0, 0), load(table, 1, 0), load(table, 2, 0)))


@njit
def total_of(table):
    return total(load(table, 0, 0))


@both_precisions
@pytest.mark.parametrize("index", [int, np.int32, np.int64, np.uint8])
@pytest.mark.parametrize("place", [0, LANES, 3])  # the last one is not where a line of the cache begins
def test_one_vector_is_loaded_and_stored_and_nothing_beside_it(dtype, index, place):
    source = np.random.default_rng(0).normal(size=(4, 3 * LANES)).astype(dtype)
    target, before = np.zeros((5, 3 * LANES), dtype), source.copy()
    copy_one(source, index(2), index(place), target, index(3), index(LANES))
    expected = np.zeros_like(target)
    expected[3, LANES : 2 * LANES] = source[2, place : place + LANES]
    np.testing.assert_array_equal(target, expected)
    np.testing.assert_array_equal(source, before)


def test_rows_need_not_lie_close_together():
    wide = np.random.default_rng(0).normal(size=(6, 3 * LANES))
    target = np.zeros((1, LANES))
    copy_one(wide[1::2, LANES:], 1, LANES, target, 0, 0)
    np.testing.assert_array_equal(target[0], wide[3, 2 * LANES :])


@both_precisions
def test_a_number_is_spread_and_numbers_are_added_up(dtype):
    table = np.zeros((1, LANES), dtype)
    spread_to(dtype(-1.25), table)
    assert (table == -1.25).all()
    table[0] = 3.0 ** np.arange(LANES)  # each sum of some of them is another one, and exact
    assert total_of(table) == (3**LANES - 1) // 2


@both_precisions
def test_a_product_and_a_sum_are_rounded_once(dtype):
    """(1 + h)² - (1 + 2h) is h²; rounded in between, it would be 0."""
    h = np.sqrt(np.finfo(dtype).eps) / 2 if dtype == np.float64 else dtype(2.0**-12)
    table, target = np.zeros((3, LANES), dtype), np.empty((1, LANES), dtype)
    table[:2], table[2] = 1 + h, -(1 + 2 * h)
    assert (table[0] * table[1] + table[2] == 0).all()
    fma_of_rows(table, target)
    assert (target == dtype(h) ** 2).all()
    table[:] = np.random.default_rng(0).integers(-99, 99, table.shape)
    fma_of_rows(table, target)
    np.testing.assert_array_equal(target[0], table[0] * table[1] + table[2])


@both_precisions
@pytest.mark.parametrize("D", [1, LANES - 1, LANES, LANES + 1, 2 * LANES - 3, 100])
@pytest.mark.parametrize("more", [0, 3])
def test_vectors_are_filled_up_to_whole_ones(dtype, D, more):
    table = np.random.default_rng(0).normal(size=(7, 2 * D)).astype(dtype)[:, ::2]
    before = table.copy()
    wide = whole_vectors(table, more)
    assert wide.shape == (7 + more, -(-D // LANES) * LANES) and wide.dtype == dtype and wide.flags.c_contiguous
    assert wide.ctypes.data % CACHE_LINE == 0 and not any(
        s % min(CACHE_LINE, LANES * wide.itemsize) for s in wide.strides[:1]
    )
    assert (wide[:7, :D] == table).all() and not wide[:, D:].any() and not wide[7:].any()
    wide[:] = 5
    np.testing.assert_array_equal(table, before)  # a copy


def test_a_table_without_rows_is_one():
    assert whole_vectors(np.zeros((0, 5), np.float32)).shape == (0, -(-5 // LANES) * LANES)
