import numpy as np

from handgrad.word2vec import window_centers


def pairs_by_loop(ids, sentence_of, reach):
    """The specification, one position at a time."""
    for i in range(len(ids)):
        for j in range(max(0, i - reach[i]), min(len(ids), i + reach[i] + 1)):
            if j != i and sentence_of[i] == sentence_of[j]:
                yield i, ids[j]


def test_rows_hold_exactly_the_neighbors_within_reach_and_sentence():
    rng = np.random.default_rng(0)
    ids = rng.integers(0, 50, size=200)
    sentence_of = np.sort(rng.integers(0, 30, size=200))
    reach = rng.integers(1, 5, size=200)
    rows = window_centers(ids, sentence_of, 0, 200, reach, 4)
    assert rows.shape == (200, 8)
    found = [(i, c) for i, row in enumerate(rows) for c in row if c >= 0]
    assert found == list(pairs_by_loop(ids, sentence_of, reach))


def test_a_batch_is_a_slice_of_the_whole():
    ids, sentence_of, reach = np.arange(20), np.zeros(20, int), np.full(20, 2)
    whole = window_centers(ids, sentence_of, 0, 20, reach, 2)
    np.testing.assert_array_equal(window_centers(ids, sentence_of, 7, 12, reach, 2), whole[7:12])


def test_a_sentence_of_one_word_has_no_neighbors():
    assert (window_centers(np.array([3]), np.array([0]), 0, 1, np.array([2]), 2) == -1).all()
