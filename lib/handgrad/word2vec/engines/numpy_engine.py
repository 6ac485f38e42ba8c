"""The NumPy engine: for each batch a loss, its gradients, and one step of the optimizer. It does everything."""

import math

from handgrad.word2vec.engines.engine import Engine
from handgrad.word2vec.objectives import negative_sampling_step
from handgrad.word2vec.text.windows import pairs


class NumPyEngine(Engine):
    """A step is a batch."""

    name = "numpy"

    def steps(self, trainer):
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
