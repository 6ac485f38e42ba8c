"""Slopes as they are measured; that they agree with every gate's backward is tested with the gates."""

import numpy as np
import pytest

from handgrad import numerical_jacobian
from handgrad.numerical import measure_slopes


def test_the_jacobian_has_a_row_for_each_output_and_a_column_for_each_input():
    W = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    np.testing.assert_allclose(numerical_jacobian(lambda x: W @ x, np.ones(3)), W, rtol=1e-9)
    np.testing.assert_allclose(numerical_jacobian(lambda x: 3 * x**2, 2.0), [[12.0]], rtol=1e-9)
    assert numerical_jacobian(lambda x: x.sum(), np.ones((2, 3))).shape == (1, 6)
    assert numerical_jacobian(lambda x: np.ones(2), np.ones(0)).shape == (2, 0)


def test_the_step_grows_with_the_input():
    np.testing.assert_allclose(numerical_jacobian(np.log, 1e6), [[1e-6]], rtol=1e-6)
    np.testing.assert_allclose(numerical_jacobian(np.sqrt, np.array([1e8])), [[0.5e-4]], rtol=1e-6)


def test_float32_inputs_are_measured_in_float64():
    np.testing.assert_allclose(numerical_jacobian(np.sin, np.float32(1.0)), [[np.cos(1.0)]], rtol=1e-9)


def test_measured_slopes_are_in_the_shape_of_the_input_and_know_their_error():
    x, dz = np.array([[0.5, -2.0, 30.0]]), np.array([[1.0, -3.0, 0.5]])
    slopes = measure_slopes(np.sin, x, dz)
    assert slopes.values.shape == slopes.errors.shape == slopes.kinks.shape == (1, 3)
    assert (np.abs(slopes.values - dz * np.cos(x)) <= slopes.errors + 1e-10).all()
    assert (slopes.errors < 1e-7).all() and not slopes.kinks.any()


def test_a_kink_is_marked_and_its_neighbors_are_not():
    slopes = measure_slopes(np.abs, np.array([-1e-4, 0.0, 1e-4]), 1.0)
    assert slopes.kinks.tolist() == [False, True, False]
    assert slopes.values[[0, 2]].tolist() == pytest.approx([-1.0, 1.0])


def test_outside_the_domain_a_slope_is_nan_and_raises_no_warning():
    assert np.isnan(measure_slopes(np.log, np.array([-1.0]), 1.0).values).all()


@pytest.mark.parametrize("x", [-1e-5, 9e-6, -1e-6, 5e-7, -1e-7, 3e-8, -1e-9])
def test_beside_a_kink_at_zero_a_step_that_does_not_reach_it_decides(x):
    dz = np.array([0.7, 1.1])
    slopes = measure_slopes(lambda x: np.maximum(x, 0.0), np.array([x, 2.0]), dz)
    assert not slopes.kinks.any()
    assert np.allclose(slopes.values, dz * [x > 0, 1], atol=1e-4)


@pytest.mark.parametrize("x", [1e-12, -1e-14, 0.0])
def test_nearer_to_a_kink_than_a_step_can_tell_it_is_one(x):
    slopes = measure_slopes(lambda x: np.maximum(x, 0.0), np.array([x, 2.0]), np.array([0.7, 1.1]))
    assert slopes.kinks.tolist() == [True, False]
