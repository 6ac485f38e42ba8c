"""Text to learn from: documentation that is already on the reader's disk, text8, any text, and sentences with names."""

from handgrad.corpora.conll import TaggedSentence, conll_file, entities, entities_marked_twice
from handgrad.corpora.corpus import Corpus
from handgrad.corpora.docstrings import (
    DOCUMENTATION_DIGEST,
    DOCUMENTATION_VERSIONS,
    DOCUMENTATION_WORDS,
    documentation,
)
from handgrad.corpora.downloads import text8
from handgrad.corpora.files import directory, open_corpus, text_file
from handgrad.corpora.words import simple_words

__all__ = [
    "DOCUMENTATION_DIGEST",
    "DOCUMENTATION_VERSIONS",
    "DOCUMENTATION_WORDS",
    "Corpus",
    "TaggedSentence",
    "conll_file",
    "directory",
    "documentation",
    "entities",
    "entities_marked_twice",
    "open_corpus",
    "simple_words",
    "text8",
    "text_file",
]
