import numpy as np
import torch

from handgrad import SGD, ComputationalGraph, EmbeddingLookup, Node, Parameter, RowSparseGradient, Sum, Tanh


def test_a_hundred_dense_steps_equal_torchs():
    W = np.random.default_rng(0).standard_normal((3, 2))
    tensor = torch.tensor(W, requires_grad=True)
    reference = torch.optim.SGD([tensor], lr=0.1)
    parameter = Parameter("W", W.copy())
    graph = ComputationalGraph(Sum()(Tanh()(parameter)))
    for _ in range(100):
        graph.forward()
        SGD(0.1).step(graph.parameters(), graph.backward())
        reference.zero_grad()
        torch.tanh(tensor).sum().backward()
        reference.step()
    np.testing.assert_allclose(parameter.value, tensor.detach().numpy(), rtol=0, atol=1e-12)


def test_a_hundred_sparse_steps_equal_torchs_and_leave_other_rows_alone():
    rng = np.random.default_rng(1)
    table = rng.standard_normal((6, 2))
    embedding = torch.nn.Embedding.from_pretrained(torch.tensor(table), freeze=False, sparse=True)
    reference = torch.optim.SGD(embedding.parameters(), lr=0.1)
    parameter = Parameter("table", table.copy())
    graph = ComputationalGraph(Sum()(Tanh()(EmbeddingLookup()(parameter, Node("ids")))))
    for _ in range(100):
        ids = rng.integers(0, 4, size=5)  # repeats; rows 4 and 5 never
        graph.forward(ids=ids)
        SGD(0.1).step(graph.parameters(), graph.backward())
        reference.zero_grad()
        torch.tanh(embedding(torch.tensor(ids))).sum().backward()
        reference.step()
    np.testing.assert_allclose(parameter.value, embedding.weight.detach().numpy(), rtol=0, atol=1e-12)
    np.testing.assert_array_equal(parameter.value[4:], table[4:])


def test_a_parameter_without_a_gradient_stays():
    W = np.ones(2)
    SGD(1.0).step([Parameter("W", W)], {})
    assert W.tolist() == [1.0, 1.0]


def test_the_update_is_in_place_and_sums_repeated_rows():
    W = np.zeros((3, 1))
    SGD(0.5).update(W, RowSparseGradient(np.array([2, 2]), np.ones((2, 1)), (3, 1)))
    assert W.ravel().tolist() == [0.0, 0.0, -1.0]


def test_a_parameter_that_is_a_number_or_integers_can_be_trained():
    for value in (1.0, np.array([1, 1])):
        parameter = Parameter("w", value)
        SGD(0.5).step([parameter], {"w": np.ones(np.shape(value))})
        np.testing.assert_array_equal(parameter.value, np.full(np.shape(value), 0.5))
