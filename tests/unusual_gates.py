"""Right gates of unusual kinds, which must raise no alarm. See ``mutants_of_the_library``."""

from typing import Any, NamedTuple

import numpy as np
from mutants_of_new_gates import Bilinear, Cosine, CubeTwice, CumulativeSum, Gather, LayerNorm, MaxPool, Softplus
from mutants_of_the_library import numbers, positive

from handgrad.nodes import Gate


class Correct(NamedTuple):
    """A right gate, of an unusual kind."""

    name: str
    gate: Any
    inputs: tuple


class ReusesItsBuffers(Gate):
    """z = x², written into the same array at each call, and so is its gradient."""

    def __init__(self):
        self.z, self.dx = np.empty((3, 2)), np.empty((3, 2))

    def forward(self, x):
        self.x = x
        return np.multiply(x, x, out=self.z)

    def backward(self, dz):
        return [np.multiply(2 * self.x, dz, out=self.dx)]


class Sort(Gate):
    """z = x in ascending order. The gradients go back to where the entries came from, as a tuple."""

    def forward(self, x):
        self.order = np.argsort(x)
        return x[self.order]

    def backward(self, dz):
        return (dz[np.argsort(self.order)],)


class Identity(Gate):
    """Returns its input itself, and the upstream itself."""

    def forward(self, x):
        return x

    def backward(self, dz):
        return [dz]


class IgnoresSecond(Gate):
    """z = x: the second input has no effect, and a gradient of zeros."""

    def forward(self, x, y):
        self.y = y
        return 1.0 * x

    def backward(self, dz):
        return [dz, np.zeros_like(self.y)]


class Absolute(Gate):
    """z = |x|, with slope 0 at its kink."""

    def forward(self, x):
        self.x = x
        return np.abs(x)

    def backward(self, dz):
        return [np.sign(self.x) * dz]


class Cube(CubeTwice):
    """z = x³."""

    def backward(self, dz):
        return [3 * self.x**2 * dz]


class FromShareOfSum(Gate):
    """z = x / Σ x: every output depends on every input; a gradient of mixed signs that sums to 0."""

    def forward(self, x):
        self.total = np.sum(x)
        self.z = x / self.total
        return self.z

    def backward(self, dz):
        return [(dz - np.sum(self.z * dz)) / self.total]


UNUSUAL_GATES = [
    Correct("softplus, far out", Softplus, (numbers(3, 2, scale=40),)),
    Correct("layer norm", LayerNorm, (numbers(3, 4), numbers(4), numbers(4, seed=1))),
    Correct("cosine of tiny vectors", Cosine, (numbers(3, 4, scale=1e-3), numbers(3, 4, seed=1, scale=1e3))),
    Correct("max pool", MaxPool, (numbers(3, 4),)),
    Correct("bilinear form", Bilinear, (numbers(3), numbers(3, 2), numbers(2))),
    Correct("buffers used again", ReusesItsBuffers, (numbers(3, 2),)),
    Correct("sort, a tuple", Sort, (numbers(5),)),
    Correct("identity of a single number", Identity, (np.float64(2.0),)),
    Correct("an input without effect", IgnoresSecond, (numbers(3), numbers(2, 2))),
    Correct("kink at an input", Absolute, (np.array([0.0, -1.5, 2.0, 0.0]),)),
    Correct("cube, huge", Cube, (numbers(3, 2, scale=1e6),)),
    Correct("cube, tiny", Cube, (numbers(3, 2, scale=1e-5),)),
    Correct("shares of a sum", FromShareOfSum, (positive(6),)),
    Correct("gather with repeated ids", Gather, (numbers(3, 4), np.array([1, 1, 1]))),
    Correct("cumulative sum of a column of a matrix", CumulativeSum, (numbers(4, 3)[:, 1],)),
]
