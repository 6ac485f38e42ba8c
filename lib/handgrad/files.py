"""What every file of the project has in common.

Text is UTF-8, with or without a byte order mark, and what is no text is named for what it is. A file that is written
appears whole or not at all: stopping the writer loses nothing that was there before.
"""

import gzip
import io
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TextIO
from zipfile import ZipExtFile

from handgrad.errors import InputError

FIRST_BYTES = 512  # of a file, by which it is known; a tar archive's name stands at 257

# What a file is that begins so, and what to do about it. Nothing that a text in words begins with is in the table.
SAVE, UNPACK = "save its text as UTF-8", "unpack it first"
KINDS = [
    (rb"\xff\xfe\0\0|\0\0\xfe\xff", "text in UTF-32, as its byte order mark says", "save it as UTF-8"),
    (rb"\xff\xfe|\xfe\xff", "text in UTF-16, as its byte order mark says", "save it as UTF-8"),
    (
        rb"version https://git-lfs\.github\.com/spec/",
        "a Git LFS pointer, not the file itself",
        "get it with: git lfs pull",
    ),
    (rb"%PDF-\d\.\d\s", "a PDF", SAVE),
    (rb"%!PS-Adobe-", "a PostScript file", SAVE),
    (rb"\{\\rtf\d", "an RTF document", SAVE),
    (rb"\xd0\xcf\x11\xe0", "an old Word, Excel or PowerPoint file", SAVE),
    (rb"PK\x03\x04.{26}mimetypeapplication/epub", "an EPUB book", SAVE),
    (rb"PK\x03\x04.{26}mimetypeapplication/vnd\.oasis", "an OpenDocument file", SAVE),
    (rb"PK\x03\x04.{26}(\[Content_Types\]|_rels/|docProps/)", "a Word, Excel or PowerPoint file", SAVE),
    (rb"PK\x03\x04.{26}[^\0-\x1f]{1,99}/data\.pkl", "a file of torch.save", "export what is in it"),
    (rb"PK\x03\x04.{26}[^\0-\x1f]{1,99}\.npy", "an NPZ file of NumPy", "export what is in it"),
    (rb"PK(\x03\x04|\x05\x06|\x07\x08)", "a zip archive", UNPACK),
    (rb"\x1f\x8b", "gzip data", "give it a name that ends in .gz, or unpack it"),
    (rb"BZh[1-9](1AY&SY|\x17rE8P\x90)", "a bzip2 file", UNPACK),
    (rb"\xfd7zXZ\0", "an xz file", UNPACK),
    (rb"\x28\xb5\x2f\xfd", "a Zstandard file", UNPACK),
    (rb"\x04\x22\x4d\x18", "an LZ4 file", UNPACK),
    (rb"7z\xbc\xaf\x27\x1c", "a 7z archive", UNPACK),
    (rb"Rar!\x1a\x07", "a RAR archive", UNPACK),
    (rb".{257}ustar(\0|  \0)", "a tar archive", UNPACK),
    (rb"\x80[\x02-\x05]", "a pickle", "export what is in it"),
    (rb"\x93NUMPY", "an NPY file of NumPy", "export what is in it"),
    (rb".{3}\0{5}\{", "a safetensors file", "export what is in it"),
    (rb"\x89HDF\r\n", "an HDF5 file", "export what is in it"),
    (rb"GGUF[\x01-\x04]\0", "a GGUF model", "export what is in it"),
    (rb"PAR1[\0-\x1f]|ARROW1\0", "a Parquet or Arrow file", "export its text"),
    (rb"SQLite format 3\0", "an SQLite database", "export its text"),
    (rb"\x89PNG|\xff\xd8\xff|GIF8[79]a.{0,12}?[\0-\x08]|II\*\0|MM\0\*|RIFF.{4}WEBP", "an image", "give a text"),
    (rb"RIFF.{4}(WAVE|AVI )|ID3[\x02-\x04]\0|OggS\0|fLaC\0|\0\0..ftyp", "sound or a film", "give a text"),
    (rb"\x7fELF|MZ[\x90\x78\0]\0|\xcf\xfa\xed\xfe|\xca\xfe\xba\xbe|\0asm", "a program", "give a text"),
]
PATTERNS = [(re.compile(beginning, re.DOTALL), what, advice) for beginning, what, advice in KINDS]


class KindError(InputError):
    """A file is of another kind than the text that was expected: the sentence names it."""


def kind_of(beginning: bytes) -> tuple[str, str] | None:
    """What a file is that begins with these bytes, and what to do about it; None for what may be text in UTF-8."""
    for pattern, what, advice in PATTERNS:
        if pattern.match(beginning):
            return what, advice
    return None


def text_in(
    file: io.BufferedReader | gzip.GzipFile | ZipExtFile,
    name: str | os.PathLike,
    expected: str = "UTF-8 text",
    newline: str | None = None,
) -> TextIO:
    """The text in an open binary file that can ``peek``. A byte order mark of UTF-8 at its beginning is passed over.

    Raises
    ------
    KindError : the file, by its first bytes, is no text, or text in UTF-16 or UTF-32
    """
    kind = kind_of(file.peek(FIRST_BYTES)[:FIRST_BYTES])
    if kind is not None:
        raise KindError(f"Expected {expected}, but {name} is {kind[0]}; {kind[1]}.")
    return io.TextIOWrapper(file, encoding="utf-8-sig", newline=newline)


@contextmanager
def opened_text(path: str | os.PathLike, expected: str = "UTF-8 text", newline: str | None = None) -> Iterator[TextIO]:
    """A text file to read, as `text_in`. OSError and UnicodeDecodeError are left to the caller, who says what for."""
    with open(path, "rb") as file, text_in(file, path, expected, newline) as text:
        yield text


@contextmanager
def replacing(path: str | os.PathLike, alone: bool = False) -> Iterator[Path]:
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
def whole_file(path: str | os.PathLike) -> Iterator[BinaryIO | gzip.GzipFile]:
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


def require_folder_for(path: Path, what: str = "file") -> None:
    """There is a folder in which a path can be made, or a sentence says that there is none."""
    if not path.parent.is_dir():
        raise InputError(f"There is no folder {path.parent} for the {what} {path.name}: make it first.")
