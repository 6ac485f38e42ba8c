from math import log

import numpy as np
import pytest

from handgrad import ComputationalGraph, Node, SigmoidCrossEntropy, SoftmaxCrossEntropy, Sum


def test_worked_values():
    loss = SoftmaxCrossEntropy().forward(np.array([[0.0, 0.0, 0.0, 0.0]]), np.array([2]))
    assert loss.tolist() == pytest.approx([log(4)])
    loss = SigmoidCrossEntropy().forward(np.array([0.0, log(3)]), np.array([1.0, 0.0]))
    assert loss.tolist() == pytest.approx([log(2), log(4)])


@pytest.mark.parametrize("label, x", [(1.0, -1e4), (0.0, 1e4)])
def test_a_confident_mistake_costs_its_score_and_pushes_with_full_force(label, x):
    gate = SigmoidCrossEntropy()
    assert gate.forward(np.array([x]), np.array([label]))[0] == 1e4
    assert abs(gate.backward(np.array([1.0]))[0][0]) == 1.0


def test_the_gradient_of_a_softmax_row_sums_to_zero_under_any_upstream():
    rng = np.random.default_rng(0)
    gate = SoftmaxCrossEntropy()
    gate.forward(rng.standard_normal((3, 6)), np.array([0, 5, 5]))
    dx, _ = gate.backward(rng.standard_normal(3))
    np.testing.assert_allclose(dx.sum(axis=1), 0, atol=1e-14)
    assert (np.abs(dx).sum(axis=1) > 0.1).all()


@pytest.mark.parametrize(
    "gate, x, labels, sentence",
    [
        (SoftmaxCrossEntropy(), np.ones((2, 3)), np.array([0, 3]), "integer labels from 0 to 2"),
        (SoftmaxCrossEntropy(), np.ones((2, 3)), np.array([0, -1]), "integer labels from 0 to 2"),
        (SoftmaxCrossEntropy(), np.ones((2, 3)), np.array([0.0, 1.0]), "integer labels from 0 to 2"),
        (
            SoftmaxCrossEntropy(),
            np.ones((2, 3)),
            np.array([0]),
            r"labels \(B,\), but got scores \(2, 3\) and labels \(1,\)",
        ),
        (SoftmaxCrossEntropy(), np.ones(3), np.array(0), r"scores \(B, V\)"),
        (SigmoidCrossEntropy(), np.ones((2, 3)), np.ones(3), "one label for each logit"),
    ],
)
def test_labels_that_do_not_fit_are_named(gate, x, labels, sentence):
    with pytest.raises(ValueError, match=sentence):
        gate.forward(x, labels)


def test_whole_labels_have_no_gradient_and_soft_ones_have():
    """In a graph, where whole logits become floats and labels stay what they are."""
    loss = SigmoidCrossEntropy()(Node("x"), Node("label"))
    graph = ComputationalGraph(Sum()(loss))
    expected = float(np.log(1 + np.exp(2.0)) + np.log(1 + np.exp(-3.0)))
    assert graph.forward(x=np.array([2, 3]), label=np.array([0, 1])) == pytest.approx(expected)
    assert set(graph.backward()) == {"x"}
    assert graph.forward(x=np.array([2, 3]), label=np.array([0.0, 1.0])) == pytest.approx(expected)
    gradients = graph.backward()
    assert gradients["label"].tolist() == [-2, -3]
    assert gradients["x"].tolist() == pytest.approx([1 / (1 + np.exp(-2)), -1 / (1 + np.exp(3))])


def test_an_empty_batch():
    gate = SoftmaxCrossEntropy()
    assert gate.forward(np.ones((0, 3)), np.array([], dtype=int)).shape == (0,)
    assert gate.backward(np.ones(0))[0].shape == (0, 3)


def test_soft_labels_are_kept_with_integer_logits():
    assert SigmoidCrossEntropy().forward(np.array([0, 0]), np.array([0.5, 0.9])).tolist() == pytest.approx([log(2)] * 2)
    gate = SigmoidCrossEntropy()
    gate.forward(np.array([0, 0]), np.array([0.5, 0.9]))
    assert gate.backward(np.ones(2))[0].tolist() == pytest.approx([0.0, -0.4])
