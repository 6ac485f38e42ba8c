"""Copies of rows that are used often: each thread has its own, and changes these in place of the rows.

They lie in the table itself, behind its rows. After some words a thread takes what its copies have learned to the rows.
"""

import numpy as np
from numba import njit

from handgrad.word2vec.engines.compiled.compiling import FAST, INLINE, LANES
from handgrad.word2vec.engines.compiled.simd import load, store

NONE = 0, 0, 0
NO_COPIES = (NONE, NONE), 2**62  # of V and of U; and after how many words they are joined


def words_used_often(counts, often):
    """The words that are used so often in a text with these counts: from which row to which. In windows, as a target or
    as noise, a word is taken to be used twice for each time that it occurs."""
    return 0, np.count_nonzero(2 * counts >= often)


@njit(**INLINE)
def row_of(id, copies):
    """The row of an id, or its copy. copies : from which row on there are some, to which, how far behind them"""
    begin, end, behind = copies
    return id + (behind if begin <= id < end else 0)


@njit(**INLINE)
def use_copies(ids, copies):
    """In place of each id the row that is used for it. Before anything is fetched: it would fetch the other row."""
    for x in range(len(ids)):
        ids[x] = row_of(ids[x], copies)


@njit(**FAST)
def join(table, copies):
    """Take what copies have learned to their rows, and begin anew. Behind them is what they began as."""
    begin, end, behind = copies
    for row in range(begin, end):
        copy, old = row + behind, row + behind + (end - begin)
        for d in range(0, table.shape[1], LANES):
            now = load(table, row, d, LANES) + (load(table, copy, d, LANES) - load(table, old, d, LANES))
            store(table, row, d, now)
            store(table, copy, d, now)
            store(table, old, d, now)


@njit(**INLINE)
def join_both(V, U, copies):
    """The same for what has copies of V and of U."""
    join(V, copies[0])
    join(U, copies[1])
