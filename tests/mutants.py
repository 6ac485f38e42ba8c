"""Planted wrong gates: mistakes that people make, each with the code that the checker should give it.

The code is None where a mistake has no name: it must be caught, and must not be called something else.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

import handgrad as hg
from handgrad.word2vec import NegativeSampling

RNG = np.random.default_rng(42)


def r(*shape):
    return RNG.standard_normal(shape)


def positive(*shape):
    return RNG.uniform(0.5, 2.0, shape)


@dataclass(frozen=True)
class Mutant:
    name: str
    code: str | None
    make_gate: Callable
    inputs: tuple


def mutate(base, backward=None, forward=None, **settings):
    """A subclass of ``base`` with another rule."""
    rules = {"backward": backward} if backward else {}
    if forward:
        rules["forward"] = forward
    return lambda: type(f"{base.__name__}Mutant", (base,), rules)(**settings)


def like(x):
    return np.ones_like(x)


# --- gates that the library has not, for mistakes that need them -------------------------------------------------


class Square(hg.Gate):
    def forward(self, x):
        self.x, self.z = x, x**2
        return self.z


class Slice(hg.Gate):
    """z = x[:, 1:3]."""

    def forward(self, x):
        self.x = x
        return x[:, 1:3]

    def scatter(self, dz, start):
        dx = np.zeros(self.x.shape)
        dx[:, start : start + 2] = dz
        return [dx]


def softmax_that_keeps_x(self, x):
    self.x = x
    return hg.softmax(x)


class CachingTanh(hg.Gate):
    def forward(self, x):
        if "z" not in vars(self):
            self.z = np.tanh(x)
        return np.tanh(x)

    def backward(self, dz):
        return [(1 - self.z**2) * dz]


class CachingAffine(hg.Affine):
    def forward(self, x, W, b):
        z = super().forward(x, W, b)
        self.first_W = vars(self).get("first_W", W)
        return z

    def backward(self, dz):
        return [dz @ self.first_W.T, self.x.T @ dz, dz.sum(axis=0)]


class CachingLookup(hg.EmbeddingLookup):
    def forward(self, table, ids):
        z = super().forward(table, ids)
        self.ids = self.first_ids = vars(self).get("first_ids", ids)
        return z


class LazyReshape(hg.Reshape):
    def __init__(self):
        super().__init__(-1)

    def backward(self, dz):
        return [dz]


class AccumulatingAffine(hg.Affine):
    dW = 0

    def backward(self, dz):
        self.dW = self.dW + self.x.T @ dz
        return [dz @ self.W.T, self.dW, dz.sum(axis=0)]


class AccumulatingTanh(hg.Tanh):
    def backward(self, dz):
        if "total" not in vars(self):
            self.total = np.zeros_like(self.z)
        self.total += (1 - self.z**2) * dz  # in place, into the array that it hands out
        return [self.total]


class RandomTanh(hg.Tanh):
    rng = np.random.default_rng(0)

    def backward(self, dz):
        return [(1 - self.z**2) * dz * self.rng.random()]


class InPlaceReLU(hg.ReLU):
    def forward(self, x):
        x[x < 0] = 0
        return super().forward(x)


class InPlaceDownstream(hg.Tanh):
    def backward(self, dz):
        dz *= 1 - self.z**2
        return [dz]


class InPlaceInput(Square):
    def backward(self, dz):
        gradient = 2 * self.x * dz
        self.x *= 2
        return [gradient]


def lookup(scatter):
    def backward(self, dz):
        d = np.zeros(self.table.shape)
        scatter(d, self.ids.ravel(), dz.reshape(-1, self.table.shape[1]))
        return [d, None]

    return mutate(hg.EmbeddingLookup, backward)


def assign(d, ids, rows):
    d[ids] = rows


def buffered_add(d, ids, rows):
    d[ids] += rows


def keep_first(d, ids, rows):
    d[ids[::-1]] = rows[::-1]


def average(d, ids, rows):
    np.add.at(d, ids, rows)
    d /= np.maximum(np.bincount(ids, minlength=len(d)), 1)[:, None]


def next_row(d, ids, rows):
    np.add.at(d, (ids + 1) % len(d), rows)


def previous_row(d, ids, rows):
    np.add.at(d, ids - 1, rows)


def softmax_minus_label(self, step=1.0, offset=0):
    dx = hg.softmax(self.x)
    dx[np.arange(len(self.labels)), self.labels - offset] -= step
    return dx


M32, M3, IDS, LABELS = r(3, 2), r(3, 5), np.array([1, 1, 4, 1]), np.array([4, 0, 2])
PAIR = (r(3, 2), r(3, 2))
MATRICES = (r(3, 4), r(4, 5))
AFFINE = (*MATRICES, r(5))
SQUARES = (r(4, 4), r(4, 4))
TABLE = (r(6, 3), IDS)
SCORES = (M3, LABELS)

MUTANTS = [
    # the upstream gradient is forgotten
    Mutant("add: ones", "FORGOT_UPSTREAM", mutate(hg.Add, lambda s, dz: [like(s.x), like(s.y)]), PAIR),
    Mutant("multiply: the other input alone", "FORGOT_UPSTREAM", mutate(hg.Multiply, lambda s, dz: [s.y, s.x]), PAIR),
    Mutant("sigmoid: slope alone", "FORGOT_UPSTREAM", mutate(hg.Sigmoid, lambda s, dz: [s.z * (1 - s.z)]), (M32,)),
    Mutant("tanh: slope alone", "FORGOT_UPSTREAM", mutate(hg.Tanh, lambda s, dz: [1 - s.z**2]), (M32,)),
    Mutant("relu: mask alone", "FORGOT_UPSTREAM", mutate(hg.ReLU, lambda s, dz: [1.0 * (s.x > 0)]), (M32,)),
    Mutant("exp: output alone", "FORGOT_UPSTREAM", mutate(hg.Exp, lambda s, dz: [s.z]), (M32,)),
    Mutant("log: 1/x alone", "FORGOT_UPSTREAM", mutate(hg.Log, lambda s, dz: [1 / s.x]), (positive(3, 2),)),
    Mutant("sum: ones", "FORGOT_UPSTREAM", mutate(hg.Sum, lambda s, dz: [like(s.x)]), (M32,)),
    Mutant(
        "matmul: ones for dz",
        "FORGOT_UPSTREAM",
        mutate(hg.MatMul, lambda s, dz: [like(dz) @ s.W.T, s.x.T @ like(dz)]),
        MATRICES,
    ),
    Mutant(
        "softmax cross-entropy: softmax minus label alone",
        "FORGOT_UPSTREAM",
        mutate(hg.SoftmaxCrossEntropy, lambda s, dz: [softmax_minus_label(s), None]),
        SCORES,
    ),
    Mutant(
        "negative sampling: error times vector, without the upstream",
        "FORGOT_UPSTREAM",
        mutate(NegativeSampling, lambda s, dz: NegativeSampling.backward(s, np.ones_like(dz))),
        (r(2, 1, 3), r(6, 3), np.array([1, 3]), np.array([[2, 4], [5, 0]])),
    ),
    # it is used twice
    Mutant(
        "multiply: dz squared", "UPSTREAM_TWICE", mutate(hg.Multiply, lambda s, dz: [s.y * dz**2, s.x * dz**2]), PAIR
    ),
    Mutant(
        "sigmoid: dz squared", "UPSTREAM_TWICE", mutate(hg.Sigmoid, lambda s, dz: [s.z * (1 - s.z) * dz * dz]), (M32,)
    ),
    Mutant(
        "affine: dz squared in the bias",
        "UPSTREAM_TWICE",
        mutate(hg.Affine, lambda s, dz: [dz @ s.W.T, s.x.T @ dz, (dz * dz).sum(axis=0)]),
        AFFINE,
    ),
    Mutant(
        "softmax cross-entropy: dz squared",
        "UPSTREAM_TWICE",
        mutate(hg.SoftmaxCrossEntropy, lambda s, dz: [softmax_minus_label(s) * dz[:, None] ** 2, None]),
        SCORES,
    ),
    # the sign
    Mutant("subtract: the second not negated", "WRONG_SIGN", mutate(hg.Subtract, lambda s, dz: [dz, dz]), PAIR),
    Mutant(
        "divide: the divisor's sign",
        "WRONG_SIGN",
        mutate(hg.Divide, lambda s, dz: [dz / s.y, s.x / s.y**2 * dz]),
        (r(3, 2), positive(3, 2)),
    ),
    Mutant(
        "softmax cross-entropy: observed minus expected",
        "WRONG_SIGN",
        mutate(hg.SoftmaxCrossEntropy, lambda s, dz: [-softmax_minus_label(s) * dz[:, None], None]),
        SCORES,
    ),
    Mutant(
        "sigmoid cross-entropy: label minus sigmoid",
        "WRONG_SIGN",
        mutate(hg.SigmoidCrossEntropy, lambda s, dz: [(s.label - hg.sigmoid(s.x)) * dz, -s.x * dz]),
        (r(3, 2), positive(3, 2) / 2),
    ),
    Mutant(
        "reciprocal: the minus", "WRONG_SIGN", mutate(hg.Power, lambda s, dz: [dz / s.x**2], p=-1), (positive(3, 2),)
    ),
    # mean against sum
    Mutant("mean: as if a sum", "MEAN_OR_SUM", mutate(hg.Mean, lambda s, dz: [np.full(s.x.shape, dz)]), (r(7),)),
    Mutant(
        "sum: as if a mean", "MEAN_OR_SUM", mutate(hg.Sum, lambda s, dz: [np.full(s.x.shape, dz / s.x.size)]), (r(7),)
    ),
    Mutant(
        "sum of columns: as if a mean",
        "MEAN_OR_SUM",
        mutate(hg.Sum, lambda s, dz: [np.broadcast_to(dz / len(s.x), s.x.shape)], axis=0),
        (M3,),
    ),
    Mutant(
        "affine: the bias takes the mean of the batch",
        "MEAN_OR_SUM",
        mutate(hg.Affine, lambda s, dz: [dz @ s.W.T, s.x.T @ dz, dz.mean(axis=0)]),
        AFFINE,
    ),
    Mutant(
        "matmul: the weights take the mean of the batch",
        "MEAN_OR_SUM",
        mutate(hg.MatMul, lambda s, dz: [dz @ s.W.T, s.x.T @ dz / len(dz)]),
        MATRICES,
    ),
    Mutant(
        "softmax cross-entropy: divided by the batch",
        "MEAN_OR_SUM",
        mutate(hg.SoftmaxCrossEntropy, lambda s, dz: [softmax_minus_label(s) * dz[:, None] / len(dz), None]),
        SCORES,
    ),
    # transposed
    Mutant("transpose: not turned back", "TRANSPOSED", mutate(hg.Transpose, lambda s, dz: [dz]), (M32,)),
    Mutant(
        "matmul: weights transposed",
        "TRANSPOSED",
        mutate(hg.MatMul, lambda s, dz: [dz @ s.W.T, dz.T @ s.x]),
        MATRICES,
    ),
    Mutant(
        "affine: weights of a square matrix transposed",
        "TRANSPOSED",
        mutate(hg.Affine, lambda s, dz: [dz @ s.W.T, dz.T @ s.x, dz.sum(axis=0)]),
        (*SQUARES, r(4)),
    ),
    Mutant("matmul: x transposed", "TRANSPOSED", mutate(hg.MatMul, lambda s, dz: [s.W @ dz.T, s.x.T @ dz]), MATRICES),
    # the other operand
    Mutant(
        "matmul: W where W.T belongs",
        "OTHER_OPERAND_TRANSPOSED",
        mutate(hg.MatMul, lambda s, dz: [dz @ s.W, s.x.T @ dz]),
        SQUARES,
    ),
    Mutant(
        "affine: W where W.T belongs",
        "OTHER_OPERAND_TRANSPOSED",
        mutate(hg.Affine, lambda s, dz: [dz @ s.W, s.x.T @ dz, dz.sum(axis=0)]),
        (r(3, 4), r(4, 4), r(4)),
    ),
    Mutant(
        "matmul: x where x.T belongs",
        "OTHER_OPERAND_TRANSPOSED",
        mutate(hg.MatMul, lambda s, dz: [dz @ s.W.T, s.x @ dz]),
        SQUARES,
    ),
    # copies whose gradients were not added
    Mutant("add: a bias row", "NOT_SUMMED_OVER_BROADCAST", mutate(hg.Add, lambda s, dz: [dz, dz]), (M32, r(2))),
    Mutant("add: a number", "NOT_SUMMED_OVER_BROADCAST", mutate(hg.Add, lambda s, dz: [dz, dz]), (M32, 0.5)),
    Mutant(
        "multiply: a column",
        "NOT_SUMMED_OVER_BROADCAST",
        mutate(hg.Multiply, lambda s, dz: [s.y * dz, s.x * dz]),
        (r(3, 1), M32),
    ),
    Mutant(
        "subtract: a row", "NOT_SUMMED_OVER_BROADCAST", mutate(hg.Subtract, lambda s, dz: [dz, -dz]), (M32, r(1, 2))
    ),
    Mutant(
        "divide: a stretched divisor",
        "NOT_SUMMED_OVER_BROADCAST",
        mutate(hg.Divide, lambda s, dz: [dz / s.y, -s.x / s.y**2 * dz]),
        (M32, positive(3, 1)),
    ),
    Mutant(
        "affine: the bias of every row",
        "NOT_SUMMED_OVER_BROADCAST",
        mutate(hg.Affine, lambda s, dz: [dz @ s.W.T, s.x.T @ dz, dz]),
        AFFINE,
    ),
    # a wrong shape of the right numbers
    Mutant("reshape: left as it is", "WRONG_SHAPE", LazyReshape, (M32,)),
    Mutant(
        "affine: a bias with two axes",
        "WRONG_SHAPE",
        mutate(hg.Affine, lambda s, dz: [dz @ s.W.T, s.x.T @ dz, dz.sum(axis=0, keepdims=True)]),
        AFFINE,
    ),
    # in the wrong order
    Mutant(
        "multiply: each its own input",
        "GRADIENTS_SWAPPED",
        mutate(hg.Multiply, lambda s, dz: [s.x * dz, s.y * dz]),
        PAIR,
    ),
    Mutant(
        "divide: swapped",
        "GRADIENTS_SWAPPED",
        mutate(hg.Divide, lambda s, dz: [-s.x / s.y**2 * dz, dz / s.y]),
        (r(3, 2), positive(3, 2)),
    ),
    Mutant(
        "max: to the smaller",
        "GRADIENTS_SWAPPED",
        mutate(hg.Max, lambda s, dz: [dz * (s.x < s.y), dz * (s.x > s.y)]),
        PAIR,
    ),
    Mutant(
        "row dot: each its own input",
        "GRADIENTS_SWAPPED",
        mutate(hg.RowDot, lambda s, dz: [s.x * dz[:, None], s.y * dz[:, None]]),
        PAIR,
    ),
    Mutant(
        "matmul: swapped",
        "GRADIENTS_SWAPPED",
        mutate(hg.MatMul, lambda s, dz: [s.x.T @ dz, dz @ s.W.T]),
        SQUARES,
    ),
    # the output for the input, or the reverse
    Mutant(
        "sigmoid: x (1 - x)", "INPUT_FOR_OUTPUT", mutate(hg.Sigmoid, lambda s, dz: [X(s) * (1 - X(s)) * dz]), (M32,)
    ),
    Mutant("tanh: 1 - x²", "INPUT_FOR_OUTPUT", mutate(hg.Tanh, lambda s, dz: [(1 - X(s) ** 2) * dz]), (M32,)),
    Mutant("exp: x", "INPUT_FOR_OUTPUT", mutate(hg.Exp, lambda s, dz: [X(s) * dz]), (M32,)),
    Mutant(
        "softmax: of the scores",
        "INPUT_FOR_OUTPUT",
        mutate(hg.Softmax, lambda s, dz: [s.x * (dz - np.sum(s.x * dz, axis=-1, keepdims=True))], softmax_that_keeps_x),
        (M3,),
    ),
    Mutant("log: 1/z", "OUTPUT_FOR_INPUT", mutate(hg.Log, lambda s, dz: [dz / np.log(s.x)]), (positive(3, 2) + 2,)),
    Mutant("square: 2z", "OUTPUT_FOR_INPUT", mutate(Square, lambda s, dz: [2 * s.z * dz]), (M32,)),
    Mutant("cube: 3z²", "OUTPUT_FOR_INPUT", mutate(hg.Power, lambda s, dz: [3 * s.x**6 * dz], p=3), (M32,)),
    Mutant(
        "multiply: the product for the factor",
        "OUTPUT_FOR_INPUT",
        mutate(hg.Multiply, lambda s, dz: [s.x * s.y * dz, s.x * dz]),
        PAIR,
    ),
    # only the diagonal
    Mutant("softmax: z (1 - z)", "DIAGONAL_ONLY", mutate(hg.Softmax, lambda s, dz: [s.z * (1 - s.z) * dz]), (M3,)),
    Mutant(
        "log-softmax: 1 - softmax",
        "DIAGONAL_ONLY",
        mutate(hg.LogSoftmax, lambda s, dz: [(1 - np.exp(s.z)) * dz]),
        (M3,),
    ),
    # ids that occur more than once
    Mutant("lookup: assigned", "REPEATED_IDS", lookup(assign), TABLE),
    Mutant("lookup: += on a selection", "REPEATED_IDS", lookup(buffered_add), TABLE),
    Mutant("lookup: the first wins", "REPEATED_IDS", lookup(keep_first), TABLE),
    Mutant("lookup: averaged", "REPEATED_IDS", lookup(average), TABLE),
    # one place away
    Mutant("lookup: the row after", "OFF_BY_ONE", lookup(next_row), (r(6, 3), np.array([1, 4]))),
    Mutant("lookup: the row before", "OFF_BY_ONE", lookup(previous_row), (r(6, 3), np.array([1, 1, 4]))),
    Mutant("slice: back to the start", "OFF_BY_ONE", mutate(Slice, lambda s, dz: s.scatter(dz, 0)), (M3,)),
    Mutant("slice: one too far", "OFF_BY_ONE", mutate(Slice, lambda s, dz: s.scatter(dz, 2)), (M3,)),
    Mutant(
        "tanh: the last column left out",
        "OFF_BY_ONE",
        mutate(hg.Tanh, lambda s, dz: [np.pad(((1 - s.z**2) * dz)[:, :-1], ((0, 0), (0, 1)))]),
        (M3,),
    ),
    # a constant
    Mutant("square: without the 2", "WRONG_FACTOR", mutate(Square, lambda s, dz: [s.x * dz]), (M32,)),
    Mutant("cube: without the 3", "WRONG_FACTOR", mutate(hg.Power, lambda s, dz: [s.x**2 * dz], p=3), (M32,)),
    Mutant("tanh: twice", "WRONG_FACTOR", mutate(hg.Tanh, lambda s, dz: [2 * (1 - s.z**2) * dz]), (M32,)),
    Mutant(
        "root: without the half",
        "WRONG_FACTOR",
        mutate(hg.Power, lambda s, dz: [dz / s.x**0.5], p=0.5),
        (positive(3, 2),),
    ),
    Mutant("log: base 2", "WRONG_FACTOR", mutate(hg.Log, lambda s, dz: [dz / s.x / np.log(2)]), (positive(3, 2),)),
    # side effects
    Mutant("relu: clips its input", "CHANGED_INPUTS", InPlaceReLU, (M32,)),
    Mutant("tanh: multiplies into dz", "CHANGED_INPUTS", InPlaceDownstream, (M32,)),
    Mutant("square: doubles x after use", "CHANGED_INPUTS", InPlaceInput, (M32,)),
    Mutant("affine: += over calls", "ACCUMULATES_OVER_CALLS", AccumulatingAffine, AFFINE),
    Mutant("tanh: += into what it returned", "ACCUMULATES_OVER_CALLS", AccumulatingTanh, (M32,)),
    Mutant("tanh: keeps its first output", "STALE_CACHE", CachingTanh, (M32,)),
    Mutant("affine: keeps its first weights", "STALE_CACHE", CachingAffine, AFFINE),
    Mutant("lookup: keeps its first ids", "STALE_CACHE", CachingLookup, (r(6, 3), np.array([0, 2, 5]))),
    # the form of the answer
    Mutant("multiply: one gradient", "WRONG_COUNT", mutate(hg.Multiply, lambda s, dz: [s.y * dz]), PAIR),
    Mutant("multiply: no list", "NOT_A_LIST", mutate(hg.Multiply, lambda s, dz: s.y * dz), (r(3), r(3))),
    Mutant("multiply: None for a float", "NO_GRADIENT", mutate(hg.Multiply, lambda s, dz: [s.y * dz, None]), PAIR),
    Mutant(
        "lookup: a gradient for the ids",
        "GRADIENT_FOR_INTEGERS",
        mutate(hg.EmbeddingLookup, lambda s, dz: [hg.EmbeddingLookup.backward(s, dz)[0], np.zeros(4)]),
        TABLE,
    ),
    # without a name
    Mutant("tanh: random", None, RandomTanh, (M32,)),
    Mutant("tanh: 1 - z", None, mutate(hg.Tanh, lambda s, dz: [(1 - s.z) * dz]), (M32,)),
    Mutant("sigmoid: z", None, mutate(hg.Sigmoid, lambda s, dz: [s.z * dz]), (M32,)),
    Mutant("relu: leaks", None, mutate(hg.ReLU, lambda s, dz: [np.where(s.x > 0, 1, 0.1) * dz]), (M32,)),
    Mutant("max: to both", None, mutate(hg.Max, lambda s, dz: [dz, dz]), PAIR),
    Mutant("divide: y not squared", None, mutate(hg.Divide, lambda s, dz: [dz / s.y, -s.x / s.y * dz]), PAIR),
    Mutant("log-softmax: dz alone", None, mutate(hg.LogSoftmax, lambda s, dz: [dz]), (M3,)),
    Mutant(
        "softmax cross-entropy: softmax alone",
        None,
        mutate(hg.SoftmaxCrossEntropy, lambda s, dz: [hg.softmax(s.x) * dz[:, None], None]),
        SCORES,
    ),
    Mutant(
        "softmax cross-entropy: another label",
        "OFF_BY_ONE",
        mutate(hg.SoftmaxCrossEntropy, lambda s, dz: [softmax_minus_label(s, offset=1) * dz[:, None], None]),
        SCORES,
    ),
    Mutant("softmax: zeros", None, mutate(hg.Softmax, lambda s, dz: [np.zeros_like(dz)]), (M3,)),
    Mutant("tanh: nan", None, mutate(hg.Tanh, lambda s, dz: [dz * np.nan]), (M32,)),
]


def X(gate):
    """The input of a gate that kept only its output: undo what forward did."""
    inverse = {
        hg.Sigmoid: lambda z: np.log(z / (1 - z)),
        hg.Tanh: np.arctanh,
        hg.Exp: np.log,
    }
    return inverse[type(gate).__mro__[1]](gate.z)
