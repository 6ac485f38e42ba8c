"""The packages whose names are for users: what their tests of docstrings and of annotations go through."""

PACKAGES = (
    "handgrad",
    "handgrad.corpora",
    "handgrad.datasets",
    "handgrad.gradient_check",
    "handgrad.show",
    "handgrad.word2vec",
)
