import pytest

from handgrad.word2vec.text.subsampling import keep_probabilities


def test_keep_probabilities_worked_by_hand():
    # f = 4000 of N = 10^6 with t = 1e-3: tN = 1000, so (√4 + 1) · 1/4 = 3/4
    assert keep_probabilities([4000, 1000, 1], 1_000_000, 1e-3).tolist() == [0.75, 1.0, 1.0]


@pytest.mark.parametrize("threshold", [0, -1.0])
def test_no_threshold_keeps_every_word(threshold):
    assert keep_probabilities([10**6, 1], 10**6, threshold).tolist() == [1.0, 1.0]
