"""What a file is that was taken for one of word vectors, and what to do with it."""

import codecs
import re

from handgrad.files import kind_of
from handgrad.word2vec.vectors.text_or_binary import CONTROL

LOAD = "and give its words and rows to KeyedVectors"
# What to do with a kind that handgrad.files names, where its advice is for those who want a text.
ADVICE = {
    "an NPY file of NumPy": f"a NumPy array (.npy), so load it with numpy.load {LOAD}",
    "an NPZ file of NumPy": f"NumPy's .npz, so load it with numpy.load {LOAD}",
    "a file of torch.save": f"a file of torch.save, so load it with torch.load {LOAD}",
    "a safetensors file": "a safetensors file, and KeyedVectors.load reads those that KeyedVectors.save has written",
    "an HDF5 file": "an HDF5 file, so write its vectors as text first",
    "an SQLite database": "an SQLite database, so write its vectors as text first",
    "a Parquet or Arrow file": "a Parquet or Arrow file, so write its vectors as text first",
    "gzip data": "packed by gzip more than once, so unpack it first",
    "a bzip2 file": "packed by bzip2, so unpack it first",
    "an xz file": "packed by xz, so unpack it first",
    "a Zstandard file": "packed by zstd, so unpack it first",
    "text in UTF-16, as its byte order mark says": "text in UTF-16, so save it as UTF-8",
    "a Git LFS pointer, not the file itself": (
        'a Git LFS pointer, which only stands for the file, so get that with "git lfs pull"'
    ),
    "a PDF": "a PDF",
    "an image": "a picture",
}
PICKLE = (
    "a Python pickle, which could run any code when it is loaded, so have the library that wrote it load it, such as "
    "gensim, and write it with its save_word2vec_format"
)
PATTERNS = (  # as they are found at the beginning of a file
    (rb"\((?:dp|lp|p)\d+\n|c(?:copy_?reg|__builtin__|builtins|gensim|numpy)|[}\]]q\0", PICKLE),
    (rb"\xba\x16\x4f\x2f", "a fastText model, whose word vectors are in the .vec file beside it"),
    (rb"\x1f\x9d", "packed by compress, so unpack it first"),
    (rb"([^\0]\0){4}|(\0[^\0]){4}", "text in UTF-16, so save it as UTF-8"),
)
OF_TEXT = (  # where all is printable: in other files commas and line ends are numbers
    (rb"\s*<(!doctype\s+html|html)\b", "a web page, often an error or a login, so download the file itself"),
    (rb"\s*<\?xml", "an XML file"),
    (rb"\s*(\{\s*[\"}]|\[\s*[\[{\"\d-])", "JSON, so write a word and its numbers on each line"),
    (rb"(\d+ \d+\s+)?\S+([ \t]+\d+:\S+)+\s", "sparse vectors (index:number), so write all numbers of each word"),
    (rb"(\d+ \d+\s+)?\S+([ \t]+-?\d+,\d+)+\s", "text with decimal commas, so write points"),
    (rb"(\d+[ ,]\d+\s+)?[^\n]*[^\n,],[^\n,]*,[^\n]*\n", "CSV, so put blanks in place of its commas"),
    (rb"(\d+[ ;]\d+\s+)?[^\n]*;[^\n]*;[^\n]*\n", "CSV, so put blanks in place of its semicolons"),
    (rb"[^\n]*\r[^\n]", "text whose lines end with \\r alone, so save it with the line ends of today"),
)


def what_it_is(start: bytes) -> str | None:
    """Name a file by its first bytes, a thousand or so; None if it is nothing known."""
    start = start.removeprefix(codecs.BOM_UTF8)
    if kind := kind_of(start):
        what, advice = kind
        return PICKLE if what == "a pickle" else ADVICE.get(what, f"{what}, so {advice}")
    patterns = PATTERNS if CONTROL.search(start) else PATTERNS + OF_TEXT
    return next((kind for pattern, kind in patterns if re.match(pattern, start, re.IGNORECASE)), None)
