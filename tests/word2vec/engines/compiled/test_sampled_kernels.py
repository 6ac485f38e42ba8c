"""The compiled step of NCE and of sampled softmax beside the gates, and the engine that takes it beside NumPy's."""

import dataclasses
import json
import signal

import numpy as np
import pytest
from stop_at import bits

from handgrad import SGD
from handgrad.embedding import RowSparseGradient
from handgrad.nodes import Parameter
from handgrad.word2vec import CS20, Callback, LogUniformNoise, Trainer, TrainingConfig
from handgrad.word2vec.engines.compiled import batches
from handgrad.word2vec.engines.compiled.batches import BatchEngine
from handgrad.word2vec.engines.compiled.sampled_kernels import sampled_step
from handgrad.word2vec.objectives import NCE, SampledSoftmax


def random_batch(seed):
    """Few words, so that labels, inputs and noise meet again and again; scores from small to large."""
    rng = np.random.default_rng(seed)
    vocabulary, D, P = rng.integers(5, 30), rng.choice([1, 7, 16]), rng.integers(1, 12)
    m = rng.integers(1, min(vocabulary, 9))
    V, U, b = (
        rng.normal(scale=rng.choice([0.3, 3, 30]), size=s) for s in [(vocabulary, D), (vocabulary, D), vocabulary]
    )
    inputs, labels = rng.integers(0, vocabulary, (2, P)).astype(np.int32)
    samples = LogUniformNoise(int(vocabulary)).sample(rng, int(m), labels, unique=bool(rng.random() < 0.5))
    return V, U, b, inputs, labels, *samples


def step_by_gates(gate, V, U, b, inputs, labels, sampled, true_expected, sampled_expected, mean, rate):
    """The sum of the losses, and the parameters after a step of plain SGD."""
    dz = np.full((len(inputs), 1), 1 / len(inputs) if mean else 1.0)
    losses = gate.forward(V[inputs][:, None], U, b, labels[:, None], sampled, true_expected[:, None], sampled_expected)
    dh, dU, db, *_ = gate.backward(dz)
    parameters = [Parameter(name, value.copy()) for name, value in zip("VUb", (V, U, b), strict=True)]
    SGD(rate).step(parameters, {"V": RowSparseGradient(inputs, dh[:, 0], V.shape), "U": dU, "b": db})
    return losses.sum(), [parameter.value for parameter in parameters]


@pytest.mark.parametrize("mean", [False, True])
@pytest.mark.parametrize("hits", [False, True])
@pytest.mark.parametrize("softmax", [False, True])
def test_a_step_is_that_of_the_gates(softmax, hits, mean):
    met_a_hit = False
    for seed in range(100):
        V, U, b, *rest = random_batch(seed)
        gate = (SampledSoftmax if softmax else NCE)(hits)
        true_loss, true_tables = step_by_gates(gate, V, U, b, *rest, mean, 0.1)
        tables = V.copy(), U.copy(), b.copy()
        loss = sampled_step(*tables, *rest, softmax, hits, mean, 0.1)
        assert loss == pytest.approx(true_loss, rel=1e-10, abs=1e-10), seed
        for table, true in zip(tables, true_tables, strict=True):
            np.testing.assert_allclose(table, true, rtol=1e-10, atol=1e-10, err_msg=f"seed {seed}")
        met_a_hit |= bool(set(rest[1]) & set(rest[2]))
    assert met_a_hit


@pytest.mark.parametrize("softmax", [False, True])
def test_in_32_bits_a_step_is_near(softmax):
    for seed in range(100):
        V, U, b, *ids, true_expected, sampled_expected = random_batch(seed)
        gate = (SampledSoftmax if softmax else NCE)(True)
        true_loss, true_tables = step_by_gates(gate, V, U, b, *ids, true_expected, sampled_expected, False, 0.1)
        tables = [table.astype(np.float32) for table in (V, U, b)]
        expected = true_expected.astype(np.float32), sampled_expected.astype(np.float32)
        loss = sampled_step(*tables, *ids, *expected, softmax, True, False, np.float32(0.1))
        scale = max(np.abs(table).max() for table in (V, U, b)) ** 2
        assert loss == pytest.approx(true_loss, rel=1e-5, abs=1e-4 * scale), seed
        for table, true in zip(tables, true_tables, strict=True):
            assert table.dtype == np.float32
            np.testing.assert_allclose(table, true, rtol=1e-4, atol=1e-5 * scale, err_msg=f"seed {seed}")


def test_what_is_no_number_stays_none():
    V, U, b, *rest = random_batch(0)
    V[rest[0][0]] = np.nan
    for softmax in (False, True):
        assert np.isnan(sampled_step(V.copy(), U.copy(), b.copy(), *rest, softmax, False, False, 0.1))


SENTENCES = [[f"w{i}" for i in row] for row in np.random.default_rng(0).zipf(1.5, (200, 9)).clip(max=40)]
SMALL = {"min_count": 1, "dimension": 12, "negatives": 8, "epochs": 2, "report_every_words": 200, "batch_size": 16}


def trained(engine, corpus=SENTENCES, engine_class=None, **changes):
    trainer = Trainer(TrainingConfig(**SMALL | {"engine": engine} | changes), engine_class=engine_class)
    trainer.fit(corpus)
    assert trainer.engine.name == engine
    return trainer


def engine_with(kind=BatchEngine, **constants):
    """An engine with other constants."""
    return type(f"Other{kind.__name__}", (kind,), constants)


@pytest.mark.parametrize(
    "changes",
    [
        {"objective": "nce"},
        {"objective": "sampled-softmax"},
        {"objective": "nce", "reduction": "mean", "learning_rate": 0.5, "initialization": "tensorflow"},
        {"objective": "nce", "noise": "log-uniform", "unique_noise": False, "remove_accidental_hits": "yes"},
        {"objective": "sampled-softmax", "remove_accidental_hits": "no", "subsample": 0.05},
        {
            "objective": "nce",
            "num_skips": 2,
            "window": 2,
            "subsample": 0,
            "dynamic_window": False,
            "report_every_words": 16,
        },
    ],
    ids=str,
)
def test_the_engine_learns_what_the_numpy_engine_learns_step_by_step(changes):
    ours, theirs = trained("compiled", **changes), trained("numpy", **changes)
    assert [entry.step for entry in ours.losses] == [entry.step for entry in theirs.losses] and len(ours.losses) > 9
    np.testing.assert_allclose([e.loss for e in ours.losses], [e.loss for e in theirs.losses], rtol=1e-4)
    for one, other in zip(ours.network.parameters, theirs.network.parameters, strict=True):
        np.testing.assert_allclose(one.value, other.value, rtol=1e-3, atol=1e-4)


def test_the_settings_of_cs20_are_compiled():
    config = dataclasses.replace(
        CS20, max_steps=30, max_vocabulary=30, negatives=8, report_every_words=640, dimension=16
    )
    losses = {}
    for engine in ("auto", "numpy"):
        trainer = Trainer(dataclasses.replace(config, engine=engine, checkpoint_every_words=0))
        trainer.fit(SENTENCES)
        losses[trainer.engine.name] = [entry.loss for entry in trainer.losses]
    assert set(losses) == {"compiled", "numpy"} and len(losses["numpy"]) == 3
    np.testing.assert_allclose(losses["compiled"], losses["numpy"], rtol=1e-4)


def test_one_seed_gives_the_same_bits():
    first, second = (trained("compiled", objective="nce").network.parameters for _ in range(2))
    assert [p.value.tobytes() for p in first] == [p.value.tobytes() for p in second]


STREAM = {"num_skips": 2, "window": 2, "subsample": 0, "dynamic_window": False}


def words_of(steps, changes):
    """How many words so many steps go through, about: of sentences most are thinned out."""
    return steps * (8 if "num_skips" in changes else 90)


@pytest.mark.parametrize("changes", [{"objective": "nce"}, {"objective": "sampled-softmax"} | STREAM], ids=str)
def test_the_bits_are_those_of_one_batch_after_another(changes):
    """However many threads there are, however many batches are handed over at once, and whenever a callback looks."""
    learned = {}
    for together, threads, every in [(1, 1, 1), (8, 1, 1), (8, 1, 15), (8, 2, 15), (8, 2, 7), (5, 3, 15)]:
        several = engine_with(BATCHES=together)
        words = words_of(every, changes) if every > 1 else 1  # after each step
        options = {"threads": threads, "report_every_words": words}
        trainer = trained("compiled", engine_class=several, **changes | options)
        losses = [(entry.step, entry.loss) for entry in trainer.losses] if every == 15 else None
        learned[together, threads, every] = [p.value.tobytes() for p in trainer.network.parameters], losses
    assert len({tuple(bits) for bits, _ in learned.values()}) == 1
    first, *others = (losses for _, losses in learned.values() if losses)
    assert len(first) > 2 and all(other == first for other in others)


class StoppedBetweenReports(BatchEngine):
    """Ctrl-C at a step that does not wait for what is at work."""

    at = -1

    def steps(self, place):
        for step in super().steps(place):
            if step.place.step == self.at:
                signal.raise_signal(signal.SIGINT)
            yield step


@pytest.mark.parametrize("changes", [{"threads": 2}, {"threads": 2} | STREAM], ids=str)
def test_wherever_a_run_is_stopped_it_ends_with_the_same_bits(tmp_path, changes):
    every = {"report_every_words": words_of(19, changes), "checkpoint_every_words": words_of(13, changes)}
    config = TrainingConfig(**SMALL | {"objective": "nce"} | every | changes)
    Trainer(config).fit(SENTENCES, tmp_path / "whole")
    for step in (1, 7, 8, 9, 16, 23, 37):
        with pytest.raises(KeyboardInterrupt):
            stopped = engine_with(StoppedBetweenReports, at=step)
            Trainer(config, engine_class=stopped).fit(SENTENCES, tmp_path / str(step))
        assert json.loads((tmp_path / str(step) / "run.json").read_text(encoding="utf-8"))["steps"] == step
        Trainer(config).fit(SENTENCES, tmp_path / str(step), resume=True)
        assert bits(tmp_path / str(step)) == bits(tmp_path / "whole"), step


def test_who_looks_when_an_epoch_ends_sees_all_of_it():
    class Looks(Callback):
        def on_epoch_end(self, trainer):
            self.seen = trainer.network.parameters[0].value.tobytes(), trainer.meter.predictions

    seen = {}
    for threads in (1, 2):
        looks = Looks()
        changes = {"objective": "nce", "threads": threads, "report_every_words": 10_000, "epochs": 1}
        trainer = Trainer(TrainingConfig(**SMALL | changes), [looks])
        trainer.fit(SENTENCES)
        seen[threads] = looks.seen
        assert looks.seen[0] == trainer.network.parameters[0].value.tobytes() and looks.seen[1] > 0
    assert seen[1] == seen[2]


def test_an_error_where_batches_are_learned_is_raised(monkeypatch):
    def broken(begun, arguments):
        begun.set()
        raise ZeroDivisionError

    monkeypatch.setattr(batches, "_learn", broken)
    with pytest.raises(ZeroDivisionError):
        trained("compiled", objective="nce", threads=2)


@pytest.mark.parametrize("changes, threads", [({}, 1), ({"batch_size": 1024, "negatives": 32, "dimension": 128}, 2)])
def test_small_products_have_one_thread(changes, threads):
    """Many of them wait longer for each other than they save, and a core is needed where batches are drawn."""
    text = [[f"w{i}" for i in range(40)]] * 30
    trainer = trained("compiled", text, **changes | {"objective": "nce", "threads": 2})
    assert trainer.engine.threads_of_products == threads


@pytest.mark.parametrize("changes", [{"model": "cbow"}, {"optimizer": "adagrad"}, {"precision": "float64"}], ids=str)
def test_what_the_kernel_does_not_do_is_done_in_numpy(changes):
    trainer = Trainer(TrainingConfig(**SMALL | {"objective": "nce"} | changes))
    trainer.fit(SENTENCES)
    assert trainer.engine.name == "numpy"
