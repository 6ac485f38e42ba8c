"""The network: a model, an objective and their parameters, put together from a configuration."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from handgrad.errors import InputError
from handgrad.graph import ComputationalGraph
from handgrad.nodes import Parameter
from handgrad.word2vec.objectives import CBOW, OBJECTIVES, SkipGram

if TYPE_CHECKING:
    from handgrad.word2vec.config import TrainingConfig

AT_A_TIME = 10_000  # rows whose first values are drawn at a time


class Network:
    """What a batch costs, and how each parameter should move.

    Parameters
    ----------
    config : TrainingConfig
    counts : int array (V,)
        How often each word occurs, by id.
    shared : iterable of Parameter
        Used instead of new ones of the same name: two networks that share their ``embed/V`` learn one embedding.

    Attributes
    ----------
    model : SkipGram or CBOW
    objective : Objective
    parameters : list of Parameter
        ``embed/V`` (V, D), ``out/U`` (V, D) or, for a tree, (V - 1, D), and for nce and sampled-softmax ``out/b`` (V,).

    Examples
    --------
    >>> import numpy as np
    >>> from handgrad.word2vec import Network, TrainingConfig
    >>> config = TrainingConfig(dimension=2, negatives=3)
    >>> network = Network(config, counts=[5, 4, 3])
    >>> rng = np.random.default_rng(0)
    >>> inputs, targets = np.array([[0, 1]]), np.array([2])
    >>> loss, predictions = network.loss(inputs, network.samples(rng, targets))
    >>> predictions, sorted(network.gradients())
    (2, ['embed/V', 'out/U'])
    """

    def __init__(self, config: TrainingConfig, counts: Any, shared: Iterable[Parameter] = ()) -> None:
        self.config, self.counts, self.dtype = config, counts, np.dtype(config.precision)
        self.model = SkipGram() if config.model == "skipgram" else CBOW(config.cbow_gradient)
        self.objective = OBJECTIVES[config.objective](config, counts)
        shared = {parameter.name: parameter for parameter in shared}
        self.parameters = [_shared_or_new(shared, new) for new in self._new_parameters()]
        known = [parameter.name for parameter in self.parameters]
        for name in shared:
            if name not in known:
                raise InputError(f"There is no parameter {name!r} to share in this network: it has {', '.join(known)}.")

    def _new_parameters(self):
        """Their first values: ``embed/V`` is uniform; ``out/U`` is zero or normal, and biases are zero."""
        V, D, initialization = len(self.counts), self.config.dimension, self.config.initialization
        rng = np.random.default_rng(self.config.seed_of("init"))
        low, high = {"word2vec": (-0.5 / D, 0.5 / D), "tensorflow": (-1, 1), "cs20": (0, 1)}[initialization]
        embed = self.new_parameter("embed/V", (V, D))
        for first in range(0, V, AT_A_TIME):  # they are drawn in 64 bits, which a large table has no room for
            some = embed.value[first : first + AT_A_TIME]
            some[...] = rng.uniform(low, high, some.shape)
        yield embed
        for name, shape in self.objective.shapes().items():
            parameter = self.new_parameter(name, shape)
            if name == "out/U" and initialization != "word2vec":
                parameter.value[...] = truncated_normal(rng, shape) / np.sqrt(D)
            yield parameter

    def new_parameter(self, name: str, shape: tuple[int, ...]) -> Parameter:
        """A parameter of zeros, where it will stay: an engine whose steps need another place has its own network."""
        return Parameter(name, np.zeros(shape, self.dtype))

    def samples(self, rng: np.random.Generator, targets: np.ndarray) -> tuple:
        """What the objective takes beside vectors and biases: the noise for a batch, or the paths to its targets.

        Parameters
        ----------
        rng : numpy.random.Generator
        targets : int array (B,)

        Returns
        -------
        tuple of arrays
        """
        return self.objective.samples(rng, targets)

    def loss(self, inputs: np.ndarray, samples: tuple) -> tuple[float, int]:
        """Forward: the sum of the losses of a batch, and how many predictions it makes.

        Parameters
        ----------
        inputs : int array (B, C)
            -1 for none.
        samples : tuple of arrays
            As ``self.samples`` returned them for the batch's targets.

        Returns
        -------
        loss : float
            In float64, however precise the parameters are.
        predictions : int
        """
        V, *out = (parameter.value for parameter in self.parameters)
        losses = self.objective.gate.forward(self.model.forward(V, inputs), *out, *samples)  # (B, C)
        self.counted = self.model.predictions(inputs)
        return float(losses[self.counted].sum(dtype=np.float64)), int(np.count_nonzero(self.counted))

    def mean_loss(self, batches: Iterable[tuple[np.ndarray, np.ndarray]], rng: np.random.Generator) -> float:
        """The mean loss of a prediction, with nothing learned.

        Parameters
        ----------
        batches : iterable of (inputs, targets)
        rng : numpy.random.Generator
            Of the noise.

        Returns
        -------
        float
        """
        total, predictions = 0.0, 0
        for inputs, targets in batches:
            loss, n = self.loss(inputs, self.samples(rng, targets))
            total, predictions = total + loss, predictions + n
        return total / max(predictions, 1)

    def gradients(self) -> dict[str, Any]:
        """Backward: the gradient of the sum or the mean of the last ``loss``.

        Returns
        -------
        dict
            The name of a parameter to its gradient, an array or a RowSparseGradient.
        """
        dz = self.counted.astype(self.dtype)  # 0 where there is no prediction
        if self.config.reduction == "mean":
            dz /= max(np.count_nonzero(self.counted), 1)
        dh, *dout = self.objective.gate.backward(dz)
        dV, _ = self.model.backward(dh)
        return {parameter.name: gradient for parameter, gradient in zip(self.parameters, [dV, *dout], strict=False)}

    def graph(self) -> ComputationalGraph:
        """The same loss, summed, as a graph of gates, on the same parameters: for reading and for checking.

        Returns
        -------
        ComputationalGraph
        """
        return self.objective.graph(*(parameter.value for parameter in self.parameters), self.config.model)


def _shared_or_new(shared, new):
    parameter = shared.get(new.name, new)
    if parameter.value.shape != new.value.shape or parameter.value.dtype != new.value.dtype:
        raise InputError(
            f"The shared {new.name} of shape {parameter.value.shape} and {parameter.value.dtype} does not fit: this "
            f"network needs {new.value.shape} and {new.value.dtype}. Two that share have one vocabulary and dimension."
        )
    return parameter


def truncated_normal(rng, shape):
    """Normal numbers, those beyond two standard deviations drawn again."""
    z = rng.standard_normal(shape)
    while (far := np.abs(z) > 2).any():
        z[far] = rng.standard_normal(np.count_nonzero(far))
    return z
