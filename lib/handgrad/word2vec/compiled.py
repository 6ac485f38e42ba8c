"""The compiled engine: the trainer's steps, taken by the kernels, by several threads at once.

With one thread, a seed gives the same vectors, bit for bit. Several threads write to the same vectors without asking
each other (Niu et al. 2011, Hogwild!): two that meet at a word lose a little of an update, which does no harm
where words are many, and no two runs are alike to the bit. All paths of a Huffman tree begin with the same few nodes:
there two threads would wait for each other's cache at every word. So each thread has copies of the topmost nodes, and
after a step a node is the mean of its copies.

With ``deterministic``, a seed gives the same vectors for any number of threads. A step is then PIECES_OF_STEP short
pieces of the text. Each is learned as if the others were not there: rows that no other piece uses are changed where
they are, the others in copies. When all are ready, what the copies have learned is added up in the order of the text.
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

PIECE = 50_000  # words that a thread works on before it looks up
# Four neighboring targets share their negatives. With three for each of them the vectors are as good as with negatives
# for each pair, and where fewer are asked for, each counts for less.
NEGATIVES = 12
TOP = 127  # nodes of a tree of which each thread has copies: the seven uppermost levels, if it were a full one
PIECES_OF_STEP, DETERMINISTIC_PIECE = 4, 2500  # in the deterministic mode: so many at a time, of so many words
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
    """Train, and yield after each step: a piece of the text for each thread, or PIECES_OF_STEP of them.

    Reads and moves the trainer's epoch, position and step, and adds to its loss, as the steps in NumPy do.
    """
    config, text = trainer.config, trainer.text
    if config.deterministic:
        learn, together, most = _learn_apart, PIECES_OF_STEP, DETERMINISTIC_PIECE
    else:
        learn, together, most = _learn, config.threads, PIECE
    words = min(most, len(text) // (STEPS * (PIECES_OF_STEP if config.deterministic else 1)))
    pool = ThreadPoolExecutor(config.threads) if config.threads > 1 else nullcontext()
    with pool:
        run = pool.map if config.threads > 1 else map
        for _ in trainer.epochs_left():
            pieces_left = _pieces(text, trainer.position, words, most)
            while pieces := list(islice(pieces_left, together)):
                trainer.kernel.hold(trainer.network.parameters)
                trainer.optimizer.learning_rate = trainer.learning_rate  # by the words before these
                for loss, predictions in learn(trainer, pieces, run):
                    trainer.loss_sum += loss
                    trainer.predictions += predictions
                trainer.position = int(pieces[-1][-1])
                trainer.step += 1
                yield
                if trainer.is_over():
                    return


def _learn(trainer, pieces, run):
    """All pieces at a time, on the same vectors: the loss and the number of predictions of each."""
    measured = list(run(trainer.kernel, range(len(pieces)), *_arguments(trainer, pieces)))
    if trainer.kernel.top:
        trainer.kernel.average_copies(len(pieces))
    return measured


def _learn_apart(trainer, pieces, run):
    """The same as if each piece knew nothing of the others."""
    kernel, threads = trainer.kernel, trainer.config.threads
    drawn = list(run(kernel.draw, range(len(pieces)), *_arguments(trainer, pieces)))
    kernel.note_users(drawn)
    measured = list(run(kernel.learn, range(len(pieces)), drawn))
    list(run(partial(kernel.add, drawn, threads), range(threads)))
    kernel.forget_users(drawn)
    return measured


def _arguments(trainer, pieces):
    """What a kernel is given for each piece, as columns: ids, starts, η and the states of two generators."""
    rate, config, ids = np.float32(trainer.optimizer.learning_rate), trainer.config, trainer.text.ids
    rows = [
        (
            ids[starts[0] : starts[-1]],
            starts - starts[0],
            rate,
            *(_generator(config, draw, trainer.epoch, starts[0]) for draw in ("examples", "noise")),
        )
        for starts in pieces
    ]
    return zip(*rows, strict=True)


class Kernel:
    """The compiled functions for a configuration, with all that stays the same in a run.

    Moves the parameters of the trainer's network to where the functions work on them: in whole vectors.
    """

    def __init__(self, trainer):
        from handgrad.word2vec import copies, draws, kernels
        from handgrad.word2vec.simd import whole_vectors

        self.kernels, self.draws, self.copies = kernels, draws, copies
        config, network = trainer.config, trainer.network
        means = {"exact": kernels.CBOW, "word2vec.c": kernels.CBOW_OF_WORD2VEC_C}
        self.mean = kernels.SKIP_GRAM if config.model == "skipgram" else means[config.cbow_gradient]
        self.keep, self.windows = _chances(trainer.keep), (config.window, config.dynamic_window)
        self.tree = network.tree and (network.tree.starts, network.tree.nodes, network.tree.codes)
        if not self.tree:
            own, alias = alias_table(network.noise.probabilities)
            self.noise, K = (_chances(own), alias), config.negatives
            self.K = max(K, NEGATIVES) if K else 0
            self.weight = np.float32(K / self.K if K else 0)
        self.rows = [len(parameter.value) for parameter in network.parameters]
        self.top = min(TOP, self.rows[1]) if self.tree and config.threads > 1 and not config.deterministic else 0
        room = [0, config.threads * self.top]
        if config.deterministic:
            self._prepare_copies(trainer)
            room = [PIECES_OF_STEP * most for most in self.most_copies]
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
            self.note_users(drawn)
            self.learn(0, drawn[0])
            self.add(drawn, 1, 0)
            self.forget_users(drawn)
        else:
            self(0, *nothing)

    def __call__(self, i, ids, starts, rate, state, noise_state):
        """Learn some sentences, as thread i: loss and number of predictions."""
        text = (*self.tables, ids, starts, self.keep, self.windows, self.mean)
        if self.tree:
            return self.kernels.train_hierarchical_softmax(*text, self.tree, *self._copies_of(i), rate, state)
        return self.kernels.train_negative_sampling(*text, self.noise, self.K, self.weight, rate, state, noise_state)

    # copies of the topmost nodes, which are the last ones

    def _copies_of(self, i):
        """Renew the copies that thread i has: from which node on there are some, and how far behind it they lie."""
        U, nodes, shift = self.tables[1], self.rows[1], (i + 1) * self.top
        U[nodes - self.top + shift : nodes + shift] = U[nodes - self.top : nodes]
        return nodes - self.top, shift

    def average_copies(self, threads):
        """Have each of the topmost nodes be the mean of its copies."""
        U, nodes = self.tables[1], self.rows[1]
        copies = U[nodes : nodes + threads * self.top].reshape(threads, self.top, U.shape[1])
        U[nodes - self.top : nodes] = copies.mean(axis=0)

    # the deterministic mode

    def _prepare_copies(self, trainer):
        """Room for what is noted, and how many copies of rows of V and of U there can be for a piece."""
        most = DETERMINISTIC_PIECE
        outputs = most * (int(np.diff(self.tree[0]).max()) if self.tree else 1 + self.K)
        self.most_copies = [min(most, self.rows[0]), min(outputs, self.rows[1])]
        self.places = [[np.full(rows, -1, np.int32) for rows in self.rows] for _ in range(PIECES_OF_STEP)]
        self.noted = [(np.zeros(n, np.int32), np.zeros(n, np.int32), np.zeros(n, np.float32)) for n in self.rows]
        self.way = 1 - (1 - np.float32(SHARE_OF_WAY)) ** np.arange(200, dtype=np.float32)

    def draw(self, i, ids, starts, rate, state, noise_state):
        """All that chance decides of piece i, and which rows it will use."""
        words, *windows = self.draws.draw_text(ids, starts, self.keep, self.windows, state)
        if self.tree:
            outputs, *more = self.draws.paths_to(words, self.tree, self.rows[1], 0)
        else:
            noise = self.kernels.TARGETS, self.noise, self.K, noise_state
            outputs, more = self.draws.draw_outputs(words, *noise), [self.K, self.weight]
        used = [self.copies.different(*each) for each in zip((words, outputs), self.places[i], strict=True)]
        return (words, outputs), windows, more, rate, used

    def note_users(self, drawn):
        for *_, used in drawn:
            for (rows, uses), noted in zip(used, self.noted, strict=True):
                self.copies.note_users(rows, uses, self.way, noted)

    def forget_users(self, drawn):
        for *_, used in drawn:
            for (rows, _), noted in zip(used, self.noted, strict=True):
                self.copies.forget_users(rows, noted)

    def learn(self, i, drawn):
        """Learn piece i, as it was drawn, on copies of the rows that others use too: loss and predictions."""
        (words, outputs), windows, more, rate, used = drawn
        behind = self._behind(i)
        users = [(rows, noted[0], b) for (rows, _), noted, b in zip(used, self.noted, behind, strict=True)]
        for table, shared, ids, place in zip(self.tables, users, (words, outputs), self.places[i], strict=True):
            self.copies.copy_shared(table, *shared, ids, place)
        learn = self.kernels.learn_hierarchical_softmax if self.tree else self.kernels.learn_negative_sampling
        measured = learn(*self.tables, words, *windows, outputs, *more, self.mean, rate)
        for table, shared in zip(self.tables, users, strict=True):
            self.copies.keep_changes(table, *shared)
        return measured

    def add(self, drawn, shares, share):
        """Add up what the copies have learned, one piece after another, in those rows that are this share's."""
        for i, (*_, used) in enumerate(drawn):
            for table, (rows, _), noted, behind in zip(self.tables, used, self.noted, self._behind(i), strict=True):
                self.copies.add_changes(table, rows, self.way, noted, behind, share, shares)

    def _behind(self, i):
        """Where the copies of piece i begin in each table."""
        return [rows + i * most for rows, most in zip(self.rows, self.most_copies, strict=True)]


class BatchKernel:
    """NCE and sampled softmax: a step for a batch, on the same batches and the same noise as in NumPy."""

    def __init__(self, trainer):
        from handgrad.word2vec.sampled_kernels import sampled_step

        self.config, self.network, self.step = trainer.config, trainer.network, sampled_step
        self.tables = [parameter.value for parameter in self.network.parameters]  # V, U, b
        self.learn(np.zeros((1, 1), np.int32), self._samples_for_nothing(), 0.0)  # compiles it

    def _samples_for_nothing(self):
        one = np.ones((1, 1), self.network.dtype)
        return np.zeros((1, 1), np.int32), np.zeros(1, np.int32), one, one[0]

    def learn(self, inputs, samples, rate):
        """One step: the loss, summed, and the number of predictions."""
        labels, sampled, true_expected, sampled_expected = samples
        labels, true_expected = labels[:, 0], true_expected[:, 0]  # (B,)
        if inputs.shape[1] > 1:  # windows: a row for each word that is in one
            row, place = np.nonzero(inputs >= 0)
            inputs, labels, true_expected = inputs[row, place], labels[row], true_expected[row]
        else:
            inputs = inputs[:, 0]
        config, hits = self.config, self.network.objective.remove_accidental_hits
        loss = self.step(
            *self.tables, inputs, labels, sampled, true_expected, sampled_expected,
            config.objective == "sampled-softmax", hits, config.reduction == "mean", np.float32(rate),
        )  # fmt: skip
        return loss, len(inputs)


def _pieces(text, position, words, most):
    """Whole sentences, about so many words at a time, each time where they start and the last one ends.

    A sentence that is longer is a piece of its own. One with more than LONGEST words is cut: whoever gives a text as
    one sentence waits no longer for a step.
    """
    longest = max(words, min(most, LONGEST))
    while position < len(text):
        first, last = np.searchsorted(text.starts, [position, position + words], side="right")
        starts = text.starts[first : max(last, first + 1)]
        if starts[0] > position + longest:
            starts = [position + longest]
        yield np.array([position, *starts], np.int64)
        position = int(starts[-1])


def _chances(p):
    """Probabilities as 32-bit integers, to be compared with the upper half of a random number."""
    return np.minimum(np.asarray(p, dtype=np.float64) * 2**32, 2**32 - 1).astype(np.uint32)


def _generator(config, draw, epoch, start):
    """The state of a kernel's generator, the same for the same place in the text."""
    return np.random.SeedSequence([*config.seed_of(draw), epoch, int(start)]).generate_state(1, np.uint64)[0]
