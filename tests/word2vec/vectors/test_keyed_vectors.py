import copy
import pickle
import time

import numpy as np
import pytest
from safetensors.numpy import save

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


@pytest.mark.parametrize(
    "ask",
    [
        lambda kv, *topn: kv.most_similar("w0", None, *topn),
        lambda kv, *topn: kv.most_similar_cosmul("w0", None, *topn),
        lambda kv, *topn: kv.similar_by_word("w0", *topn),
        lambda kv, *topn: kv.similar_by_key("w0", *topn),
        lambda kv, *topn: kv.similar_by_vector(kv.vectors[0], *topn),
        lambda kv, *topn: kv.analogy("w0", "w1", "w2", *topn),
    ],
)
def test_of_neighbors_there_are_ten_or_as_many_as_are_asked_for(random, ask):
    ten = ask(random)
    assert len(ten) == 10
    for topn in (0, 1, 7, 12):
        found = ask(random, topn)
        assert len(found) == topn and found[:10] == ten[:topn]
    assert ask(random, None).shape == (3000,)


def test_relative_similarity_compares_with_ten_neighbors_where_no_number_is_given(random):
    cosines = [cosine for _, cosine in random.most_similar("w0", topn=10)]
    expected = random.similarity("w0", "w1") / sum(cosines)
    assert random.relative_cosine_similarity("w0", "w1") == pytest.approx(expected)
    assert random.relative_cosine_similarity("w0", "w1", 3) == pytest.approx(expected * sum(cosines) / sum(cosines[:3]))


def test_a_rank_is_that_of_the_second_word_among_the_neighbors_of_the_first():
    vectors = KeyedVectors(["a", "b", "c"], [[1, 0], [1, 0.2], [1, 0.3]])  # c lies beyond b, seen from a
    assert vectors.closer_than("a", "b") == [] and vectors.closer_than("b", "a") == ["c"]
    assert vectors.rank("a", "b") == 1 and vectors.rank("b", "a") == 2


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


def test_words_between_two_indices(compass):
    assert [word for word, _ in compass.most_similar("north", clip_start=2)] == [
        word for word, _ in compass.most_similar("north") if compass.get_index(word) >= 2
    ]
    assert compass.most_similar("north", clip_start=1, clip_end=2)[0][0] == compass.index_to_key[1]
    for ends in ((2, 2), (-1, None), (9, None), (0, 0)):
        with pytest.raises(InputError, match=f"begin at 0 or later and end later, but got {ends[0]} to {ends[1]}"):
            compass.most_similar("north", clip_start=ends[0], clip_end=ends[1])


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
        (lambda kv: kv.most_similar("north", topn=-1), "topn of at least 0"),
        (lambda kv: kv.most_similar("north", topn=2.5), "topn of at least 0, or None for all, but got 2.5"),
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


@pytest.mark.parametrize(
    "dtype, scale", [(np.float16, 1e-4), (np.float32, 1e-21), (np.float32, 1e-30), (np.float64, 1e-170)]
)
def test_vectors_whose_squares_vanish_have_the_cosines_of_longer_ones(dtype, scale):
    plane = np.array([[1, 2], [2, 4.1], [-1, 3], [0, 0]])
    short, long = KeyedVectors(list("abcd"), (plane * scale).astype(dtype)), KeyedVectors(list("abcd"), plane)
    tolerance = {"abs": 2e-3 if dtype == np.float16 else 1e-6}
    assert dict(short.most_similar("a")) == pytest.approx(dict(long.most_similar("a")), **tolerance)
    assert short.distances("a") == pytest.approx(long.distances("a"), **tolerance)
    assert short.similarity("a", "b") == pytest.approx(long.similarity("a", "b"), **tolerance)
    assert np.linalg.norm(short.get_normed_vectors(), axis=1) == pytest.approx([1, 1, 1, 0], abs=1e-3)
    assert short.norms / scale == pytest.approx(long.norms, **tolerance)
    assert np.linalg.norm(short.get_vector("a", norm=True)) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("number", [np.nan, np.inf, 1e30])
def test_vectors_of_a_run_that_diverged_are_named(compass, number):
    compass.vectors[3, 1] = number
    for call in (lambda: compass.most_similar("north"), lambda: compass.norms, lambda: compass.distances("east")):
        with pytest.raises(InputError, match="vector of 'south' has a number that is NaN, infinite or too large"):
            call()


def test_of_two_words_the_one_without_a_cosine_is_named(compass):
    compass.vectors[[2, 3]] = np.nan
    for asked, named in (
        (("north", "northeast"), "northeast"),
        (("south", "north"), "south"),
        (("east", "south"), "south"),
    ):
        with pytest.raises(InputError, match=f"vector of '{named}' has a number that is NaN"):
            compass.similarity(*asked)
    assert compass.similarity("north", "east") == 0


def test_where_all_neighbors_point_away_there_is_nothing_to_be_relative_to():
    apart = KeyedVectors(["a", "b", "c"], [[1, 0], [-0.1, 1], [-0.1, -1]])
    with pytest.raises(InputError, match=r"cosines of the 10 words nearest to 'a' have no sum above 0"):
        apart.relative_cosine_similarity("a", "b")


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


# What users of gensim do with its KeyedVectors


def test_vectors_begin_empty_as_in_gensim_and_words_are_added():
    for vectors in (
        KeyedVectors(3),
        KeyedVectors(vector_size=3),
        KeyedVectors(3, 5),
        KeyedVectors(vector_size=3, count=5),
    ):
        assert len(vectors) == 0 and vectors.vectors.shape == (0, 3) and vectors.vectors.dtype == np.float32
        assert vectors.add_vector("a", [1, 2, 3]) == 0 and vectors.add_vector("b", np.ones(3)) == 1
        assert vectors.index_to_key == ["a", "b"] and vectors.key_to_index == {"a": 0, "b": 1}
        assert vectors.vectors.tolist() == [[1, 2, 3], [1, 1, 1]] and vectors.vectors.dtype == np.float32
        assert vectors.most_similar("a") == [("b", pytest.approx(6 / np.sqrt(42)))]
    assert KeyedVectors(3, 0, np.float64).vectors.dtype == KeyedVectors(3, dtype=np.float64).vectors.dtype == np.float64


def test_adding_keeps_what_is_there_unless_told_to_replace(compass):
    compass.add_vectors(["north", "up"], [[7, 7], [8, 8]], extras={"count": np.array([99, 5])})
    assert compass["north"].tolist() == [0, 2] and compass["up"].tolist() == [8, 8]
    assert compass.get_vecattr("north", "count") == 50 and compass.get_vecattr("up", "count") == 5
    assert compass.add_vector("east", [9, 9]) == 1 and compass["east"].tolist() == [1, 0]
    compass.add_vectors(["north", "down"], [[7, 7], [6, 6]], extras={"sense": ["sky", "earth"]}, replace=True)
    assert compass["north"].tolist() == [7, 7] and compass.index_to_key == [*WORDS, "up", "down"]
    assert compass.get_vecattr("down", "sense") == "earth" and compass.get_vecattr("down", "count") == 0
    compass.add_vectors([], [])
    assert len(compass) == 7


def test_a_vector_is_set_by_its_word_or_index(compass):
    compass["north"] = [5, 6]
    compass[1] = [7, 8]
    compass["up"] = [9, 9]
    compass[["south", "down"]] = np.array([[1, 2], [3, 4]])
    assert compass.index_to_key == [*WORDS, "up", "down"]
    assert compass[["north", "east", "south", "up", "down"]].tolist() == [[5, 6], [7, 8], [1, 2], [9, 9], [3, 4]]


def test_words_that_come_one_by_one_are_as_if_they_had_come_at_once():
    """Room is doubled; what belongs to others is never written over."""
    rows = np.random.default_rng(0).standard_normal((300, 4)).astype(np.float32)
    whole, started = rows.copy(), KeyedVectors(["w0", "w1"], rows[:2], counts=[5, 4])
    for i in range(2, 300):
        assert started.add_vector(f"w{i}", rows[i]) == i
        started.set_vecattr(f"w{i}", "count", i)
    np.testing.assert_array_equal(started.vectors, whole)
    np.testing.assert_array_equal(rows, whole)
    assert started.expandos["count"].tolist() == [5, 4, *range(2, 300)]
    copied = copy.deepcopy(started)
    part = KeyedVectors(["a"], started.vectors[:1])
    for vectors in (copied, part):
        vectors.vectors[0] = 7
        vectors.add_vector("new", np.zeros(4))
        assert vectors["new"].tolist() == [0] * 4 and vectors[0].tolist() == [7] * 4
    np.testing.assert_array_equal(started.vectors[1:], whole[1:])
    started.vectors = started.vectors[1:]  # by hand
    started.index_to_key = started.index_to_key[1:]
    started.key_to_index = {word: i for i, word in enumerate(started.index_to_key)}
    started.expandos = {}
    started.add_vector("new", np.ones(4))
    np.testing.assert_array_equal(started.vectors[:-1], whole[1:])


def test_a_vocabulary_and_read_only_vectors_are_not_changed_by_adding():
    vocabulary, rows = Vocabulary({"a": 2, "b": 7}), np.eye(2)
    rows.flags.writeable = False
    vectors = KeyedVectors(vocabulary, rows)
    vectors["a"] = [5, 5]
    vectors["c"] = [6, 6]
    assert vectors[["b", "a", "c"]].tolist() == [[1, 0], [5, 5], [6, 6]] and rows.tolist() == [[1, 0], [0, 1]]
    assert vocabulary.index_to_key == ["b", "a"] and "c" not in vocabulary and len(vocabulary.counts) == 2
    assert vectors.get_vecattr("c", "count") == 0


def test_the_vectors_of_some_words(compass):
    some = compass.vectors_for_all(["east", "up", "north", "east"])
    assert some.index_to_key == ["east", "north"] and some.vectors.tolist() == [[1, 0], [0, 2]]
    assert type(some) is KeyedVectors and not some.expandos
    assert compass.vectors_for_all(iter(["south"]), copy_vecattrs=True).get_vecattr("south", "count") == 20
    some["east"] = [3, 3]
    assert compass["east"].tolist() == [1, 0]
    assert len(compass.vectors_for_all([])) == 0


def test_the_most_frequent_come_first(compass):
    compass.set_vecattr("nothing", "count", 45)
    compass.set_vecattr("east", "sense", "sunrise")
    compass.sort_by_descending_frequency()
    assert compass.index_to_key == ["north", "nothing", "east", "northeast", "south"]
    assert compass["nothing"].tolist() == [0, 0] and compass.get_vecattr("nothing", "count") == 45
    assert compass.get_index("east") == 2 and compass.get_vecattr("east", "sense") == "sunrise"
    with pytest.raises(InputError, match="needs counts"):
        KeyedVectors(["a"], [[1.0]]).sort_by_descending_frequency()


def test_no_neighbors_at_all_and_relative_cosines(compass):
    for topn in (0, np.uint8(0)):
        assert compass.most_similar("north", topn=topn) == compass.most_similar_cosmul("north", topn=topn) == []
        assert compass.similar_by_word("north", topn) == compass.similar_by_vector([1, 2], topn) == []
    assert len(compass.most_similar("north", topn=np.uint8(2))) == 2
    near = [cosine for _, cosine in compass.most_similar("east", topn=2)]
    relative = compass.relative_cosine_similarity("east", "northeast", topn=2)
    assert relative == pytest.approx(near[0] / sum(near))
    with pytest.raises(InputError, match="no sum above 0"):
        KeyedVectors(["a", "b"], [[1.0], [-1.0]]).relative_cosine_similarity("a", "b")


def test_lengths_are_made_1_for_good(compass):
    compass.init_sims()
    assert compass["northeast"].tolist() == [3, 3]
    compass.init_sims(replace=True)
    assert compass.norms.tolist() == pytest.approx([1, 1, 1, 1, 0]) and compass.vectors.dtype == np.float32


@pytest.mark.parametrize("name", ["vocab", "index2word", "index2entity", "syn0", "vectors_norm", "wv", "no_such_name"])
def test_names_that_are_gone_say_what_to_use(compass, name):
    with pytest.raises(
        AttributeError, match=f"KeyedVectors has no '{name}'{'.' if name == 'no_such_name' else ': use '}"
    ):
        getattr(compass, name)
    assert not hasattr(compass, name) and copy.copy(compass).index_to_key == WORDS
    assert pickle.loads(pickle.dumps(compass)).index_to_key == WORDS


@pytest.mark.parametrize(
    "call, sentence",
    [
        (lambda kv: KeyedVectors(), "words and their vectors, or a vector_size"),
        (lambda kv: KeyedVectors(["a"]), "words and their vectors, or a vector_size"),
        (lambda kv: KeyedVectors(["a"], vector_size=3), "vectors for its words, but got none"),
        (lambda kv: KeyedVectors(["a"], [[1.0]], vector_size=3), "not both"),
        (lambda kv: KeyedVectors("abc", np.eye(3)), "a list of words, but got the string 'abc'"),
        (lambda kv: KeyedVectors(0), "vector_size is a whole number of at least 1, but got 0"),
        (lambda kv: KeyedVectors(vector_size=2.5), "vector_size is a whole number"),
        (lambda kv: KeyedVectors(3, -1), "count is a whole number of at least 0, but got -1"),
        (lambda kv: KeyedVectors(3, np.eye(3)), "count is a whole number of at least 0, but got array"),
        (lambda kv: KeyedVectors(3, dtype=int), "Vectors are floats, such as float32, but got the type int64"),
        (lambda kv: KeyedVectors(3, dtype="many"), "Vectors are floats, such as float32, but got 'many'"),
        (lambda kv: kv.add_vector("up", [1, 2, 3]), r"expect shape \(1, 2\), but got shape \(1, 3\)"),
        (lambda kv: kv.add_vectors(["up", "down"], [[1, 2]]), r"Vectors for 2 words expect shape \(2, 2\)"),
        (lambda kv: kv.add_vectors(["up", "down"], [[1, 2], [1]]), "2 for each word, but got others"),
        (lambda kv: kv.add_vectors(["up"], [["a", "b"]]), "2 for each word, but got others"),
        (lambda kv: kv.add_vectors(["up", "up"], np.ones((2, 2))), "each word once, but 'up' occurs twice"),
        (lambda kv: kv.add_vectors([None], np.ones((1, 2))), "A word is a string or a whole number, but got None"),
        (lambda kv: kv.add_vectors(["up"], np.ones((1, 2)), {"count": [1, 2]}), "'count' expects 1 values"),
        (lambda kv: kv.add_vectors(["up"], np.ones((1, 2)), {"count": ["x"]}), "'count' holds numbers of type int64"),
        (lambda kv: kv.__setitem__("up", [1]), "expect shape"),
    ],
)
def test_wrong_beginnings_and_additions_change_nothing(compass, call, sentence):
    with pytest.raises(InputError, match=sentence):
        call(compass)
    assert compass.index_to_key == WORDS and compass.vectors.tolist() == VECTORS.tolist()
    assert len(compass.expandos["count"]) == 5 and "up" not in compass


# Files


@pytest.mark.parametrize("name", ["vectors", "vectors.gz", "vectors.kv"])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_what_is_saved_is_loaded_bit_for_bit_with_its_attributes(tmp_path, name, dtype):
    words = ["", "new york", "a\nb", "\ufeff", "\udc80", "ä", 7]
    rows = np.random.default_rng(0).standard_normal((7, 3)).astype(dtype)
    vectors = KeyedVectors(words, np.asfortranarray(rows), counts=range(7))
    vectors.set_vecattr("ä", "sense", "letter")
    vectors.save(tmp_path / name)
    loaded = KeyedVectors.load(tmp_path / name)
    assert loaded.index_to_key == words and loaded.vectors.dtype == dtype and loaded.vectors.tobytes() == rows.tobytes()
    assert loaded.expandos["count"].tolist() == list(range(7)) and loaded.get_vecattr("ä", "sense") == "letter"
    loaded["ä"] = loaded["new"] = [1, 2, 3]
    assert loaded["new"].tolist() == [1, 2, 3] and KeyedVectors.load(tmp_path / name, mmap="r").index_to_key == words


@pytest.mark.parametrize(
    "content, sentence",
    [
        (
            pickle.dumps({"a": 1}),
            "a Python pickle, which could run any code.*gensim, and write it with its save_word2vec_",
        ),
        (b"2 2\na 1 2\nb 3 4\n", "word2vec's format, which KeyedVectors.load_word2vec_format reads"),
        (b"", "another file, or damaged"),
        (b"\x10" + bytes(7) + b"{} ", "another file, or damaged"),
        (save({"vectors": np.eye(2)}), "another file, or damaged"),
        (save({"vectors": np.eye(2), "words": np.frombuffer(b'["a"]', np.uint8)}), "another file, or damaged"),
        (save({"vectors": np.eye(2), "words": np.frombuffer(b'{"a": 1}', np.uint8)}), "another file, or damaged"),
        (save({"vectors": np.eye(1), "words": np.frombuffer(b"[[1]]", np.uint8)}), "another file, or damaged"),
        (save({"vectors": np.eye(1), "words": np.frombuffer(b"[" * 90_000, np.uint8)}), "another file, or damaged"),
        (None, "could not be read"),
    ],
)
def test_another_file_is_not_loaded_and_a_pickle_never(tmp_path, content, sentence):
    if content is not None:
        (tmp_path / "file").write_bytes(content)
    with pytest.raises(InputError, match=rf"file .*{sentence}"):
        KeyedVectors.load(tmp_path / "file")


def test_what_cannot_be_saved_leaves_no_file(tmp_path, compass):
    compass.set_vecattr("east", "sense", object())
    with pytest.raises(InputError, match="the values of 'sense' have others"):
        compass.save(tmp_path / "file")
    assert list(tmp_path.iterdir()) == []


def test_counts_are_written_and_read_beside_the_vectors(tmp_path, compass):
    compass.save_word2vec_format(tmp_path / "v", fvocab=tmp_path / "counts", binary=True)
    assert (tmp_path / "counts").read_text() == "north 50\neast 40\nnortheast 30\nsouth 20\nnothing 10\n"
    loaded = KeyedVectors.load_word2vec_format(tmp_path / "v", tmp_path / "counts")
    assert loaded.index_to_key == WORDS and loaded.expandos["count"].tolist() == [50, 40, 30, 20, 10]
    (tmp_path / "counts").write_text("south 7\n")
    assert KeyedVectors.load_word2vec_format(tmp_path / "v", tmp_path / "counts").expandos["count"].sum() == 7
    for wrong in (
        "south\n",
        "south 7 8\n",
        "south 7.5\n",
        "south -7\n",
        "south 1e3\n",
        "a 1\nsouth 9999999999999999999\n",
    ):
        (tmp_path / "counts").write_text(wrong)
        with pytest.raises(InputError, match=r"counts is not a vocabulary: line \d, 'south.*', is not a word and its"):
            KeyedVectors.load_word2vec_format(tmp_path / "v", tmp_path / "counts")
    with pytest.raises(InputError, match="A file of counts needs counts"):
        KeyedVectors(["a"], [[1.0]]).save_word2vec_format(tmp_path / "new", fvocab=tmp_path / "new counts")
    assert {path.name for path in tmp_path.iterdir()} == {"v", "counts"}


def test_vectors_are_written_in_another_order_with_a_prefix_and_one_after_the_other(tmp_path, compass):
    compass.set_vecattr("nothing", "count", 45)
    compass.save_word2vec_format(tmp_path / "v", sort_attr="count", prefix="*", total_vec=6, fvocab=tmp_path / "c")
    KeyedVectors(["doc"], [[7.0, 7.0]]).save_word2vec_format(tmp_path / "v", write_header=False, append=True)
    loaded = KeyedVectors.load_word2vec_format(tmp_path / "v", datatype=np.float64)
    assert loaded.index_to_key == ["*north", "*nothing", "*east", "*northeast", "*south", "doc"]
    assert loaded["*nothing"].tolist() == [0, 0] and loaded.vectors.dtype == np.float64
    assert (tmp_path / "c").read_text().split()[:4] == ["*north", "50", "*nothing", "45"]


def test_words_of_one_count_keep_their_order_however_many_they_are(tmp_path):
    """In a table that is sorted, and in a file that is."""
    counts = np.random.default_rng(0).integers(1, 4, 1000)
    words = [f"w{i}" for i in range(1000)]
    vectors = KeyedVectors(words, np.arange(2000.0, dtype=np.float32).reshape(1000, 2), counts)
    vectors.save_word2vec_format(tmp_path / "v", sort_attr="count")
    before = vectors.vectors.copy()
    vectors.sort_by_descending_frequency()
    expected = sorted(range(1000), key=lambda i: -counts[i])  # Python's sort is stable
    assert vectors.index_to_key == [f"w{i}" for i in expected]
    np.testing.assert_array_equal(vectors.vectors, before[expected])
    assert vectors.get_vecattr("w7", "count") == counts[7] and vectors.get_index("w7") == expected.index(7)
    written = KeyedVectors.load_word2vec_format(tmp_path / "v")
    assert written.index_to_key == vectors.index_to_key
    np.testing.assert_array_equal(written.vectors, vectors.vectors)


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("header", [True, False])
def test_a_file_of_counts_changes_nothing_in_the_file_of_vectors(tmp_path, compass, binary, header):
    if binary and not header:
        with pytest.raises(InputError, match="binary format needs its header"):
            compass.save_word2vec_format(tmp_path / "v", tmp_path / "c", binary=True, write_header=False)
        assert not list(tmp_path.iterdir())
        return
    compass.save_word2vec_format(tmp_path / "with", tmp_path / "c", binary=binary, write_header=header)
    compass.save_word2vec_format(tmp_path / "without", binary=binary, write_header=header)
    assert (tmp_path / "with").read_bytes() == (tmp_path / "without").read_bytes()
    assert (tmp_path / "with").read_bytes().startswith(b"5 2\n") == header


def test_vectors_that_cannot_be_written_to_are_copied_when_one_is_replaced():
    array = np.eye(2, dtype=np.float32)
    array.flags.writeable = False  # as that of a memory map is
    vectors = KeyedVectors(["a", "b"], array)
    vectors.add_vectors(["b"], [[3.0, 4.0]], replace=True)
    assert vectors["b"].tolist() == [3, 4] and array[1].tolist() == [0, 1]


def test_gensims_options_of_loading(tmp_path):
    (tmp_path / "v").write_bytes("1 2\nmönd 1 2\n".encode("latin-1"))
    loaded = KeyedVectors.load_word2vec_format(tmp_path / "v", binary=False, encoding="latin-1", datatype=np.float16)
    assert loaded.index_to_key == ["mönd"] and loaded.vectors.dtype == np.float16
    assert KeyedVectors.load_word2vec_format(tmp_path / "v", unicode_errors="ignore").index_to_key == ["mnd"]


def test_word_pairs_are_judged_with_gensims_three_results(compass):
    pairs = [("north", "northeast", 9.0), ("north", "east", 5.0), ("north", "south", 1.0), ("north", "unheard", 3.0)]
    (pearson, _), (spearman, _), unknown = compass.evaluate_word_pairs(pairs)
    by_hand = np.corrcoef([9, 5, 1], [np.sqrt(0.5), 0, -1])[0, 1]
    assert pearson == pytest.approx(by_hand) and spearman == pytest.approx(1) and unknown == pytest.approx(25)
