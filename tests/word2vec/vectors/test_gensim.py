"""The same files, the same neighbors and the same scores as gensim, in both directions.

gensim has no wheels for Python 3.14 and later, so there this page is passed over, and says so. The formats are
also tested without gensim, byte for byte, in test_vector_files.py.
"""

import sys

import numpy as np
import pytest

from handgrad.word2vec import KeyedVectors

if sys.version_info >= (3, 14):
    pytest.skip("gensim cannot be installed here without a compiler", allow_module_level=True)

from gensim.models import KeyedVectors as GensimVectors

V, D = 600, 20


@pytest.fixture(scope="module")
def pair():
    """The same vectors in both libraries; some words differ by case alone."""
    rng = np.random.default_rng(0)
    words = [f"word{i}" for i in range(V - 100)] + [f"WORD{i}" for i in range(99)] + ["ärger"]
    vectors = rng.standard_normal((V, D), dtype=np.float32)
    vectors[1:400:2] += 0.8 * vectors[0:400:2]  # neighbors, so that some analogies come out right
    vectors[2:400:4] += vectors[0]
    vectors[3:400:4] += vectors[0]
    theirs = GensimVectors(D, V)
    for word, vector in zip(words, vectors, strict=True):
        theirs.add_vector(word, vector)
    return KeyedVectors(words, vectors), theirs


def assert_equal(ours, theirs):
    assert ours.index_to_key == theirs.index_to_key and ours.key_to_index == theirs.key_to_index
    assert ours.vectors.dtype == theirs.vectors.dtype and ours.vector_size == theirs.vector_size
    np.testing.assert_array_equal(ours.vectors, theirs.vectors)


def assert_equal_rankings(ours, theirs):
    assert [word for word, _ in ours] == [word for word, _ in theirs]
    np.testing.assert_allclose([score for _, score in ours], [score for _, score in theirs], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("name", ["vectors", "vectors.gz"])
def test_files_are_exchanged_both_ways_bit_for_bit(tmp_path, pair, binary, name):
    ours, theirs = pair
    (tmp_path / "ours").mkdir()
    (tmp_path / "theirs").mkdir()
    ours.save_word2vec_format(tmp_path / "ours" / name, binary=binary)
    theirs.save_word2vec_format(str(tmp_path / "theirs" / name), binary=binary)
    assert_equal(ours, GensimVectors.load_word2vec_format(str(tmp_path / "ours" / name), binary=binary))
    assert_equal(KeyedVectors.load_word2vec_format(tmp_path / "theirs" / name, binary=binary), theirs)
    assert_equal(KeyedVectors.load_word2vec_format(tmp_path / "theirs" / name), theirs)
    if name == "vectors":
        assert (tmp_path / "ours" / name).read_bytes() == (tmp_path / "theirs" / name).read_bytes()


@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")  # gensim's own
def test_text_without_a_header_and_limits(tmp_path, pair):
    ours, theirs = pair
    ours.save_word2vec_format(tmp_path / "ours", write_header=False)
    theirs.save_word2vec_format(str(tmp_path / "theirs"), write_header=False)
    assert (tmp_path / "ours").read_bytes() == (tmp_path / "theirs").read_bytes()
    for limit in (None, 7):
        loaded = GensimVectors.load_word2vec_format(str(tmp_path / "ours"), no_header=True, limit=limit)
        assert_equal(KeyedVectors.load_word2vec_format(tmp_path / "theirs", limit=limit), loaded)


@pytest.mark.parametrize(
    "method, arguments",
    [
        ("most_similar", (["word1", "word2"], ["word3"])),
        ("most_similar", ("word1",)),
        ("most_similar", (["word1"], None, 30)),
        ("most_similar", ([("word1", 0.5), ("word2", 2.0)], [("word3", -0.3)])),
        ("most_similar", ([("word1", 0.5)], [("word3", 0.3)])),
        ("most_similar", ([4, "word2"], [7])),
        ("most_similar", ([np.arange(D, dtype=np.float32), "word2"],)),
        ("similar_by_word", ("word5", 3)),
        ("similar_by_vector", (np.arange(D, dtype=np.float32), 3)),
    ],
)
@pytest.mark.parametrize("restrict_vocab", [None, 100])
def test_the_same_words_with_the_same_scores(pair, method, arguments, restrict_vocab):
    ours, theirs = (getattr(vectors, method)(*arguments, restrict_vocab=restrict_vocab) for vectors in pair)
    assert_equal_rankings(ours, theirs)


@pytest.mark.filterwarnings("ignore:Call to deprecated `init_sims`")  # gensim's own call
def test_the_same_products_of_cosines_and_the_same_center(pair):
    ours, theirs = (vectors.most_similar_cosmul(["word1", "word2"], ["word3"]) for vectors in pair)
    assert_equal_rankings(ours, theirs)
    ours, theirs = (vectors.rank_by_centrality(["word1", "word2", "word3"]) for vectors in pair)
    assert_equal_rankings([row[::-1] for row in ours], [row[::-1] for row in theirs])


@pytest.mark.parametrize(
    "method, arguments, options",
    [
        ("similarity", ("word1", "word2"), {}),
        ("distance", ("word1", "word2"), {}),
        ("distances", ("word1",), {}),
        ("distances", ("word1", ["word2", 5]), {}),
        ("n_similarity", (["word1", "word2"], ["word3", "unknown"]), {}),
        ("get_vector", ("word1",), {"norm": True}),
        ("get_normed_vectors", (), {}),
        ("get_mean_vector", (["word1", "word2", "unknown"],), {}),
        ("get_mean_vector", (["word1", 2],), {"weights": [1, -3], "pre_normalize": False, "post_normalize": True}),
        ("most_similar", ("word1",), {"topn": None}),
        ("__getitem__", (["word1", 3],), {}),
        ("rank", ("word1", "word2"), {}),
        ("get_index", ("unknown", 9), {}),
    ],
)
def test_the_same_numbers(pair, method, arguments, options):
    ours, theirs = (getattr(vectors, method)(*arguments, **options) for vectors in pair)
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "method, arguments",
    [
        ("closer_than", ("word1", "word2")),
        ("doesnt_match", (["word1", "word2", "word3", "word9"],)),
        ("most_similar_to_given", ("word1", ["word2", "word3", "word4"])),
        ("has_index_for", ("unknown",)),
        ("__contains__", ("word1",)),
    ],
)
def test_the_same_answers(pair, method, arguments):
    ours, theirs = (getattr(vectors, method)(*arguments) for vectors in pair)
    assert ours == theirs


OPTIONS = [
    {},
    {"restrict_vocab": 150},
    {"case_insensitive": False},
    {"dummy4unknown": True},
    {"restrict_vocab": 150, "dummy4unknown": True},
]


@pytest.mark.parametrize("options", OPTIONS)
def test_word_pairs_have_gensims_correlations(tmp_path, pair, options):
    rng = np.random.default_rng(1)
    lines = [
        f"Word{a}\tword{b}\t{s:.2f}" for a, b, s in zip(*rng.integers(0, 520, (2, 300)), rng.random(300), strict=True)
    ]
    (tmp_path / "pairs.tsv").write_text("# a comment\n" + "\n".join(lines) + "\n", encoding="utf-8")
    if options == {"case_insensitive": False}:  # no word is spelled "Word1"
        (tmp_path / "pairs.tsv").write_text("\n".join(lines).replace("Word", "word"), encoding="utf-8")
    ours, theirs = (v.evaluate_word_pairs(str(tmp_path / "pairs.tsv"), **options) for v in pair)
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-4)
    np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-4)
    assert ours[2] == pytest.approx(theirs[2])


@pytest.mark.parametrize("options", OPTIONS)
def test_analogies_are_answered_as_gensim_does(tmp_path, pair, options):
    rng = np.random.default_rng(2)
    lines = []
    for name in ("first", "gram second"):
        lines.append(f": {name}")
        for a, c in rng.integers(0, 210, (150, 2)):
            spelled = "WORD" if a % 3 else "word"
            lines.append(f"{spelled}{2 * a} word{2 * a + 1} word{2 * c} word{2 * c + 1}")
    (tmp_path / "questions.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (our_score, ours), (their_score, theirs) = (
        v.evaluate_word_analogies(str(tmp_path / "questions.txt"), **options) for v in pair
    )
    assert our_score == pytest.approx(their_score) and 0.02 < our_score < 0.95
    fold = str if options.get("case_insensitive") is False else str.upper  # gensim gives the questions in upper case
    for our, their in zip(ours, theirs, strict=True):
        assert our["section"] == their["section"]
        for key in ("correct", "incorrect"):
            assert [tuple(map(fold, question)) for question in our[key]] == their[key]


def test_words_are_looked_for_between_two_indices_and_weighed_by_their_lengths(pair):
    ours, theirs = pair
    for ends in ({"clip_start": 40}, {"clip_end": 60}, {"clip_start": 5, "clip_end": 900}, {"restrict_vocab": 30}):
        assert_equal_rankings(ours.most_similar("word4", **ends), theirs.most_similar("word4", **ends))
        np.testing.assert_allclose(
            ours.most_similar("word4", topn=None, **ends), theirs.most_similar("word4", topn=None, **ends), atol=1e-6
        )
    assert_equal_rankings(ours.most_similar("word4", [], 5, 20, 40), theirs.most_similar("word4", [], 5, 20, 40))
    assert_equal_rankings(
        ours.most_similar("word4", topn=50, clip_end=9), theirs.most_similar("word4", topn=50, clip_end=9)
    )
    for words in (["word1", "word2", "word5"], ["word9"]):
        for use_norm in (True, False):
            (our_scores, our_words), (their_scores, their_words) = (
                zip(*vectors.rank_by_centrality(words, use_norm), strict=True) for vectors in pair
            )
            assert our_words == their_words
            np.testing.assert_allclose(our_scores, their_scores, rtol=1e-5)
