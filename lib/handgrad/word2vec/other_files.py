"""What a file is that was taken for one of word vectors, and what to do with it."""

import re

SIGNATURES = {
    b"\x93NUMPY": "a NumPy array (.npy), so load it with numpy.load and give its words and rows to KeyedVectors",
    b"\x89HDF\r\n": "an HDF5 file, so write its vectors as text first",
    b"SQLite format 3\0": "an SQLite database, so write its vectors as text first",
    b"PAR1": "a Parquet file, so write its vectors as text first",
    b"ARROW1": "an Arrow file, so write its vectors as text first",
    b"\xba\x16\x4f\x2f": "a fastText model, whose word vectors are in the .vec file beside it",
    b"BZh": "packed by bzip2, so unpack it first",
    b"\xfd7zXZ\0": "packed by xz, so unpack it first",
    b"\x28\xb5\x2f\xfd": "packed by zstd, so unpack it first",
    b"\x1f\x9d": "packed by compress, so unpack it first",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive, so unpack it first",
    b"Rar!": "a RAR archive, so unpack it first",
    b"%PDF": "a PDF",
    b"\x89PNG": "a picture",
    b"GIF8": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"\xff\xfe": "text in UTF-16, so save it as UTF-8",
    b"\xfe\xff": "text in UTF-16, so save it as UTF-8",
    b"version https://git-lfs": 'a Git LFS pointer, which only stands for the file, so get that with "git lfs pull"',
}
PICKLE = (
    "a Python pickle, which could run any code when it is loaded, so have the library that wrote it load it, such as "
    "gensim, and write it with its save_word2vec_format"
)
PATTERNS = (  # as they are found at the beginning of a file
    (rb"\x80[\2-\5]|\((?:dp|lp|p)\d+\n|c(?:copy_?reg|__builtin__|builtins|gensim|numpy)", PICKLE),
    (rb"\s*<(!doctype\s+html|html)\b", "a web page, often an error or a login, so download the file itself"),
    (rb"\s*<\?xml", "an XML file"),
    (rb"\s*(\{\s*[\"}]|\[\s*[\[{\"\d-])", "JSON, so write a word and its numbers on each line"),
    (rb"([^\0]\0){4}|(\0[^\0]){4}", "text in UTF-16, so save it as UTF-8"),
    (rb"(\d+ \d+\s+)?\S+([ \t]+\d+:\S+)+\s", "sparse vectors (index:number), so write all numbers of each word"),
    (rb"(\d+ \d+\s+)?\S+([ \t]+-?\d+,\d+)+\s", "text with decimal commas, so write points"),
    (rb"(\d+ \d+\s+)?[^\n]*[^\n,],[^\n,]*,[^\n]*\n", "CSV, so put blanks in place of its commas"),
    (rb"(\d+ \d+\s+)?[^\n]*;[^\n]*;[^\n]*\n", "CSV, so put blanks in place of its semicolons"),
    (rb"[^\n]*\r[^\n]", "text whose lines end with \\r alone, so save it with the line ends of today"),
)


def what_it_is(start: bytes) -> str | None:
    """Name a file by its first bytes, a thousand or so; None if it is nothing known."""
    if start.startswith(b"PK\x03\x04"):
        return _kind_of_zip(start)
    for signature, kind in SIGNATURES.items():
        if start.startswith(signature):
            return kind
    if start[257:262] == b"ustar":
        return "a tar archive, so unpack it first"
    if start[8:9] == b"{" and int.from_bytes(start[:8], "little") < 10**8:
        return "a safetensors file, and KeyedVectors.load reads those that KeyedVectors.save has written"
    return next((kind for pattern, kind in PATTERNS if re.match(pattern, start, re.IGNORECASE)), None)


def _kind_of_zip(start: bytes) -> str:
    if b"data.pkl" in start or b"/version" in start[:100]:
        return "a file of torch.save, so load it with torch.load and give its words and rows to KeyedVectors"
    if b".npy" in start[:200]:
        return "NumPy's .npz, so load it with numpy.load and give its words and rows to KeyedVectors"
    return "a zip archive, so unpack it first"
