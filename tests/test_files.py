"""Text is UTF-8 with or without a byte order mark, for every reader; what is no text is named for what it is."""

import bz2
import gzip
import io
import lzma
import os
import pickle
import re
import tarfile
import time
import zipfile

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from handgrad.cli.training import read_settings
from handgrad.corpora import directory, text_file
from handgrad.errors import InputError
from handgrad.files import kind_of, opened_text, replacing, whole_file
from handgrad.word2vec.text.vocabulary import Vocabulary
from handgrad.word2vec.vectors.evaluation import read_analogies, read_word_pairs


def zipped(name="a.txt", content=b"some words\n" * 9, method=zipfile.ZIP_DEFLATED):
    with io.BytesIO() as buffer:
        with zipfile.ZipFile(buffer, "w", method) as archive:
            archive.writestr(name, content)
        return buffer.getvalue()


def saved(save, *arguments):
    with io.BytesIO() as buffer:
        save(buffer, *arguments)
        return buffer.getvalue()


def a_tar():
    with io.BytesIO() as buffer:
        with tarfile.open(fileobj=buffer, mode="w") as archive:
            archive.addfile(tarfile.TarInfo("a.txt"))
        return buffer.getvalue()


KINDS = {
    "text in UTF-16": "words".encode("utf-16"),
    "text in UTF-16, big end first": b"\xfe\xff" + "words".encode("utf-16-be"),
    "text in UTF-32": "words".encode("utf-32"),
    "text in UTF-32, big end first": b"\0\0\xfe\xff" + "words".encode("utf-32-be"),
    "a Git LFS pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:0a\nsize 3\n",
    "a PDF": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
    "an RTF document": b"{\\rtf1\\ansi words}",
    "an EPUB book": zipped("mimetype", "application/epub+zip", zipfile.ZIP_STORED),
    "an OpenDocument file": zipped("mimetype", "application/vnd.oasis.opendocument.text", zipfile.ZIP_STORED),
    "a Word, Excel or PowerPoint file": zipped("[Content_Types].xml"),
    "a file of torch.save": zipped("archive/data.pkl"),
    "an NPZ file": saved(np.savez, np.zeros(3)),
    "a zip archive": zipped(),
    "a zip archive without a file": b"PK\5\6" + bytes(18),
    "gzip data": gzip.compress(b"words"),
    "a bzip2 file": bz2.compress(b"words"),
    "an xz file": lzma.compress(b"words"),
    "a tar archive": a_tar(),
    "a pickle": pickle.dumps({"the": [1.0, 2.0]}, protocol=2),
    "a pickle of today": pickle.dumps(["words"]),
    "an NPY file": saved(np.save, np.zeros(3)),
    "an image": b"\x89PNG\r\n\x1a\n\0\0",
    "an image (JPEG)": b"\xff\xd8\xff\xe0\0\x10JFIF",
}
NAME = re.compile(r"(?:(?! without| of today| \(JPEG|, big).)+")  # what the sentence says of it
READERS = {
    "text": lambda path: list(text_file(path)),
    "directory": lambda path: list(directory(path.parent)),
    "TOML": read_settings,
    "vocabulary": Vocabulary.load,
    "word pairs": read_word_pairs,
    "analogies": read_analogies,
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_text_is_named(tmp_path, kind, reader):
    path = tmp_path / "file.txt"
    path.write_bytes(KINDS[kind])
    with pytest.raises(InputError, match=f"file.txt is {NAME.match(kind)[0]}") as caught:
        READERS[reader](path)
    assert "\n" not in str(caught.value) and str(caught.value).endswith((".", "git lfs pull"))


@pytest.mark.parametrize("name", ["a.gz", "a.zip"])
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_packed_and_no_text_is_named(tmp_path, kind, name):
    (tmp_path / name).write_bytes(gzip.compress(KINDS[kind]) if name == "a.gz" else zipped(content=KINDS[kind]))
    with pytest.raises(InputError, match=f"the file in .*{name} is {NAME.match(kind)[0]}"):
        text_file(tmp_path / name)


@pytest.mark.parametrize(
    "text",
    [
        "GIF89a is a format of images and ID3 a tag\n",
        "PK and PDF and %PDF are names\n",
        "MZ begins a program\n",
        "RIFF or Rar! or 7z\n",
        "version https://example.org\n",
        "{'rtf': 1}\n",
        "BZh91 is bzip2\n",
        f"{'x' * 256} ustar is tar\n",
        "the ftyp box\n",
        "<html> is a text, too\n",
        "\ufeff#!",
    ],
)
def test_what_may_be_text_is_text(tmp_path, text):
    (tmp_path / "a.txt").write_text(text, encoding="utf-8")
    assert list(text_file(tmp_path / "a.txt")) == [text.lstrip("\ufeff").split()]


def test_a_byte_order_mark_is_passed_over_by_every_reader_of_text(tmp_path):
    def with_mark(name, text):
        (tmp_path / name).write_text(text, encoding="utf-8-sig")
        return tmp_path / name

    assert list(text_file(with_mark("a.txt", "the cat\n"))) == [["the", "cat"]]
    assert read_settings(with_mark("a.toml", "epochs = 2\r\n[seeds]\r\ninit = 3\n")) == {
        "epochs": 2,
        "seeds": {"init": 3},
    }
    Vocabulary({"the": 2, "cat": 1}).save(tmp_path / "v.json")
    saved_text = (tmp_path / "v.json").read_text(encoding="utf-8")
    assert Vocabulary.load(with_mark("w.json", saved_text)).index_to_key == ["the", "cat"]


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufeff"), min_size=1))
def test_no_text_in_utf8_is_taken_for_another_kind(text):
    kind = kind_of(text.encode())
    assert kind is None


def sentence_or_text(path):
    """Whatever the bytes, what comes is a text or one sentence."""
    try:
        return list(text_file(path))
    except InputError as error:
        assert "\n" not in str(error) and path.name in str(error) and "None" not in str(error)
        return None


METHODS = [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
PACKED = {"a.gz": [gzip.compress(b"some words\n" * 9)], "a.zip": [zipped(method=method) for method in METHODS]}


@pytest.mark.parametrize("name", PACKED)
def test_a_packed_text_cut_off_at_any_byte_is_a_sentence(tmp_path, name):
    for content in PACKED[name]:
        (tmp_path / name).write_bytes(content)
        assert len(sentence_or_text(tmp_path / name)) == 9
        for length in range(len(content)):
            (tmp_path / name).write_bytes(content[:length])
            assert sentence_or_text(tmp_path / name) is None


@pytest.mark.parametrize("name", PACKED)
def test_a_packed_text_with_any_byte_changed_is_a_text_or_a_sentence(tmp_path, name):
    for content in PACKED[name]:
        for place in range(len(content)):
            for value in (0, 0xFF, content[place] ^ 1):
                (tmp_path / name).write_bytes(content[:place] + bytes([value]) + content[place + 1 :])
                sentence_or_text(tmp_path / name)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzzed")


mutations = st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), max_size=8)


@settings(max_examples=300)
@given(st.sampled_from([(name, content) for name in PACKED for content in PACKED[name]]), mutations)
def test_a_packed_text_with_many_bytes_changed_is_a_text_or_a_sentence(folder, packed, changes):
    name, content = packed[0], bytearray(packed[1])
    for place, value in changes:
        content[place % len(content)] = value
    (folder / name).write_bytes(content)
    sentence_or_text(folder / name)


@given(st.sampled_from(["b.txt", "b.gz", "b.zip", "b.toml", "b.json"]), st.binary())
@example("b.txt", b"\xef\xbb\xbf")
@example("b.txt", b"\xef\xbb")
@example("b.toml", b"a=" + b"[" * 5000)
@example("b.toml", b"a=" + b"9" * 5000)
@example("b.toml", b"\xef\xbb\xbf\xef\xbb\xbf")
def test_any_bytes_are_read_or_refused_in_a_sentence(folder, name, content):
    (folder / name).write_bytes(content)
    if name.endswith("toml"):
        with_sentences(read_settings, folder / name)
    elif name.endswith("json"):
        with_sentences(Vocabulary.load, folder / name)
    else:
        sentence_or_text(folder / name)


def with_sentences(read, path):
    try:
        read(path)
    except InputError as error:
        assert "\n" not in str(error)


def test_a_zip_that_is_locked_or_of_a_kind_that_python_cannot_read_is_a_sentence(tmp_path):
    content = bytearray(zipped())
    central = content.index(b"PK\x01\x02")
    for change, message in (((6, central + 8), "encrypted"), ((8, central + 10), "compression|not supported")):
        changed = bytearray(content)
        for place in change:
            changed[place] = 1 if message == "encrypted" else 9  # 9 is deflate64
        (tmp_path / "a.zip").write_bytes(changed)
        with pytest.raises(InputError, match=message):
            text_file(tmp_path / "a.zip")


def test_a_packed_file_with_a_wrong_name_is_named(tmp_path):
    for name, content, message in (
        ("a.zip", gzip.compress(b"words"), "a zip file, as its name says, but .* is gzip data"),
        ("a.gz", zipped(), "a gzip file, as its name says, but .* is a zip archive"),
        ("b.gz", bz2.compress(b"words"), "a gzip file, as its name says, but .* is a bzip2 file"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match=message):
            text_file(tmp_path / name)


def test_a_zip_of_a_mac_is_one_text(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("texts/a.txt", b"some words")
        archive.writestr("__MACOSX/texts/._a.txt", b"\0\5\x16\7")
    assert list(text_file(tmp_path / "a.zip")) == [["some", "words"]]


def test_opened_text_leaves_other_errors_to_the_caller(tmp_path):
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9")
    with pytest.raises(UnicodeDecodeError), opened_text(tmp_path / "latin.txt") as file:
        file.read()
    with pytest.raises(FileNotFoundError), opened_text(tmp_path / "nowhere"):
        pass


# ---- Files that are written ----


@pytest.mark.parametrize("name", ["file", "file.gz"])
def test_a_file_appears_whole_or_not_at_all(tmp_path, name):
    path = tmp_path / name
    for content in (b"first", b"second, and longer"):
        with whole_file(path) as file:
            file.write(content)
            assert not path.exists() or content.startswith(b"second")  # what is there is the old file
        written = path.read_bytes()
        assert (gzip.decompress(written) if name.endswith(".gz") else written) == content
    with pytest.raises(RuntimeError, match="half way"), whole_file(path) as file:
        file.write(b"third")
        raise RuntimeError("half way")
    assert path.read_bytes() == written and list(tmp_path.iterdir()) == [path]


def test_equal_contents_make_equal_packed_files_whatever_their_names_and_the_time(tmp_path, monkeypatch):
    for name, now in (("a.gz", 1e9), ("b.gz", 1.5e9)):
        monkeypatch.setattr(time, "time", lambda now=now: now)
        with whole_file(tmp_path / name) as file:
            file.write(b"the same words")
    assert (tmp_path / "a.gz").read_bytes() == (tmp_path / "b.gz").read_bytes()


def test_what_is_no_place_for_a_file_is_a_sentence(tmp_path):
    for path, sentence in [
        (tmp_path, "which is a folder or a device: name a file"),
        (tmp_path / "nowhere" / "file", "There is no folder .*nowhere for the file file: make it first"),
    ]:
        with pytest.raises(InputError, match=sentence), whole_file(path):
            pass
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("alone", [True, False])
def test_through_a_link_the_file_is_replaced_and_the_link_stays(tmp_path, alone):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to("folder/real")
    with replacing(tmp_path / "link", alone) as partial:
        assert partial.parent == tmp_path / "folder"  # on the same disk
        partial.write_bytes(b"new")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "folder" / "real").read_bytes() == b"new"
    with whole_file(tmp_path / "link") as file:
        file.write(b"newer")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "folder" / "real").read_bytes() == b"newer"


def test_two_processes_write_beside_each_other_and_one_alone_begins_in_the_place_of_what_was_left(tmp_path):
    with replacing(tmp_path / "file") as partial:
        assert partial.parent == tmp_path and str(os.getpid()) in partial.name
        partial.write_bytes(b"x")
    (tmp_path / "log.partial").write_bytes(b"half of it, of a process that was killed")
    with replacing(tmp_path / "log", alone=True) as partial:
        assert partial == tmp_path / "log.partial"
        partial.write_bytes(b"all")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"file": b"x", "log": b"all"}
