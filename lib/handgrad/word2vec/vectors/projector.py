"""Word vectors for TensorBoard's Embedding Projector, as the three files it reads.

    tensors.tsv             a line for each vector, tabs between its numbers
    metadata.tsv            a line for each word, in the same order
    projector_config.pbtxt  which file is which

Look at them with ``tensorboard --logdir FOLDER``, or load the first two at projector.tensorflow.org.
"""

import os
from pathlib import Path

from handgrad.errors import InputError
from handgrad.files import whole_file
from handgrad.word2vec.vectors.keyed_vectors import KeyedVectors
from handgrad.word2vec.vectors.vector_writing import require_float32, text_of_numbers

LABELS = 3000  # words that the projector draws well
TENSORS, METADATA, CONFIG = "tensors.tsv", "metadata.tsv", "projector_config.pbtxt"
# What is blank to JavaScript, in which TensorBoard passes over blank lines. Python's str.strip takes others away.
BLANKS = "\t\n\v\f\r \xa0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff" + "".join(map(chr, range(0x2000, 0x200B)))
ESCAPES = str.maketrans({"\t": "\\t", "\n": "\\n", "\r": "\\r"})


def save_projector(
    vectors: KeyedVectors, folder: str | os.PathLike, limit: int | None = LABELS, overwrite: bool = False
) -> Path:
    r"""Write the first, most frequent words for the projector. If their counts are known, they are a second column.

    A tab or a newline in a word is written as \t, \n or \r, and a word of blanks alone, or of nothing, in quotes: a
    line holds one word, and none is passed over.

    Parameters
    ----------
    vectors : KeyedVectors
    folder : str or os.PathLike
        Made if it is not there; a folder of TensorBoard logs will do.
    limit : int or None
        How many words; the projector draws some thousands well.
    overwrite : bool
        Whether the three files may be there already.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    InputError
        If the folder is a file, or one of the three files is there and ``overwrite`` is False,
        or a number is not finite.

    Examples
    --------
    >>> from handgrad.word2vec import KeyedVectors, save_projector
    >>> vectors = KeyedVectors(["hot", "cold"], [[1.0], [-1.0]])
    >>> folder = save_projector(vectors, "projector")
    >>> sorted(path.name for path in folder.iterdir())
    ['metadata.tsv', 'projector_config.pbtxt', 'tensors.tsv']
    """
    if limit is not None and limit < 1:
        raise InputError(f"The projector expects at least 1 word, but got limit {limit}.")
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise InputError(f"The projector's files go into a folder, but {folder} is a file: name another.")
    for name in (TENSORS, METADATA, CONFIG):
        if (folder / name).exists() and not overwrite:
            raise InputError(f"{folder / name} exists already and is left as it is: name another folder.")
    words, counts = vectors.index_to_key[:limit], vectors.expandos.get("count")
    require_float32(words, vectors.vectors[: len(words)])
    rows = vectors.vectors[: len(words)].astype("float32")
    labels = [_one_line(word) for word in words]
    if counts is not None:  # with more than one column the first line is a header
        labels = ["word\tcount", *(f"{label}\t{count}" for label, count in zip(labels, counts, strict=False))]

    folder.mkdir(parents=True, exist_ok=True)
    with whole_file(folder / TENSORS) as file:
        file.writelines(numbers + b"\n" for numbers in text_of_numbers(rows, "\t"))
    with whole_file(folder / METADATA) as file:
        file.write("".join(f"{label}\n" for label in labels).encode("utf-8", "replace"))
    with whole_file(folder / CONFIG) as file:  # last: TensorBoard looks for it first
        file.write(_config(*rows.shape).encode())
    return folder


def _one_line(word: object) -> str:
    line = str(word).translate(ESCAPES)
    return line if line.strip(BLANKS) else f'"{line}"'


def _config(V: int, D: int) -> str:
    """A ProjectorConfig of TensorBoard in protobuf's text format."""
    return f"""embeddings {{
  tensor_name: "word vectors"
  tensor_shape: {V}
  tensor_shape: {D}
  tensor_path: "{TENSORS}"
  metadata_path: "{METADATA}"
}}
"""
