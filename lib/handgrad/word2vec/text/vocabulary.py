"""The vocabulary: which words there are, how often each occurs, and its id."""

import json
import os
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from functools import cached_property
from numbers import Integral
from typing import Any, Literal

import numpy as np

from handgrad.errors import InputError, is_whole
from handgrad.files import KindError, opened_text, replacing

MOST_WORDS = 2**63 - 1  # of a text: counts are int64
UNK = "UNK"  # stands for all words that have no id of their own


class Vocabulary:
    """Words and their ids, the most frequent word first; among equals, the one that was met first.

    Parameters
    ----------
    counts : dict
        Word to number of occurrences, in the order of first occurrence.
    min_count : int
        Words that occur less often are left out.
    max_size : int or None
        How many ids there are at most; the most frequent words get them.
    unk : str
        What becomes of the words left out. "drop" passes over them, as word2vec.c and gensim do. "keep" puts UNK in
        their place, as TensorFlow's word2vec_basic does: UNK has id 0, whatever its count, is one of the max_size, and
        is a word like others.

    Attributes
    ----------
    key_to_index : dict
        Word to id.
    index_to_key : list of str
        Id to word.
    counts : int64 array (V,)
        By id.
    raw_words : int
        All words of the text, those left out included.

    Raises
    ------
    InputError
        If a setting is out of range, or no word is left.

    Examples
    --------
    >>> from handgrad.word2vec import Vocabulary
    >>> sentence = ["to", "be", "or", "not", "to", "be"]
    >>> vocabulary = Vocabulary.from_sentences([sentence])
    >>> vocabulary.index_to_key, vocabulary.counts
    (['to', 'be', 'or', 'not'], array([2, 2, 1, 1]))
    >>> vocabulary.key_to_index["or"], "hamlet" in vocabulary
    (2, False)
    """

    def __init__(
        self,
        counts: dict[str, int],
        min_count: int = 1,
        max_size: int | None = None,
        unk: Literal["drop", "keep"] = "drop",
    ) -> None:
        check_limits(min_count, max_size, unk)
        self.min_count, self.max_size, self.unk = min_count, max_size, unk
        _require_counts(counts.values())
        self.raw_words = int(sum(counts.values()))
        if not_a_word := [word for word in counts if not isinstance(word, str)]:
            raise InputError(f"A word is a string, but got {not_a_word[0]!r:.40}: make it one with str().")
        words, occurrences = list(counts), np.fromiter(counts.values(), np.int64, len(counts))
        reserved = [UNK] if unk == "keep" else []
        frequent = np.flatnonzero((occurrences >= min_count) & np.array([word not in reserved for word in words], bool))
        ids = frequent[np.argsort(-occurrences[frequent], kind="stable")]
        if max_size is not None:
            ids = ids[: max_size - len(reserved)]
        if not len(ids):
            raise InputError(
                f"No word occurs {min_count} times or more in this text of {self.raw_words} words: "
                "give more text, or a smaller min_count."
            )
        self.index_to_key = reserved + [words[i] for i in ids]
        self.counts = np.concatenate([[0 for _ in reserved], occurrences[ids]]).astype(np.int64)
        if reserved:
            self.counts[0] = self.raw_words - self.counts.sum()

    @classmethod
    def from_sentences(
        cls,
        sentences: Iterable[Iterable[str]],
        min_count: int = 1,
        max_size: int | None = None,
        unk: Literal["drop", "keep"] = "drop",
    ) -> "Vocabulary":
        """Count the words of a text.

        Parameters
        ----------
        sentences : iterable of lists of str
        min_count, max_size, unk
            As for ``Vocabulary``.

        Returns
        -------
        Vocabulary

        Raises
        ------
        InputError
            If a sentence is a string, or as ``Vocabulary`` does.
        """
        counts: Counter[str] = Counter()
        for sentence in sentences:
            try:
                counts.update(words_of(sentence))
            except TypeError as error:
                raise not_a_sentence(sentence) from error
        return cls(counts, min_count, max_size, unk)

    @cached_property
    def key_to_index(self) -> dict[str, int]:
        """Word to id. Made when it is asked for: with a million words it takes 75 MB, and training needs none of it."""
        return {word: index for index, word in enumerate(self.index_to_key)}

    def __len__(self) -> int:
        return len(self.index_to_key)

    def __contains__(self, word: object) -> bool:
        return word in self.key_to_index

    def __repr__(self) -> str:
        return f"Vocabulary({len(self):,} words that occur at least {self.min_count} times in {self.raw_words:,})"

    @property
    def unknown_index(self) -> int:
        """The id of words that are not in the vocabulary: 0, that of UNK, or -1 where they are dropped."""
        return 0 if self.unk == "keep" else -1

    def encode(self, sentences: Iterable[Iterable[str]]) -> tuple[np.ndarray, np.ndarray]:
        """Turn sentences into ids, in memory: for short texts. For long ones there is ``encode_text``.

        Parameters
        ----------
        sentences : iterable of lists of str

        Returns
        -------
        ids : int32 array (N,)
            All sentences in one row; other words are dropped, or UNK.
        sentence_of : int32 array (N,)
            The number of the sentence that each id comes from.
        """
        ids, lengths = [], []
        for sentence in sentences:
            found = [self.key_to_index.get(word, self.unknown_index) for word in words_of(sentence)]
            known = [index for index in found if index >= 0]
            ids.extend(known)
            lengths.append(len(known))
        sentence_of = np.repeat(np.arange(len(lengths), dtype=np.int32), lengths)
        return np.array(ids, dtype=np.int32), sentence_of

    def save(self, path: str | os.PathLike) -> None:
        """Write the words and their counts as JSON, one word a line. The file appears whole or not at all.

        Parameters
        ----------
        path : str or os.PathLike

        Raises
        ------
        InputError
            If the path is no place for a file.
        """
        content = {
            "min_count": self.min_count,
            "max_size": self.max_size,
            "unk": self.unk,
            "raw_words": self.raw_words,
            "words": dict(zip(self.index_to_key, self.counts.tolist(), strict=True)),
        }
        with replacing(path) as partial, open(partial, "w", encoding="utf-8") as file:
            json.dump(content, file, ensure_ascii=False, indent=0)

    @classmethod
    def load(cls, path: str | os.PathLike) -> "Vocabulary":
        """Read what ``save`` wrote.

        Parameters
        ----------
        path : str or os.PathLike

        Returns
        -------
        Vocabulary

        Raises
        ------
        InputError
            If the file cannot be read, is another file, or is damaged.
        """
        try:
            with opened_text(path, "a vocabulary that was saved") as file:
                content = json.load(file, object_pairs_hook=_each_once)
            counts, raw_words = content["words"], content["raw_words"]
            for count in (raw_words, *counts.values()):
                if not is_whole(count) or not 0 <= count <= MOST_WORDS:
                    raise ValueError(f"a count of {count!s:.20}")
            vocabulary = cls(counts, content["min_count"], content["max_size"], content["unk"])
            vocabulary.raw_words = raw_words
            if raw_words < sum(counts.values()):
                raise ValueError("more words than the text has")
            if vocabulary.index_to_key != list(counts):
                raise ValueError("words that are not in their order, or too rare")
        except OSError as error:
            raise InputError(
                f"Expected a vocabulary, but {path} cannot be read ({error.strerror or error}); check the path."
            ) from error
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
            if isinstance(error, KindError):
                raise
            raise InputError(
                f"Expected a vocabulary that was saved, but {path} is another file or damaged; save it again."
            ) from error
        return vocabulary


def _require_counts(counts: Collection[int]) -> None:
    """They are whole numbers, together no more than int64 can hold."""
    if wrong := {kind for kind in set(map(type, counts)) if not issubclass(kind, Integral) or kind is bool}:
        came = repr(next(count for count in counts if type(count) in wrong))[:40]
    elif counts and min(counts) < 0:
        came = "one below 0"
    elif sum(map(int, counts)) > MOST_WORDS:  # such a number may be too long to be shown
        came = "more"
    else:
        return
    raise InputError(f"How often words occur are whole numbers, and together less than 2**63, but got {came}.")


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object as a dict; json alone would keep the last of two equal words."""
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a word that is there twice")
    return dict(pairs)


def words_of(sentence: Iterable[str]) -> Iterator[str]:
    """An iterator over the words of a sentence. A string would be taken for a list of letters, so it is refused."""
    if isinstance(sentence, str):
        raise InputError(f"A sentence is a list of words, but got the string {sentence[:30]!r}: split it.")
    return iter(sentence)


def not_a_sentence(sentence: object) -> InputError:
    return InputError(f"A sentence is a list of words, but got {sentence!r:.60}: give lists of strings.")


def check_limits(min_count: int, max_size: int | None, unk: str) -> None:
    if unk not in ("drop", "keep"):
        raise InputError(f'unk is "drop" or "keep", but got {unk!r}.')
    least = 2 if unk == "keep" else 1  # UNK and one word
    for name, value, at_least in [("min_count", min_count, 1), ("max_size", max_size, least)]:
        if value is None and name == "max_size":
            continue
        if value is None or not is_whole(value) or value < at_least:
            raise InputError(f"{name} is a whole number of at least {at_least}, but got {value!r}.")
