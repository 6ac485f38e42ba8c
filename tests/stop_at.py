"""A run that is stopped from outside, and what it leaves, for the tests of resuming."""

import os
import signal

from handgrad.word2vec import Callback
from handgrad.word2vec.runs.checkpoint import checkpoints, load_checkpoint


class StopAt(Callback):
    """What a user does with Ctrl-C, or a system with SIGTERM, at a given step; never, if that is -1."""

    def __init__(self, step, number=signal.SIGINT):
        self.at, self.number = step, number

    def on_report(self, trainer):
        if 0 <= self.at <= trainer.step:  # threads may take several steps until there is a report
            os.kill(os.getpid(), self.number)


def bits(folder):
    """The bits of a run that do not depend on the clock."""
    newest = checkpoints(folder / "checkpoints")[-1]
    arrays, _ = load_checkpoint(newest)
    named = {name: array.tobytes() for name, array in arrays.items()}
    return newest.name, named, [(folder / name).read_bytes() for name in ("vectors.bin", "loss.csv")]
