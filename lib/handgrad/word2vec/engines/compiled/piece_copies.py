"""Two pieces of a text that are learned as if the other were not there, for the deterministic mode.

A row that both use is copied for each. The copies lie in the table itself, behind its rows.
"""

from collections import namedtuple

import numpy as np
from numba import njit

from handgrad.word2vec.engines.compiled.compiling import FAST, LANES
from handgrad.word2vec.engines.compiled.simd import load, store

# Which rows of a table a piece uses: the different rows as they come (n,), how often each of them (n,), which of them
# each place of the text has, and for each row of the table which of them it is, or -1.
Used = namedtuple("Used", "rows uses which place")


def nothing_used(rows):
    """Of a table with so many rows."""
    none = np.empty(0, np.int32)
    return Used(none, none, none, np.full(rows, -1, np.int32))


@njit(**FAST)
def used_by(ids, before):
    """What a piece with these ids uses. What another one used before is forgotten, and its ``place`` is used."""
    rows, uses, which, n = np.empty(len(ids), np.int32), np.zeros(len(ids), np.int32), np.empty(len(ids), np.int32), 0
    for row in before.rows:
        before.place[row] = -1
    for i in range(len(ids)):
        x = before.place[ids[i]]
        if x < 0:
            x = before.place[ids[i]] = n
            rows[n] = ids[i]
            n += 1
        which[i] = x
        uses[x] += 1
    return Used(rows[:n], uses[:n], which, before.place)


@njit(**FAST)
def copy_shared(table, used, others, behind):
    """Copy those rows that the other piece uses too, to ``behind`` and after it.

    Returns for each of the rows where it is learned, and the same for each place of the text.
    """
    where, ids = used.rows.copy(), np.empty(len(used.which), np.int32)
    for x in range(len(where)):
        if others.place[where[x]] >= 0:
            for d in range(0, table.shape[1], LANES):
                store(table, behind, d, load(table, where[x], d, LANES))
            where[x] = behind
            behind += 1
    for i in range(len(ids)):
        ids[i] = where[used.which[i]]
    return where, ids


@njit(**FAST)
def join_copies(table, one, other, where, where_of_other, way):
    """Change the rows that have copies, as far as steps one after another would have gone.

    A copy that is used n times goes a part of the way to where it wants the row, way[n]. What both copies want is
    much the same for a row that both use often, and their sum would go far beyond it. So the row becomes
    (1 - 2p) row + p (copy + copy), with p = way[uses by both] / (way[uses by one] + way[uses by the other]).
    """
    most = len(way) - 1
    for x in range(len(one.rows)):
        row, copy = one.rows[x], where[x]
        if copy != row:
            y = other.place[row]
            m, n, second = one.uses[x], other.uses[y], where_of_other[y]
            part = way[min(m + n, most)] / (way[min(m, most)] + way[min(n, most)])
            rest = 1 - 2 * part
            for d in range(0, table.shape[1], LANES):
                copies = load(table, copy, d, LANES) + load(table, second, d, LANES)
                store(table, row, d, rest * load(table, row, d, LANES) + part * copies)
