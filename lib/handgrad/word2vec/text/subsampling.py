"""Subsampling: which frequent words are passed over before windows are cut."""

import numpy as np


def keep_probabilities(counts: np.ndarray, raw_words: int, threshold: float = 1e-3) -> np.ndarray:
    """How likely each word is kept when frequent words are thinned out before windows are cut.

    keep(w) = min(1, (√(f / tN) + 1) · tN / f) for a word that occurs f times among N, as in word2vec.c. The
    paper (Mikolov et al. 2013, equation 5) states the simpler √(t / (f/N)), and its program adds a second t / (f/N).

    Parameters
    ----------
    counts : int array (V,)
        f of each word.
    raw_words : int
        N, with the rare words that the vocabulary leaves out.
    threshold : float
        t; 0 keeps every word.

    Returns
    -------
    float64 array (V,)

    Examples
    --------
    >>> import numpy as np
    >>> from handgrad.word2vec import keep_probabilities
    >>> keep_probabilities(np.array([400, 20, 1]), raw_words=10_000).round(3)
    array([0.183, 1.   , 1.   ])
    """
    if threshold <= 0:
        return np.ones(len(counts))
    with np.errstate(divide="ignore"):  # a word that never occurs, UNK for instance, would be kept
        rate = threshold * raw_words / np.asarray(counts, dtype=np.float64)
    return np.minimum(1.0, np.sqrt(rate) + rate)
