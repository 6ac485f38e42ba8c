"""Gates that the library does not have: right here, and got wrong in a subclass. See ``mutants_of_the_library``."""

import numpy as np
from mutants_of_the_library import Mutant, numbers

from handgrad.functional import sigmoid, softmax
from handgrad.nodes import Gate


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


LABELS = np.array([2, 0, 3])
SIGNS = np.array([1, -1, -1, 1])

MUTANTS_OF_NEW_GATES = [
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
    Mutant("round: straight through", RoundStraightThrough, (numbers(3, 2, scale=3),), ("STAIRCASE",)),
    Mutant("exp: three digits", ExpInHalfPrecision, (numbers(3, 2),), ()),
    Mutant("square: counts its calls", SquareWithCounter, (numbers(3, 2),), ("IMPURE_FORWARD",)),
]
