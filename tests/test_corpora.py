"""The embedded corpus is the same text everywhere, and a file that cannot be read says why."""

import gzip
import hashlib
import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from handgrad import corpora
from handgrad.corpora import documentation, text_file


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
    assert corpora._documentation_lines(packages) == LINES


def test_the_file_system_has_no_say_in_the_order(packages, monkeypatch):
    listing = Path.glob
    monkeypatch.setattr(Path, "glob", lambda *args: reversed(list(listing(*args))))
    assert corpora._documentation_lines(dict(reversed(packages.items()))) == LINES


def test_windows_line_ends_change_nothing(packages):
    for path in packages["numpy"].rglob("*.py"):
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert corpora._documentation_lines(packages) == LINES


def test_a_changed_file_changes_the_digest(packages, monkeypatch):
    def digest():
        lines = corpora._documentation_lines(packages)
        return corpora.Corpus("made up", lambda: map(str.split, lines)).digest

    before = digest()
    assert before == digest() == hashlib.sha256("".join(f"{x}\n" for x in LINES).encode()).hexdigest()
    (packages["torch"] / "nn" / "same.py").write_text('"""Another text."""', encoding="utf-8")
    assert digest() != before


def test_other_versions_give_one_warning(monkeypatch):
    monkeypatch.setattr(corpora, "_documentation_lines", lambda packages: ["a line"])
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
    with pytest.raises(ValueError, match=r'no_such_package.*pip install "handgrad\[book\]"'):
        documentation()


def test_nothing_is_imported():
    code = (
        "import sys\n"
        "from handgrad import corpora\n"
        "corpora._documentation_lines = lambda packages: []\n"
        "corpora.documentation()\n"
        "assert set(corpora.DOCUMENTATION_VERSIONS) & set(sys.modules) == {'numpy'}\n"  # handgrad itself needs it
    )
    subprocess.run([sys.executable, "-c", code], check=True)


TEXT = "the cat  sat\n\n\ton the\u00a0mat\r\ncaf\u00e9\n"
SENTENCES = [["the", "cat", "sat"], ["on", "the", "mat"], ["caf\u00e9"]]


@pytest.mark.parametrize("name, compress", [("a.txt", bytes), ("a.txt.gz", gzip.compress)])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_text_file_plain_and_gz(tmp_path, name, compress, encoding):
    path = tmp_path / name
    path.write_bytes(compress(TEXT.encode(encoding)))
    corpus = text_file(os.fspath(path))
    assert list(corpus) == list(corpus) == SENTENCES
    assert (corpus.name, corpus.word_count, corpus.pinned) == (str(path), 7, None)
    assert corpus.digest == hashlib.sha256("the cat sat\non the mat\ncaf\u00e9\n".encode()).hexdigest()


@pytest.mark.parametrize("length", [1, 2, 3, 5, 8, 12, 13, 1000])
def test_a_long_line_comes_in_pieces_and_keeps_every_word(tmp_path, monkeypatch, length):
    monkeypatch.setattr(corpora, "LONGEST_PIECE", length)
    path = tmp_path / "a.txt"
    path.write_text("the cat sat on  the mat\nand slept", encoding="utf-8")
    sentences = list(text_file(path))
    assert [word for words in sentences for word in words] == "the cat sat on the mat and slept".split()
    assert len(sentences) > 2 or length == 1000


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
