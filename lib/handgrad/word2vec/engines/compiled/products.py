"""Products of small matrices, of rows that lie where they lie in a table: for the kernels.

What is worked on stays in registers: the sums of a tile of scores, or the rows of the inner side of a product, while it
goes along the rows that it changes.
"""

from numba import njit

from handgrad.word2vec.engines.compiled.compiling import INLINE, LANES
from handgrad.word2vec.engines.compiled.simd import halves, horizontal_sums, load, prefetch, splat, store, width

GROUP = 4  # scores have so many columns at a time, products add so many rows, or twice as many
WIDE = 2 * LANES if LANES == 16 else LANES  # numbers of each of these: there are 32 registers of 512 bits, or 16 of 256


@njit(**INLINE)
def gather(table, rows, A):
    """A = table[rows]"""
    for x in range(len(rows)):
        for d in range(0, A.shape[1], LANES):
            store(A, x, d, load(table, rows[x], d, LANES))


@njit(**INLINE)
def prefetch_rows(table, rows):
    """Have rows brought to the cache that will be needed soon."""
    for x in range(len(rows)):
        for d in range(0, table.shape[1], LANES):
            prefetch(table, rows[x], d)


@njit(**INLINE)
def prefetch_beside(table, ahead, q, x, d, like):
    """The same for as much of the row ``ahead[q]`` as the vector ``like`` is wide: once, beside the first rows of A."""
    if ahead is not None and x == 0:
        for more in range(0, width(like), LANES):
            prefetch(table, ahead[q], d + more)


@njit(**INLINE)
def clear(A, rows):
    """A[:rows] = 0. As a slice it is slower, and so is all around it."""
    for x in range(rows):
        for d in range(0, A.shape[1], LANES):
            store(A, x, d, splat(A.dtype.type(0), LANES))


@njit(**INLINE)
def scores(A, B, rows, E, R, Q):
    """E = A B[rows]ᵀ, R rows of A and Q of B: two times four at a time."""
    zero = splat(A.dtype.type(0), LANES)
    for x in range(0, R, 2):
        for q in range(0, Q, 4):
            s0 = s1 = s2 = s3 = t0 = t1 = t2 = t3 = zero
            for d in range(0, A.shape[1], LANES):
                a, b = load(A, x, d, zero), load(A, x + 1, d, zero)
                y = load(B, rows[q], d, zero)
                s0, t0 = s0 + a * y, t0 + b * y
                y = load(B, rows[q + 1], d, zero)
                s1, t1 = s1 + a * y, t1 + b * y
                y = load(B, rows[q + 2], d, zero)
                s2, t2 = s2 + a * y, t2 + b * y
                y = load(B, rows[q + 3], d, zero)
                s3, t3 = s3 + a * y, t3 + b * y
            s, t = halves(horizontal_sums((s0, s1, s2, s3, t0, t1, t2, t3)))
            store(E, x, q, s)
            store(E, x + 1, q, t)


@njit(**INLINE)
def add_product(table, rows, E, A, places, R, ahead=None, fresh=None, many=True):
    """table[rows] += E A[places], R columns of E. A row that is there twice is added to twice.

    With ``fresh``, table[rows] = E A[places]. Where ``many`` is None, R is at most four. For None numba leaves out what
    is not needed.

    R is rounded up to a multiple of four: the columns that are too many must be 0, and there must be places for them.
    With each row another one is fetched, the row ``ahead`` in the same place: the processor can wait for a dozen lines
    of the cache while it multiplies, and stops if it is to ask for more.
    """
    D, zero = A.shape[1], A.dtype.type(0)
    middle = D // WIDE * WIDE
    add_columns(table, rows, E, A, places, R, ahead, fresh, many, 0, middle, splat(zero, WIDE))
    add_columns(table, rows, E, A, places, R, ahead, fresh, many, middle, D, splat(zero, LANES))


@njit(**INLINE)
def add_columns(table, rows, E, A, places, R, ahead, fresh, many, start, stop, like):
    """The same for some of the columns, as many at a time as the vector ``like`` is wide."""
    if many is not None:
        for x in range(0, R - 4, 8):
            add_eight(table, rows, E, A, places, x, ahead, fresh, start, stop, like)
    x = (R + 3) // 8 * 8  # where the last one, two, three or four begin, if there are not five or more
    if R - x > 1:
        add_four(table, rows, E, A, places, x, ahead, fresh, start, stop, like)
    elif R - x == 1:
        add_one(table, rows, E, A, places, x, ahead, fresh, start, stop, like)


@njit(**INLINE)
def sum_of(table, row, x, d, fresh, like):
    """What is there to be added to: nothing, where the sum is a fresh one and this its first part."""
    if fresh is None:
        return load(table, row, d, like)
    return like if x == 0 else load(table, row, d, like)


@njit(**INLINE)
def load_four(A, places, x, d, like):
    """A[places[x]] and the three after it"""
    a0, a1 = load(A, places[x], d, like), load(A, places[x + 1], d, like)
    return a0, a1, load(A, places[x + 2], d, like), load(A, places[x + 3], d, like)


@njit(**INLINE)
def add_one(table, rows, E, A, places, x, ahead, fresh, start, stop, like):
    """The same for one row of A, which stays in a register."""
    for d in range(start, stop, width(like)):
        a = load(A, places[x], d, like)
        for q in range(len(rows)):
            prefetch_beside(table, ahead, q, x, d, like)
            store(table, rows[q], d, sum_of(table, rows[q], x, d, fresh, like) + E[q, x] * a)


@njit(**INLINE)
def add_four(table, rows, E, A, places, x, ahead, fresh, start, stop, like):
    """The same for four rows of A."""
    for d in range(start, stop, width(like)):
        a0, a1, a2, a3 = load_four(A, places, x, d, like)
        for q in range(len(rows)):
            prefetch_beside(table, ahead, q, x, d, like)
            y = sum_of(table, rows[q], x, d, fresh, like)
            y = y + E[q, x] * a0 + E[q, x + 1] * a1 + E[q, x + 2] * a2 + E[q, x + 3] * a3
            store(table, rows[q], d, y)


@njit(**INLINE)
def add_eight(table, rows, E, A, places, x, ahead, fresh, start, stop, like):
    """The same for eight rows of A."""
    x4, x5, x6, x7 = x + 4, x + 5, x + 6, x + 7
    for d in range(start, stop, width(like)):
        a0, a1, a2, a3 = load_four(A, places, x, d, like)
        a4, a5, a6, a7 = load_four(A, places, x4, d, like)
        for q in range(len(rows)):
            prefetch_beside(table, ahead, q, x, d, like)
            y = sum_of(table, rows[q], x, d, fresh, like)
            y = y + E[q, x] * a0 + E[q, x + 1] * a1 + E[q, x + 2] * a2 + E[q, x + 3] * a3
            y = y + E[q, x4] * a4 + E[q, x5] * a5 + E[q, x6] * a6 + E[q, x7] * a7
            store(table, rows[q], d, y)
