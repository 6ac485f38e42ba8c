"""The few vector instructions, beside NumPy: each does what its docstring says."""

import operator

import numpy as np
import pytest
from numba import njit

from handgrad.word2vec.engines.compiled import simd
from handgrad.word2vec.engines.compiled.compiling import LANES
from handgrad.word2vec.engines.compiled.simd import horizontal_sum, horizontal_sums, load, splat, store

WIDE = 2 * LANES
both_precisions = pytest.mark.parametrize("dtype", [np.float32, np.float64])


@njit
def copy_one(source, row, place, target, target_row, target_place):
    store(target, target_row, target_place, load(source, row, place, LANES))


@njit
def copy_wide(source, row, place, target, target_row, target_place):
    store(target, target_row, target_place, load(source, row, place, splat(source[0, 0], WIDE)))


def of_vectors(f):
    """f of the first rows of a table as vectors, and what it gives as an array."""
    f = njit(f)

    @njit
    def one(x):
        out = np.zeros((1, x.shape[1]), x.dtype)
        store(out, 0, 0, f(load(x, 0, 0, LANES)))
        return out

    @njit
    def two(x):
        out = np.zeros((1, x.shape[1]), x.dtype)
        store(out, 0, 0, f(load(x, 0, 0, LANES), load(x, 1, 0, LANES)))
        return out

    @njit
    def three(x):
        out = np.zeros((1, x.shape[1]), x.dtype)
        store(out, 0, 0, f(load(x, 0, 0, LANES), load(x, 1, 0, LANES), load(x, 2, 0, LANES)))
        return out

    return lambda *rows: (one, two, three)[len(rows) - 1](np.array(rows))[0]


def row(dtype, seed=0):
    return np.random.default_rng(seed).normal(scale=3, size=LANES).astype(dtype)


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


def test_two_vectors_are_one_that_is_as_wide():
    source, target = np.random.default_rng(0).normal(size=(2, 3 * LANES)), np.zeros((2, 4 * LANES))
    copy_wide(source, 1, LANES, target, 0, LANES)
    np.testing.assert_array_equal(target[0, LANES : 3 * LANES], source[1, LANES:])
    assert np.count_nonzero(target) == WIDE


def test_rows_need_not_lie_close_together():
    wide = np.random.default_rng(0).normal(size=(6, 3 * LANES))
    target = np.zeros((1, LANES))
    copy_one(wide[1::2, LANES:], 1, LANES, target, 0, 0)
    np.testing.assert_array_equal(target[0], wide[3, 2 * LANES :])


@both_precisions
@pytest.mark.parametrize("symbol", [operator.add, operator.sub, operator.mul, operator.truediv])
def test_vectors_and_numbers_are_combined_number_by_number(dtype, symbol):
    x, y = row(dtype), row(dtype, 1)
    np.testing.assert_array_equal(of_vectors(lambda x, y: symbol(x, y))(x, y), symbol(x, y))
    np.testing.assert_array_equal(of_vectors(lambda x: symbol(x, 3))(x), symbol(x, dtype(3)))
    np.testing.assert_array_equal(of_vectors(lambda x: symbol(0.1, x))(x), symbol(dtype(0.1), x))


@both_precisions
def test_a_product_and_a_sum_are_rounded_once(dtype):
    """(1 + h)² - (1 + 2h) is h²; rounded in between, it would be 0."""
    h = np.sqrt(np.finfo(dtype).eps) / 2 if dtype == np.float64 else dtype(2.0**-12)
    x = np.full(LANES, 1 + h, dtype)
    z = np.full(LANES, -(1 + 2 * h), dtype)
    assert (x * x + z == 0).all()
    assert (of_vectors(lambda x, y, z: x * y + z)(x, x, z) == dtype(h) ** 2).all()


@both_precisions
def test_functions_are_those_of_numpy(dtype):
    x, y = row(dtype), row(dtype, 1)
    np.testing.assert_array_equal(of_vectors(lambda x: simd.absolute(x))(x), np.abs(x))
    np.testing.assert_array_equal(of_vectors(lambda x: simd.floor(x))(x), np.floor(x))
    np.testing.assert_array_equal(of_vectors(lambda x, y: simd.copysign(x, y))(x, y), np.copysign(x, y))
    np.testing.assert_allclose(of_vectors(lambda x: simd.exp(x))(x), np.exp(x), rtol=4 * np.finfo(dtype).eps)
    np.testing.assert_allclose(of_vectors(lambda x: simd.log(x))(abs(x)), np.log(abs(x)), rtol=1e-6, atol=1e-6)
    where = of_vectors(lambda x, y, z: simd.select(x, y, z))
    np.testing.assert_array_equal(where(x, y, -y), np.where(x > 0, y, -y))
    np.testing.assert_array_equal(of_vectors(lambda x: simd.select(x, 2, x))(x), np.where(x > 0, 2, x))
    np.testing.assert_array_equal(of_vectors(lambda x: simd.iota(x) + simd.width(x))(x), LANES + np.arange(LANES))


def test_nan_is_not_positive():
    nan = np.full(LANES, np.nan)
    assert (of_vectors(lambda x: simd.select(x, 1, 2))(nan) == 2).all()


def test_powers_of_2_are_put_together_of_bits():
    powers = of_vectors(lambda x: simd.power_of_2(x))
    for first in range(-126, 128 - LANES):
        x = np.arange(first, first + LANES, dtype=np.float32)
        np.testing.assert_array_equal(powers(x), np.exp2(x))


def test_some_of_them_take_numbers_too():
    @njit
    def of_number(x):
        return simd.power_of_2(simd.floor(x)), simd.select(-x, 5, x), simd.exp(x)

    assert of_number(np.float32(3.5)) == (8, 3.5, pytest.approx(np.exp(3.5)))
    assert of_number(np.float32(-3.5))[1] == 5


@njit
def total_of(table):
    return horizontal_sum(load(table, 0, 0, LANES))


@njit
def eight_totals(x):
    target = np.zeros((2, 4), x.dtype)
    x0, x1, x2, x3 = load(x, 0, 0, LANES), load(x, 1, 0, LANES), load(x, 2, 0, LANES), load(x, 3, 0, LANES)
    x4, x5, x6, x7 = load(x, 4, 0, LANES), load(x, 5, 0, LANES), load(x, 6, 0, LANES), load(x, 7, 0, LANES)
    first, second = simd.halves(horizontal_sums((x0, x1, x2, x3, x4, x5, x6, x7)))
    store(target, 0, 0, first)
    store(target, 1, 0, second)
    return target


@both_precisions
def test_numbers_are_added_up(dtype):
    table = np.zeros((8, LANES), dtype)
    table[0] = 3.0 ** np.arange(LANES)  # each sum of some of them is another one, and exact
    assert total_of(table) == (3**LANES - 1) // 2
    table[:] = np.random.default_rng(0).integers(-999, 999, table.shape)
    assert eight_totals(table).ravel().tolist() == table.sum(axis=1).tolist()


def test_what_is_fetched_stays_as_it_is():
    @njit
    def fetch(x):
        simd.prefetch(x, 1, 3)

    x = np.random.default_rng(0).normal(size=(3, LANES))
    before = x.copy()
    fetch(x)
    np.testing.assert_array_equal(x, before)
