"""Vector files: what is read and written, and one sentence for each way in which a file can be wrong."""

import gzip
import os
import struct
import tracemalloc

import numpy as np
import pytest

from handgrad.errors import InputError
from handgrad.files import whole_file
from handgrad.word2vec import KeyedVectors
from handgrad.word2vec.vector_files import PIECE, read_vectors, write_vectors


def floats(*numbers):
    return struct.pack(f"<{len(numbers)}f", *numbers)


TEXT = b"2 3\nsun 0.1 -2.0 3e-05\nm\xc3\xb6nd 1.0 1.6777216e+07 -0.0\n"
BINARY = b"2 3\nsun " + floats(0.1, -2, 3e-5) + b"m\xc3\xb6nd " + floats(1, 2**24, -0.0)
WORDS, VECTORS = ["sun", "mönd"], np.array([[0.1, -2, 3e-5], [1, 2**24, -0.0]], dtype=np.float32)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "vectors"


@pytest.mark.parametrize("binary, content", [(False, TEXT), (True, BINARY)])
def test_what_is_written_is_gensims_format_byte_for_byte(path, binary, content):
    write_vectors(path, WORDS, VECTORS, binary)
    assert path.read_bytes() == content


FORMATS = {
    "text": TEXT,
    "binary": BINARY,
    "binary, word2vec.c's newlines": BINARY.replace(b"m\xc3", b"\nm\xc3") + b"\n",
    "text, word2vec.c's blanks": TEXT.replace(b"\n", b" \n"),
    "text of Windows": TEXT.replace(b"\n", b"\r\n"),
    "text, empty lines after it": TEXT + b"\n\n",
    "GloVe's": TEXT.partition(b"\n")[2],
    "GloVe's, no last newline": TEXT.partition(b"\n")[2].removesuffix(b"\n"),
    "text, packed": gzip.compress(TEXT),
    "binary, packed": gzip.compress(BINARY),
}


@pytest.mark.parametrize("content", FORMATS.values(), ids=FORMATS)
def test_every_format_is_recognized(path, content):
    path.write_bytes(content)
    words, vectors = read_vectors(path)
    assert words == WORDS and vectors.dtype == np.float32
    assert vectors.tobytes() == VECTORS.tobytes()


def test_saving_is_text_unless_binary_is_asked_for(path):
    vectors = KeyedVectors(WORDS, VECTORS)
    vectors.save_word2vec_format(path)
    assert path.read_bytes() == TEXT
    vectors.save_word2vec_format(path, write_header=False)
    assert path.read_bytes() == TEXT.partition(b"\n")[2]
    vectors.save_word2vec_format(path, binary=True)
    loaded = KeyedVectors.load_word2vec_format(path, binary=True)
    assert loaded.index_to_key == WORDS and loaded["sun"].tolist() == VECTORS[0].tolist()


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("name", ["vectors", "vectors.gz"])
def test_any_float32_comes_back_bit_for_bit_over_many_pieces(tmp_path, binary, name):
    bits = np.random.default_rng(0).integers(0, 2**32, 60_000, dtype=np.uint32).view(np.float32)
    vectors = bits[np.isfinite(bits)][:50_000].reshape(-1, 10)
    words = [f"w{i}" for i in range(len(vectors) - 1)] + ["long" * 2000]
    write_vectors(tmp_path / name, words, vectors, binary)
    assert (tmp_path / name).read_bytes().startswith(b"\x1f\x8b") == name.endswith(".gz")
    read_words, read = read_vectors(tmp_path / name)
    assert read_words == words
    np.testing.assert_array_equal(read.view(np.uint32), vectors.view(np.uint32))


@pytest.mark.parametrize("binary", [True, False])
def test_files_of_several_pieces_are_joined_without_a_seam(path, binary):
    vectors = np.arange(3 * PIECE // 4, dtype=np.float32).reshape(-1, 8)
    words = [f"{i}" + "w" * (1 + i % 7) for i in range(len(vectors))]
    write_vectors(path, words, vectors, binary)
    assert path.stat().st_size > 2 * PIECE
    read_words, read = read_vectors(path)
    assert read_words == words
    np.testing.assert_array_equal(read, vectors)


@pytest.mark.parametrize("content", [TEXT, BINARY, TEXT.partition(b"\n")[2]])
def test_limit_reads_the_first_words_and_asks_nothing_of_the_rest(path, content):
    path.write_bytes(content[:-3])  # cut off after the first word
    words, vectors = read_vectors(path, limit=1)
    assert words == ["sun"] and vectors.tolist() == VECTORS[:1].tolist()
    path.write_bytes(content)
    assert read_vectors(path, limit=9)[0] == WORDS


def test_gloves_words_may_have_blanks_and_its_first_row_may_look_like_a_header(path):
    path.write_bytes(b"a 1 2\n. . . 3 4\nto name@domain.com 5 6\n")
    words, vectors = read_vectors(path)
    assert words == ["a", ". . .", "to name@domain.com"] and vectors.tolist() == [[1, 2], [3, 4], [5, 6]]
    path.write_bytes(b"7 1\n8 2\n")
    with pytest.raises(InputError, match="promises 7 words of 1 numbers and ends after 1"):
        read_vectors(path)
    assert read_vectors(path, no_header=True)[0] == ["7", "8"]


def test_words_with_other_blanks_of_unicode_are_words(path):
    words = ["new\xa0york", "a\u2028b", "\u3000"]
    for binary in (True, False):
        write_vectors(path, words, np.ones((3, 2)), binary)
        assert read_vectors(path)[0] == words


def test_words_that_are_numbers_are_written_as_text(path):
    KeyedVectors(range(3), np.ones((3, 2))).save_word2vec_format(path)
    assert read_vectors(path)[0] == ["0", "1", "2"]


def test_words_that_are_not_utf8_can_be_mended(path):
    path.write_bytes(b"1 1\nsn\xff " + floats(1))
    assert read_vectors(path, unicode_errors="replace")[0] == ["sn�"]
    assert read_vectors(path, unicode_errors="ignore")[0] == ["sn"]


BAD_FILES = {
    "empty": (b"", "it is empty"),
    "a blank line": (b"\n", "its first line is empty"),
    "empty, packed": (gzip.compress(b""), "it is empty"),
    "some other text": (b"some text that is no header\n", 'neither "words dimensions" nor a word and its numbers'),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "neither"),
    "no words": (b"0 3\n", "promises 0 words of 3 numbers, but needs at least one of each"),
    "no dimensions": (b"3 0\na\nb\nc\n", "promises 3 words of 0 numbers, but needs at least one of each"),
    "negative size": (b"-2 3\na 1 2 3\n", "row 2, 'a 1 2 3.*', is not a word and 1 numbers"),
    "absurd number of words": (b"999999999999 100\na " + bytes(400), "ends after 1"),
    "absurd dimensions, binary": (b"1 999999999999\na " + bytes(400), "ends after 0"),
    "absurd dimensions, text": (b"1 999999999999\na 1 2\n", "is not a word and 999999999999 numbers"),
    "absurd, packed": (gzip.compress(b"999999999999 999999999999\na " + bytes(10**6)), "ends after 0"),
    "text cut off": (b"3 1\na 1\nb 2\n", "promises 3 words of 1 numbers and ends after 2"),
    "text cut off in a row": (b"2 2\na 1 2\nb 1\n", "row 2, 'b 1.*', is not a word and 2 numbers"),
    "text too long": (b"1 1\na 1\nb 2\n", "promises 1 words of 1 numbers and goes on after them"),
    "a row too long": (b"2 2\na 1 2\nb 1 2 3\n", "row 2"),
    "all rows too long": (b"2 2\na 1 2 3\nb 1 2 3\n", "row 1"),
    "all rows too short": (b"2 1\na\nb\n", "ends after 0"),
    "a number that is none": (b"2 2\na 1 2\nb 1 x\n", "row 2"),
    "GloVe with a shorter row": (b"a 1 2\nb 1\n", "row 2, 'b 1.*', is not a word and 2 numbers"),
    "GloVe with a longer row": (b"a 1 2\nb 1 2 3\n", "row 2"),
    "binary cut off": (b"2 3\na " + bytes(12) + b"b " + bytes(8), "promises 2 words of 3 numbers and ends after 1"),
    "binary too long": (b"1 1\na " + floats(1) + b"b " + floats(1), "goes on after them"),
    "a word without an end": (b"1 1\n" + b"a" * 20_000, "a word in it has no end"),
    "an empty word, binary": (b"2 1\na " + floats(1) + b" " + floats(1), "word 2 is empty"),
    "an empty word, text": (b"2 1\na 1\n 2\n", "word 2 is empty"),
    "a word twice, binary": (b"2 1\na " + floats(1) + b"a " + floats(2), "'a' is in it twice"),
    "a word twice, text": (b"2 1\na 1\na 2\n", "'a' is in it twice"),
    "a word that is not UTF-8": (b"1 1\n\xff\xfe 1\n", r"word 1, b'\\xff\\xfe', is not UTF-8"),
    "the same, binary": (b"1 1\n\xff\xfe " + floats(1), r"word 1, b'\\xff\\xfe', is not UTF-8"),
    "NaN, text": (b"2 1\na 1\nb nan\n", "vector of 'b' has a number that is NaN or infinite"),
    "NaN, binary": (b"1 2\nb " + floats(1, np.nan), "vector of 'b' has a number that is NaN or infinite"),
    "infinity": (b"1 1\nb -inf\n", "vector of 'b' has a number that is NaN or infinite"),
    "too large for float32": (b"1 1\nb 1e39\n", "vector of 'b' has a number that is NaN or infinite"),
}


@pytest.mark.parametrize("content, sentence", BAD_FILES.values(), ids=BAD_FILES)
def test_a_bad_file_is_one_sentence_that_names_it(path, content, sentence):
    path.write_bytes(content)
    with pytest.raises(InputError, match=rf"vectors is not a vectors file: .*{sentence}") as error:
        read_vectors(path)
    assert "\n" not in str(error.value) and len(str(error.value)) < 400


@pytest.mark.parametrize("content, binary", [(TEXT, True), (BINARY, False), (BINARY, None)])
def test_one_format_given_for_the_other_is_refused_by_name(path, content, binary):
    path.write_bytes(content)
    if binary is None:
        assert read_vectors(path)[0] == WORDS
        return
    kind = "word2vec's binary" if binary else "text"
    with pytest.raises(InputError, match=rf"is not a vectors file in {kind} format.*Leave binary={binary} away"):
        read_vectors(path, binary=binary)


def test_headers_that_are_asked_for_and_missing(path):
    path.write_bytes(b"a 1 2\n")
    for options in ({"binary": True}, {"no_header": False}):
        with pytest.raises(InputError, match='its first line is not "words dimensions"'):
            read_vectors(path, **options)
    with pytest.raises(InputError, match="cannot be read without its header"):
        read_vectors(path, binary=True, no_header=True)
    with pytest.raises(InputError, match="limit of at least 1 word, but got 0"):
        read_vectors(path, limit=0)


def test_missing_folder_and_damaged_gzip_are_sentences(tmp_path):
    for nothing in (tmp_path / "none", tmp_path):
        with pytest.raises(InputError, match="could not be read"):
            read_vectors(nothing)
    packed = gzip.compress(TEXT)
    for damaged in (packed[:-10], packed[:12] + b"xxxxxxxx" + packed[20:], b"\x1f\x8b" + b"no gzip at all"):
        (tmp_path / "v.gz").write_bytes(damaged)
        with pytest.raises(InputError, match=r"v\.gz (is cut off or damaged|could not be read)"):
            read_vectors(tmp_path / "v.gz")


@pytest.mark.parametrize("content", [BAD_FILES[k][0] for k in BAD_FILES if k.startswith("absurd")])
def test_memory_follows_the_file_and_not_its_header(path, content):
    path.write_bytes(content)
    tracemalloc.start()
    with pytest.raises(InputError):
        read_vectors(path)
    assert tracemalloc.get_traced_memory()[1] < 50e6
    tracemalloc.stop()


@pytest.mark.parametrize("word", ["", "new york", "a\nb", "tab\t", "\udc80"])
@pytest.mark.parametrize("binary", [True, False])
def test_words_that_the_format_cannot_hold_are_refused_before_anything_is_written(tmp_path, word, binary):
    with pytest.raises(InputError, match="cannot hold"):
        write_vectors(tmp_path / "vectors", ["b", word], np.ones((2, 1)), binary)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "vectors, options, sentence",
    [
        (np.array([[1, np.nan]]), {}, "vector of 'a' has a number that is NaN or too large for float32"),
        (np.array([[1, 1e39]]), {}, "too large for float32"),
        (np.ones((1, 0)), {}, "at least one word and one number"),
        (np.ones((1, 2)), {"binary": True, "header": False}, "needs its header"),
    ],
)
def test_what_could_not_be_read_back_is_not_written(tmp_path, vectors, options, sentence):
    with pytest.raises(InputError, match=sentence):
        write_vectors(tmp_path / "vectors", ["a"], vectors, **options)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["vectors", "vectors.gz"])
def test_a_save_that_fails_midway_leaves_the_old_file_and_nothing_else(tmp_path, name):
    path = tmp_path / name
    write_vectors(path, WORDS, VECTORS)
    before = path.read_bytes()
    for error in (OSError(28, "No space left on device"), KeyboardInterrupt()):
        with pytest.raises(type(error)), whole_file(path) as file:
            file.write(b"half of it")
            raise error
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


def test_a_link_stays_a_link_and_folders_and_devices_are_refused(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "real")
    write_vectors(tmp_path / "link", WORDS, VECTORS)
    assert (tmp_path / "link").is_symlink() and (tmp_path / "real").read_bytes() == TEXT
    os.mkfifo(tmp_path / "pipe")  # stands for a device: never a real one, which a broken program would replace
    for place in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(InputError, match="a folder or a device"):
            write_vectors(place, WORDS, VECTORS)
    with pytest.raises(InputError, match="There is no folder"):
        write_vectors(tmp_path / "none" / "vectors", WORDS, VECTORS)


def test_who_reads_the_old_file_while_the_new_one_is_saved_reads_the_old_one(path):
    write_vectors(path, WORDS, VECTORS)
    with open(path, "rb") as reader:
        write_vectors(path, WORDS, -VECTORS)
        assert reader.read() == TEXT
    assert path.read_bytes() != TEXT


def test_packed_files_hold_neither_name_nor_time(tmp_path):
    for name in ("a.gz", "b.gz"):
        write_vectors(tmp_path / name, WORDS, VECTORS)
    assert (tmp_path / "a.gz").read_bytes() == (tmp_path / "b.gz").read_bytes()
    assert (tmp_path / "a.gz").read_bytes()[4:8] == bytes(4)
