"""Points in a plane, of two classes that no line separates: what a hidden layer is tried on."""

import numpy as np

from handgrad.errors import InputError, is_whole, require_setting

__all__ = ["circles", "moons"]


def moons(n: int = 160, noise: float = 0.12, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Two half circles, one in the arm of the other.

    Parameters
    ----------
    n : int
        Points of both classes together, at least 2; every second one is of class 1.
    noise : float
        Standard deviation of what is added to each coordinate, in units of the half circles' radius.
    seed : int
        Of the random numbers.

    Returns
    -------
    points : float array (n, 2)
        Around the origin.
    labels : int array (n,)
        Zeros and ones.

    Raises
    ------
    InputError
        If n is no whole number of at least 2, or the noise no finite number of at least 0.

    Examples
    --------
    >>> from handgrad.datasets import moons
    >>> points, labels = moons(n=4, noise=0.0)
    >>> points.round(2)
    array([[-1.28,  0.92],
           [-0.23, -0.7 ],
           [ 0.69, -0.17],
           [-0.7 ,  0.28]])
    >>> labels
    array([0, 1, 0, 1])
    """
    labels, rng = _two_classes(n, noise, seed, "moons")
    angle = rng.uniform(0, np.pi, n)
    sign = 1 - 2 * labels
    arcs = np.stack([sign * np.cos(angle) - sign / 2, sign * np.sin(angle) - sign / 4], axis=1)
    return 1.4 * (arcs + noise * rng.standard_normal((n, 2))), labels


def circles(n: int = 160, noise: float = 0.12, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """A disk, class 1, and a ring around it, class 0.

    Parameters
    ----------
    n : int
        Points of both classes together, at least 2; every second one is of class 1.
    noise : float
        Standard deviation of what is added to each coordinate. The disk has the radius 0.6, the ring 1.5.
    seed : int
        Of the random numbers.

    Returns
    -------
    points : float array (n, 2)
        Around the origin.
    labels : int array (n,)
        Zeros and ones.

    Raises
    ------
    InputError
        If n is no whole number of at least 2, or the noise no finite number of at least 0.

    Examples
    --------
    >>> import numpy as np
    >>> from handgrad.datasets import circles
    >>> points, labels = circles(noise=0.0)
    >>> radius = np.linalg.norm(points, axis=1)
    >>> disk, ring = radius[labels == 1], radius[labels == 0]
    >>> bool(disk.max() <= 0.6), np.allclose(ring, 1.5)
    (True, True)
    """
    labels, rng = _two_classes(n, noise, seed, "circles")
    angle, radius = rng.uniform(0, 2 * np.pi, n), np.where(labels == 1, 0.6 * np.sqrt(rng.random(n)), 1.5)
    ring = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return ring + noise * rng.standard_normal((n, 2)), labels


def _two_classes(n: int, noise: float, seed: int, name: str) -> tuple[np.ndarray, np.random.Generator]:
    """The labels of n points, in turn, and the random numbers that place them."""
    if not is_whole(n) or n < 2:
        raise InputError(f"{name} expects n to be a whole number of at least 2, but got {n!r}.")
    require_setting(noise, name, "noise")
    return np.arange(n) % 2, np.random.default_rng(seed)
