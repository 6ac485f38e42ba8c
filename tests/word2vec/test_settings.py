"""Each field of TrainingConfig does what its name says: what a run holds, feeds, does or writes is another one."""

import dataclasses
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from handgrad.word2vec import CS20, Callback, Network, Trainer, TrainingConfig, negative_sampling_step
from handgrad.word2vec.runs.checkpoint import checkpoints, load_checkpoint

COUNTS = {"a": 64, "b": 32, "c": 16, "d": 8, "e": 4, "f": 2}
WORDS = np.random.default_rng(0).permutation(np.repeat(list(COUNTS), list(COUNTS.values())))
TEXT = WORDS.reshape(14, 9).tolist()
PAIRS = 14 * (9 * 4 - 2 * (2 + 1))  # of windows of two words to each side; those at the ends have less
SMALL = {
    "dimension": 4, "min_count": 1, "subsample": 0, "window": 2, "dynamic_window": False, "batch_size": 8, "epochs": 1,
    "engine": "numpy",
}  # fmt: skip


class Seen(Callback):
    """All that can be observed of a run."""

    def __init__(self):
        self.initial, self.batches, self.losses, self.gradients, self.rates = [], [], [], [], []
        self.learned, self.pair_steps = [], 0
        self.threads, self.checkpoint_steps = set(), []

    def on_train_begin(self, trainer):
        self.trainer, self.network = trainer, trainer.network
        self.initial = [parameter.value.copy() for parameter in trainer.network.parameters]

    def on_report(self, trainer):
        self.threads |= {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}

    def on_checkpoint(self, trainer, path):
        self.checkpoint_steps.append(trainer.step)


@pytest.fixture
def train(tmp_path, monkeypatch):
    """A function that trains with changed settings, in a new folder, and returns what was seen."""
    loss, gradients = Network.loss, Network.gradients

    def _train(text=TEXT, **changes):
        seen = Seen()

        def seen_loss(self, inputs, samples):
            seen.batches.append((inputs, samples))
            seen.losses.append(loss(self, inputs, samples))
            return seen.losses[-1]

        def seen_gradients(self):
            seen.rates.append(seen.trainer.optimizer.learning_rate)
            seen.learned.append(seen.losses[-1][1])
            seen.gradients.append(gradients(self))
            return seen.gradients[-1]

        def seen_step(*arguments):
            seen.pair_steps += 1
            return negative_sampling_step(*arguments)

        monkeypatch.setattr(Network, "loss", seen_loss)
        monkeypatch.setattr(Network, "gradients", seen_gradients)
        monkeypatch.setattr("handgrad.word2vec.engines.numpy_engine.negative_sampling_step", seen_step)
        seen.folder = tmp_path / f"run-{len(list(tmp_path.iterdir()))}"
        Trainer(TrainingConfig(**SMALL | changes), [seen]).fit(text, seen.folder)
        return seen

    return _train


# what is observed


def model(seen):
    return type(seen.network.model).__name__, seen.losses[0][1]  # and how many predictions the first batch makes


def objective(seen):
    return type(seen.network.objective.gate).__name__


def shape_of_V(seen):
    return seen.initial[0].shape


def gradient_of_the_mean(seen):
    return seen.network.model.gradient


def words(seen):
    return seen.trainer.vocabulary.index_to_key


def frequent_word_is_thinned_out(seen):
    targets = np.concatenate([samples[0] for _, samples in seen.batches])
    return np.count_nonzero(targets == 0) < 0.8 * COUNTS["a"]


def words_in_a_window(seen):
    return max(int((inputs >= 0).sum(axis=1).max()) for inputs, _ in seen.batches)


def all_pairs_are_fed(seen):
    return sum(np.count_nonzero(inputs >= 0) for inputs, _ in seen.batches) == PAIRS


def shape_of_a_batch(seen):
    return seen.batches[0][0].shape


def epochs_and_words(seen):
    return seen.trainer.epoch, sum(len(inputs) for inputs, _ in seen.batches)


def steps(seen):
    return seen.trainer.step, len(seen.batches)


def words_learned_from(seen):
    """And whether there is a loss on others, and how many pairs a gradient was made of."""
    return len(seen.trainer.text), bool(np.isfinite(seen.trainer.losses[-1].held_out)), sum(seen.learned)


def noise_of_a_target(seen):
    return seen.batches[0][1][1].shape[1:]


def probabilities_of_noise(seen):
    return seen.network.objective.noise.probabilities.tolist()


def noise_words_are_all_different(seen):
    return all(len(set(samples[1])) == len(samples[1]) for _, samples in seen.batches)


def hits_are_removed(seen):
    return seen.network.objective.gate.remove_accidental_hits


def optimizer(seen):
    return type(seen.trainer.optimizer).__name__


def steps_for_single_pairs(seen):
    return seen.pair_steps


def size_of_the_first_gradient(seen):
    """In every parameter, for the first batch; U is not zero with TensorFlow's initial values."""
    return [float(np.linalg.norm(gradient.to_dense())) for gradient in seen.gradients[0].values()]


def first_and_last_rate(seen):
    return seen.rates[0], seen.rates[-1]


def range_of_V(seen):
    return seen.initial[0].min(), seen.initial[0].max()


def engine(seen):
    return seen.trainer.engine.name, bool(seen.batches)


def who_draws(seen):
    return "device" if seen.trainer.engine.draws else "host"


def threads_of_matrix_products(seen):
    return seen.threads


def precision(seen):
    return {str(value.dtype) for value in seen.initial}


def draws(seen):
    """All three: the initial values, the windows and the noise."""
    windows, noise = zip(*((inputs, samples[1]) for inputs, samples in seen.batches), strict=True)
    return {
        "init": seen.initial[0].tobytes(),
        "examples": b"".join(window.tobytes() for window in windows),
        "noise": b"".join(each.tobytes() for each in noise),
    }


def changed_draws(seen, before):
    """Which of them are others; a comparison of two runs, where the other functions look at one."""
    return {name for name, bits in draws(seen).items() if bits != draws(before)[name]}


def steps_of_entries(seen):
    return [entry.step for entry in seen.trainer.losses]


def steps_of_checkpoints(seen):
    return seen.checkpoint_steps


def checkpoints_in_the_folder(seen):
    return [path.name for path in checkpoints(seen.folder / "checkpoints")]


def arrays_in_a_checkpoint(seen):
    return sorted(load_checkpoint(checkpoints(seen.folder / "checkpoints")[-1])[0])


class Row(NamedTuple):
    """With the field at ``value``, ``what`` is ``expected``; without, it is not. ``given`` are settings of both runs.

    What is expected can be a function of what was seen without it.
    """

    field: str
    value: Any
    what: Any
    expected: Any
    given: dict = {}  # noqa: RUF012  never changed


NO_BATCHES = {"batch_size": 64}  # as it is by default
STREAM = {"dynamic_window": False, "batch_size": 8}
SHARED_NOISE = {"objective": "nce", "negatives": 5}
CHECKPOINTS = {"checkpoint_every_words": 16, "max_steps": 9}
WIDE = {"dimension": 1000, "max_steps": 1}
HALF_POWERS = np.sqrt(list(COUNTS.values()))


ROWS = [
    Row("model", "cbow", model, ("CBOW", 8)),  # one for each target of the batch
    Row("objective", "hierarchical-softmax", objective, "HierarchicalSoftmax"),
    Row("objective", "nce", objective, "NCE"),
    Row("objective", "sampled-softmax", objective, "SampledSoftmax"),
    Row("objective", "full-softmax", objective, "FullSoftmax"),
    Row("objective", "negative-sampling", objective, "NegativeSampling", {"objective": "full-softmax"}),
    Row("dimension", 7, shape_of_V, (6, 7)),
    Row("cbow_gradient", "word2vec.c", gradient_of_the_mean, "word2vec.c", {"model": "cbow"}),
    Row("min_count", 8, words, ["a", "b", "c", "d"]),
    Row("max_vocabulary", 3, words, ["a", "b", "c"]),
    Row("unk", "keep", words, ["UNK", "a", "b", "c", "d"], {"min_count": 8}),
    Row("subsample", 0.02, frequent_word_is_thinned_out, True),
    Row("window", 4, words_in_a_window, 8),
    Row("dynamic_window", True, all_pairs_are_fed, False),
    Row("num_skips", 2, shape_of_a_batch, (8, 1), STREAM),
    Row("batch_size", 5, shape_of_a_batch, (5, 4)),
    Row("epochs", 3, epochs_and_words, (3, 3 * len(WORDS))),
    Row("max_steps", 7, steps, (7, 7)),
    Row("held_out", 9, words_learned_from, (117, True, PAIRS * 13 // 14)),
    Row("negatives", 3, noise_of_a_target, (3,)),
    Row(
        "noise",
        "log-uniform",
        probabilities_of_noise,
        pytest.approx([np.log((k + 2) / (k + 1)) / np.log(7) for k in range(6)]),
    ),
    Row("noise", "uniform", probabilities_of_noise, pytest.approx([1 / 6] * 6)),
    Row("noise_power", 0.5, probabilities_of_noise, pytest.approx((HALF_POWERS / HALF_POWERS.sum()).tolist())),
    Row("unique_noise", False, noise_words_are_all_different, False, SHARED_NOISE),
    Row("remove_accidental_hits", "yes", hits_are_removed, True, SHARED_NOISE),
    Row("remove_accidental_hits", "no", hits_are_removed, False, {"objective": "sampled-softmax"}),
    Row("optimizer", "momentum", optimizer, "Momentum"),
    Row("optimizer", "adagrad", optimizer, "Adagrad"),
    Row("optimizer", "adam", optimizer, "Adam"),
    Row("optimizer", "sgd", optimizer, "SGD", {"optimizer": "adam"}),
    Row("update", "pair", steps_for_single_pairs, PAIRS),
    Row(
        "reduction",
        "mean",
        size_of_the_first_gradient,
        lambda before: pytest.approx(
            [size / before.losses[0][1] for size in size_of_the_first_gradient(before)], rel=1e-5
        ),
        {"initialization": "tensorflow"},
    ),
    Row("learning_rate", 0.5, first_and_last_rate, pytest.approx((0.5, 0.5 * 6 / 126))),
    Row("min_learning_rate", 0.02, first_and_last_rate, (0.025, 0.02)),
    Row("initialization", "tensorflow", range_of_V, pytest.approx((-1, 1), abs=0.01), WIDE),
    Row("initialization", "cs20", range_of_V, pytest.approx((0, 1), abs=0.01), WIDE),
    Row(
        "initialization",
        "word2vec",
        range_of_V,
        pytest.approx((-0.5 / 1000, 0.5 / 1000), rel=0.01),
        {**WIDE, "initialization": "cs20"},
    ),
    Row("engine", "compiled", engine, ("compiled", False), NO_BATCHES),
    Row("engine", "numpy", engine, ("numpy", True), {"engine": "auto", **NO_BATCHES}),
    Row("threads", 2, threads_of_matrix_products, {2}),
    Row("deterministic", True, steps, (7, 0), {"engine": "compiled", **NO_BATCHES}),  # 14 sentences, two a step
    Row("examples_on", "device", who_draws, "device", {"engine": "torch", "device": "cpu"}),
    Row("precision", "float64", precision, {"float64"}),
    Row("seed", 2, changed_draws, {"init", "examples", "noise"}, {"dynamic_window": True}),
    Row("seeds", {"init": 2}, changed_draws, {"init"}, {"dynamic_window": True}),
    Row("seeds", {"examples": 2}, changed_draws, {"examples"}, {"dynamic_window": True}),
    Row("seeds", {"noise": 2}, changed_draws, {"noise"}, {"dynamic_window": True}),
    Row("report_every_words", 48, steps_of_entries, [6, 12, 16]),
    Row("checkpoint_every_words", 48, steps_of_checkpoints, [6, 12]),
    Row("keep", 1, checkpoints_in_the_folder, ["step-000000009"], CHECKPOINTS),
    Row("keep", 4, checkpoints_in_the_folder, [f"step-{step:09d}" for step in (4, 6, 8, 9)], CHECKPOINTS),
    Row("checkpoint_scope", "out", arrays_in_a_checkpoint, ["out/U"]),
]


# What shows only with a GPU, in several processes or in large batches is tested where these are.
ELSEWHERE = {
    "begin_from": ("runs/test_beginning.py", "test_known_words_begin_where_they_ended_and_others_as_ever"),
    "checkpoint_seconds": ("runs/test_longer_runs.py", "test_by_default_a_run_has_checkpoints_by_the_clock"),
    "device": ("engines/torch/test_engine.py", "test_with_a_gpu_auto_is_the_gpu"),
    "max_repeats": ("engines/torch/test_engine.py", "test_a_word_that_is_repeated_moves_as_by_so_many_of_its_mean"),
    "sync_every": ("runs/test_processes.py", "test_two_learn_as_well_as_one"),  # in so many steps
}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.field}={row.value}")
def test_a_changed_setting_changes_what_is_named_here(row, train):
    before, seen = train(**row.given), train(**row.given | {row.field: row.value})
    what, expected = row.what, row.expected
    if what is changed_draws:
        assert changed_draws(before, train(**row.given)) == set()
        assert changed_draws(seen, before) == expected
        return
    if callable(expected):
        expected = expected(before)
    assert what(before) != expected
    assert what(seen) == expected


def test_no_setting_is_without_a_row():
    assert {row.field for row in ROWS} | set(ELSEWHERE) == {field.name for field in dataclasses.fields(TrainingConfig)}
    for file, test in ELSEWHERE.values():
        assert f"def {test}(" in (Path(__file__).parent / file).read_text(encoding="utf-8")


def test_each_epoch_draws_its_own_windows_and_noise(train):
    seen = train(epochs=2, dynamic_window=True)
    half = len(seen.batches) // 2
    inputs, targets, noise = (
        [part.tolist() for part in parts]
        for parts in zip(*((inputs, *samples) for inputs, samples in seen.batches), strict=True)
    )
    assert targets[:half] == targets[half:]  # the text is the same
    assert inputs[:half] != inputs[half:] and noise[:half] != noise[half:]


def test_each_epoch_thins_out_other_words(train):
    seen = train(epochs=2, subsample=0.02)
    targets = np.concatenate([samples[0] for _, samples in seen.batches])
    first = np.concatenate([samples[0] for _, samples in train(epochs=1, subsample=0.02).batches])
    np.testing.assert_array_equal(targets[: len(first)], first)
    assert not np.array_equal(targets[len(first) :], first)


def test_noise_that_is_the_target_is_passed_over_where_it_should_be(train):
    one_target = [["a", "a"]] * 30 + [["b"]]
    losses = {}
    for hits in ("yes", "no"):
        seen = train(one_target, objective="nce", negatives=1, remove_accidental_hits=hits, max_steps=1)
        (_, (labels, sampled, *_)) = seen.batches[0]
        assert labels.ravel().tolist() == [0] * 8 and sampled.tolist() == [0]
        losses[hits] = seen.losses[0][0]
    assert losses["yes"] < 0.8 * losses["no"]  # the target's term alone, or that of the noise too


def test_the_settings_of_cs20_make_its_run(train):
    """A vocabulary of 50,000, UNK among them, 64 different words of log-uniform noise, and pairs of neighbors."""
    text = [[f"w{i}" for i in range(50_010)]]
    seen = train(text, **CS20.to_dict() | {"dimension": 2, "max_steps": 3, "engine": "numpy"})
    network, V = seen.network, 50_000
    assert len(seen.batches) == 3
    assert len(seen.trainer.vocabulary) == V and "UNK" in seen.trainer.vocabulary.key_to_index
    assert network.objective.noise.probabilities[[0, -1]] == pytest.approx(np.log([2, (V + 1) / V]) / np.log(V + 1))
    for step, (inputs, (labels, sampled, *_)) in enumerate(seen.batches):
        assert inputs.shape == labels.shape == (128, 1) and len(set(sampled)) == len(sampled) == 64
        assert inputs[::2, 0].tolist() == inputs[1::2, 0].tolist()  # each center twice, with both its neighbors
        center = seen.trainer.text.ids[64 * step + 1 : 64 * step + 65]
        np.testing.assert_array_equal(inputs[::2, 0], center)
    assert network.objective.gate.remove_accidental_hits is False and set(seen.rates) == {1.0}
    assert 0 <= seen.initial[0].min() < 0.01 and 0.99 < seen.initial[0].max() < 1
    assert seen.losses[0][1] == 128 and (CS20.dimension, CS20.max_steps) == (128, 100_000)
