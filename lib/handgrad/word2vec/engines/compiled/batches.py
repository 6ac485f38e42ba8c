"""The compiled engine for NCE and sampled softmax: batch after batch, while the next ones are drawn.

Python draws a batch and its noise; to learn it, in compiled code, takes a few times as long. With several threads both
happen at the same time. The batches are learned in order by one thread, so a seed gives the same vectors, bit for bit.
"""

from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event

import numpy as np

from handgrad.word2vec.engines.compiled.engine import CompiledEngine
from handgrad.word2vec.engines.compiled.sampled_kernels import sampled_steps
from handgrad.word2vec.engines.engine import Step
from handgrad.word2vec.engines.examples import Examples
from handgrad.word2vec.objectives import SampledSoftmax

NOTHING = Step(None, None, (), 0)
LARGE = 2**22  # multiplications of a product for a batch from which on several threads are quicker than one


class BatchEngine(CompiledEngine):
    """NCE and sampled softmax: steps for some batches, on the same batches and the same noise as in NumPy."""

    BATCHES = 8  # that are learned in one call: to hand over one takes a tenth of the time to learn it

    def __init__(self, task, schedule):
        super().__init__(task, schedule)
        config = self.config
        self.examples = Examples(task, schedule, self.example_rng)
        self.drawn, self.at_work = [], None
        is_large = config.batch_size * config.negatives * config.dimension >= LARGE
        self.threads_of_products, self.any_threads = config.threads if is_large else 1, not is_large
        zero, one = np.zeros(1, np.int32), np.ones(1, self.network.dtype)
        sampled_steps(*self._arguments([(zero, zero, zero, one, one, 0.0)]))  # compiles it

    def steps(self, place):
        """Train, and yield after each batch: by then it is drawn, and some batches later it is learned.

        With several threads, another one learns while this one draws; the order of the steps, and so the bits, stay
        the same. To see what was learned, call ``collect`` first.
        """
        with ThreadPoolExecutor(1) as pool:
            for inputs, targets, rate, behind in self.examples.batches(place):
                samples = self.network.samples(self.noise_rng, targets)
                self.drawn.append(_rows(inputs, samples, rate))
                whole = len(self.drawn) == self.BATCHES
                learned = self._begin(pool.submit if self.config.threads > 1 else _at_once) if whole else NOTHING
                yield Step(behind, rate, learned.losses, learned.predictions)

    def _begin(self, submit):
        """Have what was drawn learned, when what was drawn before is: that is returned."""
        predictions = sum(len(inputs) for inputs, *_ in self.drawn)
        arguments, self.drawn, begun = self._arguments(self.drawn), [], Event()
        before = self._first()
        self.at_work = predictions, submit(_learn, begun, arguments)
        begun.wait()  # drawing the next batches would keep it from beginning until they are drawn
        return before

    def _first(self):
        """Wait for the batches that are at work."""
        if not self.at_work:
            return NOTHING
        predictions, losses = self.at_work
        learned = Step(None, None, tuple(losses.result().tolist()), predictions)
        self.at_work = None
        return learned

    def collect(self):
        """Wait for what is at work, and learn what was drawn after it."""
        steps = [self._first()]
        if self.drawn:
            self._begin(_at_once)
            steps.append(self._first())
        return steps

    collect_losses = collect

    def _arguments(self, batches):
        """What the compiled function is given for some batches."""
        inputs, labels, sampled, true_expected, sampled_expected, rates = zip(*batches, strict=True)
        config, gate = self.config, self.network.objective.gate
        return (
            *(parameter.value for parameter in self.network.parameters),  # V, U, b, wherever they are by now
            *map(np.concatenate, (inputs, labels, true_expected)), np.cumsum([0, *map(len, inputs)]),
            *map(np.array, (sampled, sampled_expected)),
            isinstance(gate, SampledSoftmax), gate.remove_accidental_hits, config.reduction == "mean",
            np.array(rates, np.float32),
        )  # fmt: skip


def _learn(begun, arguments):
    begun.set()
    return sampled_steps(*arguments)


def _rows(inputs, samples, rate):
    """A batch with one row for each prediction: of windows, one for each word that is in one."""
    labels, sampled, true_expected, sampled_expected = samples
    row, place = np.nonzero(inputs >= 0) if inputs.shape[1] > 1 else (slice(None), 0)
    return inputs[row, place], labels[row, 0], sampled, true_expected[row, 0], sampled_expected, rate


def _at_once(learn, *arguments):
    """As a pool's ``submit``, but here and now."""
    future = Future()
    future.set_result(learn(*arguments))
    return future
