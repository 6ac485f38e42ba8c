"""The compiled kernels beside the gates, beside slow loops, and beside the probabilities that they draw by."""

import itertools
import os
import platform
import subprocess
import sys

import numpy as np
import pytest
from numba import njit
from scipy.stats import chi2_contingency, chisquare

from handgrad import SGD
from handgrad.graph import Parameter
from handgrad.word2vec import HuffmanTree, UnigramNoise, keep_probabilities
from handgrad.word2vec.engines.compiled import copies, draws, kernels
from handgrad.word2vec.engines.compiled.draws import (
    copied_paths,
    draw_negatives,
    draw_text,
    draw_words,
    next_random,
    paths_to,
)
from handgrad.word2vec.engines.compiled.kernels import CBOW as CBOW_MEAN
from handgrad.word2vec.engines.compiled.kernels import (
    CBOW_OF_WORD2VEC_C,
    NO_COPIES,
    SKIP_GRAM,
    TARGETS,
    find_rows,
    find_rows_beside,
    hierarchical_softmax_block,
    join,
    negative_sampling_block,
    room_for,
    train_hierarchical_softmax,
    train_negative_sampling,
    use_copies,
)
from handgrad.word2vec.engines.compiled.logistic import errors, exp_and_log1p
from handgrad.word2vec.engines.compiled.pieces import _chances, columns_of_noise
from handgrad.word2vec.engines.compiled.simd import LANES, whole_vectors
from handgrad.word2vec.objectives import CBOW, HierarchicalSoftmax, NegativeSampling, SkipGram

FARTHEST, DIMENSIONS, MOST_NEGATIVES = 6, (1, 3, 17, 100), 7
MODELS = {SKIP_GRAM: SkipGram(), CBOW_MEAN: CBOW(), CBOW_OF_WORD2VEC_C: CBOW("word2vec.c")}
WEIGHT = 0.5  # of a negative
UNLIKELY = 1e-3  # a test of chance fails below this; the seeds are fixed, so it does not fail by chance


# one block


def random_block(seed):
    """A block with all that can be odd about it, in a text of few words, so that they meet again and again."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(0, 9, rng.integers(1, 5))
    lengths[rng.integers(len(lengths))] += 1
    n, vocabulary, D = lengths.sum(), rng.integers(2, 14), rng.choice(DIMENSIONS)
    window, K, G = rng.integers(1, FARTHEST + 1), rng.integers(0, MOST_NEGATIVES + 1), rng.integers(1, TARGETS + 1)
    reach = rng.integers(1 if rng.random() < 0.7 else window, window + 1, n)
    start = np.repeat(np.cumsum(lengths) - lengths, lengths)  # of the sentence that each word is in
    begin, end = np.maximum(np.arange(n) - reach, start), np.arange(n) + reach + 1
    end = np.minimum(end, np.repeat(np.cumsum(lengths), lengths))
    G = min(G, n)
    first = rng.integers(0, n - G + 1)
    V, U = rng.normal(scale=rng.choice([0.3, 1, 3]) / D**0.25, size=(2, vocabulary + 2, D))
    return {
        "V": V, "U": U, "words": rng.integers(0, vocabulary, n).astype(np.int32), "begin": begin.astype(np.int32),
        "end": end.astype(np.int32), "first": first, "last": first + G, "reach": window,
        "negatives": rng.integers(0, vocabulary, K).astype(np.int32), "rate": rng.uniform(0.01, 0.5),
        "weight": rng.choice([1, 0.5, 0.1]),
    }  # fmt: skip


def random_paths(block, seed):
    """A block of one target, and a tree whose inner nodes are the rows of U."""
    tree = HuffmanTree(np.random.default_rng(seed).integers(0, 99, len(block["U"]) + 1))
    return block | {"last": block["first"] + 1, "tree": tree}


def path_in(block):
    """nodes and codes on the path to the target."""
    tree, target = block["tree"], block["words"][block["first"]]
    path = slice(tree.starts[target], tree.starts[target + 1])
    return tree.nodes[path], tree.codes[path]


def windows_of(block):
    """The input words of each target, one by one."""
    words, begin, end = block["words"], block["begin"], block["end"]
    return [[words[j] for j in range(begin[i], end[i]) if j != i] for i in range(block["first"], block["last"])]


def full_of_garbage(room, size):
    """Scratch as other blocks have left it."""
    for each in room[:-1]:  # the last one is an order
        each[:] = np.random.default_rng(0).normal(scale=size, size=each.shape)
    return room


def train_by_kernel(block, mean, garbage=1e3):
    """The step: loss, predictions, V and U."""
    V, U = whole_vectors(block["V"]), whole_vectors(block["U"])
    text = [block[name] for name in ("words", "begin", "end", "first")]
    rate, reach = V.dtype.type(block["rate"]), block["reach"]
    if "tree" in block:
        path = path_in(block)
        room = full_of_garbage(room_for(1, 2 * reach, len(path[0]), V), garbage)
        loss, n = hierarchical_softmax_block(V, U, *text, *path, NO_COPIES[0][1], *mean, rate, None, room)
    else:
        outputs = np.append(block["negatives"], block["words"][block["first"] : block["last"]])
        Q = len(block["negatives"]) + TARGETS
        room = full_of_garbage(room_for(TARGETS, TARGETS + 2 * reach, Q, V), garbage)
        rest = outputs, V.dtype.type(block["weight"]), *mean, rate, outputs, room
        loss, n = negative_sampling_block(V, U, *text, block["last"], *rest)
    D = block["V"].shape[1]
    assert not V[:, D:].any() and not U[:, D:].any()  # what fills up the vectors stays 0
    return loss, n, V[:, :D], U[:, :D]


def train_by_gates(block, mean):
    """One step of plain SGD on the sum of the losses, in which each negative has its weight.

    All is computed before anything is updated, so the negatives' part is what a step with them does beyond one without.
    """
    with_all = step_of_gates(block, mean)
    if "tree" in block:
        return with_all
    without = step_of_gates(block | {"negatives": block["negatives"][:0]}, mean)
    loss, n, V, U = (a + block["weight"] * (b - a) for a, b in zip(without, with_all, strict=True))
    return loss, n, V, U


def step_of_gates(block, mean):
    """The same with a weight of 1, by the gates of the objectives."""
    seen = windows_of(block)
    inputs = np.full((len(seen), max(1, *map(len, seen))), -1)
    for row, window in zip(inputs, seen, strict=True):
        row[: len(window)] = window
    targets = block["words"][block["first"] : block["last"]]
    if "tree" in block:
        objective, samples = HierarchicalSoftmax(), block["tree"].paths(targets)
    else:
        objective, samples = NegativeSampling(), (targets, np.tile(block["negatives"], (len(targets), 1)))
    model = MODELS[mean]
    V, U = Parameter("V", block["V"].copy()), Parameter("U", block["U"].copy())
    losses = objective.forward(model.forward(V.value, inputs), U.value, *samples)
    counted = model.predictions(inputs)
    dh, dU, *_ = objective.backward(counted.astype(np.float64))
    SGD(block["rate"]).step([V, U], {"V": model.backward(dh)[0], "U": dU})
    return losses[counted].sum(), np.count_nonzero(counted), V.value, U.value


def blocks(seeds):
    for seed in seeds:
        block = random_block(seed)
        yield f"seed {seed}", block
        yield f"seed {seed}, a tree", random_paths(block, seed)


@pytest.mark.parametrize("mean", MODELS)
@pytest.mark.parametrize("hundred", range(5))
def test_a_block_is_one_step_of_the_gates(hundred, mean):
    for name, block in blocks(range(100 * hundred, 100 * hundred + 100)):
        loss, n, V, U = train_by_kernel(block, mean)
        true_loss, true_n, true_V, true_U = train_by_gates(block, mean)
        assert n == true_n and loss == pytest.approx(true_loss, rel=1e-12, abs=1e-12), name
        np.testing.assert_allclose(V, true_V, rtol=1e-12, atol=1e-12, err_msg=f"V, {name}")
        np.testing.assert_allclose(U, true_U, rtol=1e-12, atol=1e-12, err_msg=f"U, {name}")
        for new, old, true in [(V, block["V"], true_V), (U, block["U"], true_U)]:
            others = (true == old).all(axis=1)
            assert (new[others] == old[others]).all(), name


def test_the_random_blocks_hold_everything_that_is_odd():
    met = set()
    for seed in range(500):
        block = random_block(seed)
        words, negatives = block["words"], list(block["negatives"])
        targets, seen = words[block["first"] : block["last"]], windows_of(block)
        met |= {("G", len(targets)), ("K", len(negatives)), ("window", block["reach"]), ("D", block["V"].shape[1])}
        met |= {("path", len(path_in(random_paths(block, seed))[0]))}
        odd = {
            "at the start": block["first"] == 0,
            "at the end": block["last"] == len(words),
            "alone": [] in seen,
            "all alone": not any(seen),
            "a word twice among the targets": len(set(targets)) < len(targets),
            "a word twice in a window": any(len(set(window)) < len(window) for window in seen),
            "a target in its own window": any(t in window for t, window in zip(targets, seen, strict=True)),
            "a hit": bool(set(targets) & set(negatives)),
            "a negative twice": len(set(negatives)) < len(negatives),
            "a hit twice": any(negatives.count(target) > 1 for target in targets),
            "two sentences": any(block["end"][i] <= i + 1 for i in range(block["first"], block["last"] - 1)),
        }
        met |= {name for name, true in odd.items() if true}
    assert met >= set(odd)
    assert met >= {("G", g) for g in range(1, TARGETS + 1)} | {("window", w) for w in range(1, FARTHEST + 1)}
    assert met >= {("K", k) for k in range(MOST_NEGATIVES + 1)} | {("D", d) for d in DIMENSIONS}
    assert met >= {("path", length) for length in range(1, 8)}


@pytest.mark.parametrize("mean", MODELS)
def test_a_block_in_float32_is_near_the_exact_one(mean):
    for name, block in blocks(range(60)):
        _, _, V, U = train_by_kernel(block, mean)
        single = {"V": block["V"].astype(np.float32), "U": block["U"].astype(np.float32)}
        loss, n, V32, U32 = train_by_kernel(block | single, mean, garbage=10)
        true_loss, true_n, *_ = train_by_gates(block, mean)
        assert V32.dtype == U32.dtype == np.float32 and n == true_n
        assert loss == pytest.approx(true_loss, rel=1e-5, abs=1e-5), name
        np.testing.assert_allclose(V32, V, rtol=1e-5, atol=1e-5, err_msg=name)
        np.testing.assert_allclose(U32, U, rtol=1e-5, atol=1e-5, err_msg=name)


AVX2 = "+avx2,+avx,+fma,+bmi,+bmi2,+lzcnt,+popcnt,+f16c,+sse,+sse2,+sse3,+ssse3,+sse4.1,+sse4.2,+cx8,+cmov,+64bit"


@pytest.mark.skipif(platform.machine().lower() not in ("x86_64", "amd64"), reason="no processor to pretend to be")
def test_with_vectors_of_256_bits_it_is_the_same(tmp_path):
    """Most processors have no larger ones: all of this module's tests of blocks, compiled for such a one."""
    narrow = {"NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": AVX2, "NUMBA_CACHE_DIR": str(tmp_path)}
    tests = [f"{__file__}::{test.__name__}" for test in (
        test_a_block_is_one_step_of_the_gates, test_a_block_in_float32_is_near_the_exact_one,
        test_in_32_bits_the_errors_are_as_small_as_they_are_said_to_be, test_a_score_becomes_its_error_and_its_loss,
    )]  # fmt: skip
    lanes = "from handgrad.word2vec.engines.compiled.simd import LANES; assert LANES == 8"
    program = f"{lanes}; import pytest; exit(pytest.main({tests}))"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")} | narrow
    ran = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout[-2000:] + ran.stderr[-2000:]


# exp, and σ with its logarithm


@njit
def exp_and_log1p_of(a):
    return exp_and_log1p(a)


def test_in_32_bits_the_errors_are_as_small_as_they_are_said_to_be():
    a = -np.concatenate([np.linspace(0, 20, 200_001), np.geomspace(20, 79, 1000)]).astype(np.float32)
    e, log = np.array([exp_and_log1p_of(each) for each in a], dtype=np.float64).T
    true = np.exp(a.astype(np.float64))
    assert np.abs(e / true - 1).max() < 5e-7
    assert np.abs(log / np.log1p(true) - 1).max() < 2e-6


def sigmoids(scores, dtype, label=1):
    """What ``errors`` makes of each score, as a pair that counts twice: 2 (label - σ(s)) and the loss."""
    found = []
    for s in scores:
        E, M = np.zeros((4, LANES), dtype), np.zeros((4, LANES), dtype)
        E[0, 0], M[0, 0] = s, 2 if label else -2
        loss = errors(E, M, 1, 1, dtype(1))
        assert not E[1:].any() and not E[0, 1:].any()  # the others do not count
        found.append((E[0, 0], loss))
    return np.array(found, dtype=np.float64).T


def exact_sigmoids(scores, label=1):
    s = np.asarray(scores, np.float64) * (1 if label else -1)
    right = 2 * np.exp(-np.logaddexp(0, s))  # 1 - σ
    return right if label else -right, 2 * np.logaddexp(0, -s)


@pytest.mark.parametrize("label", [0, 1])
def test_a_score_becomes_its_error_and_its_loss(label):
    scores = np.concatenate([np.linspace(-40, 40, 801), [-200.0, -0.0, 200.0, -1e4, 1e4]])
    np.testing.assert_allclose(sigmoids(scores, np.float64, label), exact_sigmoids(scores, label), rtol=1e-14)
    single = scores.astype(np.float32)
    np.testing.assert_allclose(
        sigmoids(single, np.float32, label), exact_sigmoids(single, label), rtol=2e-6, atol=1e-30
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_is_no_number_stays_none(dtype):
    """A run whose vectors have grown too large must be seen to have failed."""
    assert np.isnan(sigmoids([np.nan], dtype)[1]).all()
    assert sigmoids([-np.inf], dtype).T.tolist() == [[2, np.inf]]
    error, loss = sigmoids([np.inf], dtype)
    assert 0 <= error < 1e-30 and 0 <= loss < 1e-30


# what chance decides


def all_words(ids, keep, windows=(5, True), state=1):
    """The words of one sentence that are kept, how far the window of each would reach, and the generator's state."""
    words, begin, end, state = all_windows(ids, [0, len(ids)], keep, windows, state)
    right, left = end - np.arange(len(words)) - 1, np.arange(len(words)) - begin
    return words, np.maximum(left, right), state


def all_windows(ids, starts, keep, windows=(5, True), state=1):
    words, begin, end = (np.empty(len(ids), np.int32) for _ in range(3))
    starts = np.asarray(starts, np.int64)
    n, state = draw_words(
        np.asarray(ids, np.int32), starts, _chances(keep), windows, np.uint64(state), words, begin, end
    )
    return words[:n], begin[:n], end[:n], np.uint64(state)


@pytest.mark.parametrize("seed", [1, 2**63 + 12345])
def test_words_are_kept_as_often_as_their_probabilities_say(seed):
    counts = np.array([400_000, 150_000, 60_000, 20_000, 5000, 600, 40])
    keep = keep_probabilities(counts, counts.sum(), 1e-2)
    ids = np.repeat(np.arange(len(counts)), counts)
    np.random.default_rng(0).shuffle(ids)
    words, *_ = all_words(ids, keep, state=seed)
    kept, rare = np.bincount(words, minlength=len(counts)), keep == 1
    assert rare.any() and (kept[rare] == counts[rare]).all()
    p, f = keep[~rare], counts[~rare]
    z = (kept[~rare] - f * p) / np.sqrt(f * p * (1 - p))
    assert len(z) >= 4 and np.abs(z).max() < 3.5


def test_words_that_are_kept_stay_in_order_and_a_chance_of_one_keeps_all():
    ids = np.arange(5000)
    words, *_ = all_words(ids, np.full(5000, 0.5))
    assert (np.diff(words) > 0).all() and 2300 < len(words) < 2700
    np.testing.assert_array_equal(all_words(np.tile(ids, 20), np.ones(5000))[0], np.tile(ids, 20))


def test_the_generator_goes_on_from_sentence_to_sentence():
    ids, keep = np.arange(300), np.full(300, 0.6)
    words, reach, state = all_words(ids, keep, state=7)
    first = all_words(ids[:120], keep, state=7)
    second = all_words(ids[120:], keep, state=first[2])
    np.testing.assert_array_equal(np.concatenate([first[0], second[0]]), words)
    np.testing.assert_array_equal(np.concatenate([first[1], second[1]]), reach)
    assert second[2] == state
    steps = 7
    for _ in ids:
        steps = (steps * 6364136223846793005 + 1442695040888963407) % 2**64
    assert state == steps


@pytest.mark.parametrize("window", [1, 2, 3, 5, 10])
def test_a_window_reaches_each_distance_equally_often(window):
    words, reach, _ = all_words(np.random.default_rng(1).integers(0, 3, 600_000), [1.0, 0.5, 0.1], (window, True))
    assert set(reach) == set(range(1, window + 1))
    if window > 1:
        assert chisquare(np.bincount(reach)[1:]).pvalue > UNLIKELY
        for before in (words, np.append(0, reach[:-1])):  # neither the word nor the window before it tells
            table = np.zeros((max(before) + 1, window + 1))
            np.add.at(table, (before, reach), 1)
            table = table[table.sum(axis=1) > 100][:, 1:]
            assert chi2_contingency(table).pvalue > UNLIKELY


def test_windows_that_are_not_drawn_reach_as_far_as_they_can():
    assert set(all_words(np.zeros(1000), [0.5], (4, False))[1]) == {4}


def windows_by_hand(ids, starts, keep, windows, state):
    """The words that are kept, and where their windows begin and end, in Python's whole numbers."""
    words, begin, end = [], [], []
    for first, last in itertools.pairwise(starts):
        kept, reach = [], []
        for word in ids[first:last]:
            state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
            if state >> 32 <= keep[word]:
                kept.append(word)
                reach.append(1 + (state % 2**32 * windows[0] >> 32) if windows[1] else windows[0])
        n = len(kept)
        begin += [len(words) + max(i - r, 0) for i, r in enumerate(reach)]
        end += [len(words) + min(i + r + 1, n) for i, r in enumerate(reach)]
        words += kept
    return words, begin, end, state


@pytest.mark.parametrize("window", [1, 2, 5, 40, 5000, 2**31 - 1])  # the last is the largest that can be asked for
@pytest.mark.parametrize("dynamic", [True, False])
@pytest.mark.parametrize("lengths", [[3000], [1, 0, 2, 0, 0, 40, 3, 1], [0], [0, 1, 0], [7] * 30], ids=str)
def test_each_window_ends_where_its_draw_says_or_its_sentence_does(window, dynamic, lengths):
    starts = np.cumsum([0, *lengths])
    ids, keep = np.random.default_rng(len(lengths)).integers(0, 4, starts[-1]), [1.0, 0.5, 0.9, 0.0]
    found = [part.tolist() for part in all_windows(ids, starts, keep, (window, dynamic), 2**40 + 7)]
    expected = windows_by_hand(ids, starts, _chances(keep).tolist(), (window, dynamic), 2**40 + 7)
    assert found == list(expected)


@pytest.mark.parametrize("window", [1, 30, 2**31 - 1])
def test_no_window_reaches_farther_than_the_room_that_is_made_for_it(window):
    """Room for the longest sentence, not for a window that no sentence has."""
    starts = np.cumsum([0, 3, 0, 60, 7])
    text = np.arange(70, dtype=np.int32), starts, _chances(np.ones(70)), (window, True), np.uint64(3)
    words, begin, end, farthest = draw_text(*text)
    i = np.arange(len(words))
    assert max((i - begin).max(), (end - i - 1).max()) <= farthest == min(window, 60)


def test_a_window_without_end_is_as_good_as_the_sentence():
    largest = 2**31 - 1
    ids, starts = np.random.default_rng(0).integers(0, 9, 60).astype(np.int32), np.array([0, 25, 60])
    far, near = train(ids, starts, windows=(largest, False)), train(ids, starts, windows=(35, False))
    assert far[1] == 25 * 24 + 35 * 34 and far[0] == near[0] and far[2].tobytes() == near[2].tobytes()


def all_negatives(noise, n, state=1):
    negatives = np.empty(n, np.int32)
    return negatives, np.uint64(draw_negatives(columns_of_noise(noise), np.uint64(state), negatives))


@pytest.mark.parametrize("power", [0.75, 0, 1])
def test_noise_is_drawn_as_its_distribution_says(power):
    counts = 1e6 / np.arange(1, 41) ** 1.1
    counts[[7, 30]] = 0
    noise = UnigramNoise(counts, power)
    drawn, _ = all_negatives(noise, 1_000_000)
    seen, expected = np.bincount(drawn, minlength=40), 1e6 * noise.probabilities
    assert (seen[counts == 0] == 0).all()
    assert chisquare(seen[counts > 0], expected[counts > 0]).pvalue > UNLIKELY
    pairs = np.zeros((5, 5))  # a draw tells nothing of the next one
    np.add.at(pairs, (drawn[:-1] // 8, drawn[1:] // 8), 1)
    assert chi2_contingency(pairs).pvalue > UNLIKELY


def state_before(state):
    """The state after which the generator comes to this one."""
    return (state - 1442695040888963407) * pow(6364136223846793005, -1, 2**64) % 2**64


def test_what_is_certain_does_not_depend_on_the_smallest_or_the_largest_random_number():
    """One draw in four billion: a word that never occurs would slip into the noise, or one be lost that is to stay."""
    smallest, largest = state_before(0), state_before(2**64 - 1)
    assert [next_random(np.uint64(state)) for state in (smallest, largest)] == [0, 2**64 - 1]

    assert all_words([0], [1.0], state=largest)[0].tolist() == [0]
    toss = np.uint64(state_before(smallest))  # the column comes first, then the toss
    negatives = np.empty(1, np.int32)
    no_chance = np.array([1, 0], np.uint64)  # in the upper half 0, in the lower the other word
    draw_negatives(no_chance, toss, negatives)
    column = int(next_random(toss)) >> 63
    assert negatives[0] == 1 - column


def test_a_draw_goes_on_where_the_last_one_ended():
    noise = UnigramNoise(np.arange(1, 30))
    whole, end = all_negatives(noise, 50)
    first, state = all_negatives(noise, 20)
    second, state = all_negatives(noise, 30, state)
    assert np.concatenate([first, second]).tolist() == whole.tolist() and state == end


# sentences


def tables(vocabulary, D, dtype):
    return [whole_vectors(table) for table in np.random.default_rng(5).normal(size=(2, vocabulary, D)).astype(dtype)]


def settings_of(keep, vocabulary, windows, mean):
    """keep, windows, no rows with copies that would be joined after so many words, and the model."""
    return _chances(np.ones(vocabulary) if keep is None else keep), windows, ((0, 0, 0), (0, 0, 0)), 2 * TARGETS, mean


def train(
    ids, starts, windows=(3, True), K=4, keep=None, vocabulary=9, dtype=np.float64, states=(11, 12), D=7,
    mean=SKIP_GRAM, rate=0.05,
):  # fmt: skip
    """train_negative_sampling on new vectors: loss, pairs, V, U."""
    V, U = tables(vocabulary, D, dtype)
    noise, weight = columns_of_noise(UnigramNoise(np.arange(1, vocabulary + 1))), dtype(WEIGHT)
    text = ids, np.asarray(starts, np.int64), *settings_of(keep, vocabulary, windows, mean)
    states = [np.uint64(state) for state in states]
    loss, pairs = train_negative_sampling(V, U, *text, noise, K, weight, dtype(rate), *states)
    return loss, pairs, V[:, :D], U[:, :D]


def train_slowly(ids, starts, windows, K, keep, vocabulary, dtype, states, D, mean):
    """The same, block by block, with scratch of its own for each."""
    V, U = tables(vocabulary, D, dtype)
    noise = UnigramNoise(np.arange(1, vocabulary + 1))
    state, noise_state, loss, pairs = *states, 0.0, 0
    words, begin, end, state = all_windows(ids, starts, keep, windows, state)
    longest = TARGETS + K + 2 * len(words)
    for first in range(0, len(words), TARGETS):
        negatives, noise_state = all_negatives(noise, K, noise_state)
        last = min(first + TARGETS, len(words))
        outputs, room = np.append(negatives, words[first:last]), room_for(TARGETS, longest, longest, V)
        rest = outputs, dtype(WEIGHT), *mean, dtype(0.05), outputs, room
        more, new = negative_sampling_block(V, U, words, begin, end, first, last, *rest)
        loss, pairs = loss + more, pairs + new
    return loss, pairs, V[:, :D], U[:, :D]


LENGTHS = [5, 0, 1, 17, 2, 0, 0, 1, 33, 4, 3, 0]


@pytest.mark.parametrize("mean", MODELS)
@pytest.mark.parametrize("windows", [(3, True), (3, False), (50, True)])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_sentences_are_their_blocks_in_order(windows, dtype, mean):
    starts = np.cumsum([0, *LENGTHS])
    ids = np.random.default_rng(2).integers(0, 9, starts[-1]).astype(np.int32)
    settings = {"K": 4, "keep": np.linspace(0.2, 1, 9), "vocabulary": 9, "dtype": dtype, "states": (11, 12), "D": 7}
    loss, pairs, V, U = train(ids, starts, windows, mean=mean, **settings)
    slow_loss, slow_pairs, slow_V, slow_U = train_slowly(ids, starts, windows, mean=mean, **settings)
    close = {"rtol": 1e-12, "atol": 1e-12} if dtype == np.float64 else {"rtol": 1e-4, "atol": 1e-5}
    assert pairs == slow_pairs > (100 if mean == SKIP_GRAM else 30)
    np.testing.assert_allclose(loss, slow_loss, **close)
    np.testing.assert_allclose(V, slow_V, **close)
    np.testing.assert_allclose(U, slow_U, **close)


def tree_of(vocabulary):
    tree = HuffmanTree(np.arange(1, vocabulary + 1) ** 2)
    return tree.starts, tree.nodes, tree.codes


@pytest.mark.parametrize("mean", MODELS)
def test_with_a_tree_sentences_are_their_targets_in_order(mean):
    starts, tree = np.cumsum([0, *LENGTHS]), tree_of(9)
    ids = np.random.default_rng(2).integers(0, 9, starts[-1]).astype(np.int32)
    keep, windows = np.linspace(0.2, 1, 9), (3, True)
    V, U = tables(9, 7, np.float64)
    text = ids, starts, *settings_of(keep, 9, windows, mean)
    loss, n = train_hierarchical_softmax(V, U, *text, tree, 0.05, np.uint64(11))

    slow_V, slow_U = tables(9, 7, np.float64)
    words, begin, end, _ = all_windows(ids, starts, keep, windows, 11)
    slow_loss, slow_n = 0.0, 0
    for i, word in enumerate(words):
        room, path = room_for(1, 2 * len(words), 20, V), slice(tree[0][word], tree[0][word + 1])
        block = words, begin, end, i, tree[1][path], tree[2][path]
        more, new = hierarchical_softmax_block(slow_V, slow_U, *block, NO_COPIES[0][1], *mean, 0.05, None, room)
        slow_loss, slow_n = slow_loss + more, slow_n + new
    assert n == slow_n > 30 and loss == pytest.approx(slow_loss, rel=1e-12)
    np.testing.assert_allclose(V, slow_V, rtol=1e-12)
    np.testing.assert_allclose(U, slow_U, rtol=1e-12)


@pytest.mark.parametrize("mean", MODELS)
def test_what_blocks_leave_behind_does_no_harm_to_later_ones(mean):
    """Thousands of blocks of all sizes, one after another in the same scratch."""
    starts, tree, windows = np.arange(0, 6001, 20), tree_of(200), (5, True)
    ids = np.random.default_rng(0).integers(0, 200, starts[-1]).astype(np.int32)
    loss, n, V, U = train(ids, starts, windows, vocabulary=200, dtype=np.float32, mean=mean, rate=1e-4)
    V_of_tree, U_of_tree = tables(200, 7, np.float32)
    text = ids, starts, *settings_of(None, 200, windows, mean)
    rest = tree, np.float32(1e-4), np.uint64(11)
    loss_of_tree, n_of_tree = train_hierarchical_softmax(V_of_tree, U_of_tree, *text, *rest)
    assert n == n_of_tree > 5000 and 0 < loss < 100 * n and 0 < loss_of_tree < 100 * n
    assert all(np.abs(table).max() < 10 for table in (V, U, V_of_tree, U_of_tree))


def test_paths_are_found_in_the_tree_and_copied_one_after_another():
    tree, words = tree_of(9), np.array([8, 0, 3, 3], np.int32)
    (begin, end), longest = paths_to(words, tree)
    paths = [slice(*ends) for ends in zip(begin, end, strict=True)]
    assert paths == [slice(tree[0][word], tree[0][word + 1]) for word in words]
    nodes, codes, (first, last), longest_of_copies = copied_paths(words, tree)
    np.testing.assert_array_equal(nodes, np.concatenate([tree[1][path] for path in paths]))
    np.testing.assert_array_equal(codes, np.concatenate([tree[2][path] for path in paths]))
    np.testing.assert_array_equal(last - first, end - begin)
    np.testing.assert_array_equal(first[1:], last[:-1])
    assert first[0] == 0 and longest == longest_of_copies == max(end - begin)
    assert paths_to(words[:0], tree)[1] == 0


# rows that each thread has copies of


def test_rows_with_copies_are_used_where_these_are():
    rows = np.arange(9, dtype=np.int32)
    use_copies(rows, (2, 5, 30))
    assert rows.tolist() == [0, 1, 32, 33, 34, 5, 6, 7, 8]
    use_copies(rows, (2, 5, 30))  # a copy has none
    assert rows.tolist() == [0, 1, 32, 33, 34, 5, 6, 7, 8]
    use_copies(rows, NO_COPIES[0][0])
    assert rows.tolist() == [0, 1, 32, 33, 34, 5, 6, 7, 8]


def test_behind_the_rows_of_a_block_the_last_is_there_again():
    ids, rows = np.array([0, 1, 32, 33, 34, 5, 6, 7, 8], np.int32), np.zeros(12, np.intp)
    find_rows(ids, rows)
    assert rows.tolist() == [*ids, 8, 8, 8]
    for i in range(9):
        find_rows_beside(ids, i, rows)
        assert rows[:8].tolist() == [row for j, row in enumerate(ids) if j != i]
    find_rows_beside(ids[:6], 5, rows)
    assert rows[:8].tolist() == [0, 1, 32, 33, 34, 34, 34, 34]


def test_what_copies_have_learned_is_added_once():
    """Rows 2 to 4; the copies lie 10 behind them, and what these began as three more."""
    table = np.random.default_rng(0).normal(size=(20, LANES))
    before = table.copy()
    for _ in range(2):
        join(table, (2, 5, 10))
        expected = before[2:5] + (before[12:15] - before[15:18])
        for rows in (table[2:5], table[12:15], table[15:18]):
            np.testing.assert_allclose(rows, expected, rtol=1e-14)
        untouched = [*range(2), *range(5, 12), 18, 19]
        np.testing.assert_array_equal(table[untouched], before[untouched])


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


def test_everything_that_is_compiled_runs_without_the_lock():
    """Otherwise two threads would wait for each other."""
    functions = [f for module in (copies, draws, kernels) for f in vars(module).values() if hasattr(f, "py_func")]
    assert len(functions) >= 30 and all(f.targetoptions.get("nogil") for f in functions)
