import pytest
import torch

from handgrad import Multiply, Sum, as_torch_function


def test_each_call_has_a_gate_of_its_own():
    multiply = as_torch_function(Multiply)
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    (multiply(multiply(x, x), x)).sum().backward()  # x³
    assert x.grad.tolist() == [3.0, 12.0]


def test_a_gate_with_settings_and_float32():
    x = torch.ones(2, 3, requires_grad=True)
    z = as_torch_function(lambda: Sum(axis=0))(x)
    assert z.dtype == torch.float32 and z.tolist() == [2.0, 2.0, 2.0]
    z.sum().backward()
    assert x.grad.dtype == torch.float32 and x.grad.tolist() == [[1.0] * 3] * 2


def test_an_input_that_was_changed_in_place_is_noticed():
    x, y = torch.tensor(3.0, requires_grad=True), torch.tensor(2.0)
    z = as_torch_function(Multiply)(x, y)
    y.mul_(10)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        z.backward()


def test_a_second_derivative_is_refused_not_wrong():
    x = torch.tensor(2.0, requires_grad=True)
    z = as_torch_function(Multiply)(x, x)
    (dx,) = torch.autograd.grad(z, x, create_graph=True)
    with pytest.raises(RuntimeError, match=r"once_differentiable|does not require grad"):
        dx.backward()


def test_what_is_no_tensor_is_a_sentence():
    x = torch.tensor(3.0, requires_grad=True)
    with pytest.raises(ValueError, match=r"expects torch tensors, but got 2\.0: wrap it, torch\.tensor"):
        as_torch_function(Multiply)(x, 2.0)


def test_integers_become_floats():
    x = torch.tensor([16, 20], dtype=torch.uint8)
    assert as_torch_function(Multiply)(x, x).tolist() == [256.0, 400.0]


def test_a_gate_in_place_of_its_class_is_a_sentence():
    with pytest.raises(ValueError, match="expects what makes a gate, such as the class Multiply"):
        as_torch_function(Multiply())
