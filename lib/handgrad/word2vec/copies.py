"""Pieces of a text that are learned as if the others were not there, for the deterministic mode.

A row that two of them use is copied for each. The copies lie in the table itself, behind its rows. Threads that note or
join at the same time have a share of the rows each.
"""

import numpy as np
from numba import njit

from handgrad.word2vec.simd import FAST, LANES, load, store

# What is noted of a row, in one place of memory: for which step, how many pieces use it (with a minus, once one of its
# copies is joined), how often they all do, and how far each of them goes, added up (see ``join_copies``).
STEP, PIECES, TIMES, WAYS = range(4)
PARTS = 64  # of the rows, from which each thread has some


@njit(**FAST)
def different(ids, place):
    """The different ids as they come, how often each is there, and for each place of ``ids`` which of them it has.

    place : int32 array with -1 for each id, scratch
    """
    known, uses, n = np.empty(len(ids), np.int32), np.zeros(len(ids), np.int32), 0
    which = np.empty(len(ids), np.int32)
    for i in range(len(ids)):
        x = place[ids[i]]
        if x < 0:
            x = place[ids[i]] = n
            known[n] = ids[i]
            n += 1
        which[i] = x
        uses[x] += 1
    for id in known[:n]:
        place[id] = -1  # as it was
    return known[:n], uses[:n], which


@njit(**FAST)
def is_in_share(row, share):
    """share : two numbers, from which part of the rows to which. A remainder would take longer than all the rest."""
    return share[0] <= row & (PARTS - 1) < share[1]


@njit(**FAST)
def note_users(rows, uses, way, noted, step, share):
    """Note that a piece of this step uses these rows so many times. What was noted for another step is forgotten."""
    for x in range(len(rows)):
        row = rows[x]
        if is_in_share(row, share):
            if noted[row, STEP] != step:
                noted[row, STEP], noted[row, PIECES], noted[row, TIMES], noted[row, WAYS] = step, 0, 0, 0
            noted[row, PIECES] += 1
            noted[row, TIMES] += uses[x]
            noted[row, WAYS] += way[min(uses[x], len(way) - 1)]


@njit(**FAST)
def copy_shared(table, rows, which, noted, behind):
    """Copy those rows that other pieces use too, to ``behind`` and after it.

    Returns for each of the rows where it is learned, and the same for each place of the text.
    """
    where, ids = np.empty(len(rows), np.int32), np.empty(len(which), np.int32)
    for x in range(len(rows)):
        where[x] = rows[x]
        if noted[rows[x], PIECES] > 1:
            where[x] = behind
            for d in range(0, table.shape[1], LANES):
                store(table, behind, d, load(table, rows[x], d, LANES))
            behind += 1
    for i in range(len(which)):
        ids[i] = where[which[i]]
    return where, ids


@njit(**FAST)
def join_copies(table, rows, where, way, noted, share):
    """Change the rows that have copies, as far as steps one after another would have gone.

    A copy that is used n times goes a part of the way to where it wants the row, way[n]. What several copies want is
    much the same for a row that all use often, and their sum would go far beyond it. So the row becomes
    (1 - c p) row + p (copy + copy + …), with p = way[uses of all] / (way[uses of one] + …), c copies.
    """
    for x in range(len(rows)):
        row = rows[x]
        if where[x] != row and is_in_share(row, share):
            part = way[min(np.int64(noted[row, TIMES]), len(way) - 1)] / noted[row, WAYS]
            rest = table.dtype.type(1)
            if noted[row, PIECES] > 0:  # the first
                rest -= noted[row, PIECES] * part
                noted[row, PIECES] = -noted[row, PIECES]
            for d in range(0, table.shape[1], LANES):
                joined = rest * load(table, row, d, LANES) + part * load(table, where[x], d, LANES)
                store(table, row, d, joined)
