"""Several processes that learn one model together, on one machine or on many: what ``torchrun`` starts.

Each process has a replica of the parameters and a share of the text of its own. After every few batches they meet:
what each has learned since the last meeting is averaged, row by row, over those that have moved the row. So what one
process alone has learned of a rare word counts in full, where an average over all would divide it by their number, and
a frequent word, which all have met, does not go too far.

But an average of P replicas goes only as far as one of them has gone, in 1/P of the text: with two processes, what both
move (frequent words, and noise) learns half as much in an epoch. So each prediction counts P times before the average.
A word that only one process has met then goes P times as far, which did no harm with two and four. A row that many
predictions of one batch use would be thrown off, so its weight falls to 1 (``TorchNetwork.rows``). This is done where
``max_repeats`` may be set, with negative sampling and hierarchical softmax; elsewhere a prediction counts once.

One epoch of the documentation corpus at the default settings, the book's analogies, mean of seeds 1 to 3: one process
18 %, two 26 %, four 18 %. Seed 1 alone: two without the weight 8 %; four with a weight that does not fall diverge.

Sources: McDonald, Hall and Mann (2010), Distributed Training Strategies for the Structured Perceptron, for parameters
that are averaged again and again; Zhang and Jordan (2015), Splash: User-friendly Programming Interface for
Parallelizing Stochastic Algorithms, for samples with weights before an average; Ji et al. (2019), Parallelizing
Word2Vec in Shared and Distributed Memory, for replicas of word2vec that meet every so often.
"""

import functools
import itertools
import os
import signal
from contextlib import contextmanager
from datetime import timedelta

from handgrad.errors import InputError

PATIENCE = timedelta(days=1)  # one may read a text for longer than another; torchrun sees to those that have died
RUNS = itertools.count()  # of this process: the others count alike


def chosen_device(config):
    """Where this process computes, as torch calls it: "cpu", or "cuda:0" and so on, a GPU for each process."""
    import torch

    if config.device == "cuda" and not torch.cuda.is_available():
        raise InputError("device is cuda, but torch finds no GPU that it can use: choose device auto or cpu.")
    if config.device == "cpu" or not torch.cuda.is_available():
        return "cpu"
    local, gpus = int(os.environ.get("LOCAL_RANK", 0)), torch.cuda.device_count()
    if local >= gpus:
        raise InputError(f"This machine has {gpus} GPUs, and torchrun started more processes: start one for each GPU.")
    return f"cuda:{local}"


def processes_of(config):
    """The processes that torchrun has started for this run, to be used in ``with``; or this one alone."""
    count = int(os.environ.get("WORLD_SIZE", 1))
    if count == 1:
        return OneProcess()
    if config.engine != "torch":
        raise InputError(
            f"{count} processes were started for this run, and only the torch engine does that: choose it."
        )
    return Processes(chosen_device(config))


class OneProcess:
    """Nobody to meet."""

    rank, count = 0, 1

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def begin_alike(self, trainer):
        pass

    def agree(self, trainer, noted):
        return noted


class Processes:
    """The group of processes, from the inside of one.

    Parameters
    ----------
    device : str, of the vectors; gloo carries what is on a processor, NCCL what is on a GPU

    Attributes
    ----------
    rank : int, which of them this is; 0 writes the folder of the run
    count : int
    """

    def __init__(self, device):
        import torch.distributed

        self.torch, self.group, self.device = torch, torch.distributed, torch.device(device)
        self.rank, self.count = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])

    def __enter__(self):
        if self.device.type == "cuda":
            self.torch.cuda.set_device(self.device)
        with _others_are_there():
            store = self.group.PrefixStore(
                f"run {next(RUNS)}", _meeting_place()
            )  # what earlier runs left there is theirs
            backend = "nccl" if self.device.type == "cuda" else "gloo"
            self.group.init_process_group(backend, store=store, rank=self.rank, world_size=self.count, timeout=PATIENCE)
        return self

    def __exit__(self, *error):
        self.group.destroy_process_group()

    def begin_alike(self, trainer):
        """All begin with the state of rank 0, and refuse in a sentence if their text or settings are others."""
        mine = [(trainer.data.whole.digest, trainer.config.to_dict(), trainer.state())]
        first = [mine[0] if self.rank == 0 else None]
        with _others_are_there():
            self.group.broadcast_object_list(first, src=0, device=self.device)
        digest, config, state = first[0]
        for what, theirs, ours in [("text", digest, mine[0][0]), ("settings", config, mine[0][1])]:
            if theirs != ours:
                raise InputError(f"Process {self.rank} has another {what} than process 0: give all of them the same.")
        if self.rank:
            trainer.restore(*state)

    def average(self, tensors, before):
        """Average what each row has learned, over the processes that have moved it.

        Parameters
        ----------
        tensors : list of float tensors (V, D), the parameters as this process has left them; changed in place
        before : list of tensors, the same for all, as they were after the last meeting; changed in place
        """
        with self.torch.no_grad():
            for now, then in zip(tensors, before, strict=True):
                learned = now - then
                movers = (learned != 0).any(dim=1).to(now.dtype)  # (V,)
                self._add_up(movers)
                rows = self.torch.nonzero(movers)[:, 0]  # the same in all: only they travel
                learned = learned[rows]
                self._add_up(learned)
                then[rows] += learned / movers[rows, None]
                now.copy_(then)

    def add_up(self, numbers):
        """The sums over all processes, in float64."""
        sums = self.torch.tensor(numbers, dtype=self.torch.float64, device=self.device)
        self._add_up(sums)
        return sums.tolist()

    def collected(self, number):
        """An int of each process, by rank, for all of them."""
        own = self.torch.zeros(self.count, dtype=self.torch.int64, device=self.device)
        own[self.rank] = number
        self._add_up(own)
        return own.tolist()

    def agree(self, trainer, noted):
        """End at the same step: where a callback has stopped one, all stop, and what signal one has noted all hear.

        Returns
        -------
        list of signal.Signals, the same in all processes; a signal that came too late is in the next step's
        """
        mine = [max(noted, default=0), int(trainer.stop_reason is not None)]
        wishes = self.torch.tensor(mine, device=self.device)
        with _others_are_there():
            self.group.all_reduce(wishes, self.group.ReduceOp.MAX)
        number, stops = wishes.tolist()
        if stops and trainer.stop_reason is None:
            trainer.stop("another process was stopped")
        return [signal.Signals(number)] if number else []

    def _add_up(self, tensor):
        with _others_are_there():
            self.group.all_reduce(tensor)


@functools.cache
def _meeting_place():
    """Where processes find each other, by the address that torchrun has put in the environment."""
    from torch.distributed import rendezvous

    store, *_ = next(rendezvous("env://", timeout=PATIENCE))
    return store


@contextmanager
def _others_are_there():
    """Waiting for the others ends in a sentence when one of them is gone."""
    try:
        yield
    except RuntimeError as error:
        observed = str(error).partition("\n")[0].partition(". ")[0]
        raise InputError(f"Another process of this run has ended or cannot be reached: {observed}.") from error
