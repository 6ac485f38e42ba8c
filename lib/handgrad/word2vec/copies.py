"""Pieces of a text that are learned as if the others were not there, for the deterministic mode.

A row that two of them use is copied for each. The copies lie in the table itself, behind its rows.
"""

import numpy as np
from numba import njit

from handgrad.word2vec.simd import FAST, LANES, load, store


@njit(**FAST)
def different(ids, place):
    """The different ids as they come, and how often each is there. place : int32 array with -1 for each id, scratch"""
    known, uses, n = np.empty(len(ids), np.int32), np.zeros(len(ids), np.int32), 0
    for id in ids:
        if place[id] < 0:
            place[id], known[n] = n, id
            n += 1
        uses[place[id]] += 1
    for id in known[:n]:
        place[id] = -1  # as it was
    return known[:n], uses[:n]


@njit(**FAST)
def note_users(rows, uses, way, noted):
    """Note for each row how many pieces use it, how often, and how far they will go together. See ``add_changes``."""
    pieces, times, ways = noted
    for x in range(len(rows)):
        pieces[rows[x]] += 1
        times[rows[x]] += uses[x]
        ways[rows[x]] += way[min(uses[x], len(way) - 1)]


@njit(**FAST)
def copy_shared(table, rows, pieces, behind, ids, place):
    """Copy those rows that other pieces use too, to ``behind`` and after it, and put the copies into ``ids``."""
    copies = 0
    for row in rows:
        if pieces[row] > 1:
            place[row] = behind + copies
            for d in range(0, table.shape[1], LANES):
                store(table, behind + copies, d, load(table, row, d, LANES))
            copies += 1
    for i in range(len(ids)):
        if place[ids[i]] >= 0:
            ids[i] = place[ids[i]]
    for row in rows:
        place[row] = -1  # as it was


@njit(**FAST)
def keep_changes(table, rows, pieces, behind):
    """In place of each copy, by what it differs from the row."""
    for row in rows:
        if pieces[row] > 1:
            for d in range(0, table.shape[1], LANES):
                store(table, behind, d, load(table, behind, d, LANES) - load(table, row, d, LANES))
            behind += 1


@njit(**FAST)
def add_changes(table, rows, way, noted, behind, share, shares):
    """Change the rows that are this share's, as far as steps one after another would have gone.

    A copy that is used n times goes a part of the way to where it wants the row, way[n]. What several copies want is
    much the same for a row that all use often, and their sum would go far beyond it.
    """
    pieces, times, ways = noted
    for row in rows:
        if pieces[row] > 1:
            if row % shares == share:
                part = table.dtype.type(way[min(times[row], len(way) - 1)] / ways[row])
                for d in range(0, table.shape[1], LANES):
                    store(table, row, d, load(table, row, d, LANES) + part * load(table, behind, d, LANES))
            behind += 1


@njit(**FAST)
def forget_users(rows, noted):
    pieces, times, ways = noted
    for row in rows:
        pieces[row], times[row], ways[row] = 0, 0, 0
