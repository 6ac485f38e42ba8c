"""The embedded corpus: documentation that is already on the reader's disk."""

import ast
import gc
import importlib.metadata
import importlib.util
import re
import warnings
from pathlib import Path

from handgrad.corpora.corpus import Corpus
from handgrad.errors import InputError
from handgrad.installing import how_to_install

# The versions that the book is written with, and what their documentation must come to.
DOCUMENTATION_VERSIONS = {
    "matplotlib": "3.11.2",
    "networkx": "3.6.1",
    "numpy": "2.4.6",
    "sympy": "1.14.0",
    "torch": "2.13.0",
}
DOCUMENTATION_WORDS = 1_795_209
DOCUMENTATION_DIGEST = "b8ffa53abb79aa373d34cbb1b0297786d923b16ae33551f6c3d26a023216b383"

# What is read of each package: nothing that a build writes, nothing that only some platforms or
# some Pythons have (numpy.distutils), and little of what is much code with few words about it.
DOCUMENTATION_FILES = {
    "matplotlib": ["**/*.py"],
    "networkx": ["**/*.py"],
    "numpy": ["**/*.py"],
    "sympy": ["**/*.py"],
    "torch": [
        "*.py",
        "sparse/*.py",
        *(
            f"{folder}/**/*.py"
            for folder in """amp autograd cuda distributed distributions fft func linalg masked nested nn
            optim profiler signal special utils""".split()
        ),
    ],
}
SKIPPED = {"tests", "testing", "distutils", "f2py", "backends", "parsing"}
SKIPPED |= {"__config__.py", "_version.py", "version.py"}

# Names stay whole (float32, log_softmax). Numbers of more than two digits say little; they go.
WORD = re.compile(r"[a-z][a-z0-9]*(?:_+[a-z0-9]+)*|(?<![\w.])[0-9]{1,2}(?!\.?\w)")
PARAGRAPH = re.compile(r"\n\s*\n")


def documentation() -> Corpus:
    """Read the embedded corpus: the documentation of five libraries that the book installs.

    Docstrings, and the documentation strings that numpy and torch attach to compiled functions, are
    taken from the sources without importing them, so they are the same on every platform. A sentence
    is a paragraph; a paragraph that several functions share is kept once.

    Returns
    -------
    Corpus
        About two million words. Under ``DOCUMENTATION_VERSIONS``, ``pinned`` is True and the corpus has
        ``DOCUMENTATION_WORDS`` words and the digest ``DOCUMENTATION_DIGEST``. With other versions there
        is one warning, and the text differs a little.

    Raises
    ------
    InputError
        If one of the five packages is not installed.

    Examples
    --------
    >>> from handgrad import corpora
    >>> corpus = corpora.documentation()
    >>> corpus.word_count == corpora.DOCUMENTATION_WORDS
    True
    """
    packages, others = {}, []
    for package, expected in DOCUMENTATION_VERSIONS.items():
        spec = importlib.util.find_spec(package)
        if spec is None or not spec.submodule_search_locations:
            raise InputError(
                f"The embedded corpus is read from the installed {package}, which was not found: "
                f"{how_to_install('book')}."
            )
        packages[package] = Path(spec.submodule_search_locations[0])
        found = importlib.metadata.version(package).partition("+")[0]  # 2.13.0+cpu is 2.13.0
        if found != expected:
            others.append(f"{package} {found} (the book has {expected})")
    if others:
        warnings.warn(
            f"The embedded corpus is read from {', '.join(others)}: "
            "its words and the vectors trained on it differ a little from the book's.",
            stacklevel=2,
        )
    lines = _documentation_lines(packages)
    return Corpus("documentation", lambda: map(str.split, lines), pinned=not others)


def _documentation_lines(packages):
    """The corpus, one paragraph a line, from {package: its folder}."""
    lines = {}  # a dict drops what was there before, and keeps the order
    collecting = gc.isenabled()
    gc.disable()  # syntax trees are many small objects and no garbage: searching them costs a third
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a docstring with "\d" in it is not our concern
            for package, folder in sorted(packages.items()):
                for path in _files(folder, DOCUMENTATION_FILES[package]):
                    for text in _documentation_strings(ast.parse(path.read_bytes())):
                        lines.update(dict.fromkeys(_paragraphs(text)))
    finally:
        if collecting:
            gc.enable()
    return list(lines)


def _files(folder, patterns):
    """The files to read, in an order that no file system has a say in."""
    paths = {path.relative_to(folder) for pattern in patterns for path in folder.glob(pattern)}
    paths = [path for path in paths if SKIPPED.isdisjoint(path.parts)]
    return [folder / path for path in sorted(paths, key=Path.as_posix)]


def _documentation_strings(node):
    """Yield what the statements below `node` say about the code: strings on their own, and strings
    given to add_docstr, add_newdoc and their like, or to __doc__."""
    for statement in ast.iter_child_nodes(node):
        if isinstance(statement, ast.Expr | ast.Assign):
            if _documents(statement):
                yield from _strings(statement.value)
        elif isinstance(statement, ast.stmt | ast.excepthandler):
            yield from _documentation_strings(statement)


def _documents(statement):
    if isinstance(statement, ast.Assign) and getattr(statement.targets[0], "attr", "") == "__doc__":
        return True
    if isinstance(statement.value, ast.Call):
        function = statement.value.func
        name = getattr(function, "attr", "") or getattr(function, "id", "")
        return "add_docstr" in name or "add_newdoc" in name
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _strings(expression):
    """Yield the string literals in an expression; f-strings are filled in at run time, so not those."""
    if isinstance(expression, ast.Constant) and isinstance(expression.value, str):
        yield expression.value
    elif not isinstance(expression, ast.JoinedStr):
        for child in ast.iter_child_nodes(expression):
            yield from _strings(child)


def _paragraphs(text):
    """Yield the words of each paragraph, joined by blanks. All in ASCII: what Unicode calls a letter,
    and its lower case, may change from one Python to the next."""
    text = text.encode("ascii", "replace").decode().lower()
    for paragraph in PARAGRAPH.split(text):
        if words := WORD.findall(paragraph):
            yield " ".join(words)
