"""The compiled kernels beside the gates, beside slow loops, and beside the probabilities that they draw by."""

import itertools

import numpy as np
import pytest
from scipy.stats import chi2_contingency, chisquare

from handgrad import SGD
from handgrad.graph import Parameter
from handgrad.word2vec import UnigramNoise, keep_probabilities
from handgrad.word2vec import kernels as compiled_kernels
from handgrad.word2vec.compiled import _chances
from handgrad.word2vec.kernels import (
    TARGETS,
    draw_negatives,
    draw_words,
    next_random,
    scratch,
    sigmoid_and_loss,
    sigmoid_table,
    train_block,
    train_sentences,
)
from handgrad.word2vec.objectives import NegativeSampling, SkipGram
from handgrad.word2vec.sampling import alias_table

EXACT = np.empty((0, 2))  # no table: float64 and the σ itself
FARTHEST, DIMENSIONS, MOST_NEGATIVES = 6, (1, 3, 17, 100), 7
UNLIKELY = 1e-3  # a test of chance fails below this; the seeds are fixed, so it does not fail by chance


# one block


def random_block(seed):
    """A block with all that can be odd about it, in a text of few words, so that they meet again and again."""
    rng = np.random.default_rng(seed)
    n, vocabulary, D = rng.integers(1, 15), rng.integers(2, 14), rng.choice(DIMENSIONS)
    window, K, G = rng.integers(1, FARTHEST + 1), rng.integers(0, MOST_NEGATIVES + 1), rng.integers(1, TARGETS + 1)
    words = rng.integers(0, vocabulary, n + 3).astype(np.int32)  # what comes after the n is left from another sentence
    reach = rng.integers(1 if rng.random() < 0.7 else window, window + 1, n + 3).astype(np.int32)
    G = min(G, n)
    first = rng.integers(0, n - G + 1)
    negatives = rng.integers(0, vocabulary, K).astype(np.int32)
    V, U = rng.normal(scale=rng.choice([0.3, 1, 3]) / D**0.25, size=(2, vocabulary + 2, D))
    return {
        "V": V, "U": U, "words": words, "reach": reach, "n": n, "first": first, "last": first + G,
        "farthest": window, "negatives": negatives, "rate": rng.uniform(0.01, 0.5), "table": EXACT,
    }  # fmt: skip


def windows_of(block):
    """The input words of each target, one by one."""
    words, reach, n = block["words"], block["reach"], block["n"]
    return [
        [words[j] for j in range(n) if j != i and abs(j - i) <= reach[i]] for i in range(block["first"], block["last"])
    ]


def train_by_kernel(block, garbage=1e3):
    """The step, in scratch that is full of what other blocks have left there."""
    V, U = block["V"].copy(), block["U"].copy()
    room = scratch(len(block["negatives"]), block["farthest"], V)
    for each in room:
        each[:] = np.random.default_rng(0).normal(scale=garbage, size=each.shape)
    loss, pairs = train_block(**block | {"V": V, "U": U}, A=room[0], B=room[1], E=room[2])
    return loss, pairs, V, U


def train_by_gates(block):
    """One step of plain SGD on the sum of the losses, by the gates of the objectives."""
    seen = windows_of(block)
    inputs = np.full((len(seen), max(1, *map(len, seen))), -1)
    for row, window in zip(inputs, seen, strict=True):
        row[: len(window)] = window
    targets = block["words"][block["first"] : block["last"]]
    negatives = np.tile(block["negatives"], (len(targets), 1))
    model, objective = SkipGram(), NegativeSampling()
    V, U = Parameter("V", block["V"].copy()), Parameter("U", block["U"].copy())
    losses = objective.forward(model.forward(V.value, inputs), U.value, targets, negatives)
    counted = model.predictions(inputs)
    dh, dU, *_ = objective.backward(counted.astype(np.float64))
    SGD(block["rate"]).step([V, U], {"V": model.backward(dh)[0], "U": dU})
    return losses[counted].sum(), np.count_nonzero(counted), V.value, U.value


@pytest.mark.parametrize("hundred", range(8))
def test_a_block_is_one_step_of_the_gates(hundred):
    for seed in range(100 * hundred, 100 * hundred + 100):
        block = random_block(seed)
        loss, pairs, V, U = train_by_kernel(block)
        true_loss, true_pairs, true_V, true_U = train_by_gates(block)
        assert pairs == true_pairs and loss == pytest.approx(true_loss, rel=1e-12, abs=1e-12), seed
        np.testing.assert_allclose(V, true_V, rtol=1e-12, atol=1e-12, err_msg=f"V, seed {seed}")
        np.testing.assert_allclose(U, true_U, rtol=1e-12, atol=1e-12, err_msg=f"U, seed {seed}")

        inputs = {word for window in windows_of(block) for word in window}
        outputs = {*block["words"][block["first"] : block["last"]], *block["negatives"]}
        for new, old, used in [(V, block["V"], inputs), (U, block["U"], outputs)]:
            others = [row for row in range(len(new)) if row not in used]
            assert new[others].tobytes() == old[others].tobytes(), seed


def test_the_random_blocks_hold_everything_that_is_odd():
    met = set()
    for seed in range(800):
        block = random_block(seed)
        words, negatives = block["words"][: block["n"]], list(block["negatives"])
        targets, seen = words[block["first"] : block["last"]], windows_of(block)
        met |= {("G", len(targets)), ("K", len(negatives)), ("window", block["farthest"]), ("D", block["V"].shape[1])}
        odd = {
            "at the start": block["first"] == 0,
            "at the end": block["last"] == block["n"],
            "alone": block["n"] == 1,
            "a word twice among the targets": len(set(targets)) < len(targets),
            "a word twice in a window": any(len(set(window)) < len(window) for window in seen),
            "a target in its own window": any(t in window for t, window in zip(targets, seen, strict=True)),
            "a hit": bool(set(targets) & set(negatives)),
            "a negative twice": len(set(negatives)) < len(negatives),
            "a hit twice": any(negatives.count(target) > 1 for target in targets),
            "windows of different reach": len(set(block["reach"][block["first"] : block["last"]])) > 1,
        }
        met |= {name for name, true in odd.items() if true}
    assert met >= set(odd)
    assert met >= {("G", g) for g in range(1, TARGETS + 1)} | {("window", w) for w in range(1, FARTHEST + 1)}
    assert met >= {("K", k) for k in range(MOST_NEGATIVES + 1)} | {("D", d) for d in DIMENSIONS}


def test_a_block_in_float32_with_the_table_is_near_the_exact_one():
    for seed in range(100):
        block = random_block(seed)
        _, _, V, U = train_by_kernel(block)
        single = {"V": block["V"].astype(np.float32), "U": block["U"].astype(np.float32), "table": sigmoid_table()}
        loss, pairs, V32, U32 = train_by_kernel(block | single | {"rate": np.float32(block["rate"])}, garbage=10)
        true_loss, true_pairs, *_ = train_by_gates(block)
        assert V32.dtype == U32.dtype == np.float32 and pairs == true_pairs
        assert loss == pytest.approx(true_loss, rel=2e-5, abs=1e-5)
        np.testing.assert_allclose(V32, V, rtol=2e-5, atol=2e-5)
        np.testing.assert_allclose(U32, U, rtol=2e-5, atol=2e-5)


# σ and -log σ


def sigmoids(scores, table):
    return np.array([sigmoid_and_loss(s, table) for s in scores], dtype=np.float64).T


def exact(scores):
    s = np.asarray(scores, np.float64)
    return np.exp(-np.logaddexp(0, -s)), np.logaddexp(0, -s)


def test_the_table_is_as_near_as_it_says():
    scores = np.linspace(-20, 20, 100_001, dtype=np.float32)
    sigma, loss = sigmoids(scores, sigmoid_table())
    true_sigma, true_loss = exact(scores)
    assert np.abs(sigma - true_sigma).max() < 1e-6
    assert np.abs(loss - true_loss).max() < 3e-6
    of_noise = loss + scores  # -log σ(-s) = s - log σ(s), as a block computes it for a negative
    assert np.abs(of_noise - exact(-scores)[1]).max() < 3e-6


def test_beyond_the_table_the_error_is_that_at_its_ends():
    """σ is 0 or 1 there, and -log σ is -s or 0: both are off by 1.2e-7 at ±16, and by less farther out."""
    far = np.geomspace(16, 1e4, 1000).astype(np.float32)
    for scores in (far, -far):
        sigma, loss = sigmoids(scores, sigmoid_table())
        true_sigma, true_loss = exact(scores)
        assert np.abs(sigma - true_sigma).max() < 1.2e-7 and np.abs(loss - true_loss).max() < 1.2e-7
    last = np.nextafter(np.float32(16), np.float32(0))
    for s in (last, -last):  # the last scores that are looked up
        np.testing.assert_allclose(np.ravel(sigmoids([s], sigmoid_table())), np.ravel(exact([s])), rtol=0, atol=3e-6)


def test_without_a_table_both_are_exact():
    scores = np.concatenate([np.linspace(-40, 40, 10_001), [-800.0, 0.0, 800.0]])
    np.testing.assert_allclose(sigmoids(scores, EXACT), exact(scores), rtol=1e-14, atol=0)


@pytest.mark.parametrize("table", [sigmoid_table(), EXACT], ids=["table", "exact"])
def test_what_is_no_number_stays_none(table):
    """A run whose vectors have grown too large must be seen to have failed, and must not read beside the table."""
    kind = table.dtype.type
    assert np.isnan(sigmoid_and_loss(kind(np.nan), table)[1])
    assert np.isnan(sigmoid_and_loss.py_func(kind(np.nan), table)[1])  # in Python, a wrong place would be an error
    assert np.ravel(sigmoids([kind(-np.inf)], table)).tolist() == [0, np.inf]
    assert np.ravel(sigmoids([kind(np.inf)], table)).tolist() == [1, 0]


# what chance decides


def all_words(ids, keep, windows=(5, True), state=1):
    words, reach = np.empty(len(ids), np.int32), np.empty(len(ids), np.int32)
    n, state = draw_words(np.asarray(ids, np.int32), _chances(keep), windows, np.uint64(state), words, reach)
    return words[:n], reach[:n], np.uint64(state)


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


def test_the_largest_window_that_a_configuration_allows_does_not_overflow():
    largest = 2**31 - 1
    _, reach, _ = all_words(np.zeros(100_000), [1.0], (largest, True))
    assert reach.min() >= 1 and chisquare(np.histogram(reach, 8, (1, largest))[0]).pvalue > UNLIKELY
    assert set(all_words(np.zeros(100), [1.0], (largest, False))[1]) == {largest}
    ids, starts = np.random.default_rng(0).integers(0, 9, 60).astype(np.int32), np.array([0, 25, 60])
    far, near = train(ids, starts, windows=(largest, False)), train(ids, starts, windows=(35, False))
    assert far[1] == 25 * 24 + 35 * 34 and far[0] == near[0] and far[2].tobytes() == near[2].tobytes()


def chances_of(noise):
    own, alias = alias_table(noise.probabilities)
    return _chances(own), alias


def all_negatives(noise, n, state=1):
    negatives = np.empty(n, np.int32)
    return negatives, np.uint64(draw_negatives(chances_of(noise), np.uint64(state), negatives))


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
    draw_negatives((np.zeros(2, np.uint32), np.array([1, 0], np.int32)), toss, negatives)
    column = int(next_random(toss)) >> 63
    assert negatives[0] == 1 - column


def test_a_draw_goes_on_where_the_last_one_ended():
    noise = UnigramNoise(np.arange(1, 30))
    whole, end = all_negatives(noise, 50)
    first, state = all_negatives(noise, 20)
    second, state = all_negatives(noise, 30, state)
    assert np.concatenate([first, second]).tolist() == whole.tolist() and state == end


# sentences


def train(ids, starts, windows=(3, True), K=4, keep=None, vocabulary=9, dtype=np.float64, states=(11, 12), D=7):
    """train_sentences on new vectors: loss, pairs, V, U."""
    V, U = np.random.default_rng(5).normal(size=(2, vocabulary, D)).astype(dtype)
    keep = _chances(np.ones(vocabulary) if keep is None else keep)
    noise = chances_of(UnigramNoise(np.arange(1, vocabulary + 1)))
    table = EXACT if dtype == np.float64 else sigmoid_table()
    states = [np.uint64(state) for state in states]
    loss, pairs = train_sentences(V, U, ids, starts, keep, noise, windows, K, dtype(0.05), *states, table)
    return loss, pairs, V, U


def train_slowly(ids, starts, windows, K, keep, vocabulary, dtype, states, D):
    """The same, block by block, with scratch of its own for each."""
    V, U = np.random.default_rng(5).normal(size=(2, vocabulary, D)).astype(dtype)
    noise = UnigramNoise(np.arange(1, vocabulary + 1))
    table = EXACT if dtype == np.float64 else sigmoid_table()
    state, noise_state, loss, pairs = *states, 0.0, 0
    for sentence in np.split(ids, starts[1:-1]):
        words, reach, state = all_words(sentence, keep, windows, state)
        if len(words) < 2:
            continue
        for first in range(0, len(words), TARGETS):
            negatives, noise_state = all_negatives(noise, K, noise_state)
            last = min(first + TARGETS, len(words))
            block = V, U, words, reach, len(words), first, last, len(words), negatives, dtype(0.05), table
            more, new = train_block(*block, *scratch(K, len(words), V))
            loss, pairs = loss + more, pairs + new
    return loss, pairs, V, U


@pytest.mark.parametrize("windows", [(3, True), (3, False), (50, True)])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_sentences_are_their_blocks_in_order(windows, dtype):
    lengths = [5, 0, 1, 17, 2, 0, 0, 1, 33, 4, 3, 0]
    starts = np.cumsum([0, *lengths])
    ids = np.random.default_rng(2).integers(0, 9, starts[-1]).astype(np.int32)
    settings = {"K": 4, "keep": np.linspace(0.2, 1, 9), "vocabulary": 9, "dtype": dtype, "states": (11, 12), "D": 7}
    loss, pairs, V, U = train(ids, starts, windows, **settings)
    slow_loss, slow_pairs, slow_V, slow_U = train_slowly(ids, starts, windows, **settings)
    close = {"rtol": 1e-12, "atol": 1e-12} if dtype == np.float64 else {"rtol": 1e-4, "atol": 1e-5}
    assert pairs == slow_pairs > 100
    np.testing.assert_allclose(loss, slow_loss, **close)
    np.testing.assert_allclose(V, slow_V, **close)
    np.testing.assert_allclose(U, slow_U, **close)


@pytest.mark.parametrize("lengths", [[0], [1], [0, 0], [1, 1, 0, 1]])
def test_where_no_two_words_are_together_nothing_moves(lengths):
    starts = np.cumsum([0, *lengths])
    loss, pairs, V, U = train(np.arange(starts[-1], dtype=np.int32), starts)
    begin = np.random.default_rng(5).normal(size=(2, 9, 7))
    assert (loss, pairs) == (0, 0) and V.tobytes() + U.tobytes() == begin.tobytes()


@pytest.mark.parametrize("lengths", [[2, 2], [5, 3], [1, 9, 4], [8, 8, 8]])
def test_windows_end_where_sentences_do(lengths):
    """Sentences of different words, without noise: each trains its own rows as if it were alone."""
    starts = np.cumsum([0, *lengths])
    options = {"windows": (4, False), "K": 0, "vocabulary": 30}
    ids = np.random.default_rng(0).permutation(30)[: starts[-1]].astype(np.int32)
    loss, pairs, V, U = train(ids, starts, **options)
    assert pairs == sum(sum(abs(i - j) <= 4 for i in range(n) for j in range(n) if i != j) for n in lengths)
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
    functions = [f for f in vars(compiled_kernels).values() if hasattr(f, "py_func")]
    assert len(functions) >= 9 and all(f.targetoptions.get("nogil") for f in functions)
