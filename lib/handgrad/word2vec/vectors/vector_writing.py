"""Writing files of word vectors: word2vec's text and binary formats, GloVe's text, and lists of words and counts.

What is written is what gensim writes, byte for byte, but for the mark of a binary file that could be taken for text.
"""

import codecs
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from handgrad.errors import InputError
from handgrad.files import whole_file
from handgrad.word2vec.vectors.text_or_binary import MARK, is_text
from handgrad.word2vec.vectors.vector_files import PIECE, opened

BLANK = re.compile("[ \t\n\r\v\f]")  # what ends a word in these formats; Unicode's other blanks do not


def write_vectors(
    path: str | os.PathLike,
    words: Sequence,
    vectors: np.ndarray,
    binary: bool = False,
    header: bool = True,
    promised: int | None = None,
    append: bool = False,
) -> None:
    """Write words and vectors as float32 in word2vec's text or binary format; a path ending in .gz is compressed.

    Text has the shortest digits that read back as the same float32. The file appears whole or not at all.

    Parameters
    ----------
    path : str or os.PathLike
    words : list of str, without the blanks of ASCII
    vectors : array (V, D)
    binary : bool
    header : bool, False leaves the line "V D" away (GloVe's text)
    promised : int, optional, how many words the header promises, if others are to be appended
    append : bool, write the rows, without a header, after those that are there

    Raises
    ------
    InputError
        Before anything is written, if a reader could not get the same words and numbers back.
    """
    V, D = vectors.shape
    if append and header:
        raise InputError("Rows are appended below the header that is there: leave the header away.")
    if binary and not header and not append:
        raise InputError("The binary format needs its header: write text, or leave the header.")
    if not V or not D:
        raise InputError(f"A vectors file needs at least one word and one number, but got vectors of shape {(V, D)}.")
    if promised is not None and promised < V:
        raise InputError(f"The header promises {promised} words, but there are {V}: promise as many or more.")
    encoded = encode_words(words)
    require_float32(words, vectors)
    to_bytes = _binary_rows if binary else _text_rows
    with _written(path, append) as file:
        for start in range(0, V, rows := max(1, PIECE // (8 * D))):
            block = vectors[start : start + rows].astype("<f4")
            data = b"".join(to_bytes(encoded[start : start + rows], block))
            if header and not start:
                mark = MARK if binary and is_text(data, D) else b""
                file.write(b"%d %d%s\n" % (promised or V, D, mark))
            elif not header and not start and not append and data.startswith(codecs.BOM_UTF8):
                file.write(codecs.BOM_UTF8)  # for the reader to take away, so that the word keeps its own
            file.write(data)


def write_counts(path: str | os.PathLike, words: Sequence, counts: np.ndarray, append: bool = False) -> None:
    """Write lines "word count", as word2vec.c does with -save-vocab. The file appears whole or not at all."""
    with _written(path, append) as file:
        file.writelines(b"%s %d\n" % (encode_word(word), count) for word, count in zip(words, counts, strict=True))


@contextmanager
def _written(path: str | os.PathLike, append: bool) -> Iterator[Any]:
    """A file to write that appears whole or not at all; if it is appended to, what is there already stands in it."""
    with whole_file(path) as file:
        if append and os.path.exists(path):
            with opened(path) as before:
                shutil.copyfileobj(before, file)
        yield file


def encode_words(words: Sequence) -> list[bytes]:
    """The words in UTF-8, each as a reader would get it back, or a sentence that shows the first that cannot be."""
    try:
        text = "\n".join(words).encode()
    except (TypeError, UnicodeEncodeError):
        text = b" "
    encoded = text.split(b"\n")
    if len(encoded) == len(words) and all(encoded) and not any(blank in text for blank in b" \t\r\v\f"):
        return encoded  # all at once; one by one if any needs a closer look
    encoded = [encode_word(word) for word in words]
    if (twice := first_duplicate(encoded)) is not None:  # 1 and "1"
        raise InputError(f"Each word is written once, but {twice.decode()!r} and another are written alike.")
    return encoded


def encode_word(word: object) -> bytes:
    word = str(word)
    if not word or BLANK.search(word):
        raise InputError(f"word2vec's formats cannot hold {word!r}: words there are not empty, and without blanks.")
    try:
        return word.encode()
    except UnicodeEncodeError:
        raise InputError(f"word2vec's formats are UTF-8, which cannot hold {word!r}: rename the word.") from None


def require_float32(words: Sequence, vectors: np.ndarray) -> None:
    """Refuse NaN, infinity and what becomes infinite in float32, by the word that has it."""
    largest = np.finfo(np.float32).max
    for start in range(0, len(vectors), rows := max(1, PIECE // vectors.shape[1])):
        fits = (np.abs(vectors[start : start + rows]) <= largest).all(axis=1)  # NaN is not
        if not fits.all():
            word = words[start + np.flatnonzero(~fits)[0]]
            raise InputError(
                f"The vector of {word!r} has a number that is NaN or too large for float32, so it is not saved."
            )


def _binary_rows(words: Sequence[bytes], block: np.ndarray) -> Iterator[bytes]:
    for word, row in zip(words, block, strict=True):
        yield word + b" " + row.tobytes()


def _text_rows(words: Sequence[bytes], block: np.ndarray) -> Iterator[bytes]:
    for word, numbers in zip(words, text_of_numbers(block), strict=True):
        yield word + b" " + numbers + b"\n"


def text_of_numbers(block: np.ndarray, separator: str = " ") -> Iterator[bytes]:
    """Yield the numbers of each row as text: the shortest digits from which the same float32 can be read."""
    for row in block:
        yield separator.join(map(str, row)).encode()


def first_duplicate(words: Sequence) -> Any:
    """The first word that has occurred before, or None."""
    if len(set(words)) == len(words):
        return None
    seen = set()
    for word in words:
        if word in seen:
            return word
        seen.add(word)
