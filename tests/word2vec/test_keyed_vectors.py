import numpy as np
import pytest

from handgrad.word2vec import KeyedVectors, UnknownWordError

WORDS = ["north", "east", "northeast", "south", "nothing"]
VECTORS = np.array([[0, 2], [1, 0], [3, 3], [0, -1], [0, 0]], dtype=np.float32)


@pytest.fixture
def compass():
    return KeyedVectors(WORDS, VECTORS)


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


def test_similarity_and_access(compass):
    assert compass.similarity("north", "south") == pytest.approx(-1.0)
    assert compass["northeast"].tolist() == [3.0, 3.0]
    assert compass.get_vector("northeast", norm=True).tolist() == pytest.approx([np.sqrt(0.5)] * 2)
    assert "east" in compass and "up" not in compass and len(compass) == 5 and compass.vector_size == 2


def test_an_unknown_word_is_a_sentence_with_a_suggestion(compass):
    with pytest.raises(UnknownWordError) as error:
        compass.most_similar("nort")
    assert str(error.value) == "The word 'nort' is not among these 5 words; did you mean north?"
    with pytest.raises(KeyError):  # what users of gensim catch
        compass["qqqqqq"]


@pytest.mark.parametrize(
    "call, sentence",
    [
        (lambda kv: kv.most_similar(), "at least one word"),
        (lambda kv: kv.most_similar("north", topn=0), "topn of at least 1"),
        (lambda kv: KeyedVectors(WORDS[:3], VECTORS), "one row for each of the 3 words"),
        (lambda kv: KeyedVectors(["a"] * 5, VECTORS), "each word once, but 'a' occurs twice"),
        (lambda kv: kv.most_similar("nothing"), "without a direction"),
        (lambda kv: kv.most_similar(["north"], ["north"]), "without a direction"),
    ],
)
def test_wrong_use_is_answered_with_a_sentence(compass, call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call(compass)


@pytest.mark.parametrize("binary", [True, False])
def test_a_saved_file_reads_back_bit_for_bit(tmp_path, binary):
    rng = np.random.default_rng(0)
    saved = KeyedVectors(["ä", "b_c", "0"], rng.standard_normal((3, 50)).astype(np.float32))
    path = tmp_path / "vectors"
    saved.save_word2vec_format(path, binary=binary)
    loaded = KeyedVectors.load_word2vec_format(path, binary=binary)
    assert loaded.index_to_key == saved.index_to_key
    np.testing.assert_array_equal(loaded.vectors, saved.vectors)
    assert [p.name for p in tmp_path.iterdir()] == ["vectors"]


def test_the_binary_format_is_word2vecs(tmp_path):
    path = tmp_path / "vectors.bin"
    path.write_bytes(b"2 1\n" + b"a " + np.float32(1.5).tobytes() + b"\nb " + np.float32(-2).tobytes() + b"\n")
    loaded = KeyedVectors.load_word2vec_format(path)
    assert loaded.index_to_key == ["a", "b"] and loaded.vectors.ravel().tolist() == [1.5, -2.0]


@pytest.mark.parametrize(
    "content, binary",
    [
        (b"", True),
        (b"some text that is no header\n", True),
        (b"2 3\na \0\0\0\0", True),
        (b"1 1\n" + b"a" * 20_000, True),
        (b"1 1\n\xff\xfe \0\0\0\0\n", True),
        (b"2 2\na 1 2\nb 1\n", False),
        (b"1 2\na 1 x\n", False),
        (b"3 1\na 1\n", False),
        (b"1 1\na 1\nb 2\n", False),
        (b"1 1\na \0\0\0\0\nb \0\0\0\0\n", True),
    ],
)
def test_a_file_in_another_format_is_refused_by_name(tmp_path, content, binary):
    path = tmp_path / "vectors"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"vectors is not a vectors file in word2vec's (binary|text) format"):
        KeyedVectors.load_word2vec_format(path, binary=binary)


def test_a_missing_file_and_a_folder_are_sentences(tmp_path):
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(ValueError, match="could not be read"):
            KeyedVectors.load_word2vec_format(path)


def test_text_as_word2vec_c_writes_it_has_a_blank_before_each_newline(tmp_path):
    path = tmp_path / "vectors.txt"
    path.write_bytes(b"2 2\na 0.5 1 \nb 2 3 \n")
    assert KeyedVectors.load_word2vec_format(path, binary=False).vectors.tolist() == [[0.5, 1.0], [2.0, 3.0]]


@pytest.mark.parametrize("word", ["", "new york", "a\nb", "tab\t"])
def test_words_that_the_format_cannot_hold_are_refused_before_anything_is_written(tmp_path, word):
    with pytest.raises(ValueError, match="cannot hold"):
        KeyedVectors([word, "b"], [[1.0], [2.0]]).save_word2vec_format(tmp_path / "vectors")
    assert list(tmp_path.iterdir()) == []


def test_a_save_that_fails_midway_leaves_the_old_file_and_nothing_else(tmp_path, compass, monkeypatch):
    path = tmp_path / "vectors"
    compass.save_word2vec_format(path)
    before = path.read_bytes()

    def disk_full(self, file, binary):
        file.write(b"half of it")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(KeyedVectors, "_write", disk_full)
    with pytest.raises(OSError, match="No space left"):
        compass.save_word2vec_format(path)
    assert path.read_bytes() == before and [p.name for p in tmp_path.iterdir()] == ["vectors"]
