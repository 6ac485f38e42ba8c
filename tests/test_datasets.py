"""Points in a plane: how many, of which class, the same at each call, and where they lie."""

import numpy as np
import pytest

from handgrad.datasets import circles, moons
from handgrad.errors import InputError

BOTH = pytest.mark.parametrize("data", [moons, circles])


@BOTH
def test_half_of_the_points_are_of_each_class_and_a_seed_gives_them_again(data):
    points, labels = data(n=20, seed=4)
    assert points.shape == (20, 2) and labels.tolist() == [0, 1] * 10
    assert np.array_equal(points, data(n=20, seed=4)[0]) and not np.array_equal(points, data(n=20, seed=5)[0])


def test_without_noise_moons_are_half_circles():
    points, labels = moons(noise=0.0)
    for label, sign in ((0, 1), (1, -1)):
        from_the_center = points[labels == label] / 1.4 + sign * np.array([0.5, 0.25])
        assert np.allclose(np.linalg.norm(from_the_center, axis=1), 1) and (sign * from_the_center[:, 1] >= 0).all()


def test_without_noise_circles_are_a_disk_and_a_ring():
    points, labels = circles(noise=0.0)
    radius = np.linalg.norm(points, axis=1)
    assert np.allclose(radius[labels == 0], 1.5) and (radius[labels == 1] <= 0.6).all()


@BOTH
@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"n": 1}, "n to be a whole number of at least 2, but got 1"),
        ({"n": 2.5}, "n to be a whole number of at least 2, but got 2.5"),
        ({"noise": -0.1}, "noise to be a finite number of at least 0, but got -0.1"),
        ({"noise": np.nan}, "noise to be a finite number of at least 0, but got nan"),
    ],
)
def test_other_settings_are_refused(data, settings, sentence):
    with pytest.raises(InputError, match=sentence):
        data(**settings)
