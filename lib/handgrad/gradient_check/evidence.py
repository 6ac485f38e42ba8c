"""What is known about one wrong gradient: the arrays alone, from which rules tell what the mistake is."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from handgrad.gradient_check.comparing import MATCH


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
