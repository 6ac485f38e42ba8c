"""Skip-gram with negative sampling as word2vec.c has it: pair after pair, with nothing done for speed.

Source: Mikolov et al. (2013), Distributed Representations of Words and Phrases and their Compositionality, equation 4.
In word2vec.c V is called syn0, U syn1neg, dv neu1e, and the rate alpha.

The engine does not run this. It is the reference that the fast kernel of ``negative_sampling`` is tested against, and
timed beside. Cut into blocks of a single pair, and given the same negatives, the fast one gives the same vectors to
rounding, if no negative is drawn twice for a pair: it computes all scores before it changes a row. For the same
reason, blocks of many pairs take the same step to first order in the rate only.
"""

import numpy as np
from numba import njit

from handgrad.word2vec.engines.compiled.compiling import FAST
from handgrad.word2vec.engines.compiled.draws import draw_negatives


@njit(**FAST)
def train_pairs(V, U, words, begin, end, columns, K, rate, state):
    """Learn a text: each word is the center of its window, and each word of this window is to predict it.

    Parameters
    ----------
    V, U : float arrays (vocabulary, D), updated in place
    words : int32 array (n,), the ids of the text
    begin, end : int32 arrays (n,); the window of word i is from begin[i] to end[i], without i itself
    columns : uint64 array (vocabulary,), what negatives are drawn from: see ``columns_of_noise``
    K : int, the negatives of each pair
    rate : float, η
    state : uint64, of the generator for negatives
    """
    dv, outputs = np.empty(V.shape[1], V.dtype), np.empty(1 + K, np.int32)
    for i in range(len(words)):
        outputs[0] = words[i]  # the center; behind it the negatives
        for j in range(begin[i], end[i]):
            if j != i:
                state = draw_negatives(columns, state, outputs[1:])
                train_pair(V, U, words[j], outputs, rate, dv)


@njit(**FAST)
def train_pair(V, U, word, outputs, rate, dv):
    """Have a word of the window predict the center, outputs[0], and none of the negatives behind it.

    dv : float array (D,), a workspace
    """
    dv[:] = 0
    for k in range(len(outputs)):
        output, label = outputs[k], 1 if k == 0 else 0
        if k > 0 and output == outputs[0]:
            continue  # it was drawn, but it is not wrong
        error = V.dtype.type(rate * (label - sigmoid(dot(V[word], U[output]))))
        for d in range(len(dv)):
            dv[d] += error * U[output, d]  # before U moves; V moves when all outputs are scored
            U[output, d] += error * V[word, d]
    for d in range(len(dv)):
        V[word, d] += dv[d]


@njit(**FAST)
def dot(v, u):
    """vᵀ u"""
    s = v.dtype.type(0)
    for d in range(len(v)):
        s += v[d] * u[d]
    return s


@njit(**FAST)
def sigmoid(s):
    """σ(s) = 1 / (1 + e⁻ˢ)"""
    return 1 / (1 + np.exp(-s))
