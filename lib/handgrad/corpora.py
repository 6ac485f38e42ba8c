"""Text to learn from: documentation that is already on the reader's disk, text8, any text file or directory."""

import ast
import gc
import gzip
import hashlib
import importlib.metadata
import importlib.util
import io
import os
import re
import stat
import warnings
import zipfile
import zlib
from functools import cached_property
from pathlib import Path

from handgrad.errors import InputError

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
LONGEST_PIECE = 2**16  # characters; text8 is a single line of 100 million
LONGEST_WORD = 2**20  # characters; what goes on for longer without a blank is no text in words

# The first 100,000,000 characters of a cleaned Wikipedia (Mahoney 2006), packed and unpacked: bytes and digest.
TEXT8_URL = "http://mattmahoney.net/dc/text8.zip"
TEXT8_FILES = {
    "text8.zip": (31_344_016, "sha256:a6640522afe85d1963ad56c05b0ede0a0c000dddc9671758a6cc09b7a38e5232"),
    "text8": (100_000_000, "md5:3bea1919949baf155f99411df5fada7e"),
}


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


def documentation():
    """Read the embedded corpus: the documentation of five libraries that the book installs.

    Docstrings, and the documentation strings that numpy and torch attach to compiled functions, are
    taken from the sources without importing them, so they are the same on every platform. A sentence
    is a paragraph; a paragraph that several functions share is kept once.

    Returns
    -------
    Corpus
        About two million words. Under `DOCUMENTATION_VERSIONS`, `pinned` is True and the corpus has
        `DOCUMENTATION_WORDS` words and the digest `DOCUMENTATION_DIGEST`. With other versions there
        is one warning, and the text differs a little.

    Raises
    ------
    ValueError
        If one of the five packages is not installed.
    """
    packages, others = {}, []
    for package, expected in DOCUMENTATION_VERSIONS.items():
        spec = importlib.util.find_spec(package)
        if spec is None or not spec.submodule_search_locations:
            raise InputError(
                f"The embedded corpus is read from the installed {package}, which was not found; "
                'install it with pip install "handgrad[book]".'
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


def open_corpus(path):
    """Open what is at `path`: a directory with `directory`, anything else with `text_file`.

    Parameters
    ----------
    path : str or os.PathLike

    Returns
    -------
    Corpus

    Raises
    ------
    ValueError
        As `directory` and `text_file` do.
    """
    return directory(path) if stat.S_ISDIR(_mode(Path(path))) else text_file(path)


def directory(path):
    """Open all files below a directory as one corpus, in the order of their names.

    Each file is read as `text_file` reads it. The order is the same on each platform. Names that begin with a
    dot are passed over, and links to other directories are not followed.

    Parameters
    ----------
    path : str or os.PathLike

    Returns
    -------
    Corpus
        Its `name` is the path. The files are those that are there now.

    Raises
    ------
    ValueError
        At once if the directory is missing, unreadable or without a word, or holds what is no file; when the
        reading gets there, if a file is no text.
    """
    path = Path(path)
    if not stat.S_ISDIR(_mode(path)):
        raise InputError(f"Expected a directory, but {path} is a file; open it with text_file.")
    files = _files_below(path)
    corpus = Corpus(str(path), lambda: (words for file in files for words in _sentences(file)))
    if next(iter(corpus), None) is None:
        raise InputError(f"Expected a directory of texts, but no file below {path} has a word; name another one.")
    return corpus


def _files_below(folder):
    """The files of a directory and of all below it, sorted by their names inside it."""

    def unreadable(error):  # os.walk would pass over the directory without a word
        raise _unreadable(error.filename, error) from error

    paths = []
    for parent, folders, names in os.walk(folder, onerror=unreadable):
        folders[:] = [name for name in folders if not name.startswith(".")]
        paths += [Path(parent, name) for name in names if not name.startswith(".")]
    for path in paths:
        _check_file(path)
    return sorted(paths, key=lambda path: path.relative_to(folder).as_posix())


def text8(path=None):
    """Open text8, the text of many word2vec tutorials: 17,005,207 words of Wikipedia, without line ends.

    Without a path it is downloaded once (31 MB), checked, and kept in the folder that the environment variable
    HANDGRAD_DATA names, or else where the platform keeps caches.

    Parameters
    ----------
    path : str or os.PathLike, optional
        A text8.zip or an unpacked text8 that is already there; it is checked too.

    Returns
    -------
    Corpus
        `pinned` is True. A sentence is a piece of at most `LONGEST_PIECE` characters.

    Raises
    ------
    ValueError
        If it cannot be downloaded, or is another file than the one known by size and digest. What was
        downloaded in part is removed.
    """
    path = _downloaded_text8() if path is None else Path(path)
    _check_file(path)
    name = "text8.zip" if path.suffix.lower() == ".zip" else "text8"
    size, known = TEXT8_FILES[name]
    if path.stat().st_size != size:
        raise InputError(
            f"Expected {name} with {size:,} bytes, but {path} has {path.stat().st_size:,}; download it again."
        )
    if _digest(path, known.partition(":")[0]) != known:
        raise InputError(f"Expected {name} with the digest {known}, but {path} has another; download it again.")
    return Corpus("text8", lambda: _sentences(path), pinned=True)


def _downloaded_text8():
    try:
        import pooch
        from requests import RequestException
    except ImportError as error:
        raise InputError(
            f"text8 is downloaded with {error.name}, which is not installed: pip install 'handgrad[word2vec]', "
            "or give the path of a text8.zip that you have."
        ) from error
    digest = TEXT8_FILES["text8.zip"][1]
    cache = pooch.create(
        pooch.os_cache("handgrad"),
        base_url="",
        registry={"text8.zip": digest},
        urls={"text8.zip": TEXT8_URL},
        env="HANDGRAD_DATA",
    )
    try:
        return Path(cache.fetch("text8.zip"))
    except RequestException as error:
        raise InputError(
            f"text8 could not be downloaded from {TEXT8_URL} ({type(error).__name__}): go online, or give the path "
            "of a text8.zip that you have."
        ) from error
    except ValueError as error:
        raise InputError(
            f"Expected text8.zip with the digest {digest}, but {TEXT8_URL} gave another file, and it was not kept; "
            "try again, or give the path of a text8.zip that you have."
        ) from error
    except OSError as error:
        raise InputError(
            f"Expected to keep text8 in {cache.path}, but that cannot be written ({error.strerror or error}); "
            "name another folder in HANDGRAD_DATA."
        ) from error


def _digest(path, algorithm):
    try:
        with open(path, "rb") as file:
            return f"{algorithm}:{hashlib.file_digest(file, algorithm).hexdigest()}"
    except OSError as error:
        raise _unreadable(path, error) from error


def text_file(path):
    """Open a UTF-8 text file, plain, .gz or .zip, as a corpus: one line a sentence, split at white space.

    The file is streamed each time it is read and never loaded whole; a line of more than
    `LONGEST_PIECE` characters comes as several sentences.

    Parameters
    ----------
    path : str or os.PathLike
        A file whose name ends in .gz is read through gzip; one that ends in .zip holds one text.

    Returns
    -------
    Corpus
        Its `name` is the path.

    Raises
    ------
    ValueError
        At once if the file is missing, a directory, unreadable or without a word; when the reading
        gets there, if it is not UTF-8, binary, or a broken .gz or .zip file.
    """
    path = Path(path)
    _check_file(path)
    corpus = Corpus(str(path), lambda: _sentences(path))
    if next(iter(corpus), None) is None:
        raise InputError(f"Expected a text with words, but {path} has none; give a file with text.")
    return corpus


def _check_file(path):
    mode = _mode(path)
    if stat.S_ISDIR(mode):
        raise InputError(f"Expected a text file, but {path} is a directory; name a file in it, or use directory().")
    if not stat.S_ISREG(mode):
        raise InputError(f"Expected a text file, but {path} can be read only once; save what it gives as a file.")


def _mode(path):
    """What kind of thing is at `path`, as os.stat tells it."""
    try:
        return path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:  # ValueError: a NUL in the name
        raise InputError(f"Expected a text file, but there is no {path}; check the path.") from error
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path, error):
    return InputError(f"Expected a text file, but {path} cannot be read ({error.strerror}); check its permissions.")


def _sentences(path):
    """Yield the sentences of a file, and turn what can go wrong on the way into one sentence."""
    try:
        with _open(path) as file:
            rest = ""
            while piece := file.readline(LONGEST_PIECE):
                if "\0" in piece:
                    raise InputError(
                        f"Expected UTF-8 text, but {path} has a NUL byte, as binary files and UTF-16 have; "
                        "give a text, saved as UTF-8."
                    )
                words = (rest + piece).split()
                rest = ""
                if len(piece) == LONGEST_PIECE and not piece[-1].isspace():
                    rest = words.pop()  # the last word may go on in the next piece
                if len(rest) > LONGEST_WORD:
                    raise InputError(
                        f"Expected words with blanks between them, but {path} has {LONGEST_WORD:,} characters "
                        "without one; give a text that is split into words."
                    )
                if words:
                    yield words
            if rest:
                yield [rest]
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise InputError(
            f"Expected UTF-8 text, but {path} has a byte {byte:#04x} that is not; save the file as UTF-8."
        ) from error
    except (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile, RuntimeError) as error:
        kind = "zip" if path.suffix.lower() == ".zip" else "gzip"
        raise InputError(
            f"Expected a whole {kind} file, but {path} is cut off, damaged, locked or not {kind} at all "
            f"({error}); download or compress it again."
        ) from error
    except OSError as error:
        raise _unreadable(path, error) from error


def _open(path):
    suffix = path.suffix.lower()
    if suffix == ".zip":
        return _open_zip(path)
    opener = gzip.open if suffix == ".gz" else open
    return opener(path, "rt", encoding="utf-8-sig")


def _open_zip(path):
    with zipfile.ZipFile(path) as archive:  # what is opened in it stays open
        files = [entry for entry in archive.infolist() if not entry.is_dir()]
        if len(files) != 1:
            raise InputError(
                f"Expected a zip file with one text in it, but {path} holds {len(files)} files; "
                "unpack it and open the directory."
            )
        return io.TextIOWrapper(archive.open(files[0]), encoding="utf-8-sig")
