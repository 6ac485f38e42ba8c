"""The step for one pair, and what makes negative sampling different from any yes-or-no question."""

import numpy as np
import pytest

from handgrad.word2vec import NegativeSampling, SkipGram, negative_sampling_step


def tables(seed=0, words=8, D=4):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((words, D)), rng.standard_normal((words, D))


def test_one_step_without_repeats_is_one_step_down_the_gradient_of_the_gates():
    V, U = tables()
    before_V, before_U = V.copy(), U.copy()
    model, gate = SkipGram(), NegativeSampling()
    losses = gate.forward(model.forward(V, np.array([[3]])), U, np.array([1]), np.array([[2, 6, 7]]))
    dh, dU, *_ = gate.backward(np.ones((1, 1)))
    dV, _ = model.backward(dh)
    loss = negative_sampling_step(V, U, 3, 1, [2, 6, 7], learning_rate=0.1)
    assert loss == pytest.approx(losses.sum())
    np.testing.assert_allclose(V, before_V - 0.1 * dV.to_dense(), rtol=1e-12)
    np.testing.assert_allclose(U, before_U - 0.1 * dU.to_dense(), rtol=1e-12)


def test_a_repeated_negative_sees_its_updated_vector_while_the_center_waits():
    V, U = np.array([[1.0]]), np.array([[0.0], [0.0]])
    negative_sampling_step(V, U, center=0, context=1, negatives=[0, 0], learning_rate=1.0)
    sigmoid = lambda x: 1 / (1 + np.exp(-x))  # noqa: E731
    u_first = 0.0 - sigmoid(0.0) * 1.0  # v stays 1 within the pair
    u_second = u_first - sigmoid(u_first) * 1.0
    assert U[0, 0] == pytest.approx(u_second)
    assert U[1, 0] == pytest.approx(0.5)
    assert V[0, 0] == pytest.approx(1.0 - (-0.5 * 0.0 + 0.5 * 0.0 + sigmoid(u_first) * u_first))


def test_accidental_hits_are_passed_over_by_the_step():
    V, U = tables()
    with_hit, without = (V.copy(), U.copy()), (V.copy(), U.copy())
    negative_sampling_step(*with_hit, 0, 1, [1, 2, 1], 0.1)
    negative_sampling_step(*without, 0, 1, [2], 0.1)
    np.testing.assert_array_equal(with_hit[0], without[0])
    np.testing.assert_array_equal(with_hit[1], without[1])


def test_accidental_hits_are_passed_over_by_the_gate():
    V, U = tables()
    with_hit, without = NegativeSampling(), NegativeSampling()
    h = V[[[0], [3]]]
    loss = with_hit.forward(h, U, np.array([1, 5]), np.array([[1, 2], [5, 5]]))
    np.testing.assert_allclose(loss[:1], without.forward(h[:1], U, np.array([1]), np.array([[2]])), rtol=1e-12)
    np.testing.assert_allclose(loss[1, 0], np.log1p(np.exp(-U[5] @ V[3])), rtol=1e-12)  # nothing but the target is left


def test_no_negatives_at_all_leave_the_target():
    V, U = tables()
    loss = NegativeSampling().forward(V[[[0]]], U, np.array([1]), np.empty((1, 0), np.int32))
    np.testing.assert_allclose(loss[0, 0], np.log1p(np.exp(-U[1] @ V[0])), rtol=1e-12)


@pytest.mark.parametrize("targets, negatives", [([[1]], [[2]]), ([1], [2]), ([1, 2], [[2]])])
def test_targets_and_negatives_that_do_not_fit_are_named(targets, negatives):
    V, U = tables()
    with pytest.raises(ValueError, match=r"expects targets \(B,\) and negatives \(B, K\), but got \("):
        NegativeSampling().forward(V[[[0]]], U, np.array(targets), np.array(negatives))
