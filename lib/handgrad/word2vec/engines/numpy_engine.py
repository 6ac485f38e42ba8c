"""The NumPy engine: for each batch a loss, its gradients, and one step of the optimizer. It does everything."""

import math

from handgrad import optimizers
from handgrad.word2vec.network import Network
from handgrad.word2vec.objectives import negative_sampling_step
from handgrad.word2vec.windows import pairs

OPTIMIZERS = {
    "sgd": optimizers.SGD,
    "momentum": optimizers.Momentum,
    "adagrad": optimizers.Adagrad,
    "adam": optimizers.Adam,
}


class NumPyEngine:
    """What the trainer asks of an engine. The others are this one, as far as they do not say otherwise.

    Parameters
    ----------
    trainer : Trainer, with its vocabulary and text

    Attributes
    ----------
    network : Network
    optimizer : Optimizer
    threads_of_products : int, how many threads its matrix products use
    repeatable : bool, whether the same seed gives the same bits
    any_threads : bool, whether it does so with any number of threads
    reports_wait : bool, whether a report waits for all steps before it
    """

    name = "numpy"
    repeatable, any_threads, reports_wait = True, False, True

    def __init__(self, trainer):
        self.config = trainer.config
        self.threads_of_products = self.config.threads
        self.network = self.new_network(trainer)
        self.optimizer = self.new_optimizer()

    def new_network(self, trainer):
        return Network(self.config, trainer.vocabulary.counts, trainer.shared)

    def new_optimizer(self):
        return OPTIMIZERS[self.config.optimizer](self.config.learning_rate)

    def steps(self, trainer):
        """Learn, and yield after each step."""
        for inputs, targets in trainer.examples():
            self.learn(trainer, inputs, targets)
            yield

    def learn(self, trainer, inputs, targets):
        """One step on a batch."""
        if self.config.update == "pair":
            loss, predictions = self._learn_pair_by_pair(trainer, inputs, targets)
        else:
            samples = self.network.samples(trainer.noise_rng, targets)
            loss, predictions = self.network.loss(inputs, samples)
            self.optimizer.step(self.network.parameters, self.network.gradients())
        trainer.count(loss, predictions)
        trainer.step += 1

    def _learn_pair_by_pair(self, trainer, inputs, targets):
        V, U = (parameter.value for parameter in self.network.parameters)
        centers, targets = pairs(inputs, targets)
        _, negatives = self.network.samples(trainer.noise_rng, targets)
        rate = V.dtype.type(self.optimizer.learning_rate)
        losses = [negative_sampling_step(V, U, *pair, rate) for pair in zip(centers, targets, negatives, strict=True)]
        return math.fsum(losses), len(losses)

    def collect(self, trainer):
        """Bring to the trainer what is learned elsewhere, on a device or by threads that are still at work."""

    def state(self):
        """What a checkpoint needs beside parameters, the optimizer's memory and the trainer's numbers."""
        return {}

    def restore(self, state):
        """Become what ``state`` returned, when parameters and memory are there again."""

    def describe(self):
        """For run.json, beside the configuration."""
        return {}

    def versions(self):
        """Of what has a part in a run's bits beside Python, NumPy and handgrad: name to version."""
        return {}
