import json
from collections import Counter

import numpy as np
import pytest

from handgrad.errors import InputError
from handgrad.word2vec import Vocabulary
from handgrad.word2vec.text.vocabulary import UNK

SENTENCES = [["b", "a", "b"], [], ["c", "a", "d", "b"]]


def test_the_most_frequent_word_is_first_and_among_equals_the_first_met():
    vocabulary = Vocabulary.from_sentences(SENTENCES)
    assert vocabulary.index_to_key == ["b", "a", "c", "d"]
    assert vocabulary.counts.tolist() == [3, 2, 1, 1]
    assert vocabulary.key_to_index["c"] == 2 and "c" in vocabulary and "z" not in vocabulary
    assert vocabulary.raw_words == 7 and len(vocabulary) == 4


def test_rare_words_are_left_out_and_counted_among_the_raw_words():
    vocabulary = Vocabulary.from_sentences(SENTENCES, min_count=2)
    assert vocabulary.index_to_key == ["b", "a"] and vocabulary.raw_words == 7


def by_tensorflow(words, size):
    """The steps of word2vec_basic's build_dataset: UNK first, then the most common words, then all others as UNK."""
    index_to_key = [UNK] + [word for word, _ in Counter(words).most_common(size - 1)]
    key_to_index = {word: index for index, word in enumerate(index_to_key)}
    ids = [key_to_index.get(word, 0) for word in words]
    return index_to_key, ids, np.bincount(ids, minlength=len(index_to_key))


@pytest.mark.parametrize("size", [2, 3, 10, 40, 41, 99])
def test_a_kept_unk_is_tensorflows(size):
    rng = np.random.default_rng(size)
    words = [f"w{i}" for i in rng.geometric(0.1, 500) % 40]
    vocabulary = Vocabulary.from_sentences([words[:200], words[200:]], max_size=size, unk="keep")
    index_to_key, ids, counts = by_tensorflow(words, size)
    assert vocabulary.index_to_key == index_to_key
    assert vocabulary.encode([words])[0].tolist() == ids
    assert vocabulary.counts.tolist() == counts.tolist()
    assert vocabulary.counts.sum() == vocabulary.raw_words == 500 and len(vocabulary) <= size


def test_a_kept_unk_stays_first_and_takes_in_the_unk_that_the_text_has():
    vocabulary = Vocabulary.from_sentences([["a"] * 9, [UNK, "b", "c"]], min_count=2, unk="keep")
    assert vocabulary.index_to_key == [UNK, "a"] and vocabulary.counts.tolist() == [3, 9]
    assert vocabulary.encode([["a", "b", UNK, "never met"]])[0].tolist() == [1, 0, 0, 0]


def test_where_rare_words_are_dropped_unk_is_a_word_like_others():
    vocabulary = Vocabulary.from_sentences([[UNK, UNK, "a"]])
    assert vocabulary.index_to_key == [UNK, "a"] and vocabulary.encode([["a", "b", UNK]])[0].tolist() == [1, 0]


def test_max_size_takes_the_most_frequent_words():
    vocabulary = Vocabulary.from_sentences(SENTENCES, max_size=3)
    assert vocabulary.index_to_key == ["b", "a", "c"] and vocabulary.raw_words == 7


def test_encoding_keeps_sentences_apart():
    ids, sentence_of = Vocabulary.from_sentences(SENTENCES, min_count=2).encode(SENTENCES)
    assert ids.tolist() == [0, 1, 0, 1, 0] and ids.dtype == np.int32
    assert sentence_of.tolist() == [0, 0, 0, 2, 2]


@pytest.mark.parametrize("unk", ["drop", "keep"])
@pytest.mark.parametrize("sentences", [[], [[]], [["a"], ["b"]]])
def test_a_text_without_frequent_words_is_a_sentence(sentences, unk):
    with pytest.raises(ValueError, match=r"No word occurs 2 times or more in this text of \d words"):
        Vocabulary.from_sentences(sentences, min_count=2, unk=unk)


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"min_count": 0}, "min_count is a whole number of at least 1, but got 0"),
        ({"min_count": 2.5}, "min_count is a whole number of at least 1, but got 2.5"),
        ({"min_count": None}, "min_count is a whole number"),
        ({"max_size": -1}, "max_size is a whole number of at least 1, but got -1"),
        ({"max_size": True}, "max_size is a whole number"),
        ({"max_size": 1, "unk": "keep"}, "max_size is a whole number of at least 2, but got 1"),
        ({"unk": "ignore"}, 'unk is "drop" or "keep", but got \'ignore\''),
    ],
)
def test_bad_settings_are_a_sentence(settings, message):
    with pytest.raises(ValueError, match=message):
        Vocabulary({"a": 3, "b": 1}, **settings)


@pytest.mark.parametrize(
    "sentence, message",
    [
        ("a sentence", "A sentence is a list of words, but got the string 'a sentence': split it"),
        (None, "A sentence is a list of words, but got None"),
        ([["a"], ["b"]], r"A sentence is a list of words, but got \[\['a'\], \['b'\]\]"),
    ],
)
def test_what_is_no_sentence_is_a_sentence(sentence, message):
    with pytest.raises(ValueError, match=message):
        Vocabulary.from_sentences([["a"], sentence])


def test_counts_are_whole_numbers_of_any_kind_up_to_the_largest_of_int64():
    for kind in (int, np.int64, np.uint8):
        vocabulary = Vocabulary({"a": kind(2), "b": kind(3)})
        assert vocabulary.counts.tolist() == [3, 2] and vocabulary.counts.dtype == np.int64
    assert Vocabulary({"a": 2**62, "b": 2**62 - 1}).raw_words == 2**63 - 1
    for wrong in ({"a": 2**62, "b": 2**62}, {"a": True}, {"a": 1.0}, {"a": np.float32(1)}, {"a": -1}, {"a": "1"}):
        with pytest.raises(ValueError, match=r"whole numbers, and together less than 2\*\*63"):
            Vocabulary(wrong)


def test_words_are_strings():
    with pytest.raises(ValueError, match=r"A word is a string, but got 17: make it one with str\(\)"):
        Vocabulary({"a": 3, 17: 1})


@pytest.mark.parametrize("settings", [{}, {"min_count": 2}, {"max_size": 2, "unk": "keep"}])
def test_what_was_saved_is_loaded(tmp_path, settings):
    words = ["b", 'q"\t', "b", "é\n", "", "b", "日本", "日本"]
    saved = Vocabulary.from_sentences([words], **settings)
    saved.save(tmp_path / "vocabulary.json")
    loaded = Vocabulary.load(tmp_path / "vocabulary.json")
    assert vars(loaded).keys() == vars(saved).keys()
    for name, value in vars(saved).items():
        np.testing.assert_array_equal(getattr(loaded, name), value)
    assert list(tmp_path.iterdir()) == [tmp_path / "vocabulary.json"]


def test_a_saved_vocabulary_can_be_read_by_eye(tmp_path):
    Vocabulary({"b": 1, "日本": 2}).save(tmp_path / "vocabulary.json")
    lines = (tmp_path / "vocabulary.json").read_text(encoding="utf-8").splitlines()
    assert lines[-5:] == ['"words": {', '"日本": 2,', '"b": 1', "}", "}"]


def test_a_failed_save_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "vocabulary.json"
    Vocabulary({"old": 1}).save(path)

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(json, "dump", full)
    with pytest.raises(OSError, match="No space"):
        Vocabulary({"new": 1}).save(path)
    assert Vocabulary.load(path).index_to_key == ["old"]
    assert list(tmp_path.iterdir()) == [path]


GOOD = {"min_count": 1, "max_size": None, "unk": "drop", "raw_words": 3, "words": {"a": 2, "b": 1}}


BAD_COUNTS = ["1e9993", "4e20", "400000000000000000000", "-1", "1.0", "1.5", "NaN", "Infinity", "true", "null"]
BAD_COUNTS += ['"1"', "[1]", "9" * 4000, "9" * 5000, "1" + "0" * 20]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"a text",
        b"[]",
        b"\xff\xfe",
        b'{"words": {"a": 1}}',
        json.dumps(GOOD).encode()[:-3],
        json.dumps(GOOD | {"raw_words": 2}).encode(),
        json.dumps(GOOD | {"raw_words": "3"}).encode(),
        json.dumps(GOOD | {"words": {"a": "two"}}).encode(),
        json.dumps(GOOD | {"words": {}}).encode(),
        json.dumps(GOOD).replace('"b"', '"a"').encode(),
        *(json.dumps(GOOD | {"words": {"a": 1, "b": 987}}).replace("987", count).encode() for count in BAD_COUNTS),
        *(json.dumps(GOOD | {"raw_words": 987}).replace("987", count).encode() for count in BAD_COUNTS),
        json.dumps(GOOD | {"words": {"a": 2**62, "b": 2**62}, "raw_words": 2**63 - 1}).encode(),
        json.dumps(GOOD | {"min_count": 1e300}).encode(),
        json.dumps(GOOD | {"words": ["a", "b"]}).encode(),
        json.dumps(GOOD | {"words": {"rare": 1, "frequent": 2}}).encode(),
        b"[" * 100_000,
        b'{"words": ' * 100_000,
    ],
)
def test_a_file_that_is_no_vocabulary_is_a_sentence(tmp_path, content):
    path = tmp_path / "vocabulary.json"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"Expected a vocabulary that was saved, but .*vocabulary\.json"):
        Vocabulary.load(path)


def test_a_vocabulary_that_is_not_there_is_a_sentence(tmp_path):
    with pytest.raises(ValueError, match=r"cannot be read \(No such file or directory\)"):
        Vocabulary.load(tmp_path / "nowhere.json")


@pytest.mark.parametrize("count", ["1e9993", "4e20", "1" + 30 * "0", "-1", "NaN", "null", "[1]", "9" * 5000])
def test_a_count_that_cannot_be_is_a_sentence(tmp_path, count):
    Vocabulary({"one": 77, "two": 2}).save(tmp_path / "words.json")
    saved = (tmp_path / "words.json").read_text(encoding="utf-8")
    (tmp_path / "words.json").write_text(saved.replace('"one": 77', f'"one": {count}'), encoding="utf-8")
    with pytest.raises(InputError, match="Expected a vocabulary that was saved") as caught:
        Vocabulary.load(tmp_path / "words.json")
    assert len(str(caught.value).splitlines()) == 1
