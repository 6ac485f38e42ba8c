"""Files that appear whole or not at all: whoever is stopped while writing loses nothing that was there before."""

import gzip
import os
from contextlib import contextmanager
from pathlib import Path

from handgrad.errors import InputError


@contextmanager
def replacing(path, alone=False):
    """Yield the path of a file to write beside ``path``; when it is complete it takes that place.

    If the writing fails, the old file is as it was and nothing else is left. Of a process that is killed half a file
    stays; ``alone``, where no two processes write the same file, has the next one begin in its place.
    """
    path = Path(os.path.realpath(path))  # of a link, the file that it names
    partial = path.with_name(f"{path.name}.partial" if alone else f"{path.name}.{os.getpid()}.partial")
    try:
        yield partial
        with open(partial, "r+b") as file:
            os.fsync(file.fileno())
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def whole_file(path):
    """The same as an open binary file, compressed if the name ends in .gz.

    Raises
    ------
    InputError : the path is no place for a file
    """
    path = Path(os.path.realpath(path))
    if path.exists() and not path.is_file():
        raise InputError(f"A file cannot be written to {path}, which is a folder or a device: name a file.")
    require_folder_for(path)
    with replacing(path) as partial, open(partial, "wb") as file:
        if path.suffix == ".gz":  # no name and no time in it: equal contents make equal files
            with gzip.GzipFile("", "wb", fileobj=file, mtime=0) as packed:
                yield packed
        else:
            yield file


def require_folder_for(path, what="file"):
    """There is a folder in which a path can be made, or a sentence says that there is none."""
    if not path.parent.is_dir():
        raise InputError(f"There is no folder {path.parent} for the {what} {path.name}: make it first.")
