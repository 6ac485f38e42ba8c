"""Aligned arrays: rows that begin where a vector may begin, and that are whole vectors long.

A vector that lies across two lines of the cache is loaded in two parts. And a kernel that goes along a row by LANES
numbers at a time does not check where the row ends: here its end is always that of a vector, filled up with zeros.
"""

import numpy as np
from numba import njit

from handgrad.word2vec.engines.compiled.compiling import FAST, INLINE, LANES

CACHE_LINE = 64  # bytes


@njit(**INLINE)
def up_to(multiple, n):
    """n, or the next multiple above it"""
    return (n + multiple - 1) // multiple * multiple


def aligned_table(array, more_rows=0):
    """The same numbers in aligned rows that are whole vectors long, filled up with zeros.

    Parameters
    ----------
    array : float array (rows, D)
    more_rows : int, rows of zeros behind them

    Returns
    -------
    float array (rows + more_rows, D rounded up to LANES)
    """
    rows, D = array.shape
    table = aligned_rows(rows + more_rows, D, array.dtype)
    table[:rows, :D] = array
    return table


def aligned_rows(rows, D, dtype):
    """Zeros: float array (rows, D rounded up to LANES)"""
    columns = up_to(LANES, D)
    size = rows * columns * dtype.itemsize
    buffer = np.zeros(size + CACHE_LINE, np.uint8)
    start = -buffer.ctypes.data % CACHE_LINE
    return buffer[start : start + size].view(dtype).reshape(rows, columns)


@njit(**FAST)
def aligned_zeros(rows, columns, like):
    """Zeros of the type of the array ``like``, from the beginning of a line of the cache, in compiled code."""
    buffer = np.zeros(rows * columns + CACHE_LINE, like.dtype)
    start = (-buffer.ctypes.data) % CACHE_LINE // like.itemsize
    return buffer[start : start + rows * columns].reshape(rows, columns)
