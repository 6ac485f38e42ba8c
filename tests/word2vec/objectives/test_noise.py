import time

import numpy as np
import pytest

from handgrad.errors import InputError
from handgrad.word2vec.objectives.noise import (
    LogUniformNoise,
    NoiseDistribution,
    UniformNoise,
    UnigramNoise,
)

MILLION = 1_000_000


def too_far(times, n, p):
    """Counts that lie more than five standard errors from n p; and all of them, if together they lie too far.

    The sum of squared standardized differences has mean V - 1 and standard deviation √(2V), nearly (Pearson).
    """
    z = (times - n * p) / np.sqrt(n * p * (1 - p))
    chi_square = np.sum((times - n * p) ** 2 / (n * p))
    far = np.abs(z) > 5
    return far if abs(chi_square - len(p) + 1) < 5 * np.sqrt(2 * len(p)) else np.ones_like(far)


COUNTS = np.array([5000, 1200, 300, 300, 40, 7, 1])
NOISES = {
    "unigram": (UnigramNoise(COUNTS), COUNTS**0.75 / (COUNTS**0.75).sum()),
    "unigram, power 1": (UnigramNoise(COUNTS, 1.0), COUNTS / COUNTS.sum()),
    "unigram, power 0": (UnigramNoise(COUNTS, 0), np.full(7, 1 / 7)),
    "log-uniform": (LogUniformNoise(7), [np.log((k + 2) / (k + 1)) / np.log(8) for k in range(7)]),
    "log-uniform of 500": (LogUniformNoise(500), [np.log((k + 2) / (k + 1)) / np.log(501) for k in range(500)]),
    "uniform": (UniformNoise(7), np.full(7, 1 / 7)),
}
every_noise = pytest.mark.parametrize("noise, P", NOISES.values(), ids=NOISES)


@every_noise
def test_a_million_draws_follow_the_distribution(noise, P):
    P = np.asarray(P)
    np.testing.assert_allclose(noise.probabilities, P, rtol=1e-12)
    drawn = noise.draw(np.random.default_rng(0), (MILLION // 10, 10))
    assert drawn.shape == (MILLION // 10, 10) and drawn.dtype == np.int32
    assert drawn.min() >= 0
    assert not too_far(np.bincount(drawn.ravel(), minlength=len(P)), MILLION, P).any()


def test_that_bound_tells_neighbors_apart():
    """Were the distribution another one by a little, a million draws would show it."""
    drawn = UnigramNoise(COUNTS, 0.75).draw(np.random.default_rng(0), MILLION)
    assert too_far(np.bincount(drawn, minlength=7), MILLION, UnigramNoise(COUNTS, 0.74).probabilities).any()
    drawn = LogUniformNoise(500).draw(np.random.default_rng(0), MILLION)
    assert too_far(np.bincount(drawn, minlength=510), MILLION, LogUniformNoise(510).probabilities).any()


def test_the_alias_table_holds_each_probability_exactly():
    """Not by drawing: add up what the columns hold."""
    counts = np.random.default_rng(1).integers(1, 10_000, size=1000)
    noise = UnigramNoise(counts)
    own, alias = noise.alias_table
    held = np.bincount(alias, weights=1 - own.astype(float), minlength=1000) + own
    np.testing.assert_allclose(held / 1000, noise.probabilities, rtol=0, atol=1e-9)


def test_the_alias_table_of_a_million_words_takes_eight_megabytes_and_little_time():
    counts = np.maximum(1, 10_000_000 // np.arange(1, MILLION + 1))
    started = time.process_time()
    noise = UnigramNoise(counts)
    own, alias = noise.alias_table
    assert time.process_time() - started < 5  # 0.4 s on an idle core
    assert own.nbytes + alias.nbytes == 8 * MILLION
    held = np.bincount(alias, weights=1 - own.astype(float), minlength=MILLION) + own
    np.testing.assert_allclose(held / MILLION, noise.probabilities, rtol=1e-6)


def test_the_power_is_three_quarters_unless_told_otherwise():
    np.testing.assert_array_equal(UnigramNoise([16, 81]).probabilities, [8 / 35, 27 / 35])


def test_log_uniform_worked_by_hand():
    np.testing.assert_allclose(LogUniformNoise(3).probabilities, [1 / 2, np.log2(3 / 2) / 2, np.log2(4 / 3) / 2])
    assert LogUniformNoise(50_000).probabilities.sum() == pytest.approx(1, rel=1e-12)


class Tosses:
    """A generator whose random numbers are known."""

    def __init__(self, numbers):
        self.numbers = np.array(numbers)

    def random(self, size):
        return self.numbers


def test_log_uniform_draws_at_the_ends_of_their_intervals():
    below_one = np.nextafter(1.0, 0.0)
    starts = np.log([1.0, 2.0 + 1e-9, 3.0 + 1e-9]) / np.log(4)
    ends = np.log([2.0 - 1e-9, 3.0 - 1e-9]) / np.log(4)
    assert LogUniformNoise(3).draw(Tosses([*starts, *ends, below_one]), 6).tolist() == [0, 1, 2, 0, 1, 2]
    for V in (1, 2, 10, 49_999, 50_000, MILLION):  # at 1 it would be V, so after rounding it may be
        assert set(LogUniformNoise(V).draw(Tosses([below_one, 1.0]), 2).tolist()) <= {V - 1, 0}


def test_one_word_and_equal_words():
    rng = np.random.default_rng(2)
    for noise in (UnigramNoise([3]), LogUniformNoise(1), UniformNoise(1)):
        assert noise.draw(rng, 5).tolist() == [0] * 5
        assert noise.sample(rng, 1, [[0]]).true_expected_count.tolist() == [[1.0]]
    assert set(UnigramNoise([2, 2, 2]).draw(rng, 100).tolist()) == {0, 1, 2}


@every_noise
def test_one_seed_gives_the_same_draws(noise, P):
    first, second, other = (noise.draw(np.random.default_rng(seed), 50) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, second)
    assert (first != other).any()


@pytest.mark.parametrize("power", [0, 0.75])
@pytest.mark.parametrize("counts", [[0, 5, 3], [4, 0, 0, 1], [7, 1, 0]])
def test_an_id_without_a_count_is_never_drawn(counts, power):
    noise = UnigramNoise(counts, power)
    assert set(noise.draw(np.random.default_rng(4), 100_000).tolist()) == set(np.flatnonzero(counts).tolist())


class Written(NoiseDistribution):
    """Draws that are written down beforehand."""

    def __init__(self, probabilities, draws):
        super().__init__(np.array(probabilities))
        self.draws = list(draws)

    def draw(self, rng, shape):
        drawn, self.draws = self.draws[:shape], self.draws[shape:]
        return np.array(drawn, np.int32)


@pytest.mark.parametrize(
    "draws, m, ids, tries",
    [
        ([3, 3, 1, 3, 1, 2, 0, 0], 3, [3, 1, 2], 6),
        ([0, 1, 2, 3, 0, 0], 3, [0, 1, 2], 3),
        ([1, 1, 1, 1, 1, 1, 0, 1, 1, 1], 2, [1, 0], 7),  # found in the second lot
        ([2] * 28 + [1, 3, 0, 0], 3, [2, 1, 3], 30),  # in the fourth
        ([2], 1, [2], 1),
    ],
)
def test_tries_are_counted_as_if_drawn_one_by_one(draws, m, ids, tries):
    P = np.array([0.1, 0.2, 0.3, 0.4])
    values = Written(P, draws + [0] * 40).sample(None, m, [[0, 3]])
    assert values.ids.tolist() == ids and values.ids.dtype == np.int32
    expected = m * P if tries == m else 1 - (1 - P) ** tries
    np.testing.assert_allclose(values.sampled_expected_count, expected[ids], rtol=1e-14)
    np.testing.assert_allclose(values.true_expected_count, expected[[[0, 3]]], rtol=1e-14)


@pytest.mark.parametrize("seed", range(20))
def test_a_unique_sample_is_that_of_a_loop(seed):
    noise, m = LogUniformNoise(30), 12
    rng, drawn, tries = np.random.default_rng(seed), [], 0
    while len(drawn) < m:
        k = int(noise.draw(rng, 1)[0])
        tries += 1
        drawn += [k] * (k not in drawn)
    values = noise.sample(np.random.default_rng(seed), m, [0])
    assert values.ids.tolist() == drawn
    assert values.true_expected_count[0] == pytest.approx(1 - (1 - noise.probabilities[0]) ** tries, rel=1e-12)


def test_expected_counts_are_exact_where_one_minus_p_is_one():
    noise = UniformNoise(MILLION)
    E = noise.expected_count(np.array([5]), m=64, tries=65)
    assert E[0] == pytest.approx(65e-6 - 65 * 64 / 2 * 1e-12, rel=1e-9)  # 1 - (1 - p)^n = n p - n (n - 1) / 2 p² + …
    rare = UnigramNoise([10**18, 1], power=1)
    assert rare.expected_count(np.array([1]), 1, 3)[0] == pytest.approx(3e-18, rel=1e-12, abs=0)
    assert rare.expected_count(np.array([0]), 1, 3)[0] == 1


@every_noise
def test_expected_counts_are_those_of_a_million_draws(noise, P):
    """The mean of many samples: of m draws, and of as many draws as a unique sample took tries."""
    P, samples = np.asarray(P), 100_000
    drawn = noise.draw(np.random.default_rng(5), (samples, 10))
    ids = np.arange(len(P))
    E = noise.expected_count(ids, m=10, tries=10)
    assert not too_far(np.bincount(drawn.ravel(), minlength=len(P)), samples * 10, E / 10).any()
    came_up = np.array([(drawn == k).any(axis=1).sum() for k in range(min(len(P), 20))])
    E = noise.expected_count(ids, m=4, tries=10)[:20]  # each id counts once
    standard_error = np.sqrt(samples * E * (1 - E))
    assert (np.abs(came_up - samples * E) < 5 * standard_error + 1e-6).all()


@pytest.mark.parametrize(
    "noise", [LogUniformNoise(50_000), LogUniformNoise(1000), UnigramNoise(MILLION // np.arange(1, 1001))]
)
def test_the_expected_counts_of_unique_samples_agree_with_what_is_in_them(noise):
    """The mean of E(k) over 15,625 samples of 64, a million words, is how often k is in one: nearly, see E."""
    rng, m, samples = np.random.default_rng(6), 64, MILLION // 64
    some = np.arange(1000)
    times, E = np.zeros(len(noise.probabilities)), np.zeros(len(some))
    for _ in range(samples):
        values = noise.sample(rng, m, some)
        assert len(np.unique(values.ids)) == m
        times[values.ids] += 1
        E += values.true_expected_count

    def agrees(E):
        return np.abs(times[some] - samples * E) < 5 * np.sqrt(samples * E) + 0.01 * samples * E

    P = noise.probabilities[some]
    assert agrees(E / samples).all()
    assert not agrees(m * P).all() and not agrees(1 - (1 - P) ** m).all()  # as if no try had been thrown away


def test_labels_are_not_excluded_from_the_sample():
    noise, rng = LogUniformNoise(10), np.random.default_rng(7)
    assert any(0 in noise.sample(rng, 3, [[0]]).ids for _ in range(20))


@pytest.mark.parametrize("unique", [True, False])
@pytest.mark.parametrize("shape", [(4, 3), (4,), (0, 1), ()])
def test_expected_counts_have_the_shape_of_the_labels(unique, shape):
    ids, true, sampled = LogUniformNoise(10).sample(np.random.default_rng(8), 5, np.ones(shape, int), unique)
    assert np.shape(true) == shape and ids.shape == sampled.shape == (5,)
    assert sampled.dtype == np.float64


def test_not_unique_is_with_replacement_and_takes_m_tries():
    noise = UniformNoise(2)
    values = noise.sample(np.random.default_rng(9), 50, [[1]], unique=False)
    assert len(values.ids) == 50 and values.true_expected_count.tolist() == [[25.0]]


def test_all_ids_can_be_sampled():
    values = LogUniformNoise(200).sample(np.random.default_rng(10), 200, [[3]])
    assert sorted(values.ids.tolist()) == list(range(200))
    assert (values.sampled_expected_count <= 1).all() and values.sampled_expected_count.min() > 0.1


def test_a_unique_sample_that_never_ends_is_given_up():
    noise = UnigramNoise([10**9, 10**9, 1], power=1)
    with pytest.raises(InputError, match=r"sample of 3 ids .* only 2 came up in 1\d,\d\d\d tries.*unique=False"):
        noise.sample(np.random.default_rng(11), 3, [[0]], most_tries=10_000)


@pytest.mark.parametrize(
    "call, sentence",
    [
        (lambda: UnigramNoise([]), r"Counts must be one number for each id, .* not all zero, but they are \[\]"),
        (lambda: UnigramNoise([0, 0]), "not all zero, but they are"),
        (lambda: UnigramNoise([3, -1]), r"none negative .* but they are \[ 3. -1.\]"),
        (lambda: UnigramNoise([1.0, np.nan]), "but they are .*nan"),
        (lambda: UnigramNoise([1.0, np.inf]), "but they are .*inf"),
        (lambda: UnigramNoise([[1, 2]]), "one number for each id"),
        (lambda: UnigramNoise(5), "one number for each id"),
        (lambda: UnigramNoise([1, 2], power=-0.5), "power of the counts must be .* at least 0, but it is -0.5"),
        (lambda: UnigramNoise([1, 2], power=np.nan), "but it is nan"),
        (lambda: UnigramNoise([1, 2], power=np.inf), "but it is inf"),
        (lambda: LogUniformNoise(0), "number of ids must be an integer of at least 1, but it is 0"),
        (lambda: UniformNoise(-3), "at least 1, but it is -3"),
        (lambda: UniformNoise(2.0), "an integer of at least 1, but it is 2.0"),
    ],
)
def test_no_such_distribution(call, sentence):
    with pytest.raises(InputError, match=sentence):
        call()


@pytest.mark.parametrize("unique", [True, False])
@pytest.mark.parametrize(
    "m, labels, sentence",
    [
        (0, [[1]], "m, must be an integer of at least 1, but it is 0"),
        (-5, [[1]], "at least 1, but it is -5"),
        (2.0, [[1]], "an integer of at least 1, but it is 2.0"),
        (2, [[4]], "expects integer labels from 0 to 3, but got 4 to 4"),
        (2, [[-1]], "expects integer labels from 0 to 3, but got -1 to -1"),
        (2, [[1.0]], "expects integer labels from 0 to 3, but got values of type float64"),
        (2, [[1, 0]], "Id 0 has probability 0: .* give it a count above 0"),
    ],
)
def test_no_such_sample(m, labels, sentence, unique):
    with pytest.raises(InputError, match=sentence):
        UnigramNoise([0, 4, 2, 1]).sample(np.random.default_rng(12), m, labels, unique)


def test_more_different_ids_than_can_be_drawn():
    with pytest.raises(InputError, match="sample of 4 ids was asked for, but only 3 can be drawn"):
        UnigramNoise([0, 4, 2, 1]).sample(np.random.default_rng(13), 4, [[1]])
    with pytest.raises(InputError, match="sample of 6 ids was asked for, but only 5 can be drawn"):
        LogUniformNoise(5).sample(np.random.default_rng(13), 6, [[1]])
    assert len(LogUniformNoise(5).sample(np.random.default_rng(13), 6, [[1]], unique=False).ids) == 6


def test_a_distribution_of_ones_own_must_say_how_to_draw():
    with pytest.raises(NotImplementedError, match="NoiseDistribution cannot draw: define draw"):
        NoiseDistribution(np.ones(1)).draw(np.random.default_rng(14), 1)
