import dataclasses

import hypothesis
import numpy as np
import pytest

from handgrad.errors import InputError
from handgrad.word2vec import KeyedVectors
from handgrad.word2vec.vectors.documentation_questions import documentation_analogies, documentation_odd_ones_out
from handgrad.word2vec.vectors.evaluation import (
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


def test_another_function_than_the_cosine(fan):
    ranks = word_similarity(fan, PAIRS, similarity_function="distance").spearman[0]
    assert ranks == pytest.approx(-0.8) == -word_similarity(fan, PAIRS, similarity_function="similarity").spearman[0]
    by_hand = word_similarity(fan, PAIRS, similarity_function=lambda a, b: {"b": 9, "d": 4, "c": 6, "e": 5}[b])
    assert by_hand.spearman[0] == pytest.approx(1) and by_hand.pearson[0] == pytest.approx(1)


def test_gensims_arguments_and_results(fan, tmp_path):
    (tmp_path / "pairs").write_bytes("a|b|9\na|d|4\na|c|6\na|e|5\nä|a|1\n".encode("latin-1"))
    _, spearman, unknown = fan.evaluate_word_pairs(tmp_path / "pairs", delimiter="|", encoding="latin-1")
    assert spearman[0] == pytest.approx(0.8) and unknown == pytest.approx(20)
    assert fan.evaluate_word_pairs(PAIRS, similarity_function="distance")[1][0] == pytest.approx(-0.8)
    questions = {"s": [("a", "b", "c", "d")]}
    for method, function in (("3CosAdd", "most_similar"), ("3CosMul", "most_similar_cosmul")):
        expected = fan.evaluate_word_analogies(questions, method=method)
        assert fan.evaluate_word_analogies(questions, similarity_function=function) == expected


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
        "word1,word2,rank,similarity\nlove,sex,2,6.77\ntiger,cat,1,7.35\n",
        "слово1;слово2;POS;Mean\nlove;sex;N;6,77\ntiger;cat;N;7,35\n",
    ],
)
def test_the_usual_files_of_word_pairs_are_read(tmp_path, text):
    (tmp_path / "pairs").write_bytes(text.encode())
    assert read_word_pairs(tmp_path / "pairs") == [("love", "sex", 6.77), ("tiger", "cat", 7.35)]


DECIMALS = [("Auto", "Bus", 3.58), ("A", "B", 4.0)]  # openaddresses #102


@pytest.mark.parametrize(
    "text, expected",
    [
        ("Auto\tBus\t3,58\nA\tB\t4\n", DECIMALS),
        ("Auto;Bus;3,58\nA;B;4\n", DECIMALS),
        ("Wort1;Wort2;Bewertung\nAuto;Bus;3,58\nA;B;4,0\n", DECIMALS),
        ("Auto Bus 3,58\nA B 4\n", DECIMALS),
        ('"Auto","Bus","3,58"\n"A","B",4\n', DECIMALS),
        ("Auto,Bus,3.58\nA,B,4\n", DECIMALS),
        ("Auto , Bus , 3.58 \nA , B , 4\n", DECIMALS),
        ("Auto\tBus\t3.58\t\t\nA\tB\t4\tmore\n", DECIMALS),
        ("Auto,Bus,3.58,9,8\nA,B,4,9,7\n", DECIMALS),
        ("Auto\tBus\t3.58\rA\tB\t4\r", DECIMALS),
        ("\ufeff" + "\n" * 3000 + "Auto\tBus\t3.58\n" + "  \n" * 3000 + "A\tB\t4", DECIMALS),
        ("# mine\nword_a word_b rating\nAuto Bus 3.58\nA B 4\n", DECIMALS),
        ("Word,Word,Similarity\nAuto,Bus,3.58\nA,B,4\n", DECIMALS),
        ('"New York, NY",city,5.0\n', [("New York, NY", "city", 5.0)]),
        ("New York, NY\tcity\t5.0\n", [("New York, NY", "city", 5.0)]),
        ("new\xa0york city -.5\n", [("new\xa0york", "city", -0.5)]),
        ("1984\t5\t1e1\n", [("1984", "5", 10.0)]),
        ("word\tnoun\t3\n", [("word", "noun", 3.0)]),
    ],
)
def test_one_separator_a_file_quotes_and_decimal_commas(tmp_path, text, expected):
    (tmp_path / "pairs").write_text(text, encoding="utf-8", newline="")
    assert read_word_pairs(tmp_path / "pairs") == expected


@pytest.mark.parametrize(
    "first", ["6,77x", "", "n/a", "?", "NaN", "inf", "1_000", "７", "7%", "about 7", "seven", "0x7"]
)
@pytest.mark.parametrize("separator", ["\t", ";", ",", " "])
def test_a_first_line_that_is_malformed_is_no_header(tmp_path, first, separator):
    """It was passed over, and coverage was 100 %."""
    lines = [("love", "sex", first), ("tiger", "cat", "7.35"), ("a", "b", "1.5")]
    (tmp_path / "pairs").write_text("\n".join(map(separator.join, lines)), encoding="utf-8")
    with pytest.raises(InputError, match=r"line [12] is not two words and a score"):
        read_word_pairs(tmp_path / "pairs")


@pytest.mark.parametrize(
    "text, sentence",
    [
        ("Auto,Bus,3,58\nA,B,4,1\n", "has commas between its fields and perhaps in its scores, as in 'Auto,Bus,3,58'"),
        ("Auto,Bus,3,58\nA,B,4\n", "line 2 is not two words and a score, but 3 fields where others have 4"),
        ("word1,word2,score\nAuto,Bus,3,58\n", "line 2 is not two words and a score, but 4 fields where others have 3"),
        ("a,b,1\nNew York, NY,city,5.0\n", "line 2 is not two words and a score, but 4 fields where others have 3"),
        ("a\tb\t1.5\nc\td\t1,5\n", r"has decimal points \(line 1\) and commas \(line 2\) in its scores"),
        ("a\tb\t1,234.5\n", "line 1 is not two words"),
        ("a\tb\t1e999\n", "line 1 has an infinite score"),
        ("a b\tc\t1\nd e 2\n", "line [12] is not two words"),
        ('a,b,1\n"c,d,2\n', "line 2 is not two words"),
        ("word1\tword2\tscore\n", "has no word pairs: below its header"),
        ("a\tb\t1\nword1\tword2\tscore\n", "line 2 is not two words"),
    ],
)
def test_what_could_be_read_in_two_ways_is_refused(tmp_path, text, sentence):
    (tmp_path / "pairs").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=sentence):
        read_word_pairs(tmp_path / "pairs")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("reader", [read_word_pairs, read_analogies])
def test_utf16_is_named_and_other_encodings_can_be_given(tmp_path, reader, encoding):
    text = ": s\ta\tb\n" if reader is read_analogies else "a\tb\t1\n"
    (tmp_path / "questions").write_bytes(text.encode(encoding))
    with pytest.raises(InputError, match=r"questions is (not UTF-8 text|text in UTF-16)"):
        reader(tmp_path / "questions")
    (tmp_path / "questions").write_bytes("ä\tb\t1\n".encode("utf-16"))
    assert read_word_pairs(tmp_path / "questions", encoding="utf-16") == [("ä", "b", 1.0)]
    for other in ("no such", None, 8):
        with pytest.raises(InputError, match=f"one that Python has, such as utf8, but got {other!r}"):
            reader(tmp_path / "questions", encoding=other)


@pytest.mark.parametrize("name", ["utf8", "UTF-8", "utf_8", "U8", "utf-8-sig"])
def test_a_byte_order_mark_is_passed_over_under_every_name_of_utf8(tmp_path, name):
    (tmp_path / "pairs").write_text("\ufeffкот\tпёс\t1\n", encoding="utf-8")
    assert read_word_pairs(tmp_path / "pairs", encoding=name) == [("кот", "пёс", 1.0)]
    (tmp_path / "analogies").write_text("\ufeff: s\na b c d\n", encoding="utf-8")
    assert read_analogies(tmp_path / "analogies", encoding=name) == {"s": [("a", "b", "c", "d")]}


@pytest.mark.parametrize("delimiter", [3, b","])
def test_a_delimiter_that_is_no_text_is_named(tmp_path, delimiter):
    (tmp_path / "pairs").write_text("a,b,1\n", encoding="utf-8")
    with pytest.raises(InputError, match=f"The delimiter of .*pairs is a text such as .*; got {delimiter!r}"):
        read_word_pairs(tmp_path / "pairs", delimiter=delimiter)


@hypothesis.given(
    hypothesis.strategies.lists(
        hypothesis.strategies.sampled_from(
            [*'ab1.,;: \t\n\r#"', "\0", "\ufeff", "1e9", "a\tb\t1\n", "word1", "\xa0", ": "]
        ),
        max_size=30,
    ).map(lambda pieces: "".join(pieces).encode())
    | hypothesis.strategies.binary(max_size=60),
    hypothesis.strategies.sampled_from([None, "\t", " ", "::", "a", "\n"]),
)
@hypothesis.settings(max_examples=400, suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])
def test_any_bytes_are_questions_or_one_sentence(tmp_path, content, delimiter):
    path = tmp_path / "questions"
    path.write_bytes(content)
    for read in (read_analogies, lambda path: read_word_pairs(path, delimiter)):
        try:
            questions = read(path)
        except InputError as error:
            assert "\n" not in str(error)
        else:
            assert questions
            if isinstance(questions, list):  # each line is a pair, a comment, a header or blank
                lines = [line for line in content.decode("utf-8-sig").split("\n") if line.strip()]
                assert len(questions) >= len(lines) - 1 - sum(line.lstrip().startswith("#") for line in lines)
                assert all(a and b and np.isfinite(score) for a, b, score in questions)


@hypothesis.given(
    hypothesis.strategies.lists(
        hypothesis.strategies.tuples(*[hypothesis.strategies.from_regex(r"[a-zä]{1,9}", fullmatch=True)] * 2).flatmap(
            lambda words: hypothesis.strategies.floats(-1e6, 1e6).map(lambda score: (*words, score))
        ),
        min_size=1,
    ),
    hypothesis.strategies.sampled_from(["\t", ";", ",", " ", "   "]),
    hypothesis.strategies.booleans(),
)
@hypothesis.settings(suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])
def test_pairs_that_are_written_come_back(tmp_path, pairs, separator, comma):
    """With a decimal comma, too, where the separator is none."""
    lines = [f"{a}{separator}{b}{separator}{score!r}\n" for a, b, score in pairs]
    if comma and separator != ",":
        lines = [line.replace(".", ",") for line in lines]
    (tmp_path / "pairs").write_text("".join(lines), encoding="utf-8")
    assert read_word_pairs(tmp_path / "pairs") == pairs


def test_columns_after_the_score_may_be_empty_in_some_lines(tmp_path):
    (tmp_path / "pairs").write_text("word1,word2,score,notes\nA,B,4,\nC,D,5,both rare\nE,F,6\n", encoding="utf-8")
    assert read_word_pairs(tmp_path / "pairs") == [("A", "B", 4), ("C", "D", 5), ("E", "F", 6)]


def test_results_stay_what_was_measured(fan):
    similarity, analogies = word_similarity(fan, PAIRS), word_analogies(fan, {"s": [("a", "b", "c", "d")]})
    for result in (similarity, analogies, analogies.sections[0], odd_one_out(fan, [("e", "a", "b")])):
        with pytest.raises(dataclasses.FrozenInstanceError):
            result.name = "another"


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
def test_many_questions_at_once_are_answered_as_one_by_one(method, single):
    rng = np.random.default_rng(0)
    vectors = KeyedVectors([f"w{i}" for i in range(200)], rng.standard_normal((200, 8), dtype=np.float32))
    questions = [tuple(f"w{i}" for i in rng.choice(200, 3, replace=False)) for _ in range(100)]
    answers = [getattr(vectors, single)([b, c], [a], topn=1)[0][0] for a, b, c in questions]
    asked = {
        "s": [(*q, answer if i % 2 else "w0") for i, (q, answer) in enumerate(zip(questions, answers, strict=True))]
    }
    expected = [q[3] == answer for q, answer in zip(asked["s"], answers, strict=True)]
    result = word_analogies(vectors, asked, method=method, scores_at_once=7 * 200)
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
        (read_word_pairs, b"a\tb\nc\td\n", "line 1 is not two words and a score"),
        (read_word_pairs, b"\xff\xfe\t1", "UTF-16"),
        (read_word_pairs, None, "could not be read"),
        (read_analogies, b"", "has no analogies"),
        (read_analogies, b": only a section\n", "has no analogies"),
        (read_analogies, b"a b c d\n", "line 1 comes before any"),
        (read_analogies, b": s\na b c d\na b c\n", "line 3 has 3 words instead of 4"),
        (read_analogies, b"\xff\xfe", "UTF-16"),
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
        (
            lambda kv: word_similarity(kv, [*PAIRS, ("a", "b")]),
            r"A word pair is \(word, word, score\), but got \('a', 'b'\)",
        ),
        (lambda kv: word_similarity(kv, [*PAIRS, ("a", "b", "1")]), "A word pair is"),
        (lambda kv: word_similarity(kv, [*PAIRS, ("a", "b", np.nan)]), "A word pair is"),
        (lambda kv: word_similarity(kv, [*PAIRS, ("a", 1, 2)]), "A word pair is"),
        (lambda kv: word_similarity(kv, ["ab1"] * 3), "A word pair is"),
        (lambda kv: word_similarity(kv, None), "Word pairs are a path or a list"),
        (
            lambda kv: word_similarity(kv, PAIRS, similarity_function="nearness"),
            "similarity_function is a function of two",
        ),
        (lambda kv: word_similarity(kv, PAIRS, similarity_function=lambda a, b: np.nan), "is NaN or infinite"),
        (lambda kv: word_analogies(kv, [("a", "b", "c", "d")]), "Analogies are a path or a dict"),
        (lambda kv: word_analogies(kv, {"s": [("a", "b", "c", 4)]}), "An analogy has four words, but"),
        (
            lambda kv: kv.evaluate_word_analogies({}, similarity_function="distance"),
            "similarity_function is one of most_sim",
        ),
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
