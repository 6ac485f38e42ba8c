"""The embedded corpus is the same text everywhere, and a file that cannot be read says why."""

import gzip
import hashlib
import os
import re
import subprocess
import sys
import threading
import warnings
import zipfile
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path

import pytest

from handgrad import corpora
from handgrad.corpora import directory, docstrings, documentation, downloads, open_corpus, text8, text_file
from handgrad.corpora.files import LONGEST_PIECE, LONGEST_WORD, sentences_of
from handgrad.installing import how_to_install


@pytest.fixture(scope="module")
def corpus():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return documentation()


@pytest.fixture
def packages(tmp_path, monkeypatch):
    """Two made-up packages, with everything that is hard about a docstring."""
    files = {
        "numpy/__init__.py": '"""First   paragraph,\n\twith a tab.\n\n    Indented `Row_Sum` of float32."""\n',
        "numpy/core/b.py": 'def f():\n    r"""Raw \\alpha."""\n    class C:\n        "An inner class."\n',
        "numpy/core/a.py": 'x = "not a docstring"\nf"not {x} either"\nb"nor bytes"\nprint("nor an argument")\n',
        "numpy/Z.py": '"""A bad \\d escape and Schr\u00f6dinger\u2019s \u212aelvin."""\n',
        "numpy/docs.py": (
            'add_newdoc("numpy", "abs", ("""Absolute value.""" + f"{hidden}"))\n'
            'try:\n    conv = _C._add_docstr(conv, r"""Convolve {input}.""".format(**common))\n'
            'except ImportError:\n    f.__doc__ = "Assigned " + "here"\n'
        ),
        "numpy/tests/test_a.py": '"""A test."""\n',
        "numpy/version.py": '"""Generated."""\n',
        "torch/nn/same.py": '"""First paragraph, with a tab.\n\nTen 10 and 1.5 and 100, at 7."""\n',
        "torch/_inductor/internal.py": '"""Internal."""\n',
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode("utf-8"))
    return {"numpy": tmp_path / "numpy", "torch": tmp_path / "torch"}


LINES = [
    "a bad d escape and schr dinger s elvin",
    "first paragraph with a tab",
    "indented row_sum of float32",
    "raw alpha",
    "an inner class",
    "numpy",
    "abs",
    "absolute value",
    "convolve input",
    "assigned",
    "here",
    "ten 10 and and at 7",
]


def test_documentation_is_what_the_book_was_made_with(corpus):
    assert corpus.pinned
    assert corpus.name == "documentation"
    assert corpus.word_count == corpora.DOCUMENTATION_WORDS
    assert corpus.digest == corpora.DOCUMENTATION_DIGEST


def test_documentation_reads_the_same_twice_and_hands_out_fresh_lists(corpus):
    for words in corpus:
        words.clear()
    digest = hashlib.sha256()
    for words in corpus:
        digest.update((" ".join(words) + "\n").encode("utf-8"))
    assert digest.hexdigest() == corpora.DOCUMENTATION_DIGEST


def test_the_words_of_the_book_are_frequent(corpus):
    words = [word for sentence in corpus for word in sentence]
    for word in "row column left right minimum maximum float32 float64 sin cos sinh cosh".split():
        assert words.count(word) >= 50, word


def test_made_up_packages_give_these_paragraphs(packages):
    assert docstrings._documentation_lines(packages) == LINES


def test_the_file_system_has_no_say_in_the_order(packages, monkeypatch):
    listing = Path.glob
    monkeypatch.setattr(Path, "glob", lambda *args: reversed(list(listing(*args))))
    assert docstrings._documentation_lines(dict(reversed(packages.items()))) == LINES


def test_windows_line_ends_change_nothing(packages):
    for path in packages["numpy"].rglob("*.py"):
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert docstrings._documentation_lines(packages) == LINES


def test_a_changed_file_changes_the_digest(packages, monkeypatch):
    def digest():
        lines = docstrings._documentation_lines(packages)
        return corpora.Corpus("made up", lambda: map(str.split, lines)).digest

    before = digest()
    assert before == digest() == hashlib.sha256("".join(f"{x}\n" for x in LINES).encode()).hexdigest()
    (packages["torch"] / "nn" / "same.py").write_text('"""Another text."""', encoding="utf-8")
    assert digest() != before


def test_other_versions_give_one_warning(monkeypatch):
    monkeypatch.setattr(docstrings, "_documentation_lines", lambda packages: ["a line"])
    monkeypatch.setitem(corpora.DOCUMENTATION_VERSIONS, "numpy", "1.0")
    monkeypatch.setitem(corpora.DOCUMENTATION_VERSIONS, "torch", "1.0")
    with pytest.warns(UserWarning, match=r"numpy .* \(the book has 1.0\), torch") as caught:
        corpus = documentation()
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert corpus.pinned is False
    assert list(corpus) == [["a", "line"]]


def test_a_missing_package_says_what_to_install(monkeypatch):
    monkeypatch.setitem(corpora.DOCUMENTATION_VERSIONS, "no_such_package", "1.0")
    with pytest.raises(ValueError, match="no_such_package.*" + re.escape(how_to_install("book"))):
        documentation()


def test_nothing_is_imported():
    code = (
        "import sys\n"
        "from handgrad import corpora\n"
        "from handgrad.corpora import docstrings\n"
        "docstrings._documentation_lines = lambda packages: []\n"
        "corpora.documentation()\n"
        "assert set(corpora.DOCUMENTATION_VERSIONS) & set(sys.modules) == {'numpy'}\n"  # handgrad itself needs it
    )
    subprocess.run([sys.executable, "-c", code], check=True)


TEXT = "the cat  sat\n\n\ton the\u00a0mat\r\ncaf\u00e9\n"
SENTENCES = [["the", "cat", "sat"], ["on", "the", "mat"], ["caf\u00e9"]]


def zipped(*contents):
    """A zip file of so many files, in bytes."""
    with BytesIO() as buffer:
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for number, content in enumerate(contents):
                archive.writestr(f"folder/{number}.txt", content)
        return buffer.getvalue()


@pytest.mark.parametrize("name, compress", [("a.txt", bytes), ("a.txt.gz", gzip.compress), ("a.ZIP", zipped)])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_text_file_plain_and_compressed(tmp_path, name, compress, encoding):
    path = tmp_path / name
    path.write_bytes(compress(TEXT.encode(encoding)))
    corpus = text_file(os.fspath(path))
    assert list(corpus) == list(corpus) == SENTENCES
    assert (corpus.name, corpus.word_count, corpus.pinned) == (str(path), 7, None)
    assert corpus.digest == hashlib.sha256("the cat sat\non the mat\ncaf\u00e9\n".encode()).hexdigest()


@pytest.mark.parametrize("length", [1, 2, 3, 5, 8, 12, 13, 1000])
def test_a_long_line_comes_in_pieces_and_keeps_every_word(tmp_path, length):
    path = tmp_path / "a.txt"
    path.write_text("the cat sat on  the mat\nand slept", encoding="utf-8")
    sentences = list(sentences_of(path, longest_piece=length))
    assert [word for words in sentences for word in words] == "the cat sat on the mat and slept".split()
    assert len(sentences) > 2 or length == 1000


def test_a_line_of_ten_million_characters_is_streamed(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("word " * 2_000_000, encoding="utf-8")
    lengths = [len(words) for words in text_file(path)]
    assert sum(lengths) == 2_000_000 and max(lengths) <= LONGEST_PIECE / 5 + 1


BAD_FILES = {
    "empty.txt": (b"", "has none"),
    "blank.txt": (b" \n\t\n", "has none"),
    "empty.gz": (gzip.compress(b""), "has none"),
    "latin.txt": ("caf\u00e9 ol\u00e9".encode("latin-1"), r"byte 0xe9 .* UTF-8"),
    "utf16.txt": ("word".encode("utf-16"), "UTF-8"),
    "latin.gz": (gzip.compress(b"caf\xe9"), "UTF-8"),
    "plain.gz": (b"plain text", "not gzip"),
    "cut.gz": (gzip.compress(b"some words\n" * 9)[:-9], "gzip"),
    "damaged.gz": (gzip.compress(b"some words")[:10] + b"\xff" * 60, "gzip"),
    "checksum.gz": (gzip.compress(b"some words")[:-8] + b"\0" * 8, "gzip"),
    "nul.txt": (b"some\0words", "has a NUL byte, as binary files"),
    "utf16le.txt": ("some words".encode("utf-16-le"), "NUL byte, as binary files and UTF-16 have"),
    "late_nul.txt": (b"good words\n" * 9 + b"\0", "NUL byte"),
    "binary.bin": (bytes(range(256)), "a byte 0x80 that is not"),
    "endless.txt": (b"a" * (LONGEST_WORD + LONGEST_PIECE), "characters without one"),
    "plain.zip": (b"plain text", "not zip"),
    "cut.zip": (zipped("some words\n" * 9)[:-9], "zip"),
    "checksum.zip": (zipped("some words").replace(zlib.crc32(b"some words").to_bytes(4, "little"), bytes(4)), "CRC"),
    "empty.zip": (zipped(), "holds 0 files"),
    "two.zip": (zipped("some", "words"), "holds 2 files; unpack it and open the directory"),
    "latin.zip": (zipped(b"caf\xe9"), "UTF-8"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_text_file_is_named_in_one_sentence(tmp_path, name):
    content, message = BAD_FILES[name]
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message) as caught:
        list(text_file(path))
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_a_directory(tmp_path):
    with pytest.raises(ValueError, match=r"there is no .*nowhere\.txt"):
        text_file(tmp_path / "nowhere.txt")
    with pytest.raises(ValueError, match="is a directory"):
        text_file(tmp_path)
    with pytest.raises(ValueError, match="there is no"):
        text_file(tmp_path / "a\0b")


def test_an_unreadable_file(tmp_path, monkeypatch):
    path = tmp_path / "a.txt"
    path.write_text("words", encoding="utf-8")

    def refuse(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(ValueError, match="cannot be read \\(Permission denied\\)"):
        text_file(path)


def test_bad_bytes_far_into_a_file_are_found_when_they_are_reached(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"good words\n" * 100_000 + b"\xff\n")
    corpus = text_file(path)
    with pytest.raises(ValueError, match="byte 0xff"):
        list(corpus)


@pytest.mark.parametrize("method", ["stat", "walk"])
def test_a_place_that_cannot_be_looked_into(tmp_path, monkeypatch, method):
    (tmp_path / "a.txt").write_text("words", encoding="utf-8")

    def refuse(path, *args, **kwargs):
        raise PermissionError(13, "Permission denied", str(tmp_path))

    monkeypatch.setattr(*{"stat": (Path, "stat"), "walk": (os, "scandir")}[method], refuse)
    with pytest.raises(ValueError, match="cannot be read \\(Permission denied\\)"):
        open_corpus(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes on this platform")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for opened in (tmp_path / "pipe", tmp_path):
        with pytest.raises(ValueError, match="pipe can be read only once"):
            open_corpus(opened)


@pytest.fixture
def folder(tmp_path):
    """Texts at several depths; the order of their names is not that in which they are made."""
    files = {
        "b/z.txt": b"four\n",
        "b.txt": b"three\n",
        "a/2.txt": b"two\n",
        "c.gz": gzip.compress(b"five\n"),
        "a/1": b"one, without a line end",
        "a/empty.txt": b"",
        ".hidden": b"\0",
        ".git/config": b"\0",
    }
    for name, content in files.items():
        (tmp_path / "texts" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "texts" / name).write_bytes(content)
    return tmp_path / "texts"


FIRST_WORDS = ["one,", "two", "three", "four", "five"]  # "b.txt" < "b/z.txt"


def test_a_directory_is_all_its_files_in_the_order_of_their_names(folder):
    corpus = directory(str(folder))
    assert [words[0] for words in corpus] == [words[0] for words in corpus] == FIRST_WORDS
    assert (corpus.name, corpus.word_count, corpus.pinned) == (str(folder), 9, None)


def test_the_file_system_has_no_say_in_the_order_of_a_directory(folder, monkeypatch):
    walk = os.walk

    def backwards(*args, **kwargs):
        for parent, folders, names in walk(*args, **kwargs):
            folders.reverse()
            names.reverse()
            yield parent, folders, names

    monkeypatch.setattr(os, "walk", backwards)
    assert [words[0] for words in directory(folder)] == FIRST_WORDS


def test_open_corpus_takes_files_and_directories(folder):
    assert open_corpus(folder).word_count == 9
    assert list(open_corpus(folder / "c.gz")) == [["five"]]
    with pytest.raises(ValueError, match=r"there is no .*nowhere"):
        open_corpus(folder / "nowhere")


def test_a_bad_directory_is_a_sentence(folder):
    with pytest.raises(ValueError, match=r"b\.txt is a file; open it with text_file"):
        directory(folder / "b.txt")
    (folder / "empty" / "below").mkdir(parents=True)
    with pytest.raises(ValueError, match=r"no file below .*empty has a word"):
        directory(folder / "empty")
    (folder / "d.bin").write_bytes(b"\0")
    with pytest.raises(ValueError, match=r"d\.bin has a NUL byte"):
        list(directory(folder))
    (folder / "link").symlink_to(folder / "nowhere")
    with pytest.raises(ValueError, match=r"there is no .*link"):
        directory(folder)


TINY = b" anarchism originated as a term of abuse"


@pytest.fixture
def tiny_text8(tmp_path, monkeypatch):
    """text8 with seven words: the sizes and digests that corpora knows are those of this one."""
    archive = zipped(TINY)
    files = {
        "text8.zip": (len(archive), f"sha256:{hashlib.sha256(archive).hexdigest()}"),
        "text8": (len(TINY), f"md5:{hashlib.md5(TINY).hexdigest()}"),
    }
    monkeypatch.setattr(downloads, "TEXT8_FILES", files)
    monkeypatch.setenv("HANDGRAD_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return archive


@pytest.fixture
def server(tiny_text8, monkeypatch):
    """A web server on this machine: `answer` is its status, the length that it announces, and what it sends."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.server.requests += 1
            status, length, content = self.server.answer
            self.send_response(status)
            self.send_header("Content-Length", str(length))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.requests, server.answer = 0, (200, len(tiny_text8), tiny_text8)
        monkeypatch.setattr(downloads, "TEXT8_URL", f"http://127.0.0.1:{server.server_port}/text8.zip")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def files_below(folder):
    return sorted(path.name for path in folder.rglob("*"))


def test_text8_is_downloaded_once_and_kept(server, tmp_path):
    for _ in range(2):
        corpus = text8()
        assert (corpus.name, corpus.pinned) == ("text8", True)
        assert list(corpus) == [TINY.decode().split()]
    assert server.requests == 1
    assert files_below(tmp_path / "data") == ["text8.zip"]


def test_a_damaged_text8_in_the_cache_is_downloaded_again(server, tmp_path):
    text8()
    (tmp_path / "data" / "text8.zip").write_bytes(b"damaged")
    assert text8().word_count == 7
    assert server.requests == 2


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # pooch does not close the socket then
@pytest.mark.parametrize(
    "answer, message",
    [
        ((404, 9, b"not found"), r"could not be downloaded from http://127\.0\.0\.1.* \(HTTPError\): go online"),
        ((200, 10_000, b"half of it"), r"could not be downloaded from .* \(\w+Error\): go online"),
        ((200, 14, b"<html></html>\n"), r"with the digest sha256:\w+, but .* gave another file, and it was not kept"),
    ],
)
def test_a_failed_download_is_a_sentence_and_leaves_nothing(server, tmp_path, answer, message):
    server.answer = answer
    with pytest.raises(ValueError, match=message) as caught:
        text8()
    assert "\n" not in str(caught.value)
    assert files_below(tmp_path / "data") == []


def test_text8_offline_is_a_sentence(server, tmp_path):
    text8()
    server.shutdown()
    server.server_close()
    assert text8().word_count == 7  # what is kept needs no network
    (tmp_path / "data" / "text8.zip").unlink()
    with pytest.raises(ValueError, match=r"\(ConnectionError\): go online, or give the path of a text8\.zip"):
        text8()
    assert files_below(tmp_path / "data") == []


def test_a_cache_that_is_no_folder_is_a_sentence(server, tmp_path):
    (tmp_path / "data").write_bytes(b"a file")
    with pytest.raises(ValueError, match=r"Expected to keep text8 in .*data, but .* another folder in HANDGRAD_DATA"):
        text8()
    assert (tmp_path / "data").read_bytes() == b"a file"


def test_text8_without_pooch_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(
        ValueError, match=r"with pooch, which is not installed: " + re.escape(how_to_install("word2vec"))
    ):
        text8()


def test_text8_that_is_already_there(tiny_text8, tmp_path):
    for name, content in [("mine.zip", tiny_text8), ("text8", TINY)]:
        (tmp_path / name).write_bytes(content)
        corpus = text8(tmp_path / name)
        assert (corpus.name, corpus.pinned, list(corpus)) == ("text8", True, [TINY.decode().split()])


def test_another_file_than_text8_is_a_sentence(tiny_text8, tmp_path):
    (tmp_path / "short").write_bytes(TINY[:-1])
    with pytest.raises(ValueError, match=r"Expected text8 with 40 bytes, but .*short has 39; download it again"):
        text8(tmp_path / "short")
    (tmp_path / "other").write_bytes(TINY.upper())
    with pytest.raises(ValueError, match=r"Expected text8 with the digest md5:.*, but .*other has another"):
        text8(tmp_path / "other")
    with pytest.raises(ValueError, match=r"there is no .*nowhere"):
        text8(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="is a directory"):
        text8(tmp_path)
