"""Any text file or directory as a corpus, read anew each time, a line at a time."""

import gzip
import io
import os
import stat
import zipfile
import zlib
from pathlib import Path

from handgrad.corpora.corpus import Corpus
from handgrad.corpora.words import LONGEST, SHORTEST, Tokenizer
from handgrad.errors import InputError

LONGEST_PIECE = 2**16  # characters; text8 is a single line of 100 million
LONGEST_WORD = 2**20  # characters; what goes on for longer without a blank is no text in words


def open_corpus(path: str | os.PathLike, lowercase: bool = False, tokenize: Tokenizer = "blanks") -> Corpus:
    """Open what is at `path`: a directory with `directory`, anything else with `text_file`.

    Parameters
    ----------
    path : str or os.PathLike
    lowercase, tokenize : what a word is, as in `word_splitter`
        By default what stands between blanks, as it is written.

    Returns
    -------
    Corpus

    Raises
    ------
    ValueError
        As `directory` and `text_file` do, and if no word is left.
    """
    corpus = directory(path) if stat.S_ISDIR(_mode(Path(path))) else text_file(path)
    corpus = corpus.with_words(lowercase, tokenize)
    if tokenize == "simple" and next(iter(corpus), None) is None:
        raise InputError(
            f"Expected a text with words of {SHORTEST} to {LONGEST} letters, as the simple tokenizer makes them, but "
            f"{path} has none; leave the words as they are written."
        )
    return corpus


def directory(path):
    """Open all files below a directory as one corpus, in the order of their names.

    Each file is read as `text_file` reads it. The order is the same on each platform. Names that begin with a
    dot are passed over, and links to other directories are not followed.

    Parameters
    ----------
    path : str or os.PathLike

    Returns
    -------
    Corpus
        Its `name` is the path. The files are those that are there now.

    Raises
    ------
    ValueError
        At once if the directory is missing, unreadable or without a word, or holds what is no file; when the
        reading gets there, if a file is no text.
    """
    path = Path(path)
    if not stat.S_ISDIR(_mode(path)):
        raise InputError(f"Expected a directory, but {path} is a file; open it with text_file.")
    files = _files_below(path)
    corpus = Corpus(str(path), lambda: (words for file in files for words in sentences_of(file)))
    if next(iter(corpus), None) is None:
        raise InputError(f"Expected a directory of texts, but no file below {path} has a word; name another one.")
    return corpus


def _files_below(folder):
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


def text_file(path):
    """Open a UTF-8 text file, plain, .gz or .zip, as a corpus: one line a sentence, split at white space.

    The file is streamed each time it is read and never loaded whole; a line of more than 2¹⁶ characters comes as
    several sentences.

    Parameters
    ----------
    path : str or os.PathLike
        A file whose name ends in .gz is read through gzip; one that ends in .zip holds one text.

    Returns
    -------
    Corpus
        Its `name` is the path.

    Raises
    ------
    ValueError
        At once if the file is missing, a directory, unreadable or without a word; when the reading
        gets there, if it is not UTF-8, binary, or a broken .gz or .zip file.
    """
    path = Path(path)
    check_file(path)
    corpus = Corpus(str(path), lambda: sentences_of(path))
    if next(iter(corpus), None) is None:
        raise InputError(f"Expected a text with words, but {path} has none; give a file with text.")
    return corpus


def check_file(path):
    """There is a file, which can be read again and again, or a sentence says what is there."""
    mode = _mode(path)
    if stat.S_ISDIR(mode):
        raise InputError(f"Expected a text file, but {path} is a directory; name a file in it, or use directory().")
    if not stat.S_ISREG(mode):
        raise InputError(f"Expected a text file, but {path} can be read only once; save what it gives as a file.")


def _mode(path):
    """What kind of thing is at `path`, as os.stat tells it."""
    try:
        return path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:  # ValueError: a NUL in the name
        raise InputError(f"Expected a text file, but there is no {path}; check the path.") from error
    except OSError as error:
        raise unreadable(path, error) from error


def unreadable(path, error):
    """What to raise where a file cannot be read."""
    return InputError(f"Expected a text file, but {path} cannot be read ({error.strerror}); check its permissions.")


def sentences_of(path):
    """Yield the sentences of a file, and turn what can go wrong on the way into one sentence."""
    try:
        with _open(path) as file:
            rest = ""
            while piece := file.readline(LONGEST_PIECE):
                if "\0" in piece:
                    raise InputError(
                        f"Expected UTF-8 text, but {path} has a NUL byte, as binary files and UTF-16 have; "
                        "give a text, saved as UTF-8."
                    )
                words = (rest + piece).split()
                rest = ""
                if len(piece) == LONGEST_PIECE and not piece[-1].isspace():
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
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise InputError(
            f"Expected UTF-8 text, but {path} has a byte {byte:#04x} that is not; save the file as UTF-8."
        ) from error
    except (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile, RuntimeError) as error:
        kind = "zip" if path.suffix.lower() == ".zip" else "gzip"
        raise InputError(
            f"Expected a whole {kind} file, but {path} is cut off, damaged, locked or not {kind} at all "
            f"({error}); download or compress it again."
        ) from error
    except OSError as error:
        raise unreadable(path, error) from error


def _open(path):
    suffix = path.suffix.lower()
    if suffix == ".zip":
        return _open_zip(path)
    opener = gzip.open if suffix == ".gz" else open
    return opener(path, "rt", encoding="utf-8-sig")


def _open_zip(path):
    with zipfile.ZipFile(path) as archive:  # what is opened in it stays open
        files = [entry for entry in archive.infolist() if not entry.is_dir()]
        if len(files) != 1:
            raise InputError(
                f"Expected a zip file with one text in it, but {path} holds {len(files)} files; "
                "unpack it and open the directory."
            )
        return io.TextIOWrapper(archive.open(files[0]), encoding="utf-8-sig")
