"""The gates: each a forward rule, and a backward rule that multiplies upstream by local.

Shapes at line ends: B rows in a batch, D inputs, M outputs of an affine map. Elementwise gates broadcast
as NumPy does; ``sum_to_shape`` undoes it on the way back, since the gradients of copies add.
"""

import numpy as np

from handgrad.functional import sigmoid, sum_to_shape
from handgrad.graph import Gate


class Add(Gate):
    """z = x + y, elementwise. The upstream gradient goes to both inputs unchanged."""

    def forward(self, x, y):
        self.x, self.y = x, y
        return x + y

    def backward(self, dz):
        return [sum_to_shape(dz, self.x), sum_to_shape(dz, self.y)]


class Subtract(Gate):
    """z = x - y, elementwise."""

    def forward(self, x, y):
        self.x, self.y = x, y
        return x - y

    def backward(self, dz):
        return [sum_to_shape(dz, self.x), sum_to_shape(-dz, self.y)]


class Multiply(Gate):
    """z = x * y, elementwise. Each input's slope is the other input."""

    def forward(self, x, y):
        self.x, self.y = x, y
        return x * y

    def backward(self, dz):
        dx, dy = self.y * dz, self.x * dz
        return [sum_to_shape(dx, self.x), sum_to_shape(dy, self.y)]


class Max(Gate):
    """z = max(x, y), elementwise. The gradient goes to the larger input.

    Where both are equal there is a kink; each gets half, as in torch.
    """

    def forward(self, x, y):
        self.x, self.y = x, y
        return np.maximum(x, y)

    def backward(self, dz):
        dx = (dz * (self.x > self.y) + dz * (self.x >= self.y)) / 2
        dy = (dz * (self.y > self.x) + dz * (self.y >= self.x)) / 2
        return [sum_to_shape(dx, self.x), sum_to_shape(dy, self.y)]


class Sum(Gate):
    """z = Σ x over all entries, or over one axis."""

    def __init__(self, axis=None):
        self.axis = axis

    def forward(self, x):
        self.x = x
        return np.sum(x, axis=self.axis)

    def backward(self, dz):
        if self.axis is not None:
            dz = np.expand_dims(dz, self.axis)
        return [np.broadcast_to(dz, np.shape(self.x))]  # every entry had slope 1


class Mean(Gate):
    """z = Σ x / n over all n entries, or over the n of one axis."""

    def __init__(self, axis=None):
        self.axis = axis

    def forward(self, x):
        self.x = x
        return np.mean(x, axis=self.axis)

    def backward(self, dz):
        if self.axis is not None:
            dz = np.expand_dims(dz, self.axis)
        n = np.size(self.x) // max(np.size(dz), 1)  # entries that went into one mean
        return [np.broadcast_to(dz / n, np.shape(self.x))]


class MatMul(Gate):
    """z = x W.

    x (B, D), W (D, M) -> z (B, M)
    """

    def forward(self, x, W):
        require_matching_matrices(self, x, W)
        self.x, self.W = x, W
        return x @ W  # (B, M)

    def backward(self, dz):
        dx = dz @ self.W.T  # (B, D)
        dW = self.x.T @ dz  # (D, M)  every row of the batch adds its outer product
        return [dx, dW]


class Affine(Gate):
    """z = x W + b.

    x (B, D), W (D, M), b (M,) -> z (B, M)
    """

    def forward(self, x, W, b):
        require_matching_matrices(self, x, W, b)
        self.x, self.W = x, W
        return x @ W + b  # (B, M)

    def backward(self, dz):
        dx = dz @ self.W.T  # (B, D)
        dW = self.x.T @ dz  # (D, M)
        db = dz.sum(axis=0)  # (M,)  b was copied to every row; the gradients of copies add
        return [dx, dW, db]


class Sigmoid(Gate):
    """z = σ(x) = 1 / (1 + e^-x), elementwise. Its slope is made of its own output: z (1 - z)."""

    def forward(self, x):
        self.z = sigmoid(x)
        return self.z

    def backward(self, dz):
        return [self.z * (1 - self.z) * dz]


class Tanh(Gate):
    """z = tanh(x), elementwise. Its slope: 1 - z²."""

    def forward(self, x):
        self.z = np.tanh(x)
        return self.z

    def backward(self, dz):
        return [(1 - self.z**2) * dz]


class ReLU(Gate):
    """z = max(x, 0), elementwise. The gradient passes where x > 0 and stops elsewhere."""

    def forward(self, x):
        self.x = x
        return np.maximum(x, 0)

    def backward(self, dz):
        return [(self.x > 0) * dz]


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
