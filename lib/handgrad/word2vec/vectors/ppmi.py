"""Word vectors by counting: positive pointwise mutual information, and its truncated singular value decomposition.

The baseline for word2vec. Skip-gram with k negative samples factors the matrix PMI - log k without saying so (Levy and
Goldberg 2014, Neural Word Embedding as Implicit Matrix Factorization); here it is counted and factored in the open:

    PMI(w, c) = log P(w, c) / (P(w) P(c)),    PPMI = max(PMI - log k, 0),    PPMI ≈ U Σ Vᵀ,    W = U Σ^p

The settings are those of Levy, Goldberg and Dagan (2015), Improving Distributional Similarity with Lessons Learned
from Word Embeddings: contexts smoothed as the noise of word2vec is, P(c) ∝ count(c)^0.75, and p of 0.5 or 0, not 1.
"""

import numpy as np
import scipy.sparse
import scipy.sparse.linalg

from handgrad.errors import InputError
from handgrad.word2vec.vectors.keyed_vectors import KeyedVectors

TOKENS_AT_ONCE = 2**20


def ppmi_vectors(
    index_to_key, ids, starts, dimension=100, window=5, smoothing=0.75, shift=1.0, eigenvalue_weight=0.5, counts=None
):
    """Count, weigh and factor: word vectors from an encoded text. The same text gives the same vectors.

    Parameters
    ----------
    index_to_key : list of str, the V words
    ids : int array (N,), the text; starts : int array (S + 1,), sentence i is ``ids[starts[i] : starts[i + 1]]``
    dimension : int, D, less than V
    window, smoothing, shift : see ``co_occurrences`` and ``ppmi``
    eigenvalue_weight : float, p, the power of the singular values in W
    counts : int array (V,), optional, for the KeyedVectors

    Returns
    -------
    KeyedVectors, float32; a word without any positive PMI has a vector of zeros
    """
    V = len(index_to_key)
    if not 1 <= dimension < V:
        raise InputError(f"PPMI of {V} words expects a dimension from 1 to {V - 1}, but got {dimension}.")
    matrix = ppmi(co_occurrences(ids, starts, V, window), smoothing, shift)
    return KeyedVectors(index_to_key, factor(matrix, dimension, eigenvalue_weight), counts)


def co_occurrences(ids, starts, vocabulary_size, window=5, tokens_at_once=TOKENS_AT_ONCE):
    """Count how often words stand near each other, within sentences, so many tokens at a time.

    A pair at distance d counts (window - d + 1) / window: what word2vec's random windows give it on average.

    Returns
    -------
    scipy.sparse.csr_array (V, V), float32, symmetric
    """
    ids, starts = np.asarray(ids), np.asarray(starts)
    if window < 1:
        raise InputError(f"co_occurrences expects a window of at least 1, but got {window}.")
    if len(starts) < 2 or starts[0] != 0 or starts[-1] != len(ids) or np.any(np.diff(starts) < 0):
        raise InputError(f"co_occurrences expects starts that rise from 0 to the {len(ids)} ids, but got other ones.")
    if len(ids) and not 0 <= ids.min() <= ids.max() < vocabulary_size:
        raise InputError(
            f"co_occurrences expects ids from 0 to {vocabulary_size - 1}, but got {ids.min()} to {ids.max()}."
        )
    shape = (vocabulary_size, vocabulary_size)
    right = scipy.sparse.csr_array(shape, dtype=np.float32)  # rows: words, columns: words to the right of them
    for begin in range(0, len(ids), tokens_at_once):
        here = np.arange(begin, min(begin + tokens_at_once, len(ids)))
        end = starts[np.searchsorted(starts, here, side="right")]  # of the sentence of each position
        words, contexts, weights = [], [], []
        for d in range(1, window + 1):
            inside = here[here + d < end]
            words.append(ids[inside])
            contexts.append(ids[inside + d])
            weights.append(np.full(len(inside), (window - d + 1) / window, dtype=np.float32))
        pairs = np.concatenate(words), np.concatenate(contexts)
        right = right + scipy.sparse.csr_array((np.concatenate(weights), pairs), shape)
    return (right + right.T).tocsr()


def ppmi(counts, smoothing=0.75, shift=1.0):
    """Positive PMI of a sparse matrix of counts: max(log P(w, c) / (P(w) P(c)) - log shift, 0).

    Parameters
    ----------
    counts : sparse array (V, C), words and contexts
    smoothing : float, P(c) ∝ count(c)^smoothing; below 1 rare contexts get smaller PMI
    shift : float, k, the number of negative samples that this stands for

    Returns
    -------
    scipy.sparse.csr_array (V, C), float32, only what is above 0
    """
    if not shift > 0:
        raise InputError(f"ppmi expects a shift above 0, the k of PMI - log k, but got {shift}.")
    counts = scipy.sparse.csr_array(counts)
    word, context = counts.sum(axis=1, dtype=np.float64), counts.sum(axis=0, dtype=np.float64)  # (V,), (C,)
    if not word.sum() > 0:
        raise InputError("ppmi expects at least one pair of words that occur together, but no two do.")
    smoothed = np.where(context > 0, context, 1) ** smoothing * (context > 0)
    with np.errstate(divide="ignore"):  # log 0, of words that occur nowhere and are in no pair
        log_word, log_context = np.log(word), np.log(smoothed / smoothed.sum())
    matrix = counts.astype(np.float32)
    for row in range(0, len(word), rows := 4096):
        part = slice(matrix.indptr[row], matrix.indptr[min(row + rows, len(word))])
        lengths = np.diff(matrix.indptr[row : row + rows + 1])
        pmi = np.log(matrix.data[part], dtype=np.float64) - np.repeat(log_word[row : row + rows], lengths)
        matrix.data[part] = np.maximum(pmi - log_context[matrix.indices[part]] - np.log(shift), 0)
    matrix.eliminate_zeros()
    return matrix


def factor(matrix, dimension, eigenvalue_weight=0.5):
    """W = U Σ^p of the truncated singular value decomposition of a sparse matrix (V, C).

    A singular vector and its negative are both right. In ours the number of largest magnitude is positive, so that
    the same matrix gives the same W.

    Parameters
    ----------
    matrix : sparse array (V, C)
    dimension : int, less than V and C
    eigenvalue_weight : float, p

    Returns
    -------
    float32 array (V, dimension), columns by descending singular value; zeros beyond the rank of the matrix
    """
    if not matrix.nnz:
        raise InputError("No two words occur together more often than by chance: give more text, or a smaller shift.")
    begin = np.ones(min(matrix.shape), dtype=matrix.dtype)  # svds begins at random unless told otherwise
    U, sigma, _ = scipy.sparse.linalg.svds(matrix, k=dimension, v0=begin, return_singular_vectors="u")
    order = np.argsort(-sigma, kind="stable")
    U, sigma = U[:, order], sigma[order]
    U *= np.sign(U[np.abs(U).argmax(axis=0), np.arange(dimension)])
    real = sigma > 1e-6 * sigma[0]  # beyond the rank of the matrix there is only noise, which p = 0 would let in
    return (U * np.where(real, sigma, 1) ** eigenvalue_weight * real).astype(np.float32)
