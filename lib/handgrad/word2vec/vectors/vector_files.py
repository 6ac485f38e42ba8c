"""Reading files of word vectors: word2vec's text and binary formats, and GloVe's text, which has no header.

    text    a line "V D", then for each word a line: the word and its D numbers, with blanks between
    binary  a line "V D", then for each word: the word, a blank, and D numbers of 4 bytes (float32, little-endian)

word2vec.c ends each line of text with a blank and each binary vector with a newline, gensim does neither. Both are
read, plain or packed by gzip. ``vector_writing`` writes these files.
"""

import codecs
import gzip
import io
import itertools
import math
import os
import warnings
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Literal, NoReturn

import numpy as np
from numpy.typing import DTypeLike

from handgrad.errors import InputError
from handgrad.word2vec.vectors.other_files import what_it_is
from handgrad.word2vec.vectors.text_or_binary import CONTROL, MARK, SAMPLE, is_number, is_text

PIECE = 2**20  # bytes to read at once
OF_A_RUN = "vectors.bin"  # in the folder of a run
MENDING = ("strict", "replace", "ignore", "backslashreplace")
Mending = Literal["strict", "replace", "ignore", "backslashreplace"]
Blocks = Iterator[tuple[Sequence[bytes], np.ndarray]]


class UndecodableWordError(UnicodeDecodeError, InputError):
    """A word that is not in the encoding of its file. (gensim raises UnicodeDecodeError here.)"""

    def __init__(self, error: UnicodeDecodeError, sentence: str) -> None:
        super().__init__(error.encoding, error.object, error.start, error.end, error.reason)
        self.sentence = sentence

    def __str__(self) -> str:
        return self.sentence


class _MalformedError(Exception):
    """What is wrong with a file, as a sentence. The name of the file is added where it is known."""


def read_vectors(
    path: str | os.PathLike,
    binary: bool | None = None,
    limit: int | None = None,
    no_header: bool | None = None,
    unicode_errors: Mending | None = None,
    encoding: str = "utf8",
    dtype: DTypeLike = np.float32,
) -> tuple[list[str], np.ndarray]:
    """Read words and their vectors from a file in word2vec's formats or GloVe's, plain or .gz.

    Memory is taken as the rows come, so a false header can promise any size.

    Parameters
    ----------
    path : str or os.PathLike; the folder of a run stands for its vectors.bin
    binary : bool or None; None finds out, see text_or_binary.py
    limit : int or None, read at most so many rows, the first ones
    no_header : bool or None, whether the line "V D" is missing, as in GloVe's files; None looks at the first line
    unicode_errors : what to do with a word that is not in the encoding, as one that was cut inside a character
        "strict" refuses it, "replace", "ignore" and "backslashreplace" mend it; None is "replace" with a warning
    encoding : str, that of the words
    dtype : the type of the vectors; numbers in text are read as float64 if that is asked for

    Returns
    -------
    words : list of str, each once
    vectors : array (V, D), all numbers finite

    Warns
    -----
    UserWarning
        If a word is in the file more than once, where the first vector counts, or is not in the encoding.

    Raises
    ------
    InputError
        If the file is missing, empty, cut off or in another format, or has NaN, or infinity.
    """
    if limit is not None and limit < 1:
        raise InputError(f"Reading vectors expects a limit of at least 1 word, but got {limit}.")
    if binary and no_header:
        raise InputError("A binary vectors file cannot be read without its header: that says where a vector ends.")
    if unicode_errors is not None and unicode_errors not in MENDING:
        raise InputError(f"unicode_errors is one of {', '.join(MENDING)}, but got {unicode_errors!r}.")
    if np.dtype(dtype).kind != "f":
        raise InputError(f"Vectors are floats, such as float32, but got the type {np.dtype(dtype)}.")
    _require_bytes_of_ascii(encoding)
    with opened(path) as file:
        beginning = file.peek(1000)[:1000]
        try:
            words, vectors, mended = _read(file, binary, limit, no_header, unicode_errors, encoding, np.dtype(dtype))
        except _MalformedError as error:
            if isinstance(error.__cause__, UnicodeDecodeError):
                raise UndecodableWordError(error.__cause__, _sentence(path, binary, str(error), None)) from None
            raise InputError(_sentence(path, binary, str(error), what_it_is(beginning))) from error
    if mended:
        warnings.warn(
            f"{path} has {_counted(len(mended), 'word')} that {_is(mended)} not {_shown(encoding)}, such as "
            f"{mended[0][:30]!r}: what is wrong in it is replaced, and unicode_errors says what else to do.",
            stacklevel=2,
        )
    return _each_once(path, words, vectors)


@contextmanager
def opened(path: str | os.PathLike) -> Iterator[Any]:
    """Open a file of vectors, plain or packed, or the vectors of a run, or say in a sentence why that cannot be."""
    try:
        if os.path.isdir(path):
            if not os.path.exists(Path(path) / OF_A_RUN):
                raise InputError(
                    f"The vectors file {path} could not be read: it is a folder without {OF_A_RUN}, "
                    "which a run writes when it ends; name a file."
                )
            path = Path(path) / OF_A_RUN
        with open(path, "rb") as file:
            packed = file.peek(2)[:2] == b"\x1f\x8b"
            with gzip.open(file) if packed else file as unpacked:
                yield unpacked
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"The vectors file {path} is cut off or damaged ({error}): get it again.") from error
    except OSError as error:
        raise InputError(f"The vectors file {path} could not be read: {error.strerror or error}.") from error
    except (ValueError, TypeError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"The vectors file {path!r:.100} could not be read: that is no path.") from error


def _sentence(path: str | os.PathLike, binary: bool | None, wrong: str, other: str | None) -> str:
    kind = {None: "", True: " in word2vec's binary format", False: " in text format"}[binary]
    hint = "" if binary is None else f" Leave binary={binary} away, and the format is found out."
    named = f"{wrong.removesuffix('.')}; it is {other}." if other else wrong
    return f"{path} is not a vectors file{kind}: {named}{hint}"


def _shown(encoding: str) -> str:
    return {"utf8": "UTF-8", "utf-8": "UTF-8"}.get(encoding.lower(), encoding)


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _is(things: Sequence) -> str:
    return "is" if len(things) == 1 else "are"


def _require_bytes_of_ascii(encoding: str) -> None:
    """In UTF-16 a blank is not one byte, so rows could not be told apart."""
    try:
        if b"0 1\n".decode(encoding) == "0 1\n":
            return
    except (LookupError, UnicodeError, TypeError):
        pass
    raise InputError(f"The words' encoding is one in which ASCII is ASCII, such as utf8, but got {encoding!r}.")


def _each_once(path: str | os.PathLike, words: list[str], vectors: np.ndarray) -> tuple[list[str], np.ndarray]:
    """The words without those that have occurred before, and their vectors."""
    if len(set(words)) == len(words):
        return words, vectors
    first: dict[str, int] = {}
    twice = [word for i, word in enumerate(words) if first.setdefault(word, i) != i]
    warnings.warn(
        f"{path} has {_counted(len(twice), 'row')} with words that it had before, such as {twice[0]!r:.60}: "
        "the first vector of each word counts.",
        stacklevel=3,
    )
    return list(first), vectors[list(first.values())]


def _read(
    file: IO[bytes],
    binary: bool | None,
    limit: int | None,
    no_header: bool | None,
    unicode_errors: str | None,
    encoding: str,
    dtype: np.dtype,
) -> tuple[list[str], np.ndarray, list[bytes]]:
    """The words, their vectors, and the words that had to be mended."""
    promised, D, start, marked = _read_header(file, binary, no_header)
    if promised is not None and binary is None:
        start = _first_bytes(file)
        binary = marked or not is_text(start, D)
    wanted = min(promised or math.inf, limit or math.inf)
    if binary:
        blocks = _binary_blocks(file, start, promised, wanted, D)
    else:
        blocks = _text_blocks(file, start, promised, wanted, D, np.promote_types(dtype, np.float32))
    words: list[str] = []
    mended: list[bytes] = []
    vectors = np.empty((0, D), dtype)
    for encoded, rows in blocks:
        first = len(words)
        words += _decoded(encoded, first, encoding, unicode_errors, mended)
        with np.errstate(over="ignore"):  # float16 ends at 65504
            rows = rows.astype(dtype, copy=False)
        if not np.isfinite(rows).all():
            bad = np.flatnonzero(~np.isfinite(rows).all(axis=1))[0]
            raise _MalformedError(f"the vector of {words[first + bad]!r} has a number that is NaN or infinite.")
        if len(words) > len(vectors):  # make twice the room, so that it is seldom made, but not more than is promised
            vectors.resize((max(int(min(2 * first, wanted)), len(words)), D), refcheck=False)
        vectors[first : len(words)] = rows
    vectors.resize((len(words), D), refcheck=False)
    return words, vectors, mended


def _read_header(file: IO[bytes], binary: bool | None, no_header: bool | None) -> tuple[int | None, int, bytes, bool]:
    """Read V and D from a first line "V D", nothing more, and whether it is marked as that of a binary file.

    Without such a line: None, D, the first line, which is a row, and False.
    """
    line = file.readline(PIECE).removeprefix(codecs.BOM_UTF8)
    if not line.endswith(b"\n") and not CONTROL.search(line):  # a row of text may be that long
        line += file.readline()
    fields = line.split()
    if not fields:
        raise _MalformedError("its first line is empty." if line else "it is empty.")
    if not no_header and len(fields) == 2 and all(field.isdigit() and len(field) < 19 for field in fields):
        V, D = map(int, fields)
        if V < 1 or D < 1:
            raise _MalformedError(f"it promises {V} words of {D} numbers, but needs at least one of each.")
        return V, D, b"", line.endswith(MARK + b"\n")
    if binary or no_header is False:
        raise _MalformedError('its first line is not "words dimensions".')
    if len(fields) < 2 or not all(map(is_number, fields[1:])):
        raise _MalformedError('its first line is neither "words dimensions" nor a word and its numbers.')
    return None, len(fields) - 1, line, False


def _first_bytes(file: IO[bytes]) -> bytes:
    """What ``is_text`` looks at: the first word, however long it is, and some more."""
    data = file.read(SAMPLE)
    while b" " not in data and (piece := file.read(len(data))):
        data += piece
    return data + file.read(SAMPLE)


def _binary_blocks(file: IO[bytes], start: bytes, promised: int | None, wanted: float, D: int) -> Blocks:
    """Yield the words and the vectors (n, D) of the whole rows in each piece of the file."""
    size, rest, missing = 4 * D, start, wanted
    while missing:
        piece = file.read(len(rest) + PIECE)
        words: list[bytes] = []
        data, start_of_row, rows = rest + piece, 0, []
        while len(words) < missing:
            blank = data.find(b" ", start_of_row)
            stop = blank + 1 + size
            if blank < 0 or stop > len(data):
                break
            words.append(data[start_of_row:blank].lstrip(b"\n"))  # the newline after word2vec.c's vectors
            rows.append(data[blank + 1 : stop])
            start_of_row = stop
        yield words, np.frombuffer(b"".join(rows), "<f4").reshape(-1, D)
        rest, missing = data[start_of_row:], missing - len(words)
        if missing and not piece:
            if b" " not in rest and rest.strip():
                raise _MalformedError("a word in it has no end.")
            _raise_cut_off(promised, D, wanted - missing)
    if wanted == promised and (rest + file.read(PIECE)).strip():
        _raise_goes_on(promised, D)


def _text_blocks(file: IO[bytes], start: bytes, promised: int | None, wanted: float, D: int, dtype: np.dtype) -> Blocks:
    """Yield the words and the vectors (n, D) of some lines at a time."""
    beginning = io.BytesIO(start + file.readline())  # up to the end of a line
    lines = (line for line in itertools.chain(beginning, file) if line.strip())
    read = 0
    while block := list(itertools.islice(lines, int(min(max(1, PIECE // (8 * D)), wanted - read)))):
        yield _parse_lines(block, read, D, dtype)
        read += len(block)
    if promised is not None and read < wanted:
        _raise_cut_off(promised, D, read)
    if wanted == promised and next(lines, None):
        _raise_goes_on(promised, D)


def _parse_lines(lines: list[bytes], start: int, D: int, dtype: np.dtype) -> tuple[Sequence[bytes], np.ndarray]:
    """Words and vectors (n, D) of some lines of text, the first of which is that of word number ``start``."""
    words, _, numbers = zip(*(line.rstrip().partition(b" ") for line in lines), strict=True)
    if all(numbers):
        try:
            rows = np.loadtxt([row.decode("latin-1") for row in numbers], dtype, comments=None, delimiter=" ", ndmin=2)
        except ValueError:
            rows = np.empty(0)
        if rows.shape == (len(lines), D):
            return words, rows
    words, numbers = zip(*(_split_row(line, start + i, D) for i, line in enumerate(lines)), strict=True)
    with np.errstate(over="ignore"):
        return words, np.array(numbers, dtype=dtype)


def _split_row(line: bytes, index: int, D: int) -> tuple[bytes, list[float]]:
    """The slow way, for rows that need a closer look: GloVe has words with blanks in them, other files have tabs."""
    fields = line.rsplit(maxsplit=D)
    pieces = fields[0].split()
    row_too_long = len(pieces) > 1 and is_number(pieces[-1])
    if len(fields) <= D or not all(map(is_number, fields[1:])) or row_too_long:
        raise _MalformedError(f"row {index + 1}, {_excerpt(line)}, is not a word and {D} numbers with blanks between.")
    return fields[0].strip(), list(map(float, fields[1:]))


def _decoded(
    words: Sequence[bytes], start: int, encoding: str, unicode_errors: str | None, mended: list[bytes]
) -> list[str]:
    """The words as text; those that had to be mended without having been asked to are added to ``mended``."""
    try:
        if all(words):
            return [word.decode(encoding) for word in words]
    except UnicodeDecodeError:
        pass
    return [_mended(word, start + i + 1, encoding, unicode_errors, mended) for i, word in enumerate(words)]


def _mended(word: bytes, number: int, encoding: str, unicode_errors: str | None, mended: list[bytes]) -> str:
    if not word:
        raise _MalformedError(f"word {number} is empty.")
    try:
        return word.decode(encoding)
    except UnicodeDecodeError as error:
        if unicode_errors == "strict":
            raise _MalformedError(
                f"word {number}, {word[:30]!r}, is not {_shown(encoding)}: read it with unicode_errors='replace'."
            ) from error
    if not (text := word.decode(encoding, unicode_errors or "replace")):
        raise _MalformedError(
            f"word {number}, {word[:30]!r}, has nothing in it that is {_shown(encoding)}: "
            "read it with unicode_errors='replace'."
        )
    if unicode_errors is None:
        mended.append(word)
    return text


def _excerpt(line: bytes) -> str:
    line = line.rstrip()
    return repr(line[:30].decode("utf-8", "replace") + ("…" if len(line) > 30 else ""))


def _raise_cut_off(promised: int | None, D: int, read: float) -> NoReturn:
    raise _MalformedError(f"it promises {promised} words of {D} numbers and ends after {read}.")


def _raise_goes_on(promised: int | None, D: int) -> NoReturn:
    raise _MalformedError(f"it promises {promised} words of {D} numbers and goes on after them.")


def read_counts(path: str | os.PathLike, encoding: str = "utf8", unicode_errors: str | None = None) -> dict[str, int]:
    """Read how often each word occurs, from the lines "word count" that word2vec.c writes with -save-vocab."""
    counts: dict[str, int] = {}
    with opened(path) as file:
        for number, line in enumerate(file, start=1):
            if not (fields := line.removeprefix(codecs.BOM_UTF8).split()):
                continue
            if len(fields) != 2 or not fields[1].isdigit() or len(fields[1]) > 18:
                raise InputError(
                    f"{path} is not a vocabulary: line {number}, {_excerpt(line)}, is not a word and its count."
                )
            try:
                word = fields[0].decode(encoding, unicode_errors or "replace")
            except UnicodeDecodeError as error:
                raise UndecodableWordError(
                    error,
                    f"{path} has a word that is not {_shown(encoding)}, {fields[0][:30]!r}: read it with "
                    "unicode_errors='replace'.",
                ) from None
            counts.setdefault(word, int(fields[1]))
    return counts
