import time

import numpy as np
import pytest

from handgrad.errors import InputError
from handgrad.word2vec import KeyedVectors, Trainer, TrainingConfig, UnknownWordError, Vocabulary

WORDS = ["north", "east", "northeast", "south", "nothing"]
VECTORS = np.array([[0, 2], [1, 0], [3, 3], [0, -1], [0, 0]], dtype=np.float32)


@pytest.fixture
def compass():
    return KeyedVectors(WORDS, VECTORS.copy(), counts=[50, 40, 30, 20, 10])


@pytest.fixture
def random():
    rng = np.random.default_rng(0)
    return KeyedVectors([f"w{i}" for i in range(3000)], rng.standard_normal((3000, 50), dtype=np.float32))


def test_neighbors_by_cosine_without_the_word_itself(compass):
    neighbors = compass.most_similar("north", topn=2)
    assert neighbors[0] == ("northeast", pytest.approx(np.sqrt(0.5)))
    assert neighbors[1] == ("east", pytest.approx(0.0))
    assert [w for w, _ in compass.most_similar("north", topn=10)] == ["northeast", "east", "nothing", "south"]


def test_positive_and_negative_words_count_with_length_one(compass):
    assert compass.most_similar(positive=["northeast"], negative=["east"], topn=1)[0][0] == "north"
    by_hand = VECTORS[2] / np.linalg.norm(VECTORS[2]) - [1, 0]
    cosine = by_hand[1] / np.linalg.norm(by_hand)
    assert compass.most_similar(["northeast"], ["east"], topn=1)[0][1] == pytest.approx(cosine, rel=1e-6)


def test_neighbors_agree_with_all_cosines_in_float64(random):
    unit = random.vectors.astype(np.float64)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    wanted = unit[1] + unit[2] - unit[3]
    cosines = unit @ (wanted / np.linalg.norm(wanted))
    cosines[[1, 2, 3]] = -2
    best = np.argsort(-cosines)[:20]
    found = random.most_similar(["w1", "w2"], ["w3"], topn=20)
    assert [word for word, _ in found] == [f"w{i}" for i in best]
    np.testing.assert_allclose([cosine for _, cosine in found], cosines[best], rtol=1e-5)


def test_equal_vectors_come_in_the_order_of_their_indices():
    rng = np.random.default_rng(0)
    four = rng.standard_normal((4, 37), dtype=np.float32)
    kind = rng.integers(4, size=5000)
    vectors = KeyedVectors([f"w{i}" for i in range(5000)], four[kind])
    found = [int(word[1:]) for word, _ in vectors.most_similar("w0", topn=4000)]
    for k in range(4):
        of_kind = [i for i in found if kind[i] == k]
        assert of_kind == sorted(of_kind)
    assert len({cosine for _, cosine in vectors.most_similar("w0", topn=4999)}) == 4


def test_words_indices_vectors_and_pairs_with_weights(compass):
    expected = compass.most_similar("northeast", topn=2)
    assert compass.most_similar(2, topn=2) == compass.most_similar([np.int64(2)], topn=2) == expected
    assert compass.similar_by_word("northeast", topn=2) == compass.similar_by_key("northeast", topn=2) == expected
    assert compass.similar_by_vector([5, 5], topn=1)[0] == ("northeast", pytest.approx(1.0))  # a vector is no word
    assert compass.most_similar(VECTORS[:1], topn=1)[0][0] == "north"
    weighted = compass.most_similar([("north", 1.0), ("east", 0.1)], topn=2)
    assert weighted[0] == ("northeast", pytest.approx(1.1 / np.sqrt(2 * 1.01)))
    assert compass.most_similar([("north", -1.0)], topn=1) == compass.most_similar(negative="north", topn=1)
    assert compass.most_similar("north", negative=[("east", 0.1)]) == compass.most_similar([("east", 0.1), "north"])


def test_restrict_vocab_looks_only_among_the_first_words(compass):
    assert [w for w, _ in compass.most_similar("south", topn=9, restrict_vocab=2)] == ["east", "north"]
    assert compass.most_similar("north", topn=1, restrict_vocab=99)[0][0] == "northeast"


def test_without_topn_all_cosines_in_order(compass):
    cosines = compass.most_similar("north", topn=None)
    assert cosines.tolist() == pytest.approx([1, 0, np.sqrt(0.5), -1, 0])


def test_an_analogy_is_b_minus_a_plus_c():
    words = ["man", "woman", "king", "queen", "apple"]
    vectors = KeyedVectors(words, [[1, 0, 0.2], [0, 1, 0.2], [1, 0, 1], [0, 1, 1], [-1, -1, 0.1]])
    assert vectors.analogy("man", "king", "woman", topn=1)[0][0] == "queen"
    assert vectors.analogy("man", "king", "woman", 2) == vectors.most_similar(["king", "woman"], ["man"], 2)
    assert vectors.most_similar_cosmul(["king", "woman"], ["man"], topn=1)[0][0] == "queen"


def test_similarity_and_access(compass):
    assert compass.similarity("north", "south") == pytest.approx(-1.0)
    assert compass.distance("north", "south") == pytest.approx(2.0)
    assert compass.similarity("north", "nothing") == 0.0
    assert compass["northeast"].tolist() == compass[2].tolist() == [3.0, 3.0]
    assert compass[["east", 0]].tolist() == [[1, 0], [0, 2]]
    assert compass.get_vector("northeast", norm=True).tolist() == pytest.approx([np.sqrt(0.5)] * 2)
    assert compass.get_vector("nothing", norm=True).tolist() == [0, 0]
    assert "east" in compass and "up" not in compass and len(compass) == 5 and compass.vector_size == 2
    assert compass.get_index("south") == 3 and compass.get_index("up", -7) == -7 and compass.has_index_for("east")


def test_a_vector_that_was_given_out_cannot_be_changed_by_accident(compass):
    with pytest.raises(ValueError, match="read-only"):
        compass["north"][0] = 1
    compass.vectors[0, 0] = 1  # on purpose


def test_lengths_are_those_of_the_vectors_as_they_are_now(compass):
    assert compass.norms.tolist() == pytest.approx([2, 1, np.sqrt(18), 1, 0])
    compass.fill_norms()
    compass.vectors[2] *= 10
    assert compass.most_similar("east", topn=1) == [("northeast", pytest.approx(np.sqrt(0.5)))]
    compass.vectors[2] = [-1, 0]
    assert compass.most_similar("east", topn=9)[-1] == ("northeast", pytest.approx(-1.0))
    assert compass.norms[2] == 1
    np.testing.assert_allclose(np.linalg.norm(compass.get_normed_vectors(), axis=1), [1, 1, 1, 1, 0], rtol=1e-6)


def test_distances_closer_than_and_rank(compass):
    assert compass.distances("north").tolist() == pytest.approx([0, 1, 1 - np.sqrt(0.5), 2, 1])
    assert compass.distances(np.array([0.0, 9.0]), ["south", "east"]).tolist() == pytest.approx([2, 1])
    assert compass.closer_than("north", "south") == ["east", "northeast", "nothing"]
    assert compass.rank("north", "northeast") == 1 and compass.rank("north", "south") == 4
    assert compass.most_similar_to_given("north", ["south", "northeast", "east"]) == "northeast"


def test_means_and_the_word_that_does_not_match(compass):
    mean = compass.get_mean_vector(["north", "east"])
    assert mean.tolist() == [0.5, 0.5] and mean.dtype == np.float32
    assert compass.get_mean_vector(["north", "east"], pre_normalize=False).tolist() == [0.5, 1]
    assert compass.get_mean_vector(["north", "east"], weights=[3, -1]).tolist() == [-0.25, 0.75]
    assert compass.get_mean_vector(["north", "up"], post_normalize=True).tolist() == [0, 1]
    with pytest.raises(UnknownWordError):
        compass.get_mean_vector(["north", "up"], ignore_missing=False)
    assert compass.n_similarity(["north", "east"], ["northeast"]) == pytest.approx(1.5 / np.sqrt(1.25 * 2))
    assert compass.doesnt_match(["north", "south", "northeast", "east"]) == "south"
    assert [word for _, word in compass.rank_by_centrality(["north", "east", "south"])] == ["east", "south", "north"]


def test_a_word_without_a_vector_is_passed_over_with_a_warning(compass):
    with pytest.warns(UserWarning, match="passed over: 'up', 'down'"):
        assert compass.doesnt_match(["north", "up", "northeast", "down", "south", "east"]) == "south"


def test_counts_and_other_attributes(compass):
    assert compass.get_vecattr("east", "count") == 40
    compass.set_vecattr("east", "count", 41)
    compass.set_vecattr("east", "sense", "sunrise")
    compass.set_vecattr("north", "weight", 0.5)
    assert compass.get_vecattr("east", "count") == 41 and compass.get_vecattr("east", "sense") == "sunrise"
    assert compass.get_vecattr("south", "weight") == 0.0
    with pytest.raises(InputError, match="'count' holds numbers of type int64"):
        compass.set_vecattr("east", "count", 1.5)
    with pytest.raises(KeyError, match="no attribute 'color'"):
        compass.get_vecattr("east", "color")


def test_an_unknown_word_is_a_sentence_with_a_suggestion(compass):
    with pytest.raises(UnknownWordError) as error:
        compass.most_similar("nort")
    assert str(error.value) == "The word 'nort' is not among these 5 words; did you mean north?"
    for call in (
        compass.get_vector,
        compass.get_index,
        compass.similar_by_word,
        compass.distances,
        compass.__getitem__,
    ):
        with pytest.raises(KeyError):  # what users of gensim catch
            call("qqqqqq")
    with pytest.raises(KeyError):
        compass[5]


@pytest.mark.parametrize(
    "call, sentence",
    [
        (lambda kv: kv.most_similar(), "at least one word"),
        (lambda kv: kv.most_similar([], []), "at least one word"),
        (lambda kv: kv.most_similar("north", topn=0), "topn of at least 1"),
        (lambda kv: kv.most_similar("north", topn=-1), "topn of at least 1"),
        (lambda kv: kv.most_similar("north", restrict_vocab=0), "restrict_vocab expects at least 1 word"),
        (lambda kv: kv.most_similar([("north", 1.0, 2.0)]), "pairs .word, weight., but got"),
        (lambda kv: KeyedVectors(WORDS[:3], VECTORS), "one row for each of the 3 words"),
        (lambda kv: KeyedVectors(WORDS, VECTORS[0]), "one row for each of the 5 words"),
        (lambda kv: KeyedVectors(["a"] * 5, VECTORS), "each word once, but 'a' occurs twice"),
        (lambda kv: KeyedVectors(["a"], [["x"]]), "vectors of numbers"),
        (lambda kv: KeyedVectors(WORDS, VECTORS, counts=[1]), "5 counts, but got shape .1,."),
        (lambda kv: kv.most_similar("nothing"), "without a direction"),
        (lambda kv: kv.most_similar(["north"], ["north"]), "without a direction"),
        (lambda kv: kv.similar_by_vector([1, 2, 3]), "expects 2 finite numbers, but got shape .3,"),
        (lambda kv: kv.similar_by_vector([1, np.nan]), "with NaN or infinity"),
        (lambda kv: kv.get_mean_vector([]), "at least one key"),
        (lambda kv: kv.get_mean_vector(["north"], weights=[1, 2]), "a weight for each"),
        (lambda kv: kv.rank_by_centrality([]), "at least one word that has a vector"),
    ],
)
def test_wrong_use_is_answered_with_a_sentence(compass, call, sentence):
    with pytest.raises(InputError, match=sentence):
        call(compass)


@pytest.mark.parametrize("number", [np.nan, np.inf, 1e30])
def test_vectors_of_a_run_that_diverged_are_named(compass, number):
    compass.vectors[3, 1] = number
    for call in (lambda: compass.most_similar("north"), lambda: compass.norms, lambda: compass.distances("east")):
        with pytest.raises(InputError, match="vector of 'south' has a number that is NaN, infinite or too large"):
            call()


def test_a_bad_vector_far_down_is_named_too(random):
    random.vectors[2900, 7] = np.nan  # beyond what is worked on at once
    with pytest.raises(InputError, match="vector of 'w2900'"):
        random.most_similar("w0")


def test_a_few_words_and_other_kinds_of_numbers():
    one = KeyedVectors(["a"], [[1, 2]])
    assert one.vectors.dtype == np.float32 and one.most_similar("a") == []
    double = KeyedVectors(["a", "b"], [[1.0, 2.0], [2.0, 1.0]])
    assert double.vectors.dtype == np.float64 and double.most_similar("a") == [("b", pytest.approx(0.8))]
    column = KeyedVectors(["a", "b"], np.asfortranarray(VECTORS[:2]))
    assert column.most_similar("a") == [("b", 0.0)]
    assert len(KeyedVectors([], np.empty((0, 3))).norms) == 0


def test_the_words_of_a_vocabulary_are_shared_and_its_counts_are_there():
    vocabulary = Vocabulary({"a": 2, "b": 7})
    vectors = KeyedVectors(vocabulary, np.eye(2))
    assert vectors.index_to_key is vocabulary.index_to_key and vectors.key_to_index is vocabulary.key_to_index
    assert vectors.get_vecattr("b", "count") == 7 and vectors["a"].tolist() == [0, 1]
    with pytest.raises(InputError, match="one row for each of the 2 words"):
        KeyedVectors(vocabulary, np.eye(3))


def test_training_makes_no_dict_of_the_words(tmp_path):
    """With a million of them it takes 75 MB. Nor does writing what was learned."""
    sentences = [["a", "b", "c"]] * 20
    trainer = Trainer(TrainingConfig(min_count=1, dimension=3, epochs=1, subsample=0))
    vectors = trainer.fit(sentences, tmp_path / "run")
    assert "key_to_index" not in vars(trainer.vocabulary) and "key_to_index" not in vars(vectors)
    assert vectors.get_index("b") == trainer.vocabulary.key_to_index["b"] == 1


def test_ten_neighbors_among_many_words_are_found_without_a_copy_of_the_vectors():
    """Loose bounds: the figures for a million words are in bench/vectors.py."""
    import tracemalloc

    V, D = 200_000, 100
    vectors = KeyedVectors(range(V), np.random.default_rng(0).standard_normal((V, D), dtype=np.float32))
    tracemalloc.start()
    started = time.perf_counter()
    assert len(vectors.most_similar(0, topn=10)) == 10
    seconds = time.perf_counter() - started
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 0.1 * vectors.vectors.nbytes and seconds < 2
