import gc
import os
import tempfile
import tracemalloc
from collections import Counter

import numpy as np
import pytest

from handgrad.word2vec.text.encoding import EncodedText, encode_text
from handgrad.word2vec.text.vocabulary import UNK, Vocabulary


def made_up(seed, sentences=120, words=60):
    """Sentences of 0 to 12 words, frequent and rare ones, and some empty."""
    rng = np.random.default_rng(seed)
    return [[f"w{i}" for i in rng.geometric(0.08, rng.integers(0, 13)) % words] for _ in range(sentences)]


def by_loop(sentences, min_count, max_size, unk):
    """The specification, word by word: the ids of each sentence."""
    counts = Counter(word for sentence in sentences for word in sentence)
    words = [word for word, n in counts.most_common() if n >= min_count]
    if unk == "keep":
        words = [UNK, *words]
    ids = {word: index for index, word in enumerate(words[:max_size])}
    if unk == "keep":
        return [[ids.get(word, 0) for word in sentence] for sentence in sentences]
    return [[ids[word] for word in sentence if word in ids] for sentence in sentences]


@pytest.mark.parametrize("piece", [1, 3, 50, 2**20])
@pytest.mark.parametrize("unk", ["drop", "keep"])
@pytest.mark.parametrize("min_count, max_size", [(1, None), (4, None), (1, 7), (3, 20)])
def test_ids_and_sentences_are_those_of_the_obvious_loop(piece, unk, min_count, max_size):
    sentences = made_up(seed=piece)
    once = (iter(s) for s in sentences)  # everything can be read only once
    text = encode_text(once, min_count, max_size, unk, ids_at_once=piece)
    expected = by_loop(sentences, min_count, max_size, unk)
    assert [text.ids[a:b].tolist() for a, b in zip(text.starts[:-1], text.starts[1:], strict=True)] == expected
    assert text.starts[0] == 0 and text.starts[-1] == len(text) == len(text.ids)
    assert (text.ids.dtype, text.starts.dtype) == (np.int32, np.int64) and isinstance(text.ids, np.memmap)
    counted = Vocabulary.from_sentences(sentences, min_count, max_size, unk)
    assert text.vocabulary.index_to_key == counted.index_to_key and text.vocabulary.raw_words == counted.raw_words
    np.testing.assert_array_equal(text.vocabulary.counts, counted.counts)
    np.testing.assert_array_equal(np.bincount(text.ids, minlength=len(counted)), counted.counts)
    np.testing.assert_array_equal(text.ids, counted.encode(sentences)[0])


def test_progress_adds_up_to_the_words_read():
    sentences, read = made_up(seed=1), []
    text = encode_text(sentences, min_count=5, progress=read.append, ids_at_once=100)
    assert sum(read) == text.vocabulary.raw_words == sum(map(len, sentences)) > len(text)
    assert len(read) > 3


def test_memory_does_not_grow_with_the_text():
    def peak(sentences):
        stream = ([f"w{(i * 7 + j) % 500}" for j in range(1000)] for i in range(sentences))
        gc.collect()
        tracemalloc.start()
        try:
            text = encode_text(stream, ids_at_once=1000)
            for _ in text.chunks():
                pass
            assert text.digest
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    short, long = peak(20), peak(200)
    assert long - short < 180_000 / 4  # a quarter of a byte for each word that there is more


def test_of_many_words_there_is_no_more_than_a_dict_and_a_half_at_a_time():
    """For each word a dict has 31 to 42 bytes, its id 32, and each list or array of ids 8."""
    V = 500_000
    words = [f"w{i}" for i in range(V)]
    gc.collect()
    tracemalloc.start()
    try:
        text = encode_text([words])
        left, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(text.vocabulary) == V
    assert left < 90 * V and peak < 180 * V


def test_a_temporary_file_is_gone_at_once_and_a_given_one_stays(tmp_path, monkeypatch):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    text = encode_text([["a", "b", "a"]])
    assert text.ids.tolist() == [0, 1, 0]
    del text
    gc.collect()
    assert not list(temporary.iterdir())
    kept = encode_text([["a", "b", "a"]], path=tmp_path / "ids")
    assert kept.ids.tolist() == np.fromfile(tmp_path / "ids", dtype=np.int32).tolist() == [0, 1, 0]
    assert kept.ids.filename == tmp_path / "ids"
    assert sorted(os.listdir(tmp_path)) == ["ids", "temporary"]


def test_a_file_that_exists_is_left_as_it_is(tmp_path):
    path = tmp_path / "ids"
    path.write_bytes(b"work of a week")
    with pytest.raises(ValueError, match="exists already and is left as it is"):
        encode_text([["a"]], path=path)
    assert path.read_bytes() == b"work of a week"
    with pytest.raises(ValueError, match="There is no folder"):
        encode_text([["a"]], path=tmp_path / "nowhere" / "ids")


def test_bad_settings_are_found_before_the_text_is_read():
    def unread():
        raise AssertionError("the text was read")
        yield

    with pytest.raises(ValueError, match="min_count is a whole number"):
        encode_text(unread(), min_count=0)


def broken_stream():
    yield ["a", "b"]
    raise ConnectionError("the source is gone")


@pytest.mark.parametrize(
    "sentences, error, message",
    [
        ([], ValueError, "No word occurs 1 times or more in this text of 0 words"),
        ([[], []], ValueError, "No word occurs 1 times or more in this text of 0 words"),
        (["a sentence"], ValueError, "A sentence is a list of words, but got the string 'a sentence'"),
        ([["a"], None], ValueError, "A sentence is a list of words, but got None"),
        ([["a"], 7], ValueError, "A sentence is a list of words, but got 7"),
        ([["a", ["b"]]], ValueError, r"A sentence is a list of words, but got \['a', \['b'\]\]"),
        ([["a", 1]], ValueError, "A word is a string, but got 1"),
        ([b"bytes"], ValueError, "A word is a string, but got 98"),
        ("text.txt", ValueError, r"expects sentences, but got the name 'text\.txt': open it with corpora\.open_corpus"),
        (broken_stream(), ConnectionError, "the source is gone"),
    ],
)
def test_what_is_no_text_leaves_no_file(tmp_path, sentences, error, message):
    with pytest.raises(error, match=message):
        encode_text(sentences, path=tmp_path / "ids")
    assert not list(tmp_path.iterdir())


def test_the_digest_knows_words_order_sentences_and_settings():
    sentences = [["a", "b", "a"], ["c", "a"]]
    digest = encode_text(sentences).digest
    assert digest == encode_text(iter(sentences)).digest
    others = [
        encode_text([["a", "b", "a", "c"], ["a"]]),
        encode_text([["a", "a", "b"], ["c", "a"]]),
        encode_text([["a", "b", "a"], ["d", "a"]]),
        encode_text(sentences, min_count=2),
        encode_text(sentences, max_size=4, unk="keep"),
    ]
    assert len({digest, *(text.digest for text in others)}) == 6


@pytest.mark.parametrize("size", [1, 5, 12, 30, 10_000])
def test_chunks_are_whole_sentences_and_all_of_the_text(size):
    text = encode_text(made_up(seed=3), min_count=2)
    lengths = np.diff(text.starts)
    ids, sentences, expected_position = [], [], 0
    for position, chunk, sentence_of in text.chunks(size):
        assert position == expected_position and chunk.dtype == sentence_of.dtype == np.int32
        assert len(chunk) == len(sentence_of) <= size
        ids += chunk.tolist()
        sentences += [chunk[sentence_of == s].tolist() for s in dict.fromkeys(sentence_of.tolist())]
        expected_position += len(chunk)
    assert ids == text.ids.tolist()
    pieces = [min(size, length - start) for length in lengths for start in range(0, length, size)]
    assert list(map(len, sentences)) == pieces  # whole sentences, but for those that are longer than a chunk
    if size == 10_000:
        assert len(list(text.chunks(size))) == 1


@pytest.mark.parametrize(
    "ids, starts, sentence",
    [
        ([0, 2, 0], [0, 3], r"A text with Vocabulary\(2 words .*\) expects integer ids from 0 to 1, but got 0 to 2"),
        ([0, -1, 0], [0, 3], "ids from 0 to 1, but got -1 to 0"),
        ([0, 1, 0], [], "rise from 0 to 3, its number of words"),
        ([0, 1, 0], [1, 3], "rise from 0 to 3, its number of words"),
        ([0, 1, 0], [0, 2], "rise from 0 to 3, its number of words"),
        ([0, 1, 0], [0, 2, 1, 3], "rise from 0 to 3, its number of words"),
    ],
)
def test_a_text_that_is_not_whole_is_refused(ids, starts, sentence):
    vocabulary = Vocabulary({"a": 2, "b": 1})
    EncodedText(vocabulary, np.array([0, 1, 0], np.int32), np.array([0, 0, 3])).require_whole()
    with pytest.raises(ValueError, match=sentence):
        EncodedText(vocabulary, np.array(ids, np.int32), np.array(starts, np.int64)).require_whole()


def test_all_but_the_first_sentence_can_be_split_off():
    text = encode_text([["a", "b"], ["b", "a", "c"]])
    for held_out in (1, 2, 3):
        rest, held = text.split(held_out)
        assert rest.starts.tolist() == [0, 2] and held.starts.tolist() == [0, 3]
    for held_out in (4, 5):
        with pytest.raises(ValueError, match="or to learn from"):
            text.split(held_out)


def test_a_text_in_memory_is_a_text_too():
    text = EncodedText(Vocabulary({"a": 2, "b": 1}), np.array([0, 1, 0], np.int32), np.array([0, 2, 3]))
    assert [(p, ids.tolist(), s.tolist()) for p, ids, s in text.chunks()] == [(0, [0, 1, 0], [0, 0, 1])]
    assert repr(text) == "EncodedText(3 words in 2 sentences, Vocabulary(2 words that occur at least 1 times in 3))"


def test_the_last_sentences_can_be_split_off():
    text = encode_text([["a", "b"], ["c"], [], ["a", "c", "b"], ["b", "a"]])
    for held_out, first, last in [(1, 6, [0, 2]), (2, 6, [0, 2]), (3, 3, [0, 3, 5]), (5, 3, [0, 3, 5])]:
        rest, held = text.split(held_out)
        assert (len(rest), len(rest.starts) - 1, held.starts.tolist()) == (first, len(text.starts) - len(last), last)
        np.testing.assert_array_equal(np.concatenate([rest.ids, held.ids]), text.ids)
        assert rest.vocabulary is held.vocabulary is text.vocabulary
    assert text.split(0) == (text, None)
    with pytest.raises(ValueError, match="no pair of words is left"):
        text.split(8)
