import dataclasses
import json
import math
import tracemalloc
from types import SimpleNamespace

import numpy as np
import pytest
from two_topics import sentences_of_two_topics

from handgrad import SGD, corpora
from handgrad.errors import InputError
from handgrad.word2vec import (
    CS20,
    Callback,
    EarlyStopping,
    Network,
    Trainer,
    TrainingConfig,
    keep_probabilities,
    negative_sampling_step,
)
from handgrad.word2vec.trainer import _is_finite


@pytest.fixture(scope="module")
def corpus():
    return list(sentences_of_two_topics())


SMALL = {"dimension": 16, "epochs": 4, "subsample": 0, "batch_size": 32, "learning_rate": 0.05, "engine": "numpy"}


def test_words_find_the_company_they_keep(corpus):
    trainer = Trainer(TrainingConfig(**SMALL))
    vectors = trainer.fit(corpus)
    for word in vectors.index_to_key:
        assert {near[0] for near, _ in vectors.most_similar(word, topn=9)} == {word[0]}
    losses = [entry.loss for entry in trainer.losses]
    assert losses[0] == pytest.approx(6 * np.log(2), rel=0.15)  # at first each σ is one half; some negatives are hits
    assert losses[-1] < 0.9 * losses[0]


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_one_number_that_is_none_is_found_without_a_flag_for_each(wrong):
    table = np.zeros((100_000, 112), np.float32)[:, :100]
    tracemalloc.start()
    try:
        assert _is_finite(table)
        table[77_777, 99] = wrong
        assert not _is_finite(table)
        assert tracemalloc.get_traced_memory()[1] < 0.01 * table.size
    finally:
        tracemalloc.stop()


def test_one_seed_gives_the_same_bits_and_another_does_not(corpus):
    first, second = (Trainer(TrainingConfig(**SMALL)).fit(corpus[:200]).vectors for _ in range(2))
    np.testing.assert_array_equal(first, second)
    other = Trainer(TrainingConfig(**SMALL, seed=2)).fit(corpus[:200]).vectors
    assert not np.array_equal(first, other)


def test_entries_of_the_loss_go_to_the_last_raw_word_of_all_epochs(corpus):
    trainer = Trainer(TrainingConfig(**SMALL | {"epochs": 2}, min_count=100))
    trainer.fit(corpus)
    assert trainer.losses[-1].raw_words == 2 * trainer.vocabulary.raw_words == 2 * sum(map(len, corpus))
    assert 50 <= len(trainer.losses) <= 101
    assert [e.step for e in trainer.losses] == sorted({e.step for e in trainer.losses})


@pytest.mark.parametrize("every", [1, 7 * 32, 0])
def test_the_loss_is_the_exact_mean_over_all_predictions(corpus, every, monkeypatch):
    """Whatever the intervals, their means weighted by predictions are the mean of the run."""
    batches, loss = [], Network.loss

    def noted(self, inputs, samples):
        batches.append(loss(self, inputs, samples))
        return batches[-1]

    monkeypatch.setattr(Network, "loss", noted)
    trainer = Trainer(TrainingConfig(**SMALL | {"epochs": 1}, report_every_words=every))
    trainer.fit(corpus[:100])
    steps = np.array([0] + [entry.step for entry in trainer.losses])
    assert steps[-1] == len(batches)
    for entry, first, last in zip(trainer.losses, steps, steps[1:], strict=False):
        sums, predictions = zip(*batches[first:last], strict=True)
        assert entry.loss == pytest.approx(math.fsum(sums) / sum(predictions), rel=1e-12)


def test_the_corpus_is_never_changed(corpus):
    before = [list(sentence) for sentence in corpus[:50]]
    Trainer(TrainingConfig(**SMALL, min_count=1)).fit(corpus[:50])
    assert corpus[:50] == before


def spy_on_batches(monkeypatch):
    """Everything that the trainer hands to its gates and its optimizer."""
    batches, rates, forward, update = [], [], Network.loss, SGD.update

    def spying_loss(self, inputs, samples):
        batches.append((inputs, *samples))
        return forward(self, inputs, samples)

    def spying_update(self, W, dW, name):
        rates.append(self.learning_rate)
        update(self, W, dW, name)

    monkeypatch.setattr(Network, "loss", spying_loss)
    monkeypatch.setattr(SGD, "update", spying_update)
    return batches, rates


@pytest.mark.parametrize("dynamic", [True, False])
def test_what_the_trainer_feeds_is_what_its_configuration_says(monkeypatch, dynamic):
    one_long_sentence = [[f"w{i}" for i in np.random.default_rng(0).integers(0, 50, size=6000)]]
    batches, rates = spy_on_batches(monkeypatch)
    config = TrainingConfig(
        dimension=4,
        window=3,
        negatives=2,
        epochs=2,
        subsample=0,
        learning_rate=0.04,
        dynamic_window=dynamic,
        engine="numpy",
    )
    trainer = Trainer(config)
    trainer.fit(one_long_sentence)
    inputs, targets, negatives = (np.concatenate([batch[i] for batch in batches]) for i in range(3))
    assert negatives.shape[1] == 2 and inputs.shape[1] == 6
    assert len(targets) == 2 * trainer.vocabulary.raw_words  # nothing is thinned out with subsample 0
    neighbors = (inputs >= 0).sum(axis=1)  # twice the reach, which is 1, 2 or 3, each equally often, or always 3
    expected = [1 / 3] * 3 if dynamic else [0, 0, 1]
    assert [np.mean(neighbors == 2 * reach) for reach in (1, 2, 3)] == pytest.approx(expected, abs=0.03)
    assert rates[0] == 0.04 and rates == sorted(rates, reverse=True)
    assert rates[-1] == pytest.approx(0.04 * batches[-1][1].size / 12_000, rel=0.5)  # before the last batch


def test_frequent_words_are_thinned_out_and_noise_follows_the_power(monkeypatch):
    batches, _ = spy_on_batches(monkeypatch)
    words = ["often"] * 16_000 + ["seldom"] * 1000
    order = np.random.default_rng(0).permutation(len(words)).reshape(-1, 10)
    sentences = [[words[i] for i in row] for row in order]
    trainer = Trainer(TrainingConfig(dimension=2, epochs=1, subsample=0.1, window=1, engine="numpy"))
    trainer.fit(sentences)
    targets, negatives = (np.concatenate([batch[i].ravel() for batch in batches]) for i in (1, 2))
    often, seldom = np.bincount(targets)
    expected = 16_000 * keep_probabilities([16_000], 17_000, 0.1)[0]
    assert seldom == pytest.approx(1000, abs=20)  # a few are alone in their sentence
    assert often == pytest.approx(expected, rel=0.05) and often < 8000
    assert np.mean(negatives == 1) == pytest.approx(1 / (1 + 16**0.75), rel=0.05)


def test_word2vec_basics_batches_are_one_stream_across_sentences(monkeypatch):
    batches, rates = spy_on_batches(monkeypatch)
    sentences = [["a", "b"], ["c"], ["d", "e", "f"]] * 2
    config = dataclasses.replace(CS20, batch_size=4, max_steps=5, negatives=3, max_vocabulary=0, unk="drop", window=1)
    trainer = Trainer(dataclasses.replace(config, engine="numpy"))
    trainer.fit(sentences)
    names = trainer.vocabulary.index_to_key
    seen = [(names[i], names[t]) for batch in batches for i, t in zip(batch[0][:, 0], batch[1][:, 0], strict=True)]
    text = "abcdef" * 2
    assert seen == [(text[i], text[j]) for i in range(1, 11) for j in (i - 1, i + 1)]  # 5 steps of 2 centers
    assert set(rates) == {1.0} and trainer.step == 5


def test_a_generator_of_sentences_is_enough_and_strings_are_refused(corpus):
    whole = Trainer(TrainingConfig(**SMALL)).fit(corpus[:50])
    once = Trainer(TrainingConfig(**SMALL)).fit(sentence for sentence in corpus[:50])
    np.testing.assert_array_equal(whole.vectors, once.vectors)
    with pytest.raises(InputError, match="is a list of words, but got the string"):
        Trainer(TrainingConfig(**SMALL)).fit(["the cat sat"] * 10)


def test_true_sgd_is_the_step_for_each_pair_in_order(corpus, monkeypatch):
    pairs, step = [], negative_sampling_step

    def noted(V, U, center, context, negatives, rate):
        pairs.append((center, context, list(negatives), rate))
        return step(V, U, center, context, negatives, rate)

    monkeypatch.setattr("handgrad.word2vec.engines.numpy_engine.negative_sampling_step", noted)
    config = TrainingConfig(**SMALL | {"epochs": 1}, update="pair", precision="float64")
    trainer = Trainer(config)
    vectors = trainer.fit(corpus[:40])
    V, U = (p.value for p in Network(config, trainer.vocabulary.counts).parameters)
    for pair in pairs:
        step(V, U, *pair)
    np.testing.assert_array_equal(vectors.vectors, V)
    np.testing.assert_array_equal(trainer.network.parameters[1].value, U)
    assert len({tuple(negatives) for _, _, negatives, _ in pairs}) > 0.9 * len(pairs)  # each pair has its own noise


@pytest.mark.parametrize("model", ["skipgram", "cbow"])
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"objective": "hierarchical-softmax"},
        {"objective": "full-softmax"},
        {"objective": "nce", "negatives": 15},
        {"objective": "sampled-softmax", "negatives": 15},
        {"objective": "nce", "noise": "log-uniform", "negatives": 15, "unique_noise": False},
        {"optimizer": "momentum", "learning_rate": 0.01},
        {"optimizer": "adagrad", "learning_rate": 0.1},
        {"optimizer": "adam", "learning_rate": 0.01},
        {"reduction": "mean", "learning_rate": 4.0},
        {"noise": "uniform"},
        {"cbow_gradient": "word2vec.c", "learning_rate": 0.02},
    ],
    ids=lambda changes: " ".join(map(str, changes.values())) or "defaults",
)
def test_every_objective_optimizer_and_model_finds_the_two_topics(corpus, model, changes):
    trainer = Trainer(TrainingConfig(**SMALL | {"model": model} | changes))
    vectors = trainer.fit(corpus)
    right = [near[0] == word[0] for word in vectors.index_to_key for near, _ in vectors.most_similar(word, topn=5)]
    assert np.mean(right) > 0.95
    assert trainer.losses[-1].loss < 0.95 * trainer.losses[0].loss


def test_the_loss_on_held_out_text_falls_and_that_text_is_not_learned_from(corpus, monkeypatch):
    trainer = Trainer(TrainingConfig(**SMALL, held_out=800))
    trainer.fit(corpus)
    held = [entry.held_out for entry in trainer.losses]
    assert held[-1] < 0.95 * held[0] and abs(held[-1] - trainer.losses[-1].loss) < 0.3
    assert len(trainer.data.held_out) == 800 and len(trainer.text) == sum(map(len, corpus)) - 800
    assert trainer.held_out_loss() == trainer.held_out_loss()  # the same noise each time
    without = Trainer(TrainingConfig(**SMALL))
    without.fit(corpus)
    assert math.isnan(without.losses[-1].held_out)


def test_all_the_text_cannot_be_held_out(corpus):
    with pytest.raises(InputError, match="held_out is 99,999 words, and then no pair of words is left"):
        Trainer(TrainingConfig(**SMALL, held_out=99_999)).fit(corpus)


def test_callbacks_are_called_in_order(corpus):
    calls = []

    class Noted(Callback):
        def __getattribute__(self, name):
            if name.startswith("on_"):
                return lambda trainer, *path: calls.append((name, trainer.epoch, trainer.step))
            return super().__getattribute__(name)

    Trainer(TrainingConfig(**SMALL | {"epochs": 2}, report_every_words=20 * 32), [Noted()]).fit(corpus[:100])
    names = [name for name, *_ in calls if name != "on_report"]
    assert names == ["on_train_begin", *["on_epoch_begin", "on_epoch_end"] * 2, "on_train_end"]
    assert [step for name, _, step in calls if name == "on_report"][:2] == [20, 40]


def test_early_stopping_ends_when_the_loss_does_not_fall():
    stopping = EarlyStopping(patience=2, min_delta=0.1)
    trainer = SimpleNamespace(losses=[], stop=lambda reason: reasons.append(reason))
    reasons = []
    for loss in (3.0, 2.0, 1.95, 1.5, 1.45, 1.44):
        trainer.losses.append(SimpleNamespace(loss=loss, held_out=math.nan))
        stopping.on_report(trainer)
    assert reasons == ["the loss has not fallen below 1.5000 in 2 entries"]
    again = EarlyStopping(patience=2)
    again.restore(json.loads(json.dumps(stopping.state())))
    assert (again.best, again.waited) == (1.5, 2)


def test_a_callback_can_end_the_run(corpus):
    trainer = Trainer(TrainingConfig(**SMALL, report_every_words=5 * 32), [EarlyStopping(patience=1, min_delta=100)])
    vectors = trainer.fit(corpus)
    assert trainer.step == 10 and len(vectors) == 20 and "has not fallen" in trainer.stop_reason


def test_a_loss_that_is_no_number_is_a_sentence(corpus):
    with (
        np.errstate(all="ignore"),
        pytest.raises(InputError, match=r"The loss is .* after \d+ steps: choose a learning_rate"),
    ):
        Trainer(TrainingConfig(**SMALL | {"learning_rate": 1e30})).fit(corpus)


@pytest.mark.parametrize("engine", ["numpy", "compiled"])
def test_sentences_of_one_word_are_nothing_to_learn_from(engine):
    trainer = Trainer(TrainingConfig(**SMALL | {"epochs": 1, "engine": engine, "batch_size": 64}, min_count=1))
    with pytest.raises(InputError, match="nothing to learn from: of 3 words no two"):
        trainer.fit([["a"], ["b"], ["a"]])


def test_the_number_of_steps_can_be_limited(corpus):
    trainer = Trainer(TrainingConfig(**SMALL, max_steps=17))
    trainer.fit(corpus)
    assert trainer.step == 17 and trainer.losses[-1].learning_rate == pytest.approx(0.05 / 17)


def test_on_the_embedded_corpus_the_neighbors_make_sense():
    trainer = Trainer(TrainingConfig(epochs=2))
    vectors = trainer.fit(corpora.documentation())
    for word, partner in {"row": "column", "left": "right", "minimum": "maximum"}.items():
        nearest = [near for near, _ in vectors.most_similar(word, topn=5)]
        assert partner in nearest, (word, nearest)


def test_before_it_has_a_text_a_trainer_is_at_the_beginning_and_says_what_it_lacks():
    trainer = Trainer(TrainingConfig(**SMALL))
    assert (trainer.epoch, trainer.position, trainer.step, trainer.losses, trainer.seconds) == (0, 0, 0, [], 0.0)
    assert trainer.words_per_second == 0 and trainer.stop_reason is None and not trainer.has_text
    for name in ("text", "vocabulary", "network", "optimizer", "engine", "schedule", "vectors", "share", "raw_words"):
        with pytest.raises(InputError, match="has been given no text yet: call fit first"):
            getattr(trainer, name)


def test_fit_makes_no_attribute_that_was_not_there(corpus, tmp_path):
    trainer = Trainer(TrainingConfig(**SMALL | {"epochs": 1}))
    before = set(vars(trainer))
    trainer.fit(corpus[:50], tmp_path / "run")
    assert set(vars(trainer)) == before


def test_what_an_engine_is_handed_cannot_be_changed(corpus):
    trainer = Trainer(TrainingConfig(**SMALL | {"epochs": 1}))
    trainer.fit(corpus[:50])
    for frozen, name in [(trainer.engine.task, "text"), (trainer.schedule, "words"), (trainer.data, "text")]:
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(frozen, name, None)
