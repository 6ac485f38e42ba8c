"""Skip-gram with negative sampling, compiled: the arithmetic of the gates, in loops that stay in the cache.

Source: Mikolov et al. (2013), Distributed Representations of Words and Phrases and their Compositionality. That
neighboring windows share their negatives is from Ji et al. (2016), Parallelizing Word2Vec in Shared and Distributed
Memory, and Rengasamy et al. (2017), Optimizing Word2Vec Performance on Multicore Systems.

The text is worked on in blocks: G neighboring targets of one sentence, the R words within reach of them, and K
negatives that all of them share. With the R input vectors in the rows of A, and the K + G vectors of the negatives and
of the targets in the rows of B, a block is three small matrix products:

    S = A Bᵀ               (R, K+G)  the scores
    E = η (label - σ(S))   (R, K+G)  for each window of the block that has the pair in it, else 0
    V += E B, U += Eᵀ A              for the rows that are in the block

All scores are computed before anything is updated. So a block is exactly one step of ``SkipGram`` and of
``NegativeSampling`` on its G rows; tests compare the two. Loops over d, the D numbers of a vector, are innermost, side
by side for several rows: that is what the compiler turns into vector instructions.
"""

import numpy as np
from numba import njit

from handgrad.functional import log_sigmoid, sigmoid

TARGETS = 4  # G: targets in a block
GROUP = 4  # rows that are worked on side by side
REACH_OF_TABLE, NODES = 16, 4096  # the tables of σ and of -log σ go from -16 to 16
# Sums may be taken in any order, so that the compiler can use vector instructions; what is no number stays no number.
ANY_ORDER = {"reassoc", "contract", "nsz", "arcp"}
FAST = {"fastmath": ANY_ORDER, "nogil": True, "cache": True, "error_model": "numpy"}


def sigmoid_table():
    """σ(s) and -log σ(s) at 4,097 places from -16 to 16. Between them, errors are below 1e-6 and 3e-6.

    Returns
    -------
    float32 array (NODES + 1, 2)
    """
    s = np.linspace(-REACH_OF_TABLE, REACH_OF_TABLE, NODES + 1)
    return np.stack([sigmoid(s), -log_sigmoid(s)], axis=1).astype(np.float32)


@njit(**FAST)
def sigmoid_and_loss(s, table):
    """σ(s) and -log σ(s): from the table, or computed, if the table is empty."""
    zero, one = table.dtype.type(0), table.dtype.type(1)
    if len(table) == 0:
        e = np.exp(-abs(s))
        return (one if s > 0 else e) / (one + e), max(-s, zero) + np.log1p(e)
    if s >= REACH_OF_TABLE:
        return one, zero
    if not s > -REACH_OF_TABLE:  # also what is no number, and has no place in the table
        return zero, -s
    place = (s + table.dtype.type(REACH_OF_TABLE)) * table.dtype.type(NODES // (2 * REACH_OF_TABLE))
    node = int(place)
    t = place - np.floor(place)
    sigma = table[node, 0] + t * (table[node + 1, 0] - table[node, 0])
    return sigma, table[node, 1] + t * (table[node + 1, 1] - table[node, 1])


@njit(**FAST)
def dots(A, x, y):
    """Four scores: the vector y with the rows x, x+1, x+2 and x+3 of A."""
    a0, a1, a2, a3 = A[x], A[x + 1], A[x + 2], A[x + 3]
    s0 = s1 = s2 = s3 = A.dtype.type(0)
    for d in range(len(y)):
        s0 += a0[d] * y[d]
        s1 += a1[d] * y[d]
        s2 += a2[d] * y[d]
        s3 += a3[d] * y[d]
    return s0, s1, s2, s3


@njit(**FAST)
def add_rows(y, e0, e1, e2, e3, A, x):
    """y += e0 A[x] + e1 A[x+1] + e2 A[x+2] + e3 A[x+3]."""
    a0, a1, a2, a3 = A[x], A[x + 1], A[x + 2], A[x + 3]
    for d in range(len(y)):
        y[d] += e0 * a0[d] + e1 * a1[d] + e2 * a2[d] + e3 * a3[d]


@njit(**FAST)
def copy_row(source, target):
    for d in range(len(source)):
        target[d] = source[d]


@njit(**FAST)
def window_of(i, reach, n):
    """The window of position i in a sentence of n words, as a range; i itself is in it, and does not count."""
    return max(i - reach[i], 0), min(i + reach[i] + 1, n)


@njit(**FAST)
def train_block(V, U, words, reach, n, first, last, farthest, negatives, rate, table, A, B, E):
    """One step for the targets ``words[first:last]`` of a sentence, on the words around each and K negatives for all.

    Parameters
    ----------
    V, U : float arrays (vocabulary, D), updated in place
    words, reach : int32 arrays, the sentence and how far the window of each position extends; n words of them count
    first, last : int, at most TARGETS apart
    farthest : int, the largest reach
    negatives : int32 array (K,)
    rate : float, η
    table : from ``sigmoid_table``
    A, B, E : scratch, from ``scratch``

    Returns
    -------
    float : the loss of the block, a sum over its pairs; int : the number of its pairs
    """
    K, G = len(negatives), last - first
    left, right = max(first - farthest, 0), min(last + farthest, n)  # the words that may be inputs
    R = right - left
    for x in range(R):
        copy_row(V[words[left + x]], A[x])
    for k in range(K):
        copy_row(U[negatives[k]], B[k])
    for c in range(G):
        copy_row(U[words[first + c]], B[K + c])

    pairs = count_pairs(words, reach, n, first, last, left, R, negatives, E)
    loss = 0.0
    for q in range(K + G):
        begin, end = window_of(first + q - K, reach, n) if q >= K else (left, right)
        for x in range(begin - left, end - left, GROUP):
            scores = dots(A, x, B[q])
            for j in range(GROUP):
                count = E[q, x + j]
                if count != 0:
                    sigma, surprise = sigmoid_and_loss(scores[j], table)
                    if q >= K:
                        E[q, x + j] = rate * (1 - sigma)
                        loss += surprise
                    else:
                        E[q, x + j] = -rate * sigma * count
                        loss += count * (surprise + scores[j])  # -log σ(-s) = s - log σ(s)

    for q in range(K + G):
        begin, end = window_of(first + q - K, reach, n) if q >= K else (left, right)
        y = U[words[first + q - K]] if q >= K else U[negatives[q]]
        for x in range(begin - left, end - left, GROUP):
            add_rows(y, E[q, x], E[q, x + 1], E[q, x + 2], E[q, x + 3], A, x)
    for x in range(R):
        y = V[words[left + x]]
        for q in range(0, K + G, GROUP):
            add_rows(y, E[q, x], E[q + 1, x], E[q + 2, x], E[q + 3, x], B, q)
    return loss, pairs


@njit(**FAST)
def count_pairs(words, reach, n, first, last, left, R, negatives, E):
    """Write into E[q, x] in how many windows the word q of B meets the input x of A, and count the pairs."""
    K, pairs = len(negatives), 0
    E[: K + last - first + GROUP, : R + GROUP] = 0
    for i in range(first, last):
        begin, end = window_of(i, reach, n)
        pairs += end - begin - 1
        for j in range(begin, end):
            if j != i:
                E[K + i - first, j - left] = 1
        for k in range(K):
            if negatives[k] != words[i]:  # no accidental hits
                for j in range(begin, end):
                    if j != i:
                        E[k, j - left] += 1
    return pairs


@njit(**FAST)
def scratch(K, farthest, V):
    """Room for a block: A, B and E of ``train_block``, with some rows to spare, since GROUP are read at a time."""
    R, Q = TARGETS + 2 * farthest + GROUP, K + TARGETS + GROUP
    return np.zeros((R, V.shape[1]), V.dtype), np.zeros((Q, V.shape[1]), V.dtype), np.zeros((Q, R), V.dtype)


@njit(**FAST)
def next_random(state):
    """A linear congruential generator (Knuth's MMIX); its upper 32 bits are good enough for noise."""
    return state * np.uint64(6364136223846793005) + np.uint64(1442695040888963407)


@njit(**FAST)
def draw_words(sentence, keep, windows, state, words, reach):
    """Keep some words of a sentence, and draw how far the window of each reaches.

    Fills ``words`` and ``reach`` from the start; returns how many there are, and the generator's new state.
    """
    window, dynamic = windows
    n = 0
    for word in sentence:
        state = next_random(state)
        if state >> np.uint64(32) <= keep[word]:
            words[n], reach[n] = word, window
            if dynamic:  # 1 + ⌊u · window⌋, with a u from bits that the first draw did not use
                reach[n] = 1 + ((state & np.uint64(0xFFFFFFFF)) * np.uint64(window) >> np.uint64(32))
            n += 1
    return n, state


@njit(**FAST)
def draw_negatives(noise, state, negatives):
    """Fill ``negatives`` by the alias method: one draw for the column, one for which of its two words."""
    own, alias = noise
    for k in range(len(negatives)):
        state = next_random(state)
        column = (state >> np.uint64(32)) * np.uint64(len(own)) >> np.uint64(32)
        state = next_random(state)
        negatives[k] = column if state >> np.uint64(32) < own[column] else alias[column]
    return state


@njit(**FAST)
def train_sentences(V, U, ids, starts, keep, noise, windows, K, rate, state, noise_state, table):
    """Thin out, window and train some sentences, in order.

    Parameters
    ----------
    V, U : float32 arrays (vocabulary, D), updated in place
    ids, starts : int32 (N,) and int64 (S + 1,); sentence s is ids[starts[s] : starts[s + 1]]
    keep : uint32 array (V,), the chance that a word is kept, times 2³²
    noise : the pair (uint32 chance of a column's own word, times 2³²; int32 alias), each (V,)
    windows : the pair (largest reach, whether each window draws its own)
    K : int, negatives of a block
    rate : float32, η
    state, noise_state : uint64, of two generators
    table : from ``sigmoid_table``

    Returns
    -------
    float64 : the sum of the losses; int : the number of pairs
    """
    longest = np.max(np.diff(starts))
    farthest = max(min(windows[0], longest), 1)
    words, reach, negatives = np.empty(longest, np.int32), np.empty(longest, np.int32), np.empty(K, np.int32)
    A, B, E = scratch(K, farthest, V)
    loss, pairs = 0.0, 0
    for s in range(len(starts) - 1):
        n, state = draw_words(ids[starts[s] : starts[s + 1]], keep, windows, state, words, reach)
        for first in range(0, n if n > 1 else 0, TARGETS):
            last = min(first + TARGETS, n)
            noise_state = draw_negatives(noise, noise_state, negatives)
            more, new = train_block(V, U, words, reach, n, first, last, farthest, negatives, rate, table, A, B, E)
            loss, pairs = loss + more, pairs + new
    return loss, pairs
