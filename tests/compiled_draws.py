"""What chance decides in the compiled engine, for tests that look at it or repeat it."""

import numpy as np

from handgrad.word2vec.engines.compiled.draws import chances, columns_of_noise, draw_negatives, draw_words


def all_words(ids, keep, windows=(5, True), state=1):
    """The words of one sentence that are kept, how far the window of each would reach, and the generator's state."""
    words, begin, end, state = all_windows(ids, [0, len(ids)], keep, windows, state)
    right, left = end - np.arange(len(words)) - 1, np.arange(len(words)) - begin
    return words, np.maximum(left, right), state


def all_windows(ids, starts, keep, windows=(5, True), state=1):
    words, begin, end = (np.empty(len(ids), np.int32) for _ in range(3))
    starts = np.asarray(starts, np.int64)
    n, state = draw_words(
        np.asarray(ids, np.int32), starts, chances(keep), windows, np.uint64(state), words, begin, end
    )
    return words[:n], begin[:n], end[:n], np.uint64(state)


def all_negatives(noise, n, state=1):
    negatives = np.empty(n, np.int32)
    return negatives, np.uint64(draw_negatives(columns_of_noise(noise), np.uint64(state), negatives))
