import numpy as np
import pytest
import torch

from handgrad import (
    SGD,
    Adagrad,
    Adam,
    ComputationalGraph,
    EmbeddingLookup,
    Momentum,
    Node,
    Parameter,
    RowSparseGradient,
    Sum,
    Tanh,
)

PAIRS = {
    "SGD": (lambda: SGD(0.1), lambda p: torch.optim.SGD(p, lr=0.1)),
    "Momentum": (lambda: Momentum(0.1, momentum=0.8), lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.8)),
    "Adagrad": (lambda: Adagrad(0.1), lambda p: torch.optim.Adagrad(p, lr=0.1)),
    "Adam": (lambda: Adam(0.1), lambda p: torch.optim.Adam(p, lr=0.1)),
    "SparseAdam": (lambda: Adam(0.1), lambda p: torch.optim.SparseAdam(p, lr=0.1)),
}


@pytest.mark.parametrize("name", ["SGD", "Momentum", "Adagrad", "Adam"])
def test_a_hundred_dense_steps_equal_torchs(name):
    make, make_torch = PAIRS[name]
    rng = np.random.default_rng(0)
    values = {"W": rng.standard_normal((3, 2)), "b": rng.standard_normal(2)}
    tensors = {key: torch.tensor(value, requires_grad=True) for key, value in values.items()}
    ours, theirs = make(), make_torch(tensors.values())
    W, b = (Parameter(key, value.copy()) for key, value in values.items())
    graph = ComputationalGraph(Sum()(Tanh()(W)), Sum()(Tanh()(b)))
    for _ in range(100):
        graph.forward()
        ours.step(graph.parameters(), graph.backward([1.0, 3.0]))
        theirs.zero_grad()
        (torch.tanh(tensors["W"]).sum() + 3 * torch.tanh(tensors["b"]).sum()).backward()
        theirs.step()
    np.testing.assert_allclose(W.value, tensors["W"].detach().numpy(), rtol=0, atol=1e-12)
    np.testing.assert_allclose(b.value, tensors["b"].detach().numpy(), rtol=0, atol=1e-12)


@pytest.mark.filterwarnings("ignore:Sparse invariant checks are implicitly disabled")  # torch's, about itself
@pytest.mark.parametrize("name", ["SGD", "Adagrad", "SparseAdam"])
def test_a_hundred_sparse_steps_equal_torchs_and_leave_other_rows_alone(name):
    make, make_torch = PAIRS[name]
    rng = np.random.default_rng(1)
    table = rng.standard_normal((6, 2))
    embedding = torch.nn.Embedding.from_pretrained(torch.tensor(table), freeze=False, sparse=True)
    ours, theirs = make(), make_torch(list(embedding.parameters()))
    parameter = Parameter("table", table.copy())
    graph = ComputationalGraph(Sum()(Tanh()(EmbeddingLookup()(parameter, Node("ids")))))
    for _ in range(100):
        ids = rng.integers(0, 4, size=5)  # repeats; rows 4 and 5 never
        graph.forward(ids=ids)
        ours.step(graph.parameters(), graph.backward())
        theirs.zero_grad()
        torch.tanh(embedding(torch.tensor(ids))).sum().backward()
        theirs.step()
    np.testing.assert_allclose(parameter.value, embedding.weight.detach().numpy(), rtol=0, atol=1e-12)
    np.testing.assert_array_equal(parameter.value[4:], table[4:])


DEFAULTS = {
    "SGD": (lambda: SGD(0.1), lambda p: torch.optim.SGD(p, lr=0.1)),
    "Momentum": (lambda: Momentum(0.1), lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9)),  # torch's has no default
    "Adagrad": (lambda: Adagrad(0.1), lambda p: torch.optim.Adagrad(p, lr=0.1)),
    "Adam": (Adam, torch.optim.Adam),
    "SparseAdam": (Adam, torch.optim.SparseAdam),
}


@pytest.mark.parametrize("name", DEFAULTS)
def test_settings_that_are_not_given_are_torchs(name):
    """Gradients of every size: an ε counts only where they are as small as it is."""
    make, make_torch = DEFAULTS[name]
    rng = np.random.default_rng(5)
    W = np.zeros((6, 2))
    tensor = torch.zeros(6, 2, dtype=torch.float64, requires_grad=True)
    ours, theirs = make(), make_torch([tensor])
    for _ in range(20):
        gradient = rng.standard_normal((6, 2)) * np.array([[1.0, 1e-4, 1e-7, 1e-8, 1e-10, 1e-11]]).T
        tensor.grad = torch.tensor(gradient)
        if name == "SparseAdam":
            tensor.grad, gradient = tensor.grad.to_sparse(1), RowSparseGradient(np.arange(6), gradient, W.shape)
        theirs.step()
        ours.update(W, gradient)
    np.testing.assert_allclose(W, tensor.detach().numpy(), rtol=1e-11, atol=0)
    assert (W != 0).all()


@pytest.mark.parametrize("make", [SGD, Momentum, Adagrad, Adam])
def test_a_setting_that_is_refused_is_named_after_its_optimizer(make):
    with pytest.raises(ValueError, match=f"^{make.__name__} expects learning_rate to be a finite number"):
        make(-1)
    with pytest.raises(ValueError, match=r"^Adam expects betas to be"):
        Adam(betas=(0.9, -1))


def test_sparse_momentum_is_lazy():
    """Each row has a momentum of its own, which neither moves nor fades while the row is not used: a loop says it."""
    rng = np.random.default_rng(2)
    W = rng.standard_normal((5, 3))
    expected, m = W.copy(), np.zeros((5, 3))
    momentum = Momentum(0.1, momentum=0.9)
    for _ in range(100):
        ids, rows = rng.integers(0, 4, size=6), rng.standard_normal((6, 3))
        momentum.update(W, RowSparseGradient(ids, rows, W.shape))
        for word in set(ids.tolist()):
            m[word] = 0.9 * m[word] + rows[ids == word].sum(axis=0)
            expected[word] -= 0.1 * m[word]
    np.testing.assert_allclose(W, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", PAIRS)
def test_untouched_rows_keep_their_bits_and_float32_stays(name):
    W = np.random.default_rng(3).standard_normal((4, 2)).astype(np.float32)
    before, optimizer = W.copy(), PAIRS[name][0]()
    for _ in range(3):
        optimizer.update(W, RowSparseGradient(np.array([2, 2]), np.ones((2, 2), np.float32), W.shape))
    np.testing.assert_array_equal(W[[0, 1, 3]], before[[0, 1, 3]])
    assert W.dtype == np.float32 and (W[2] != before[2]).all()
    assert all(a.dtype == np.float32 for a in optimizer.memory["W"].values() if isinstance(a, np.ndarray))


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


@pytest.mark.parametrize("name", PAIRS)
def test_a_gradient_of_another_shape_is_refused(name):
    W = np.ones((3, 2))
    with pytest.raises(ValueError, match=r"The gradient of W has shape \(1, 2\), but W itself \(3, 2\)"):
        PAIRS[name][0]().update(W, np.ones((1, 2)))
    assert (W == 1).all()


@pytest.mark.parametrize("wrong", [-1, np.nan, np.inf, "0.1", None, True, [0.1], 1j, 10**400])
def test_settings_that_cannot_work_are_refused(wrong):
    makes = [SGD, Momentum, Adagrad, Adam, lambda x: Momentum(0.1, x), lambda x: Adagrad(0.1, x)]
    makes += [lambda x: Adam(epsilon=x), lambda x: Adam(betas=(x, 0.9)), lambda x: Adam(betas=(0.9, x))]
    for make in makes:
        with pytest.raises(ValueError, match="to be a finite number of at least 0"):
            make(wrong)
    optimizer = SGD(0.1)
    optimizer.learning_rate = wrong
    with pytest.raises(ValueError, match="SGD expects learning_rate"):
        optimizer.update(np.ones(2), np.ones(2))


def test_limits_of_settings():
    for make in (lambda: Momentum(0.1, 1.0), lambda: Adam(betas=(0.9, 1.0)), lambda: Adam(betas=0.9)):
        with pytest.raises(ValueError, match=r"below 1|a pair of numbers"):
            make()
    assert repr(SGD(0)) == "SGD(learning_rate=0)" and SGD(np.float32(0.5)).learning_rate == 0.5
    with pytest.raises(ValueError, match="moves arrays of floats in place, but W is an array of int64"):
        SGD(0.1).update(np.ones(2, np.int64), np.ones(2))
