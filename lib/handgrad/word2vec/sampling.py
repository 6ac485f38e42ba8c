"""Chance in word2vec: which frequent words are passed over, and which words serve as noise."""

import numpy as np


def keep_probabilities(counts, raw_words, threshold=1e-3):
    """How likely each word is kept when frequent words are thinned out before windows are cut.

    keep(w) = min(1, (√(f / tN) + 1) · tN / f) for a word that occurs f times among N, as in word2vec.c. The
    paper (Mikolov et al. 2013, equation 5) states the simpler √(t / (f/N)), and its program adds a second t / (f/N).

    Parameters
    ----------
    counts : int array (V,), f of each word
    raw_words : int, N
    threshold : float, t; 0 keeps every word

    Returns
    -------
    float64 array (V,)
    """
    if threshold <= 0:
        return np.ones(len(counts))
    rate = threshold * raw_words / np.asarray(counts, dtype=np.float64)
    return np.minimum(1.0, np.sqrt(rate) + rate)


class NoiseDistribution:
    """P(w) ∝ count(w)^power: draws words that serve as noise, each in constant time.

    The alias method (Walker 1977; Vose 1991): V columns of equal height hold at most two words each, so
    a draw is one column and one toss.

    Parameters
    ----------
    counts : int array (V,)
    power : float, 0.75 in word2vec: rare words are drawn more often than their share, frequent ones less

    Attributes
    ----------
    probabilities : float64 array (V,)
    """

    def __init__(self, counts, power=0.75):
        weights = np.asarray(counts, dtype=np.float64) ** power
        self.probabilities = weights / weights.sum()
        self._threshold, self._alias = _alias_table(self.probabilities)

    def draw(self, rng, shape):
        """Draw an int32 array of ids, of the given shape, with replacement, from ``numpy.random.Generator`` rng."""
        column = rng.integers(len(self._threshold), size=shape, dtype=np.int32)
        toss = rng.random(size=shape, dtype=np.float32)
        return np.where(toss < self._threshold[column], column, self._alias[column])


def _alias_table(probabilities):
    """Fill V columns of height 1 with the scaled probabilities: what a small word leaves free, a large one fills."""
    height = probabilities * len(probabilities)
    alias = np.arange(len(height), dtype=np.int32)
    small = list(np.flatnonzero(height < 1))
    large = list(np.flatnonzero(height >= 1))
    while small and large:
        s, g = small.pop(), large[-1]
        alias[s] = g
        height[g] -= 1 - height[s]
        if height[g] < 1:
            small.append(large.pop())
    height[small + large] = 1  # what is left differs from 1 by rounding alone
    return height.astype(np.float32), alias
