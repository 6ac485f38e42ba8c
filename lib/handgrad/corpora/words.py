"""What a word of a text is: what stands between blanks, as it is written, or a run of letters in lower case."""

import functools
import re
import unicodedata
from collections.abc import Callable
from itertools import chain
from typing import Literal, get_args

from handgrad.errors import InputError

Tokenizer = Literal["blanks", "simple"]

SHORTEST, LONGEST = 2, 15  # letters of a simple word, as in gensim
ASCII_WORD = re.compile("[a-z]+(?:_+[a-z]+)*")


def word_splitter(lowercase: bool = False, tokenize: Tokenizer = "blanks") -> Callable[[str], list[str]]:
    """The function that turns a string into its words.

    No word reaches over a blank, so a text may be given in pieces that end at blanks: the words are the same.

    Parameters
    ----------
    lowercase : bool
        Whether words become lower case; "simple" words always are.
    tokenize : str
        "blanks" splits at white space and keeps what is between as it is written; "simple" is ``simple_words``.

    Returns
    -------
    callable, of a str: a list of str

    Raises
    ------
    InputError
        If ``tokenize`` is another one, or ``lowercase`` is not True or False.
    """
    if not isinstance(lowercase, bool):
        raise InputError(f"lowercase is True or False, but got {lowercase!r:.40}.")
    if tokenize not in get_args(Tokenizer):
        raise InputError(f'tokenize is "blanks" or "simple", but got {tokenize!r:.40}.')
    if tokenize == "simple":
        return simple_words
    return _lowercase_words if lowercase else str.split


def _lowercase_words(text: str) -> list[str]:
    return text.lower().split()


def simple_words(text: str) -> list[str]:
    """The runs of letters in a string, in lower case, of 2 to 15 characters: "Don't say 'C3PO'!" is don, say, po.

    On most text these are the words of gensim's ``simple_preprocess``. Three things differ, so that no letter is lost:

    - A mark on a letter (category M) belongs to the word. gensim ends a word there: the Hindi हिन्दी would be ह, न, द.
    - Letters are composed first (NFC): é is one word's letter however it was typed.
    - Underscores join words, as in new_york, but those at the ends go: "_stressed_" is stressed. gensim drops it whole.

    Parameters
    ----------
    text : str

    Returns
    -------
    list of str

    Examples
    --------
    >>> from handgrad.corpora import simple_words
    >>> simple_words("Don't say 'C3PO' in New_York!")
    ['don', 'say', 'po', 'in', 'new_york']
    """
    text = text.lower()
    if text.isascii():
        words = ASCII_WORD.findall(text)
    else:
        words = _word().findall(unicodedata.normalize("NFC", text))
    return [word for word in words if SHORTEST <= len(word) <= LONGEST]


@functools.cache
def _word() -> re.Pattern[str]:
    """Letters with the marks on them. For marks re has no class, so Python's own table is asked, once."""
    planes = chain(range(0x300, 0x20000), range(0xE0100, 0xE01F0))  # no other has any
    marks = "".join(character for character in map(chr, planes) if unicodedata.category(character)[0] == "M")
    letters = rf"[^\W\d_]+(?:[{marks}]+[^\W\d_]*)*"
    return re.compile(f"{letters}(?:_+{letters})*")
