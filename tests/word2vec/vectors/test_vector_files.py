"""Vector files: what is read and written, and one sentence for each way in which a file can be wrong."""

import bz2
import codecs
import gzip
import io
import lzma
import os
import pickle
import struct
import tracemalloc
import zipfile
from collections import Counter

import hypothesis
import numpy as np
import pytest

from handgrad.errors import InputError
from handgrad.files import KINDS, whole_file
from handgrad.word2vec import KeyedVectors
from handgrad.word2vec.vectors.other_files import ADVICE, what_it_is
from handgrad.word2vec.vectors.vector_files import PIECE, read_counts, read_vectors
from handgrad.word2vec.vectors.vector_writing import BLANK, write_vectors


def floats(*numbers):
    return struct.pack(f"<{len(numbers)}f", *numbers)


TEXT = b"2 3\nsun 0.1 -2.0 3e-05\nm\xc3\xb6nd 1.0 1.6777216e+07 -0.0\n"
BINARY = b"2 3\nsun " + floats(0.1, -2, 3e-5) + b"m\xc3\xb6nd " + floats(1, 2**24, -0.0)
WORDS, VECTORS = ["sun", "mönd"], np.array([[0.1, -2, 3e-5], [1, 2**24, -0.0]], dtype=np.float32)
WAYS = [(True, True), (False, True), (False, False)]  # binary, header


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


CUT = {"binary": b"2 1\nsn\xc3 " + floats(1) + b"sn " + floats(2), "text": b"2 1\nsn\xc3 1\nsn 2\n"}


@pytest.mark.parametrize("content", CUT.values(), ids=CUT)
def test_words_that_were_cut_inside_a_character_are_mended_with_a_warning(path, content):
    """word2vec.c cuts words at so many bytes (gensim #567)."""
    path.write_bytes(content)
    with pytest.warns(UserWarning, match=r"has 1 word that is not UTF-8, such as b'sn.xc3'"):
        assert read_vectors(path)[0] == ["sn\ufffd", "sn"]
    assert read_vectors(path, unicode_errors="replace")[0] == ["sn\ufffd", "sn"]
    assert read_vectors(path, unicode_errors="backslashreplace")[0] == ["sn\\xc3", "sn"]
    assert read_vectors(path, encoding="latin-1")[0] == ["snÃ", "sn"]
    with pytest.warns(UserWarning, match="1 row with words that it had before, such as 'sn'"):  # they become equal
        words, vectors = read_vectors(path, unicode_errors="ignore")
    assert words == ["sn"] and vectors.tolist() == [[1]]
    with pytest.raises(UnicodeDecodeError) as error:  # what users of gensim catch
        read_vectors(path, unicode_errors="strict")
    assert isinstance(error.value, InputError)
    assert str(error.value).endswith(
        "is not a vectors file: word 1, b'sn\\xc3', is not UTF-8: read it with unicode_errors='replace'."
    )
    with pytest.raises(InputError, match="unicode_errors is one of strict, replace, ignore"):
        read_vectors(path, unicode_errors="mend")


TWICE = {"binary": b"3 1\na " + floats(1) + b"a " + floats(2) + b"b " + floats(3), "text": b"3 1\na 1\na 2\nb 3\n"}


@pytest.mark.parametrize("content", [*TWICE.values(), TWICE["text"][4:]], ids=[*TWICE, "GloVe's"])
def test_of_a_word_that_comes_twice_the_first_vector_counts(path, content):
    """As in GloVe's vectors of Twitter (glove-python #48)."""
    path.write_bytes(content)
    with pytest.warns(UserWarning, match="has 1 row with words that it had before, such as 'a': the first vector"):
        words, vectors = read_vectors(path)
    assert words == ["a", "b"] and vectors.tolist() == [[1], [3]]
    assert read_vectors(path, limit=1)[0] == ["a"]


@pytest.mark.parametrize("content", [TEXT, BINARY, TEXT.partition(b"\n")[2]], ids=["text", "binary", "GloVe's"])
def test_a_byte_order_mark_is_no_part_of_the_first_word(path, content):
    path.write_bytes(codecs.BOM_UTF8 + content)
    assert read_vectors(path)[0] == WORDS


@pytest.mark.parametrize("words", [["\ufeff", "b"], ["\ufeffthe", "b"]])
def test_but_a_word_that_begins_with_one_keeps_it(path, words):
    for binary, header in WAYS:
        write_vectors(path, words, np.ones((2, 2)), binary, header)
        assert read_vectors(path)[0] == words


@pytest.mark.parametrize("length", [20_000, PIECE - 1, PIECE, PIECE + 1, 3_000_000])
@pytest.mark.parametrize("name", ["vectors", "vectors.gz"])
def test_a_word_may_be_as_long_as_it_likes(tmp_path, length, name):
    """One of 20,000 letters has been trained, and then no command could read the vectors (gensim #388)."""
    words = ["a", "w" * length, "b"]
    for at in range(3):
        words = words[1:] + words[:1]
        for binary, header in WAYS:
            write_vectors(tmp_path / name, words, np.eye(3, 4), binary, header)
            assert read_vectors(tmp_path / name)[0] == words, at


@pytest.mark.parametrize(
    "content",
    [
        b"2 2\na  1  2\nb  3  4\n",  # two blanks between numbers (bert-token-embeddings #1)
        b"a  1  2\nb  3  4\n",
        b"2\t2\na\t1\t2\nb\t3\t4\n",
        b"a\t1\t2\r\nb\t3\t4\r\n",
        b"2 2\n  a 1 2\n  b 3 4\n",
    ],
)
def test_blanks_may_be_many_or_tabs(path, content):
    path.write_bytes(content)
    words, vectors = read_vectors(path)
    assert words == ["a", "b"] and vectors.tolist() == [[1, 2], [3, 4]]


def test_a_row_that_is_wrong_does_not_make_a_text_file_binary(path):
    rows = [b"w%d 1 2\n" % i for i in range(40)]
    for i in (0, 1, 20, 39):
        for wrong in (b"x 1:5 2:7\n", b"x\x01 one two\n", b"\xff\xfe 1 2 3\n", b"x\n"):
            path.write_bytes(b"40 2\n" + b"".join([*rows[:i], wrong, *rows[i + 1 :]]))
            with pytest.raises(InputError, match=f"row {i + 1}, .* is not a word and 2 numbers"):
                read_vectors(path)


def test_a_number_that_is_not_saved_is_named_by_its_word_however_far_down(path):
    D = 1000  # so that the words are gone through in several pieces
    vectors = np.zeros((2500, D), np.float32)
    for bad in (0, 1047, 1048, 1900, 2499):
        vectors[bad, bad % D] = np.nan
        with pytest.raises(InputError, match=f"The vector of 'w{bad}' has a number that is NaN"):
            write_vectors(path, [f"w{i}" for i in range(2500)], vectors)
        vectors[bad] = 0
    assert not path.exists()


def test_a_line_of_counts_that_is_wrong_is_named_by_its_number(path):
    for number in (1, 2, 5):
        lines = [b"w%d %d\n" % (i, 9 - i) for i in range(5)]
        lines[number - 1] = b"three words here\n"
        path.write_bytes(b"".join(lines))
        with pytest.raises(InputError, match=f"is not a vocabulary: line {number}, 'three words here"):
            read_counts(path)


@pytest.mark.parametrize("number", ["1_0", "0x10", "1d5", "１", "1,5", "1:5", "--1", "e5", ".", "1e", "True"])
@pytest.mark.parametrize("header", ["2 1\n", ""])
def test_what_nobody_writes_for_a_number_is_none(path, number, header):
    path.write_bytes(f"{header}a {number}\nb {number}\n".encode())
    with pytest.raises(InputError, match=r"is not a vectors file: (row 1, 'a|its first line is neither)"):
        read_vectors(path)


NOT_NUMBERS = [b"1.5\n", b"\n1 2", b"abc>", b"1_0 ", b" 1\n ", b"\n\n\n1", b"0.25", "ä1".encode() + b"?"]


@pytest.mark.parametrize("numbers", NOT_NUMBERS)
@pytest.mark.parametrize("D", [1, 2])
def test_a_binary_file_that_looks_like_text_is_found_out(path, numbers, D):
    """Its header is marked with a vertical tab: a blank to every reader, gensim's as word2vec.c's."""
    vectors = np.frombuffer(numbers * (2 * D), "<f4").reshape(2, D)
    write_vectors(path, ["1", "b"], vectors, binary=True)
    words, read = read_vectors(path)
    assert words == ["1", "b"] and read.tobytes() == vectors.tobytes()
    assert path.read_bytes().partition(b"\n")[0].split() == [b"2", b"%d" % D]


def test_rows_of_a_foreign_binary_file_are_not_taken_for_text(path):
    """gensim's and word2vec.c's have no mark; some of the smallest could be text, and would be read as it."""
    rng = np.random.default_rng(0)
    for trial in range(200):
        vectors = rng.standard_normal((1 + trial % 4, 4), dtype=np.float32)
        rows = b"".join(b"w%d %b\n" % (i, row.tobytes()) for i, row in enumerate(vectors))
        path.write_bytes(b"%d 4\n" % len(vectors) + rows)
        assert read_vectors(path)[1].tobytes() == vectors.tobytes()


def packed(files):
    with zipfile.ZipFile(content := io.BytesIO(), "w") as archive:
        for name, inside in files.items():
            archive.writestr(name, inside)
    return content.getvalue()


def saved(save, *arguments):
    save(content := io.BytesIO(), *arguments)
    return content.getvalue()


OTHER_FILES = {
    "sparse": (b"2 4\nthe 1:2 2:3 3:1 4:7\nof 1:2 2:3 3:1 4:7\n", "sparse vectors"),  # Chinese-Word-Vectors #168
    "sparse, no header": (b"the 1:2 2:3\nof 1:2 2:3\n", "sparse vectors"),
    "zip": (packed({"vectors.txt": TEXT}), "a zip archive, so unpack it first"),
    "zip in gzip": (gzip.compress(packed({"vectors.txt": TEXT})), "a zip archive"),
    "npz": (saved(np.savez, np.eye(2)), r"NumPy's \.npz"),
    "npy": (saved(np.save, np.eye(2)), r"a NumPy array \(\.npy\)"),
    "torch": (packed({"archive/data.pkl": b"\x80\x02}q."}), r"a file of torch\.save"),
    "pickle": (pickle.dumps({"a": [1.0]}), "a Python pickle, which could run any code"),
    "oldest pickle": (pickle.dumps({"a": [1.0]}, 0), "a Python pickle"),
    "old pickle": (pickle.dumps({"a": [1.0]}, 1), "a Python pickle"),
    "old pickle of a list": (pickle.dumps(["a", 1.0], 1), "a Python pickle"),
    "tar": (b"a.txt".ljust(257, b"\0") + b"ustar\0" + bytes(300), "a tar archive"),
    "bzip2": (bz2.compress(TEXT), "packed by bzip2"),
    "xz": (lzma.compress(TEXT), "packed by xz"),
    "Git LFS": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 1\n",
        'a Git LFS pointer.*"git lfs',
    ),
    "HTML": (b"\n<!DOCTYPE html>\n<html lang=en>", "a web page"),
    "PDF": (b"%PDF-1.5\n%\xe2\xe3\n1 0 obj", "a PDF"),
    "JSON": (b'{"a": [1, 2], "b": [3, 4]}', "JSON"),
    "CSV": (b"a,1,2\nb,3,4\n", "CSV, so put blanks in place of its commas"),
    "CSV below a header": (b"2 2\na,1,2\nb,3,4\n", "CSV"),
    "CSV whole": (b"2,2\na,1,2\nb,3,4\n", "CSV, so put blanks in place of its commas"),
    "CSV of Excel": (b"\xef\xbb\xbf2;2\r\na;1,5;2\r\nb;3;4\r\n", "CSV, so put blanks in place of its semicolons"),
    "HTML with a byte order mark": (b"\xef\xbb\xbf<!DOCTYPE html>", "a web page"),
    "JSON with a byte order mark": (b'\xef\xbb\xbf{"a": [1, 2]}', "JSON"),
    "decimal commas": (b"2 2\na 1,5 2,5\nb 1,0 2,0\n", "text with decimal commas"),
    "UTF-16": (TEXT.decode().encode("utf-16"), "text in UTF-16, so save it as UTF-8"),
    "UTF-16, no mark": (TEXT.decode().encode("utf-16-le"), "text in UTF-16"),
    "old Macs": (TEXT.replace(b"\n", b"\r"), r"text whose lines end with \\r alone"),
    "fastText": (b"\xba\x16\x4f\x2f\x0c\0\0\0" + bytes(100), r"a fastText model, .* the \.vec file"),
    "safetensors": (struct.pack("<Q", 20) + b'{"vectors": {}}     ', "a safetensors file, and KeyedVectors.load"),
}


@pytest.mark.parametrize("content, kind", OTHER_FILES.values(), ids=OTHER_FILES)
def test_another_file_is_named_for_what_it_is(path, content, kind):
    path.write_bytes(content)
    with pytest.raises(InputError, match=f"vectors is not a vectors file: .*; it is {kind}") as error:
        read_vectors(path)
    assert "\n" not in str(error.value)


def test_numbers_are_not_taken_for_a_kind_of_text():
    named = Counter(what_it_is(np.random.default_rng(seed).bytes(1000)) for seed in range(200))
    named += Counter(what_it_is(np.random.default_rng(seed).normal(size=200).tobytes()) for seed in range(200))
    assert named == {None: 400}


def test_what_to_do_is_said_of_kinds_that_there_are():
    assert set(ADVICE) <= {what for _, what, _ in KINDS}


def test_the_folder_of_a_run_stands_for_its_vectors(tmp_path):
    with pytest.raises(InputError, match=r"it is a folder without vectors\.bin"):
        read_vectors(tmp_path)
    write_vectors(tmp_path / "vectors.bin", WORDS, VECTORS, binary=True)
    assert read_vectors(tmp_path)[0] == read_vectors(str(tmp_path))[0] == WORDS


def test_rows_are_appended_where_that_is_asked_for(path):
    for binary in (False, True):
        for name in ("vectors", "vectors.gz"):
            file = path.with_name(name)
            write_vectors(file, ["a"], VECTORS[:1], binary, promised=2)
            with pytest.raises(InputError, match="promises 2 words of 3 numbers and ends after 1"):
                read_vectors(file)
            write_vectors(file, ["b"], VECTORS[1:], binary, header=False, append=True)
            words, vectors = read_vectors(file)
            assert words == ["a", "b"] and vectors.tobytes() == VECTORS.tobytes()
            with pytest.raises(InputError, match="leave the header away"):
                write_vectors(file, ["c"], VECTORS[:1], binary, append=True)
    with pytest.raises(InputError, match="promises 1 words, but there are 2"):
        write_vectors(path, WORDS, VECTORS, promised=1)


def test_the_type_of_the_vectors_and_the_encoding_can_be_chosen(path):
    path.write_bytes("1 2\nmönd 0.1 70000\n".encode("latin-1"))
    words, vectors = read_vectors(path, encoding="latin-1", dtype=np.float64)
    assert words == ["mönd"] and vectors.dtype == np.float64 and vectors.tolist() == [[0.1, 70000]]
    with pytest.raises(InputError, match="vector of 'mönd' has a number that is NaN or infinite"):
        read_vectors(path, encoding="latin-1", dtype=np.float16)
    for encoding in ("utf-16", "no such", "rot13", "hex"):
        with pytest.raises(InputError, match="encoding is one in which ASCII is ASCII"):
            read_vectors(path, encoding=encoding)
    with pytest.raises(InputError, match="Vectors are floats"):
        read_vectors(path, dtype=np.int32)


# Any file and any words: hypothesis looks for the counterexample.

PIECES = [
    b"0",
    b"1",
    b"2",
    b" ",
    b"\n",
    b"a",
    b".",
    b"e",
    b"-",
    b"\t",
    b"\r",
    b"\xc3",
    b"\0",
    b"nan",
    b"_",
    b"\xff",
    b"\v",
]
PIECES = hypothesis.strategies.sampled_from(
    [*PIECES, codecs.BOM_UTF8, b"2 2\n", b"1 1\n", b"\x1f\x8b", b"PK\3\4", b","]
)
CONTENTS = hypothesis.strategies.lists(PIECES, max_size=25).map(b"".join) | hypothesis.strategies.binary(max_size=60)
HEADERS = hypothesis.strategies.sampled_from([b"", b"1 1\n", b"2 1\n", b"1 2\n", b"3 3\n", b"999999999999999999 1\n"])
LETTERS = hypothesis.strategies.characters(exclude_characters=" \t\n\r\v\f", exclude_categories=["Cs"])
UNUSUAL = hypothesis.strategies.sampled_from(
    ["1", "1.5", "\x85", "\xa0", "\ufeff", "\u3000", "nan", "-1", "#", "\x1c", "\0"]
)
ANY_WORDS = hypothesis.strategies.lists(
    hypothesis.strategies.text(LETTERS, min_size=1) | UNUSUAL, min_size=1, max_size=4, unique=True
)


def round_trips(path, words, vectors):
    """Written in each way, and read without being told in which, words and numbers are what they were."""
    for binary, header in WAYS:
        for name in ("vectors", "vectors.gz"):
            write_vectors(path.with_name(name), words, vectors, binary, header)
            read_words, read = read_vectors(path.with_name(name))
            assert read_words == words and read.tobytes() == vectors.astype("<f4").tobytes()


@hypothesis.given(HEADERS, CONTENTS, hypothesis.strategies.sampled_from([None, True, False]))
@hypothesis.settings(max_examples=400, suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])
@pytest.mark.filterwarnings("ignore:.*(not UTF-8|had before)")
def test_any_bytes_are_vectors_or_one_sentence(path, header, content, binary):
    path.write_bytes(header + content)
    for options in ({"binary": binary}, {"no_header": True}):
        try:
            words, vectors = read_vectors(path, **options)
        except InputError as error:
            assert "\n" not in str(error)
            continue
        assert len(set(words)) == len(words) == len(vectors) and np.isfinite(vectors).all()
        if not any(BLANK.search(word) for word in words):  # a binary file may have them
            round_trips(path, words, vectors)
        path.write_bytes(header + content)


@hypothesis.given(ANY_WORDS, hypothesis.strategies.integers(1, 3), hypothesis.strategies.data())
@hypothesis.settings(max_examples=300, suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])
def test_any_words_and_any_numbers_come_back(path, words, D, data):
    letters = hypothesis.strategies.sampled_from(b"\n 1.5a_\0<?-\xbf\xc3\r")  # bytes that are text as well
    size = 4 * D * len(words)
    numbers = data.draw(
        hypothesis.strategies.lists(letters, min_size=size, max_size=size) | hypothesis.strategies.none()
    )
    numbers = (
        data.draw(hypothesis.strategies.binary(min_size=size, max_size=size)) if numbers is None else bytes(numbers)
    )
    vectors = np.frombuffer(numbers, "<f4").reshape(-1, D)
    hypothesis.assume(np.isfinite(vectors).all())
    round_trips(path, words, vectors)


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
    "all rows too short": (b"2 1\na\nb\n", "row 1, 'a.*', is not a word and 1 numbers"),
    "a number that is none": (b"2 2\na 1 2\nb 1 x\n", "row 2"),
    "GloVe with a shorter row": (b"a 1 2\nb 1\n", "row 2, 'b 1.*', is not a word and 2 numbers"),
    "GloVe with a longer row": (b"a 1 2\nb 1 2 3\n", "row 2"),
    "binary cut off": (b"2 3\na " + bytes(12) + b"b " + bytes(8), "promises 2 words of 3 numbers and ends after 1"),
    "binary too long": (b"1 1\na " + floats(1) + b"b " + floats(1), "goes on after them"),
    "a word without an end": (b"1 1\n" + b"a" * 20_000, "row 1, 'a+…', is not a word and 1 numbers"),
    "the same, binary": (b"1 1\n" + b"a\0" * 20_000, "a word in it has no end"),
    "an empty word, binary": (b"2 1\na " + floats(1) + b" " + floats(1), "word 2 is empty"),
    "an empty word, text": (b"2 1\na 1\n 2\n", "word 2 is empty"),
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
    for nothing in (tmp_path / "none", tmp_path, "", None, 1.5):
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
