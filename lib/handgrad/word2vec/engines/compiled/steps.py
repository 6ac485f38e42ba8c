"""One step of word2vec, compiled: the arithmetic of the gates, in loops that stay in the cache and in the registers.

Source: Mikolov et al. (2013), Distributed Representations of Words and Phrases and their Compositionality.

The text is worked on in blocks. With the R input vectors of a block in the rows of A, and its Q output vectors in
the rows of B, skip-gram is three small matrix products:

    S = A Bᵀ                   (R, Q)  the scores
    E = η |M| (label - σ(S))   (R, Q)  as often as each pair counts
    U += Eᵀ A, V += E B                for the rows that are in the block

For CBOW, the rows of A are mixed first, H = W A, and what H should move by goes back the same way, Wᵀ E B. Only A is
copied: B, and A for CBOW, are read where they lie in the tables. Which pairs count is in three more matrices. The
letters, here and in the modules after this one:

    D           numbers in a vector
    G           windows of a block, one around each target
    R, Q        input vectors of a block, rows of V, and output vectors, rows of U
    A  (R, D)   input vectors, copied
    H  (G, D)   their means, one for each window, and dH what these move by
    E  (R, Q)   scores, then errors; for means (G, Q)
    W  (G, R)   which words are in which window; for means, the share of each
    L  (G, Q)   which outputs a target is scored against, each with its weight, with a minus for a label of 0
    M  (R, Q)   how often each pair counts, Wᵀ L: a word meets what is scored in all the windows that it is in

What a block is, ``negative_sampling`` and ``hierarchical_softmax`` say. All scores are computed before anything is
updated, so a block is exactly one step of the gates ``SkipGram`` or ``CBOW`` and ``NegativeSampling`` or
``HierarchicalSoftmax``; tests compare them.
"""

from collections import namedtuple

import numpy as np
from numba import njit

from handgrad.word2vec.engines.compiled.aligned import aligned_zeros, up_to
from handgrad.word2vec.engines.compiled.compiling import FAST, INLINE, LANES
from handgrad.word2vec.engines.compiled.logistic import errors
from handgrad.word2vec.engines.compiled.products import GROUP, add_product, gather, scores
from handgrad.word2vec.engines.compiled.simd import load, select, store

# What is done with the words of a window, as the arguments by_word and by_share: by_word, each of them predicts; else
# their mean does, and moves each by its share, or by all of it. numba leaves a branch out where an argument is None, so
# it compiles one of both steps, and not the other.
SKIP_GRAM, CBOW, CBOW_OF_WORD2VEC_C = (True, None), (None, True), (None, False)

# What is in no window or in no pair must be 0 in W, L and M, up to GROUP rows and LANES columns more.
Workspace = namedtuple("Workspace", "A H dH E L W M inputs outputs ahead order")


@njit(**FAST)
def workspace_for(G, R, Q, V):
    """A workspace for blocks of at most G windows, R inputs and Q outputs.

    Returns
    -------
    Workspace : the matrices above; inputs (R,) rows of V, outputs and ahead (Q,) of U; order 0, 1, 2, …. All have
        some more, since GROUP or LANES are worked on at a time.
    """
    D, wide, long = V.shape[1], up_to(LANES, Q), up_to(LANES, max(G, R))
    G, R, Q = up_to(GROUP, G), up_to(GROUP, max(G, R)), up_to(GROUP, Q)
    A, H, dH = aligned_zeros(R, D, V), aligned_zeros(G, D, V), aligned_zeros(G, D, V)
    E, L = aligned_zeros(R, wide, V), aligned_zeros(G, wide, V)
    W, M = aligned_zeros(G, long, V), aligned_zeros(R, wide, V)
    inputs, outputs, ahead = np.zeros(R, np.intp), np.zeros(Q, np.intp), np.zeros(Q, np.intp)
    return Workspace(A, H, dH, E, L, W, M, inputs, outputs, ahead, np.arange(R))


@njit(**INLINE)
def find_rows(ids, rows):
    """rows : the ids, and behind the last of them, up to the next multiple of GROUP, it again"""
    for x in range(up_to(GROUP, len(ids))):
        rows[x] = ids[min(x, len(ids) - 1)]


@njit(**INLINE)
def step_of_words(V, inputs, U, outputs, M, rate, ahead, workspace):
    """Skip-gram: each of the ``inputs`` (R,) predicts ``outputs`` (Q,), as often as M says: the loss."""
    A, E = workspace.A, workspace.E
    R, Q = len(inputs), len(outputs)
    gather(V, inputs, A)
    scores(A, U, outputs, E, R, Q)
    loss = errors(E, M, R, Q, rate)
    add_product(V, inputs, E, U, outputs, Q)
    add_product(U, outputs, E.T, A, workspace.order, R, ahead)
    return loss


@njit(**INLINE)
def mark_whole(W, G, R):
    """W: 1 in place of each share."""
    for c in range(G):
        for x in range(0, R, LANES):
            store(W, c, x, select(load(W, c, x, LANES), 1, 0))


@njit(**INLINE)
def step_of_means(V, inputs, U, outputs, G, rate, by_share, ahead, workspace):
    """CBOW: the means of G windows, W (G, R) of them, predict ``outputs``, as often as L (G, Q) says: the loss."""
    H, dH, E, W, order = workspace.H, workspace.dH, workspace.E, workspace.W, workspace.order
    R, Q = len(inputs), len(outputs)
    add_product(H, order[:G], W, V, inputs, R, None, True)
    scores(H, U, outputs, E, G, Q)
    loss = errors(E, workspace.L, G, Q, rate)
    add_product(dH, order[:G], E, U, outputs, Q, None, True)
    add_product(U, outputs, E.T, H, order, G, ahead, None, None)  # of few windows
    if not by_share:  # word2vec.c: each word moves by all of it, and not by its share
        mark_whole(W, G, R)
    add_product(V, inputs, W.T, dH, order, G, None, None, None)
    return loss
