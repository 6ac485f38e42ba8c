"""When two gradients are the same, and what an array must be to be compared."""

import numpy as np

from handgrad.functional import is_float
from handgrad.nodes import EVERY_INPUT
from handgrad.passes import as_fed

TOLERANCE = 1e-6  # of the largest slope: what is farther off is wrong
EXACT = 1e-8  # of the largest slope, besides what the measurement itself may be off: what is between is inexact
NEAR = 1e-3  # of the largest value: what is nearer may be meant to be it
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


def are_sure(slopes):
    """Whether they were measured well enough to call another one wrong, at inputs that were drawn."""
    return bool(np.all(slopes.errors <= 1e-3 * np.max(np.abs(slopes.values), initial=0.0)))


def as_float64(x):
    """Floats in double precision, lists as arrays, integers as they are."""
    x = np.asarray(x)
    return (x.astype(np.float64) if np.issubdtype(x.dtype, np.inexact) else x)[()]


def as_inputs(gate, values):
    """What a check feeds, in float64: as in a graph, numbers become floats and declared ids stay.

    A gate that lets anything pass, as a reshape, tells ids from numbers no more than a check can: integers that
    come to it alone are numbers, or nothing would be checked.
    """
    values = [as_float64(x) for x in as_fed(gate, list(values))]
    ids_only = gate.ids_at is EVERY_INPUT and not any(is_float(x) for x in values)
    return [x.astype(np.float64) for x in values] if ids_only else values


def draw_upstream(shape, inputs, seed):
    """A random upstream gradient that shares no number with the inputs, neither as it stands nor with its sign turned.

    Were it equal to x, then ``2 * dz * dz`` would pass for the gradient of x². So its stream is not the one that
    everybody's ``default_rng(0)`` has, and it is drawn again until it coincides with nothing that was fed.
    """
    rng = np.random.default_rng([*np.atleast_1d(seed), 7919])
    fed = {0.0, *(value for x in inputs if is_float(x) for value in np.ravel(np.abs(x)).tolist())}
    dz = rng.standard_normal(shape)
    while not fed.isdisjoint(np.ravel(np.abs(dz)).tolist()):
        dz = rng.standard_normal(shape)
    return dz if shape else np.float64(dz)


def copies_of(gradients):
    """The gradients as they are now, dense: backward may hand out arrays that it goes on writing to."""
    if not isinstance(gradients, list | tuple):
        return None
    return [None if g is None else np.array(dense(g))[()] for g in gradients]


def dense(gradient):
    return gradient.to_dense() if hasattr(gradient, "to_dense") else gradient


def same(a, b):
    """Equal to a millionth, or both nothing."""
    return matches(a, b) or not (np.any(a) or np.any(b))


def equal(a, b):
    if a is None or b is None or np.shape(a) != np.shape(b):
        return a is None and b is None
    return bool(np.all(a == b)) or np.array_equal(a, b, equal_nan=True)


def all_equal(first, second):
    return len(first) == len(second) and all(equal(a, b) for a, b in zip(first, second, strict=True))
