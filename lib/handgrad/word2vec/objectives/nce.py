"""NCE and sampled softmax: a few sampled words, shared by a batch, stand for the whole vocabulary.

Both score the T true words of each row of the batch and m words drawn from a noise distribution, and subtract from
each score the logarithm of how often the word was to be expected in the sample. NCE then asks of each word
whether it is a true one; sampled softmax asks which it is.

Sources: Gutmann and Hyvärinen (2010), Noise-contrastive estimation; Mnih and Teh (2012), A fast and simple algorithm
for training neural probabilistic language models; Jean et al. (2015), On Using Very Large Target Vocabulary for
Neural Machine Translation. Details as in TensorFlow's ``nce_loss`` and ``sampled_softmax_loss``.
"""

from typing import ClassVar, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from handgrad.embedding import EmbeddingLookup, RowDot, RowSparseGradient
from handgrad.errors import InputError, require_ids
from handgrad.functional import log_softmax, sigmoid, sigmoid_cross_entropy
from handgrad.gates import Add, Concat, Log, LogSoftmax, MatMul, Multiply, Reshape, Subtract, Sum, Transpose
from handgrad.graph import ComputationalGraph
from handgrad.losses import SigmoidCrossEntropy
from handgrad.nodes import Gate, Node, Parameter
from handgrad.word2vec.objectives.models import hidden_node
from handgrad.word2vec.objectives.noise import SampledValues, noise_for
from handgrad.word2vec.objectives.objective import Objective

FLT_MAX = float(np.finfo(np.float32).max)


class SampledLosses(Gate):
    """What NCE and sampled softmax share: the corrected scores x, and the way back from them.

    x = [h·U[labels] + b[labels], h·U[sampled] + b[sampled]] - log [true_expected, sampled_expected]

    h (B, C, D), U (V, D), b (V,), labels (B, T), sampled (m,), true_expected (B, T), sampled_expected (m,)
    -> x (B, C, T+m)

    A loss keeps its slope ∂loss/∂x as ``self.error``. The last two inputs say how often each id was to be expected in
    the sample. They come from ``NoiseDistribution.sample``, as the sample does, and depend on no parameter: training
    needs no gradients of theirs, but they are numbers that the loss moves with, and the gate says how.

    Parameters
    ----------
    remove_accidental_hits : bool
        Whether a sampled id that is among the labels of a row gets a score of -FLT_MAX there, so that it adds neither
        loss nor gradient to that row.
    """

    ids_at = (3, 4)

    def __init__(self, remove_accidental_hits):
        self.remove_accidental_hits = remove_accidental_hits

    def corrected_scores(self, h, U, b, labels, sampled, true_expected, sampled_expected):
        require_samples(self, h, U, b, labels, sampled, true_expected, sampled_expected)
        self.h, self.shapes, self.labels, self.sampled = h, (U.shape, b.shape), labels, sampled
        self.true_expected, self.sampled_expected = true_expected, sampled_expected
        self.u_true, self.u_sampled = U[labels], U[sampled]  # (B, T, D), (m, D)
        true = h @ self.u_true.transpose(0, 2, 1) + b[labels][:, None]  # (B, C, T)
        noise = np.tensordot(h, self.u_sampled, axes=(2, 1)) + b[sampled]  # (B, C, m)
        if self.remove_accidental_hits:
            hits = (labels[:, :, None] == sampled).any(axis=1)  # (B, m)
            noise = np.where(hits[:, None], noise - FLT_MAX, noise)
        log_true, log_noise = (np.log(E).astype(h.dtype) for E in (true_expected, sampled_expected))
        return np.concatenate([true - log_true[:, None], noise - log_noise], axis=-1)

    def targets(self, x):
        """What each score should say, (T+m,): the T true words share a probability of 1."""
        T = self.labels.shape[1]
        return (np.arange(x.shape[-1]) < T).astype(x.dtype) / T

    def backward(self, dz):
        dx = self.error * dz[:, :, None]  # (B, C, T+m)
        true, noise = np.split(dx, [self.labels.shape[1]], axis=-1)
        dh = true @ self.u_true + np.tensordot(noise, self.u_sampled, axes=1)  # (B, C, D)
        ids = np.concatenate([self.labels.reshape(-1), self.sampled])  # (B T + m,)  a word may be in it many times
        du_true = true.transpose(0, 2, 1) @ self.h  # (B, T, D)
        du_noise = np.tensordot(noise, self.h, axes=((0, 1), (0, 1)))  # (m, D)  every row met the same noise
        dU = np.concatenate([du_true.reshape(-1, self.h.shape[2]), du_noise])
        db_true, db_noise = true.sum(axis=1), noise.sum(axis=(0, 1))  # (B, T), (m,)
        db = np.concatenate([db_true.reshape(-1), db_noise])
        U_shape, b_shape = self.shapes
        return [
            dh,
            RowSparseGradient(ids, dU, U_shape),
            RowSparseGradient(ids, db, b_shape),
            None,
            None,
            -db_true / self.true_expected,
            -db_noise / self.sampled_expected,
        ]

    def jvp(self, th, tU, tb, _labels, _sampled, t_true, t_sampled):
        tu_true, tu_sampled = tU[self.labels], tU[self.sampled]
        true = th @ self.u_true.transpose(0, 2, 1) + self.h @ tu_true.transpose(0, 2, 1) + tb[self.labels][:, None]
        noise = th @ self.u_sampled.T + self.h @ tu_sampled.T + tb[self.sampled]
        true = true - (t_true / self.true_expected)[:, None]
        noise = noise - t_sampled / self.sampled_expected
        return np.sum(self.error * np.concatenate([true, noise], axis=-1), axis=-1)


class NCE(SampledLosses):
    """loss_bc = Σ_j (1 - z_j) x_j + max(-x_j, 0) + log(1 + e^-|x_j|), sigmoid cross-entropy over the T + m scores x.

    h (B, C, D), U (V, D), b (V,), labels (B, T), sampled (m,), true_expected (B, T), sampled_expected (m,)
    -> losses (B, C)

    The targets z are 1/T for the T true words, so soft for T > 1, and 0 for the noise. A word may be both.

    Parameters
    ----------
    remove_accidental_hits : bool
        See SampledLosses.
    """

    def __init__(self, remove_accidental_hits: bool = False) -> None:
        super().__init__(remove_accidental_hits)

    def forward(self, h, U, b, labels, sampled, true_expected, sampled_expected):
        x = self.corrected_scores(h, U, b, labels, sampled, true_expected, sampled_expected)
        z = self.targets(x)
        self.error = sigmoid(x) - z  # expected minus observed
        return np.sum(sigmoid_cross_entropy(x, z), axis=-1)  # (B, C)


class SampledSoftmax(SampledLosses):
    """loss_bc = -Σ_j z_j log softmax(x)_j, softmax cross-entropy over the T + m scores x.

    h (B, C, D), U (V, D), b (V,), labels (B, T), sampled (m,), true_expected (B, T), sampled_expected (m,)
    -> losses (B, C)

    The targets z are 1/T for the T true words, and 0 for the noise.

    Parameters
    ----------
    remove_accidental_hits : bool
        See SampledLosses.
    """

    def __init__(self, remove_accidental_hits: bool = True) -> None:
        super().__init__(remove_accidental_hits)

    def forward(self, h, U, b, labels, sampled, true_expected, sampled_expected):
        x = self.corrected_scores(h, U, b, labels, sampled, true_expected, sampled_expected)
        log_p = log_softmax(x)
        self.error = np.exp(log_p) - self.targets(x)
        return -np.mean(log_p[..., : labels.shape[1]], axis=-1)  # (B, C)


def nce_loss(
    weights: ArrayLike,
    biases: ArrayLike,
    labels: ArrayLike,
    inputs: ArrayLike,
    sampled_values: SampledValues,
    remove_accidental_hits: bool = False,
) -> np.ndarray:
    """The NCE loss of each example, as ``tf.nn.nce_loss`` defines it (Gutmann and Hyvärinen 2010; Mnih and Teh 2012).

    Parameters
    ----------
    weights : float array (V, D)
    biases : float array (V,)
    labels : int array (B, T), or (B,) for T = 1
    inputs : float array (B, D)
    sampled_values : tuple of ids (m,), true_expected_count (B, T), sampled_expected_count (m,)
        As ``NoiseDistribution.sample`` returns them.
    remove_accidental_hits : bool
        Whether a sampled id that is a label of an example is left out there. Each of them
        is, if an id was drawn more than once; TensorFlow leaves out the last one.

    Returns
    -------
    float array (B,)
        In nats.

    Raises
    ------
    InputError
        If shapes do not fit, an id is not in the table, or an expected count is not above 0.

    Examples
    --------
    Scores and logarithms of expected counts are zero: one true word and two noise words cost log 2 each.

    >>> import numpy as np
    >>> from handgrad.word2vec import SampledValues, nce_loss
    >>> noise = SampledValues(np.array([1, 2]), np.ones((1, 1)), np.ones(2))
    >>> U, b, h = np.zeros((4, 2)), np.zeros(4), np.zeros((1, 2))
    >>> nce_loss(U, b, [[0]], h, noise).round(4)
    array([2.0794])
    """
    gate = NCE(remove_accidental_hits)
    return _losses(gate, weights, biases, labels, inputs, sampled_values)


def sampled_softmax_loss(
    weights: ArrayLike,
    biases: ArrayLike,
    labels: ArrayLike,
    inputs: ArrayLike,
    sampled_values: SampledValues,
    remove_accidental_hits: bool = True,
) -> np.ndarray:
    """The sampled softmax loss of each example, as ``tf.nn.sampled_softmax_loss`` defines it (Jean et al. 2015).

    Parameters, result and errors are those of ``nce_loss``, but accidental hits are removed by default.

    Examples
    --------
    Scores and logarithms of expected counts are zero: the true word is one of three that are equally likely.

    >>> import numpy as np
    >>> from handgrad.word2vec import SampledValues, sampled_softmax_loss
    >>> noise = SampledValues(np.array([1, 2]), np.ones((1, 1)), np.ones(2))
    >>> U, b, h = np.zeros((4, 2)), np.zeros(4), np.zeros((1, 2))
    >>> sampled_softmax_loss(U, b, [[0]], h, noise).round(4)
    array([1.0986])
    """
    gate = SampledSoftmax(remove_accidental_hits)
    return _losses(gate, weights, biases, labels, inputs, sampled_values)


class LossGradients(NamedTuple):
    """The gradients of a sampled loss, in the order of its parameters.

    Attributes
    ----------
    weights : RowSparseGradient of shape (V, D)
    biases : RowSparseGradient of shape (V,)
        Its rows are numbers.
    inputs : array (B, D)
    """

    weights: RowSparseGradient
    biases: RowSparseGradient
    inputs: np.ndarray


def nce_gradients(
    weights: ArrayLike,
    biases: ArrayLike,
    labels: ArrayLike,
    inputs: ArrayLike,
    sampled_values: SampledValues,
    remove_accidental_hits: bool = False,
    dz: ArrayLike = 1.0,
) -> LossGradients:
    """The gradients of Σ_i dz_i loss_i, with the losses of ``nce_loss``.

    Parameters
    ----------
    weights, biases, labels, inputs, sampled_values, remove_accidental_hits
        As for ``nce_loss``.
    dz : number or array (B,)
        The upstream gradient of the losses: 1 for their sum, 1 / B for their mean.

    Returns
    -------
    LossGradients
        (weights, biases, inputs); the first two are row-sparse.

    Raises
    ------
    InputError
        As ``nce_loss`` does.

    Examples
    --------
    Expected minus observed: every score is 0, so σ is one half, and the bias of the true word 0 should rise.

    >>> import numpy as np
    >>> from handgrad.word2vec import SampledValues, nce_gradients
    >>> noise = SampledValues(np.array([1, 2]), np.ones((1, 1)), np.ones(2))
    >>> U, b, h = np.zeros((4, 2)), np.zeros(4), np.zeros((1, 2))
    >>> nce_gradients(U, b, [[0]], h, noise).biases.to_dense()
    array([-0.5,  0.5,  0.5,  0. ])
    """
    gate = NCE(remove_accidental_hits)
    return _gradients(gate, weights, biases, labels, inputs, sampled_values, dz)


def sampled_softmax_gradients(
    weights: ArrayLike,
    biases: ArrayLike,
    labels: ArrayLike,
    inputs: ArrayLike,
    sampled_values: SampledValues,
    remove_accidental_hits: bool = True,
    dz: ArrayLike = 1.0,
) -> LossGradients:
    """The gradients of Σ_i dz_i loss_i, with the losses of ``sampled_softmax_loss``.

    Parameters, result and errors are those of ``nce_gradients``, but accidental hits are removed by default.

    Examples
    --------
    Expected minus observed: each of the three words is expected with a probability of one third.

    >>> import numpy as np
    >>> from handgrad.word2vec import SampledValues, sampled_softmax_gradients
    >>> noise = SampledValues(np.array([1, 2]), np.ones((1, 1)), np.ones(2))
    >>> U, b, h = np.zeros((4, 2)), np.zeros(4), np.zeros((1, 2))
    >>> gradients = sampled_softmax_gradients(U, b, [[0]], h, noise)
    >>> gradients.biases.to_dense().round(4)
    array([-0.6667,  0.3333,  0.3333,  0.    ])
    """
    gate = SampledSoftmax(remove_accidental_hits)
    return _gradients(gate, weights, biases, labels, inputs, sampled_values, dz)


def nce_graph(
    V: ArrayLike, U: ArrayLike, b: ArrayLike, model: Literal["skipgram", "cbow"] = "skipgram"
) -> ComputationalGraph:
    """NCE as a graph of gates, over a batch, summed.

    Parameters
    ----------
    V, U : float arrays (vocabulary, D)
        The values of the parameters ``embed/V`` and ``out/U``.
    b : float array (vocabulary,)
        The value of ``out/b``.
    model : str
        "skipgram" or "cbow".

    Returns
    -------
    ComputationalGraph
        It is fed with

        - ``inputs`` (B, 1), ids; for CBOW (B, C), and ``shares`` (B, C, 1)
        - ``labels`` (B, T), ids
        - ``sampled`` (m,), ids
        - ``hits`` (B, m), -FLT_MAX where a sampled id should be left out, else 0
        - ``expected`` (B, T + m), the expected counts of the labels and of the sampled ids
        - ``targets`` (B, T + m), 1/T in the first T columns, 0 in the others

    Raises
    ------
    InputError
        If there is no such model.

    Examples
    --------
    >>> import numpy as np
    >>> from handgrad.word2vec import nce_graph
    >>> graph = nce_graph(np.zeros((4, 2)), np.zeros((4, 2)), np.zeros(4))
    >>> words = {"inputs": [[3]], "labels": [[0]], "sampled": [1, 2]}
    >>> noise = {"hits": [[0, 0]], "expected": [[1, 1, 1]]}
    >>> loss = graph.forward(words | noise, targets=[[1, 0, 0]])
    >>> round(float(loss), 4)  # as nce_loss has it
    2.0794
    """
    cross_entropy = SigmoidCrossEntropy()(logits_node(V, U, b, model), Node("targets"), name="cross-entropy")
    losses = Sum(axis=1)(cross_entropy, name="losses")  # (B,)
    return ComputationalGraph(Sum()(losses, name="loss"))


def sampled_softmax_graph(
    V: ArrayLike, U: ArrayLike, b: ArrayLike, model: Literal["skipgram", "cbow"] = "skipgram"
) -> ComputationalGraph:
    """Sampled softmax as a graph of gates, over a batch, summed.

    Parameters and feeds are those of ``nce_graph``, but for the targets: ``minus_targets`` (B, T + m) are -1/T in the
    first T columns and 0 in the others, since cross-entropy is *minus* Σ z log p.

    Examples
    --------
    >>> import numpy as np
    >>> from handgrad.word2vec import sampled_softmax_graph
    >>> V = U = np.zeros((4, 2))
    >>> graph = sampled_softmax_graph(V, U, np.zeros(4))
    >>> words = {"inputs": [[3]], "labels": [[0]], "sampled": [1, 2]}
    >>> noise = {"hits": [[0, 0]], "expected": [[1, 1, 1]]}
    >>> loss = graph.forward(words | noise, minus_targets=[[-1, 0, 0]])
    >>> round(float(loss), 4)  # as sampled_softmax_loss has it
    1.0986
    """
    log_p = LogSoftmax()(logits_node(V, U, b, model), name="log p")
    losses = Sum(axis=1)(Multiply()(log_p, Node("minus_targets")), name="losses")  # (B,)
    return ComputationalGraph(Sum()(losses, name="loss"))


def logits_node(V, U, b, model="skipgram"):
    """The corrected scores (B, T + m) as a node, with the parameters and feeds of ``nce_graph``."""
    h, labels, sampled = hidden_node(V, model), Node("labels"), Node("sampled")  # h (B, 1, D)
    U_node, b_column = Parameter("out/U", U), Reshape(-1, 1)(Parameter("out/b", b))  # a lookup takes rows
    true = RowDot()(h, EmbeddingLookup()(U_node, labels, name="u_true"))  # (B, T)
    b_true = Sum(axis=-1)(EmbeddingLookup()(b_column, labels))  # (B, T)
    u_sampled = Transpose()(EmbeddingLookup()(U_node, sampled, name="u_sampled"))  # (D, m)
    noise = MatMul()(Reshape(-1, np.shape(V)[1])(h), u_sampled)  # (B, m)
    b_sampled = Sum(axis=-1)(EmbeddingLookup()(b_column, sampled))  # (m,)
    noise = Add()(Add()(noise, b_sampled), Node("hits"))
    scores = Concat()(Add()(true, b_true), noise, name="scores")  # (B, T+m)
    return Subtract()(scores, Log()(Node("expected")), name="logits")


class SampledObjective(Objective):
    """NCE and sampled softmax: m noise words that a batch shares, and a bias for each word.

    Attributes
    ----------
    noise : NoiseDistribution
    """

    shares_noise = True
    kind: ClassVar[type[SampledLosses]]

    def __init__(self, config, counts):
        super().__init__(config, counts)
        hits = {"yes": True, "no": False}.get(config.remove_accidental_hits)
        self.gate = self.kind() if hits is None else self.kind(hits)
        self.noise = noise_for(config, counts)
        words = np.count_nonzero(self.noise.probabilities)
        if config.unique_noise and config.negatives > words:  # said before the run begins
            raise InputError(
                f"{config.negatives} different noise words were asked for, but there are {words}: ask for fewer "
                "negatives, or turn unique_noise off."
            )

    def shapes(self):
        return super().shapes() | {"out/b": (len(self.counts),)}

    def samples(self, rng, targets):
        labels = targets[:, None]  # (B, 1)
        sampled = self.noise.sample(rng, self.config.negatives, labels, self.config.unique_noise)
        true_expected, sampled_expected = (expected.astype(self.dtype) for expected in sampled[1:])
        return labels, sampled.ids, true_expected, sampled_expected


class NCEObjective(SampledObjective):
    """Which of the words is a true one? (NCE)"""

    graph = staticmethod(nce_graph)
    kind = NCE


class SampledSoftmaxObjective(SampledObjective):
    """Which one of the words is it? (Sampled softmax)"""

    graph = staticmethod(sampled_softmax_graph)
    kind = SampledSoftmax


def require_samples(gate, h, U, b, labels, sampled, true_expected, sampled_expected):
    """The inputs of NCE and of sampled softmax fit together, or a sentence says what is wrong."""
    name = type(gate).__name__
    shapes = [np.shape(x) for x in (h, U, b, labels, sampled, true_expected, sampled_expected)]
    if [len(s) for s in shapes] == [3, 2, 1, 2, 1, 2, 1]:
        (B, _, D), (V, _), _, (_, T), (m,), *_ = shapes
        fit = shapes[1:] == [(V, D), (V,), (B, T), (m,), (B, T), (m,)] and T > 0
    else:
        fit = False
    if not fit:
        raise InputError(
            f"{name} expects h (B, C, D), U (V, D), b (V,), labels (B, T), sampled (m,) and expected counts (B, T) and "
            f"(m,), with T of at least 1, but got {', '.join(map(str, shapes))}."
        )
    for what, ids in [("labels", labels), ("sampled ids", sampled)]:
        require_ids(ids, V, name, what)
    for what, E in [("labels", true_expected), ("sampled ids", sampled_expected)]:
        if not ((E > 0) & np.isfinite(E)).all():
            raise InputError(
                f"{name} takes the logarithm of the expected counts of the {what}, so each must be finite and above 0, "
                f"but they are {np.min(E)} to {np.max(E)}: an id that is never drawn as noise can be no label."
            )


def _losses(gate, weights, biases, labels, inputs, sampled_values):
    """What the gate makes of one prediction a row: losses (B,)."""
    if np.ndim(inputs) != 2 or len(sampled_values) != 3:
        raise InputError(
            "A sampled loss expects inputs (B, D) and sampled_values (ids, true_expected_count, "
            f"sampled_expected_count), but got inputs {np.shape(inputs)} and {len(sampled_values)} sampled_values."
        )
    ids, true_expected, sampled_expected = (np.asarray(x) for x in sampled_values)
    labels = np.asarray(labels)
    if labels.ndim == 1:
        labels, true_expected = labels[:, None], true_expected.reshape(-1, 1)
    h, U, b = (_as_floats(x) for x in (inputs, weights, biases))
    return gate.forward(h[:, None], U, b, labels, ids, true_expected, sampled_expected)[:, 0]


def _gradients(gate, weights, biases, labels, inputs, sampled_values, dz):
    losses = _losses(gate, weights, biases, labels, inputs, sampled_values)
    if np.shape(dz) not in [(), losses.shape]:
        raise InputError(f"dz must be a number or (B,) numbers, {losses.shape} here, but its shape is {np.shape(dz)}.")
    dz = np.broadcast_to(np.asarray(dz, losses.dtype), losses.shape)
    dh, dU, db, *_ = gate.backward(dz[:, None])
    return LossGradients(dU, db, dh[:, 0])


def _as_floats(x):
    x = np.asarray(x)
    return x if np.issubdtype(x.dtype, np.inexact) else x.astype(np.float64)
