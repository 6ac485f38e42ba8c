"""The trainer: text in, word vectors out, in NumPy, step by step.

A run has five parts, as in TensorFlow's tutorials: import the data, make the embedding, make the loss, make the
optimizer, make the summaries. Then it trains: for each batch a loss, its gradients, and one step of the optimizer.

All that chance decides comes from seeds, and all that a run has become is in its parameters, its optimizer's memory
and a few numbers. So a run that was stopped goes on from a checkpoint and ends with the same bits.
"""

import math
import signal
import time
from functools import partial
from typing import NamedTuple

import numpy as np

from handgrad import optimizers
from handgrad.errors import InputError
from handgrad.word2vec.config import TrainingConfig
from handgrad.word2vec.encoding import EncodedText, encode_text
from handgrad.word2vec.keyed_vectors import KeyedVectors
from handgrad.word2vec.network import Network
from handgrad.word2vec.objectives import negative_sampling_step
from handgrad.word2vec.progress import bar, signals_noted, threads_limited
from handgrad.word2vec.sampling import keep_probabilities
from handgrad.word2vec.windows import NumSkipsBatches, pairs, window_batches

NUMBERS = ("epoch", "position", "step", "loss_sum", "predictions", "seconds")  # where a run is
REPORTS = 100  # in a run, where report_every does not say otherwise
OPTIMIZERS = {
    "sgd": optimizers.SGD,
    "momentum": optimizers.Momentum,
    "adagrad": optimizers.Adagrad,
    "adam": optimizers.Adam,
}


class LossEntry(NamedTuple):
    """What was measured since the entry before.

    raw_words : int, words of the text read so far, all epochs together
    loss : float, mean loss of a prediction, in nats
    held_out : float, the same on held-out text; nan where there is none
    learning_rate : float
    step : int, batches so far
    """

    raw_words: int
    loss: float
    held_out: float
    learning_rate: float
    step: int


class Trainer:
    """Trains word vectors.

    Parameters
    ----------
    config : TrainingConfig
    callbacks : list of Callback
    shared : list of Parameter, which the network uses instead of new ones of their names

    Attributes
    ----------
    text : EncodedText, what is learned from
    vocabulary : Vocabulary
    network : Network, with ``network.parameters``
    losses : list of LossEntry
    words_per_second : float, raw words, of the training loop alone
    """

    def __init__(self, config=None, callbacks=(), shared=()):
        self.config, self.callbacks, self.shared = config or TrainingConfig(), list(callbacks), list(shared)

    def fit(self, corpus, output=None, resume=False, progress=False):
        """Train on a corpus.

        Parameters
        ----------
        corpus : iterable of lists of str, or EncodedText
        output : path, optional; a new folder, in which the run is written down (see ``run_folder``)
        resume : bool; go on with the run in ``output`` from its newest checkpoint, to the bits with which it would have
            ended
        progress : bool, show progress bars, in a terminal or a notebook

        Returns
        -------
        KeyedVectors : the input vectors, ``embed/V``

        Raises
        ------
        InputError : what is wrong with the corpus, the folder or the checkpoint; or the loss is no longer a number
        KeyboardInterrupt, SystemExit : after Ctrl-C or SIGTERM, when a checkpoint has been written
        """
        if resume and output is None:
            raise InputError("A run can be resumed only from its folder: name it as output.")
        self.folder = _run_folder(output, resume)
        self.bar = partial(bar, progress)
        try:
            self.import_data(corpus)
            self.build()
            if resume:
                self.folder.restore(self)
            self.folder and self.folder.begin(self)
            self.train()
            vectors = self.vectors
            self.folder and self.folder.finish(self, vectors)
            return vectors
        finally:
            if self.folder:
                self.folder.close()
                self.folder.remove_if_empty()

    @property
    def vectors(self):
        """The input vectors, as they are now."""
        words, counts = self.vocabulary.index_to_key, self.vocabulary.counts
        return KeyedVectors(words, self.network.parameters[0].value, counts=counts)

    # import data, embedding, loss, optimizer, summaries

    def import_data(self, corpus):
        """Read the text once and turn it into ids."""
        config = self.config
        self.corpus_name = getattr(corpus, "name", None)
        if not isinstance(corpus, EncodedText):
            with self.bar("reading") as advance:
                corpus = encode_text(
                    corpus, config.min_count, config.max_vocabulary or None, config.unk, progress=advance
                )
        self.vocabulary = corpus.vocabulary
        self.text, self.held_out_text = _split(corpus, config.held_out)

    def build(self):
        """The embedding, the loss and the optimizer."""
        config = self.config
        self.network = Network(config, self.vocabulary.counts, self.shared)
        self.optimizer = OPTIMIZERS[config.optimizer](config.learning_rate)
        self.keep = keep_probabilities(self.vocabulary.counts, self.vocabulary.raw_words, config.subsample)
        self.noise_rng = np.random.default_rng(config.seed_of("noise"))
        self.example_rng = np.random.default_rng(config.seed_of("examples"))
        self.epoch = self.position = self.step = 0
        self.losses, self.seconds, self.stop_reason = [], 0.0, None
        self.loss_sum, self.predictions = 0.0, 0  # since the last entry

    # train

    def train(self):
        """Step through the text until its epochs are over, or somebody wants to stop."""
        self._call("on_train_begin")
        bar = self.bar("training", self.total_words, self.raw_words)
        with signals_noted() as noted, threads_limited(self.config.threads), bar as advance:
            shown, started = self.raw_words, time.perf_counter() - self.seconds
            for inputs, targets in self.examples():
                self.learn(inputs, targets)
                self.seconds = time.perf_counter() - started
                if self._report_is_due():
                    self.report()
                    advance(self.raw_words - shown, self._note())
                    shown, started = self.raw_words, time.perf_counter() - self.seconds  # reports take no time
                if self._checkpoint_is_due():
                    self._call("on_checkpoint", self.folder.checkpoint(self))
                    started = time.perf_counter() - self.seconds
                if noted or self.stop_reason:
                    break
            if noted:
                self._end_on(noted[0])
            if self.predictions:
                self.report()
            advance(self.raw_words - shown, self._note())
        self._call("on_train_end")

    def examples(self):
        """Yield batches (inputs, targets), from where the run is; epoch and position say how far that is."""
        config = self.config
        if config.num_skips:
            yield from self._stream()
            return
        while self.epoch < config.epochs and not self._has_made_all_steps():
            if not self.position:
                self._call("on_epoch_begin")
            seed = (*config.seed_of("examples"), self.epoch)
            batches = window_batches(
                self.text, config.batch_size, config.window, seed, self.keep, config.dynamic_window, self.position
            )
            for inputs, targets, self.position in batches:
                yield inputs, targets
                if self._has_made_all_steps():
                    return
            self.epoch, self.position = self.epoch + 1, 0
            self._call("on_epoch_end")

    def _stream(self):
        """Pairs of one stream of words, as in word2vec_basic."""
        config = self.config
        batches = NumSkipsBatches(self.text.ids, config.batch_size, config.num_skips, config.window, self.example_rng)
        batches.position = self.step * batches.centers % batches.windows
        last = config.max_steps or math.ceil(config.epochs * batches.windows / batches.centers)
        while self.step < last:
            inputs, targets = next(batches)
            self.epoch, self.position = divmod((self.step + 1) * batches.centers, batches.windows)
            yield inputs[:, None], targets

    def _has_made_all_steps(self):
        return bool(self.config.max_steps) and self.step >= self.config.max_steps

    def learn(self, inputs, targets):
        """One step: the loss of a batch, its gradients, and what the optimizer makes of them."""
        self.optimizer.learning_rate = self.learning_rate
        if self.config.update == "pair":
            loss, predictions = self._learn_pair_by_pair(inputs, targets)
        else:
            samples = self.network.samples(self.noise_rng, targets)
            loss, predictions = self.network.loss(inputs, samples)
            self.optimizer.step(self.network.parameters, self.network.gradients())
        self.loss_sum, self.predictions = self.loss_sum + loss, self.predictions + predictions
        self.step += 1

    def _learn_pair_by_pair(self, inputs, targets):
        V, U = (parameter.value for parameter in self.network.parameters)
        centers, targets = pairs(inputs, targets)
        _, negatives = self.network.samples(self.noise_rng, targets)
        rate = V.dtype.type(self.learning_rate)
        losses = [negative_sampling_step(V, U, *pair, rate) for pair in zip(centers, targets, negatives, strict=True)]
        return math.fsum(losses), len(losses)

    @property
    def learning_rate(self):
        """It falls in a straight line from the first word to the last."""
        config = self.config
        return max(config.learning_rate * (1 - self.share), config.min_learning_rate)

    @property
    def share(self):
        """How much of the run is behind, from 0 to 1."""
        config = self.config
        if config.max_steps:
            return min(self.step / config.max_steps, 1.0)
        return min((self.epoch + self.position / len(self.text)) / config.epochs, 1.0)

    @property
    def raw_words(self):
        """Words of the text read so far, those without a vector included."""
        return round((self.epoch + self.position / len(self.text)) * self.vocabulary.raw_words)

    @property
    def total_words(self):
        return self.config.epochs * self.vocabulary.raw_words

    @property
    def words_per_second(self):
        return self.raw_words / self.seconds if self.seconds else 0.0

    def stop(self, reason):
        """End the training after this step, for callbacks; the run is then finished."""
        self.stop_reason = reason

    # what is measured

    def _note(self):
        return f"loss {self.losses[-1].loss:.3f}" if self.losses else ""

    def _report_is_due(self):
        every = self.config.report_every
        return self.step % every == 0 if every else self.share * REPORTS >= len(self.losses) + 1

    def _checkpoint_is_due(self):
        every = self.config.checkpoint_every
        return bool(self.folder and every) and self.step % every == 0

    def report(self):
        """A new entry of the loss: the exact mean over all predictions since the last one."""
        loss = self.loss_sum / max(self.predictions, 1)
        if not math.isfinite(loss):
            raise InputError(
                f"The loss is {loss} after {self.step:,} steps, since the vectors have become too large: choose a "
                f"learning_rate below {self.config.learning_rate}, or a smaller batch_size."
            )
        entry = LossEntry(self.raw_words, loss, self.held_out_loss(), self.learning_rate, self.step)
        self.losses.append(entry)
        self.loss_sum, self.predictions = 0.0, 0
        if self.folder:
            self.folder.report(self)
        self._call("on_report")

    def held_out_loss(self):
        """The mean loss of a prediction on the held-out text: always the same windows and the same noise."""
        if not self.held_out_text:
            return math.nan
        config, total, predictions = self.config, 0.0, 0
        rng = np.random.default_rng(config.seed_of("noise"))
        batches = window_batches(self.held_out_text, config.batch_size, config.window, seed=0, dynamic=False)
        for inputs, targets, _ in batches:
            loss, n = self.network.loss(inputs, self.network.samples(rng, targets))
            total, predictions = total + loss, predictions + n
        return total / max(predictions, 1)

    def _call(self, moment, *arguments):
        for callback in self.callbacks:
            getattr(callback, moment)(self, *arguments)

    # what is kept

    def state(self):
        """All that the run has become: arrays by name, and what JSON can hold."""
        arrays = {parameter.name: parameter.value for parameter in self.network.parameters}
        for name, memory in self.optimizer.memory.items():
            arrays |= {f"optimizer/{name}/{key}": np.asarray(value) for key, value in memory.items()}
        numbers = {key: getattr(self, key) for key in NUMBERS}
        return arrays, numbers | {
            "losses": [[None if value != value else value for value in entry] for entry in self.losses],
            "noise_rng": self.noise_rng.bit_generator.state,
            "example_rng": self.example_rng.bit_generator.state,
            "callbacks": [callback.state() for callback in self.callbacks],
        }

    def restore(self, arrays, state):
        """Become what ``state`` returned."""
        for parameter in self.network.parameters:
            parameter.value[...] = arrays[parameter.name]
        for name, array in arrays.items():
            if name.startswith("optimizer/"):
                of, key = name.removeprefix("optimizer/").rsplit("/", 1)
                self.optimizer.memory.setdefault(of, {})[key] = array if array.ndim else array.item()
        for key in NUMBERS:
            setattr(self, key, state[key])
        self.losses = [LossEntry(*(math.nan if value is None else value for value in e)) for e in state["losses"]]
        self.noise_rng.bit_generator.state = state["noise_rng"]
        self.example_rng.bit_generator.state = state["example_rng"]
        for callback, remembered in zip(self.callbacks, state["callbacks"], strict=True):
            if remembered is not None:
                callback.restore(remembered)

    def describe(self):
        """What was run and what was measured, for run.json."""
        text, vocabulary = self.text, self.vocabulary
        return {
            "corpus": self.corpus_name,
            "config": self.config.to_dict(),
            "text": {"words": vocabulary.raw_words, "vocabulary": len(vocabulary), "digest": text.digest},
            "steps": self.step,
            "raw_words": self.raw_words,
            "raw_words_per_second": round(self.words_per_second),
            "seconds": round(self.seconds, 3),
            "final_loss_per_pair": self.losses[-1].loss if self.losses else None,
            "stopped_early": self.stop_reason,
        }

    def _end_on(self, number):
        """Somebody pressed Ctrl-C or wants the process to end: keep what there is, then end as they expect."""
        if self.folder:
            self.folder.checkpoint(self, status="stopped")
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        raise SystemExit(128 + number)


def _run_folder(path, resume):
    """The folder, if one is wanted. Only it needs the packages of the extra."""
    if path is None:
        return None
    from handgrad.word2vec.run_folder import RunFolder

    return RunFolder(path, resume)


def _split(text, held_out):
    """The text to learn from, and the last sentences of it, of at least ``held_out`` words together, or None."""
    if not held_out:
        return text, None
    sentence = np.searchsorted(text.starts, len(text) - held_out, side="right") - 1
    if sentence < 1:
        raise InputError(
            f"held_out is {held_out:,} words, and nothing is left to learn from: the text has {len(text):,} words with "
            f"a vector, in {len(text.starts) - 1:,} sentences."
        )
    first = text.starts[sentence]
    held = EncodedText(text.vocabulary, text.ids[first:], text.starts[sentence:] - first)
    return EncodedText(text.vocabulary, text.ids[:first], text.starts[: sentence + 1]), held
