"""The gates: each a forward rule, and a backward rule that multiplies upstream by local.

Shapes at line ends: B rows in a batch, D inputs, M outputs of an affine map. Elementwise gates
broadcast as NumPy does; ``sum_to_shape`` undoes it on the way back, since the gradients of copies add.
Backward multiplies matrices by ``np.dot``: the same as @, and faster where one of them is a single column.
``jvp`` is the rule of forward mode: it takes a tangent tx for each input x (the direction in which x
moves), and returns that of the output.
"""

from typing import Any

import numpy as np

from handgrad.functional import log_softmax, sigmoid, softmax, sum_to_shape
from handgrad.nodes import EVERY_INPUT, Gate


class Add(Gate):
    """z = x + y, elementwise. The upstream gradient goes to both inputs unchanged."""

    def forward(self, x, y):
        self.x, self.y = x, y
        return x + y

    def backward(self, dz):
        return [sum_to_shape(dz, self.x), sum_to_shape(dz, self.y)]

    def jvp(self, tx, ty):
        return tx + ty


class Subtract(Gate):
    """z = x - y, elementwise."""

    def forward(self, x, y):
        self.x, self.y = x, y
        return x - y

    def backward(self, dz):
        return [sum_to_shape(dz, self.x), sum_to_shape(-dz, self.y)]

    def jvp(self, tx, ty):
        return tx - ty


class Multiply(Gate):
    """z = x * y, elementwise. Each input's slope is the other input."""

    def forward(self, x, y):
        self.x, self.y = x, y
        return x * y

    def backward(self, dz):
        dx, dy = self.y * dz, self.x * dz
        return [sum_to_shape(dx, self.x), sum_to_shape(dy, self.y)]

    def jvp(self, tx, ty):
        return self.y * tx + self.x * ty


class Divide(Gate):
    """z = x / y, elementwise. Slopes: 1 / y, and -x / y² = -z / y."""

    def forward(self, x, y):
        self.x, self.y, self.z = x, y, np.divide(x, y)
        return self.z

    def backward(self, dz):
        dx = np.divide(dz, self.y)
        dy = -np.divide(self.z, self.y) * dz
        return [sum_to_shape(dx, self.x), sum_to_shape(dy, self.y)]

    def jvp(self, tx, ty):
        return np.divide(tx - self.z * ty, self.y)


class Power(Gate):
    """z = x^p, elementwise, for a fixed exponent p. Slope: p x^(p-1)."""

    def __init__(self, p: float) -> None:
        self.p = p

    def forward(self, x):
        self.x = x
        return np.power(x, self.p)

    def backward(self, dz):
        return [self.jvp(dz)]

    def jvp(self, tx):
        if self.p == 0:  # a constant; 0 · x^-1 would be nan at x = 0
            return np.zeros_like(self.x) * tx
        return self.p * np.power(self.x, self.p - 1) * tx


class Exp(Gate):
    """z = e^x, elementwise. It is its own slope."""

    def forward(self, x):
        self.z = np.exp(x)
        return self.z

    def backward(self, dz):
        return [self.z * dz]

    def jvp(self, tx):
        return self.z * tx


class Log(Gate):
    """z = log x, elementwise, the natural logarithm. Slope: 1 / x."""

    def forward(self, x):
        self.x = x
        return np.log(x)

    def backward(self, dz):
        return [np.divide(dz, self.x)]

    def jvp(self, tx):
        return np.divide(tx, self.x)


class Max(Gate):
    """z = max(x, y), elementwise. The gradient goes to the larger input.

    Where both are equal there is a kink, and each gets half; at a nan each gets
    all of it. Both as in torch.
    """

    def forward(self, x, y):
        self.x, self.y = x, y
        return np.maximum(x, y)

    def backward(self, dz):
        x, y = self.x, self.y
        dx, dy = self.routed(dz, x, y), self.routed(dz, y, x)
        return [sum_to_shape(dx, x), sum_to_shape(dy, y)]

    def jvp(self, tx, ty):
        x, y = self.x, self.y
        return self.routed(tx, x, y) + self.routed(ty, y, x)

    @staticmethod
    def routed(dz: Any, x: Any, y: Any) -> Any:
        """The share of x: all of dz, but half where both are equal, and nothing where x is smaller."""
        return np.where(x < y, 0.0, np.where(x == y, dz / 2, dz))[()]


class Sum(Gate):
    """z = Σ x over all entries, or over one axis or several."""

    def __init__(self, axis: int | tuple[int, ...] | None = None) -> None:
        self.axis = axis

    def forward(self, x):
        self.x = x
        return np.sum(x, axis=self.axis)

    def backward(self, dz):
        if self.axis is not None:
            dz = np.expand_dims(dz, self.axis)
        return [np.broadcast_to(dz, np.shape(self.x))]  # every entry had slope 1

    def jvp(self, tx):
        return np.sum(tx, axis=self.axis)


class Mean(Gate):
    """z = Σ x / n over all n entries, or over the n along one axis or several."""

    def __init__(self, axis: int | tuple[int, ...] | None = None) -> None:
        self.axis = axis

    def forward(self, x):
        self.x, total = x, np.sum(x, axis=self.axis)
        self.n = np.size(x) // max(np.size(total), 1)  # entries that go into one mean
        return np.divide(total, self.n)

    def backward(self, dz):
        dz = np.divide(dz, self.n)
        if self.axis is not None:
            dz = np.expand_dims(dz, self.axis)
        return [np.broadcast_to(dz, np.shape(self.x))]

    def jvp(self, tx):
        return np.divide(np.sum(tx, axis=self.axis), self.n)


class Concat(Gate):
    """z = the inputs side by side along one axis. Each takes back its own part of the gradient."""

    ids_at = EVERY_INPUT  # it computes nothing, so ids may pass

    def __init__(self, axis: int = -1) -> None:
        self.axis = axis

    def forward(self, *inputs):
        self.sizes = [np.shape(x)[self.axis] for x in inputs]
        return np.concatenate(inputs, axis=self.axis)

    def backward(self, dz):
        return np.split(dz, np.cumsum(self.sizes)[:-1], axis=self.axis)

    def jvp(self, *tangents):
        return np.concatenate(tangents, axis=self.axis)


class Reshape(Gate):
    """z = x in another shape, entries in the same order; -1 stands for the size that fits."""

    ids_at = EVERY_INPUT

    def __init__(self, *shape: Any) -> None:
        self.shape = shape[0] if shape and isinstance(shape[0], tuple) else shape  # Reshape((3, 2)) as Reshape(3, 2)

    def forward(self, x):
        self.x = x
        return np.reshape(x, self.shape)

    def backward(self, dz):
        return [np.reshape(dz, np.shape(self.x))]

    def jvp(self, tx):
        return np.reshape(tx, self.shape)


class Transpose(Gate):
    """z = x with its axes in another order, by default reversed."""

    ids_at = EVERY_INPUT

    def __init__(self, *axes: int) -> None:
        self.axes = (axes[0] if isinstance(axes[0], tuple) else axes) if axes else None

    def forward(self, x):
        axes = range(np.ndim(x))
        order = [axes[axis] for axis in self.axes] if self.axes else axes[::-1]  # axes[-1] is the last
        self.back = np.argsort(order)  # where each axis came from
        return np.transpose(x, self.axes)

    def backward(self, dz):
        return [np.transpose(dz, self.back)]

    def jvp(self, tx):
        return np.transpose(tx, self.axes)


class MatMul(Gate):
    """z = x W.

    x (B, D), W (D, M) -> z (B, M)
    """

    def forward(self, x, W):
        require_matching_matrices(self, x, W)
        self.x, self.W = x, W
        return x @ W  # (B, M)

    def backward(self, dz):
        dx = np.dot(dz, self.W.T)  # (B, D)
        dW = np.dot(self.x.T, dz)  # (D, M)  every row of the batch adds its outer product
        return [dx, dW]

    def jvp(self, tx, tW):
        return tx @ self.W + self.x @ tW


class Affine(Gate):
    """z = x W + b.

    x (B, D), W (D, M), b (M,) -> z (B, M)
    """

    ids_at = ()  # x of integers is never multiplied by W of integers, though b is of floats

    def forward(self, x, W, b):
        require_matching_matrices(self, x, W, b)
        self.x, self.W = x, W
        return x @ W + b  # (B, M)

    def backward(self, dz):
        dx = np.dot(dz, self.W.T)  # (B, D)
        dW = np.dot(self.x.T, dz)  # (D, M)
        db = dz.sum(axis=0)  # (M,)  b was copied to every row; the gradients of copies add
        return [dx, dW, db]

    def jvp(self, tx, tW, tb):
        return tx @ self.W + self.x @ tW + tb


class Sigmoid(Gate):
    """z = σ(x) = 1 / (1 + e^-x), elementwise. Its slope is made of its own output: z (1 - z)."""

    def forward(self, x):
        self.z = sigmoid(x)
        return self.z

    def backward(self, dz):
        return [self.z * (1 - self.z) * dz]

    def jvp(self, tx):
        return self.z * (1 - self.z) * tx


class Tanh(Gate):
    """z = tanh(x), elementwise. Its slope: 1 - z²."""

    def forward(self, x):
        self.z = np.tanh(x)
        return self.z

    def backward(self, dz):
        return [(1 - self.z**2) * dz]

    def jvp(self, tx):
        return (1 - self.z**2) * tx


class ReLU(Gate):
    """z = max(x, 0), elementwise. The gradient stops where x <= 0, and passes elsewhere: at a nan too, as in torch."""

    def forward(self, x):
        self.x = x
        return np.maximum(x, 0)

    def backward(self, dz):
        return [np.logical_not(self.x <= 0) * dz]

    def jvp(self, tx):
        return np.logical_not(self.x <= 0) * tx


class Softmax(Gate):
    """z = e^x / Σ e^x along the last axis. Every output depends on every score: ∂z_i/∂x_j = z_i ([i = j] - z_j)."""

    def forward(self, x):
        self.z = softmax(x)
        return self.z

    def backward(self, dz):
        return [self.jvp(dz)]  # the Jacobian is symmetric

    def jvp(self, tx):
        return self.z * (tx - np.sum(self.z * tx, axis=-1, keepdims=True))


class LogSoftmax(Gate):
    """z = x - log Σ e^x along the last axis: ∂z_i/∂x_j = [i = j] - softmax(x)_j."""

    def forward(self, x):
        self.z = log_softmax(x)
        return self.z

    def backward(self, dz):
        return [dz - np.exp(self.z) * np.sum(dz, axis=-1, keepdims=True)]

    def jvp(self, tx):
        return tx - np.sum(np.exp(self.z) * tx, axis=-1, keepdims=True)


def require_matching_matrices(gate, x, W, b=None):
    """x (B, D), W (D, M) and b (M,) fit together, or a sentence says which does not."""
    name = type(gate).__name__
    if np.ndim(x) != 2 or np.ndim(W) != 2 or np.shape(x)[1] != np.shape(W)[0]:
        raise ValueError(
            f"{name} expects x (B, D) and W (D, M) with the same D, but got x {np.shape(x)} and W {np.shape(W)}: "
            "a single example is a batch of one row, x[None, :], and W has one row for each column of x."
        )
    if b is not None and np.shape(b) != (np.shape(W)[1],):
        raise ValueError(
            f"{name} expects b (M,) with one entry for each column of W {np.shape(W)}, but got b {np.shape(b)}."
        )
