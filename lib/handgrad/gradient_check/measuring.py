"""What a check feeds, what a pass answers, and the slopes that are measured for it."""

from collections.abc import Callable
from typing import Any

import numpy as np

from handgrad.errors import InputError
from handgrad.functional import is_float
from handgrad.nodes import EVERY_INPUT, Gate
from handgrad.numerical import Slopes, measure_slopes
from handgrad.passes import as_fed


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
    try:
        rng = np.random.default_rng([*np.atleast_1d(seed), 7919])
    except (TypeError, ValueError):
        raise InputError(f"A check's seed is a whole number of at least 0, but got {seed!r:.60}.") from None
    fed = {0.0, *(value for x in inputs if is_float(x) for value in np.ravel(np.abs(x)).tolist())}
    dz = rng.standard_normal(shape)
    while not fed.isdisjoint(np.ravel(np.abs(dz)).tolist()):
        dz = rng.standard_normal(shape)
    return dz if shape else np.float64(dz)


def of_one_input(function: Callable[..., Any], inputs: list[Any], i: int) -> Callable[[Any], Any]:
    return lambda x: function(*inputs[:i], x, *inputs[i + 1 :])


def measure_each(function: Callable[..., Any], inputs: list[Any], dz: Any) -> dict[int, Slopes]:
    """The measured slopes of the floats among the inputs, by position."""
    return {i: measure_slopes(of_one_input(function, inputs, i), x, dz) for i, x in enumerate(inputs) if is_float(x)}


def entries_at_kinks(measured: dict[int, Slopes]) -> int:
    """How many entries, of all inputs, have no slope to compare."""
    return sum(int(slopes.kinks.sum()) for slopes in measured.values())


def answer_of(gate: Gate, inputs: list[Any], dz: Any) -> Any:
    """What one pass forward and one backward return, as copies_of keeps it."""
    gate.forward(*inputs)
    return copies_of(gate.backward(dz))


def copies_of(gradients):
    """The gradients as they are now, dense: backward may hand out arrays that it goes on writing to."""
    if not isinstance(gradients, list | tuple):
        return None
    return [None if g is None else np.array(dense(g))[()] for g in gradients]


def dense(gradient):
    return gradient.to_dense() if hasattr(gradient, "to_dense") else gradient
