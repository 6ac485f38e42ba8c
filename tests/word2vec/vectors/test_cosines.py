"""Cosines stay within [-1, 1], and that of a vector with itself is exactly 1 (scikit-learn #18122)."""

import hypothesis
import hypothesis.extra.numpy as arrays
import numpy as np
import pytest

from handgrad.errors import InputError
from handgrad.word2vec import KeyedVectors
from handgrad.word2vec.vectors.cosines import cosine

NUMBERS = hypothesis.strategies.floats(-1e300, 1e300)


@pytest.fixture(scope="module")
def near():
    """2,000 random vectors, their multiples, and one of zeros."""
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((1000, 50), dtype=np.float32)
    rows = np.concatenate(
        [rows, rows * rng.uniform(-3, 3, (1000, 1)).astype(np.float32), np.zeros((1, 50), np.float32)]
    )
    return KeyedVectors([f"w{i}" for i in range(len(rows))], rows)


def test_a_word_is_as_near_to_itself_as_can_be(near):
    words = near.index_to_key[:-1]
    assert {near.similarity(word, word) for word in words} == {1.0}
    assert {near.distance(word, word) for word in words} == {0.0}
    assert {near.distances(word)[i] for i, word in enumerate(words[:100])} == {0.0}
    assert {near.distances(word, [word])[0] for word in words[:100]} == {0.0}
    assert near.n_similarity(words[:7], words[:7]) == 1.0


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_no_cosine_is_beyond_one_and_no_distance_below_zero(near, dtype):
    vectors = KeyedVectors(near.index_to_key, near.vectors.astype(dtype))
    for i in range(200):
        word, other = f"w{i}", f"w{i + 1000}"  # a multiple of it, with either sign
        assert abs(vectors.similarity(word, other)) <= 1
        distances = vectors.distances(word)
        assert distances.min() >= 0 and distances.max() <= 2
        assert (vectors.distances(word, [other]) >= 0).all()
        assert np.abs(vectors.most_similar(word, topn=None)).max() <= 1
        assert all(abs(near) <= 1 for _, near in vectors.most_similar([word], topn=3))
    assert np.abs(KeyedVectors.cosine_similarities(vectors["w0"], vectors.vectors)).max() <= 1
    assert vectors.most_similar_cosmul("w0", "w1", topn=None).min() >= 0
    assert all(abs(score) <= 1 for score, _ in vectors.rank_by_centrality(["w0", "w1000", "w1"]))


@pytest.mark.parametrize("factor", [3.0, -3.0, 0.7, -0.7])
def test_multiples_are_never_nearer_or_farther_than_a_word_and_its_negative(factor):
    rng = np.random.default_rng(1)
    for dimension in (2, 3, 20, 100):
        cosines = [cosine(x, factor * x) for x in rng.standard_normal((300, dimension))]
        assert np.abs(cosines).max() <= 1 and np.abs(cosines).min() > 1 - 1e-15


def test_a_vector_of_zeros_has_cosine_0_with_all_and_itself(near):
    zeros = near.index_to_key[-1]
    assert near.similarity(zeros, zeros) == near.similarity(zeros, "w0") == 0
    assert near.distance(zeros, zeros) == near.distances(zeros)[-1] == 1
    assert set(near.distances(zeros)) == {1.0} and near.n_similarity([zeros], ["w0"]) == 0


@hypothesis.given(arrays.arrays(np.float64, 3, elements=NUMBERS), arrays.arrays(np.float64, 3, elements=NUMBERS))
def test_for_any_numbers(x, y):
    assert -1 <= cosine(x, y) <= 1
    assert cosine(x, x) == (1 if x.any() else 0)
    assert cosine(x, y) == cosine(y, x)


@pytest.mark.parametrize("scale", [1e-300, 1e-45, 1, 1e38, 1e300])
def test_large_and_small_numbers_have_the_same_cosine(scale):
    assert cosine(np.array([3.0, 4.0]) * scale, np.array([4.0, 3.0]) * scale) == pytest.approx(0.96)


def test_a_vector_that_is_no_vector_is_named():
    vectors = KeyedVectors(["a", "b"], [[1.0, 2.0], [np.nan, 1.0]])
    for call in (vectors.similarity, vectors.distance):
        with pytest.raises(InputError, match="vector of 'b' has a number that is NaN"):
            call("a", "b")


def test_float16_has_neighbors_though_its_squares_overflow():
    rows = np.array([[300, 1], [299, 2], [-300, 1]], dtype=np.float16)
    assert KeyedVectors(["a", "b", "c"], rows).most_similar("a", topn=1) == [("b", pytest.approx(1, abs=1e-4))]
