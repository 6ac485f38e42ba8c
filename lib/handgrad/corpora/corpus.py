"""A text as the trainer reads it."""

import hashlib
from functools import cached_property


class Corpus:
    """Sentences, each a list of words, that can be read any number of times.

    Parameters
    ----------
    name : str
        What the text is, for reports and errors.
    read : callable
        Returns a fresh iterator over the sentences.
    pinned : bool or None
        Whether the text is the very one that the book's numbers were made with; None for a text
        about which the book says nothing.
    """

    def __init__(self, name, read, pinned=None):
        self.name, self.read, self.pinned = name, read, pinned

    def __iter__(self):
        return self.read()

    @cached_property
    def _count_and_digest(self):
        count, sha256 = 0, hashlib.sha256()
        for words in self:
            count += len(words)
            sha256.update((" ".join(words) + "\n").encode("utf-8"))
        return count, sha256.hexdigest()

    @property
    def word_count(self):
        """Running words (tokens), counted in one pass over the text at the first use."""
        return self._count_and_digest[0]

    @property
    def digest(self):
        """SHA-256, in hexadecimal, of the text with one sentence a line, words joined by a blank."""
        return self._count_and_digest[1]
