"""The compiled engine: the trainer's steps, taken by the kernels, by several threads at once.

(For NCE and sampled softmax it is in ``compiled_batches``.)

With one thread, a seed gives the same vectors, bit for bit. Several threads write to the same vectors without asking
each other (Niu et al. 2011, Hogwild!): two that meet at a word lose a little of an update, which does no harm
where words are many, and no two runs are alike to the bit. Each takes the next piece of the text as soon as it is
ready. At words that are in every other sentence, and at the root of a Huffman tree, threads would wait for each
other's cache again and again. So each thread has copies of these rows, and after some hundred words adds to a row what
its copy has learned.

With ``deterministic``, a seed gives the same vectors for any number of threads. A step is then PIECES_OF_STEP short
pieces of the text. Each is learned as if the others were not there: rows that no other piece uses are changed where
they are, the others in copies. When all are ready, the copies are joined, in the order of the text.
"""

import importlib.util
import warnings
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache, partial
from itertools import islice, pairwise

import numpy as np

from handgrad.errors import InputError

PIECE = 50_000  # words that a thread works on before it looks up
# Four neighboring targets share their negatives. With so many of them the vectors are as good as with negatives for
# each pair, and where fewer are asked for, each counts for less.
NEGATIVES = {"skipgram": 12, "cbow": 8}
# A thread adds to a row what its copy has learned after so many words, divided by the number of threads. Later, all
# of them together would go too far: with four times as many the root of a tree is thrown to and fro, and ever farther.
BEHIND = 2500
OFTEN = 4  # times that a row is used in these words, from which on it has copies; it is twice for each time of a word
AHEAD = 2  # pieces for each thread that are begun while the first of them is not ready
PIECES_OF_STEP, DETERMINISTIC_PIECE = 2, 5000  # in the deterministic mode: so many at a time, of so many words
SHARE_OF_WAY = 0.25  # that a copy goes in one step to where it wants a row
STEPS = 200  # in an epoch, at least: the learning rate of a short text should fall as smoothly
LONGEST = 1000  # words of a sentence that is not cut for that

OF_PIECES = ("negative-sampling", "hierarchical-softmax")
OF_BATCHES = ("nce", "sampled-softmax")


def unsupported(config):
    """What a configuration wants that the kernels do not do, in words; or None."""
    wanted = {
        "objective": OF_PIECES + OF_BATCHES,
        "optimizer": ("sgd",),
        "update": ("batch",),
        "precision": ("float32",),
    }
    if config.objective in OF_PIECES:
        wanted |= {"reduction": ("sum",), "num_skips": (0,), "max_steps": (0,)}
    else:
        wanted |= {"model": ("skipgram",), "deterministic": (False,)}
    for name, values in wanted.items():
        if getattr(config, name) not in values:
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
    """Train, and yield after each step: a piece of the text, or PIECES_OF_STEP of them in the deterministic mode.

    Reads and moves the trainer's epoch, position and step, and adds to its loss, as the steps in NumPy do.
    """
    config, text = trainer.config, trainer.text
    steps = _steps_apart if config.deterministic else _steps
    with ThreadPoolExecutor(config.threads) as pool:
        try:
            for _ in trainer.epochs_left():
                for _ in steps(trainer, pool, _pieces(text, trainer.position, *_length_of_pieces(text, config))):
                    yield
                    if trainer.is_over():
                        return
        finally:
            trainer.kernel.await_all(trainer)


def _steps(trainer, pool, pieces):
    """Piece after piece, each for whichever thread is free. The trainer hears of them in the order of the text."""
    kernel, threads = trainer.kernel, trainer.config.threads
    ahead = AHEAD * threads if threads > 1 else 0
    for starts in pieces:
        kernel.hold(trainer.network.parameters)
        rate = trainer.learning_rate_at(starts[0])
        kernel.at_work.append((starts[-1], rate, pool.submit(kernel, *_arguments(trainer, starts, rate))))
        if len(kernel.at_work) > ahead:
            kernel.await_first(trainer)
            yield
    while kernel.at_work:
        kernel.await_first(trainer)
        yield


def _steps_apart(trainer, pool, pieces):
    """So many pieces at a time, each as if it knew nothing of the others. Meanwhile the next ones are drawn."""
    kernel, step, drawn = trainer.kernel, [], []
    edges = np.linspace(0, kernel.copies.PARTS, trainer.config.threads + 1).astype(int).tolist()
    while True:
        kernel.hold(trainer.network.parameters)
        coming = list(islice(pieces, PIECES_OF_STEP))
        rate = coming and trainer.learning_rate_at(coming[0][0])  # by the words before these
        learned = [pool.submit(kernel.learn, i, piece) for i, piece in enumerate(drawn)]
        soon = [pool.submit(kernel.draw, i, *_arguments(trainer, starts, rate)) for i, starts in enumerate(coming)]
        measured, before, drawn = [f.result() for f in learned], drawn, [f.result() for f in soon]
        kernel.settled += 1
        list(pool.map(partial(kernel.settle, before, drawn, kernel.settled), pairwise(edges)))
        if step:
            for loss_and_predictions in measured:
                trainer.count(*loss_and_predictions)
            trainer.position, trainer.step = int(step[-1][-1]), trainer.step + 1
            trainer.optimizer.learning_rate = trainer.learning_rate_at(step[0][0])
            yield
        if not coming:
            return
        step = coming


def _arguments(trainer, starts, rate):
    """What a kernel is given for a piece: ids, starts, η and the states of two generators."""
    generators = (_generator(trainer.config, draw, trainer.epoch, starts[0]) for draw in ("examples", "noise"))
    return trainer.text.ids[starts[0] : starts[-1]], starts - starts[0], np.float32(rate), *generators


@dataclass(eq=False)
class Piece:
    """A piece of the text in the deterministic mode, as it was drawn.

    used : for V and U, the different rows, how often each is used, and which of them each place of the text has
    where : for V and U, where each of these rows is learned: in its place, or in a copy
    """

    used: list
    windows: list
    more: list
    rate: np.float32
    where: list = field(default_factory=list)


class Kernel:
    """The compiled functions for a configuration, with all that stays the same in a run.

    Moves the parameters of the trainer's network to where the functions work on them: in whole vectors.
    """

    threads_of_products = 1  # it has no use for NumPy's

    def __init__(self, trainer):
        from handgrad.word2vec import copies, draws, kernels
        from handgrad.word2vec.simd import up_to, whole_vectors

        self.kernels, self.draws, self.copies = kernels, draws, copies
        self.at_work = deque()
        config, network = trainer.config, trainer.network
        means = {"exact": kernels.CBOW, "word2vec.c": kernels.CBOW_OF_WORD2VEC_C}
        self.mean = kernels.SKIP_GRAM if config.model == "skipgram" else means[config.cbow_gradient]
        self.keep, self.windows = _chances(trainer.keep), (config.window, config.dynamic_window)
        self.tree = network.tree and (network.tree.starts, network.tree.nodes, network.tree.codes)
        if not self.tree:
            self.noise, K = columns_of_noise(network.noise), config.negatives
            self.K = max(K, NEGATIVES[config.model]) if K else 0
            self.weight = np.float32(K / self.K if K else 0)
        self.rows = [len(parameter.value) for parameter in network.parameters]
        if config.deterministic:
            self._prepare_copies(trainer)
            room = [PIECES_OF_STEP * most for most in self.most_copies]
        else:
            self.free, self.apart = list(range(config.threads)), up_to(kernels.TARGETS, BEHIND // config.threads)
            self.often = self._used_often(trainer) if config.threads > 1 else [(0, 0), (0, 0)]
            room = [2 * config.threads * (end - begin) for begin, end in self.often]
        self.tables = []
        for parameter, more in zip(network.parameters, room, strict=True):
            rows, D = parameter.value.shape
            self.tables.append(whole_vectors(parameter.value, more))
            parameter.value = self.tables[-1][:rows, :D]  # what was there is gone before the next table is made
        self._compile(trainer, config)

    def hold(self, parameters):
        """Have the parameters here. Another trainer, which shares one of them, may have moved it to its own place."""
        for parameter, table in zip(parameters, self.tables, strict=True):
            rows, D = parameter.value.shape
            if not np.may_share_memory(parameter.value, table):
                table[:rows, :D] = parameter.value
                parameter.value = table[:rows, :D]

    def _compile(self, trainer, config):
        nothing = np.asarray(trainer.text.ids[:0]), np.zeros(2, np.int64), np.float32(0), np.uint64(0), np.uint64(0)
        if config.deterministic:
            drawn = [self.draw(0, *nothing)]
            self.settle([], drawn, 0, (0, 1))
            self.learn(0, drawn[0])
            self.settle(drawn, [], 0, (0, 1))
        else:
            self(*nothing)

    def __call__(self, ids, starts, rate, state, noise_state):
        """Learn some sentences: loss and number of predictions."""
        i = self.free.pop()
        try:
            text = (*self.tables, ids, starts, self.keep, self.windows, *self._copies(i), self.mean)
            if self.tree:
                return self.kernels.train_hierarchical_softmax(*text, self.tree, rate, state)
            noise = self.noise, self.K, self.weight
            return self.kernels.train_negative_sampling(*text, *noise, rate, state, noise_state)
        finally:
            self.free.append(i)

    def await_first(self, trainer):
        """Wait for the first piece that is at work, and have the trainer be behind it."""
        end, rate, piece = self.at_work[0]
        trainer.count(*piece.result())  # one that failed stays the first: those behind it must not count
        self.at_work.popleft()
        trainer.position, trainer.step, trainer.optimizer.learning_rate = int(end), trainer.step + 1, rate

    def await_all(self, trainer):
        while self.at_work:
            self.await_first(trainer)

    # copies of rows that are used often: the first words, and of a tree the first words and the last nodes

    def _used_often(self, trainer):
        """For each table, from which row to which."""
        counts = trainer.vocabulary.counts * trainer.keep
        often = OFTEN * counts.sum() / self.apart
        first = np.count_nonzero(2 * counts >= often)
        if not self.tree:
            return [(0, first), (0, first)]
        starts, nodes, _ = self.tree
        last = np.count_nonzero(np.bincount(nodes, np.repeat(counts, np.diff(starts))) >= often)
        return [(0, first), (self.rows[1] - last, self.rows[1])]

    def _copies(self, i):
        """For each table, which rows have copies and how far behind them these are; and when they are joined."""
        copies = tuple(
            (begin, end, rows + 2 * i * (end - begin) - begin)
            for rows, (begin, end) in zip(self.rows, self.often, strict=True)
        )
        return copies, self.apart

    # the deterministic mode

    def _prepare_copies(self, trainer):
        """Room for what is noted, and how many copies of rows of V and of U there can be for a piece."""
        most = DETERMINISTIC_PIECE
        outputs = most * (int(np.diff(self.tree[0]).max()) if self.tree else 1 + self.K)
        self.most_copies = [min(most, self.rows[0]), min(outputs, self.rows[1])]
        self.places = [[np.full(rows, -1, np.int32) for rows in self.rows] for _ in range(PIECES_OF_STEP)]
        self.noted = [np.full((rows, 4), -1, np.float32) for rows in self.rows]  # see ``copies.STEP``
        self.way = 1 - (1 - np.float32(SHARE_OF_WAY)) ** np.arange(200, dtype=np.float32)
        self.settled = 0  # times; notes are known by it, also those for a step that was given up

    def draw(self, i, ids, starts, rate, state, noise_state):
        """All that chance decides of piece i, and which rows it will use."""
        words, *windows = self.draws.draw_text(ids, starts, self.keep, self.windows, state)
        if self.tree:
            outputs, *more = self.draws.copied_paths(words, self.tree)
        else:
            noise = self.kernels.TARGETS, self.noise, self.K, noise_state
            outputs, more = self.draws.draw_outputs(words, *noise), [self.K, self.weight]
        used = [self.copies.different(*each) for each in zip((words, outputs), self.places[i], strict=True)]
        return Piece(used, windows, more, rate)

    def learn(self, i, piece):
        """Learn piece i, as it was drawn, on copies of the rows that others use too: loss and predictions."""
        ids, piece.where = [], []
        for table, (rows, _, which), noted, behind in zip(
            self.tables, piece.used, self.noted, self._behind(i), strict=True
        ):
            where, ids_of_text = self.copies.copy_shared(table, rows, which, noted, behind)
            piece.where.append(where)
            ids.append(ids_of_text)
        words, outputs = ids
        learn = self.kernels.learn_hierarchical_softmax if self.tree else self.kernels.learn_negative_sampling
        text = words, *piece.windows, outputs, *piece.more
        return learn(*self.tables, *text, self.mean, piece.rate, *self.kernels.NO_COPIES)

    def settle(self, learned, drawn, step, share):
        """In the rows that are this share's: join the copies of pieces that were learned, and note who is next."""
        for k, (table, noted) in enumerate(zip(self.tables, self.noted, strict=True)):
            for piece in learned:
                self.copies.join_copies(table, piece.used[k][0], piece.where[k], self.way, noted, share)
            for piece in drawn:
                rows, uses, _ = piece.used[k]
                self.copies.note_users(rows, uses, self.way, noted, np.float32(step % 2**24), share)

    def _behind(self, i):
        """Where the copies of piece i begin in each table."""
        return [rows + i * most for rows, most in zip(self.rows, self.most_copies, strict=True)]


def _length_of_pieces(text, config):
    """How many words a piece of the text should have, and how many none should have without need."""
    together, most = (PIECES_OF_STEP, DETERMINISTIC_PIECE) if config.deterministic else (1, PIECE)
    return min(most, len(text) // (STEPS * together)), most


def _pieces(text, position, words, most):
    """Whole sentences, about so many words at a time, each time where they start and the last one ends.

    A sentence that is longer is a piece of its own. One with more than LONGEST words is cut: whoever gives a text as
    one sentence waits no longer for a step.
    """
    longest = max(words, min(most, LONGEST))
    while position < len(text):
        first, last = np.searchsorted(text.starts, (position, position + words), side="right")
        starts = text.starts[first : max(last, first + 1)]
        if starts[0] > position + longest:
            starts = np.array([position + longest])
        yield np.concatenate([[position], starts])
        position = int(starts[-1])


def _chances(p):
    """Probabilities as 32-bit integers, to be compared with the upper half of a random number."""
    return np.minimum(np.asarray(p, dtype=np.float64) * 2**32, 2**32 - 1).astype(np.uint32)


def columns_of_noise(noise):
    """The columns of its alias table, each as one number: the chance of its own word, times 2³², above the other."""
    own, alias = noise.alias_table
    return _chances(own).astype(np.uint64) << 32 | alias.astype(np.uint64)


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
