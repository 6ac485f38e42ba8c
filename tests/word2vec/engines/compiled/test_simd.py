"""The few vector instructions, beside NumPy: each does what its docstring says."""

import operator
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numba import njit

import handgrad
from handgrad.word2vec.engines.compiled import simd
from handgrad.word2vec.engines.compiled.simd import CACHE_LINE, LANES, load, spread, store, total, totals, whole_vectors

WIDE = 2 * LANES
both_precisions = pytest.mark.parametrize("dtype", [np.float32, np.float64])


@njit
def copy_one(source, row, place, target, target_row, target_place):
    store(target, target_row, target_place, load(source, row, place, LANES))


@njit
def copy_wide(source, row, place, target, target_row, target_place):
    store(target, target_row, target_place, load(source, row, place, spread(source[0, 0], WIDE)))


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
def test_vectors_and_numbers_are_reckoned_with_number_by_number(dtype, symbol):
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
    where = of_vectors(lambda x, y, z: simd.where_positive(x, y, z))
    np.testing.assert_array_equal(where(x, y, -y), np.where(x > 0, y, -y))
    np.testing.assert_array_equal(of_vectors(lambda x: simd.where_positive(x, 2, x))(x), np.where(x > 0, 2, x))
    np.testing.assert_array_equal(of_vectors(lambda x: simd.counting(x) + simd.width(x))(x), LANES + np.arange(LANES))


def test_nan_is_not_positive():
    nan = np.full(LANES, np.nan)
    assert (of_vectors(lambda x: simd.where_positive(x, 1, 2))(nan) == 2).all()


def test_powers_of_2_are_put_together_of_bits():
    powers = of_vectors(lambda x: simd.power_of_2(x))
    for first in range(-126, 128 - LANES):
        x = np.arange(first, first + LANES, dtype=np.float32)
        np.testing.assert_array_equal(powers(x), np.exp2(x))


def test_some_of_them_take_numbers_too():
    @njit
    def of_number(x):
        return simd.power_of_2(simd.floor(x)), simd.where_positive(-x, 5, x), simd.exp(x)

    assert of_number(np.float32(3.5)) == (8, 3.5, pytest.approx(np.exp(3.5)))
    assert of_number(np.float32(-3.5))[1] == 5


@njit
def total_of(table):
    return total(load(table, 0, 0, LANES))


@njit
def eight_totals(x):
    target = np.zeros((2, 4), x.dtype)
    x0, x1, x2, x3 = load(x, 0, 0, LANES), load(x, 1, 0, LANES), load(x, 2, 0, LANES), load(x, 3, 0, LANES)
    x4, x5, x6, x7 = load(x, 4, 0, LANES), load(x, 5, 0, LANES), load(x, 6, 0, LANES), load(x, 7, 0, LANES)
    first, second = simd.halves(totals((x0, x1, x2, x3, x4, x5, x6, x7)))
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


BLOCKS = """
import numpy as np
from handgrad.word2vec.engines.compiled.draws import draw_outputs
print(len(draw_outputs(np.zeros(5, np.int32), 4, np.zeros(1, np.uint64), 3, np.uint64(1))))
"""


def test_a_change_in_a_file_reaches_what_was_compiled_of_another(tmp_path):
    """up_to, of simd.py, is put into draw_outputs, of draws.py."""
    package = shutil.copytree(Path(handgrad.__file__).parent, tmp_path / "handgrad")
    variables = os.environ | {"PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1", "NUMBA_CACHE_DIR": ""}

    def outputs():
        done = subprocess.run([sys.executable, "-c", BLOCKS], env=variables, capture_output=True, text=True, check=True)
        return int(done.stdout), {path.stat().st_mtime_ns for path in package.rglob("draws.draw_outputs-*.nb[ic]")}

    words, compiled = outputs()
    assert words == 5 + 2 * 3 and compiled
    with open(package / "word2vec/engines/compiled/pieces.py", "a", encoding="utf-8") as file:
        file.write("# changed, and nothing of it is compiled")
    assert outputs() == (words, compiled)  # not compiled again
    simd_py = package / "word2vec/engines/compiled/simd.py"
    simd_py.write_text(simd_py.read_text().replace("(n + multiple - 1) // multiple * multiple", "n + 3 * multiple"))
    words, compiled_again = outputs()
    assert words == 5 + 4 * 3
    assert compiled.isdisjoint(compiled_again)


def test_without_a_place_for_compiled_code_it_is_compiled_and_one_line_says_so(tmp_path):
    """As in a container whose package and home are read-only (numba #5566): here files stand where folders should be.

    For a process of root every folder can be written to, whatever its mode.
    """
    package = shutil.copytree(
        Path(handgrad.__file__).parent, tmp_path / "handgrad", ignore=shutil.ignore_patterns("__pycache__")
    )
    file = package / "word2vec/engines/compiled/__pycache__"
    file.touch()
    nowhere = {name: str(file) for name in ("HOME", "XDG_CACHE_HOME", "NUMBA_CACHE_DIR", "IPYTHONDIR")}
    variables = os.environ | nowhere | {"PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    (tmp_path / "text.txt").write_text("the cat sat on the mat\n" * 50, encoding="utf-8")
    settings = "--min-count 1 --dimension 4 --epochs 1 --subsample 0 --engine compiled --output run".split()
    command = [sys.executable, "-m", "handgrad.cli", "train", "text.txt", *settings]
    done = subprocess.run(command, env=variables, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("There is no place to keep compiled code") == 1
    assert "Traceback" not in done.stderr and (tmp_path / "run/vectors.bin").exists()


@pytest.mark.parametrize("n", range(10))
def test_a_number_is_rounded_up_to_a_multiple(n):
    assert simd.up_to(4, n) == next(m for m in range(n, n + 4) if m % 4 == 0)


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
