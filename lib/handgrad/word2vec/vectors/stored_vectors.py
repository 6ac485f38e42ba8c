"""Words and their vectors: how they are made, looked up, added to and kept. What they are asked is in keyed_vectors.py.

The names are gensim 4's, so that they need not be learned twice.
"""

import difflib
import os
from collections.abc import Iterable
from functools import cached_property
from numbers import Integral
from typing import Any, Self, TypeGuard

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from handgrad.errors import InputError, is_whole
from handgrad.word2vec.text.vocabulary import Vocabulary
from handgrad.word2vec.vectors.cosines import unit
from handgrad.word2vec.vectors.saved_vectors import read_saved, write_saved
from handgrad.word2vec.vectors.vector_files import Mending, read_counts, read_vectors
from handgrad.word2vec.vectors.vector_writing import encode_words, first_duplicate, write_counts, write_vectors

Key = str | int
REPLACED = {  # names of gensim's that are gone there, too, and what to use
    "vocab": "key_to_index, index_to_key and get_vecattr(word, attr)",
    "index2word": "index_to_key",
    "index2entity": "index_to_key",
    "syn0": "vectors",
    "vectors_norm": "get_normed_vectors()",
    "syn0norm": "get_normed_vectors()",
    "word_vec": "get_vector(word, norm=False)",
    "words_closer_than": "closer_than(word1, word2)",
    "wv": "these vectors as they are",
}


class UnknownWordError(KeyError, InputError):
    """A word that has no vector. (gensim raises KeyError here.)

    Examples
    --------
    >>> from handgrad.word2vec import KeyedVectors, UnknownWordError
    >>> try:
    ...     KeyedVectors(["hot", "warm"], [[1.0], [0.8]]).most_similar("cold")
    ... except UnknownWordError as error:
    ...     print(error)
    The word 'cold' is not among these 2 words.
    """

    def __str__(self) -> str:  # KeyError would print the sentence in quotation marks
        return self.args[0]


class StoredVectors:
    """A vector for each word; see KeyedVectors."""

    def __init__(
        self,
        index_to_key: Any = (),
        vectors: Any = None,
        counts: Any = None,
        *,
        vector_size: int | None = None,
        count: int = 0,
        dtype: DTypeLike = np.float32,
    ) -> None:
        if is_whole(index_to_key):  # gensim's order: vector_size, count, dtype
            vector_size, dtype = index_to_key, dtype if counts is None else counts
            count = count if vectors is None else vectors
            index_to_key, vectors, counts = (), None, None
        if vectors is None:
            vectors = _no_vectors(index_to_key, vector_size, count, dtype)
        elif vector_size is not None:
            raise InputError("KeyedVectors expects words and vectors, or a vector_size to begin without any, not both.")
        elif isinstance(index_to_key, str):
            raise InputError(f"KeyedVectors expects a list of words, but got the string {index_to_key[:30]!r}.")
        self._vocabulary = index_to_key if isinstance(index_to_key, Vocabulary) else None
        if self._vocabulary:
            counts = self._vocabulary.counts if counts is None else counts
            self.index_to_key: list = self._vocabulary.index_to_key
        else:
            self.index_to_key = list(index_to_key)
        self.vectors = np.asarray(vectors)
        if self.vectors.dtype.kind in "iub":
            self.vectors = self.vectors.astype(np.float32)
        if self.vectors.dtype.kind != "f":
            raise InputError(f"KeyedVectors expects vectors of numbers, but got an array of {self.vectors.dtype}.")
        if self.vectors.ndim != 2 or len(self.vectors) != len(self):
            raise InputError(
                f"KeyedVectors expects one row for each of the {len(self)} words, but got vectors "
                f"of shape {self.vectors.shape}."
            )
        if not self._vocabulary and len(self.key_to_index) < len(self):
            twice = first_duplicate(self.index_to_key)
            raise InputError(f"KeyedVectors expects each word once, but {twice!r} occurs twice.")
        self.expandos: dict[str, np.ndarray] = {}
        if counts is not None:
            if np.shape(counts) != (len(self),):
                raise InputError(f"KeyedVectors expects {len(self)} counts, but got shape {np.shape(counts)}.")
            self.expandos["count"] = np.asarray(counts)
        # By name, an array with room for more rows, and the view of it that holds those there are.
        self._room: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        if vector_size is not None:
            self._room[""] = (self.vectors.base, self.vectors)  # type: ignore[assignment]  # _no_vectors are a view

    @cached_property
    def key_to_index(self) -> dict[Any, int]:
        if self._vocabulary:  # which makes it when it is asked for
            return self._vocabulary.key_to_index
        return {word: index for index, word in enumerate(self.index_to_key)}

    @property
    def vector_size(self) -> int:
        return self.vectors.shape[1]

    def __len__(self) -> int:
        return len(self.index_to_key)

    def __contains__(self, key: Key) -> bool:
        return self.has_index_for(key)

    def __getitem__(self, key_or_keys: Key | Iterable[Key]) -> np.ndarray:
        if _is_key(key_or_keys):
            return self.get_vector(key_or_keys)
        return self.vectors[[self.get_index(key) for key in _listed(key_or_keys)]]

    def __setitem__(self, key_or_keys: Key | Iterable[Key], vectors: ArrayLike) -> None:
        """Give a word, or several, new vectors; a word that is not there is added. An index stands for its word."""
        one, keys = _is_key(key_or_keys), _listed(key_or_keys)
        named = [self.index_to_key[i] if (i := self.get_index(key, -1)) >= 0 else key for key in keys]
        self.add_vectors(named[0] if one else named, vectors, replace=True)

    def __repr__(self) -> str:
        return f"KeyedVectors({len(self):,} words, {self.vector_size} dimensions)"

    def __getattr__(self, name: str) -> Any:
        hint = f": use {REPLACED[name]}." if name in REPLACED else "."
        raise AttributeError(f"{type(self).__name__} has no {name!r}{hint}", name=name, obj=self)

    def get_index(self, key: Key, default: int | None = None) -> int:
        """The row of a word; an integer that is no word is a row already. ``default`` instead of an error."""
        if (index := self.key_to_index.get(key)) is not None:
            return index
        if isinstance(key, Integral) and 0 <= key < len(self):
            return int(key)
        if default is not None:
            return default
        frequent = self.index_to_key[:50_000]  # looking for similar words among millions takes seconds
        similar = difflib.get_close_matches(str(key), map(str, frequent), n=3, cutoff=0.7)
        hint = f"; did you mean {' or '.join(similar)}?" if similar else "."
        raise UnknownWordError(f"The word {key!r} is not among these {len(self):,} words{hint}")

    def has_index_for(self, key: Key) -> bool:
        return self.get_index(key, -1) >= 0

    def get_vector(self, key: Key, norm: bool = False) -> np.ndarray:
        """The vector of a word (D,), of length 1 if ``norm``. It is read-only: to change it, set ``[word]``."""
        vector = self.vectors[self.get_index(key)]
        if norm:
            vector = unit(vector)
        vector.flags.writeable = False
        return vector

    # attributes of words

    def get_vecattr(self, key: Key, attr: str) -> Any:
        """What ``set_vecattr`` or ``counts`` has stored for a word, such as its "count"."""
        if attr not in self.expandos:
            raise UnknownWordError(f"These words have no attribute {attr!r}, only {sorted(self.expandos)}.")
        return self.expandos[attr][self.get_index(key)]

    def set_vecattr(self, key: Key, attr: str, val: Any) -> None:
        """Store a value for a word. All values of one attribute have the type of the first, and start as its zero."""
        index, dtype = self.get_index(key), np.asarray(val).dtype
        self._require_type(attr, dtype, val)
        if attr not in self.expandos:
            self.expandos[attr] = np.zeros(len(self), dtype if dtype.kind in "biuf" else object)
        self.expandos[attr][index] = val

    def _require_type(self, attr: str, dtype: np.dtype, value: object) -> None:
        column = self.expandos.get(attr)
        if column is not None and column.dtype != object and not np.can_cast(dtype, column.dtype, "same_kind"):
            raise InputError(f"The attribute {attr!r} holds numbers of type {column.dtype}, but got {value!r:.60}.")

    # adding

    def add_vector(self, key: Key, vector: ArrayLike) -> int:
        """Add one word and its vector (D,), and return its index. A word that is there keeps its vector."""
        self.add_vectors(key, vector)
        return self.key_to_index[key]

    def add_vectors(
        self,
        keys: Key | Iterable[Key],
        weights: Any,
        extras: dict[str, ArrayLike] | None = None,
        replace: bool = False,
    ) -> None:
        """Add words and their vectors.

        Parameters
        ----------
        keys : n words, each once, or a single word
        weights : array (n, D), or (D,) for a single word
            Cast to the type of ``vectors``.
        extras : dict, optional
            By the name of an attribute its values (n,); other words have its zero.
        replace : bool
            Whether words that are there get the new vectors and extras; otherwise they keep theirs.

        Raises
        ------
        InputError
            If words, vectors and extras do not fit together.
        """
        weights = [weights] if _is_key(keys) else weights
        keys = _listed(keys)
        rows = self._rows(weights, len(keys))
        if wrong := [key for key in keys if not _is_key(key)]:
            raise InputError(f"A word is a string or a whole number, but got {_excerpt(wrong[0])}.")
        if (twice := first_duplicate(keys)) is not None:
            raise InputError(f"Adding vectors expects each word once, but {twice!r} occurs twice.")
        columns = {name: np.asarray(values) for name, values in (extras or {}).items()}
        for name, column in columns.items():
            if column.shape != (len(keys),):
                raise InputError(f"The attribute {name!r} expects {len(keys)} values, but got shape {column.shape}.")
            self._require_type(name, column.dtype, column.tolist())
        new = [i for i, key in enumerate(keys) if key not in self.key_to_index]
        changed = list(range(len(keys))) if replace else new

        self._own()
        start = len(self)
        self.index_to_key += [keys[i] for i in new]
        self.key_to_index.update({keys[i]: start + n for n, i in enumerate(new)})
        self.vectors = self._extend("", self.vectors, len(self))
        for name, column in self.expandos.items():
            self.expandos[name] = self._extend(name, column, len(self))
        if not self.vectors.flags.writeable:
            self.vectors = self.vectors.copy()
        self.vectors[[self.key_to_index[keys[i]] for i in changed]] = rows[changed]
        for name, column in columns.items():
            for i in changed:
                self.set_vecattr(keys[i], name, column[i])

    def _rows(self, weights: Any, n: int) -> np.ndarray:
        try:
            rows = np.asarray(weights if isinstance(weights, np.ndarray) else list(weights), self.vectors.dtype)
        except (TypeError, ValueError) as error:
            raise InputError(f"Vectors are numbers, {self.vector_size} for each word, but got others.") from error
        if rows.shape == (0,) and not n:
            rows = rows.reshape(0, self.vector_size)
        if rows.shape != (n, self.vector_size):
            raise InputError(f"Vectors for {n} words expect shape {(n, self.vector_size)}, but got shape {rows.shape}.")
        return rows

    def _extend(self, name: str, rows: np.ndarray, length: int) -> np.ndarray:
        """The rows and, after them, zeros, ``length`` in all. Room is doubled, so that words can come one by one."""
        room, view = self._room.get(name, (rows, None))
        if view is not rows or rows.base is not room or len(room) < length:
            room = np.zeros((max(length, 2 * len(rows)), *rows.shape[1:]), rows.dtype)
            room[: len(rows)] = rows
        view = room[:length]
        self._room[name] = (room, view)
        return view

    def _own(self) -> None:
        """Words that a Vocabulary shares are not changed for it."""
        if self._vocabulary:
            self.index_to_key = list(self._vocabulary.index_to_key)
            self.__dict__["key_to_index"] = dict(self._vocabulary.key_to_index)
            self._vocabulary = None

    def vectors_for_all(self, keys: Iterable[Key], allow_inference: bool = True, copy_vecattrs: bool = False) -> Self:
        """The vectors of those ``keys`` that have one, each once and in their order, as new KeyedVectors.

        ``allow_inference`` is gensim's, for models that make vectors for unknown words; here there are none.
        """
        known = [key for key in dict.fromkeys(keys) if key in self]
        ids = [self.get_index(key) for key in known]
        chosen = type(self)(known, self.vectors[ids])
        if copy_vecattrs:
            chosen.expandos = {name: column[ids] for name, column in self.expandos.items()}
        return chosen

    def sort_by_descending_frequency(self) -> None:
        """Put the most frequent words first, by their "count"; equal ones stay in their order."""
        if "count" not in self.expandos:
            raise InputError("Sorting by frequency needs counts: give counts, or set_vecattr(word, 'count', n).")
        order = np.argsort(-self.expandos["count"].astype(np.float64), kind="stable")
        self._own()
        self.index_to_key[:] = [self.index_to_key[i] for i in order]
        self.key_to_index.update({word: i for i, word in enumerate(self.index_to_key)})
        self.vectors = self.vectors[order]
        self.expandos = {name: column[order] for name, column in self.expandos.items()}

    # files

    def save(self, fname: str | os.PathLike) -> None:
        """Save words, vectors and attributes, all types as they are, as safetensors; see saved_vectors.py."""
        write_saved(fname, self.index_to_key, self.vectors, self.expandos)

    @classmethod
    def load(cls, fname: str | os.PathLike, mmap: str | None = None) -> Self:
        """Load what ``save`` has written. A pickle, as gensim saves it, is refused: it could run any code.

        ``mmap`` is gensim's, and has no effect.
        """
        words, vectors, attributes = read_saved(fname)
        loaded = cls(words, vectors)
        loaded.expandos = attributes
        return loaded

    def save_word2vec_format(
        self,
        fname: str | os.PathLike,
        fvocab: str | os.PathLike | None = None,
        binary: bool = False,
        total_vec: int | None = None,
        write_header: bool = True,
        prefix: str = "",
        append: bool = False,
        sort_attr: str | None = None,
    ) -> None:
        """Write word2vec's text or binary format, as gensim does; see ``vector_writing.write_vectors``.

        The file appears whole or not at all. Numbers are written as float32; text without the header is GloVe's.

        Parameters
        ----------
        fname : str or os.PathLike
            If it ends in .gz, the file is compressed.
        fvocab : str or os.PathLike, optional
            A second file, for lines "word count".
        binary, write_header : bool
        total_vec : int, optional
            How many words the header promises, if others are to be appended.
        prefix : str
            What is written in front of each word.
        append : bool
            Whether to write the rows, without a header, after those that are there.
        sort_attr : str, optional
            An attribute that comes in descending order; gensim takes "count", which here is the order of
            ``index_to_key`` already, unless words were added.

        Raises
        ------
        InputError
            If a word cannot be written in the format, or the path is no place for a file.
        """
        words, vectors = self.index_to_key, self.vectors
        if sort_attr is not None:
            column = np.array([self.get_vecattr(i, sort_attr) for i in range(len(self))], dtype=np.float64)
            order = np.argsort(-column, kind="stable")
            words, vectors = [words[i] for i in order], vectors[order]
        if prefix:
            words = [f"{prefix}{word}" for word in words]
        if fvocab is None:
            return write_vectors(fname, words, vectors, binary, write_header, total_vec, append)
        if "count" not in self.expandos:
            raise InputError("A file of counts needs counts: give counts, or set_vecattr(word, 'count', n).")
        encode_words(words)  # both files are written, or none
        counts = self.expandos["count"] if sort_attr is None else self.expandos["count"][order]
        write_vectors(fname, words, vectors, binary, write_header, total_vec, append)
        write_counts(fvocab, words, counts, append)

    @classmethod
    def load_word2vec_format(
        cls,
        fname: str | os.PathLike,
        fvocab: str | os.PathLike | None = None,
        binary: bool | None = None,
        encoding: str = "utf8",
        unicode_errors: Mending | None = None,
        limit: int | None = None,
        datatype: DTypeLike = np.float32,
        no_header: bool | None = None,
    ) -> Self:
        """Read word2vec's text or binary format or GloVe's text, plain or .gz; see ``vector_files.read_vectors``.

        gensim expects to be told ``binary`` and ``no_header``; here None finds them out.

        Parameters
        ----------
        fname : str or os.PathLike
        fvocab : str or os.PathLike, optional
            A second file, of lines "word count", as word2vec.c writes it with -save-vocab; a word that it lacks has a
            count of 0.
        binary, no_header : bool or None
        encoding, unicode_errors : str
            How the bytes of words are read.
        limit : int, optional
            Read only so many first words.
        datatype : NumPy type

        Returns
        -------
        KeyedVectors

        Raises
        ------
        InputError
            If the file cannot be read, or is another file.
        """
        words, vectors = read_vectors(fname, binary, limit, no_header, unicode_errors, encoding, datatype)
        if fvocab is None:
            return cls(words, vectors)
        count_of = read_counts(fvocab, encoding, unicode_errors)
        return cls(words, vectors, counts=np.array([count_of.get(word, 0) for word in words], dtype=np.int64))


def _no_vectors(words: Any, vector_size: int | None, count: int, dtype: DTypeLike) -> np.ndarray:
    """The vectors of no words (0, D), of a size and a type, with room for ``count`` rows."""
    if vector_size is None:
        raise InputError("KeyedVectors expects words and their vectors, or a vector_size to begin without any.")
    if isinstance(words, Vocabulary) or len(words):
        raise InputError("KeyedVectors expects vectors for its words, but got none.")
    for name, value, least in [("vector_size", vector_size, 1), ("count", count, 0)]:
        if not is_whole(value) or value < least:
            raise InputError(f"{name} is a whole number of at least {least}, but got {_excerpt(value)}.")
    try:
        kind = np.dtype(dtype)
    except TypeError as error:
        raise InputError(f"Vectors are floats, such as float32, but got {_excerpt(dtype)}.") from error
    if kind.kind != "f":
        raise InputError(f"Vectors are floats, such as float32, but got the type {kind}.")
    return np.zeros((count, vector_size), kind)[:0]


def _is_key(key: object) -> TypeGuard[Key]:
    """Whether this is one word or index, of Python's integers or NumPy's."""
    return isinstance(key, str | Integral)


def _listed(keys: Any) -> list:
    return [keys] if _is_key(keys) else list(keys)


def _excerpt(value: object) -> str:
    return " ".join(repr(value).split())[:60]
