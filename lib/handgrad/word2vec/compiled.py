"""The compiled engine: the trainer's steps, taken by the kernels, by several threads at once.

With one thread, a seed gives the same vectors, bit for bit. Several threads write to the same vectors without asking
each other (Niu et al. 2011, Hogwild!): two that meet at a word lose a little of an update, which does no harm
where words are many, and no two runs are alike to the bit.
"""

import importlib.util
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from functools import partial
from itertools import islice

import numpy as np

from handgrad.errors import InputError
from handgrad.word2vec.sampling import alias_table

PIECE = 10_000  # words that a thread works on before it looks up


def unsupported(config):
    """What a configuration wants that the kernels do not do, in words; or None."""
    wanted = {
        "model": "skipgram",
        "objective": "negative-sampling",
        "optimizer": "sgd",
        "update": "batch",
        "reduction": "sum",
        "precision": "float32",
        "num_skips": 0,
        "max_steps": 0,
    }
    for name, value in wanted.items():
        if getattr(config, name) != value:
            return f"{name} = {getattr(config, name)!r}"
    return None


def chosen_engine(config):
    """The engine that a configuration asks for, "numpy" or "compiled"; with "auto" the fastest that can do it."""
    missing = unsupported(config)
    installed = importlib.util.find_spec("numba") is not None
    if config.engine == "compiled" and missing:
        raise InputError(f"The compiled engine does not do {missing}: leave engine at auto, or choose numpy.")
    if config.engine == "compiled" and not installed:
        raise InputError("The compiled engine needs numba: pip install 'handgrad[word2vec]', or choose engine numpy.")
    if config.engine == "auto" and not missing and not installed:
        warnings.warn("Training is many times as fast with numba: pip install 'handgrad[word2vec]'.", stacklevel=4)
    return "compiled" if config.engine != "numpy" and installed and not missing else "numpy"


def compiled_steps(trainer):
    """Train, and yield after each step: a piece of the text for each thread.

    Reads and moves the trainer's epoch, position and step, and adds to its loss, as the steps in NumPy do.
    """
    config, text, train_sentences = trainer.config, trainer.text, trainer.kernel

    def train(rate, starts):
        states = [_generator(config, draw, trainer.epoch, starts[0]) for draw in ("examples", "noise")]
        return train_sentences(text.ids[starts[0] : starts[-1]], starts - starts[0], np.float32(rate), *states)

    pool = ThreadPoolExecutor(config.threads) if config.threads > 1 else nullcontext()
    with pool:
        run = pool.map if config.threads > 1 else map
        for _ in trainer.epochs_left():
            pieces_left = _pieces(text, trainer.position)
            while pieces := list(islice(pieces_left, config.threads)):
                trainer.optimizer.learning_rate = rate = trainer.learning_rate  # by the words before these
                for loss, pairs in run(partial(train, rate), pieces):
                    trainer.loss_sum, trainer.predictions = trainer.loss_sum + loss, trainer.predictions + pairs
                trainer.position = int(pieces[-1][-1])
                trainer.step += 1
                yield
                if trainer.is_over():
                    return


def prepared(trainer):
    """The kernel, compiled, with all that stays the same in a run; (ids, starts, rate, state, noise_state) are left."""
    from handgrad.word2vec.kernels import sigmoid_table, train_sentences

    config = trainer.config
    V, U = (parameter.value for parameter in trainer.network.parameters)
    own, alias = alias_table(trainer.network.noise.probabilities)
    keep, noise, table = _chances(trainer.keep), (_chances(own), alias), sigmoid_table()
    windows = (config.window, config.dynamic_window)

    def train(ids, starts, rate, state, noise_state):
        return train_sentences(
            V, U, ids, starts, keep, noise, windows, config.negatives, rate, state, noise_state, table
        )

    train(
        np.asarray(trainer.text.ids[:0]), np.zeros(2, np.int64), np.float32(0), np.uint64(0), np.uint64(0)
    )  # compiles it
    return train


def _pieces(text, position):
    """Whole sentences, about PIECE words at a time, each time where they start and the last one ends.

    A sentence that is longer is cut: whoever gives a text as one sentence waits no longer for a step.
    """
    while position < len(text):
        first, last = np.searchsorted(text.starts, [position, position + PIECE], side="right")
        starts = text.starts[first:last] if first < last else [position + PIECE]
        yield np.array([position, *starts], np.int64)
        position = int(starts[-1])


def _chances(p):
    """Probabilities as 32-bit integers, to be compared with the upper half of a random number."""
    return np.minimum(np.asarray(p, dtype=np.float64) * 2**32, 2**32 - 1).astype(np.uint32)


def _generator(config, draw, epoch, start):
    """The state of a kernel's generator, the same for the same place in the text."""
    return np.random.SeedSequence([*config.seed_of(draw), epoch, int(start)]).generate_state(1, np.uint64)[0]
