"""What is known about one wrong gradient, from which rules tell what the mistake is, and how it is gathered."""

import contextlib
import copy
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from handgrad.gradient_check.comparing import MATCH, copies_of, draw_upstream
from handgrad.numerical import measure_slopes, numerical_jacobian


@dataclass(frozen=True)
class Evidence:
    """What is known about one wrong gradient.

    given, right : what backward returned for input i, and what was measured
    jacobian : (m, n), of the m outputs with respect to the n entries of input i
    dz, z : upstream gradient and output
    names, inputs, i : all inputs, what forward calls them, and which of them this is about
    all_given, all_right : the gradients of all inputs (None where there is none)
    slope_at : callable, array -> array: the elementwise slope if input i had other values
    right_at : callable, (j, array) -> array: the gradient of input i if input j were another; None if it cannot be
    at_other_sizes : callable, () -> iterator of Evidence about input i of the same gate, fed larger arrays
    """

    given: np.ndarray
    right: np.ndarray
    jacobian: np.ndarray
    dz: np.ndarray
    z: np.ndarray
    names: list
    inputs: list
    i: int
    all_given: list
    all_right: list
    slope_at: Callable
    right_at: Callable
    at_other_sizes: Callable

    @property
    def x(self):
        return self.inputs[self.i]

    def through(self, dz):
        """The gradient of input i, had the upstream gradient been ``dz``."""
        return (np.ravel(dz) @ self.jacobian).reshape(np.shape(self.x))

    @property
    def is_elementwise(self):
        n = self.jacobian.shape
        return np.shape(self.x) == np.shape(self.z) and n[0] == n[1] and is_diagonal(self.jacobian)


def is_diagonal(jacobian):
    off_diagonal = jacobian - np.diag(np.diag(jacobian))
    return np.max(np.abs(off_diagonal), initial=0.0) <= MATCH * np.max(np.abs(jacobian), initial=0.0)


def evidence_of(untouched, names, inputs, z, dz, given, measured, i):
    """Gather it about input i. ``untouched`` is the gate before it was run: each use is of a copy."""
    gate = copy.deepcopy(untouched)
    gate.forward(*inputs)
    forward = forward_of(gate, inputs, i)
    right = [measured[j].values if j in measured else None for j in range(len(inputs))]

    def slope_at(x):
        with np.errstate(all="ignore"):
            return np.diag(numerical_jacobian(forward, x)).reshape(np.shape(x))

    def right_at(j, x):
        with np.errstate(all="ignore"), contextlib.suppress(Exception):  # the gate may refuse it
            other = [x if k == j else kept for k, kept in enumerate(inputs)]
            return measure_slopes(forward_of(gate, other, i), inputs[i], dz).values

    return Evidence(
        given=np.asarray(given[i]),
        right=right[i],
        jacobian=numerical_jacobian(forward, inputs[i]),
        dz=np.asarray(dz),
        z=np.asarray(z),
        names=names,
        inputs=inputs,
        i=i,
        all_given=given,
        all_right=right,
        slope_at=slope_at,
        right_at=right_at,
        at_other_sizes=lambda: _at_other_sizes(untouched, names, inputs, i),
    )


def _at_other_sizes(untouched, names, inputs, i):
    """For each size that an axis has: the same gate where all axes of that size have their entries twice."""
    for size in sorted({n for x in inputs for n in np.shape(x)} - {0, 1}):
        evidence, gate, larger = None, copy.deepcopy(untouched), [with_entries_twice(x, size) for x in inputs]
        with np.errstate(all="ignore"), contextlib.suppress(Exception):  # some gates insist on a size
            z = gate.forward(*larger)
            dz = draw_upstream(np.shape(z), [*larger, z], 2)
            given = copies_of(gate.backward(dz))
            measured = {i: measure_slopes(forward_of(gate, larger, i), larger[i], dz)}
            evidence = evidence_of(untouched, names, larger, z, dz, given, measured, i)
        if evidence:
            yield evidence


def with_entries_twice(x, size):
    for axis in (axis for axis, n in enumerate(np.shape(x)) if n == size):
        x = np.concatenate([x, x], axis=axis)
    return x


def forward_of(gate, inputs, i):
    """The gate's forward as a function of input i alone."""
    return lambda x: gate.forward(*inputs[:i], x, *inputs[i + 1 :])
