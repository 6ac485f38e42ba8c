"""The trainer: text in, word vectors out, step by step.

A run has five parts, as in TensorFlow's tutorials: import the data, make the embedding, make the loss, make the
optimizer, make the summaries. Then it trains: for each batch a loss, its gradients, and one step of the optimizer.

All that chance decides comes from seeds, and all that a run has become is in its parameters, its optimizer's memory
and a few numbers. So a run that was stopped goes on from a checkpoint and ends with the same bits, where its engine
learns in a fixed order.
"""

import math
import os
import signal
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from handgrad.errors import InputError
from handgrad.nodes import Parameter
from handgrad.optimizers import Optimizer
from handgrad.word2vec.config import TrainingConfig
from handgrad.word2vec.engines import engine_for
from handgrad.word2vec.objectives.network import Network
from handgrad.word2vec.runs.beginning import begin_from
from handgrad.word2vec.runs.callbacks import Callback
from handgrad.word2vec.runs.processes import OneProcess, processes_of
from handgrad.word2vec.runs.progress import bar, say, signals_noted, threads_limited
from handgrad.word2vec.runs.recording import folder_for
from handgrad.word2vec.text.encoding import EncodedText, encode_text
from handgrad.word2vec.text.subsampling import keep_probabilities
from handgrad.word2vec.text.windows import NumSkipsBatches, window_batches
from handgrad.word2vec.vectors.keyed_vectors import KeyedVectors

NUMBERS = ("epoch", "position", "step", "loss_sum", "predictions", "seconds", "stop_reason")  # where a run is
REPORTS = 100  # in a run, where report_every does not say otherwise


class LossEntry(NamedTuple):
    """What was measured since the entry before.

    Attributes
    ----------
    raw_words : int
        Words of the text read so far, all epochs together.
    loss : float
        Mean loss of a prediction, in nats.
    held_out : float
        The same on held-out text; nan where there is none.
    learning_rate : float
    step : int
        Batches so far.

    Examples
    --------
    >>> from handgrad.word2vec import Trainer, TrainingConfig
    >>> config = TrainingConfig(engine="numpy", min_count=1, subsample=0, epochs=1)
    >>> trainer = Trainer(config)
    >>> vectors = trainer.fit([["red", "apple"], ["green", "apple"]] * 50)
    >>> trainer.losses[-1].raw_words, trainer.losses[-1].step
    (200, 4)
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
    config : TrainingConfig, optional
    callbacks : list of Callback
    shared : list of Parameter
        Which the network uses instead of new ones of their names.

    Attributes
    ----------
    text : EncodedText
        What is learned from.
    vocabulary : Vocabulary
    engine : Engine
        Who takes the steps (see ``engines``); ``engine.name`` is "numpy", "compiled" or "torch".
    network : Network
        With ``network.parameters``.
    optimizer : Optimizer
    losses : list of LossEntry
    words_per_second : float
        Raw words, of the training loop alone.

    Examples
    --------
    >>> from handgrad.word2vec import Trainer, TrainingConfig
    >>> small = {"dimension": 4, "min_count": 1, "subsample": 0}
    >>> config = TrainingConfig(engine="numpy", **small)
    >>> vectors = Trainer(config).fit([["red", "apple"], ["green", "apple"]] * 50)
    >>> vectors.index_to_key, vectors.vectors.shape
    (['apple', 'red', 'green'], (3, 4))
    """

    def __init__(
        self,
        config: TrainingConfig | None = None,
        callbacks: Iterable[Callback] = (),
        shared: Iterable[Parameter] = (),
    ) -> None:
        self.config, self.callbacks, self.shared = config or TrainingConfig(), list(callbacks), list(shared)
        self.processes, self.says, self.say = OneProcess(), False, partial(say, False)

    def fit(
        self,
        corpus: Iterable[Sequence[str]] | EncodedText,
        output: str | os.PathLike[str] | None = None,
        resume: bool = False,
        progress: bool = False,
    ) -> KeyedVectors:
        """Train on a corpus.

        Parameters
        ----------
        corpus : iterable of lists of str, or EncodedText
        output : path, optional
            A new folder, in which the run is written down (see ``run_folder``).
        resume : bool
            Whether to go on with the run in ``output`` from its newest checkpoint, to the bits with which it would have
            ended; with several threads of the compiled engine only if the run is deterministic, and not on a GPU.
            A run that is finished goes on if the configuration has more epochs, or more steps, than it had.
        progress : bool
            Whether to show progress bars, in a terminal or a notebook, and to say what else there is to know.

        Returns
        -------
        KeyedVectors
            The input vectors, ``embed/V``.

        Raises
        ------
        InputError
            What is wrong with the corpus, the folder or the checkpoint; or the loss is no longer a number.
        KeyboardInterrupt, SystemExit
            After Ctrl-C or SIGTERM, when a checkpoint has been written.
        """
        if resume and output is None:
            raise InputError("A run can be resumed only from its folder: name it as output.")
        with (
            processes_of(self.config) as self.processes,
            folder_for(output if self.processes.rank == 0 else None, resume, self.config) as self.folder,
        ):
            self.says = progress and self.processes.rank == 0
            self.bar, self.say = partial(bar, self.says), partial(say, self.says)
            self.import_data(corpus)
            self.build()
            if resume:
                self.folder.restore(self)
            if self.config.begin_from and not self.step:
                self._begin_from(self.config.begin_from)
            self.processes.begin_alike(self)
            self.folder.begin(self)
            self.train()
            self.folder.finish(self)
        return self.vectors

    @property
    def vectors(self) -> KeyedVectors:
        """The input vectors, as they are now: not a copy, so they go on moving while training does."""
        self.collect()
        return KeyedVectors(self.vocabulary, self.network.parameters[0].value)

    # import data, embedding, loss, optimizer, summaries

    def import_data(self, corpus: Any) -> None:
        """Read the text once and turn it into ids."""
        config = self.config
        self.corpus_name = getattr(corpus, "name", None)
        self.corpus_words = {"lowercase": False, "tokenize": "blanks"}
        self.corpus_words |= {name: getattr(corpus, name) for name in self.corpus_words if hasattr(corpus, name)}
        name = self.corpus_name if getattr(corpus, "pinned", None) is None else None
        self.corpus_path = os.path.abspath(name) if isinstance(name, str) and os.path.lexists(name) else None
        if not isinstance(corpus, EncodedText):
            with self.bar("reading") as advance:
                corpus = encode_text(
                    corpus, config.min_count, config.max_vocabulary or None, config.unk, progress=advance
                )
        else:
            corpus.require_whole()  # the kernels check no id
        self.vocabulary, self.corpus = corpus.vocabulary, corpus
        self.text, self.held_out_text = corpus.split(config.held_out)
        self.epoch_words = round(self.vocabulary.raw_words * len(self.text) / len(corpus))

    def build(self) -> None:
        """The embedding, the loss and the optimizer."""
        config = self.config
        self.keep = keep_probabilities(self.vocabulary.counts, self.vocabulary.raw_words, config.subsample)
        self.noise_rng = np.random.default_rng(config.seed_of("noise"))
        self.example_rng = np.random.default_rng(config.seed_of("examples"))
        self.epoch = self.position = self.step = self.last_checkpoint = 0
        self.stream: Any = self._stream() if config.num_skips else None
        self.losses: list[LossEntry] = []
        self.seconds = 0.0
        self.stop_reason: str | None = None
        self.loss_sum, self.predictions = 0.0, 0  # since the last entry
        self.entries_before = 0  # that do not count among the REPORTS: of a run that was shorter
        self.engine = engine_for(self)

    def _begin_from(self, path):
        known = begin_from(path, self.vocabulary, self.network.parameters)
        self.engine.restore(self.engine.state())  # what is on a device is brought up to date
        self.say(f"{known:,} of {len(self.vocabulary):,} words begin with their vectors in {path}.")

    @property
    def network(self) -> Network:
        return self.engine.network

    @property
    def optimizer(self) -> Optimizer:
        return self.engine.optimizer

    # train

    def train(self) -> None:
        """Step through the text until its epochs are over, or a callback stops the run."""
        self.call("on_train_begin")
        self.shown = self.raw_words
        progress = self.bar("training", self.total_words, self.shown)
        with signals_noted() as noted, threads_limited(self.engine.threads_of_products), progress as self.advance:
            ended_by = self._take_steps(noted)
            if not (self.predictions or self.losses or ended_by or self.stop_reason):
                raise InputError(
                    f"There is nothing to learn from: of {self.vocabulary.raw_words:,} words no two that have a vector "
                    "are left together in a sentence. Give more text, a smaller min_count, or subsample 0."
                )
            if self.predictions and not ended_by:
                self._require_finite()
                self.report()
            self._show_progress()
            self._require_finite(*self._parameter_values())
            if ended_by:
                self._end_on(ended_by[0])
        self.call("on_train_end")

    def _take_steps(self, noted):
        """Step after step, until there is none left or a signal is noted: the signals that ended it."""
        self._start_clock()
        ended_by = self.processes.agree(self, noted)
        with closing(self.engine.steps(self)) as steps:  # what fails where it ends is raised here
            for _ in steps:
                self._after_step()
                if ended_by := self.processes.agree(self, noted):
                    break
        self._stop_clock()  # what was at work has ended
        return ended_by

    def _after_step(self):
        """Report and write down what is due. What may take long waits until nobody learns, and is not timed.

        (The deterministic mode goes on drawing, for two steps. Hogwild's threads all begin anew afterwards, so a short
        run has fewer reports than were asked for.)
        """
        report_is_due, checkpoint_is_due = self._report_is_due(), self._checkpoint_is_due()
        nobody_learns = checkpoint_is_due or (report_is_due and bool(self.callbacks or self.held_out_text))
        if nobody_learns:
            self.collect()
            report_is_due, checkpoint_is_due = self._report_is_due(), self._checkpoint_is_due()  # some steps later
        elif report_is_due:
            self.engine.collect_loss(self)
        self._stop_clock()
        self._require_finite()
        if report_is_due and self.predictions:
            self.report()
            self._show_progress()
        if checkpoint_is_due:
            self._require_finite(*self._parameter_values())
            self.last_checkpoint = self.step
            if path := self.folder.checkpoint(self):
                self.call("on_checkpoint", path)
        if nobody_learns:
            self._start_clock()

    def _start_clock(self):
        self.started = time.perf_counter() - self.seconds

    def _stop_clock(self):
        self.seconds = time.perf_counter() - self.started

    def examples(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield batches (inputs, targets), from where the run is; epoch and position say how far that is."""
        config = self.config
        if config.num_skips:
            yield from self._stream_examples()
            return
        for _ in self.epochs_left():
            seed = (*config.seed_of("examples"), self.epoch)
            batches = window_batches(
                self.text, config.batch_size, config.window, seed, self.keep, config.dynamic_window, self.position
            )
            for inputs, targets, behind in batches:
                self.optimizer.learning_rate = self.learning_rate  # by the words before this batch
                self.position = behind
                yield inputs, targets
                if self.is_over():
                    return

    def epochs_left(self) -> Iterator[None]:
        """Yield once for each remaining epoch. Going on to the next says that the text's end was reached."""
        while self.epoch < self.config.epochs and not self.is_over():
            if not self.position:
                self.call("on_epoch_begin")
            yield
            self.epoch, self.position = self.epoch + 1, 0
            if self.callbacks:
                self.collect()
            self.call("on_epoch_end")

    def _stream(self):
        """Pairs of one stream of words, as in word2vec_basic."""
        config = self.config
        return NumSkipsBatches(self.text.ids, config.batch_size, config.num_skips, config.window, self.example_rng)

    def _stream_examples(self):
        stream = self.stream
        stream.position = self.step * stream.centers % stream.windows
        while self.step < self._stream_steps() and not self.stop_reason:
            self.optimizer.learning_rate = self.learning_rate
            inputs, targets = next(stream)
            self.epoch, self.position = divmod((self.step + 1) * stream.centers, stream.windows)
            yield inputs[:, None], targets

    def _stream_steps(self):
        """How many batches there will be: as many as were asked for, or those of the epochs."""
        return self.config.max_steps or math.ceil(self.config.epochs * self.stream.windows / self.stream.centers)

    def is_over(self) -> bool:
        """Whether a callback stopped the run, or all steps that were asked for are made."""
        return self.stop_reason is not None or 0 < self.config.max_steps <= self.step

    def count(self, loss: float, predictions: int) -> None:
        """Add up what the steps since the last entry have cost."""
        self.loss_sum, self.predictions = self.loss_sum + loss, self.predictions + predictions

    @property
    def learning_rate(self) -> float:
        """η now: it falls in a straight line from the first word to the last."""
        return self._learning_rate(self.share)

    def learning_rate_at(self, position: int) -> float:
        """The same for another place in this epoch."""
        return self._learning_rate(self._epochs_behind(position) / self.config.epochs)

    def _learning_rate(self, share):
        return max(self.config.learning_rate * (1 - share), self.config.min_learning_rate)

    @property
    def share(self) -> float:
        """How much of the run is behind, from 0 to 1."""
        config = self.config
        if config.num_skips:
            return min(self.step / self._stream_steps(), 1.0)
        words = self.epochs_behind / config.epochs
        return min(max(words, self.step / config.max_steps if config.max_steps else 0.0), 1.0)

    @property
    def raw_words(self) -> int:
        """Words of the text that are behind, those without a vector included: in proportion to those with one."""
        return round(self.epochs_behind * self.epoch_words)

    @property
    def epochs_behind(self) -> float:
        """Passes over the text that are behind, the one that is not whole in its share."""
        return self._epochs_behind(self.position)

    def _epochs_behind(self, position):
        return self.epoch + position / len(self.text)

    @property
    def total_words(self) -> int | None:
        """As ``raw_words`` at the end, if that is known beforehand."""
        if self.config.num_skips:
            return round(self._stream_steps() * self.stream.centers / self.stream.windows * self.epoch_words)
        return None if self.config.max_steps else self.config.epochs * self.epoch_words

    @property
    def words_per_second(self) -> float:
        return self.raw_words / self.seconds if self.seconds else 0.0

    def stop(self, reason: str) -> None:
        """End the training after this step, for callbacks; the run is then finished.

        Parameters
        ----------
        reason : str
            The rest of a sentence, for the report: "the loss has not fallen".
        """
        self.stop_reason = reason

    # what is measured

    def _show_progress(self):
        self.advance(self.raw_words - self.shown, f"loss {self.losses[-1].loss:.3f}" if self.losses else "")
        self.shown = self.raw_words

    def _report_is_due(self):
        if self.config.report_every:
            return self._passed_a_multiple(self.config.report_every, self.losses[-1].step if self.losses else 0)
        return self.share * REPORTS >= len(self.losses) - self.entries_before + 1

    def _checkpoint_is_due(self):
        every = self.config.checkpoint_every
        by_steps = bool(every) and self._passed_a_multiple(every, self.last_checkpoint)
        return by_steps or self.folder.checkpoint_is_due(self)

    def _passed_a_multiple(self, every, since):
        """Where threads are waited for, several steps are made at once, and a multiple may lie between them."""
        return self.step // every > since // every

    def report(self) -> None:
        """A new entry of the loss: the exact mean over all predictions since the last one."""
        loss = self.loss_sum / self.predictions
        entry = LossEntry(self.raw_words, loss, self.held_out_loss(), self.optimizer.learning_rate, self.step)
        self.losses.append(entry)
        self.loss_sum, self.predictions = 0.0, 0
        self.folder.report(self)
        self.call("on_report")

    def _require_finite(self, *arrays):
        if not (math.isfinite(self.loss_sum) and all(map(_is_finite, arrays))):
            observed = "vectors are infinite" if math.isfinite(self.loss_sum) else f"loss is {self.loss_sum}"
            raise InputError(
                f"The {observed} after {self.step:,} steps: choose a learning_rate below {self.config.learning_rate}, "
                "or a smaller batch_size."
            )

    def collect(self) -> None:
        """Bring here what was learned elsewhere, on a GPU; learn what was only drawn; wait for threads at work."""
        self.engine.collect(self)

    def _parameter_values(self):
        return [parameter.value for parameter in self.network.parameters]

    def held_out_loss(self) -> float:
        """The mean loss of a prediction on the held-out text: always the same windows and the same noise."""
        if not self.held_out_text:
            return math.nan
        config, rng = self.config, np.random.default_rng(self.config.seed_of("noise"))
        batches = window_batches(self.held_out_text, config.batch_size, config.window, seed=0, dynamic=False)
        return self.network.mean_loss(((inputs, targets) for inputs, targets, _ in batches), rng)

    def call(self, moment: str, *arguments: Any) -> None:
        for callback in self.callbacks:
            getattr(callback, moment)(self, *arguments)

    # what is kept

    def state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """All that the run has become: arrays by name, and what JSON can hold."""
        self.collect()
        arrays = {parameter.name: parameter.value for parameter in self.network.parameters}
        for name, memory in self.optimizer.memory.items():
            arrays |= {f"optimizer/{name}/{key}": np.asarray(value) for key, value in memory.items()}
        numbers = {key: getattr(self, key) for key in NUMBERS}
        return arrays, numbers | {
            "losses": [[None if value != value else value for value in entry] for entry in self.losses],
            "noise_rng": self.noise_rng.bit_generator.state,
            "example_rng": self.example_rng.bit_generator.state,
            "callbacks": [[type(callback).__name__, callback.state()] for callback in self._remembering()],
            **self.engine.state(),
        }

    def restore(self, arrays: Mapping[str, np.ndarray], state: Mapping[str, Any]) -> None:
        """Become what ``state`` returned."""
        before, now = [name for name, _ in state["callbacks"]], [type(c).__name__ for c in self._remembering()]
        if before != now:
            raise InputError(
                f"The run was begun with {', '.join(before) or 'no callback'} that remembers something, and should go "
                f"on with {', '.join(now) or 'none'}: give the same ones."
            )
        for parameter in self.network.parameters:
            parameter.value[...] = arrays[parameter.name]
        for name, array in arrays.items():
            if name.startswith("optimizer/"):
                of, key = name.removeprefix("optimizer/").rsplit("/", 1)
                self.optimizer.memory.setdefault(of, {})[key] = array if array.ndim else array.item()
        for key in NUMBERS:
            setattr(self, key, state[key])
        self.last_checkpoint = self.step
        self.losses = [LossEntry._make(math.nan if value is None else value for value in e) for e in state["losses"]]
        self.entries_before = max(0, len(self.losses) - int(self.share * REPORTS))
        self.noise_rng.bit_generator.state = state["noise_rng"]
        self.example_rng.bit_generator.state = state["example_rng"]
        for callback, (_, remembered) in zip(self._remembering(), state["callbacks"], strict=True):
            callback.restore(remembered)
        self.engine.restore(state)

    def _remembering(self):
        """The callbacks with a state of their own: a resumed run needs the same ones."""
        return [callback for callback in self.callbacks if callback.state() is not None]

    def describe(self) -> dict[str, Any]:
        """What was run and what was measured, for run.json."""
        vocabulary = self.vocabulary
        return {
            "corpus": self.corpus_name,
            "corpus_path": self.corpus_path,
            **self.corpus_words,
            "config": self.config.to_dict(),
            "engine": self.engine.name,
            **self.engine.describe(),
            "shared": [parameter.name for parameter in self.shared],
            "text": {"words": vocabulary.raw_words, "vocabulary": len(vocabulary), "digest": self.corpus.digest},
            "steps": self.step,
            "raw_words": self.raw_words,
            "raw_words_per_second": round(self.words_per_second),
            "seconds": round(self.seconds, 3),
            "final_loss_per_pair": self.losses[-1].loss if self.losses else None,
            "stopped_early": self.stop_reason,
        }

    def _end_on(self, number):
        """Somebody pressed Ctrl-C or wants the process to end: keep what there is, then end as they expect."""
        self.folder.checkpoint(self, status="stopped")
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        raise SystemExit(128 + number)


def _is_finite(array):
    """Whether all of its numbers are: NaN is both the least and the most. A flag for each would need a lot of room."""
    return bool(np.isfinite([array.min(), array.max()]).all())
