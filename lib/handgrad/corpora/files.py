"""Any text file or directory as a corpus, read anew each time, a line at a time."""

import errno
import gzip
import lzma
import os
import re
import stat
import struct
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO, cast

from handgrad.corpora.corpus import Corpus
from handgrad.corpora.words import LONGEST, SHORTEST, Tokenizer
from handgrad.errors import InputError
from handgrad.files import FIRST_BYTES, kind_of, opened_text, text_in

PACKED = {".gz": "gzip", ".zip": "zip"}
MAGIC = {"gzip": b"\x1f\x8b", "zip": b"PK"}
# What Python's modules raise when they unpack bytes that were changed or cut off, found by fuzzing them.
DAMAGED = (
    EOFError,
    IndexError,
    KeyError,
    MemoryError,
    OverflowError,
    RuntimeError,
    ValueError,
    gzip.BadGzipFile,
    lzma.LZMAError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)
LONGEST_PIECE = 2**16  # characters; text8 is a single line of 100 million
SAMPLE = 2**14  # characters at the beginning of a text, by which it is seen whether there are blanks between words
# The mean length of words in a sample. Of scripts that are written with blanks, German and code have 6 to 12 and lists
# of addresses 40; of those without, words that were split have 1 to 5, Chinese and Thai that were not have 10 and more.
LONGEST_MEAN, LONGEST_MEAN_WITHOUT_BLANKS = 100, 8
WITHOUT_BLANKS = re.compile(  # Thai, Lao, Tibetan, Burmese, Khmer, kana and punctuation, ideographs
    "[\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u3000-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]+"
)
LONGEST_WORD = 2**20  # characters; what goes on for longer without a blank is no text in words


def open_corpus(path: str | os.PathLike, lowercase: bool = False, tokenize: Tokenizer = "blanks") -> Corpus:
    r"""Open what is at ``path``: a directory with ``directory``, anything else with ``text_file``.

    Parameters
    ----------
    path : str or os.PathLike
    lowercase, tokenize : bool and str
        What a word is, as in ``word_splitter``; by default what stands between blanks, as it is written.

    Returns
    -------
    Corpus

    Raises
    ------
    InputError
        As ``directory`` and ``text_file`` do, and if no word is left.

    Examples
    --------
    >>> from pathlib import Path
    >>> from handgrad.corpora import open_corpus
    >>> text = "To be, or not to be:\nthat is the question.\n"
    >>> characters = Path("hamlet.txt").write_text(text, encoding="utf-8")
    >>> list(open_corpus("hamlet.txt", tokenize="simple"))
    [['to', 'be', 'or', 'not', 'to', 'be'], ['that', 'is', 'the', 'question']]
    """
    corpus = directory(path) if stat.S_ISDIR(_mode(Path(path))) else text_file(path)
    _warn_without_blanks(corpus)
    corpus = corpus.with_words(lowercase, tokenize)
    if tokenize == "simple" and next(iter(corpus), None) is None:
        raise InputError(
            f"Expected a text with words of {SHORTEST} to {LONGEST} letters, as the simple tokenizer makes them, but "
            f"{path} has none; leave the words as they are written."
        )
    return corpus


def _warn_without_blanks(corpus: Corpus) -> None:
    """Say so where words are no words: in Chinese, say, what stands between blanks is half a sentence or all of it."""
    sample, characters = [], 0
    for words in corpus:
        sample += words
        characters += sum(map(len, words))
        if characters >= SAMPLE:
            break
    text = "".join(sample)
    mean = len(text) / max(len(sample), 1)
    without_blanks = sum(len(run) for run in WITHOUT_BLANKS.findall(text)) > len(text) / 2
    if mean > (LONGEST_MEAN_WITHOUT_BLANKS if without_blanks else LONGEST_MEAN):
        warnings.warn(
            f"Words are split at blanks, and {corpus.name} has hardly any: its words have {mean:.0f} characters on "
            f"average, such as {max(sample, key=len)[:20]!r}; put blanks between its words first, with a segmenter of "
            "its language.",
            stacklevel=3,
        )


def directory(path: str | os.PathLike) -> Corpus:
    """Open all files below a directory as one corpus, in the order of their names.

    Each file is read as ``text_file`` reads it. The order is the same on each platform. Names that begin with a
    dot are passed over, and links to other directories are not followed.

    Parameters
    ----------
    path : str or os.PathLike

    Returns
    -------
    Corpus
        Its ``name`` is the path. The files are those that are there now.

    Raises
    ------
    InputError
        At once if the directory is missing, unreadable or without a word, or holds what is no file; when the
        reading gets there, if a file is no text.

    Examples
    --------
    >>> from pathlib import Path
    >>> from handgrad.corpora import directory
    >>> for name, words in [("b", "or not"), ("a", "to be")]:
    ...     characters = Path(name + ".txt").write_text(words, encoding="utf-8")
    >>> list(directory("."))
    [['to', 'be'], ['or', 'not']]
    """
    path = Path(path)
    if not stat.S_ISDIR(_mode(path)):
        raise InputError(f"Expected a directory, but {path} is a file; open it with text_file.")
    files = _files_below(path)
    corpus = Corpus(str(path), lambda: (words for file in files for words in sentences_of(file)))
    if next(iter(corpus), None) is None:
        raise InputError(f"Expected a directory of texts, but no file below {path} has a word; name another one.")
    return corpus


def _files_below(folder: Path) -> list[Path]:
    """The files of a directory and of all below it, sorted by their names inside it."""

    def refuse(error):  # os.walk would pass over the directory without a word
        raise unreadable(error.filename, error) from error

    paths = []
    for parent, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        paths += [Path(parent, name) for name in names if not name.startswith(".")]
    for path in paths:
        check_file(path)
    return sorted(paths, key=lambda path: path.relative_to(folder).as_posix())


def text_file(path: str | os.PathLike) -> Corpus:
    r"""Open a UTF-8 text file, plain, .gz or .zip, as a corpus: one line a sentence, split at white space.

    The file is streamed each time it is read and never loaded whole; a line of more than 2¹⁶ characters comes as
    several sentences.

    Parameters
    ----------
    path : str or os.PathLike
        A file whose name ends in .gz is read through gzip; one that ends in .zip holds one text.

    Returns
    -------
    Corpus
        Its ``name`` is the path.

    Raises
    ------
    InputError
        At once if the file is missing, a directory, unreadable or without a word; when the reading
        gets there, if it is not UTF-8, binary, or a broken .gz or .zip file.

    Examples
    --------
    >>> import gzip
    >>> from handgrad.corpora import text_file
    >>> with gzip.open("hamlet.txt.gz", "wb") as file:
    ...     bytes_written = file.write(b"To be, or not to be\n")
    >>> list(text_file("hamlet.txt.gz"))
    [['To', 'be,', 'or', 'not', 'to', 'be']]
    """
    path = Path(path)
    check_file(path)
    corpus = Corpus(str(path), lambda: sentences_of(path))
    if next(iter(corpus), None) is None:
        raise InputError(f"Expected a text with words, but {path} has none; give a file with text.")
    return corpus


def check_file(path: Path) -> None:
    """There is a file, which can be read again and again, or a sentence says what is there."""
    mode = _mode(path)
    if stat.S_ISDIR(mode):
        raise InputError(f"Expected a text file, but {path} is a directory; name a file in it, or use directory().")
    if not stat.S_ISREG(mode):
        raise InputError(f"Expected a text file, but {path} can be read only once; save what it gives as a file.")


def _mode(path: Path) -> int:
    """What kind of thing is at `path`, as os.stat tells it."""
    try:
        return path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:  # ValueError: a NUL in the name
        raise InputError(f"Expected a text file, but there is no {path}; check the path.") from error
    except OSError as error:
        raise unreadable(path, error) from error


def unreadable(path: str | os.PathLike, error: OSError) -> InputError:
    """What to raise where a file cannot be read."""
    return InputError(f"Expected a text file, but {path} cannot be read ({error.strerror}); check its permissions.")


def sentences_of(path: Path, longest_piece: int = LONGEST_PIECE) -> Iterator[list[str]]:
    """Yield the sentences of a file, and turn what can go wrong on the way into one sentence."""
    with reading(path) as file:
        rest = ""
        while piece := file.readline(longest_piece):
            refuse_nul(piece, path)
            words = (rest + piece).split()
            rest = ""
            if len(piece) == longest_piece and not piece[-1].isspace():
                rest = words.pop()  # the last word may go on in the next piece
            if len(rest) > LONGEST_WORD:
                raise InputError(
                    f"Expected words with blanks between them, but {path} has {LONGEST_WORD:,} characters "
                    "without one; give a text that is split into words."
                )
            if words:
                yield words
        if rest:
            yield [rest]


def refuse_nul(piece: str, path: Path) -> None:
    """There is no NUL in a piece of text, or a sentence says what has one."""
    if "\0" in piece:
        raise InputError(
            f"Expected UTF-8 text, but {path} has a NUL byte, as binary files and UTF-16 have; "
            "give a text, saved as UTF-8."
        )


@contextmanager
def reading(path: Path) -> Iterator[TextIO]:
    """A file's text, plain, .gz or .zip, to read from; what goes wrong on the way becomes one sentence.

    Raises
    ------
    InputError : the file is unreadable, not UTF-8, or a broken .gz or .zip file
    """
    packed = PACKED.get(path.suffix.lower())
    try:
        with _opened(path) as file:
            yield file
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise InputError(
            f"Expected UTF-8 text, but {path} has a byte {byte:#04x} that is not; save the file as UTF-8."
        ) from error
    except DAMAGED as error:
        if packed is None or isinstance(error, InputError):
            raise
        raise _damaged(path, packed, error) from error
    except OSError as error:
        if packed and error.errno in (None, errno.EINVAL):  # of the data in it, or a place before its beginning
            raise _damaged(path, packed, error) from error
        raise unreadable(path, error) from error


def _damaged(path: Path, packed: str, error: Exception) -> InputError:
    """What to raise where a .gz or .zip file cannot be unpacked."""
    with open(path, "rb") as file:
        beginning = file.read(FIRST_BYTES)
    kind = None if beginning.startswith(MAGIC[packed]) else kind_of(beginning)
    if kind is not None:
        return InputError(
            f"Expected a {packed} file, as its name says, but {path} is {kind[0]}; give it its right name."
        )
    reason = " ".join(str(error).split()) or type(error).__name__
    return InputError(
        f"Expected a whole {packed} file, but {path} is cut off, damaged, locked or not {packed} at all "
        f"({reason}); download or compress it again."
    )


@contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    packed = PACKED.get(path.suffix.lower())
    if packed == "zip":
        try:
            archive = zipfile.ZipFile(path)
        except UnicodeDecodeError as error:  # of the name of a file in it
            raise zipfile.BadZipFile("a name in it is damaged") from error
        with archive, _only_file(archive, path) as file:
            with text_in(file, f"the file in {path}") as text:
                yield text
    elif packed == "gzip":
        with gzip.open(path) as unpacked, text_in(unpacked, f"the file in {path}") as text:
            yield text
    else:
        with opened_text(path) as text:
            yield text


def _only_file(archive: zipfile.ZipFile, path: Path) -> zipfile.ZipExtFile:
    """The one file in an archive, besides what macOS puts beside it."""
    entries = [entry for entry in archive.infolist() if not entry.filename.startswith("__MACOSX/")]
    files = [entry for entry in entries if not entry.is_dir()]
    if len(files) != 1:
        raise InputError(
            f"Expected a zip file with one text in it, but {path} holds {len(files)} files; "
            "unpack it and open the directory."
        )
    return cast(zipfile.ZipExtFile, archive.open(files[0]))
