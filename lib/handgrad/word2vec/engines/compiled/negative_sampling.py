"""Negative sampling, compiled: skip-gram and CBOW on a text.

Source: Mikolov et al. (2013), Distributed Representations of Words and Phrases and their Compositionality, equation 4.
That neighboring windows share their negatives is from Ji et al. (2016), Parallelizing Word2Vec in Shared and
Distributed Memory, and Rengasamy et al. (2017), Optimizing Word2Vec Performance on Multicore Systems.

A block is a few neighboring targets and the words within reach of them; its outputs are these targets, and K negatives
that all of them share.

Read it from its end: ``train`` draws what chance decides of some sentences, ``learn`` finds room to learn them in,
``learn_blocks`` goes from block to block, and ``learn_block`` takes a step. (Each compiled function has to stand above
those that call it.)
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from handgrad.word2vec.engines.compiled.aligned import up_to
from handgrad.word2vec.engines.compiled.compiling import INLINE, LANES, UNCOUNTED
from handgrad.word2vec.engines.compiled.draws import columns_of_noise, draw_outputs, draw_text
from handgrad.word2vec.engines.compiled.products import GROUP, clear, prefetch_rows
from handgrad.word2vec.engines.compiled.simd import iota, load, select, splat, store
from handgrad.word2vec.engines.compiled.steps import find_rows, step_of_means, step_of_words, workspace_for
from handgrad.word2vec.engines.compiled.thread_copies import join_both, use_copies, words_used_often

TARGETS = 4  # in a block, at most GROUP
# With so many negatives for all of them the vectors are as good as with some for each pair. Where fewer are asked for,
# each counts for less.
NEGATIVES = {"skipgram": 12, "cbow": 8}


class Noise(NamedTuple):
    """What the negatives of a block are drawn from.

    columns : uint64 array (vocabulary,), those of an alias table: see ``columns_of_noise``
    K : int, how many a block has
    weight : float, how much each counts
    """

    columns: np.ndarray
    K: int
    weight: np.float32


def outputs_of(objective):
    """What the outputs of this objective are drawn from: its noise, with as many negatives or more that count less."""
    config = objective.config
    K = max(config.negatives, NEGATIVES[config.model]) if config.negatives else 0
    return Noise(columns_of_noise(objective.noise), K, np.float32(config.negatives / K if K else 0))


@njit(**INLINE)
def reach_of(begin, end, first, last):
    """From where to where the windows of some targets reach, how many words are in them, and how many have any."""
    left, right, pairs, means = begin[first], end[first], 0, 0
    for i in range(first, last):
        words = end[i] - begin[i] - 1
        left, right, pairs, means = min(left, begin[i]), max(right, end[i]), pairs + words, means + (words > 0)
    return left, right, pairs, means


@njit(**INLINE)
def mark_windows(begin, end, first, last, left, of_means, W):
    """W (G, R): 1 where a word is in a window or, for means, its share. Word left + x is the one of column x."""
    zero = splat(W.dtype.type(0), LANES)
    places = iota(zero)
    for c in range(up_to(GROUP, last - first)):
        i = min(first + c, last - 1)
        words = max(end[i] - begin[i] - 1, 1) if of_means else 1
        share = 1 / W.dtype.type(words) if first + c < last else W.dtype.type(0)
        for x in range(0, W.shape[1], LANES):
            j = places + (x + left - i)  # how far from the target
            inside = (j - (begin[i] - i) + 1) * (end[i] - i - j) * (j * j)
            store(W, c, x, select(inside, share, 0))


@njit(**INLINE)
def mark_pairs(W, L, G, R, Q, M):
    """M (R, Q) = Wᵀ L: how often each pair counts."""
    for x in range(up_to(GROUP, R)):
        for q in range(0, Q, LANES):
            m = W[0, x] * load(L, 0, q, LANES)
            for c in range(1, G):
                m = m + W[c, x] * load(L, c, q, LANES)
            store(M, x, q, m)


@njit(**INLINE)
def mark_negatives(outputs, begin, end, first, last, weight, L):
    """L: a target meets itself and all negatives but the same word. If there is no word beside it, it meets nothing."""
    K = len(outputs) - (last - first)
    clear(L, up_to(GROUP, last - first))
    for c in range(last - first):
        if end[first + c] - begin[first + c] > 1:
            L[c, K + c] = 1
            for k in range(K):
                L[c, k] = 0 if outputs[k] == outputs[K + c] else -weight


# what is learned


@njit(**INLINE)
def learn_block(V, U, words, begin, end, first, last, outputs, weight, by_word, by_share, rate, ahead, workspace):
    """One step for the targets first to last of a text, on the words around each and K negatives for all.

    Parameters
    ----------
    V, U : float arrays (rows, D in whole vectors), updated in place
    words : int32 array, rows of V for the words of the text
    begin, end : int32 arrays; the window of word i is from begin[i] to end[i], without i itself
    first, last : int, at most TARGETS apart
    outputs : int32 array (K + last - first,), rows of U: first the negatives, then the targets
    weight : float, how much a negative counts
    by_word, by_share : SKIP_GRAM, CBOW or CBOW_OF_WORD2VEC_C
    rate : float, η
    ahead : rows of as many outputs, which will be needed next; or None
    workspace : from ``workspace_for``

    Returns
    -------
    float : the loss of the block, a sum over its predictions; int : how many these are
    """
    left, right, pairs, means = reach_of(begin, end, first, last)
    G, R, Q = last - first, right - left, len(outputs)
    find_rows(words[left:right], workspace.inputs)
    find_rows(outputs, workspace.outputs)
    mark_windows(begin, end, first, last, left, by_word is None, workspace.W)
    mark_negatives(outputs, begin, end, first, last, weight, workspace.L)
    if by_word is not None:
        mark_pairs(workspace.W, workspace.L, G, R, Q, workspace.M)
        return step_of_words(
            V, workspace.inputs[:R], U, workspace.outputs[:Q], workspace.M, rate, ahead, workspace
        ), pairs
    if by_share is not None:
        return step_of_means(
            V, workspace.inputs[:R], U, workspace.outputs[:Q], G, rate, by_share, ahead, workspace
        ), means
    return 0.0, 0


@njit(**UNCOUNTED)
def learn_blocks(V, U, words, begin, end, reach, outputs, K, weight, by_word, by_share, rate, copies, apart, workspace):
    """Block after block of a text. words and outputs : rows, of copies where there are some; the outputs of a block
    come after those of the one before
    """
    loss, predictions = 0.0, 0
    for first in range(0, len(words), TARGETS):
        if first % apart == 0:
            join_both(V, U, copies)
        last, q = min(first + TARGETS, len(words)), first // TARGETS * (K + TARGETS)
        Q = K + last - first
        soon = min(q + K + TARGETS, len(outputs) - Q)
        prefetch_rows(V, words[last + reach : last + reach + TARGETS])
        block = begin, end, first, last, outputs[q : q + Q], weight, by_word, by_share, rate
        more, n = learn_block(V, U, words, *block, outputs[soon : soon + Q], workspace)
        loss, predictions = loss + more, predictions + n
    join_both(V, U, copies)
    return loss, predictions


# From here on in Python, since the compiler would go over all that is called once more, for seconds.


def learn(V, U, words, begin, end, reach, outputs, K, weight, model, rate, copies, apart):
    """All blocks of a text, with a workspace for them."""
    workspace = workspace_for(TARGETS, TARGETS + 2 * reach, K + TARGETS, V)
    return learn_blocks(V, U, words, begin, end, reach, outputs, K, weight, *model, rate, copies, apart, workspace)


def train(V, U, ids, starts, keep, windows, copies, apart, model, noise, rate, state, noise_state):
    """Thin out, window and train some sentences, in order.

    Parameters
    ----------
    V, U : float arrays (vocabulary, D in whole vectors), updated in place
    ids, starts : int32 (N,) and int64 (S + 1,); sentence s is ids[starts[s] : starts[s + 1]]
    keep : uint32 array (vocabulary,), the chance that a word is kept, times 2³²
    windows : the pair (largest reach, whether each window draws its own)
    copies : for V and U, which rows have copies that are used instead: see ``row_of`` and ``join``
    apart : int, after so many words they are joined; whole blocks
    model : SKIP_GRAM, CBOW or CBOW_OF_WORD2VEC_C
    noise : Noise
    rate : float, η
    state, noise_state : uint64, of two generators

    Returns
    -------
    float64 : the sum of the losses; int : the number of predictions
    """
    words, begin, end, reach = draw_text(ids, starts, keep, windows, state)
    outputs, more = drawn_outputs(words, noise, noise_state)
    use_copies(words, copies[0])
    use_copies(outputs, copies[1])
    return learn(V, U, words, begin, end, reach, outputs, *more, model, rate, copies, apart)


def drawn_outputs(words, noise, state):
    """The outputs of all blocks, ids (n,), and what else ``learn`` takes of them."""
    return draw_outputs(words, TARGETS, noise.columns, noise.K, state), [noise.K, noise.weight]


def often_used(counts, often, noise):
    """The outputs that are used so often in a text with these counts: from which row to which."""
    return words_used_often(counts, often)


def most_outputs(words, noise):
    """How many there can be for so many words."""
    return words + up_to(TARGETS, words) // TARGETS * noise.K
