"""What the trainer hands to an engine, and what it asks of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from handgrad import optimizers
from handgrad.nodes import Parameter
from handgrad.word2vec.config import TrainingConfig
from handgrad.word2vec.objectives.network import Network
from handgrad.word2vec.schedule import Place, Schedule
from handgrad.word2vec.text.encoding import EncodedText
from handgrad.word2vec.text.vocabulary import Vocabulary

OPTIMIZERS = {
    "sgd": optimizers.SGD,
    "momentum": optimizers.Momentum,
    "adagrad": optimizers.Adagrad,
    "adam": optimizers.Adam,
}


@dataclass(frozen=True)
class Task:
    """What is learned, and from what.

    Parameters
    ----------
    config : TrainingConfig
    text : EncodedText
        What is learned from: a text, or what is left of it when some is held out.
    keep : float array (V,)
        How likely each word is kept, see ``keep_probabilities``.
    network : Network
        The model and the objective, with their parameters: what an engine moves.
    optimizer : Optimizer
        How it moves them. An engine with a rule of its own leaves it alone.
    processes : OneProcess or Processes
        Those that learn the same parameters, this one among them.
    """

    config: TrainingConfig
    text: EncodedText
    keep: np.ndarray
    network: Network
    optimizer: Any
    processes: Any

    @property
    def vocabulary(self) -> Vocabulary:
        return self.text.vocabulary


class Step(NamedTuple):
    """What an engine has done since it last said so: one update of the parameters, or several that are one to it.

    How much of the text that is, the engine decides: a batch, a piece, or what several processes learn until they meet.

    Attributes
    ----------
    place : Place, optional
        Where the run is by now; None where no step was made, and only the losses of earlier ones have come in.
    learning_rate : float, optional
        η of the step.
    losses : tuple of float
        To be added up in this order, which decides the last bit; of one step, several or none.
    predictions : int
        How many these are the losses of.
    """

    place: Place | None
    learning_rate: float | None
    losses: tuple[float, ...]
    predictions: int


class Engine:
    """Takes the steps of a run. Where that run is, and what it has cost, is for the trainer to write down.

    Parameters
    ----------
    task : Task
    schedule : Schedule

    Attributes
    ----------
    name : str, as the configuration has it
    threads_of_products : int, how many threads the matrix products of a step use
    other_bits : str, why a run that is resumed ends with other bits than one that was not stopped; "" if it does not
    any_threads : bool, whether a run may go on with another number of threads, and ends with the same bits
    """

    name = ""
    other_bits, any_threads = "", False

    def __init__(self, task: Task, schedule: Schedule) -> None:
        self.task, self.schedule, self.config = task, schedule, task.config
        self.network, self.optimizer = task.network, task.optimizer
        self.any_threads = self.config.deterministic  # a sum by several threads ends with other bits than by one
        self.threads_of_products = 1 if self.config.deterministic else self.config.threads
        self.noise_rng = np.random.default_rng(self.config.seed_of("noise"))
        self.example_rng = np.random.default_rng(self.config.seed_of("examples"))

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    @classmethod
    def make_network(
        cls, config: TrainingConfig, counts: np.ndarray, keep: np.ndarray, shared: Iterable[Parameter]
    ) -> Network:
        """A network whose parameters this engine can move. ``keep`` as in ``Task``."""
        return Network(config, counts, shared)

    @classmethod
    def make_optimizer(cls, network: Network) -> Any:
        """An optimizer for the parameters of such a network."""
        return OPTIMIZERS[network.config.optimizer](network.config.learning_rate)

    @classmethod
    def ignores(cls, processes: Any) -> dict[str, str]:
        """Settings that mean nothing to it, each with the reason: whoever changes one is told so, not left to guess."""
        return {}

    def steps(self, place: Place) -> Iterator[Step]:
        """Learn from a place to the end of its epoch, and yield after each step.

        When they end, or are closed before, some may be begun that were not yielded: ``collect`` has these.
        """
        raise NotImplementedError

    def collect(self) -> list[Step]:
        """Bring what is learned elsewhere, on a device or by threads that are still at work, and say what that was."""
        return []

    def collect_losses(self) -> list[Step]:
        """The same for losses alone, before a report at which no callback looks. What is at work may go on."""
        return []

    def state(self) -> dict[str, Any]:
        """What a checkpoint needs beside parameters, the optimizer's memory and where the run is."""
        generators = {"noise_rng": self.noise_rng, "example_rng": self.example_rng}
        return {name: rng.bit_generator.state for name, rng in generators.items()}

    def restore(self, state: dict[str, Any]) -> None:
        """Become what ``state`` returned, when parameters and memory are there again."""
        self.noise_rng.bit_generator.state = state["noise_rng"]
        self.example_rng.bit_generator.state = state["example_rng"]

    def describe(self) -> dict[str, Any]:
        """For run.json, beside the configuration."""
        return {}

    def versions(self) -> dict[str, Any]:
        """Of what has a part in a run's bits beside Python, NumPy and handgrad: name to version."""
        return {}
