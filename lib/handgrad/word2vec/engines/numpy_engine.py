"""The NumPy engine: for each batch a loss, its gradients, and one update by the optimizer. It does everything."""

import math

from handgrad.word2vec.engines.engine import Engine, Step
from handgrad.word2vec.engines.examples import Examples
from handgrad.word2vec.objectives import negative_sampling_step
from handgrad.word2vec.text.windows import pairs


class NumPyEngine(Engine):
    """A step is a batch."""

    name = "numpy"

    def __init__(self, task, schedule):
        super().__init__(task, schedule)
        self.examples = Examples(task, schedule, self.example_rng)

    def steps(self, place):
        for batch in self.examples.batches(place):
            self.optimizer.learning_rate = batch.learning_rate
            loss, predictions = self.learn(batch.inputs, batch.targets)
            yield Step(batch.place, batch.learning_rate, (loss,), predictions)

    def learn(self, inputs, targets):
        """One step on a batch: its loss, and how many predictions that is the sum of."""
        if self.config.update == "pair":
            return self._learn_pair_by_pair(inputs, targets)
        samples = self.network.samples(self.noise_rng, targets)
        loss, predictions = self.network.loss(inputs, samples)
        self.optimizer.step(self.network.parameters, self.network.gradients())
        return loss, predictions

    def _learn_pair_by_pair(self, inputs, targets):
        V, U = (parameter.value for parameter in self.network.parameters)
        words, targets = pairs(inputs, targets)
        _, negatives = self.network.samples(self.noise_rng, targets)
        rate = V.dtype.type(self.optimizer.learning_rate)
        losses = [negative_sampling_step(V, U, *pair, rate) for pair in zip(words, targets, negatives, strict=True)]
        return math.fsum(losses), len(losses)
