"""Each engine does what a setting says, or refuses it: no setting is ignored without a word."""

import dataclasses
import functools
import signal
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from handgrad.errors import InputError
from handgrad.word2vec import Callback, KeyedVectors, Trainer, TrainingConfig
from handgrad.word2vec.engines.compiled.hogwild import HogwildEngine
from handgrad.word2vec.engines.compiled.negative_sampling import NEGATIVES, TARGETS
from handgrad.word2vec.runs.checkpoint import checkpoints, load_checkpoint

TEXT = [[f"w{i}" for i in row] for row in np.random.default_rng(0).zipf(1.5, (40, 8)).clip(max=20)]
SMALL = {"dimension": 4, "min_count": 1, "epochs": 1, "window": 3, "subsample": 0.0}
TORCH = {"engine": "torch", "device": "cpu", "batch_size": 16}
ENGINES = {
    "numpy": {"engine": "numpy", "batch_size": 16},
    "hogwild": {"engine": "compiled"},
    "deterministic": {"engine": "compiled", "deterministic": True},
    "batches": {"engine": "compiled", "objective": "nce", "batch_size": 16},
    "torch, host": TORCH | {"examples_on": "host"},
    "torch, device": TORCH | {"examples_on": "device"},
}
PIECES = {"hogwild", "deterministic"}
COMPILED = PIECES | {"batches"}
IN_TORCH = {"torch, host", "torch, device"}
ALL = set(ENGINES)


class Row(NamedTuple):
    """A setting, the engines that refuse this value of it, and the settings of both runs that are compared.

    What is compared are the vectors, or what ``what`` names.
    """

    field: str
    value: Any
    refused_by: frozenset | set = frozenset()
    given: dict = {}  # noqa: RUF012  never changed
    what: str = "vectors"


NCE = {"objective": "nce", "batch_size": 16}
STREAM = {"dynamic_window": False}
OFTEN = {"checkpoint_every_words": 32}
ROWS = [
    Row("model", "cbow", {"batches"}),
    Row("objective", "hierarchical-softmax", given={"batch_size": 64}),
    Row("objective", "nce", {"deterministic"}),
    Row("objective", "sampled-softmax", {"deterministic"}),
    Row("objective", "full-softmax", COMPILED),
    Row("dimension", 5),
    Row("cbow_gradient", "word2vec.c", {"batches"}, {"model": "cbow"}),
    Row("min_count", 8),
    Row("max_vocabulary", 6),
    Row("unk", "keep", given={"min_count": 8}),
    Row("subsample", 0.01),
    Row("window", 2),
    Row("dynamic_window", False),
    Row("num_skips", 2, PIECES | {"torch, device"}, STREAM),
    Row("batch_size", 32, PIECES),
    Row("epochs", 2),
    Row("max_steps", 3, PIECES),
    Row("held_out", 40),
    Row("negatives", 2),
    Row("negatives", 20, given={"unique_noise": False}),
    Row("noise", "log-uniform"),
    Row("noise", "uniform"),
    Row("noise_power", 0.3),
    Row("unique_noise", False, {"deterministic"}, NCE),
    Row("remove_accidental_hits", "yes", {"deterministic"}, NCE),
    Row("optimizer", "momentum", COMPILED | IN_TORCH),
    Row("optimizer", "adagrad", COMPILED),
    Row("optimizer", "adam", COMPILED),
    Row("update", "pair", COMPILED | IN_TORCH),
    Row("reduction", "mean", PIECES),
    Row("learning_rate", 0.1),
    Row("min_learning_rate", 0.02),
    Row("initialization", "tensorflow"),
    Row("initialization", "cs20"),
    Row("begin_from", "known.txt"),
    Row("examples_on", "device", ALL - IN_TORCH),
    Row("examples_on", "host", ALL - IN_TORCH),
    Row("max_repeats", 1, ALL - IN_TORCH),
    Row("sync_every", 4, ALL),  # of one process
    Row("deterministic", True, ALL - PIECES - {"numpy"}, {"threads": 2}, "work"),
    Row("precision", "float64", COMPILED),
    Row("seed", 2),
    *(Row("seeds", {draw: 2}) for draw in ("init", "examples", "noise")),
    Row("report_every_words", 48, what="reports"),
    Row("checkpoint_every_words", 32, what="checkpoints"),
    Row("checkpoint_seconds", 1e-9, what="checkpoints"),
    Row("keep", 1, given=OFTEN, what="kept"),
    Row("checkpoint_scope", "embed", what="arrays"),
]
# What is not seen in vectors or files: which engine, where it computes, and how many share the work.
ELSEWHERE = {
    "engine": ("compiled/test_compiled.py", "test_what_it_does_it_does_unasked"),
    "device": ("torch/test_engine.py", "test_with_a_gpu_auto_is_the_gpu"),
    "threads": ("torch/test_engine.py", "test_torch_has_as_many_threads_as_the_run_and_then_as_many_as_before"),
}
CASES = [
    pytest.param(row, engine, id=f"{row.field}={row.value}-{engine}")
    for row in ROWS
    for engine in ENGINES
    if row.value != (SMALL | ENGINES[engine]).get(row.field, getattr(TrainingConfig, row.field, None))
]


class Noted(Callback):
    def __init__(self):
        self.checkpoints = []

    def on_checkpoint(self, trainer, path):
        self.checkpoints.append(trainer.step)


@pytest.fixture(scope="module")
def observed(tmp_path_factory):
    """A function that trains with some settings and returns what can be seen of the run, once for the same settings."""
    folder = tmp_path_factory.mktemp("runs")
    known = folder / "known.txt"
    KeyedVectors(["w1", "w2"], np.eye(2, SMALL["dimension"])).save_word2vec_format(known)

    @functools.cache
    def _observed(settings, is_written):
        changes = {name: dict(value) if name == "seeds" else value for name, value in settings}
        if "begin_from" in changes:
            changes["begin_from"] = str(known)
        noted, output = Noted(), folder / str(len(list(folder.iterdir()))) if is_written else None
        trainer = Trainer(TrainingConfig(**SMALL | changes), [noted])
        trainer.fit(TEXT, output)
        seen = {
            "vectors": [parameter.value.tobytes() for parameter in trainer.network.parameters],
            "work": [trainer.engine.threads_of_products, *(p.value.tobytes() for p in trainer.network.parameters)],
            "reports": [entry.step for entry in trainer.losses],
            "checkpoints": noted.checkpoints,
        }
        if output:
            kept = checkpoints(output / "checkpoints")
            seen |= {"kept": [path.name for path in kept], "arrays": sorted(load_checkpoint(kept[-1])[0])}
        return seen

    def _of(settings, what):
        named = {name: tuple(value.items()) if name == "seeds" else value for name, value in settings.items()}
        return _observed(tuple(named.items()), what not in ("vectors", "work", "reports"))[what]

    return _of


@pytest.mark.parametrize("row, engine", CASES)
def test_a_setting_has_an_effect_or_is_refused(row, engine, observed):
    before = ENGINES[engine] | row.given
    if engine in PIECES:
        before = {name: value for name, value in before.items() if name != "batch_size"}
    after = before | {row.field: row.value}
    if engine in row.refused_by:
        named = {row.field, *row.given, *ENGINES[engine]} - {"engine"}
        with pytest.raises(InputError, match=rf"\b({'|'.join(named)})\b"):
            observed(after, row.what)
        return
    assert observed(after, row.what) != observed(before, row.what)


def test_no_setting_is_without_a_row():
    assert {row.field for row in ROWS} | set(ELSEWHERE) == {field.name for field in dataclasses.fields(TrainingConfig)}
    for file, test in ELSEWHERE.values():
        assert f"def {test}(" in (Path(__file__).parent / file).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "changes, sentence",
    [
        (
            {"engine": "compiled", "batch_size": 32},
            "The compiled engine ignores batch_size = 32: it learns pieces of the text, where batches are for engine "
            "numpy or torch. Leave it at 64.",
        ),
        (
            {**TORCH, "sync_every": 8},
            "The torch engine ignores sync_every = 8: this process is alone, with nobody to meet; torchrun starts "
            "several. Leave it at 64.",
        ),
    ],
    ids=str,
)
def test_what_an_engine_would_ignore_is_one_sentence_before_a_text_is_read(changes, sentence):
    text = iter(TEXT)
    with pytest.raises(InputError) as error:
        Trainer(TrainingConfig(**SMALL | changes)).fit(text)
    assert next(text) is TEXT[0]
    assert str(error.value) == sentence


def test_batches_of_a_size_that_is_asked_for_are_made_by_the_engine_that_has_them(observed):
    trainer = Trainer(TrainingConfig(**SMALL, batch_size=16))
    trainer.fit(TEXT)
    assert trainer.engine.name == "numpy" and trainer.step == len(TEXT) * 8 // 16
    assert [parameter.value.tobytes() for parameter in trainer.network.parameters] == observed(
        ENGINES["numpy"], "vectors"
    )


def test_deterministic_numpy_has_the_same_bits_with_any_number_of_threads():
    """Large products are where several threads would add up otherwise."""
    text = [[f"w{i}" for i in row] for row in np.random.default_rng(0).integers(0, 1500, (40, 20))]
    given = SMALL | {"dimension": 200, "objective": "full-softmax", "batch_size": 256, "max_steps": 2}
    learned = []
    for threads in (1, 2):
        trainer = Trainer(TrainingConfig(**given, engine="numpy", deterministic=True, threads=threads))
        learned.append(trainer.fit(text).vectors.tobytes())
        assert trainer.engine.any_threads
    assert learned[0] == learned[1]


@pytest.mark.parametrize(
    "given, then, now",
    [
        ({"engine": "compiled"}, {"batch_size": 32}, {"batch_size": 64}),
        (TORCH, {"sync_every": 8}, {"sync_every": 64}),
    ],
    ids=str,
)
def test_a_run_from_when_it_was_ignored_goes_on_without_it(tmp_path, monkeypatch, given, then, now):
    given = SMALL | given | OFTEN
    with monkeypatch.context() as patch:
        patch.setattr("handgrad.word2vec.engines.TrainingConfig", TrainingConfig(**given | then))  # nothing is refused
        Trainer(TrainingConfig(**given | then)).fit(TEXT, tmp_path / "run")
    with pytest.raises(InputError, match=f"ignores {next(iter(then))} = "):
        Trainer(TrainingConfig(**given | then | {"epochs": 2})).fit(TEXT, tmp_path / "run", resume=True)
    with pytest.warns(UserWarning, match="goes on with a learning rate"):
        Trainer(TrainingConfig(**given | now | {"epochs": 2})).fit(TEXT, tmp_path / "run", resume=True)


# an engine with other constants


@pytest.mark.parametrize("engine", ENGINES)
def test_a_subclass_of_the_engine_takes_its_steps(engine):
    """And refuses what it refuses."""
    given = SMALL | ENGINES[engine]
    trainer = Trainer(TrainingConfig(**given))
    trainer.fit(TEXT)

    class Other(type(trainer.engine)):
        pass

    other = Trainer(TrainingConfig(**given), engine_class=Other)
    other.fit(TEXT)
    assert type(other.engine) is Other
    assert other.vectors.vectors.tobytes() == trainer.vectors.vectors.tobytes()
    if engine in PIECES | IN_TORCH:
        ignored = {"batch_size": 8} if engine in PIECES else {"sync_every": 8}
        with pytest.raises(InputError, match="engine ignores"):
            Trainer(TrainingConfig(**given | ignored), engine_class=Other).fit(TEXT)


def test_an_engine_that_the_configuration_does_not_ask_for_is_a_sentence():
    """It would ignore what it was not made for."""
    config = TrainingConfig(**SMALL | ENGINES["deterministic"])
    sentence = "asks for DeterministicEngine, but engine_class is HogwildEngine: give a subclass of it"
    with pytest.raises(InputError, match=sentence):
        Trainer(config, engine_class=HogwildEngine).fit(TEXT)


# intervals


def first_steps(steps, every):
    """Of entries, one for each step: those that are the first to have reached a multiple of so many words."""
    before = [0, *(entry.raw_words for entry in steps)]
    return [entry for entry, words in zip(steps, before, strict=False) if entry.raw_words // every > words // every]


class Told(Callback):
    """What a callback is told: the step at each report and at each checkpoint."""

    def __init__(self):
        self.reports, self.checkpoints = [], []

    def on_report(self, trainer):
        self.reports.append(trainer.step)

    def on_checkpoint(self, trainer, path):
        self.checkpoints.append(trainer.step)


class StopAfter(Callback):
    """Ctrl-C at a step, whether or not a report is due there."""

    def __init__(self, step):
        self.at = step

    def on_train_begin(self, trainer):
        steps = trainer.engine.steps

        def steps_and_stop(place):
            for step in steps(place):
                if step.place and step.place.step == self.at:
                    signal.raise_signal(signal.SIGINT)
                yield step

        trainer.engine.steps = steps_and_stop


def fit(folder=None, *callbacks, resume=False, **changes):
    """Two epochs of a text of which half of the words have no vector: they count as well."""
    trainer = Trainer(TrainingConfig(**SMALL | {"epochs": 2, "min_count": 9} | changes), callbacks)
    trainer.fit(TEXT, folder, resume)
    return trainer


INTERVALS = {**ENGINES, "deterministic": ENGINES["deterministic"] | {"threads": 2}}


@pytest.mark.parametrize("engine", INTERVALS)
def test_an_interval_counts_words_in_every_engine(engine, tmp_path):
    given = INTERVALS[engine]
    whole = fit(report_every_words=1, **given)
    steps, words = whole.losses, 2 * whole.vocabulary.raw_words
    assert [entry.step for entry in steps] == list(range(1, whole.step + 1)) and whole.step > 20
    assert steps[-1].raw_words == words == 640 and len(whole.text) < 320
    for every in (37, 100, 320):
        told = Told()
        found = fit(tmp_path / str(every), told, report_every_words=every, checkpoint_every_words=every, **given)
        due = first_steps(steps, every)
        assert 640 // every - 1 <= len(due) <= 640 // every
        expected = due if due[-1] is steps[-1] else [*due, steps[-1]]  # the last line is at the end
        assert [(entry.raw_words, entry.step) for entry in found.losses] == [(e.raw_words, e.step) for e in expected]
        assert told.reports == [entry.step for entry in expected]
        assert told.checkpoints == [entry.step for entry in due]
        assert [p.value.tobytes() for p in found.network.parameters] == [
            p.value.tobytes() for p in whole.network.parameters
        ]


@pytest.mark.parametrize("engine", INTERVALS)
def test_an_interval_longer_than_the_run_has_the_last_line_alone(engine, tmp_path):
    told = Told()
    trainer = fit(tmp_path, told, report_every_words=641, checkpoint_every_words=2**31 - 1, **INTERVALS[engine])
    assert [(entry.raw_words, entry.step) for entry in trainer.losses] == [(640, trainer.step)]
    assert told.reports == [trainer.step] and told.checkpoints == []


@pytest.mark.parametrize("engine", INTERVALS)
def test_a_resumed_run_writes_the_lines_of_one_that_was_not_stopped(engine, tmp_path):
    """In the first epoch and in the second, wherever the stop is between two multiples, and at one."""
    given = INTERVALS[engine] | {"report_every_words": 50, "checkpoint_every_words": 70}
    told = Told()
    whole = fit(tmp_path / "whole", told, **given)
    assert 10 <= len(whole.losses) <= 13
    for step in {3, 4, 5, whole.step // 2, whole.step // 2 + 1, whole.step - 2}:
        with pytest.raises(KeyboardInterrupt):
            fit(tmp_path / str(step), StopAfter(step), **given)
        told_again = Told()
        resumed = fit(tmp_path / str(step), told_again, resume=True, **given)
        assert [entry.step for entry in resumed.losses] == [entry.step for entry in whole.losses]
        assert told_again.checkpoints == [at for at in told.checkpoints if at > step]
        lines = [(tmp_path / run / "loss.csv").read_bytes() for run in (str(step), "whole")]
        assert lines[0] == lines[1]


# what is said


def test_the_configuration_says_what_runs():
    """Numbers of its docstring are those of the code."""
    said = " ".join(TrainingConfig.__doc__.split())
    assert TARGETS == 4 and "a block of up to four neighboring targets" in said
    assert f"draws max(K, {NEGATIVES['skipgram']}) for a block" in said
    assert f"for cbow max(K, {NEGATIVES['cbow']})" in said
    assert f"at most {HogwildEngine.PIECE:,} words" in said
