"""Copies of rows that are used often: each thread has its own, and changes these in place of the rows.

They lie in the table itself, behind its rows. After some words a thread adds to the rows what its copies have learned.
"""

from numba import njit

from handgrad.word2vec.engines.compiled.simd import FAST, INLINE, LANES, load, store

NO_COPIES = ((0, 0, 0), (0, 0, 0)), 2**62  # of V and of U; and after how many words they are joined


@njit(**INLINE)
def row_of(id, copies):
    """The row of an id, or its copy. copies : from which row on there are some, to which, and how far behind them"""
    begin, end, behind = copies
    return id + (behind if begin <= id < end else 0)


@njit(**INLINE)
def use_copies(ids, copies):
    """In place of each id the row that is used for it. Before anything is fetched: it would fetch the other row."""
    for x in range(len(ids)):
        ids[x] = row_of(ids[x], copies)


@njit(**FAST)
def join(table, copies):
    """Add to rows what their copies have learned, and begin anew. Behind the copies is what they began as."""
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
