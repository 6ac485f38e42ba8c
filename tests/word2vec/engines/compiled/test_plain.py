"""The plain kernel beside formulas, and the fast one beside the plain one."""

import numpy as np
import pytest
from compiled_draws import all_negatives, all_windows

from handgrad import sigmoid
from handgrad.word2vec import UnigramNoise
from handgrad.word2vec.engines.compiled import negative_sampling, plain, steps
from handgrad.word2vec.engines.compiled.aligned import aligned_table
from handgrad.word2vec.engines.compiled.draws import chances, columns_of_noise
from handgrad.word2vec.engines.compiled.negative_sampling import Noise
from handgrad.word2vec.engines.compiled.steps import workspace_for
from handgrad.word2vec.engines.compiled.thread_copies import NO_COPIES

TINY = 1e-7  # η at which the order of steps makes no difference


def tables(rng, vocabulary, D, dtype=np.float64):
    return rng.normal(scale=D**-0.25, size=(2, vocabulary, D)).astype(dtype)


def text_of(rng, vocabulary, lengths=(9, 0, 1, 2, 14)):
    """Words of some sentences, and where their windows begin and end."""
    ids = rng.integers(0, vocabulary, sum(lengths))
    return all_windows(ids, np.cumsum([0, *lengths]), np.ones(vocabulary), (rng.integers(1, 6), True))[:3]


def pairs_of(words, begin, end):
    """(word of a window, its center), in the order of the text"""
    return [(words[j], words[i]) for i in range(len(words)) for j in range(begin[i], end[i]) if j != i]


def fast_pair(V, U, word, center, negatives, rate):
    """The fast kernel on a block of a single pair: the second of two words, whose window is the first."""
    words, begin, end = np.array([word, center], np.int32), np.array([0, 0], np.int32), np.array([1, 2], np.int32)
    outputs, workspace = np.append(negatives, words[1:]), workspace_for(1, 2, len(negatives) + 1, V)
    rest = outputs, V.dtype.type(1), *steps.SKIP_GRAM, V.dtype.type(rate), None, workspace
    negative_sampling.learn_block(V, U, words, begin, end, 1, 2, *rest)


@pytest.mark.parametrize("dtype, tolerance", [(np.float64, 1e-12), (np.float32, 2e-5)])
@pytest.mark.parametrize("seed", range(20))
def test_in_blocks_of_a_pair_the_fast_kernel_is_the_plain_one_to_rounding(seed, dtype, tolerance):
    """Pair after pair of a text, each with different negatives, of which one may be the center."""
    rng = np.random.default_rng(seed)
    vocabulary, D, K, rate = rng.integers(9, 30), rng.integers(1, 120), rng.integers(0, 9), rng.uniform(0.01, 0.5)
    V, U = tables(rng, vocabulary, D, dtype)
    fast_V, fast_U, before = aligned_table(V), aligned_table(U), V.copy()
    pairs = pairs_of(*text_of(rng, vocabulary))
    for word, center in pairs:
        negatives = rng.permutation(vocabulary)[:K].astype(np.int32)
        fast_pair(fast_V, fast_U, word, center, negatives, rate)
        plain.train_pair(V, U, word, np.append(np.int32(center), negatives), dtype(rate), np.empty(D, dtype))
    assert len(pairs) > 20 and (V != before).any()
    np.testing.assert_allclose(fast_V[:, :D], V, rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(fast_U[:, :D], U, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("windows", [(1, False), (5, True)])
def test_on_a_whole_text_both_take_the_same_step_to_first_order(windows):
    """With a rate this small. All negatives are one word, so that blocks, which share them, have the same as pairs."""
    rng, noise = np.random.default_rng(0), UnigramNoise([1, 0, 0, 0, 0, 0, 0, 0, 0])
    V, U = tables(rng, 9, 21)
    fast_V, fast_U, columns, starts = aligned_table(V), aligned_table(U), columns_of_noise(noise), np.array([0, 40, 61])
    ids, before, K = rng.integers(0, 9, 61).astype(np.int32), (V.copy(), U.copy()), 3
    words, begin, end, _ = all_windows(ids, starts, np.ones(9), windows, 11)
    plain.train_pairs(V, U, words, begin, end, columns, K, TINY, np.uint64(12))

    keep, noise = chances(np.ones(9)), Noise(columns, K, np.float64(1))
    rest = NO_COPIES[0], NO_COPIES[1], steps.SKIP_GRAM, noise, TINY, np.uint64(11), np.uint64(12)
    negative_sampling.train(fast_V, fast_U, ids, starts, keep, windows, *rest)
    for plain_table, fast_table, old in zip((V, U), (fast_V, fast_U), before, strict=True):
        step = (plain_table - old) / TINY
        assert np.abs(step).max() > 1
        np.testing.assert_allclose((fast_table[:, :21] - old) / TINY, step, rtol=1e-4, atol=1e-4)


def test_a_text_is_its_pairs_in_order_each_with_its_own_negatives():
    rng, noise, K, rate = np.random.default_rng(3), UnigramNoise(np.arange(1, 8)), 4, 0.1
    V, U = tables(rng, 7, 5)
    expected_V, expected_U, text = V.copy(), U.copy(), text_of(rng, 7)
    plain.train_pairs(V, U, *text, columns_of_noise(noise), K, rate, np.uint64(1))
    state = 1
    for word, center in pairs_of(*text):
        negatives, state = all_negatives(noise, K, state)
        plain.train_pair(expected_V, expected_U, word, np.append(np.int32(center), negatives), rate, np.empty(5))
    np.testing.assert_array_equal(V, expected_V)
    np.testing.assert_array_equal(U, expected_U)


def test_a_pair_moves_its_rows_by_the_formulas():
    """u += η (label - σ) v for each output in turn, the second of a repeated one at where the first has left it."""
    V, U = tables(np.random.default_rng(4), 6, 3)
    expected_V, expected_U, rate, dv = V.copy(), U.copy(), 0.3, 0
    for output, label in [(2, 1), (5, 0), (1, 0), (5, 0)]:  # the 2 among the negatives is the center
        error = rate * (label - sigmoid(expected_V[4] @ expected_U[output]))
        dv = dv + error * expected_U[output]
        expected_U[output] += error * expected_V[4]
    expected_V[4] += dv
    plain.train_pair(V, U, 4, np.array([2, 5, 2, 1, 5], np.int32), rate, np.full(3, 1e3))
    np.testing.assert_allclose(V, expected_V, rtol=1e-13)
    np.testing.assert_allclose(U, expected_U, rtol=1e-13)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sigmoid_of_large_scores(dtype):
    scores = [-1e3, -30, -1, 0, 1, 30, 1e3]
    np.testing.assert_allclose([plain.sigmoid(dtype(s)) for s in scores], sigmoid(np.array(scores)), rtol=3e-7)
