"""What threads learn from: pieces of the text, each with generators of its own, by functions compiled for a run."""

from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache, partial

import numpy as np

from handgrad.word2vec.engines.compiled import IGNORED_BY_PIECES, hierarchical_softmax, negative_sampling, steps
from handgrad.word2vec.engines.compiled.draws import chances
from handgrad.word2vec.engines.compiled.engine import CompiledEngine
from handgrad.word2vec.engines.compiled.tables import TableNetwork
from handgrad.word2vec.objectives.hierarchical_softmax import HierarchicalSoftmaxObjective
from handgrad.word2vec.objectives.negative_sampling import NegativeSamplingObjective

KERNELS = {NegativeSamplingObjective: negative_sampling, HierarchicalSoftmaxObjective: hierarchical_softmax}
LONGEST = 1000  # words of a sentence that is not cut for that


class PieceEngine(CompiledEngine):
    """The compiled functions for a configuration, with all that stays the same in a run.

    A subclass is a way in which threads share the work: its ``epoch`` takes the steps that are left of one, and its
    ``rows_of_copies`` says how many rows it needs for copies, behind those of V and of U.

    Attributes
    ----------
    kernels : the module ``negative_sampling`` or ``hierarchical_softmax``. Each has ``train``, to learn sentences;
        ``drawn_outputs`` and ``learn``, to draw first and learn later; and ``often_used`` and ``most_outputs``, for
        engines that copy rows
    noise_or_tree : what the objective takes its outputs from, a Noise or the arrays of a HuffmanTree
    model : SKIP_GRAM, CBOW or CBOW_OF_WORD2VEC_C
    """

    STEPS = 200  # in an epoch, at least: the learning rate of a short text should fall as smoothly

    def __init__(self, task, schedule):
        super().__init__(task, schedule)
        config, network = self.config, self.network
        self.threads_of_products = 1  # its functions have no use for NumPy's
        means = {"exact": steps.CBOW, "word2vec.c": steps.CBOW_OF_WORD2VEC_C}
        self.model = steps.SKIP_GRAM if config.model == "skipgram" else means[config.cbow_gradient]
        self.keep, self.windows = chances(task.keep), (config.window, config.dynamic_window)
        self.kernels = KERNELS[type(network.objective)]
        self.noise_or_tree = self.kernels.outputs_of(network.objective)
        self.tables, self.rows = network.tables, [len(parameter.value) for parameter in network.parameters]

    @classmethod
    def make_network(cls, config, counts, keep, shared):
        return TableNetwork(config, counts, shared, partial(cls.rows_of_copies, config, counts * keep))

    @classmethod
    def ignores(cls, processes):
        return IGNORED_BY_PIECES

    def steps(self, place):
        with ThreadPoolExecutor(self.config.threads) as pool:  # which waits for all that is at work when this ends
            yield from self.epoch(place, pool)

    def pieces(self, position, together, most):
        """The rest of the text in pieces of at most so many words; a step is so many pieces ``together``."""
        words = min(most, len(self.task.text) // (self.STEPS * together))
        return pieces_of(self.task.text, position, words, most)

    def arguments(self, epoch, starts, rate):
        """What the functions are given for a piece: ids, starts, η and the states of two generators."""
        generators = (_generator(self.config, draw, epoch, starts[0]) for draw in ("examples", "noise"))
        return self.task.text.ids[starts[0] : starts[-1]], starts - starts[0], np.float32(rate), *generators

    def no_words(self):
        """The same for a piece without words, to compile with: its arrays are of the same types."""
        return self.arguments(0, np.zeros(2, np.int64), 0)


def pieces_of(text, position, words, most):
    """Whole sentences, about so many words at a time, each time where they start and the last one ends.

    A sentence that is longer is a piece of its own. One with more than LONGEST words is cut, if pieces should be
    shorter: a text that is one sentence should not make a step longer.
    """
    longest = max(words, min(most, LONGEST))
    while position < len(text):
        first, last = np.searchsorted(text.starts, (position, position + words), side="right")
        starts = text.starts[first : max(last, first + 1)]
        if starts[0] > position + longest:
            starts = np.array([position + longest])
        yield np.concatenate([[position], starts])
        position = int(starts[-1])


def _generator(config, draw, epoch, start):
    """The state of a kernel's generator, the same for the same place in the text.

    A whole SeedSequence for each piece would take longer than to add up what the piece has learned. Source of the
    mixing: Steele, Lea and Flood (2014), Fast Splittable Pseudorandom Number Generators, SplitMix64.
    """
    mixed = (_state_of(*config.seed_of(draw), epoch) + int(start) * 0x9E3779B97F4A7C15) % 2**64
    mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9 % 2**64
    mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB % 2**64
    return np.uint64(mixed ^ mixed >> 31)


@lru_cache
def _state_of(*numbers):
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0])
