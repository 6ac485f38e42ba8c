"""Gates and objectives of the library, got wrong in a subclass of each; ``codes`` are the names that fit the mistake.

These, ``mutants_of_new_gates`` and ``unusual_gates`` were written by somebody who had not read the checker (commit
9d9c051) nor the other mutants. What it did at first, with 78 wrong gates and 15 right ones: 77 caught, one passed, no
false alarm. Of the 53 with a code, 44 were named exactly, 9 not at all, none otherwise. Of the 25 without, 23 were
caught and got no name; the other two:

- The one that passed was no mistake where it was fed: no probability was near enough to 0 or 1 to be clipped. Its
  inputs were mended, not the checker; it is caught there, and would have been before.
- The one that was named although its author had no name for it, a row of a lookup that is skipped, was called
  OFF_BY_ONE. A loop that begins one row too late gives the same numbers, so the table takes that name now.

Then the checker learned five things from them: a transpose of three axes, ids with -1 among them, ids that are one off,
a gradient that grows by the same in each call without being doubled, and to say WRONG_SHAPE where nothing else is
known. So from then on they are regression tests.
"""

from typing import Any, NamedTuple

import numpy as np

import handgrad as hg
from handgrad.functional import sigmoid, softmax
from handgrad.nodes import Gate
from handgrad.word2vec.objectives import CBOW, NCE, FullSoftmax, HierarchicalSoftmax, NegativeSampling, SkipGram


class Mutant(NamedTuple):
    """A wrong gate, and the names that a fair teacher would give its mistake: none where no listed one fits."""

    name: str
    gate: Any  # a class, or a call that makes the gate
    inputs: tuple
    codes: tuple = ()


def numbers(*shape, seed=0, scale=1.0):
    return scale * np.random.default_rng([seed, *shape]).standard_normal(shape)


def positive(*shape, seed=0):
    return 0.5 + np.abs(numbers(*shape, seed=seed))


# gates of the library, got wrong


class AddMean(hg.Add):
    """The gradients of the copies of y are averaged."""

    def backward(self, dz):
        return [dz, dz.mean(axis=0)]


class AddFirstRow(hg.Add):
    """Only the first copy of y sends its gradient back."""

    def backward(self, dz):
        return [dz, dz[0]]


class MultiplyWrongAxis(hg.Multiply):
    """y (n, 1) was copied along axis 1; the gradients are added along axis 0. Equal axes hide the shape."""

    def backward(self, dz):
        return [self.y * dz, (self.x * dz).sum(axis=0).reshape(-1, 1)]


class DivideNoSquare(hg.Divide):
    """-x / y, for -x / y²."""

    def backward(self, dz):
        return [dz / self.y, -self.x / self.y * dz]


class DividePlus(hg.Divide):
    """The minus of -x / y² is lost."""

    def backward(self, dz):
        return [dz / self.y, self.x / self.y**2 * dz]


class LogOutput(hg.Log):
    """1 / z, for 1 / x."""

    def forward(self, x):
        self.z = np.log(x)
        return self.z

    def backward(self, dz):
        return [dz / self.z]


class LogBaseTwo(Gate):
    """z = log₂ x, with the slope of the natural logarithm."""

    def forward(self, x):
        self.x = x
        return np.log2(x)

    def backward(self, dz):
        return [dz / self.x]


class PowerSameExponent(hg.Power):
    """p x^p, for p x^(p-1)."""

    def backward(self, dz):
        return [self.p * self.x**self.p * dz]


class MeanOtherCount(hg.Mean):
    """The mean over axis 0 is divided by the length of axis 1 on the way back."""

    def backward(self, dz):
        return [np.broadcast_to(dz / self.x.shape[1], self.x.shape)]


class MeanOtherAxis(hg.Mean):
    """The mean over axis 1 of a square matrix is spread along axis 0."""

    def backward(self, dz):
        return [np.broadcast_to(dz / self.n, self.x.shape)]


class ConcatSizesAsPlaces(hg.Concat):
    """Splits at the sizes themselves, not at their running sum."""

    def backward(self, dz):
        return np.split(dz, self.sizes[:-1], axis=self.axis)


class ReshapeFortran(hg.Reshape):
    """Reads the gradient by columns."""

    def backward(self, dz):
        return [dz.reshape(self.x.shape, order="F")]


class TransposeSameAxes(hg.Transpose):
    """A cycle of three axes is undone by the same cycle."""

    def backward(self, dz):
        return [np.transpose(dz, self.axes)]


class MatMulTransposed(hg.MatMul):
    """dW = dzᵀ x, for xᵀ dz, at square shapes."""

    def backward(self, dz):
        return [dz @ self.W.T, dz.T @ self.x]


class MatMulOtherTransposed(hg.MatMul):
    """dx = dz W, for dz Wᵀ, at square W."""

    def backward(self, dz):
        return [dz @ self.W, self.x.T @ dz]


class AffineBatchMean(hg.Affine):
    """The gradients of W and b are averaged over the batch, as if a mean came after."""

    def backward(self, dz):
        n = len(self.x)
        return [dz @ self.W.T, self.x.T @ dz / n, dz.sum(axis=0) / n]


class AffineKeepsRow(hg.Affine):
    """db is a row (1, M)."""

    def backward(self, dz):
        return [dz @ self.W.T, self.x.T @ dz, dz.sum(axis=0, keepdims=True)]


class AffineFirstWeights(hg.Affine):
    """Keeps the weights of its first forward, ever after."""

    def __init__(self):
        self.first = None

    def forward(self, x, W, b):
        self.first = W.copy() if self.first is None else self.first
        return super().forward(x, W, b)

    def backward(self, dz):
        return [dz @ self.first.T, self.x.T @ dz, dz.sum(axis=0)]


class AffineTwoMistakes(hg.Affine):
    """dx forgets the upstream, and db has a minus."""

    def backward(self, dz):
        return [np.ones_like(dz) @ self.W.T, self.x.T @ dz, -dz.sum(axis=0)]


class SigmoidNoUpstream(hg.Sigmoid):
    """The slope alone. Run on a single number."""

    def backward(self, dz):
        return [self.z * (1 - self.z)]


class SigmoidUpstreamTwice(hg.Sigmoid):
    """The upstream is multiplied in at the slope, and again at the end."""

    def backward(self, dz):
        slope = self.z * (1 - self.z) * dz
        return [slope * dz]


class TanhInput(hg.Tanh):
    """1 - x², for 1 - z²."""

    def forward(self, x):
        self.x = x
        return np.tanh(x)

    def backward(self, dz):
        return [(1 - self.x**2) * dz]


class ReLUOfUpstream(hg.ReLU):
    """Cuts off negative gradients, not negative inputs."""

    def backward(self, dz):
        return [np.maximum(dz, 0)]


class SoftmaxOverBatch(hg.Softmax):
    """The correction is summed over the rows of a square batch, not over the scores of a row."""

    def backward(self, dz):
        return [self.z * (dz - np.sum(self.z * dz, axis=0, keepdims=True))]


class LogSoftmaxDiagonal(hg.LogSoftmax):
    """(1 - p) dz: each output depends on its own score only."""

    def backward(self, dz):
        return [(1 - np.exp(self.z)) * dz]


class MaxToSmaller(hg.Max):
    """The gradient goes to the input that lost."""

    def backward(self, dz):
        return [dz * (self.x < self.y), dz * (self.y < self.x)]


class LookupAssigns(hg.EmbeddingLookup):
    """A word that is met twice keeps its last gradient. The ids are a matrix."""

    def backward(self, dz):
        dtable = np.zeros_like(self.table)
        dtable[self.ids] = dz
        return [dtable, None]


class LookupSkipsPadding(hg.EmbeddingLookup):
    """Row 0 is thought to be padding, and learns nothing."""

    def backward(self, dz):
        dtable = np.zeros_like(self.table)
        np.add.at(dtable, self.ids, dz)
        dtable[0] = 0
        return [dtable, None]


class LookupGradientOfIds(hg.EmbeddingLookup):
    """Zeros as the gradient of the ids."""

    def backward(self, dz):
        return [super().backward(dz)[0], np.zeros(self.ids.shape)]


class RowDotOwnInput(hg.RowDot):
    """Each input gets itself times the upstream, not the other one."""

    def backward(self, dz):
        return [self.x * dz[:, None], self.y * dz[:, None]]


class CrossEntropySubtractsInPlace(hg.SoftmaxCrossEntropy):
    """Each call of backward takes another 1 off the kept probabilities."""

    def forward(self, x, labels):
        self.p = softmax(x)
        return super().forward(x, labels)

    def backward(self, dz):
        self.p[np.arange(len(self.labels)), self.labels] -= 1
        return [self.p * dz[:, None], None]


class CrossEntropyLabelsFromOne(hg.SoftmaxCrossEntropy):
    """Takes labels to begin at 1 on the way back."""

    def backward(self, dz):
        dx = softmax(self.x)
        dx[np.arange(len(self.labels)), self.labels - 1] -= 1
        return [dx * dz[:, None], None]


class CrossEntropyClipped(Gate):
    """The loss clips its probabilities, the gradient does not know. The scores are large."""

    def forward(self, x, label):
        self.x, self.label = x, label
        p = np.clip(sigmoid(x), 1e-7, 1 - 1e-7)
        return -np.where(label == 1, np.log(p), np.log(1 - p))

    def backward(self, dz):
        return [(sigmoid(self.x) - self.label) * dz, None]


# objectives of word2vec, got wrong


class NegativeSamplingNoLabel(NegativeSampling):
    """The error is σ(score) for the target too: the label 1 is never subtracted."""

    def forward(self, h, U, targets, negatives):
        losses = super().forward(h, U, targets, negatives)
        self.error[:, :, 0] += 1
        return losses


class NegativeSamplingUpdatesInForward(NegativeSampling):
    """Takes the step of gradient descent on the table at once, as word2vec.c does."""

    def forward(self, h, U, targets, negatives):
        losses = super().forward(h, U, targets, negatives)
        U[targets] += 0.025 * h[:, 0]
        return losses


class NegativeSamplingDraws(NegativeSampling):
    """Draws its negatives itself."""

    def forward(self, h, U, targets, negatives):
        drawn = np.random.default_rng().integers(len(U), size=negatives.shape)
        return super().forward(h, U, targets, drawn)


class FullSoftmaxBatchMean(FullSoftmax):
    """dU is the mean over the rows of the batch."""

    def backward(self, dz):
        dh, dU, _ = super().backward(dz)
        return [dh, dU / len(self.h), None]


class HierarchicalCodesAsLabels(HierarchicalSoftmax):
    """σ(score) - code, where the answer is 1 - code."""

    def forward(self, h, U, nodes, codes):
        losses = super().forward(h, U, nodes, codes)
        score = h @ self.u.transpose(0, 2, 1)
        self.error = (sigmoid(score) - codes[:, None, :]) * (nodes != -1)[:, None, :]
        return losses


class SkipGramAssigns(SkipGram):
    """A word that is met in two rows keeps the gradient of one."""

    def backward(self, dz):
        dV = np.zeros(self.shape)
        dV[self.inputs[self.there]] = dz[self.there]
        return [dV, None]


class NCENoCounts(NCE):
    """Returns None for the expected counts, which are floats that the loss moves with."""

    def backward(self, dz):
        return [*super().backward(dz)[:3], None, None, None, None]


class NCENoNoiseBias(NCE):
    """Only the labels move the biases; the noise words are forgotten."""

    def backward(self, dz):
        gradients = super().backward(dz)
        db = np.zeros(self.shapes[1])
        true = (self.error * dz[:, :, None])[..., : self.labels.shape[1]].sum(axis=1)
        np.add.at(db, self.labels, true)
        return [*gradients[:2], db, *gradients[3:]]


IDS = np.array([[2, 0], [2, 4], [0, 2]])
LABELS = np.array([2, 0, 3])
TABLE = numbers(5, 4)
H, U = numbers(3, 2, 4, seed=1), numbers(5, 4, seed=2)
NOISE = np.array([[1, 3, 1], [2, 4, 1], [0, 0, 1]])
NODES, CODES = np.array([[0, 1, 3], [0, 2, -1], [0, 1, -1]]), np.array([[0, 1, 1], [1, 0, 0], [0, 0, 0]])
WORDS = np.array([[1, 3, 1], [4, -1, -1], [3, 2, -1]])
NCE_INPUTS = (H, U, numbers(5), LABELS[:, None], np.array([1, 4, 1]), positive(3, 1), positive(3))

MUTANTS_OF_THE_LIBRARY = [
    # gates of the library
    Mutant("add: mean over the copies", AddMean, (numbers(3, 2), numbers(2)), ("MEAN_OR_SUM",)),
    Mutant("add: first copy only", AddFirstRow, (numbers(3, 2), numbers(2)), ()),
    Mutant("multiply: summed over the wrong axis", MultiplyWrongAxis, (numbers(3, 3), numbers(3, 1)), ()),
    Mutant("divide: no square", DivideNoSquare, (numbers(3, 2), positive(3, 2)), ()),
    Mutant("divide: minus lost, tiny", DividePlus, (numbers(3, 2, scale=1e-8), positive(3, 2)), ("WRONG_SIGN",)),
    Mutant("log: output", LogOutput, (1.5 + positive(3, 2),), ("OUTPUT_FOR_INPUT",)),
    Mutant("log2: natural slope", LogBaseTwo, (positive(4),), ("WRONG_FACTOR",)),
    Mutant("power: exponent stays", lambda: PowerSameExponent(3), (numbers(3, 2),), ()),
    Mutant("mean: length of the other axis", lambda: MeanOtherCount(axis=0), (numbers(4, 3),), ("WRONG_FACTOR",)),
    Mutant("mean: along the other axis", lambda: MeanOtherAxis(axis=1), (numbers(3, 3),), ("TRANSPOSED",)),
    Mutant(
        "concat: sizes as places",
        lambda: ConcatSizesAsPlaces(axis=0),
        (numbers(1, 2), numbers(2, 2), numbers(1, 2)),
        ("WRONG_SHAPE",),
    ),
    Mutant("reshape: by columns", lambda: ReshapeFortran(3, 2), (numbers(2, 3),), ()),
    Mutant("transpose: same cycle", lambda: TransposeSameAxes(1, 2, 0), (numbers(2, 2, 2),), ("TRANSPOSED",)),
    Mutant("matmul: dW transposed", MatMulTransposed, (numbers(3, 3), numbers(3, 3, seed=1)), ("TRANSPOSED",)),
    Mutant(
        "matmul: W not transposed", MatMulOtherTransposed, (numbers(2, 3), numbers(3, 3)), ("OTHER_OPERAND_TRANSPOSED",)
    ),
    Mutant("affine: batch mean", AffineBatchMean, (numbers(4, 3), numbers(3, 2), numbers(2)), ("MEAN_OR_SUM",)),
    Mutant("affine: db a row", AffineKeepsRow, (numbers(4, 3), numbers(3, 2), numbers(2)), ("WRONG_SHAPE",)),
    Mutant("affine: first weights", AffineFirstWeights, (numbers(4, 3), numbers(3, 2), numbers(2)), ("STALE_CACHE",)),
    Mutant(
        "affine: two mistakes",
        AffineTwoMistakes,
        (numbers(4, 3), numbers(3, 2), numbers(2)),
        ("FORGOT_UPSTREAM", "WRONG_SIGN"),
    ),
    Mutant("sigmoid: no upstream, one number", SigmoidNoUpstream, (np.float64(0.7),), ("FORGOT_UPSTREAM",)),
    Mutant("sigmoid: upstream twice", SigmoidUpstreamTwice, (numbers(3, 2),), ("UPSTREAM_TWICE",)),
    Mutant("tanh: input", TanhInput, (numbers(3, 2),), ("INPUT_FOR_OUTPUT",)),
    Mutant("relu: cuts the gradient", ReLUOfUpstream, (numbers(3, 4),), ()),
    Mutant("softmax: summed over the batch", SoftmaxOverBatch, (numbers(3, 3),), ()),
    Mutant("log-softmax: diagonal", LogSoftmaxDiagonal, (numbers(3, 4),), ("DIAGONAL_ONLY",)),
    Mutant("max: to the smaller", MaxToSmaller, (numbers(3, 4), numbers(3, 4, seed=1)), ("GRADIENTS_SWAPPED",)),
    Mutant("lookup: assigns", LookupAssigns, (TABLE, IDS), ("REPEATED_IDS",)),
    Mutant("lookup: row 0 skipped", LookupSkipsPadding, (TABLE, IDS), ("OFF_BY_ONE",)),
    Mutant("lookup: gradient of ids", LookupGradientOfIds, (TABLE, IDS), ("GRADIENT_FOR_INTEGERS",)),
    Mutant("row dot: own input", RowDotOwnInput, (numbers(3, 4), numbers(3, 4, seed=1)), ("GRADIENTS_SWAPPED",)),
    Mutant(
        "cross-entropy: subtracts in place",
        CrossEntropySubtractsInPlace,
        (numbers(3, 4), LABELS),
        ("ACCUMULATES_OVER_CALLS",),
    ),
    Mutant("cross-entropy: labels from 1", CrossEntropyLabelsFromOne, (numbers(3, 4), LABELS), ("OFF_BY_ONE",)),
    Mutant(
        "cross-entropy: clipped", CrossEntropyClipped, (np.array([20.0, -25.0, 3.0, 30.0]), np.array([0, 1, 0, 1])), ()
    ),
    # objectives
    Mutant("negative sampling: label forgotten", NegativeSamplingNoLabel, (H, U, LABELS, NOISE), ()),
    Mutant(
        "negative sampling: step in forward",
        NegativeSamplingUpdatesInForward,
        (H, U, LABELS, NOISE),
        ("CHANGED_INPUTS",),
    ),
    Mutant("negative sampling: draws", NegativeSamplingDraws, (H, U, LABELS, NOISE), ("IMPURE_FORWARD",)),
    Mutant("full softmax: batch mean", FullSoftmaxBatchMean, (H, U, LABELS), ("MEAN_OR_SUM",)),
    Mutant("hierarchical softmax: codes as labels", HierarchicalCodesAsLabels, (H, U, NODES, CODES), ()),
    Mutant("CBOW: word2vec.c", lambda: CBOW("word2vec.c"), (TABLE, WORDS), ("MEAN_OR_SUM",)),
    Mutant("skip-gram: assigns", SkipGramAssigns, (TABLE, WORDS), ("REPEATED_IDS",)),
    Mutant("NCE: no gradient of the counts", NCENoCounts, NCE_INPUTS, ("NO_GRADIENT",)),
    Mutant("NCE: no bias of the noise", NCENoNoiseBias, NCE_INPUTS, ()),
]
