import numpy as np
import pytest

from handgrad.word2vec import NoiseDistribution, keep_probabilities


def test_keep_probabilities_worked_by_hand():
    # f = 4000 of N = 10^6 with t = 1e-3: tN = 1000, so (√4 + 1) · 1/4 = 3/4
    assert keep_probabilities([4000, 1000, 1], 1_000_000, 1e-3).tolist() == [0.75, 1.0, 1.0]


@pytest.mark.parametrize("threshold", [0, -1.0])
def test_no_threshold_keeps_every_word(threshold):
    assert keep_probabilities([10**6, 1], 10**6, threshold).tolist() == [1.0, 1.0]


@pytest.mark.parametrize("power", [0.0, 0.75, 1.0])
def test_a_million_draws_follow_the_distribution(power):
    counts = np.array([5000, 1200, 300, 300, 40, 7, 1])
    noise = NoiseDistribution(counts, power)
    expected = counts**power / (counts**power).sum()
    np.testing.assert_allclose(noise.probabilities, expected, rtol=1e-12)
    n = 1_000_000
    drawn = np.bincount(noise.draw(np.random.default_rng(0), (n // 10, 10)).ravel(), minlength=7)
    standard_error = np.sqrt(n * expected * (1 - expected))
    assert (np.abs(drawn - n * expected) < 5 * standard_error).all()


def test_the_alias_table_holds_each_probability_exactly():
    """Not by drawing: add up what the columns hold."""
    counts = np.random.default_rng(1).integers(1, 10_000, size=1000)
    noise = NoiseDistribution(counts)
    held = np.bincount(noise._alias, weights=1 - noise._threshold.astype(float), minlength=1000) + noise._threshold
    np.testing.assert_allclose(held / 1000, noise.probabilities, rtol=0, atol=1e-9)


def test_the_power_is_three_quarters_unless_told_otherwise():
    np.testing.assert_array_equal(NoiseDistribution([16, 81]).probabilities, [8 / 35, 27 / 35])


def test_one_word_and_equal_words():
    rng = np.random.default_rng(2)
    assert NoiseDistribution([3]).draw(rng, 5).tolist() == [0] * 5
    assert set(NoiseDistribution([2, 2, 2]).draw(rng, 100).tolist()) == {0, 1, 2}


def test_one_seed_gives_the_same_draws():
    noise = NoiseDistribution([5, 3, 1])
    first = noise.draw(np.random.default_rng(3), 50)
    assert first.dtype == np.int32
    np.testing.assert_array_equal(first, noise.draw(np.random.default_rng(3), 50))
