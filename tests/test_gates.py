"""Every gate, row by row of GATE_CASES: the gate contract, measured slopes, and torch."""

import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from gate_cases import GATE_CASES, GateCase

import handgrad as hg
from handgrad import (
    Affine,
    MatMul,
    Max,
    Multiply,
    ReLU,
    Sigmoid,
    as_torch_function,
    check_gate,
    embedding,
    gates,
    losses,
)
from handgrad.word2vec import objectives

every_gate = pytest.mark.parametrize("case", GATE_CASES, ids=lambda case: case.name)


def dense(gradient):
    return gradient.to_dense() if hasattr(gradient, "to_dense") else gradient


def backward_of(gate, inputs, dz):
    return [dense(g) for g in gate.backward(dz)]


def upstream_for(z, seed=7):
    return np.random.default_rng(seed).standard_normal(np.shape(z)).astype(np.result_type(z))[()]


def by_torch(case, inputs, dz):
    tensors = [torch.tensor(x) for x in inputs]
    floats = [t.requires_grad_() for t in tensors if t.is_floating_point()]
    z = case.torch_function(*tensors)
    return z.detach().numpy(), [g.numpy() for g in torch.autograd.grad(z, floats, torch.tensor(dz))]


@every_gate
@pytest.mark.parametrize("seed", range(5))
def test_backward_agrees_with_measured_slopes(case, seed):
    check_gate(case.make_gate(), *case.inputs(seed), seed=seed).raise_if_wrong()


@every_gate
def test_forward_and_backward_agree_with_torch(case):
    inputs = case.inputs(seed=1)
    gate = case.make_gate()
    z = gate.forward(*inputs)
    dz = upstream_for(z)
    torch_z, torch_gradients = by_torch(case, inputs, dz)
    np.testing.assert_allclose(z, torch_z, rtol=1e-12, atol=1e-14)
    ours = [g for g in backward_of(gate, inputs, dz) if g is not None]
    assert len(ours) == len(torch_gradients)
    for mine, theirs in zip(ours, torch_gradients, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-12, atol=1e-14)


def assert_agrees_with_torch(case, inputs, rtol=1e-9, atol=1e-9):
    gate = case.make_gate()
    z = gate.forward(*inputs)
    dz = upstream_for(z)
    torch_z, torch_gradients = by_torch(case, inputs, dz)
    np.testing.assert_allclose(z, torch_z, rtol=rtol, atol=atol)
    ours = [g for g in backward_of(gate, inputs, dz) if g is not None]
    for mine, theirs in zip(ours, torch_gradients, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=rtol, atol=atol)
    return z


@every_gate
def test_the_largest_and_the_smallest_inputs_give_what_torch_gives(case):
    for scale in (case.largest, case.smallest):
        z = assert_agrees_with_torch(case, case.inputs(seed=2, scale=scale))
        assert np.isfinite(z).all()


@pytest.mark.parametrize("case", [c for c in GATE_CASES if c.batched], ids=lambda case: case.name)
@pytest.mark.parametrize("rows", [0, 1])
def test_a_batch_of_no_row_and_of_one_row(case, rows):
    assert_agrees_with_torch(case, case.inputs(seed=3, rows=rows))


@pytest.mark.parametrize("case", [c for c in GATE_CASES if c.analytic], ids=lambda case: case.name)
def test_backward_agrees_with_the_complex_step_to_the_last_digits(case):
    """Im f(x + ih) / h has no difference of two close numbers in it, so h can be tiny (Squire and Trapp 1998)."""
    inputs = case.inputs(seed=8)
    gate = case.make_gate()
    dz = upstream_for(gate.forward(*inputs))
    gradients = backward_of(gate, inputs, dz)
    for i in range(len(case.shapes)):
        expected = np.zeros(np.shape(inputs[i]))
        for entry in range(expected.size):
            x = np.array(inputs[i], dtype=complex)
            x.flat[entry] += 1e-200j
            z = case.make_gate().forward(*inputs[:i], x[()], *inputs[i + 1 :])
            expected.flat[entry] = np.sum(dz * np.imag(z)) / 1e-200
        np.testing.assert_allclose(gradients[i], expected, rtol=1e-12, atol=1e-14)


@every_gate
@pytest.mark.parametrize("seed", range(3))
def test_forward_mode_is_the_transpose_of_backward_and_agrees_with_measured_slopes(case, seed):
    inputs = case.inputs(seed)
    gate = case.make_gate()
    z = gate.forward(*inputs)
    dz = upstream_for(z, seed)
    floats = range(len(case.shapes))
    tangents = [upstream_for(inputs[i], seed + i) if i in floats else None for i in range(len(inputs))]
    moved = gate.jvp(*tangents)
    gradients = backward_of(gate, inputs, dz)
    assert np.shape(moved) == np.shape(z)
    assert np.sum(moved * dz) == pytest.approx(sum(np.sum(gradients[i] * tangents[i]) for i in floats), rel=1e-9)
    h = 1e-6
    ahead, behind = (
        gate.forward(*[x if t is None else x + step * t for x, t in zip(inputs, tangents, strict=True)])
        for step in (h, -h)
    )
    np.testing.assert_allclose(moved, (ahead - behind) / (2 * h), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("case", [c for c in GATE_CASES if (3, 0) not in c.shapes], ids=lambda case: case.name)
def test_torch_can_differentiate_through_the_gate(case):
    function = as_torch_function(case.make_gate)
    inputs = [torch.tensor(x) for x in case.inputs(seed=9)]
    for tensor in inputs:
        tensor.requires_grad_(tensor.is_floating_point())
    assert torch.autograd.gradcheck(function, inputs)


OUTSIDE = [
    (hg.Divide, torch.div, [[1.0, -1.0, 0.0, 2.0], [0.0, 0.0, 0.0, np.inf]]),
    (hg.Log, torch.log, [[0.0, -1.0, np.inf, np.nan, 5e-324]]),
    (hg.Exp, torch.exp, [[1000.0, -1000.0, np.inf, -np.inf, np.nan]]),
    (lambda: hg.Power(-1), torch.reciprocal, [[0.0, np.inf, -np.inf]]),
    (lambda: hg.Power(0.5), torch.sqrt, [[0.0, -1.0, np.inf]]),
    (hg.Sigmoid, torch.sigmoid, [[np.inf, -np.inf, np.nan]]),
    (hg.Tanh, torch.tanh, [[np.inf, -np.inf, np.nan]]),
    (hg.Softmax, lambda x: x.softmax(-1), [[np.inf, 0.0, 1.0]]),
    (hg.LogSoftmax, lambda x: x.log_softmax(-1), [[-np.inf, 0.0, 1.0]]),
]


@pytest.mark.parametrize("make_gate, torch_function, inputs", OUTSIDE, ids=lambda x: getattr(x, "__name__", None))
def test_outside_the_domain_the_same_inf_and_nan_as_torch(make_gate, torch_function, inputs):
    inputs = [np.array(x) for x in inputs]
    gate, dz = make_gate(), np.linspace(1.0, 2.0, len(inputs[0]))
    with np.errstate(all="ignore"):
        z = gate.forward(*inputs)
        gradients = gate.backward(dz)
    tensors = [torch.tensor(x, requires_grad=True) for x in inputs]
    torch_z = torch_function(*tensors)
    np.testing.assert_allclose(z, torch_z.detach().numpy(), rtol=1e-12)
    for mine, theirs in zip(gradients, torch.autograd.grad(torch_z, tensors, torch.tensor(dz)), strict=True):
        np.testing.assert_allclose(mine, theirs.numpy(), rtol=1e-12)


def test_every_gate_of_the_library_has_a_row():
    """A new gate is one class, and one row in GATE_CASES: a class without a row fails here."""
    modules = (gates, losses, embedding, objectives)
    classes = {c for m in modules for c in vars(m).values() if isinstance(c, type) and issubclass(c, hg.Gate)} - {
        hg.Gate
    }
    tried = {type(case.make_gate()) for case in GATE_CASES}
    assert classes - tried == set()
    assert len(classes) >= 25


@every_gate
def test_one_gradient_for_each_input_in_its_shape_and_none_for_integers(case):
    inputs = case.inputs(seed=3)
    gate = case.make_gate()
    gradients = gate.backward(upstream_for(gate.forward(*inputs)))
    assert len(gradients) == len(inputs)
    for x, gradient in zip(inputs, gradients, strict=True):
        if np.issubdtype(np.result_type(x), np.integer):
            assert gradient is None
        else:
            assert np.shape(dense(gradient)) == np.shape(x)


@every_gate
def test_inputs_and_upstream_stay_as_they_were_and_a_second_call_gives_the_same(case):
    inputs = case.inputs(seed=4)
    kept = [np.copy(x) for x in inputs]
    gate = case.make_gate()
    z = gate.forward(*inputs)
    dz = upstream_for(z)
    kept_dz = np.copy(dz)
    first, second = backward_of(gate, inputs, dz), backward_of(gate, inputs, dz)
    np.testing.assert_array_equal(gate.forward(*inputs), z)
    np.testing.assert_array_equal(dz, kept_dz)
    for x, k in zip(inputs, kept, strict=True):
        np.testing.assert_array_equal(x, k)
    for a, b in zip(first, second, strict=True):
        assert (a is None and b is None) or np.array_equal(a, b)


@every_gate
def test_backward_is_linear_in_the_upstream_gradient(case):
    inputs = case.inputs(seed=5)
    gate = case.make_gate()
    z = gate.forward(*inputs)
    a, b = upstream_for(z, 1), upstream_for(z, 2)
    of_sum = backward_of(gate, inputs, 2 * a - 3 * b)
    of_a, of_b = backward_of(gate, inputs, a), backward_of(gate, inputs, b)
    for s, ga, gb in zip(of_sum, of_a, of_b, strict=True):
        if s is not None:
            np.testing.assert_allclose(s, 2 * ga - 3 * gb, rtol=1e-10, atol=1e-12)


@every_gate
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_precision_of_the_inputs_is_kept(case, dtype):
    inputs = case.inputs(seed=6, dtype=dtype)
    gate = case.make_gate()
    z = gate.forward(*inputs)
    if case.name.startswith("negative sampling"):
        assert z.dtype == np.float64  # a sum over a whole batch, accumulated in float64
    else:
        assert z.dtype == dtype
    for x, gradient in zip(inputs, backward_of(gate, inputs, dtype(1) * np.ones(np.shape(z), dtype)[()]), strict=True):
        if gradient is not None:
            assert gradient.dtype == x.dtype


@every_gate
def test_backward_before_forward_is_a_sentence(case):
    with pytest.raises(ValueError, match=r"call forward before backward"):
        case.make_gate().backward(np.ones((3, 2)))


@pytest.mark.parametrize("case", [c for c in GATE_CASES if c.broadcasts], ids=lambda case: case.name)
@pytest.mark.parametrize("x, y", [(2.0, 3.0), (2.0, np.arange(6.0).reshape(2, 3) + 0.5), (np.ones(3), np.float64(0.5))])
def test_numbers_and_arrays_broadcast(case, x, y):
    check_gate(case.make_gate(), x, y).raise_if_wrong()
    check_gate(case.make_gate(), y, x).raise_if_wrong()


def test_equal_inputs_of_max_get_half_each_as_in_torch():
    gate = Max()
    gate.forward(np.array([1.0, 2.0]), np.array([1.0, 0.0]))
    dx, dy = gate.backward(np.array([10.0, 10.0]))
    assert dx.tolist() == [5.0, 10.0] and dy.tolist() == [5.0, 0.0]


def test_relu_passes_nothing_at_zero_as_in_torch():
    gate = ReLU()
    gate.forward(np.array([-1.0, 0.0, 1.0]))
    assert gate.backward(np.array([3.0, 3.0, 3.0]))[0].tolist() == [0.0, 0.0, 3.0]


def test_scalars_stay_scalars():
    gate = Multiply()
    assert gate.forward(3.0, -4.0) == -12.0
    assert gate.backward(2.0) == [-8.0, 6.0]


def test_the_slope_of_the_sigmoid_is_precise_far_to_the_left():
    gate = Sigmoid()
    gate.forward(np.array([-700.0]))
    np.testing.assert_allclose(gate.backward(np.ones(1))[0], [np.exp(-700.0)], rtol=1e-12)


@pytest.mark.parametrize(
    "gate, inputs, named",
    [
        (MatMul(), (np.ones((2, 3)), np.ones((2, 3))), "x (2, 3) and W (2, 3)"),
        (MatMul(), (np.ones(3), np.ones((3, 2))), "x (3,) and W (3, 2)"),
        (Affine(), (np.ones((2, 3)), np.ones((4, 2)), np.ones(2)), "x (2, 3) and W (4, 2)"),
        (Affine(), (np.ones((2, 3)), np.ones((3, 2)), np.ones((1, 2))), "b (1, 2)"),
        (Affine(), (np.ones((2, 3)), np.ones((3, 2)), 0.0), "b ()"),
    ],
)
def test_shapes_that_do_not_fit_are_named(gate, inputs, named):
    with pytest.raises(ValueError, match=rf"{type(gate).__name__} expects .* but got") as error:
        gate.forward(*inputs)
    assert named in str(error.value)


def test_the_gate_of_the_contributing_page_passes_every_check():
    text = (Path(__file__).parents[1] / "CONTRIBUTING.md").read_text(encoding="utf-8")
    gate_code, row = re.findall(r"^```python\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)
    names = {"Gate": hg.Gate, "np": np, "sigmoid": hg.sigmoid}
    exec(gate_code, names)
    namespace = SimpleNamespace(Softplus=names["Softplus"])
    case = eval(row, {"GateCase": GateCase, "hg": namespace, "torch": torch})
    test_backward_agrees_with_measured_slopes(case, 0)
    test_forward_and_backward_agree_with_torch(case)
    test_forward_mode_is_the_transpose_of_backward_and_agrees_with_measured_slopes(case, 0)
    test_the_largest_and_the_smallest_inputs_give_what_torch_gives(case)


def test_a_gate_without_a_row_is_noticed(monkeypatch):
    monkeypatch.setattr(gates, "Nameless", type("Nameless", (hg.Gate,), {}), raising=False)
    with pytest.raises(AssertionError):
        test_every_gate_of_the_library_has_a_row()
