"""Word vectors, found by their words. The names are gensim 4's, so that nobody has to learn them twice."""

import difflib
import os
from pathlib import Path

import numpy as np

from handgrad.errors import InputError


class UnknownWordError(KeyError, InputError):
    """A word that has no vector. (gensim raises KeyError here.)"""

    def __str__(self):  # KeyError would print the sentence in quotation marks
        return self.args[0]


class KeyedVectors:
    """A vector for each word.

    Parameters
    ----------
    index_to_key : sequence of str, the words, most frequent first
    vectors : float array (V, D)
    """

    def __init__(self, index_to_key, vectors):
        self.index_to_key = list(index_to_key)
        self.key_to_index = {word: index for index, word in enumerate(self.index_to_key)}
        self.vectors = np.asarray(vectors)
        if self.vectors.ndim != 2 or len(self.vectors) != len(self.index_to_key):
            raise InputError(
                f"KeyedVectors expects one row for each of the {len(self.index_to_key)} words, but got vectors "
                f"of shape {self.vectors.shape}."
            )
        if len(self.key_to_index) != len(self.index_to_key):
            twice = next(w for i, w in enumerate(self.index_to_key) if self.key_to_index[w] != i)
            raise InputError(f"KeyedVectors expects each word once, but {twice!r} occurs twice.")

    @property
    def vector_size(self):
        return self.vectors.shape[1]

    def __len__(self):
        return len(self.index_to_key)

    def __contains__(self, word):
        return word in self.key_to_index

    def __getitem__(self, word):
        return self.get_vector(word)

    def __repr__(self):
        return f"KeyedVectors({len(self):,} words, {self.vector_size} dimensions)"

    def get_vector(self, word, norm=False):
        """The vector of ``word`` (D,), of length 1 if ``norm``."""
        if word not in self.key_to_index:
            similar = difflib.get_close_matches(str(word), self.index_to_key, n=3, cutoff=0.7)
            hint = f"; did you mean {' or '.join(similar)}?" if similar else "."
            raise UnknownWordError(f"The word {word!r} is not among these {len(self):,} words{hint}")
        vector = self.vectors[self.key_to_index[word]]
        return _unit(vector) if norm else vector

    def similarity(self, w1, w2):
        """The cosine of the angle between two words' vectors."""
        return float(self.get_vector(w1, norm=True) @ self.get_vector(w2, norm=True))

    def most_similar(self, positive=(), negative=(), topn=10):
        """The words nearest to the sum of ``positive`` words less the sum of ``negative`` ones, by cosine.

        Every word counts with length 1 (3CosAdd: Levy and Goldberg 2014, equation 1). The given words are left out.

        Parameters
        ----------
        positive, negative : str or list of str
        topn : int

        Returns
        -------
        list of (word, cosine), best first
        """
        positive = [positive] if isinstance(positive, str) else list(positive)
        negative = [negative] if isinstance(negative, str) else list(negative)
        if not positive and not negative:
            raise InputError("most_similar expects at least one word, positive or negative.")
        if topn < 1:
            raise InputError(f"most_similar expects topn of at least 1, but got {topn}.")
        wanted = sum(self.get_vector(w, norm=True) for w in positive)
        wanted = wanted - sum(self.get_vector(w, norm=True) for w in negative)
        if not np.linalg.norm(wanted) > 1e-6:
            raise InputError("These words add up to a vector without a direction, so no word is nearest to it.")
        wanted = _unit(wanted)
        cosines = self.vectors @ wanted / np.maximum(np.linalg.norm(self.vectors, axis=1), np.finfo(np.float32).tiny)
        given = {*positive, *negative}
        best = np.argsort(-cosines, kind="stable")[: topn + len(given)]
        ranked = [(self.index_to_key[i], float(cosines[i])) for i in best]
        return [(word, cosine) for word, cosine in ranked if word not in given][:topn]

    def save_word2vec_format(self, path, binary=True):
        """Write word2vec's own format: a line "V D", then each word, a blank and its numbers (float32 or text).

        The file appears whole or not at all: it is written beside its place and then moved there.
        """
        for word in self.index_to_key:
            if word.split() != [word]:
                raise InputError(f"word2vec's format cannot hold {word!r}: words there are not empty, without blanks.")
        path = Path(path)
        partial = path.with_name(path.name + ".partial")
        try:
            with open(partial, "wb") as file:
                self._write(file, binary)
                file.flush()
                os.fsync(file.fileno())
            os.replace(partial, path)
        finally:
            partial.unlink(missing_ok=True)

    def _write(self, file, binary):
        file.write(f"{len(self)} {self.vector_size}\n".encode())
        for word, vector in zip(self.index_to_key, self.vectors.astype("<f4"), strict=True):
            numbers = vector.tobytes() if binary else " ".join(map(str, vector)).encode()
            file.write(word.encode() + b" " + numbers + b"\n")

    @classmethod
    def load_word2vec_format(cls, path, binary=True):
        """Read word2vec's format, binary or text. What is no such file is refused in a sentence."""
        try:
            with open(path, "rb") as file:
                return cls(*_read(file, binary))
        except OSError as error:
            raise InputError(f"The vectors file {path} could not be read: {error.strerror or error}.") from error
        except (UnicodeDecodeError, _MalformedError) as error:
            kind, other = ("binary", "text") if binary else ("text", "binary")
            raise InputError(
                f"{path} is not a vectors file in word2vec's {kind} format: {error} It may be in the {other} format "
                f"(binary={not binary}; on the command line {'with' if binary else 'without'} --text)."
            ) from error


class _MalformedError(Exception):
    pass


def _read(file, binary):
    header = file.readline(100).split()
    if len(header) != 2 or not all(field.isdigit() for field in header):
        raise _MalformedError('its first line is not "words dimensions".')
    V, D = map(int, header)
    words, rows = [], []
    for number in range(V):
        if binary:
            word = _word_before_blank(file)
            data = file.read(4 * D)
            row = np.frombuffer(data, "<f4") if len(data) == 4 * D else None
        else:
            word, *numbers = file.readline().decode().rstrip(" \r\n").split(" ")  # word2vec.c ends lines with a blank
            row = _floats(numbers) if len(numbers) == D else None
        if row is None:
            raise _MalformedError(f"it promises {V} words of {D} numbers and ends, or differs, at word {number + 1}.")
        words.append(word)
        rows.append(row)
    if file.read().strip():
        raise _MalformedError(f"it promises {V} words and goes on after them.")
    return words, np.array(rows, dtype=np.float32).reshape(V, D)


def _word_before_blank(file):
    letters = bytearray()
    while (byte := file.read(1)) != b" ":
        if not byte or len(letters) > 10_000:
            raise _MalformedError("a word in it has no end.")
        letters += byte
    return letters.lstrip(b"\n").decode()  # word2vec.c ends each vector with a newline, gensim does not


def _floats(numbers):
    try:
        return np.array(numbers, dtype=np.float32)
    except ValueError:
        return None


def _unit(vector):
    length = np.linalg.norm(vector)
    return vector / length if length else vector
