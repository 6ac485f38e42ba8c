"""What the trainer asks of an engine."""

from handgrad import optimizers
from handgrad.word2vec.objectives.network import Network

OPTIMIZERS = {
    "sgd": optimizers.SGD,
    "momentum": optimizers.Momentum,
    "adagrad": optimizers.Adagrad,
    "adam": optimizers.Adam,
}


class Engine:
    """Takes the steps of a run.

    Parameters
    ----------
    trainer : Trainer, with its vocabulary and text
    network, optimizer : those of another library, in place of NumPy's

    Attributes
    ----------
    name : str, as the configuration has it
    threads_of_products : int, how many threads the matrix products of a step use
    other_bits : str, why a run that is resumed ends with other bits than one that was not stopped; "" if it does not
    any_threads : bool, whether a run may go on with another number of threads, and ends with the same bits
    """

    name = ""
    other_bits, any_threads = "", False

    def __init__(self, trainer, network=None, optimizer=None):
        self.config = config = trainer.config
        self.threads_of_products = config.threads
        self.network = network or Network(config, trainer.vocabulary.counts, trainer.shared)
        self.optimizer = optimizer or OPTIMIZERS[config.optimizer](config.learning_rate)

    def __repr__(self):
        return f"{type(self).__name__}()"

    def steps(self, trainer):
        """Learn, and yield after each step. Moves the trainer's epoch, position and step, and adds to its loss.

        When they end, or nobody wants more of them, all is collected.
        """
        raise NotImplementedError

    def collect(self, trainer):
        """Bring to the trainer what is learned elsewhere, on a device or by threads that are still at work."""

    def collect_loss(self, trainer):
        """The same for the loss alone, before a report that nobody but the trainer makes. What is at work may go on."""

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
