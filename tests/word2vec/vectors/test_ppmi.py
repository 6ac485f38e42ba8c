from itertools import pairwise

import numpy as np
import pytest
import scipy.sparse

from handgrad.errors import InputError
from handgrad.word2vec.vectors.ppmi import co_occurrences, factor, ppmi, ppmi_vectors

IDS = np.array([0, 1, 2, 1, 0, 0], dtype=np.int32)
STARTS = np.array([0, 4, 4, 6])  # "0 1 2 1", an empty sentence, "0 0"


def random_text(V=30, N=4000, seed=0):
    rng = np.random.default_rng(seed)
    ids = (V * rng.random(N) ** 2).astype(np.int32)
    starts = np.concatenate([[0], np.sort(rng.choice(np.arange(1, N), 300, replace=False)), [N]])
    return ids, starts


def counted_slowly(ids, starts, V, window):
    counts = np.zeros((V, V))
    for begin, end in pairwise(starts):
        for i in range(begin, end):
            for j in range(begin, end):
                if 0 < abs(i - j) <= window:
                    counts[ids[i], ids[j]] += (window - abs(i - j) + 1) / window
    return counts


def test_pairs_are_counted_by_hand():
    assert co_occurrences(IDS, STARTS, 4, window=1).toarray().tolist() == [
        [2, 1, 0, 0],
        [1, 0, 2, 0],
        [0, 2, 0, 0],
        [0, 0, 0, 0],
    ]
    # window 2: neighbors count 1, next but one 1/2
    assert co_occurrences(IDS, STARTS, 3, window=2).toarray().tolist() == [[2, 1, 0.5], [1, 1, 2], [0.5, 2, 0]]


@pytest.mark.parametrize("tokens_at_once", [2**20, 7, 1])
@pytest.mark.parametrize("window", [1, 5])
def test_counts_in_pieces_are_those_of_two_loops(window, tokens_at_once):
    ids, starts = random_text(N=500 if tokens_at_once < 100 else 4000)
    counts = co_occurrences(ids, starts, 30, window, tokens_at_once).toarray()
    np.testing.assert_allclose(counts, counted_slowly(ids, starts, 30, window), rtol=1e-5)
    np.testing.assert_array_equal(counts, counts.T)


@pytest.mark.parametrize("smoothing, shift", [(1.0, 1.0), (0.75, 1.0), (0.75, 1.1)])
def test_ppmi_is_the_formula_on_a_dense_matrix(smoothing, shift):
    counts = counted_slowly(*random_text(), 30, 3)
    counts[4] = counts[:, 4] = 0  # a word without neighbors
    P_word = counts.sum(axis=1) / counts.sum()
    P_context = counts.sum(axis=0) ** smoothing / (counts.sum(axis=0) ** smoothing).sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        pmi = np.log(counts / counts.sum() / np.outer(P_word, P_context))
    expected = np.where(counts > 0, np.maximum(pmi - np.log(shift), 0), 0)
    matrix = ppmi(scipy.sparse.csr_array(counts), smoothing, shift)
    np.testing.assert_allclose(matrix.toarray(), expected, rtol=1e-4, atol=1e-5)
    assert 0 < matrix.nnz == np.count_nonzero(matrix.toarray())


def test_ppmi_is_of_shares_so_that_counts_of_any_size_give_the_same():
    counts = co_occurrences(*random_text(), 30)
    expected = ppmi(counts).toarray()
    for scale in (2.0**-20, 2.0**20):
        np.testing.assert_allclose(ppmi(counts * np.float32(scale)).toarray(), expected, rtol=1e-5, atol=1e-6)
    one_pair = scipy.sparse.csr_array(np.array([[0, 0.25], [0.25, 0]], dtype=np.float32))  # at the edge of a window
    assert ppmi(one_pair).toarray() == pytest.approx(np.array([[0, np.log(2)], [np.log(2), 0]]))


def test_a_text_of_one_sentence():
    assert co_occurrences([0, 1, 1], [0, 3], 2, window=1).toarray().tolist() == [[0, 1], [1, 2]]
    assert co_occurrences([], [0, 0], 2).toarray().tolist() == [[0, 0], [0, 0]]


def test_settings_that_are_not_given_are_those_of_the_first_lines_of_the_module():
    """A window of 5, contexts smoothed by 0.75, no shift, and p of 0.5 (Levy, Goldberg and Dagan 2015)."""
    ids, starts = random_text(V=150)
    given = ppmi_vectors(
        range(150), ids, starts, dimension=100, window=5, smoothing=0.75, shift=1.0, eigenvalue_weight=0.5
    )
    np.testing.assert_array_equal(ppmi_vectors(range(150), ids, starts).vectors, given.vectors)
    counts = co_occurrences(ids, starts, 150)
    assert (counts != co_occurrences(ids, starts, 150, window=5)).nnz == 0
    assert (ppmi(counts) != ppmi(counts, smoothing=0.75, shift=1.0)).nnz == 0
    np.testing.assert_array_equal(factor(ppmi(counts), 100), given.vectors)


def test_counts_are_left_as_they_are():
    counts = co_occurrences(*random_text(), 30)
    before = counts.toarray()
    ppmi(counts)
    np.testing.assert_array_equal(counts.toarray(), before)


@pytest.mark.parametrize("p", [0.0, 0.5, 1.0])
def test_factors_are_those_of_the_dense_decomposition(p):
    matrix = ppmi(co_occurrences(*random_text(), 30))
    U, sigma, _ = np.linalg.svd(matrix.toarray().astype(np.float64))
    W = factor(matrix, 8, p)
    expected = U[:, :8] * sigma[:8] ** p
    expected *= np.sign((expected * W).sum(axis=0))
    np.testing.assert_allclose(W, expected, atol=2e-4)
    assert W.dtype == np.float32 and (W.max(axis=0) == np.abs(W).max(axis=0)).all()


def test_a_matrix_and_its_approximation():
    """With all dimensions and p = 1, W Wᵀ is M Mᵀ."""
    M = ppmi(co_occurrences(*random_text(), 30)).toarray().astype(np.float64)
    W = factor(scipy.sparse.csr_array(M), 29, 1.0).astype(np.float64)
    assert np.linalg.norm(W @ W.T - M @ M.T) < 0.02 * np.linalg.norm(M @ M.T)


def test_beyond_the_rank_of_the_matrix_the_vectors_are_zero():
    M = np.zeros((6, 6), dtype=np.float32)
    M[0, 1] = M[1, 0] = 2
    for p in (0.0, 0.5, 1.0):
        W = factor(scipy.sparse.csr_array(M), 4, p)
        np.testing.assert_allclose(np.linalg.norm(W, axis=0), [2**p, 2**p, 0, 0], rtol=1e-5)


def test_the_same_text_gives_the_same_vectors_bit_for_bit():
    ids, starts = random_text()
    words = [f"w{i}" for i in range(30)]
    first, second = (ppmi_vectors(words, ids, starts, dimension=5) for _ in range(2))
    np.random.seed(7)  # noqa: NPY002 - what svds would draw from
    third = ppmi_vectors(words, ids, starts, dimension=5)
    np.testing.assert_array_equal(first.vectors, second.vectors)
    np.testing.assert_array_equal(first.vectors, third.vectors)


def test_words_in_the_same_contexts_are_neighbors():
    rng = np.random.default_rng(0)
    nouns, verbs = np.arange(0, 10), np.arange(10, 20)  # "noun verb noun", each kind from two topics
    sentences = []
    for _ in range(3000):
        half = rng.integers(2) * 5
        sentences.append([rng.choice(nouns[half : half + 5]), rng.choice(verbs[half : half + 5])])
    ids, starts = np.array(sentences, dtype=np.int32).ravel(), np.arange(0, 6001, 2)
    vectors = ppmi_vectors([f"w{i}" for i in range(20)] + ["alone"], ids, starts, dimension=4, counts=np.ones(21))
    assert {word for word, _ in vectors.most_similar("w0", topn=4)} == {"w1", "w2", "w3", "w4"}
    assert not vectors["alone"].any() and vectors.get_vecattr("w0", "count") == 1


@pytest.mark.parametrize(
    "call, sentence",
    [
        (lambda: ppmi_vectors(["a", "b", "c"], IDS, STARTS, dimension=3), "dimension from 1 to 2, but got 3"),
        (lambda: ppmi_vectors(["a", "b", "c"], IDS, STARTS, dimension=0), "dimension from 1 to 2, but got 0"),
        (lambda: co_occurrences(IDS, STARTS, 2), "ids from 0 to 1, but got 0 to 2"),
        (lambda: co_occurrences(-IDS, STARTS, 3), "ids from 0 to 2, but got -2 to 0"),
        (lambda: co_occurrences(IDS, STARTS, 3, window=0), "window of at least 1"),
        (lambda: co_occurrences(IDS, [0, 5], 3), "starts that rise from 0 to the 6 ids"),
        (lambda: co_occurrences(IDS, [0, 4, 2, 6], 3), "starts that rise from 0 to the 6 ids"),
        (lambda: co_occurrences(IDS, [], 3), "starts that rise from 0 to the 6 ids"),
        (lambda: ppmi(co_occurrences(IDS, STARTS, 3), shift=0), "shift above 0"),
        (lambda: ppmi(co_occurrences(np.array([0, 1]), [0, 1, 2], 2)), "at least one pair of words"),
        (lambda: ppmi_vectors(["a", "b", "c"], IDS, STARTS, dimension=2, shift=1e6), "more often than by chance"),
    ],
)
def test_wrong_use_is_answered_with_a_sentence(call, sentence):
    with pytest.raises(InputError, match=sentence):
        call()
