"""The vocabulary: which words there are, how often each occurs, and its id."""

from collections import Counter

import numpy as np

from handgrad.errors import InputError


class Vocabulary:
    """Words and their ids, the most frequent word first; among equals, the one that was met first.

    Parameters
    ----------
    counts : dict, word to number of occurrences, in the order of first occurrence
    min_count : int, words that occur less often are left out

    Attributes
    ----------
    key_to_index : dict, word to id
    index_to_key : list of str, id to word
    counts : int64 array (V,), by id
    raw_words : int, all words of the text, those left out included
    """

    def __init__(self, counts, min_count=1):
        kept = sorted(((w, n) for w, n in counts.items() if n >= min_count), key=lambda pair: -pair[1])
        if not kept:
            raise InputError(
                f"No word occurs {min_count} times or more in this text of {sum(counts.values())} words: "
                "give more text, or a smaller min_count."
            )
        self.min_count = min_count
        self.index_to_key = [word for word, _ in kept]
        self.key_to_index = {word: index for index, word in enumerate(self.index_to_key)}
        self.counts = np.array([count for _, count in kept], dtype=np.int64)
        self.raw_words = sum(counts.values())

    @classmethod
    def from_sentences(cls, sentences, min_count=1):
        """Count the words of an iterable of sentences, each a list of words."""
        counts = Counter()
        for sentence in sentences:
            if isinstance(sentence, str):
                raise InputError(f"A sentence is a list of words, but got the string {sentence[:30]!r}: split it.")
            counts.update(sentence)
        return cls(counts, min_count)

    def __len__(self):
        return len(self.index_to_key)

    def __contains__(self, word):
        return word in self.key_to_index

    def __repr__(self):
        return f"Vocabulary({len(self):,} words that occur at least {self.min_count} times in {self.raw_words:,})"

    def encode(self, sentences):
        """Turn sentences into ids, without the words that are not in the vocabulary.

        Returns
        -------
        ids : int32 array (N,), all sentences in one row
        sentence_of : int32 array (N,), the number of the sentence that each id comes from
        """
        ids, lengths = [], []
        for sentence in sentences:
            known = [self.key_to_index[word] for word in sentence if word in self.key_to_index]
            ids.extend(known)
            lengths.append(len(known))
        sentence_of = np.repeat(np.arange(len(lengths), dtype=np.int32), lengths)
        return np.array(ids, dtype=np.int32), sentence_of
