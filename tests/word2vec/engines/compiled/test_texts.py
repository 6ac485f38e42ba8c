"""A text that the compiled engine learns, beside its blocks one by one."""

import itertools

import numpy as np
import pytest
from compiled_draws import all_negatives, all_windows

from handgrad.word2vec import HuffmanTree, UnigramNoise
from handgrad.word2vec.engines.compiled import hierarchical_softmax, negative_sampling, steps
from handgrad.word2vec.engines.compiled.aligned import aligned_table
from handgrad.word2vec.engines.compiled.draws import chances, columns_of_noise
from handgrad.word2vec.engines.compiled.negative_sampling import TARGETS, Noise
from handgrad.word2vec.engines.compiled.steps import workspace_for
from handgrad.word2vec.engines.compiled.thread_copies import NO_COPIES

MODELS = steps.SKIP_GRAM, steps.CBOW, steps.CBOW_OF_WORD2VEC_C
WEIGHT = 0.5  # of a negative
STATES = np.uint64(11), np.uint64(12)  # of the generators for words and for noise


def tree_of(vocabulary):
    tree = HuffmanTree(np.arange(1, vocabulary + 1) ** 2)
    return tree.starts, tree.nodes, tree.codes


def tables(vocabulary, D, dtype):
    return [aligned_table(table) for table in np.random.default_rng(5).normal(size=(2, vocabulary, D)).astype(dtype)]


def settings_of(keep, vocabulary, windows, model):
    """keep, windows, no rows with copies that would be joined after so many words, and the model."""
    return chances(np.ones(vocabulary) if keep is None else keep), windows, NO_COPIES[0], 2 * TARGETS, model


def train(
    ids, starts, windows=(3, True), K=4, keep=None, vocabulary=9, dtype=np.float64, states=(11, 12), D=7,
    model=steps.SKIP_GRAM, rate=0.05,
):  # fmt: skip
    """Negative sampling on new vectors: loss, pairs, V, U."""
    V, U = tables(vocabulary, D, dtype)
    noise = Noise(columns_of_noise(UnigramNoise(np.arange(1, vocabulary + 1))), K, dtype(WEIGHT))
    text = ids, np.asarray(starts, np.int64), *settings_of(keep, vocabulary, windows, model)
    states = [np.uint64(state) for state in states]
    loss, pairs = negative_sampling.train(V, U, *text, noise, dtype(rate), *states)
    return loss, pairs, V[:, :D], U[:, :D]


def train_slowly(ids, starts, windows, K, keep, vocabulary, dtype, states, D, model):
    """The same, block by block, with a workspace of its own for each."""
    V, U = tables(vocabulary, D, dtype)
    noise = UnigramNoise(np.arange(1, vocabulary + 1))
    state, noise_state, loss, pairs = *states, 0.0, 0
    words, begin, end, state = all_windows(ids, starts, keep, windows, state)
    longest = TARGETS + K + 2 * len(words)
    for first in range(0, len(words), TARGETS):
        negatives, noise_state = all_negatives(noise, K, noise_state)
        last = min(first + TARGETS, len(words))
        outputs, workspace = np.append(negatives, words[first:last]), workspace_for(TARGETS, longest, longest, V)
        rest = outputs, dtype(WEIGHT), *model, dtype(0.05), outputs, workspace
        more, new = negative_sampling.learn_block(V, U, words, begin, end, first, last, *rest)
        loss, pairs = loss + more, pairs + new
    return loss, pairs, V[:, :D], U[:, :D]


LENGTHS = [5, 0, 1, 17, 2, 0, 0, 1, 33, 4, 3, 0]


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("windows", [(3, True), (3, False), (50, True)])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_sentences_are_their_blocks_in_order(windows, dtype, model):
    starts = np.cumsum([0, *LENGTHS])
    ids = np.random.default_rng(2).integers(0, 9, starts[-1]).astype(np.int32)
    settings = {"K": 4, "keep": np.linspace(0.2, 1, 9), "vocabulary": 9, "dtype": dtype, "states": (11, 12), "D": 7}
    loss, pairs, V, U = train(ids, starts, windows, model=model, **settings)
    slow_loss, slow_pairs, slow_V, slow_U = train_slowly(ids, starts, windows, model=model, **settings)
    close = {"rtol": 1e-12, "atol": 1e-12} if dtype == np.float64 else {"rtol": 1e-4, "atol": 1e-5}
    assert pairs == slow_pairs > (100 if model == steps.SKIP_GRAM else 30)
    np.testing.assert_allclose(loss, slow_loss, **close)
    np.testing.assert_allclose(V, slow_V, **close)
    np.testing.assert_allclose(U, slow_U, **close)


@pytest.mark.parametrize("model", MODELS)
def test_with_a_tree_sentences_are_their_targets_in_order(model):
    starts, tree = np.cumsum([0, *LENGTHS]), tree_of(9)
    ids = np.random.default_rng(2).integers(0, 9, starts[-1]).astype(np.int32)
    keep, windows = np.linspace(0.2, 1, 9), (3, True)
    V, U = tables(9, 7, np.float64)
    text = ids, starts, *settings_of(keep, 9, windows, model)
    loss, n = hierarchical_softmax.train(V, U, *text, tree, 0.05, *STATES)

    slow_V, slow_U = tables(9, 7, np.float64)
    words, begin, end, _ = all_windows(ids, starts, keep, windows, 11)
    slow_loss, slow_n = 0.0, 0
    for i, word in enumerate(words):
        workspace, path = workspace_for(1, 2 * len(words), 20, V), slice(tree[0][word], tree[0][word + 1])
        block = words, begin, end, i, tree[1][path], tree[2][path], NO_COPIES[0][1], *model
        ahead = tree[1][path].astype(np.intp)
        more, new = hierarchical_softmax.learn_block(slow_V, slow_U, *block, 0.05, ahead, workspace)
        slow_loss, slow_n = slow_loss + more, slow_n + new
    assert n == slow_n > 30 and loss == pytest.approx(slow_loss, rel=1e-12)
    np.testing.assert_allclose(V, slow_V, rtol=1e-12)
    np.testing.assert_allclose(U, slow_U, rtol=1e-12)


@pytest.mark.parametrize("model", MODELS)
def test_what_blocks_leave_behind_does_no_harm_to_later_ones(model):
    """Thousands of blocks of all sizes, one after another in the same workspace."""
    starts, tree, windows = np.arange(0, 6001, 20), tree_of(200), (5, True)
    ids = np.random.default_rng(0).integers(0, 200, starts[-1]).astype(np.int32)
    loss, n, V, U = train(ids, starts, windows, vocabulary=200, dtype=np.float32, model=model, rate=1e-4)
    V_of_tree, U_of_tree = tables(200, 7, np.float32)
    text = ids, starts, *settings_of(None, 200, windows, model)
    rest = tree, np.float32(1e-4), *STATES
    loss_of_tree, n_of_tree = hierarchical_softmax.train(V_of_tree, U_of_tree, *text, *rest)
    assert n == n_of_tree > 5000 and 0 < loss < 100 * n and 0 < loss_of_tree < 100 * n
    assert all(np.abs(table).max() < 10 for table in (V, U, V_of_tree, U_of_tree))


def test_a_window_without_end_is_as_good_as_the_sentence():
    largest = 2**31 - 1
    ids, starts = np.random.default_rng(0).integers(0, 9, 60).astype(np.int32), np.array([0, 25, 60])
    far, near = train(ids, starts, windows=(largest, False)), train(ids, starts, windows=(35, False))
    assert far[1] == 25 * 24 + 35 * 34 and far[0] == near[0] and far[2].tobytes() == near[2].tobytes()


@pytest.mark.parametrize("lengths", [[0], [1], [0, 0], [1, 1, 0, 1]])
def test_where_no_two_words_are_together_nothing_moves(lengths):
    starts = np.cumsum([0, *lengths])
    loss, pairs, V, U = train(np.arange(starts[-1], dtype=np.int32), starts)
    begin = np.random.default_rng(5).normal(size=(2, 9, 7))
    assert (loss, pairs) == (0, 0) and V.tobytes() + U.tobytes() == begin.tobytes()


@pytest.mark.parametrize("lengths", [[2, 2], [5, 3], [1, 9, 4], [8, 8, 8], [5, 10, 15]])
def test_windows_end_where_sentences_do(lengths):
    """Sentences of different words, without noise: each trains its own rows as if it were alone.

    A block goes on from one sentence into the next, so alone a sentence is cut into other blocks; with a rate this
    small it makes no difference which targets are learned at a time.
    """
    starts = np.cumsum([0, *lengths])
    options = {"windows": (4, False), "K": 0, "vocabulary": 30, "rate": 1e-7}
    ids = np.random.default_rng(0).permutation(30)[: starts[-1]].astype(np.int32)
    loss, pairs, V, U = train(ids, starts, **options)
    assert pairs == sum(sum(abs(i - j) <= 4 for i in range(n) for j in range(n) if i != j) for n in lengths)
    alone = [train(ids[a:b], np.array([0, b - a]), **options) for a, b in itertools.pairwise(starts)]
    assert loss == pytest.approx(sum(each[0] for each in alone), rel=1e-6)
    old_V, old_U = (table[:, :7] for table in tables(30, 7, np.float64))
    for (a, b), each in zip(itertools.pairwise(starts), alone, strict=True):
        rows = ids[a:b]
        np.testing.assert_allclose((V - old_V)[rows], (each[2] - old_V)[rows], rtol=1e-4, atol=1e-13)
        np.testing.assert_allclose((U - old_U)[rows], (each[3] - old_U)[rows], rtol=1e-4, atol=1e-13)
        assert b - a == 1 or (np.abs(V - old_V)[rows] > 1e-9).any(axis=1).all()


@pytest.mark.parametrize("lengths", [[TARGETS, 2 * TARGETS], [3 * TARGETS, TARGETS, TARGETS]])
def test_sentences_of_whole_blocks_are_trained_as_if_alone(lengths):
    starts = np.cumsum([0, *lengths])
    assert not (starts % TARGETS).any()
    options = {"windows": (4, False), "K": 0, "vocabulary": 30}
    ids = np.random.default_rng(0).permutation(30)[: starts[-1]].astype(np.int32)
    loss, _, V, U = train(ids, starts, **options)
    alone = [train(ids[a:b], np.array([0, b - a]), **options) for a, b in itertools.pairwise(starts)]
    assert loss == pytest.approx(sum(each[0] for each in alone), rel=1e-12)
    for (a, b), each in zip(itertools.pairwise(starts), alone, strict=True):
        np.testing.assert_allclose(V[ids[a:b]], each[2][ids[a:b]], rtol=1e-12)
        np.testing.assert_allclose(U[ids[a:b]], each[3][ids[a:b]], rtol=1e-12)


def test_noise_and_words_come_from_generators_of_their_own():
    ids, starts = np.random.default_rng(3).integers(0, 9, 40).astype(np.int32), np.array([0, 40])
    options = {"keep": np.full(9, 0.6)}
    one, other_noise, other_words = (train(ids, starts, states=s, **options) for s in [(1, 2), (1, 3), (4, 2)])
    assert one[1] == other_noise[1] and one[0] != other_noise[0]  # the same windows, other negatives
    assert one[1] != other_words[1]
    without = [train(ids, starts, K=0, states=s, **options)[2] for s in [(1, 2), (1, 3)]]
    assert without[0].tobytes() == without[1].tobytes()
