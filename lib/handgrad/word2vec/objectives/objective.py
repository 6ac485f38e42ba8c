"""What an objective is to those who train with it: its parameters, its samples, its fused gate and its graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from handgrad.graph import ComputationalGraph
from handgrad.nodes import Gate

if TYPE_CHECKING:
    from handgrad.word2vec.config import TrainingConfig


class Objective:
    """How a prediction is judged. A subclass is one row of the table ``OBJECTIVES``.

    Parameters
    ----------
    config : TrainingConfig
    counts : int array (V,)
        How often each word occurs, by id.

    Attributes
    ----------
    gate : Gate
        The fused one: the loss of each prediction, (B, C), from h (B, C, D), the parameters and the samples.
    graph : callable
        The same in gates.
    asks_questions : bool
        Whether it scores a few rows of ``out/U`` for each target, yes or no.
    shares_noise : bool
        Whether all targets of a batch share one sample of noise.
    learns_by_pair : bool
        Whether there is an update for a single pair, as word2vec.c makes it.
    dense : tuple of str
        Parameters of which an update moves every row.
    """

    graph: ClassVar[Callable[..., ComputationalGraph]]
    asks_questions = shares_noise = learns_by_pair = False
    dense: ClassVar[tuple[str, ...]] = ()
    gate: Gate

    def __init__(self, config: TrainingConfig, counts: Any) -> None:
        self.config, self.counts, self.dtype = config, counts, np.dtype(config.precision)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The parameters beside ``embed/V``, by name.

        Returns
        -------
        dict
        """
        return {"out/U": (len(self.counts), self.config.dimension)}

    def samples(self, rng: np.random.Generator, targets: np.ndarray) -> tuple:
        """What the gate takes beside vectors and biases: the noise for a batch, or the paths to its targets.

        Parameters
        ----------
        rng : numpy.random.Generator
        targets : int array (B,)

        Returns
        -------
        tuple of arrays
        """
        raise NotImplementedError(f"{type(self).__name__} draws nothing: define samples(self, rng, targets).")
