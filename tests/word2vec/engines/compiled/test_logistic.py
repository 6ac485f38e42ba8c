"""exp, and σ with its logarithm, beside the exact ones."""

import numpy as np
import pytest
from numba import njit

from handgrad.word2vec.engines.compiled.compiling import LANES
from handgrad.word2vec.engines.compiled.logistic import errors, exp_and_log1p


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
