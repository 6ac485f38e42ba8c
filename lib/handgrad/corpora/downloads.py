"""Text that is downloaded once, checked and kept."""

import hashlib
from pathlib import Path

from handgrad.corpora.corpus import Corpus
from handgrad.corpora.files import check_file, sentences_of, unreadable
from handgrad.errors import InputError
from handgrad.installing import how_to_install

# The first 100,000,000 characters of a cleaned Wikipedia (Mahoney 2006), packed and unpacked: bytes and digest.
TEXT8_URL = "http://mattmahoney.net/dc/text8.zip"
TEXT8_FILES = {
    "text8.zip": (31_344_016, "sha256:a6640522afe85d1963ad56c05b0ede0a0c000dddc9671758a6cc09b7a38e5232"),
    "text8": (100_000_000, "md5:3bea1919949baf155f99411df5fada7e"),
}


def text8(path: str | Path | None = None) -> Corpus:
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
        ``pinned`` is True. A sentence is a piece of at most 2¹⁶ characters.

    Raises
    ------
    InputError
        If it cannot be downloaded, or is another file than the one known by size and digest. What was
        downloaded in part is removed.

    Examples
    --------
    >>> from handgrad import corpora
    >>> with open("text8", "w", encoding="utf-8") as file:
    ...     characters = file.write("anarchism originated as a term of abuse")
    >>> try:
    ...     corpora.text8("text8")  # what is there already is checked, too
    ... except ValueError as error:
    ...     print(error)
    Expected text8 with 100,000,000 bytes, but text8 has 39; download it again.
    """
    path = _downloaded_text8() if path is None else Path(path)
    check_file(path)
    name = "text8.zip" if path.suffix.lower() == ".zip" else "text8"
    size, known = TEXT8_FILES[name]
    if path.stat().st_size != size:
        raise InputError(
            f"Expected {name} with {size:,} bytes, but {path} has {path.stat().st_size:,}; download it again."
        )
    if _digest(path, known.partition(":")[0]) != known:
        raise InputError(f"Expected {name} with the digest {known}, but {path} has another; download it again.")
    return Corpus("text8", lambda: sentences_of(path), pinned=True)


def _downloaded_text8():
    try:
        import pooch
        from requests import RequestException
    except ImportError as error:
        raise InputError(
            f"text8 is downloaded with {error.name}, which is not installed: {how_to_install('word2vec')}, "
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
        raise unreadable(path, error) from error
