from fractions import Fraction
from math import exp, log

import numpy as np
import pytest
import torch

from handgrad import log_sigmoid, log_softmax, sigmoid, softmax, sum_to_shape
from handgrad.functional import sigmoid_cross_entropy

POINTS = np.array([-1e3, -745.0, -700.0, -50.0, -1.0, -1e-300, 0.0, 1e-17, 1.0, 40.0, 700.0, 1e3])


@pytest.mark.parametrize("ours, torchs", [(sigmoid, torch.sigmoid), (log_sigmoid, torch.nn.functional.logsigmoid)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sigmoids_agree_with_torch_at_every_size(ours, torchs, dtype):
    x = POINTS.astype(dtype)
    result = ours(x)
    assert result.dtype == dtype
    tiny = np.finfo(dtype).tiny  # torch flushes some subnormals to 0
    np.testing.assert_allclose(result, torchs(torch.tensor(x)).numpy(), rtol=4 * np.finfo(dtype).eps, atol=tiny)


def test_sigmoid_keeps_its_relative_precision_far_out():
    assert sigmoid(-700.0) == pytest.approx(exp(-700), rel=1e-14)
    assert log_sigmoid(-1e300) == -1e300
    assert log_sigmoid(50.0) == pytest.approx(-exp(-50), rel=1e-14)


def test_a_number_gives_a_number():
    assert isinstance(sigmoid(0.3), float) and isinstance(log_sigmoid(0.3), float)


@pytest.mark.parametrize("label", [0.0, 0.25, 1.0])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sigmoid_cross_entropy_agrees_with_torch_and_takes_its_tensors(label, dtype):
    x, z = POINTS.astype(dtype), np.full(len(POINTS), label, dtype)
    result, torchs = sigmoid_cross_entropy(x, z), sigmoid_cross_entropy(torch.tensor(x), torch.tensor(z))
    assert result.dtype == dtype and isinstance(torchs, torch.Tensor)
    rounded = 1e-16  # torch adds x to -x + log(1 + e^x), where the label is 0: far out, 0 is left
    np.testing.assert_allclose(result, torchs.numpy(), rtol=8 * np.finfo(dtype).eps, atol=rounded)


def test_sigmoid_cross_entropy_of_hard_labels_is_log_sigmoid_to_the_bit():
    for label, signed in ((0.0, -POINTS), (1.0, POINTS)):
        np.testing.assert_array_equal(sigmoid_cross_entropy(POINTS, label), -log_sigmoid(signed))


@pytest.mark.parametrize("kind", [np.int8, np.int64])
def test_sigmoid_cross_entropy_takes_integers_as_floats(kind):
    x = np.array([-100, 0, 3], dtype=kind)
    np.testing.assert_array_equal(sigmoid_cross_entropy(x, 1.0), sigmoid_cross_entropy(x.astype(float), 1.0))


@pytest.mark.parametrize("ours, torchs", [(softmax, torch.softmax), (log_softmax, torch.log_softmax)])
def test_softmaxes_agree_with_torch_for_scores_of_a_thousand(ours, torchs):
    x = 1000 * np.random.default_rng(0).standard_normal((4, 7))
    np.testing.assert_allclose(ours(x), torchs(torch.tensor(x), dim=-1).numpy(), rtol=1e-12, atol=1e-300)


def test_log_softmax_is_not_the_logarithm_of_a_rounded_softmax():
    assert log_softmax(np.array([0.0, 1000.0])).tolist() == [-1000.0, 0.0]
    assert log_softmax(np.array([0.0, 0.0]))[0] == pytest.approx(log(Fraction(1, 2)))


def test_one_score_alone_is_certain_and_no_score_stays_none():
    for x in (np.array([7.0]), np.array([[-3.0], [800.0]])):
        assert (softmax(x) == 1).all() and (log_softmax(x) == 0).all()
        assert softmax(x).shape == log_softmax(x).shape == x.shape
    for shape in ((0,), (3, 0), (0, 3)):
        assert softmax(np.ones(shape)).shape == log_softmax(np.ones(shape)).shape == shape


def test_each_row_of_scores_is_by_itself_however_far_it_is_from_the_others():
    x = np.array([[0.0, 0.0], [1e4, 1e4], [-1e4, -1e4], [1e4, -1e4]])
    assert softmax(x).tolist() == [[0.5, 0.5], [0.5, 0.5], [0.5, 0.5], [1.0, 0.0]]
    np.testing.assert_allclose(log_softmax(x), [[-log(2)] * 2] * 3 + [[0, -2e4]], rtol=1e-15)
    np.testing.assert_array_equal(softmax(x.reshape(2, 2, 2)), softmax(x).reshape(2, 2, 2))


@pytest.mark.parametrize("shape", [(), (1,), (3,), (1, 3), (2, 1), (2, 3), (4, 1, 3), (1, 1, 1), (4, 2, 3)])
def test_sum_to_shape_is_the_transpose_of_broadcasting(shape):
    rng = np.random.default_rng(1)
    x, upstream = rng.standard_normal(shape), rng.standard_normal((4, 2, 3))
    summed = sum_to_shape(upstream, x)
    assert np.shape(summed) == shape
    # <broadcast(x), upstream> = <x, sum_to_shape(upstream)> for every x
    assert np.vdot(np.broadcast_to(x, (4, 2, 3)), upstream) == pytest.approx(np.vdot(x, summed))


@pytest.mark.parametrize("function", [sigmoid, log_sigmoid, softmax, log_softmax])
def test_integers_are_as_their_floats(function):
    for x in (np.array([3, 0, 200], np.uint8), np.array([-128, 127], np.int8), [1, -2], np.array([True, False])):
        np.testing.assert_array_equal(function(x), function(np.asarray(x, np.float64)))
    assert sigmoid(3) == sigmoid(np.uint8(3)) == sigmoid(3.0)


@pytest.mark.parametrize("function", [sigmoid, log_sigmoid])
@pytest.mark.parametrize("x", [-800.0, -3.0, 0.0, 0.5, 30.0])
@pytest.mark.parametrize("h", [1e-200, -1e-200])
def test_the_complex_step_gives_the_slope(function, x, h):
    slope = sigmoid(x) * sigmoid(-x) if function is sigmoid else sigmoid(-x)
    assert np.imag(function(x + 1j * h)) / h == pytest.approx(slope, rel=1e-12, abs=1e-100)


@pytest.mark.parametrize("function", [sigmoid, log_sigmoid, softmax, log_softmax])
def test_tensors_stay_tensors_and_can_be_differentiated(function):
    x = torch.tensor(POINTS, requires_grad=True)
    z = function(x)
    assert isinstance(z, torch.Tensor)
    np.testing.assert_allclose(z.detach().numpy(), function(POINTS), rtol=1e-12, atol=1e-300)
    z.sum().backward()
    assert x.grad.isfinite().all()


@pytest.mark.parametrize("ours", [sigmoid, log_sigmoid, softmax, log_softmax])
def test_integers_are_taken_from_numpy_and_from_torch_alike(ours):
    of_tensor = ours(torch.tensor([3, -1, 0]))
    assert of_tensor.dtype == torch.float64
    np.testing.assert_allclose(of_tensor.numpy(), ours(np.array([3, -1, 0])), rtol=1e-15)


@pytest.mark.parametrize("label", [1.0, np.array([1.0, 0.0]), torch.tensor([0, 1])])
def test_a_label_for_tensors_may_be_what_it_may_be_for_arrays(label):
    x = np.array([[0.5, -2.0], [3.0, 1.0]])
    result = sigmoid_cross_entropy(torch.tensor(x), label)
    np.testing.assert_allclose(result.numpy(), sigmoid_cross_entropy(x, np.asarray(label)), rtol=1e-14)
