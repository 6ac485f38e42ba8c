"""The vocabulary: which words there are, how often each occurs, and its id."""

import json
from collections import Counter
from functools import cached_property

import numpy as np

from handgrad.errors import InputError, is_whole
from handgrad.files import replacing

UNK = "UNK"  # stands for all words that have no id of their own


class Vocabulary:
    """Words and their ids, the most frequent word first; among equals, the one that was met first.

    Parameters
    ----------
    counts : dict, word to number of occurrences, in the order of first occurrence
    min_count : int, words that occur less often are left out
    max_size : int or None, how many ids there are at most; the most frequent words get them
    unk : "drop" or "keep", what becomes of the words left out
        "drop" passes over them, as word2vec.c and gensim do. "keep" puts UNK in their place, as TensorFlow's
        word2vec_basic does: UNK has id 0, whatever its count, is one of the max_size, and is a word like others.

    Attributes
    ----------
    key_to_index : dict, word to id
    index_to_key : list of str, id to word
    counts : int64 array (V,), by id
    raw_words : int, all words of the text, those left out included
    """

    def __init__(self, counts, min_count=1, max_size=None, unk="drop"):
        check_limits(min_count, max_size, unk)
        self.min_count, self.max_size, self.unk = min_count, max_size, unk
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
    def from_sentences(cls, sentences, min_count=1, max_size=None, unk="drop"):
        """Count the words of an iterable of sentences, each a list of words."""
        counts = Counter()
        for sentence in sentences:
            try:
                counts.update(words_of(sentence))
            except TypeError as error:
                raise not_a_sentence(sentence) from error
        return cls(counts, min_count, max_size, unk)

    @cached_property
    def key_to_index(self):
        """Made when it is asked for: with a million words it takes 75 MB, and training needs none of it."""
        return {word: index for index, word in enumerate(self.index_to_key)}

    def __len__(self):
        return len(self.index_to_key)

    def __contains__(self, word):
        return word in self.key_to_index

    def __repr__(self):
        return f"Vocabulary({len(self):,} words that occur at least {self.min_count} times in {self.raw_words:,})"

    @property
    def unknown_index(self):
        """The id of words that are not in the vocabulary: 0, that of UNK, or -1 where they are dropped."""
        return 0 if self.unk == "keep" else -1

    def encode(self, sentences):
        """Turn sentences into ids, in memory: for short texts. For long ones there is ``encode_text``.

        Returns
        -------
        ids : int32 array (N,), all sentences in one row; other words are dropped, or UNK
        sentence_of : int32 array (N,), the number of the sentence that each id comes from
        """
        ids, lengths = [], []
        for sentence in sentences:
            found = [self.key_to_index.get(word, self.unknown_index) for word in words_of(sentence)]
            known = [index for index in found if index >= 0]
            ids.extend(known)
            lengths.append(len(known))
        sentence_of = np.repeat(np.arange(len(lengths), dtype=np.int32), lengths)
        return np.array(ids, dtype=np.int32), sentence_of

    def save(self, path):
        """Write the words and their counts as JSON, one word a line. The file appears whole or not at all."""
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
    def load(cls, path):
        """Read what ``save`` wrote."""
        try:
            with open(path, encoding="utf-8") as file:
                content = json.load(file, object_pairs_hook=_each_once)
            vocabulary = cls(content["words"], content["min_count"], content["max_size"], content["unk"])
            vocabulary.raw_words = content["raw_words"]
            if not is_whole(vocabulary.raw_words) or vocabulary.raw_words < vocabulary.counts.sum():
                raise ValueError("more words than the text has")
            if len(vocabulary) != len(content["words"]):
                raise ValueError("a count below the least")
        except OSError as error:
            raise InputError(
                f"Expected a vocabulary, but {path} cannot be read ({error.strerror}); check the path."
            ) from error
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
            raise InputError(
                f"Expected a vocabulary that was saved, but {path} is another file or damaged; save it again."
            ) from error
        return vocabulary


def _each_once(pairs):
    """A JSON object as a dict; json alone would keep the last of two equal words."""
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a word that is there twice")
    return dict(pairs)


def words_of(sentence):
    """An iterator over the words of a sentence. A string would be taken for a list of letters, so it is refused."""
    if isinstance(sentence, str):
        raise InputError(f"A sentence is a list of words, but got the string {sentence[:30]!r}: split it.")
    return iter(sentence)


def not_a_sentence(sentence):
    return InputError(f"A sentence is a list of words, but got {sentence!r:.60}: give lists of strings.")


def check_limits(min_count, max_size, unk):
    if unk not in ("drop", "keep"):
        raise InputError(f'unk is "drop" or "keep", but got {unk!r}.')
    least = 2 if unk == "keep" else 1  # UNK and one word
    for name, value, at_least in [("min_count", min_count, 1), ("max_size", max_size, least)]:
        if value is None and name == "max_size":
            continue
        if not is_whole(value) or value < at_least:
            raise InputError(f"{name} is a whole number of at least {at_least}, but got {value!r}.")
