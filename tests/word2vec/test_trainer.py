import numpy as np
import pytest

from handgrad import SGD, corpora
from handgrad.errors import InputError
from handgrad.word2vec import NegativeSampling, Trainer, TrainingConfig, keep_probabilities


def sentences_of_two_topics(n=1500, seed=0):
    """Words a0…a9 keep company with one another, and so do b0…b9: what a trainer has to find out."""
    rng = np.random.default_rng(seed)
    for _ in range(n):
        topic = rng.choice(["a", "b"])
        yield [f"{topic}{i}" for i in rng.integers(0, 10, size=8)]


@pytest.fixture(scope="module")
def corpus():
    return list(sentences_of_two_topics())


SMALL = {"dimension": 16, "epochs": 3, "subsample": 0, "batch_positions": 32, "learning_rate": 0.05}


def test_words_find_the_company_they_keep(corpus):
    trainer = Trainer(TrainingConfig(**SMALL))
    vectors = trainer.fit(corpus)
    for word in vectors.index_to_key:
        assert {near[0] for near, _ in vectors.most_similar(word, topn=9)} == {word[0]}
    losses = [loss for _, loss in trainer.losses]
    assert losses[0] == pytest.approx(6 * np.log(2), rel=0.15)  # at first each σ is one half; some negatives are hits
    assert losses[-1] < 0.9 * losses[0]


def test_one_seed_gives_the_same_bits_and_another_does_not(corpus):
    first, second = (Trainer(TrainingConfig(**SMALL)).fit(corpus[:200]).vectors for _ in range(2))
    np.testing.assert_array_equal(first, second)
    other = Trainer(TrainingConfig(**SMALL, seed=2)).fit(corpus[:200]).vectors
    assert not np.array_equal(first, other)


def test_reports_add_up_to_the_raw_words_of_all_epochs(corpus):
    reported = []
    config = TrainingConfig(**SMALL | {"epochs": 2}, min_count=100)
    trainer = Trainer(config)
    trainer.fit(corpus, report=lambda words, loss: reported.append(words))
    assert sum(reported) == 2 * trainer.vocabulary.raw_words == 2 * sum(map(len, corpus))
    assert trainer.losses[-1][0] == sum(reported)
    assert 50 <= len(reported) <= 101


def test_the_corpus_is_read_twice_and_never_changed(corpus):
    before = [list(sentence) for sentence in corpus[:50]]
    Trainer(TrainingConfig(**SMALL, min_count=1)).fit(corpus[:50])
    assert corpus[:50] == before


def spy_on_batches(monkeypatch):
    """Everything that the trainer hands to its gate and its optimizer."""
    batches, rates, forward, update = [], [], NegativeSampling.forward, SGD.update

    def spying_forward(self, V, U, centers, outside, negatives):
        batches.append((centers, outside, negatives, V.dtype, U.dtype))
        return forward(self, V, U, centers, outside, negatives)

    def spying_update(self, W, dW):
        rates.append(self.learning_rate)
        update(self, W, dW)

    monkeypatch.setattr(NegativeSampling, "forward", spying_forward)
    monkeypatch.setattr(SGD, "update", spying_update)
    return batches, rates


def test_what_the_trainer_feeds_is_what_its_configuration_says(monkeypatch):
    one_long_sentence = [[f"w{i}" for i in np.random.default_rng(0).integers(0, 50, size=6000)]]
    batches, rates = spy_on_batches(monkeypatch)
    config = TrainingConfig(dimension=4, window=3, negatives=2, epochs=2, subsample=0, learning_rate=0.04)
    trainer = Trainer(config)
    trainer.fit(one_long_sentence)
    centers, outside, negatives = (np.concatenate([batch[i] for batch in batches]) for i in range(3))
    assert negatives.shape[1] == 2 and centers.shape[1] == 6
    assert len(outside) == 2 * trainer.vocabulary.raw_words  # nothing is thinned out with subsample 0
    neighbors = (centers >= 0).sum(axis=1)  # twice the reach, which is 1, 2 or 3, each equally often
    assert [np.mean(neighbors == 2 * reach) for reach in (1, 2, 3)] == pytest.approx([1 / 3] * 3, abs=0.03)
    assert rates[0] == pytest.approx(0.04, rel=0.03) and rates == sorted(rates, reverse=True)
    assert rates[-1] == config.min_learning_rate
    assert {batch[3:] for batch in batches} == {(np.dtype(np.float32), np.dtype(np.float32))}


def test_frequent_words_are_thinned_out_and_noise_follows_the_power(monkeypatch):
    batches, _ = spy_on_batches(monkeypatch)
    words = ["often"] * 16_000 + ["seldom"] * 1000
    order = np.random.default_rng(0).permutation(len(words)).reshape(-1, 10)
    sentences = [[words[i] for i in row] for row in order]
    trainer = Trainer(TrainingConfig(dimension=2, epochs=1, subsample=0.1, window=1))
    trainer.fit(sentences)
    outside, negatives = (np.concatenate([batch[i].ravel() for batch in batches]) for i in (1, 2))
    often, seldom = np.bincount(outside)
    expected = 16_000 * keep_probabilities([16_000], 17_000, 0.1)[0]
    assert seldom == 1000 and often == pytest.approx(expected, rel=0.05) and often < 8000
    assert np.mean(negatives == 1) == pytest.approx(1 / (1 + 16**0.75), rel=0.05)


def test_sentences_that_can_be_read_only_once_or_are_strings_are_refused(corpus):
    with pytest.raises(InputError, match="can be read only once"):
        Trainer(TrainingConfig(**SMALL)).fit(sentence for sentence in corpus)
    with pytest.raises(InputError, match="is a list of words, but got the string"):
        Trainer(TrainingConfig(**SMALL)).fit(["the cat sat"] * 10)


@pytest.mark.parametrize(
    "fields, sentence",
    [
        ({"dimension": 2.5}, "dimension to be a whole number, but got 2.5"),
        ({"epochs": True}, "epochs to be a whole number"),
        ({"learning_rate": "fast"}, "learning_rate to be a number"),
        ({"learning_rate": float("inf")}, "learning_rate of at least 0, but got inf"),
        ({"noise_power": float("nan")}, "noise_power of at least 0, but got nan"),
        ({"learning_rate": 0}, "min_learning_rate to be at most learning_rate"),
    ],
)
def test_what_cannot_be_trained_with_is_refused(fields, sentence):
    with pytest.raises(InputError, match=sentence):
        TrainingConfig(**fields)


@pytest.mark.parametrize("field", ["dimension", "window", "epochs", "min_count", "batch_positions"])
@pytest.mark.parametrize("value", [0, -3])
def test_sizes_below_one_are_refused(field, value):
    with pytest.raises(ValueError, match=f"expects {field} of at least 1, but got {value}"):
        TrainingConfig(**{field: value})


@pytest.mark.parametrize("field", ["learning_rate", "subsample", "negatives"])
def test_negative_and_nan_values_are_refused(field):
    with pytest.raises(ValueError, match=f"expects {field} of at least 0, but got -1"):
        TrainingConfig(**{field: -1})
    with pytest.raises(ValueError, match=f"expects {field} .* but got nan"):
        TrainingConfig(**{field: float("nan")})


def test_sentences_of_one_word_give_no_pairs_and_no_crash():
    trainer = Trainer(TrainingConfig(**SMALL | {"epochs": 1}, min_count=1))
    assert len(trainer.fit([["a"], ["b"], ["a"]])) == 2
    assert trainer.losses == [(3, 0.0)]


def test_on_the_embedded_corpus_the_neighbors_make_sense():
    trainer = Trainer(TrainingConfig(epochs=2))
    vectors = trainer.fit(corpora.documentation())
    for word, partner in {"row": "column", "left": "right", "minimum": "maximum"}.items():
        nearest = [near for near, _ in vectors.most_similar(word, topn=5)]
        assert partner in nearest, (word, nearest)
