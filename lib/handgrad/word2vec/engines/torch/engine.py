"""The torch engine: the trainer's steps with autograd's gradients, on a processor or a GPU, in one process or several.

On a processor the batches are those of the NumPy engine, and so are the losses and the vectors, but for rounding. On
a GPU, and in several processes, torch draws the examples itself (``examples``). One process then waits for the
device once in each chunk of the text, and for a report of the loss, which the device adds up in float64. (For NCE and
sampled softmax it waits for each batch: NumPy draws their noise, for its targets.)

A GPU wants large batches, and with them the sum over a batch goes wrong: all uses of a word are worked on with the
same old vector, and a frequent word is thrown far beyond where they point. ``max_repeats`` limits that, row by row: the
gradient of a word that takes part in n predictions of the batch is multiplied by min(1, max_repeats / n). For all other
words the learning rate means what it means in small batches. A limit for each id, by how often the batch uses it,
is the idea of Zheng et al. (2023), CowClip; they limit the gradient's norm, where here the sum becomes a mean.

Two epochs of six million words of Wikipedia, Spearman's correlation with WordSim-353: batches of 64 and 256 without a
limit .39, of 1,024 .16, of 4,096 no numbers any more; of 4,096 with a limit of 64 .39, of 16 .34, of 256 .10; of 16,384
with a limit of 64 .34. So 4,096 and 64 are good values for a GPU at a learning rate of 0.025.
"""

import importlib.util
from contextlib import contextmanager
from functools import cached_property
from importlib.metadata import version
from itertools import islice

import numpy as np

from handgrad.errors import InputError
from handgrad.installing import how_to_install
from handgrad.word2vec.engines.engine import Step
from handgrad.word2vec.engines.numpy_engine import NumPyEngine
from handgrad.word2vec.runs.processes import chosen_device
from handgrad.word2vec.schedule import Place
from handgrad.word2vec.text.encoding import EncodedText


def require_torch(config, processes):
    """The torch engine can do what a configuration wants, or a sentence says what is in the way."""
    if importlib.util.find_spec("torch") is None:
        raise InputError(f"The torch engine needs torch: {how_to_install('torch')}, or choose another engine.")
    impossible = {"optimizer": "momentum", "update": "pair"}
    for name, value in impossible.items():
        if getattr(config, name) == value:
            raise InputError(f"The torch engine does not do {name} = {value!r}: choose engine numpy.")
    if config.num_skips and config.examples_on == "device":
        raise InputError("The examples of num_skips are not made on the device: leave examples_on at auto.")
    if processes.count == 1:
        return
    wanted = {"optimizer": ("sgd",), "num_skips": (0,), "examples_on": ("auto", "device"), "max_steps": (0,)}
    for name, values in wanted.items():
        if getattr(config, name) not in values:
            raise InputError(f"Several processes do not do {name} = {getattr(config, name)!r}: choose {values[0]!r}.")


class TorchEngine(NumPyEngine):
    """The NumPy engine with torch's network and optimizer; and where torch draws the examples, with steps of its own.

    Parameters
    ----------
    task : Task, with a network and an optimizer that were made here
    schedule : Schedule

    Attributes
    ----------
    device : str
    draws : bool, whether torch draws the examples, and not NumPy
    losses_on_device : float64 tensor without axes, the sum of those that were not yielded yet
    positions : list of int, how many words of its share of the text each process has behind it in this epoch
    """

    name = "torch"

    def __init__(self, task, schedule):
        super().__init__(task, schedule)
        import torch

        config, self.processes, self.device = task.config, task.processes, str(task.network.device)
        by_itself = self.device != "cpu" or self.processes.count > 1
        self.draws = config.examples_on == "device" or (
            config.examples_on == "auto" and by_itself and not config.num_skips
        )
        self.losses_on_device = torch.zeros((), dtype=torch.float64, device=self.device)
        if self.device != "cpu":
            self.other_bits = "a GPU adds up gradients in any order"
        self.positions = [0] * self.processes.count
        self.network.weight = self.processes.count  # what averaging takes away again

    @classmethod
    def make_network(cls, config, counts, keep, shared):
        from handgrad.word2vec.engines.torch.network import TorchNetwork

        return TorchNetwork(config, counts, shared, chosen_device(config))

    @classmethod
    def make_optimizer(cls, network):
        from handgrad.word2vec.engines.torch.network import TorchOptimizer

        return TorchOptimizer(network, network.config.learning_rate)

    @classmethod
    def ignores(cls, processes):
        alone = "this process is alone, with nobody to meet; torchrun starts several"
        return {"sync_every": alone} if processes.count == 1 else {}

    def steps(self, place):
        """Learn, and yield after each step: a batch, or in several processes a round of batches and a meeting."""
        with _torch_threads(self.config.threads):
            yield from self._drawn_steps(place) if self.draws else super().steps(place)

    def learn(self, inputs, targets):
        self.network.hold()
        return super().learn(inputs, targets)

    def _drawn_steps(self, place):
        """On examples that torch draws."""
        learn = self._alone if self.processes.count == 1 else self._together
        if not place.position:
            self.positions = [0] * self.processes.count
        own = place.position if self.processes.count == 1 else self.positions[self.processes.rank]
        batches = self.own_examples.batches(place.epoch, own)
        while step := learn(batches, place):
            yield step
            place = step.place

    @cached_property
    def own_examples(self):
        """Those of this process's share: as many words for each, cut where they may fall."""
        from handgrad.word2vec.engines.torch.examples import TorchExamples

        text, rank, count = self.task.text, self.processes.rank, self.processes.count
        first, end = (len(text) * n // count for n in (rank, rank + 1))
        return TorchExamples(_part(text, first, end), self.network, self.task.keep, start=first)

    def _alone(self, batches, place):
        """One batch. None if there is none left in this epoch."""
        self.network.hold()
        batch = next(batches, None)
        if batch is None:
            return None
        rate = self._learn_drawn(batch, place)
        return Step(Place(place.epoch, batch.behind, place.step + 1), rate, (), batch.predictions)

    def _together(self, batches, place):
        """A few batches in each process, and then they meet. None if nobody has a batch left in this epoch."""
        self.network.hold()
        before = [tensor.detach().clone() for tensor in self.network.tensors.values()]
        learned, predictions, behind = 0, 0, self.positions[self.processes.rank]
        for batch in islice(batches, self.config.sync_every):
            self._learn_drawn(batch, place)
            learned, predictions, behind = learned + 1, predictions + batch.predictions, batch.behind
        self.positions = self.processes.collected(behind)
        learned, loss, predictions = self.processes.add_up([learned, self.losses_on_device.item(), predictions])
        self.losses_on_device.zero_()
        if not learned:
            return None
        self.processes.average(list(self.network.tensors.values()), before)
        place = Place(place.epoch, sum(self.positions), place.step + 1)
        return Step(place, self.optimizer.learning_rate, (loss,), int(predictions))

    def _learn_drawn(self, batch, place):
        """With η by the words before this batch, or this round: it is returned."""
        self.optimizer.learning_rate = self.schedule.learning_rate(place)
        self.losses_on_device += self.network.forward(batch.inputs, batch.samples).detach()
        self.optimizer.step(self.network.parameters, self.network.gradients())
        return self.optimizer.learning_rate

    def collect(self):
        """Bring what is on the device: parameters, the optimizer's memory and the losses."""
        self.network.collect()
        self.optimizer.collect()
        return self.collect_losses()

    def collect_losses(self):
        losses = (self.losses_on_device.item(),)
        self.losses_on_device.zero_()
        return [Step(None, None, losses, 0)]

    def state(self):
        return super().state() | {"positions": self.positions}

    def restore(self, state):
        if len(state["positions"]) != self.processes.count:
            raise InputError(
                f"The run was begun by {len(state['positions'])} processes, and should go on with "
                f"{self.processes.count}: start as many as before."
            )
        super().restore(state)
        self.positions = list(state["positions"])
        self.network.send()
        self.optimizer.send()

    def describe(self):
        return {"device": self.device, "processes": self.processes.count}

    def versions(self):
        return {"torch": version("torch"), "device": self.device.partition(":")[0]}


def _part(text, first, end):
    """The words first:end of a text; a sentence that goes on beyond them is cut."""
    inside = text.starts[np.searchsorted(text.starts, first, "right") : np.searchsorted(text.starts, end, "left")]
    return EncodedText(text.vocabulary, text.ids[first:end], np.array([first, *inside, end]) - first)


@contextmanager
def _torch_threads(threads):
    """torch computes with so many threads, and afterwards with as many as before."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)
