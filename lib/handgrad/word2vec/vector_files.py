"""Files of word vectors: word2vec's text and binary formats, and GloVe's text, which is the first without its header.

    text    a line "V D", then for each word a line: the word and its D numbers, with blanks between
    binary  a line "V D", then for each word: the word, a blank, and D numbers of 4 bytes (float32, little-endian)

word2vec.c ends each line of text with a blank and each binary vector with a newline, gensim does neither. Both are
read, and what is written is what gensim writes, byte for byte. A file whose name ends in .gz is compressed.
"""

import gzip
import itertools
import math
import re
import zlib

import numpy as np

from handgrad.errors import InputError
from handgrad.files import whole_file

PIECE = 2**20  # bytes to read at once
LONGEST_WORD = 10_000  # bytes; a longer one is a sign of another format
BLANK = re.compile("[ \t\n\r\v\f]")  # what ends a word in these formats; Unicode's other blanks do not


class _MalformedError(Exception):
    """What is wrong with a file, as a sentence. Whoever knows the file's name adds it."""


def read_vectors(path, binary=None, limit=None, no_header=None, unicode_errors="strict"):
    """Read words and their vectors from a file in word2vec's formats or GloVe's, plain or .gz.

    Memory is taken as the rows come, so a false header can promise any size.

    Parameters
    ----------
    path : str or os.PathLike
    binary : bool or None; None looks at the first row
    limit : int or None, read at most so many words, the first ones
    no_header : bool or None, whether the line "V D" is missing, as in GloVe's files; None looks at the first line
    unicode_errors : str, what to do with a word that is not UTF-8: "strict" refuses it, "replace" and "ignore" mend it

    Returns
    -------
    words : list of str, each once
    vectors : float32 array (V, D), all numbers finite

    Raises
    ------
    InputError
        If the file is missing, empty, cut off or in another format, or has a word twice, or NaN, or infinity.
    """
    if limit is not None and limit < 1:
        raise InputError(f"Reading vectors expects a limit of at least 1 word, but got {limit}.")
    if binary and no_header:
        raise InputError("A binary vectors file cannot be read without its header: that says where a vector ends.")
    try:
        with open(path, "rb") as file:
            packed = file.peek(2)[:2] == b"\x1f\x8b"
            with gzip.open(file) if packed else file as unpacked:
                return _read(unpacked, binary, limit, no_header, unicode_errors)
    except _MalformedError as error:
        kind = {None: "", True: " in word2vec's binary format", False: " in text format"}[binary]
        hint = "" if binary is None else f" Leave binary={binary} away, and the format is found out."
        raise InputError(f"{path} is not a vectors file{kind}: {error}{hint}") from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"The vectors file {path} is cut off or damaged ({error}): get it again.") from error
    except OSError as error:
        raise InputError(f"The vectors file {path} could not be read: {error.strerror or error}.") from error


def _read(file, binary, limit, no_header, unicode_errors):
    promised, D, first_row = _read_header(file, binary, no_header)
    if binary is None:
        binary = promised is not None and not _text_follows(file)
    wanted = min(promised or math.inf, limit or math.inf)
    blocks = _binary_blocks(file, promised, wanted, D) if binary else _text_blocks(file, first_row, promised, wanted, D)
    words, vectors = [], np.empty((0, D), np.float32)
    for encoded, rows in blocks:
        start = len(words)
        words += _decode(encoded, start, unicode_errors)
        if not np.isfinite(rows).all():
            bad = np.flatnonzero(~np.isfinite(rows).all(axis=1))[0]
            raise _MalformedError(f"the vector of {words[start + bad]!r} has a number that is NaN or infinite.")
        if len(words) > len(vectors):  # make twice the room, so that it is seldom made, but not more than is promised
            vectors.resize((max(min(2 * start, wanted), len(words)), D), refcheck=False)
        vectors[start : len(words)] = rows
    vectors.resize((len(words), D), refcheck=False)
    if (twice := first_duplicate(words)) is not None:
        raise _MalformedError(f"the word {twice!r} is in it twice.")
    return words, vectors


def _read_header(file, binary, no_header):
    """Read V, D and b"" from a first line "V D". Without it: None, D and the first line, which is a row."""
    line = file.readline(PIECE)
    fields = line.split()
    if not fields:
        raise _MalformedError("its first line is empty." if line else "it is empty.")
    if not no_header and len(fields) == 2 and all(field.isdigit() and len(field) < 19 for field in fields):
        V, D = map(int, fields)
        if V < 1 or D < 1:
            raise _MalformedError(f"it promises {V} words of {D} numbers, but needs at least one of each.")
        return V, D, b""
    if binary or no_header is False:
        raise _MalformedError('its first line is not "words dimensions".')
    if len(fields) < 2 or not all(map(_is_number, fields[1:])):
        raise _MalformedError('its first line is neither "words dimensions" nor a word and its numbers.')
    return None, len(fields) - 1, line


def _text_follows(file):
    """Whether the first word goes with a number in letters: then the rows are text, otherwise binary."""
    fields = file.peek(LONGEST_WORD).split(maxsplit=2)
    return len(fields) > 1 and _is_number(fields[1])


def _is_number(field):
    try:
        float(field)
    except ValueError:
        return False
    return True


def _binary_blocks(file, promised, wanted, D):
    """Yield the words and the vectors (n, D) of the whole rows in each piece of the file."""
    size, rest, missing = 4 * D, b"", wanted
    while missing:
        piece = file.read(len(rest) + PIECE)
        data, start, words, rows = rest + piece, 0, [], []
        while len(words) < missing:
            blank = data.find(b" ", start, start + LONGEST_WORD)
            stop = blank + 1 + size
            if blank < 0 or stop > len(data):
                break
            words.append(data[start:blank].lstrip(b"\n"))  # the newline after word2vec.c's vectors
            rows.append(data[blank + 1 : stop])
            start = stop
        if blank < 0 and len(data) - start > LONGEST_WORD:
            raise _MalformedError("a word in it has no end.")
        yield words, np.frombuffer(b"".join(rows), "<f4").reshape(-1, D)
        rest, missing = data[start:], missing - len(words)
        if missing and not piece:
            _raise_cut_off(promised, D, wanted - missing)
    if wanted == promised and (rest + file.read(PIECE)).strip():
        _raise_goes_on(promised, D)


def _text_blocks(file, first_row, promised, wanted, D):
    """Yield the words and the vectors (n, D) of some lines at a time."""
    lines = (line for line in itertools.chain([first_row], file) if line.strip())
    read = 0
    while block := list(itertools.islice(lines, min(max(1, PIECE // (8 * D)), wanted - read))):
        yield _parse_lines(block, read, D)
        read += len(block)
    if promised is not None and read < wanted:
        _raise_cut_off(promised, D, read)
    if wanted == promised and next(lines, None):
        _raise_goes_on(promised, D)


def _parse_lines(lines, start, D):
    """Words and vectors (n, D) of some lines of text, the first of which is that of word number ``start``."""
    words, _, numbers = zip(*(line.rstrip().partition(b" ") for line in lines), strict=True)
    if all(numbers):
        try:
            rows = np.loadtxt(
                [row.decode("latin-1") for row in numbers], np.float32, comments=None, delimiter=" ", ndmin=2
            )
        except ValueError:
            rows = np.empty(0)
        if rows.shape == (len(lines), D):
            return words, rows
    words, numbers = zip(*(_split_row(line, start + i, D) for i, line in enumerate(lines)), strict=True)
    return words, np.array(numbers, dtype=np.float32)


def _split_row(line, index, D):
    """The slow way, for rows that need a closer look: some of GloVe's words have blanks in them."""
    fields = line.rstrip().split(b" ")
    word, numbers = fields[:-D], fields[-D:]
    if not word or not all(map(_is_number, numbers)) or (len(word) > 1 and _is_number(word[-1])):
        raise _MalformedError(f"row {index + 1}, {_excerpt(line)}, is not a word and {D} numbers with blanks between.")
    return b" ".join(word), list(map(float, numbers))


def _decode(words, start, unicode_errors):
    for i, word in enumerate(words):
        if not word:
            raise _MalformedError(f"word {start + i + 1} is empty.")
        try:
            yield word.decode("utf-8", unicode_errors)
        except UnicodeDecodeError:
            raise _MalformedError(
                f"word {start + i + 1}, {word[:30]!r}, is not UTF-8: read it with unicode_errors='replace'."
            ) from None


def _excerpt(line):
    return repr(line[:30].decode("utf-8", "replace") + ("…" if len(line) > 30 else ""))


def _raise_cut_off(promised, D, read):
    raise _MalformedError(f"it promises {promised} words of {D} numbers and ends after {read}.")


def _raise_goes_on(promised, D):
    raise _MalformedError(f"it promises {promised} words of {D} numbers and goes on after them.")


def write_vectors(path, words, vectors, binary=False, header=True):
    """Write words and vectors as float32 in word2vec's text or binary format; a path ending in .gz is compressed.

    Text has the shortest digits that read back as the same float32. The file appears whole or not at all.

    Parameters
    ----------
    path : str or os.PathLike
    words : list of str, without the blanks of ASCII
    vectors : array (V, D)
    binary : bool
    header : bool, False leaves the line "V D" away (GloVe's text)

    Raises
    ------
    InputError
        Before anything is written, if a reader could not get the same words and numbers back.
    """
    if binary and not header:
        raise InputError("The binary format needs its header: write text, or leave the header.")
    V, D = vectors.shape
    if not V or not D:
        raise InputError(f"A vectors file needs at least one word and one number, but got vectors of shape {(V, D)}.")
    encoded = [encode_word(word) for word in words]
    require_float32(words, vectors)
    to_bytes = _binary_rows if binary else _text_rows
    with whole_file(path) as file:
        if header:
            file.write(f"{V} {D}\n".encode())
        for start in range(0, V, rows := max(1, PIECE // (8 * D))):
            block = vectors[start : start + rows].astype("<f4")
            file.write(b"".join(to_bytes(encoded[start : start + rows], block)))


def encode_word(word):
    word = str(word)
    if not word or BLANK.search(word):
        raise InputError(f"word2vec's formats cannot hold {word!r}: words there are not empty, and without blanks.")
    try:
        return word.encode()
    except UnicodeEncodeError:
        raise InputError(f"word2vec's formats are UTF-8, which cannot hold {word!r}: rename the word.") from None


def require_float32(words, vectors):
    """Refuse NaN, infinity and what becomes infinite in float32, by the word that has it."""
    largest = np.finfo(np.float32).max
    for start in range(0, len(vectors), rows := max(1, PIECE // vectors.shape[1])):
        fits = (np.abs(vectors[start : start + rows]) <= largest).all(axis=1)  # NaN is not
        if not fits.all():
            word = words[start + np.flatnonzero(~fits)[0]]
            raise InputError(
                f"The vector of {word!r} has a number that is NaN or too large for float32, so it is not saved."
            )


def _binary_rows(words, block):
    for word, row in zip(words, block, strict=True):
        yield word + b" " + row.tobytes()


def _text_rows(words, block):
    for word, numbers in zip(words, text_of_numbers(block), strict=True):
        yield word + b" " + numbers + b"\n"


def text_of_numbers(block, separator=" "):
    """Yield the numbers of each row as text: the shortest digits from which the same float32 can be read."""
    for row in block:
        yield separator.join(map(str, row)).encode()


def first_duplicate(words):
    """The first word that has occurred before, or None."""
    if len(set(words)) == len(words):
        return None
    seen = set()
    return next(word for word in words if word in seen or seen.add(word))
