import numpy as np
import pytest
import torch

from handgrad import log_sigmoid, log_softmax, sigmoid, softmax
from handgrad.show import verify

POINT = {"x": np.array([2.0, -1.0]), "y": np.array([3.0, 0.5])}
UPSTREAM = np.array([0.7, -1.3])


def product(x, y):
    return x * y


def test_right_gradients_are_verified():
    result = verify("grad-product", {"x": POINT["y"] * UPSTREAM, "y": POINT["x"] * UPSTREAM}, product, POINT, UPSTREAM)
    assert result.ok and result.error < 1e-8
    assert repr(result) == "verified grad-product: x, y agree with the numerical Jacobian and torch"
    assert "hg-verified" in result._repr_html_()


def test_a_wrong_gradient_is_named_and_by_how_much():
    result = verify("grad-product", {"x": POINT["y"] * UPSTREAM, "y": POINT["x"]}, product, POINT, UPSTREAM)
    assert not result.ok
    assert repr(result).startswith("failed grad-product: y differs from the numerical Jacobian by up to 2.3")
    assert "y differs from torch" in repr(result) and "x differs" not in repr(result)
    assert "hg-failed" in result._repr_html_()


def test_without_an_upstream_the_whole_jacobian_is_meant():
    assert verify("grad-diag", {"x": np.diag(POINT["y"])}, product, POINT).ok
    assert "has shape (2,)" in repr(verify("grad-diag", {"x": POINT["y"]}, product, POINT))


def test_one_number_needs_no_upstream():
    assert repr(verify("grad-square", {"x": 6.0}, lambda x: x**2, {"x": 3.0})) == (
        "verified grad-square: x agrees with the numerical Jacobian and torch"
    )


def test_nan_is_not_agreement():
    assert not verify("grad-nan", {"x": np.nan}, lambda x: x**2, {"x": 3.0}).ok


def test_another_function_for_torch_and_integers_as_they_are():
    table, ids = np.arange(6.0).reshape(3, 2), np.array([1, 1])
    expected = np.array([[0.0, 0.0], [2.0, 2.0], [0.0, 0.0]])
    by_numpy, by_torch = lambda table, ids: np.sum(table[ids]), lambda table, ids: torch.sum(table[ids])
    assert verify("grad-rows", {"table": expected}, by_numpy, {"table": table, "ids": ids}, torch_function=by_torch).ok


@pytest.mark.filterwarnings("ignore:__array_:DeprecationWarning")  # NumPy's, when it meets a tensor
@pytest.mark.parametrize("function", [np.dot, lambda x, y: np.maximum(x, 0) @ y, lambda x, y: np.float64(3.0)])
def test_a_function_that_cannot_take_tensors_is_one_sentence_with_the_way_out(function):
    with pytest.raises(ValueError, match=r"torch_function= must say the same for tensors: (it raised|of tensors)"):
        verify("grad-x", {"x": POINT["y"]}, function, POINT)


def test_a_torch_function_that_means_something_else_fails():
    result = verify("grad-x", {"x": 6.0}, lambda x: x**2, {"x": 3.0}, torch_function=lambda x: x**3)
    assert not result.ok and "torch" in repr(result) and "numerical" not in repr(result)


def test_html_is_escaped():
    assert "<b>" not in verify("grad-<b>", {"x": 6.0}, lambda x: x**2, {"x": 3.0})._repr_html_()


def test_gradients_of_nothing_or_of_strangers_are_refused():
    for gradients in ({}, {"z": 1.0}):
        with pytest.raises(ValueError, match="expects gradients of some of x"):
            verify("grad-x", gradients, lambda x: x**2, {"x": 3.0})


def test_the_library_s_functions_take_numpy_and_torch_and_outputs_may_be_a_tuple():
    def two(x, y):
        return log_sigmoid(x * y), sigmoid(x) + y

    x, y = 0.3, -1.2
    slope = sigmoid(-x * y)
    given = {"x": [[slope * y], [sigmoid(x) * sigmoid(-x)]], "y": [[slope * x], [1.0]]}
    assert verify("grad-two", given, two, {"x": x, "y": y}).ok
    scores = np.array([0.2, -1.0, 3.0])
    assert verify("grad-softmax", {"x": softmax(scores) - [0, 1, 0]}, lambda x: -log_softmax(x)[1], {"x": scores}).ok


def test_a_verification_is_true_if_it_is_verified():
    assert verify("grad-square", {"x": 6.0}, lambda x: x**2, {"x": 3.0})
    assert not verify("grad-square", {"x": 5.0}, lambda x: x**2, {"x": 3.0})
