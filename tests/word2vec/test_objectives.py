"""One loss, three forms: the step for one pair, the graph of gates, and the fused gate."""

import numpy as np
import pytest
import torch

from handgrad import check_gate
from handgrad.word2vec import NegativeSampling, negative_sampling_graph, negative_sampling_step


def tables(seed=0, words=8, D=4):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((words, D)), rng.standard_normal((words, D))


def batch(seed=0, B=20, K=5, words=8):
    rng = np.random.default_rng(seed)
    return rng.integers(0, words, (B, 1)), rng.integers(0, words, B), rng.integers(0, words, (B, K))


def feeds(center, outside, negatives):
    labels, weights = np.zeros((2, len(outside), 1 + negatives.shape[1]))
    labels[:, 0] = weights[:, 0] = 1
    weights[:, 1:] = negatives != outside[:, None]
    words = np.concatenate([outside[:, None], negatives], axis=1)
    return {"center": center, "words": words, "labels": labels, "weights": weights}


@pytest.mark.parametrize("seed", range(5))
def test_the_fused_gate_equals_its_graph_in_loss_and_every_gradient(seed):
    V, U = tables(seed)
    center, outside, negatives = batch(seed)
    assert (negatives == outside[:, None]).any()  # accidental hits are among them
    graph = negative_sampling_graph(V, U)
    gate = NegativeSampling()
    assert gate.forward(V, U, center, outside, negatives) == pytest.approx(
        graph.forward(feeds(center, outside, negatives))
    )
    gradients = graph.backward()
    dV, dU, *nothing = gate.backward(1.0)
    assert nothing == [None, None, None]
    np.testing.assert_allclose(dV.to_dense(), gradients["embed/V"].to_dense(), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(dU.to_dense(), gradients["embed/U"].to_dense(), rtol=1e-12, atol=1e-14)


def test_several_centers_in_a_row_are_that_many_rows_of_one_center():
    V, U = tables()
    outside, negatives = np.array([1, 6]), np.array([[2, 1, 7], [0, 0, 5]])
    wide, narrow = NegativeSampling(), NegativeSampling()
    loss = wide.forward(V, U, np.array([[3, 0, -1], [2, -1, -1]]), outside, negatives)
    rows = [0, 0, 1]
    assert loss == pytest.approx(narrow.forward(V, U, np.array([[3], [0], [2]]), outside[rows], negatives[rows]))
    for a, b in zip(wide.backward(2.0)[:2], narrow.backward(2.0)[:2], strict=True):
        np.testing.assert_allclose(a.to_dense(), b.to_dense(), rtol=1e-12, atol=1e-14)


def test_one_step_without_repeats_is_one_step_down_the_gradient():
    V, U = tables()
    before_V, before_U = V.copy(), U.copy()
    gate = NegativeSampling()
    expected_loss = gate.forward(V, U, np.array([[3]]), np.array([1]), np.array([[2, 1, 7]]))
    dV, dU, *_ = gate.backward(1.0)
    loss = negative_sampling_step(V, U, 3, 1, [2, 1, 7], learning_rate=0.1)
    assert loss == pytest.approx(expected_loss)
    np.testing.assert_allclose(V, before_V - 0.1 * dV.to_dense(), rtol=1e-12)
    np.testing.assert_allclose(U, before_U - 0.1 * dU.to_dense(), rtol=1e-12)


def test_a_repeated_negative_sees_its_updated_vector_while_the_center_waits():
    V, U = np.array([[1.0]]), np.array([[0.0], [0.0]])
    negative_sampling_step(V, U, center=0, outside=1, negatives=[0, 0], learning_rate=1.0)
    sigmoid = lambda x: 1 / (1 + np.exp(-x))  # noqa: E731
    u_first = 0.0 - sigmoid(0.0) * 1.0  # v stays 1 within the pair
    u_second = u_first - sigmoid(u_first) * 1.0
    assert U[0, 0] == pytest.approx(u_second)
    assert U[1, 0] == pytest.approx(0.5)
    assert V[0, 0] == pytest.approx(1.0 - (-0.5 * 0.0 + 0.5 * 0.0 + sigmoid(u_first) * u_first))


def test_accidental_hits_are_passed_over():
    V, U = tables()
    with_hit, without = (V.copy(), U.copy()), (V.copy(), U.copy())
    negative_sampling_step(*with_hit, 0, 1, [1, 2, 1], 0.1)
    negative_sampling_step(*without, 0, 1, [2], 0.1)
    np.testing.assert_array_equal(with_hit[0], without[0])
    np.testing.assert_array_equal(with_hit[1], without[1])


def test_the_graph_agrees_with_torch():
    V, U = tables(3)
    center, outside, negatives = batch(3)
    fed = feeds(center, outside, negatives)
    graph = negative_sampling_graph(V, U)
    loss = graph.forward(fed)
    tV, tU = torch.tensor(V, requires_grad=True), torch.tensor(U, requires_grad=True)
    score = (tV[center] * tU[fed["words"]]).sum(-1)
    sign = torch.tensor(2 * fed["labels"] - 1)
    torch_loss = -(torch.nn.functional.logsigmoid(sign * score) * torch.tensor(fed["weights"])).sum()
    torch_loss.backward()
    assert loss == pytest.approx(torch_loss.item(), rel=1e-12)
    gradients = graph.backward()
    np.testing.assert_allclose(gradients["embed/V"].to_dense(), tV.grad.numpy(), rtol=1e-10, atol=1e-13)
    np.testing.assert_allclose(gradients["embed/U"].to_dense(), tU.grad.numpy(), rtol=1e-10, atol=1e-13)


def test_its_gradient_check_is_not_fooled_by_padding_or_hits():
    V, U = tables(4)
    check_gate(
        NegativeSampling(),
        V,
        U,
        np.array([[0, -1], [0, 0], [-1, -1]]),
        np.array([1, 1, 2]),
        np.array([[1, 3], [3, 3], [0, 2]]),
    ).raise_if_wrong()


@pytest.mark.parametrize("outside, negatives", [([8], [[0]]), ([0], [[-1]]), ([0], [[99]])])
def test_ids_that_are_not_in_the_tables_are_refused(outside, negatives):
    with pytest.raises(ValueError, match="expects ids from 0 to 7"):
        NegativeSampling().forward(*tables(), np.array([[0]]), np.array(outside), np.array(negatives))


@pytest.mark.parametrize(
    "change",
    [
        {"V": np.ones((8, 5))},
        {"centers": np.array([0])},
        {"centers": np.array([[0], [1]])},
        {"negatives": np.array([0, 1])},
        {"outside": np.array([[0]])},
    ],
)
def test_shapes_that_do_not_fit_are_all_named(change):
    V, U = tables()
    right = {"V": V, "U": U, "centers": np.array([[0]]), "outside": np.array([1]), "negatives": np.array([[2]])}
    with pytest.raises(ValueError, match=r"NegativeSampling expects V and U \(vocabulary, D\).*but got"):
        NegativeSampling().forward(**right | change)


def test_only_minus_one_stands_for_no_center():
    with pytest.raises(ValueError, match="but got -2 to 0"):
        NegativeSampling().forward(*tables(), np.array([[0, -2]]), np.array([1]), np.array([[2]]))


def test_float32_tables_get_float32_gradients_from_a_float64_loss():
    V, U = (table.astype(np.float32) for table in tables())
    gate = NegativeSampling()
    loss = gate.forward(V, U, np.array([[0]]), np.array([1]), np.array([[2]]))
    assert loss.dtype == np.float64
    for gradient in gate.backward(np.float64(1.0))[:2]:
        assert gradient.coalesce()[1].dtype == np.float32
