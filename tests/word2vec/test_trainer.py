import numpy as np
import pytest

from handgrad import corpora
from handgrad.word2vec import Trainer, TrainingConfig


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


@pytest.mark.parametrize("field", ["dimension", "window", "epochs", "min_count", "batch_positions"])
@pytest.mark.parametrize("value", [0, -3])
def test_sizes_below_one_are_refused(field, value):
    with pytest.raises(ValueError, match=f"expects {field} of at least 1, but got {value}"):
        TrainingConfig(**{field: value})


@pytest.mark.parametrize("field", ["learning_rate", "subsample", "negatives"])
def test_negative_and_nan_values_are_refused(field):
    for value in (-1, float("nan")):
        with pytest.raises(ValueError, match=f"expects {field} of at least 0"):
            TrainingConfig(**{field: value})


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
