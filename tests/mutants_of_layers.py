"""Layers, losses and activations that the library does not have, each with another backward.

The gates are right as they stand here; a mutant is one of them with one rule exchanged. ``code`` is what a fair
examiner calls the mistake, None where no name on the list is what was done.

Written after the checker's rules were frozen (commit 470da0b), by somebody who had not read them. What they did at
first: 37 of 40 caught (one passed, a slope cached in backward; two crashed), 24 of the 34 with a code named exactly, 7
not named, 2 named otherwise. The false pass, the crashes and the false name were mended afterwards, so from then on
these are regression tests.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

import handgrad as hg
from handgrad import sigmoid, softmax, sum_to_shape


@dataclass(frozen=True)
class Mutant:
    name: str
    code: str | None
    make_gate: Callable
    inputs: list


# ------------------------------------------------------------------------------------------ the right gates
class Softplus(hg.Gate):
    """z = log(1 + e^x), elementwise."""

    def forward(self, x):
        self.x, self.z = x, np.logaddexp(0, x)
        return self.z

    def backward(self, dz):
        return [sigmoid(self.x) * dz]


class Swish(hg.Gate):
    """z = x σ(x), elementwise."""

    def forward(self, x):
        self.x, self.s = x, sigmoid(x)
        return x * self.s

    def backward(self, dz):
        return [(self.s + self.x * self.s * (1 - self.s)) * dz]


class GELU(hg.Gate):
    """z = x (1 + tanh u) / 2 with u = c (x + a x³), elementwise."""

    a, c = 0.044715, np.sqrt(2 / np.pi)

    def __init__(self):
        self.known_slope = None

    def forward(self, x):
        self.x, self.t = x, np.tanh(self.c * (x + self.a * x**3))
        return x * (1 + self.t) / 2

    def slope(self):
        return (1 + self.t) / 2 + self.x / 2 * (1 - self.t**2) * self.c * (1 + 3 * self.a * self.x**2)

    def backward(self, dz):
        return [self.slope() * dz]


class Sqrt(hg.Gate):
    """z = √x, elementwise."""

    def forward(self, x):
        self.x, self.z = x, np.sqrt(x)
        return self.z

    def backward(self, dz):
        return [dz / (2 * self.z)]


class Clip(hg.Gate):
    """z = x, but at least -½ and at most ½."""

    def forward(self, x):
        self.x, self.z = x, np.clip(x, -0.5, 0.5)
        return self.z

    def backward(self, dz):
        return [dz * (np.abs(self.x) <= 0.5)]


class Gated(hg.Gate):
    """z = σ(x) y, broadcasting."""

    def forward(self, x, y):
        self.x, self.y, self.s = x, y, sigmoid(x)
        return self.s * y

    def backward(self, dz):
        return [sum_to_shape(self.s * (1 - self.s) * self.y * dz, self.x), sum_to_shape(self.s * dz, self.y)]


class LayerNorm(hg.Gate):
    """z = (x - mean) / std of each row."""

    def forward(self, x):
        self.std = x.std(axis=-1, keepdims=True)
        self.z = (x - x.mean(axis=-1, keepdims=True)) / self.std
        return self.z

    def backward(self, dz):
        along = (dz * self.z).mean(axis=-1, keepdims=True)
        return [(dz - dz.mean(axis=-1, keepdims=True) - self.z * along) / self.std]


class UnitLength(hg.Gate):
    """z = x / |x| of each row."""

    def forward(self, x):
        self.x, self.length = x, np.linalg.norm(x, axis=-1, keepdims=True)
        self.z = x / self.length
        return self.z

    def backward(self, dz):
        return [(dz - self.z * np.sum(self.z * dz, axis=-1, keepdims=True)) / self.length]


class Cosine(hg.Gate):
    """z_i = x_i · y_i / |x_i| |y_i|, for rows."""

    def forward(self, x, y):
        self.nx, self.ny = (np.linalg.norm(v, axis=-1, keepdims=True) for v in (x, y))
        self.ux, self.uy = x / self.nx, y / self.ny
        self.z = np.sum(self.ux * self.uy, axis=-1)
        return self.z

    def backward(self, dz):
        z, dz = self.z[:, None], dz[:, None]
        return [(self.uy - z * self.ux) / self.nx * dz, (self.ux - z * self.uy) / self.ny * dz]


class Hinge(hg.Gate):
    """loss = max(0, 1 - label x), elementwise, for labels -1 and 1."""

    def forward(self, x, label):
        self.x, self.label = x, label
        return np.maximum(0, 1 - label * x)

    def backward(self, dz):
        return [-self.label * dz * (self.label * self.x < 1), None]


class MeanSquaredError(hg.Gate):
    """loss = Σ (x - t)² / n over all n entries."""

    def forward(self, x, t):
        self.e = x - t
        return np.mean(self.e**2)

    def backward(self, dz):
        dx = 2 * self.e / self.e.size * dz
        return [dx, -dx]


class Penalty(hg.Gate):
    """z = ½ Σ W² over all entries."""

    def forward(self, W):
        self.W = W
        return np.sum(W**2) / 2

    def backward(self, dz):
        return [self.W * dz]


class Outer(hg.Gate):
    """z_ij = x_i y_j."""

    def forward(self, x, y):
        self.x, self.y = x, y
        return np.outer(x, y)

    def backward(self, dz):
        return [dz @ self.y, self.x @ dz]


class Bilinear(hg.Gate):
    """z_b = x_b W y_b: x (B, D), W (D, M), y (B, M) -> z (B,)"""

    def forward(self, x, W, y):
        self.x, self.W, self.y = x, W, y
        return np.sum(x @ W * y, axis=-1)

    def backward(self, dz):
        dz = dz[:, None]
        return [dz * (self.y @ self.W.T), (self.x * dz).T @ self.y, dz * (self.x @ self.W)]


class Scores(hg.Gate):
    """z = Q Kᵀ / √D: Q (N, D), K (M, D) -> z (N, M)"""

    def forward(self, Q, K):
        self.Q, self.K, self.root = Q, K, np.sqrt(Q.shape[1])
        return Q @ K.T / self.root

    def backward(self, dz):
        return [dz @ self.K / self.root, dz.T @ self.Q / self.root]


class Recurrent(hg.Gate):
    """z = tanh(x + h W): x (B, H), h (B, H), W (H, H) -> z (B, H)"""

    def forward(self, x, h, W):
        self.h, self.W, self.z = h, W, np.tanh(x + h @ W)
        return self.z

    def backward(self, dz):
        da = (1 - self.z**2) * dz
        return [da, da @ self.W.T, self.h.T @ da]


class Convolution(hg.Gate):
    """z_i = k_0 x_i + k_1 x_(i+1) + k_2 x_(i+2) in each row: x (B, N), k (3,) -> z (B, N - 2)"""

    def __init__(self):
        self.dk = np.zeros(3)

    def forward(self, x, k):
        self.x, self.k, self.n = x, k, x.shape[1] - 2
        return sum(k[j] * x[:, j : j + self.n] for j in range(3))

    def for_x(self, dz, k):
        dx = np.zeros_like(self.x)
        for j in range(3):
            dx[:, j : j + self.n] += k[j] * dz
        return dx

    def for_k(self, dz):
        return np.array([np.sum(self.x[:, j : j + self.n] * dz) for j in range(3)])

    def backward(self, dz):
        return [self.for_x(dz, self.k), self.for_k(dz)]


class CumulativeSum(hg.Gate):
    """z_i = x_0 + ... + x_i in each row."""

    def forward(self, x):
        return np.cumsum(x, axis=-1)

    def backward(self, dz):
        return [np.cumsum(dz[:, ::-1], axis=-1)[:, ::-1]]


class Pad(hg.Gate):
    """z = x with a column of zeros on either side."""

    def forward(self, x):
        return np.pad(x, [(0, 0), (1, 1)])

    def backward(self, dz):
        return [dz[:, 1:-1]]


class Bag(hg.Gate):
    """z_b = the sum of the rows ids_b of a table: table (V, D), ids (B, n) -> z (B, D)"""

    def forward(self, table, ids):
        self.table, self.ids = table, ids
        return table[ids].sum(axis=1)

    def backward(self, dz):
        dtable = np.zeros_like(self.table)
        np.add.at(dtable, self.ids, dz[:, None])
        return [dtable, None]


# ------------------------------------------------------- the wrong rules that need more than one expression
def bilinear_transposed(self, dz):
    dx, dW, dy = Bilinear.backward(self, dz)
    return [dx, dW.T, dy]


def bilinear_with_the_other_matrix(self, dz):
    dz = dz[:, None]
    return [dz * (self.y @ self.W), (self.x * dz).T @ self.y, dz * (self.x @ self.W)]


def recurrent_with_the_other_matrix(self, dz):
    da = (1 - self.z**2) * dz
    return [da, da @ self.W, self.h.T @ da]


def bias_as_a_row(self, dz):
    return [dz @ self.W.T, self.x.T @ dz, dz.sum(axis=0, keepdims=True)]


def last_word_wins(self, dz):
    dtable = np.zeros_like(self.table)
    dtable[self.ids] += dz[:, None]
    return [dtable, None]


def average_over_repeats(self, dz):
    dtable = np.zeros_like(self.table)
    for i in np.unique(self.ids):
        dtable[i] = dz[self.ids == i].mean(axis=0)
    return [dtable, None]


def gated_in_place(self, dz):
    self.y *= dz
    return [self.s * (1 - self.s) * self.y, self.s * dz]


def kernel_adds_up(self, dz):
    self.dk = self.dk + self.for_k(dz)
    return [self.for_x(dz, self.k), self.dk]


def slope_once(self, dz):
    if self.known_slope is None:
        self.known_slope = self.slope()
    return [self.known_slope * dz]


def cross_entropy_without_observed(self, dz):
    return [softmax(self.x) * dz[:, None], None]


def cosine_of_constant_lengths(self, dz):
    both = self.nx * self.ny
    return [self.uy * self.ny / both * dz[:, None], self.ux * self.nx / both * dz[:, None]]


# --------------------------------------------------------------------------------------------- the mutants
def floats(*shapes):
    rng = np.random.default_rng(7)
    return [rng.standard_normal(shape) for shape in shapes]


def wrong(gate, backward):
    """What makes a gate like ``gate``, but with this backward."""
    return type(gate.__name__, (gate,), {"backward": backward})


X = floats((4, 5))
XY = floats((4, 5), (4, 5))
TABLE = floats((7, 3))
LABELED = [3 * floats(8)[0], np.array([1, -1, 1, 1, -1, -1, 1, -1])]
BAG = [*TABLE, np.array([[2, 5, 2, 0], [5, 6, 1, 1], [0, 3, 2, 6], [4, 4, 5, 2], [3, 1, 0, 5]])]
FORM = floats((5, 4), (4, 3), (5, 3))
HEADS = floats((4, 6), (5, 6))
CELL = floats((3, 5), (3, 5), (5, 5))
SIGNAL = floats((4, 7), 3)

MUTANTS_OF_LAYERS = [
    Mutant("softplus, slope alone", "FORGOT_UPSTREAM", wrong(Softplus, lambda self, dz: [sigmoid(self.x)]), X),
    Mutant(
        "squared error as the last gate",
        "FORGOT_UPSTREAM",
        wrong(MeanSquaredError, lambda self, dz: [2 * self.e / self.e.size, -2 * self.e / self.e.size]),
        XY,
    ),
    Mutant("swish dz²", "UPSTREAM_TWICE", wrong(Swish, lambda self, dz: [Swish.backward(self, dz)[0] * dz]), X),
    Mutant(
        "hinge without its minus",
        "WRONG_SIGN",
        wrong(Hinge, lambda self, dz: [self.label * dz * (self.label * self.x < 1), None]),
        LABELED,
    ),
    Mutant(
        "squared error, target as the prediction",
        "WRONG_SIGN",
        wrong(MeanSquaredError, lambda self, dz: [2 * self.e / self.e.size * dz] * 2),
        XY,
    ),
    Mutant(
        "squared error not divided by n",
        "MEAN_OR_SUM",
        wrong(MeanSquaredError, lambda self, dz: [2 * self.e * dz, -2 * self.e * dz]),
        XY,
    ),
    Mutant(
        "kernel averaged over the batch",
        "MEAN_OR_SUM",
        wrong(Convolution, lambda self, dz: [self.for_x(dz, self.k), self.for_k(dz) / len(dz)]),
        SIGNAL,
    ),
    Mutant("bilinear dWᵀ", "TRANSPOSED", wrong(Bilinear, bilinear_transposed), FORM),
    Mutant(
        "keys as columns",
        "TRANSPOSED",
        wrong(Scores, lambda self, dz: [dz @ self.K / self.root, self.Q.T @ dz / self.root]),
        HEADS,
    ),
    Mutant("recurrent da W", "OTHER_OPERAND_TRANSPOSED", wrong(Recurrent, recurrent_with_the_other_matrix), CELL),
    Mutant("bilinear y W", "OTHER_OPERAND_TRANSPOSED", wrong(Bilinear, bilinear_with_the_other_matrix), FORM),
    Mutant(
        "one gate for a row",
        "NOT_SUMMED_OVER_BROADCAST",
        wrong(Gated, lambda self, dz: [self.s * (1 - self.s) * self.y * dz, self.s * dz]),
        floats((4, 1), (4, 5)),
    ),
    Mutant("penalty, flattened", "WRONG_SHAPE", wrong(Penalty, lambda self, dz: [self.W.ravel() * dz]), X),
    Mutant("bias as a row", "WRONG_SHAPE", wrong(hg.Affine, bias_as_a_row), floats((5, 4), (4, 3), 3)),
    Mutant("outer", "GRADIENTS_SWAPPED", wrong(Outer, lambda self, dz: [self.x @ dz, dz @ self.y]), floats(4, 6)),
    Mutant("cosine", "GRADIENTS_SWAPPED", wrong(Cosine, lambda self, dz: Cosine.backward(self, dz)[::-1]), XY),
    Mutant("softplus σ(z)", "OUTPUT_FOR_INPUT", wrong(Softplus, lambda self, dz: [sigmoid(self.z) * dz]), X),
    Mutant("clip |z| ≤ ½", "OUTPUT_FOR_INPUT", wrong(Clip, lambda self, dz: [dz * (np.abs(self.z) <= 0.5)]), X),
    Mutant("√x, 1 / 2x", "INPUT_FOR_OUTPUT", wrong(Sqrt, lambda self, dz: [dz / (2 * self.x)]), [np.exp(X[0])]),
    Mutant(
        "unit length, x (x · dz)",
        "INPUT_FOR_OUTPUT",
        wrong(UnitLength, lambda self, dz: [(dz - self.x * np.sum(self.x * dz, -1, keepdims=True)) / self.length]),
        X,
    ),
    Mutant(
        "unit length, 1 - z²",
        "DIAGONAL_ONLY",
        wrong(UnitLength, lambda self, dz: [(1 - self.z**2) / self.length * dz]),
        X,
    ),
    Mutant("cumulative sum", "DIAGONAL_ONLY", wrong(CumulativeSum, lambda self, dz: [dz]), X),
    Mutant("bag of words, +=", "REPEATED_IDS", wrong(Bag, last_word_wins), BAG),
    Mutant(
        "lookup, mean of repeats",
        "REPEATED_IDS",
        wrong(hg.EmbeddingLookup, average_over_repeats),
        [*TABLE, np.array([2, 5, 2, 0, 5, 2])],
    ),
    Mutant("pad, taken from the left end", "OFF_BY_ONE", wrong(Pad, lambda self, dz: [dz[:, :-2]]), X),
    Mutant(
        "cumulative sum, one too late",
        "OFF_BY_ONE",
        wrong(CumulativeSum, lambda self, dz: [np.cumsum(dz[:, ::-1], axis=-1)[:, ::-1] - dz]),
        X,
    ),
    Mutant("penalty 2 W", "WRONG_FACTOR", wrong(Penalty, lambda self, dz: [2 * self.W * dz]), X),
    Mutant("scores without √D", "WRONG_FACTOR", wrong(Scores, lambda self, dz: [dz @ self.K, dz.T @ self.Q]), HEADS),
    Mutant("gated, y *= dz", "CHANGED_INPUTS", wrong(Gated, gated_in_place), XY),
    Mutant("kernel adds up", "ACCUMULATES_OVER_CALLS", wrong(Convolution, kernel_adds_up), SIGNAL),
    Mutant("GELU, slope computed once", "STALE_CACHE", wrong(GELU, slope_once), X),
    Mutant(
        "clip, None for its limits",
        "WRONG_COUNT",
        wrong(Clip, lambda self, dz: [dz * (np.abs(self.x) <= 0.5), None, None]),
        X,
    ),
    Mutant(
        "squared error, target taken as fixed",
        "NO_GRADIENT",
        wrong(MeanSquaredError, lambda self, dz: [2 * self.e / self.e.size * dz, None]),
        XY,
    ),
    Mutant(
        "hinge, labels too",
        "GRADIENT_FOR_INTEGERS",
        wrong(Hinge, lambda self, dz: [v * dz * (self.label * self.x < 1) for v in (-self.label, -self.x)]),
        LABELED,
    ),
    Mutant("swish, σ held fixed", None, wrong(Swish, lambda self, dz: [self.s * dz]), X),
    Mutant("layer norm, mean and std held fixed", None, wrong(LayerNorm, lambda self, dz: [dz / self.std]), X),
    Mutant("cosine, lengths held fixed", None, wrong(Cosine, cosine_of_constant_lengths), XY),
    Mutant(
        "kernel the wrong way round",
        None,
        wrong(Convolution, lambda self, dz: [self.for_x(dz, self.k[::-1]), self.for_k(dz)]),
        SIGNAL,
    ),
    Mutant(
        "cross entropy without observed",
        None,
        wrong(hg.SoftmaxCrossEntropy, cross_entropy_without_observed),
        [*floats((5, 4)), np.array([3, 0, 1, 1, 2])],
    ),
    Mutant("hinge beyond the margin", None, wrong(Hinge, lambda self, dz: [-self.label * dz, None]), LABELED),
]
