"""When two gradients are the same."""

import numpy as np

TOLERANCE = 1e-6  # of the largest slope: what is farther off is wrong
EXACT = 1e-8  # of the largest slope, besides what the measurement itself may be off: what is between is inexact
NEAR = 1e-3  # of the largest value: what is nearer may be meant to be it
ROUGHLY = 0.02  # of each entry: a small constant that was left out, as what keeps a root from 0, is not farther off
MATCH = 1e-6  # of the largest entry


def matches(a, b):
    """Equal to a millionth, and not because both are nothing."""
    if np.shape(a) != np.shape(b) or np.size(a) == 0:
        return False
    scale = np.max(np.abs(b))
    return bool(scale > 0 and np.isfinite(scale) and np.max(np.abs(a - b)) <= MATCH * scale)


def multiple_of(a, b):
    """The number by which ``b`` comes nearest to ``a``; 0 where there is none."""
    size = np.sum(b**2)
    return float(np.sum(a * b) / size) if size > 0 and np.isfinite(size) else 0.0


def disagreement(given, slopes):
    """Which entries are wrong: `not <=`, so that nan is. Single precision is held to no more than it has."""
    tolerance = EXACT if np.asarray(given).dtype.itemsize >= 8 else TOLERANCE
    difference = np.where(slopes.kinks, 0.0, np.abs(np.asarray(given) - slopes.values))
    scale = np.abs(np.where(slopes.kinks, 0.0, slopes.values)).max(initial=0.0)
    return ~(difference <= tolerance * scale + np.where(slopes.kinks, 0.0, slopes.errors))


def agrees(given, slopes):
    return given is not None and np.shape(given) == np.shape(slopes.values) and not disagreement(given, slopes).any()


def are_sure(slopes, given=0.0):
    """Whether they were measured well enough to call this one wrong, at inputs that were drawn."""
    largest = max(np.max(np.abs(array), initial=0.0) for array in (slopes.values, given))
    return bool(np.all(slopes.errors <= 1e-3 * largest) and np.isfinite(largest))


def same(a, b):
    """Equal to a millionth, or both nothing."""
    return matches(a, b) or not (np.any(a) or np.any(b))


def equal(a, b):
    if a is None or b is None or np.shape(a) != np.shape(b):
        return a is None and b is None
    return bool(np.all(a == b)) or np.array_equal(a, b, equal_nan=True)


def all_equal(first, second):
    return len(first) == len(second) and all(equal(a, b) for a, b in zip(first, second, strict=True))
