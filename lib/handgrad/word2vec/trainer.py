"""The trainer: text in, word vectors out, step by step.

A run has five parts, as in TensorFlow's tutorials: import the data, make the embedding, make the loss, make the
optimizer, make the summaries. Then it trains: an engine takes one step after another and says what it has done, and the
trainer alone writes down where the run is and what it has cost. What a step does is in ``engines/numpy_engine.py``, in
``learn``: a loss, its gradients, and an update by the optimizer.

All that chance decides comes from seeds, and all that a run has become is in its parameters, its optimizer's memory
and a few numbers (``runs/state.py``). So a run that was stopped goes on from a checkpoint and ends with the same bits,
where its engine learns in a fixed order.
"""

import math
import os
import signal
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from functools import partial
from typing import Any, TypeVar

import numpy as np

from handgrad.errors import InputError
from handgrad.nodes import Parameter
from handgrad.optimizers import Optimizer
from handgrad.word2vec.config import TrainingConfig
from handgrad.word2vec.engines import engine_for
from handgrad.word2vec.engines.engine import Engine, Step, Task
from handgrad.word2vec.objectives.network import Network
from handgrad.word2vec.runs.beginning import begin_from
from handgrad.word2vec.runs.callbacks import Callback
from handgrad.word2vec.runs.meter import LossEntry, Meter, passed_a_multiple
from handgrad.word2vec.runs.processes import OneProcess, processes_of
from handgrad.word2vec.runs.progress import Stopwatch, bar, no_bar, say, signals_noted, threads_limited
from handgrad.word2vec.runs.recording import NoFolder, folder_for
from handgrad.word2vec.runs.state import restore, state_of
from handgrad.word2vec.schedule import Place, Schedule
from handgrad.word2vec.text.data import Data, import_data
from handgrad.word2vec.text.encoding import EncodedText
from handgrad.word2vec.text.subsampling import keep_probabilities
from handgrad.word2vec.text.vocabulary import Vocabulary
from handgrad.word2vec.text.windows import window_batches
from handgrad.word2vec.vectors.keyed_vectors import KeyedVectors

Part = TypeVar("Part")


class Trainer:
    """Trains word vectors.

    Parameters
    ----------
    config : TrainingConfig, optional
    callbacks : list of Callback
    shared : list of Parameter
        Which the network uses instead of new ones of their names.
    engine_class : type of Engine, optional
        A subclass of the engine that the configuration asks for, to take the steps in its place: with other constants.

    Attributes
    ----------
    text : EncodedText
        What is learned from. This one and the next four are there when ``fit`` has read it.
    vocabulary : Vocabulary
    network : Network
        With ``network.parameters``.
    optimizer : Optimizer
    engine : Engine
        Who takes the steps (see ``engines``); ``engine.name`` is "numpy", "compiled" or "torch".
    place : Place
        Where the run is; also one by one, as ``epoch``, ``position`` and ``step``.
    losses : list of LossEntry
    stop_reason : str, optional
        Why the run ended before its time.
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

    stop_reason: str | None
    _data: Data | None
    _schedule: Schedule | None
    _engine: Engine | None

    def __init__(
        self,
        config: TrainingConfig | None = None,
        callbacks: Iterable[Callback] = (),
        shared: Iterable[Parameter] = (),
        *,
        engine_class: type[Engine] | None = None,
    ) -> None:
        self.config, self.callbacks, self.shared = config or TrainingConfig(), list(callbacks), list(shared)
        self.engine_class = engine_class
        self.processes: Any = OneProcess()
        self.folder: Any = NoFolder()
        self.worded: Callable[[str], str] = str  # of what is said: the command line names settings by its options
        self.says, self.bar, self.say = False, partial(bar, False), partial(say, False, self.worded)
        self.advance, self.shown = no_bar, 0
        self._begin_anew()

    def _begin_anew(self):
        self.place, self.words_at_checkpoint = Place(), 0
        self.meter, self.stopwatch = Meter(self.config.learning_rate), Stopwatch()
        self.stop_reason = self._data = self._schedule = self._engine = None

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
            self.bar, self.say = partial(bar, self.says), partial(say, self.says, self.worded)
            self.prepare(corpus)  # data, embedding, loss and optimizer
            self.begin(resume)  # summaries, and where the run begins
            self.train()
            self.folder.finish(self)
        return self.vectors

    def prepare(self, corpus: Iterable[Sequence[str]] | EncodedText) -> None:
        """Make all that a run is made of. What it was, if there was one, is forgotten."""
        config = self.config
        self._begin_anew()
        # What an engine does not do is refused here, before a text is read.
        engine_class = engine_for(config, self.processes, self.say, self.engine_class)

        # Import data: words become ids, and frequent ones will be thinned out.
        self._data = data = import_data(corpus, config, self.bar)
        self._schedule = schedule = Schedule(config, len(data.text), data.raw_words)
        vocabulary = data.text.vocabulary
        keep = keep_probabilities(vocabulary.counts, vocabulary.raw_words, config.subsample)

        # Make the embedding, a row for each word, and the loss, with parameters of its own.
        network = engine_class.make_network(config, vocabulary.counts, keep, self.shared)

        # Make the optimizer, and hand all of it to an engine.
        optimizer = engine_class.make_optimizer(network)
        self._engine = engine_class(Task(config, data.text, keep, network, optimizer, self.processes), schedule)

    def begin(self, resume: bool) -> None:
        """Make the summaries, and begin: anew, with vectors that are known, or where a checkpoint was."""
        if resume:
            self.folder.resume_run(self)
        if (path := self.config.begin_from) and not self.step:
            known = begin_from(path, self.vocabulary, self.network.parameters)
            self.engine.restore(self.engine.state())  # an engine that keeps parameters on a device copies them there
            self.say(f"{known:,} of {len(self.vocabulary):,} words begin with their vectors in {path}.")
        self.processes.begin_alike(self)
        self.folder.begin(self)  # summaries: of the loss, for TensorBoard too; nothing, where there is no folder

    # train

    def train(self) -> None:
        """Step through the text until its epochs are over, a callback stops the run, or a signal does."""
        self.call("on_train_begin")
        progress = self.bar("training", self.schedule.total_raw_words, self.raw_words)
        with signals_noted() as noted, threads_limited(self.engine.threads_of_products), progress as self.advance:
            self.shown = self.raw_words
            self.stopwatch.start()
            ended_by = self.processes.agree(self, noted)  # a run that is resumed may be over already
            while not self.is_over():
                if ended_by := self._learn_epoch(noted):
                    break
            self.collect()
            self.stopwatch.read()  # what was at work has ended
            self._end(ended_by)
        self.call("on_train_end")

    def _learn_epoch(self, noted):
        """Step after step to the end of this epoch, or of the run: the signals that ended it."""
        if not self.position and self.schedule.has_epochs:
            self.call("on_epoch_begin")
        with closing(self.engine.steps(self.place)) as steps:
            for step in steps:
                self.add(step)
                self._write_what_is_due()
                if ended_by := self.processes.agree(self, noted):
                    return ended_by
                if self.is_over():
                    return []
        self.place = Place(self.epoch + 1, 0, self.step)
        if self.callbacks:
            self.collect()
        self.call("on_epoch_end")
        return []

    def add(self, step: Step) -> None:
        """Write down what an engine has done: where the run is, and what it has cost."""
        self.place = step.place or self.place
        self.meter.add(step)

    def collect(self) -> None:
        """Bring here what was learned elsewhere, on a GPU; learn what was only drawn; wait for threads at work."""
        for step in self.engine.collect():
            self.add(step)

    def _write_what_is_due(self):
        """Report and write down what is due. What may take long waits until the workers are idle, and is not timed.

        (The deterministic mode goes on drawing, for two steps. Hogwild's threads all begin anew afterwards, so a short
        run has fewer reports than were asked for.)
        """
        report_is_due, checkpoint_is_due = self._report_is_due(), self._checkpoint_is_due()
        workers_idle = checkpoint_is_due or (report_is_due and bool(self.callbacks or self.data.held_out))
        if workers_idle:
            self.collect()
            report_is_due, checkpoint_is_due = self._report_is_due(), self._checkpoint_is_due()  # some steps later
        elif report_is_due:
            for step in self.engine.collect_losses():
                self.add(step)
        self.stopwatch.read()
        self._require_finite()
        if report_is_due and self.meter.predictions:
            self._report()
        if checkpoint_is_due:
            self._require_finite(*self._parameter_values())
            self.words_at_checkpoint = self.raw_words
            if path := self.folder.checkpoint(self):
                self.call("on_checkpoint", path)
        if workers_idle:
            self.stopwatch.start()

    def _end(self, ended_by):
        """The last report; and if a signal ended the run, keep what there is, then end as its sender expects."""
        if not (self.meter.predictions or self.losses or ended_by or self.stop_reason):
            raise InputError(
                f"There is nothing to learn from: of {self.vocabulary.raw_words:,} words no two that have a vector "
                "are left together in a sentence. Give more text, a smaller min_count, or subsample 0."
            )
        if self.meter.predictions and not ended_by:
            self._require_finite()
            self._report()
        self._show_progress()
        self._require_finite(*self._parameter_values())
        if ended_by:
            self.folder.checkpoint(self, status="stopped")
            raise KeyboardInterrupt if ended_by[0] == signal.SIGINT else SystemExit(128 + ended_by[0])

    def is_over(self) -> bool:
        """Whether a callback stopped the run, or all that was asked for is learned."""
        return self.stop_reason is not None or self.schedule.is_over(self.place)

    def stop(self, reason: str) -> None:
        """End the training after this step, for callbacks; the run is then finished.

        Parameters
        ----------
        reason : str
            The rest of a sentence, for the report: "the loss has not fallen".
        """
        self.stop_reason = reason

    def call(self, moment: str, *arguments: Any) -> None:
        for callback in self.callbacks:
            getattr(callback, moment)(self, *arguments)

    # what is measured

    def _report_is_due(self):
        return self.meter.entry_is_due(self.place, self.schedule)

    def _checkpoint_is_due(self):
        every = self.config.checkpoint_every_words
        by_words = bool(every) and passed_a_multiple(every, self.words_at_checkpoint, self.raw_words)
        return by_words or self.folder.checkpoint_is_due(self)

    def _report(self):
        """A new entry of the loss: the exact mean over all predictions since the last one."""
        self.meter.enter(self.raw_words, self.held_out_loss(), self.step)
        self.folder.report(self)
        self.call("on_report")
        self._show_progress()

    def _show_progress(self):
        self.advance(self.raw_words - self.shown, f"loss {self.losses[-1].loss:.3f}" if self.losses else "")
        self.shown = self.raw_words

    def held_out_loss(self) -> float:
        """The mean loss of a prediction on the held-out text: always the same windows and the same noise."""
        if not self.data.held_out:
            return math.nan
        config, rng = self.config, np.random.default_rng(self.config.seed_of("noise"))
        batches = window_batches(self.data.held_out, config.batch_size, config.window, seed=0, dynamic=False)
        return self.network.mean_loss(((inputs, targets) for inputs, targets, _ in batches), rng)

    def _require_finite(self, *arrays):
        loss = self.meter.loss_sum
        if not (math.isfinite(loss) and all(map(_is_finite, arrays))):
            observed = "vectors are infinite" if math.isfinite(loss) else f"loss is {loss}"
            raise InputError(
                f"The {observed} after {self.step:,} steps: choose a learning_rate below {self.config.learning_rate}, "
                "or a smaller batch_size."
            )

    def _parameter_values(self):
        return [parameter.value for parameter in self.network.parameters]

    # where the run is

    @property
    def epoch(self) -> int:
        return self.place.epoch

    @property
    def position(self) -> int:
        return self.place.position

    @property
    def step(self) -> int:
        return self.place.step

    @property
    def losses(self) -> list[LossEntry]:
        return self.meter.entries

    @property
    def learning_rate(self) -> float:
        """η now: it falls in a straight line from the first word to the last."""
        return self.schedule.learning_rate(self.place)

    @property
    def share(self) -> float:
        """How much of the run is behind, from 0 to 1."""
        return self.schedule.share(self.place)

    @property
    def raw_words(self) -> int:
        """Words of the text that are behind, those without a vector included: in proportion to those with one."""
        return self.schedule.raw_words_behind(self.place)

    @property
    def seconds(self) -> float:
        """What the steps have taken, without what was written down between them."""
        return self.stopwatch.seconds

    @property
    def words_per_second(self) -> float:
        return self.raw_words / self.seconds if self.seconds else 0.0

    def state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """All that the run has become: arrays by name, and what JSON can hold."""
        self.collect()
        return state_of(self)

    def restore(self, arrays: Mapping[str, np.ndarray], state: Mapping[str, Any]) -> None:
        """Become what ``state`` returned."""
        restore(self, arrays, state)

    # what it is made of

    @property
    def has_text(self) -> bool:
        """Whether ``fit`` has read a text; before that, what is below cannot be asked for."""
        return self._schedule is not None

    @property
    def data(self) -> Data:
        return _made(self._data)

    @property
    def schedule(self) -> Schedule:
        return _made(self._schedule)

    @property
    def engine(self) -> Engine:
        return _made(self._engine)

    @property
    def text(self) -> EncodedText:
        return self.data.text

    @property
    def vocabulary(self) -> Vocabulary:
        return self.text.vocabulary

    @property
    def network(self) -> Network:
        return self.engine.task.network

    @property
    def optimizer(self) -> Optimizer:
        return self.engine.task.optimizer

    @property
    def vectors(self) -> KeyedVectors:
        """The input vectors, as they are now: not a copy, so they go on moving while training does."""
        self.collect()
        return KeyedVectors(self.vocabulary, self.network.parameters[0].value)


def _made(part: Part | None) -> Part:
    if part is None:
        raise InputError("This trainer has been given no text yet: call fit first.")
    return part


def _is_finite(array):
    """Whether all of its numbers are: NaN is both the least and the most. A flag for each would need a lot of room."""
    return bool(np.isfinite([array.min(), array.max()]).all())
