"""A third set of planted mistakes, on gates of the library, on objectives, and on gates that are new to it.

Written by somebody who had read neither the checker (commit 9d9c051) nor the other two sets. What the checker did at
first, with 78 wrong gates and 15 right ones: 77 caught, one passed, no false alarm. Of the 53 with a code, 44 were
named exactly, 9 not at all, none otherwise. Of the 25 without, 23 were caught and got no name; the other two:

- The one that passed was no mistake where it was fed: no probability was near enough to 0 or 1 to be clipped. Its
  inputs were mended, not the checker; it is caught there, and would have been before.
- The one that was named although its author had no name for it, a row of a lookup that is skipped, was called
  OFF_BY_ONE. A loop that begins one row too late gives the same numbers, so the table takes that name now.

Then the checker learned five things from this set: a transpose of three axes, ids with -1 among them, ids that are one
off, a gradient that grows by the same in each call without being doubled, and to say WRONG_SHAPE where nothing else is
known. So from then
on this is one more regression test. ``UNNAMED_THIRD`` lists those that have a name and still do not get it.
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


class Correct(NamedTuple):
    """A right gate, of an unusual kind."""

    name: str
    gate: Any
    inputs: tuple


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


# gates that the library does not have: right here, and got wrong below


class Softplus(Gate):
    """z = log(1 + e^x)."""

    def forward(self, x):
        self.x, self.z = x, np.logaddexp(0, x)
        return self.z

    def backward(self, dz):
        return [sigmoid(self.x) * dz]


class SoftplusOutput(Softplus):
    """σ(z), for σ(x)."""

    def backward(self, dz):
        return [sigmoid(self.z) * dz]


class LayerNorm(Gate):
    """z = g (x - mean) / deviation + b, over the last axis. x (B, D), g (D,), b (D,) -> z (B, D)."""

    def forward(self, x, g, b):
        self.g, self.deviation = g, np.sqrt(x.var(axis=-1, keepdims=True) + 1e-5)
        self.n = (x - x.mean(axis=-1, keepdims=True)) / self.deviation
        return g * self.n + b

    def backward(self, dz):
        dn = self.g * dz
        along = dn - dn.mean(axis=-1, keepdims=True) - self.n * (dn * self.n).mean(axis=-1, keepdims=True)
        return [along / self.deviation, (dz * self.n).sum(axis=0), dz.sum(axis=0)]


class LayerNormConstantMoments(LayerNorm):
    """Takes mean and deviation for constants."""

    def backward(self, dz):
        return [self.g * dz / self.deviation, (dz * self.n).sum(axis=0), dz.sum(axis=0)]


class LayerNormGainUnsummed(LayerNorm):
    """The gain was copied to every row; its gradient is not summed."""

    def backward(self, dz):
        dx, _, db = super().backward(dz)
        return [dx, dz * self.n, db]


class Variance(Gate):
    """z = the variance of each row. x (B, D) -> z (B,)."""

    def forward(self, x):
        self.centered = x - x.mean(axis=1, keepdims=True)
        return np.mean(self.centered**2, axis=1)

    def backward(self, dz):
        return [2 * self.centered * dz[:, None] / self.centered.shape[1]]


class VarianceSum(Variance):
    """The slope of the sum of squares, for that of their mean."""

    def backward(self, dz):
        return [2 * self.centered * dz[:, None]]


class VarianceBessel(Variance):
    """Divides by n - 1 on the way back, and by n on the way there."""

    def backward(self, dz):
        return [2 * self.centered * dz[:, None] / (self.centered.shape[1] - 1)]


class Cosine(Gate):
    """z = x·y / (|x| |y|), row by row. x (B, D), y (B, D) -> z (B,)."""

    def forward(self, x, y):
        self.x, self.y = x, y
        self.nx, self.ny = (np.linalg.norm(v, axis=1, keepdims=True) for v in (x, y))
        self.z = np.sum(x * y, axis=1, keepdims=True) / (self.nx * self.ny)
        return self.z[:, 0]

    def backward(self, dz):
        dz = dz[:, None]
        dx = (self.y / (self.nx * self.ny) - self.z * self.x / self.nx**2) * dz
        dy = (self.x / (self.nx * self.ny) - self.z * self.y / self.ny**2) * dz
        return [dx, dy]


class CosineConstantNorms(Cosine):
    """Takes both norms for constants."""

    def backward(self, dz):
        scale = dz[:, None] / (self.nx * self.ny)
        return [self.y * scale, self.x * scale]


class Hinge(Gate):
    """z = max(0, 1 - y x), with labels y of ±1."""

    def forward(self, x, y):
        self.x, self.y = x, y
        return np.maximum(0, 1 - y * x)

    def backward(self, dz):
        return [-self.y * (self.y * self.x < 1) * dz, None]


class HingePlus(Hinge):
    """y where the margin is broken, for -y."""

    def backward(self, dz):
        return [self.y * (self.y * self.x < 1) * dz, None]


class GELU(Gate):
    """z = x/2 (1 + tanh(√(2/π) (x + 0.044715 x³)))."""

    def forward(self, x):
        self.x, self.t = x, np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))
        return x / 2 * (1 + self.t)

    def backward(self, dz):
        inner = np.sqrt(2 / np.pi) * (1 + 3 * 0.044715 * self.x**2)
        return [((1 + self.t) / 2 + self.x / 2 * (1 - self.t**2) * inner) * dz]


class GELUHalfOfProductRule(GELU):
    """The product rule stops after its first term."""

    def backward(self, dz):
        return [(1 + self.t) / 2 * dz]


class GELUOfSigmoid(GELU):
    """The slope of another approximation, x σ(1.702 x): never far off."""

    def backward(self, dz):
        p = sigmoid(1.702 * self.x)
        return [(p + 1.702 * self.x * p * (1 - p)) * dz]


class MaxPool(Gate):
    """z = the largest of each pair of neighbors. x (B, 2n) -> z (B, n)."""

    def forward(self, x):
        self.pairs = x.reshape(len(x), -1, 2)  # (B, n, 2)
        return self.pairs.max(axis=2)

    def backward(self, dz):
        won = self.pairs.argmax(axis=2)[:, :, None] == np.arange(2)
        return [(won * dz[:, :, None]).reshape(len(dz), -1)]


class MaxPoolToAll(MaxPool):
    """Every entry of the window gets the gradient of the window."""

    def backward(self, dz):
        return [np.repeat(dz, 2, axis=1)]


class CumulativeSum(Gate):
    """z_i = x_0 + ... + x_i."""

    def forward(self, x):
        return np.cumsum(x)

    def backward(self, dz):
        return [np.cumsum(dz[::-1])[::-1]]


class CumulativeSumForward(CumulativeSum):
    """Sums the gradients from the front too."""

    def backward(self, dz):
        return [np.cumsum(dz)]


class CumulativeSumExclusive(CumulativeSum):
    """Begins one place too late: x_i does not count itself."""

    def backward(self, dz):
        return [np.append(super().backward(dz)[0][1:], 0)]


class Outer(Gate):
    """z = x yᵀ. x (n,), y (m,) -> z (n, m)."""

    def forward(self, x, y):
        self.x, self.y = x, y
        return np.outer(x, y)

    def backward(self, dz):
        return [dz @ self.y, self.x @ dz]


class OuterUpstreamTransposed(Outer):
    """Both sides of the upstream are exchanged, at n = m."""

    def backward(self, dz):
        return [dz.T @ self.y, self.x @ dz.T]


class WeightedSum(Gate):
    """z = Σ_i w_i x_i. w (n,), x (n, D) -> z (D,)."""

    def forward(self, w, x):
        self.w, self.x = w, x
        return w @ x

    def backward(self, dz):
        return [self.x @ dz, np.outer(self.w, dz)]


class WeightedSumUnsummed(WeightedSum):
    """A weight meets all D columns, but its gradient is left (n, D)."""

    def backward(self, dz):
        return [self.x * dz, np.outer(self.w, dz)]


class Bilinear(Gate):
    """z = xᵀ A y, a single number."""

    def forward(self, x, A, y):
        self.x, self.A, self.y = x, A, y
        return x @ A @ y

    def backward(self, dz):
        return [self.A @ self.y * dz, np.outer(self.x, self.y) * dz, self.x @ self.A * dz]


class BilinearTransposed(Bilinear):
    """A is transposed for both vectors."""

    def backward(self, dz):
        return [self.y @ self.A * dz, np.outer(self.x, self.y) * dz, self.A @ self.x * dz]


class QuadraticHalf(Gate):
    """z = xᵀ A x, with the slope A x, for (A + Aᵀ) x."""

    def forward(self, x, A):
        self.x, self.A = x, A
        return x @ A @ x

    def backward(self, dz):
        return [self.A @ self.x * dz, np.outer(self.x, self.x) * dz]


class Gather(Gate):
    """z_i = x_i,ids_i. x (B, V), ids (B,) -> z (B,)."""

    def forward(self, x, ids):
        self.x, self.ids = x, ids
        return x[np.arange(len(x)), ids]

    def backward(self, dz):
        dx = np.zeros_like(self.x)
        dx[np.arange(len(dx)), self.ids] = dz
        return [dx, None]


class GatherNextColumn(Gather):
    """Sends the gradient one column to the right, round at the end."""

    def backward(self, dz):
        return [np.roll(super().backward(dz)[0], 1, axis=1), None]


class ClipPassesAll(Gate):
    """z = x cut to -1 .. 1, with slope 1 everywhere."""

    def forward(self, x):
        return np.clip(x, -1, 1)

    def backward(self, dz):
        return [dz]


class ColdSoftmax(Gate):
    """z = softmax(x / temperature)."""

    temperature = 0.3

    def forward(self, x):
        self.z = softmax(x / self.temperature)
        return self.z

    def backward(self, dz):
        return [self.z * (dz - np.sum(self.z * dz, axis=-1, keepdims=True)) / self.temperature]


class ColdSoftmaxNoTemperature(ColdSoftmax):
    """The chain rule stops before the temperature."""

    def backward(self, dz):
        return [super().backward(dz)[0] * self.temperature]


class NormalizeNoProjection(Gate):
    """z = x / |x|, row by row, with the slope 1 / |x|."""

    def forward(self, x):
        self.norm = np.linalg.norm(x, axis=1, keepdims=True)
        return x / self.norm

    def backward(self, dz):
        return [dz / self.norm]


class AttentionScores(Gate):
    """z = Q Kᵀ / √D. Q (n, D), K (m, D) -> z (n, m)."""

    def forward(self, Q, K):
        self.Q, self.K, self.root = Q, K, np.sqrt(Q.shape[1])
        return Q @ K.T / self.root

    def backward(self, dz):
        return [dz @ self.K / self.root, dz.T @ self.Q / self.root]


class AttentionScoresKeyUnscaled(AttentionScores):
    """dK forgets the √D."""

    def backward(self, dz):
        return [dz @ self.K / self.root, dz.T @ self.Q]


class AttentionMixTransposed(Gate):
    """z = softmax(scores) V for n = m, with dV = A dz, for Aᵀ dz."""

    def forward(self, scores, V):
        self.A, self.V = softmax(scores), V
        return self.A @ V

    def backward(self, dz):
        dA = dz @ self.V.T
        return [self.A * (dA - np.sum(self.A * dA, axis=1, keepdims=True)), self.A @ dz]


class SquaredErrorNoTwo(Gate):
    """z = (x - y)², with neither the 2 nor, for y, the minus."""

    def forward(self, x, y):
        self.difference = x - y
        return self.difference**2

    def backward(self, dz):
        return [self.difference * dz, self.difference * dz]


class LogSumExpWrongWay(Gate):
    """z_i = log Σ_j e^x_ij; the upstream (B,) is spread along the rows, for down the columns, at B = V."""

    def forward(self, x):
        self.p = softmax(x)
        return np.log(np.sum(np.exp(x), axis=1))

    def backward(self, dz):
        return [self.p * dz]


class DropoutDraws(Gate):
    """Draws its own mask."""

    def forward(self, x):
        self.mask = np.random.default_rng().random(x.shape) < 0.5
        return 2 * x * self.mask

    def backward(self, dz):
        return [2 * self.mask * dz]


class SwishInPlace(Gate):
    """z = x σ(x), written over x."""

    def forward(self, x):
        self.p = sigmoid(x)
        self.x = x.copy()
        x *= self.p
        return x

    def backward(self, dz):
        return [(self.p + self.x * self.p * (1 - self.p)) * dz]


class SinUpstreamInPlace(Gate):
    """z = sin x; the result is written over the upstream gradient."""

    def forward(self, x):
        self.x = x
        return np.sin(x)

    def backward(self, dz):
        dz *= np.cos(self.x)
        return [dz]


class SinBareArray(Gate):
    """Returns the gradient, not a list with it."""

    def forward(self, x):
        self.x = x
        return np.sin(x)

    def backward(self, dz):
        return np.cos(self.x) * dz


class SinForgetsToStore(Gate):
    """Uses self.x, which forward never stored."""

    def forward(self, x):
        return np.sin(x)

    def backward(self, dz):
        return [np.cos(self.x) * dz]


class ScaleAccumulates(Gate):
    """z = x w for one number w, whose gradient is collected on the gate."""

    def __init__(self):
        self.dw = 0.0

    def forward(self, x, w):
        self.x, self.w = x, w
        return x * w

    def backward(self, dz):
        self.dw += np.sum(self.x * dz)
        return [self.w * dz, self.dw]


class CubeTwice(Gate):
    """z = x³, with the slope 2 x²."""

    def forward(self, x):
        self.x = x
        return x**3

    def backward(self, dz):
        return [2 * self.x**2 * dz]


class TanhByShape(Gate):
    """z = tanh x, remembered by the shape of x."""

    def __init__(self):
        self.memory = {}

    def forward(self, x):
        z = np.tanh(x)
        self.slope = self.memory.setdefault(x.shape, 1 - z**2)
        return z

    def backward(self, dz):
        return [self.slope * dz]


class RoundStraightThrough(Gate):
    """z = x rounded, with the slope 1 of the identity."""

    def forward(self, x):
        return np.round(x)

    def backward(self, dz):
        return [dz]


class ExpInHalfPrecision(Gate):
    """z = e^x, with a gradient of three digits."""

    def forward(self, x):
        self.z = np.exp(x)
        return self.z

    def backward(self, dz):
        return [(self.z * dz).astype(np.float16).astype(np.float64)]


class SquareWithCounter(Gate):
    """z = x² plus a little more at each call."""

    calls = 0

    def forward(self, x):
        self.calls += 1
        self.x = x
        return x**2 + 1e-3 * self.calls

    def backward(self, dz):
        return [2 * self.x * dz]


# right gates of unusual kinds


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


IDS = np.array([[2, 0], [2, 4], [0, 2]])
LABELS = np.array([2, 0, 3])
SIGNS = np.array([1, -1, -1, 1])
TABLE = numbers(5, 4)
H, U = numbers(3, 2, 4, seed=1), numbers(5, 4, seed=2)
NOISE = np.array([[1, 3, 1], [2, 4, 1], [0, 0, 1]])
NODES, CODES = np.array([[0, 1, 3], [0, 2, -1], [0, 1, -1]]), np.array([[0, 1, 1], [1, 0, 0], [0, 0, 0]])
WORDS = np.array([[1, 3, 1], [4, -1, -1], [3, 2, -1]])
NCE_INPUTS = (H, U, numbers(5), LABELS[:, None], np.array([1, 4, 1]), positive(3, 1), positive(3))

MUTANTS_THIRD = [
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
    # gates that the library does not have
    Mutant("softplus: output", SoftplusOutput, (numbers(3, 2),), ("OUTPUT_FOR_INPUT",)),
    Mutant("layer norm: constant moments", LayerNormConstantMoments, (numbers(3, 4), numbers(4), numbers(4, seed=1))),
    Mutant(
        "layer norm: gain not summed",
        LayerNormGainUnsummed,
        (numbers(3, 4), numbers(4), numbers(4, seed=1)),
        ("NOT_SUMMED_OVER_BROADCAST",),
    ),
    Mutant("variance: of a sum", VarianceSum, (numbers(3, 4),), ("MEAN_OR_SUM",)),
    Mutant("variance: n - 1", VarianceBessel, (numbers(3, 5),), ("WRONG_FACTOR",)),
    Mutant("cosine: constant norms", CosineConstantNorms, (numbers(3, 4), numbers(3, 4, seed=1)), ()),
    Mutant("hinge: sign", HingePlus, (numbers(4), SIGNS), ("WRONG_SIGN",)),
    Mutant("GELU: half of the product rule", GELUHalfOfProductRule, (numbers(3, 2),), ()),
    Mutant("GELU: another approximation", GELUOfSigmoid, (numbers(3, 2),), ()),
    Mutant("max pool: to all", MaxPoolToAll, (numbers(3, 4),), ()),
    Mutant("cumulative sum: from the front", CumulativeSumForward, (numbers(5),), ()),
    Mutant("cumulative sum: one too late", CumulativeSumExclusive, (numbers(5),), ("OFF_BY_ONE",)),
    Mutant("outer: upstream transposed", OuterUpstreamTransposed, (numbers(3), numbers(3, seed=1)), ()),
    Mutant(
        "weighted sum: not summed",
        WeightedSumUnsummed,
        (numbers(4), numbers(4, 3)),
        ("NOT_SUMMED_OVER_BROADCAST", "WRONG_SHAPE"),
    ),
    Mutant(
        "bilinear: A transposed",
        BilinearTransposed,
        (numbers(3), numbers(3, 3), numbers(3, seed=1)),
        ("OTHER_OPERAND_TRANSPOSED",),
    ),
    Mutant("quadratic form: half", QuadraticHalf, (numbers(3), numbers(3, 3)), ()),
    Mutant("gather: next column", GatherNextColumn, (numbers(3, 4), LABELS), ("OFF_BY_ONE",)),
    Mutant("clip: passes all", ClipPassesAll, (numbers(8, scale=2),), ()),
    Mutant("softmax: temperature forgotten", ColdSoftmaxNoTemperature, (numbers(3, 4),), ("WRONG_FACTOR",)),
    Mutant("normalize: no projection", NormalizeNoProjection, (numbers(3, 4),), ()),
    Mutant("attention: key unscaled", AttentionScoresKeyUnscaled, (numbers(3, 5), numbers(4, 5)), ("WRONG_FACTOR",)),
    Mutant(
        "attention: weights not transposed",
        AttentionMixTransposed,
        (numbers(3, 3), numbers(3, 4)),
        ("OTHER_OPERAND_TRANSPOSED",),
    ),
    Mutant(
        "squared error: no 2, no minus", SquaredErrorNoTwo, (numbers(3, 2), numbers(3, 2, seed=1)), ("WRONG_FACTOR",)
    ),
    Mutant("log-sum-exp: spread the wrong way", LogSumExpWrongWay, (numbers(3, 3),), ()),
    Mutant("dropout: draws", DropoutDraws, (numbers(3, 4),), ("IMPURE_FORWARD",)),
    Mutant("swish: in place", SwishInPlace, (numbers(3, 2),), ("CHANGED_INPUTS",)),
    Mutant("sin: upstream in place", SinUpstreamInPlace, (numbers(3, 2),), ("CHANGED_INPUTS",)),
    Mutant("sin: a bare array of one row", SinBareArray, (numbers(1, 4),), ("NOT_A_LIST",)),
    Mutant("sin: nothing stored", SinForgetsToStore, (numbers(3),), ("BACKWARD_FAILED",)),
    Mutant("scale: accumulates", ScaleAccumulates, (numbers(3, 2), np.float64(1.5)), ("ACCUMULATES_OVER_CALLS",)),
    Mutant("cube: 2 for 3, huge", CubeTwice, (numbers(3, 2, scale=1e6),), ("WRONG_FACTOR",)),
    Mutant("cube: 2 for 3, tiny", CubeTwice, (numbers(3, 2, scale=1e-5),), ("WRONG_FACTOR",)),
    Mutant("tanh: remembered by shape", TanhByShape, (numbers(3, 2),), ("STALE_CACHE",)),
    Mutant("round: straight through", RoundStraightThrough, (numbers(3, 2, scale=3),), ()),
    Mutant("exp: three digits", ExpInHalfPrecision, (numbers(3, 2),), ()),
    Mutant("square: counts its calls", SquareWithCounter, (numbers(3, 2),), ("IMPURE_FORWARD",)),
]

UNNAMED_THIRD = {  # a report without a name, as it was at first
    "CBOW: word2vec.c",  # its rows have one, two and three words: no single number of entries
    "attention: weights not transposed",  # the other operand is no input, but made inside the gate
}

CORRECT_THIRD = [
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
