"""A run that is stopped from outside, for the tests of resuming."""

import os
import signal

from handgrad.word2vec import Callback


class StopAt(Callback):
    """What a user does with Ctrl-C, or a system with SIGTERM, at a given step."""

    def __init__(self, step, number=signal.SIGINT):
        self.at, self.number = step, number

    def on_report(self, trainer):
        if trainer.step == self.at:
            os.kill(os.getpid(), self.number)
