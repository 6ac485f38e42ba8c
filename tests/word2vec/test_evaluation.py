import numpy as np
import pytest

from handgrad.errors import InputError
from handgrad.word2vec import KeyedVectors
from handgrad.word2vec.documentation_questions import documentation_analogies, documentation_odd_ones_out
from handgrad.word2vec.evaluation import (
    odd_one_out,
    read_analogies,
    read_word_pairs,
    word_analogies,
    word_similarity,
)


def angles(**degrees):
    """Vectors in the plane, of different lengths, by their angle."""
    radians = np.deg2rad(list(degrees.values()))
    lengths = 1 + np.arange(len(radians))
    return KeyedVectors(degrees, np.stack([np.cos(radians), np.sin(radians)], axis=1) * lengths[:, None])


@pytest.fixture
def fan():
    return angles(a=0, b=10, c=30, d=60, e=100, B=180)


PAIRS = [("a", "b", 9.0), ("a", "d", 4.0), ("a", "c", 6.0), ("a", "e", 5.0)]


def test_similarity_by_hand(fan):
    result = word_similarity(fan, PAIRS)
    # ranks of the scores: 4, 1, 3, 2; of the cosines: 4, 2, 3, 1; rho = 1 - 6 * 2 / (4 * 15)
    assert result.spearman[0] == pytest.approx(0.8)
    cosines = np.cos(np.deg2rad([10, 60, 30, 100]))
    assert result.pearson[0] == pytest.approx(np.corrcoef([9, 4, 6, 5], cosines)[0, 1])
    assert (result.pairs, result.answered, result.coverage) == (4, 4, 1.0)
    assert str(result) == f"word pairs: Spearman 0.800, Pearson {result.pearson[0]:.3f}, on 4 of 4 pairs"


def test_equal_scores_share_a_rank(fan):
    result = word_similarity(fan, [("a", "b", 7), ("a", "c", 7), ("a", "d", 3), ("a", "e", 1)])
    assert result.spearman[0] == pytest.approx(np.corrcoef([3.5, 3.5, 2, 1], [4, 3, 2, 1])[0, 1])


def test_pairs_with_unknown_words_are_left_out_or_count_as_zero(fan):
    pairs = [*PAIRS, ("a", "unknown", 10.0)]
    result = word_similarity(fan, pairs)
    assert result.spearman[0] == pytest.approx(0.8) and result.coverage == 0.8
    with_zero = word_similarity(fan, pairs, dummy4unknown=True)
    # ranks of the scores: 4, 1, 3, 2, 5; of the cosines, 0 for the last: 5, 3, 4, 1, 2
    assert with_zero.spearman[0] == pytest.approx(1 - 6 * (1 + 4 + 1 + 1 + 9) / (5 * 24))
    assert (with_zero.pairs, with_zero.answered) == (5, 4)
    assert word_similarity(fan, PAIRS, restrict_vocab=4).answered == 3


def test_the_more_frequent_of_two_spellings_has_the_vector(fan):
    assert word_similarity(fan, [("A", "B", 9.0), *PAIRS[1:]]).spearman[0] == pytest.approx(0.8)  # "b", not "B"
    exact = word_similarity(fan, [("a", "B", 9.0), *PAIRS[1:]], case_insensitive=False)
    assert exact.spearman[0] == pytest.approx(1 - 6 * (9 + 4 + 1 + 0) / (4 * 15))  # the cosine of "B" is -1: last


@pytest.mark.parametrize(
    "text",
    [
        "love\tsex\t6.77\r\ntiger\tcat\t7.35\r\n",
        "# WordSim\nlove\tsex\t6.77\n\ntiger\tcat\t7.35\n",
        "Word 1,Word 2,Human (mean)\nlove,sex,6.77\ntiger,cat,7.35\n",
        "love sex 6.77\ntiger cat 7.35\n",
        "\ufeffword1\tword2\tPOS\tSimLex999\tconc(w1)\nlove\tsex\tN\t6.77\t1\ntiger\tcat\tN\t7.35\t2\n",
    ],
)
def test_the_usual_files_of_word_pairs_are_read(tmp_path, text):
    (tmp_path / "pairs").write_bytes(text.encode())
    assert read_word_pairs(tmp_path / "pairs") == [("love", "sex", 6.77), ("tiger", "cat", 7.35)]


@pytest.fixture
def square():
    """Two steps: + (1, 0) and + (0, 1), on four words; "far" is where nothing points. "A" spells "a" again."""
    vectors = {"a": (1, 0, 0), "b": (1, 1, 0), "c": (1, 0, 1), "d": (1, 1, 1), "far": (-1, -1, -1), "A": (1, 1, 1)}
    return KeyedVectors(vectors, np.array(list(vectors.values()), dtype=np.float32))


def test_analogies_by_section(square):
    questions = {
        "capitals": [("a", "b", "c", "d"), ("c", "d", "a", "b"), ("a", "b", "c", "far")],
        "gram-plural": [("b", "d", "a", "c"), ("a", "b", "c", "unknown")],
    }
    result = word_analogies(square, questions, case_insensitive=True, restrict_vocab=5)
    first, second = result.sections
    assert first.correct == (("a", "b", "c", "d"), ("c", "d", "a", "b")) and first.incorrect == (
        ("a", "b", "c", "far"),
    )
    assert second.unknown == (("a", "b", "c", "unknown"),) and (second.answered, second.questions) == (1, 2)
    assert second.coverage == 0.5 and second.accuracy == 1.0
    assert result.semantic.accuracy == pytest.approx(2 / 3) and result.syntactic.accuracy == 1.0
    assert result.total.accuracy == 0.75 and result.total.questions == 5 and result.vocabulary == 5
    assert str(result).splitlines() == [
        "analogies, among 5 words",
        "             accuracy  answered  questions",
        "capitals        66.7%         3          3",
        "gram-plural    100.0%         1          2",
        "semantic        66.7%         3          3",
        "syntactic      100.0%         1          2",
        "total           75.0%         4          5",
    ]
    zero = word_analogies(square, questions, restrict_vocab=5, dummy4unknown=True)
    assert zero.total.accuracy == 0.6 and zero.total.unknown == ()


@pytest.mark.parametrize("method", ["3CosAdd", "3CosMul"])
def test_another_spelling_of_a_given_word_is_no_answer(square, method):
    """ "A" stands where "d" does and before it in the alphabet, but not when "a" is given."""
    vectors = KeyedVectors([*square.index_to_key[:3], "A", "d"], square.vectors[[0, 1, 2, 5, 3]])
    questions = {"s": [("a", "b", "c", "d")]}
    assert word_analogies(vectors, questions, method=method).total.accuracy == 1.0
    assert word_analogies(vectors, questions, method=method, case_insensitive=False).total.accuracy == 0.0


def test_where_every_word_is_given_there_is_no_answer(square):
    few = KeyedVectors(["a", "b", "A"], square.vectors[[0, 1, 5]])
    assert word_analogies(few, {"s": [("a", "b", "a", "b"), ("a", "a", "b", "b")]}).total.accuracy == 0.0


@pytest.mark.parametrize("method, single", [("3CosAdd", "most_similar"), ("3CosMul", "most_similar_cosmul")])
def test_many_questions_at_once_are_answered_as_one_by_one(monkeypatch, method, single):
    rng = np.random.default_rng(0)
    vectors = KeyedVectors([f"w{i}" for i in range(200)], rng.standard_normal((200, 8), dtype=np.float32))
    questions = [tuple(f"w{i}" for i in rng.choice(200, 3, replace=False)) for _ in range(100)]
    answers = [getattr(vectors, single)([b, c], [a], topn=1)[0][0] for a, b, c in questions]
    asked = {
        "s": [(*q, answer if i % 2 else "w0") for i, (q, answer) in enumerate(zip(questions, answers, strict=True))]
    }
    expected = [q[3] == answer for q, answer in zip(asked["s"], answers, strict=True)]
    monkeypatch.setattr("handgrad.word2vec.evaluation.SCORES_AT_ONCE", 7 * 200)
    result = word_analogies(vectors, asked, method=method)
    assert len(result.total.correct) == sum(expected) >= 50
    assert set(result.total.correct) == {q for q, right in zip(asked["s"], expected, strict=True) if right}


def test_googles_format_is_read(tmp_path):
    (tmp_path / "q").write_text(": one\nA b C d\n\n:two \ne f g h\n: one\ni j k l\n", encoding="utf-8")
    expected = {"one": [("A", "b", "C", "d"), ("i", "j", "k", "l")], "two": [("e", "f", "g", "h")]}
    assert read_analogies(tmp_path / "q") == expected


def test_the_odd_one_out(fan):
    result = odd_one_out(fan, [("e", "a", "b", "c"), ("b", "a", "e"), ("unknown", "a", "b")])
    assert [chosen for _, chosen in result.answers] == ["e", "e"] and result.unknown == (("unknown", "a", "b"),)
    assert result.accuracy == 0.5 and result.chance == pytest.approx((1 / 4 + 1 / 3) / 2)
    assert str(result) == "odd one out: 50.0% correct (guessing has 29%), on 2 of 3 sets"
    assert str(odd_one_out(fan, [("x", "y", "z")])) == "odd one out: on 0 of 1 sets"


@pytest.mark.parametrize(
    "reader, content, sentence",
    [
        (read_word_pairs, b"", "has no word pairs"),
        (read_word_pairs, b"a\tb\t1\nc\td\n", "line 2 is not two words and a score: 'c.td'"),
        (read_word_pairs, b"a\tb\t1\nc\td\tnan\n", "line 2 is not two words and a score"),
        (read_word_pairs, b"a\tb\nc\td\n", "line 2 is not two words and a score"),
        (read_word_pairs, b"\xff\xfe\t1", "not UTF-8"),
        (read_word_pairs, None, "could not be read"),
        (read_analogies, b"", "has no analogies"),
        (read_analogies, b": only a section\n", "has no analogies"),
        (read_analogies, b"a b c d\n", "line 1 comes before any"),
        (read_analogies, b": s\na b c d\na b c\n", "line 3 has 3 words instead of 4"),
        (read_analogies, b"\xff\xfe", "not UTF-8"),
        (read_analogies, None, "could not be read"),
    ],
)
def test_a_bad_file_is_one_sentence_that_names_it(tmp_path, reader, content, sentence):
    path = tmp_path / "questions"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=rf"questions .*{sentence}"):
        reader(path)


@pytest.mark.parametrize(
    "call, sentence",
    [
        (lambda kv: word_similarity(kv, PAIRS[:2]), "2 pairs whose words both have vectors; a correlation needs 3"),
        (lambda kv: word_similarity(kv, [("a", "b", 1)] * 3), "are equal"),
        (lambda kv: word_similarity(kv, PAIRS, restrict_vocab=0), "restrict_vocab expects at least 1 word"),
        (lambda kv: word_analogies(kv, {}, method="4Cos"), 'expects the method "3CosAdd" or "3CosMul"'),
        (lambda kv: word_analogies(kv, {"s": ["abcd", ("a", "b", "c")]}), "An analogy has four words, but"),
        (lambda kv: word_analogies(kv, {}, restrict_vocab=-1), "restrict_vocab expects at least 1 word"),
    ],
)
def test_wrong_use_is_answered_with_a_sentence(fan, call, sentence):
    with pytest.raises(InputError, match=sentence):
        call(fan)


def test_the_books_own_questions_are_well_formed():
    analogies, odd = documentation_analogies(), documentation_odd_ones_out()
    questions = [question for section in analogies.values() for question in section]
    assert len(questions) == len(set(questions)) > 200
    assert ("sin", "sinh", "cos", "cosh") in questions and ("encode", "decode", "read", "write") in questions
    assert ("row", "rows", "tuple", "tuples") in questions
    assert all(len(question) == 4 and question[3] not in question[:3] for question in questions)
    assert len(odd) >= 20 and all(len(set(words)) == len(words) >= 4 for words in odd)
    assert all(word == word.strip().lower() for row in [*questions, *odd] for word in row)
