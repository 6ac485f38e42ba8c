"""The first part of a run: the text is read once, and what is learned from is told apart from what is held out."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from handgrad.word2vec.text.encoding import EncodedText, encode_text

if TYPE_CHECKING:
    from handgrad.word2vec.config import TrainingConfig


@dataclass(frozen=True)
class Data:
    """A text as a run has it.

    Attributes
    ----------
    whole, text : EncodedText
        All of it, and what is learned from.
    held_out : EncodedText, optional
        What is not.
    raw_words : int
        Of the text that is learned from, with those that have no vector.
    name, path : str, optional
        What the corpus is called, and where it lies, if it is a file.
    words : dict
        How its words were told apart.
    """

    whole: EncodedText
    text: EncodedText
    held_out: EncodedText | None
    raw_words: int
    name: str | None
    path: str | None
    words: dict[str, Any]


def import_data(corpus: Any, config: TrainingConfig, bar: Any) -> Data:
    """Read a corpus and turn it into ids; of an EncodedText, that is done."""
    name = getattr(corpus, "name", None)
    words = {"lowercase": False, "tokenize": "blanks"}
    words |= {key: getattr(corpus, key) for key in words if hasattr(corpus, key)}
    path = None
    if isinstance(name, str) and os.path.lexists(name) and getattr(corpus, "pinned", None) is None:
        path = os.path.abspath(name)
    if isinstance(corpus, EncodedText):
        corpus.require_whole()  # the kernels check no id
        whole = corpus
    else:
        with bar("reading") as advance:
            whole = encode_text(corpus, config.min_count, config.max_vocabulary or None, config.unk, progress=advance)
    text, held_out = whole.split(config.held_out)
    raw_words = round(whole.vocabulary.raw_words * len(text) / len(whole))
    return Data(whole, text, held_out, raw_words, name, path, words)
