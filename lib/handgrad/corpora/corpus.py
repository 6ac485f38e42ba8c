"""A text as the trainer reads it."""

import hashlib
from collections.abc import Callable, Iterator
from functools import cached_property

from handgrad.corpora.words import Tokenizer, word_splitter


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

    Attributes
    ----------
    lowercase, tokenize : bool and str
        What its words are, see ``with_words``. To open the same text again, as resuming a run does, these two are
        needed beside its name.

    Examples
    --------
    >>> from handgrad.corpora import Corpus
    >>> corpus = Corpus("Hamlet", lambda: iter([["To", "be"], ["or", "not"]]))
    >>> corpus.word_count, list(corpus.with_words(lowercase=True))
    (4, [['to', 'be'], ['or', 'not']])
    """

    lowercase: bool = False
    tokenize: Tokenizer = "blanks"

    def __init__(self, name: str, read: Callable[[], Iterator[list[str]]], pinned: bool | None = None) -> None:
        self.name, self.read, self.pinned = name, read, pinned

    def __iter__(self) -> Iterator[list[str]]:
        return self.read()

    def with_words(self, lowercase: bool = False, tokenize: Tokenizer = "blanks") -> "Corpus":
        """The same text in other words, as ``word_splitter`` makes them; sentences without any are passed over.

        Parameters
        ----------
        lowercase : bool
        tokenize : str
            "blanks" or "simple".

        Returns
        -------
        Corpus

        Raises
        ------
        InputError
            If ``tokenize`` is another one.
        """
        split = word_splitter(lowercase, tokenize)
        if split is str.split:
            return self

        def read() -> Iterator[list[str]]:
            return (words for sentence in self if (words := split(" ".join(sentence))))

        corpus = Corpus(self.name, read, self.pinned)
        if tokenize != "blanks" and self.pinned:  # lower case alone changes nothing: the pinned texts are in it
            corpus.pinned = False
        corpus.lowercase, corpus.tokenize = lowercase, tokenize
        return corpus

    @cached_property
    def _count_and_digest(self) -> tuple[int, str]:
        count, sha256 = 0, hashlib.sha256()
        for words in self:
            count += len(words)
            sha256.update((" ".join(words) + "\n").encode("utf-8"))
        return count, sha256.hexdigest()

    @property
    def word_count(self) -> int:
        """Running words (tokens), counted in one pass over the text at the first use."""
        return self._count_and_digest[0]

    @property
    def digest(self) -> str:
        """SHA-256, in hexadecimal, of the text with one sentence a line, words joined by a blank."""
        return self._count_and_digest[1]
