"""The trainer: text in, word vectors out. Skip-gram with negative sampling, in NumPy."""

import math
import time
from dataclasses import asdict, dataclass, fields
from numbers import Integral, Real

import numpy as np

from handgrad.errors import InputError
from handgrad.optimizers import SGD
from handgrad.word2vec.keyed_vectors import KeyedVectors
from handgrad.word2vec.objectives import NegativeSampling
from handgrad.word2vec.sampling import NoiseDistribution, keep_probabilities
from handgrad.word2vec.vocabulary import Vocabulary
from handgrad.word2vec.windows import window_centers


@dataclass(frozen=True)
class TrainingConfig:
    """What a run depends on. The defaults are word2vec.c's for skip-gram, but for min_learning_rate (gensim's)."""

    dimension: int = 100  # D, numbers in a vector
    window: int = 5  # words to each side at most; each window draws its reach from 1 to this
    negatives: int = 5  # K, noise words for each outside word
    epochs: int = 5  # passes over the text
    min_count: int = 5  # rarer words get no vector
    subsample: float = 1e-3  # t, above which share of the text a word is thinned out; 0 keeps all
    noise_power: float = 0.75  # P(w) ∝ count(w)^this
    learning_rate: float = 0.025  # η at the start, for a sum over pairs, not a mean
    min_learning_rate: float = 1e-4  # η at the end; it falls linearly with the words read
    batch_positions: int = 256  # outside words that are worked on at once, all with the same old vectors
    seed: int = 1

    def __post_init__(self):
        at_least_one = ("dimension", "window", "epochs", "min_count", "batch_positions")
        for field in fields(self):
            name, value, least = field.name, getattr(self, field.name), int(field.name in at_least_one)
            if not isinstance(value, Integral if field.type is int else Real) or isinstance(value, bool):
                kind = "a whole number" if field.type is int else "a number"
                raise InputError(f"TrainingConfig expects {name} to be {kind}, but got {value!r}.")
            if not least <= value < math.inf:
                raise InputError(f"TrainingConfig expects {name} of at least {least}, but got {value}.")
        if self.min_learning_rate > self.learning_rate:
            raise InputError(
                f"TrainingConfig expects min_learning_rate to be at most learning_rate, {self.learning_rate}, but got "
                f"{self.min_learning_rate}."
            )


class Trainer:
    """Trains word vectors; one seed gives the same vectors, bit for bit, on one machine.

    Parameters
    ----------
    config : TrainingConfig

    Attributes
    ----------
    vocabulary : Vocabulary
    V, U : float32 arrays (vocabulary, D), center and outside vectors
    losses : list of (raw words read, mean loss of a pair since the last entry, in nats)
    words_per_second : float, raw words, of the training loop alone
    """

    def __init__(self, config=None):
        self.config = config or TrainingConfig()

    def fit(self, sentences, report=None):
        """Train on ``sentences``, an iterable of lists of words that can be read twice.

        Parameters
        ----------
        sentences : re-iterable of lists of str
        report : callable, optional, called with (raw words read since the last call, mean loss) about 100 times

        Returns
        -------
        KeyedVectors : the center vectors
        """
        config = self.config
        self.vocabulary = Vocabulary.from_sentences(sentences, config.min_count)
        ids, sentence_of = self.vocabulary.encode(sentences)
        counts, raw_words = self.vocabulary.counts, self.vocabulary.raw_words
        if len(ids) != counts.sum():
            raise InputError("The sentences can be read only once: give a list or a Corpus, not a generator.")
        keep = keep_probabilities(counts, raw_words, config.subsample).astype(np.float32)
        noise = NoiseDistribution(counts, config.noise_power)
        rng = np.random.default_rng(config.seed)
        self._initialize(rng, len(counts))

        gate, sgd = NegativeSampling(), SGD(config.learning_rate)
        progress = _Progress(raw_words * config.epochs, report)
        started = time.perf_counter()
        for epoch in range(config.epochs):
            kept = np.flatnonzero(rng.random(len(ids), dtype=np.float32) < keep[ids])
            words, sentence = ids[kept], sentence_of[kept]
            reach = rng.integers(1, config.window, size=len(words), endpoint=True)
            for start in range(0, len(words), config.batch_positions):
                stop = min(start + config.batch_positions, len(words))
                share = (epoch + (kept[stop - 1] + 1) / len(ids)) / config.epochs  # of the whole run
                sgd.learning_rate = max(config.learning_rate * (1 - share), config.min_learning_rate)
                centers = window_centers(words, sentence, start, stop, reach, config.window)
                outside = words[start:stop]
                negatives = noise.draw(rng, (stop - start, config.negatives))
                loss = gate.forward(self.V, self.U, centers, outside, negatives)
                dV, dU, *_ = gate.backward(np.float32(1))
                sgd.update(self.V, dV)
                sgd.update(self.U, dU)
                progress.add(share, loss, np.count_nonzero(centers >= 0))
        progress.finish()
        self.losses = progress.losses
        self.words_per_second = raw_words * config.epochs / (time.perf_counter() - started)
        return KeyedVectors(self.vocabulary.index_to_key, self.V)

    def _initialize(self, rng, size):
        """V small and random, U zero: every score starts at 0, every σ at one half."""
        D = self.config.dimension
        self.V = rng.uniform(-0.5 / D, 0.5 / D, (size, D)).astype(np.float32)
        self.U = np.zeros((size, D), np.float32)

    def describe(self):
        """What was run and what was measured, for ``run.json``."""
        return {
            "config": asdict(self.config),
            "vocabulary": len(self.vocabulary),
            "raw_words": self.vocabulary.raw_words,
            "raw_words_per_second": round(self.words_per_second),
            "final_loss_per_pair": self.losses[-1][1],
        }


class _Progress:
    """Counts the loss exactly (float64, a mean for each pair) and reports it a hundred times in a run."""

    def __init__(self, total_words, report, times=100):
        self.total, self.report, self.interval = total_words, report, 1 / times
        self.losses, self.loss, self.pairs, self.reported, self.share = [], 0.0, 0, 0, 0.0

    def add(self, share, loss, pairs):
        self.share, self.loss, self.pairs = share, self.loss + loss, self.pairs + pairs
        if share >= self.interval * (len(self.losses) + 1):
            self._flush()

    def finish(self):
        self.share = 1.0
        if self.reported < self.total:
            self._flush()

    def _flush(self):
        words = round(self.share * self.total)
        mean = float(self.loss / self.pairs) if self.pairs else (self.losses[-1][1] if self.losses else 0.0)
        self.losses.append((words, mean))
        if self.report:
            self.report(words - self.reported, mean)
        self.loss, self.pairs, self.reported = 0.0, 0, words
