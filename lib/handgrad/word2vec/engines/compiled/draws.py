"""What chance decides in the compiled engine: which words are kept, how far windows reach, which words are noise.

All is drawn for a piece of the text before any of it is learned, so the kernels know what comes next.
"""

import numpy as np
from numba import njit

from handgrad.word2vec.engines.compiled.aligned import up_to
from handgrad.word2vec.engines.compiled.compiling import FAST


def chances(p):
    """Probabilities as 32-bit integers, to be compared with the upper half of a random number."""
    return np.minimum(np.asarray(p, dtype=np.float64) * 2**32, 2**32 - 1).astype(np.uint32)


def columns_of_noise(noise):
    """The columns of its alias table, each as one number: the chance of its own word, times 2³², above the other."""
    own, alias = noise.alias_table
    return chances(own).astype(np.uint64) << 32 | alias.astype(np.uint64)


@njit(**FAST)
def next_random(state):
    """A linear congruential generator (Knuth's MMIX); its upper 32 bits are good enough for noise."""
    return state * np.uint64(6364136223846793005) + np.uint64(1442695040888963407)


@njit(**FAST)
def draw_words(ids, starts, keep, windows, state, words, begin, end):
    """Keep some words of some sentences, and draw how far the window of each reaches.

    Fills ``words``, ``begin`` and ``end`` from the start; returns how many there are, and the generator's new state.
    """
    window, dynamic = windows
    n = 0
    for s in range(len(starts) - 1):
        start = n
        for word in ids[starts[s] : starts[s + 1]]:
            state = next_random(state)
            if state >> np.uint64(32) <= keep[word]:
                reach = np.int64(window)
                if dynamic:  # 1 + ⌊u · window⌋, with a u from bits that the first draw did not use
                    reach = 1 + np.int64((state & np.uint64(0xFFFFFFFF)) * np.uint64(window) >> np.uint64(32))
                words[n], begin[n], end[n] = word, max(n - reach, start), min(n + reach + 1, np.int64(len(words)))
                n += 1
        for i in range(max(n - window, start), n):
            end[i] = min(end[i], n)  # now it is known where the sentence ends
    return n, state


@njit(**FAST)
def draw_negatives(columns, state, negatives):
    """Fill ``negatives`` by the alias method: one draw for the column, one for which of its two words."""
    for k in range(len(negatives)):
        state = next_random(state)
        column = np.int64((state >> np.uint64(32)) * np.uint64(len(columns)) >> np.uint64(32))
        state = next_random(state)
        chance, other = columns[column] >> np.uint64(32), columns[column] & np.uint64(0xFFFFFFFF)
        negatives[k] = column if state >> np.uint64(32) < chance else np.int64(other)
    return state


@njit(**FAST)
def draw_text(ids, starts, keep, windows, state):
    """The words that are kept, where their windows begin and end, and how far the farthest of these can reach."""
    words, begin, end = np.empty(len(ids), np.int32), np.empty(len(ids), np.int32), np.empty(len(ids), np.int32)
    n, _ = draw_words(ids, starts, keep, windows, state, words, begin, end)
    longest = 0
    for s in range(len(starts) - 1):  # np.diff would be compiled for two seconds
        longest = max(longest, starts[s + 1] - starts[s])
    return words[:n], begin[:n], end[:n], min(windows[0], longest)


@njit(**FAST)
def draw_outputs(words, targets, columns, K, state):
    """For each block of so many targets its K negatives, then these targets."""
    blocks = up_to(targets, len(words)) // targets
    outputs = np.empty(len(words) + blocks * K, np.int32)
    for block in range(blocks):
        q = block * (K + targets)
        state = draw_negatives(columns, state, outputs[q : q + K])
        for i in range(block * targets, min((block + 1) * targets, len(words))):
            outputs[q + K + i - block * targets] = words[i]
    return outputs


@njit(**FAST)
def paths_to(words, tree):
    """Where the paths to some words begin and end among the nodes of the tree, and how long the longest is."""
    starts, begin, end, longest = tree[0], np.empty(len(words), np.int64), np.empty(len(words), np.int64), 0
    for i in range(len(words)):
        begin[i], end[i] = starts[words[i]], starts[words[i] + 1]
        longest = max(longest, end[i] - begin[i])
    return (begin, end), longest


@njit(**FAST)
def copied_paths(words, tree):
    """The same paths one after another: their nodes and codes, then as ``paths_to``."""
    (begin, end), longest = paths_to(words, tree)
    starts = np.zeros(len(words) + 1, np.int64)
    for i in range(len(words)):
        starts[i + 1] = starts[i] + end[i] - begin[i]
    nodes, codes = np.empty(starts[-1], np.int32), np.empty(starts[-1], np.int8)
    for i in range(len(words)):
        for j in range(end[i] - begin[i]):
            nodes[starts[i] + j], codes[starts[i] + j] = tree[1][begin[i] + j], tree[2][begin[i] + j]
    return nodes, codes, (starts[:-1], starts[1:]), longest
