"""What KeyedVectors.save writes: a safetensors file, which unlike a pickle holds data alone, and never code to run.

vectors            (V, D), in their own type
words              uint8 (n,), the words as a JSON list in UTF-8
attribute.NAME     (V,), one for each attribute of the words, such as their count; what is not numbers is JSON too
"""

import json
import os

import numpy as np

from handgrad.errors import InputError
from handgrad.files import whole_file
from handgrad.word2vec.vectors.other_files import what_it_is
from handgrad.word2vec.vectors.vector_files import opened

FORMAT = "handgrad KeyedVectors 1"
VECTORS, WORDS, ATTRIBUTE, AS_JSON = "vectors", "words", "attribute.", "json."


def write_saved(path: str | os.PathLike, words: list, vectors: np.ndarray, attributes: dict[str, np.ndarray]) -> None:
    """Write a file that appears whole or not at all; a path ending in .gz is compressed."""
    from safetensors.numpy import save  # from the extra: vectors can be used without it

    tensors = {VECTORS: np.ascontiguousarray(vectors), WORDS: _as_json(words, "words")}
    for name, column in attributes.items():
        if column.dtype.kind in "biuf":
            tensors[ATTRIBUTE + name] = np.ascontiguousarray(column)
        else:
            tensors[ATTRIBUTE + AS_JSON + name] = _as_json(column.tolist(), f"values of {name!r}")
    if unknown := [name for name, tensor in tensors.items() if tensor.dtype.itemsize > 8]:
        raise InputError(f"Numbers of at most 64 bits are saved, but {unknown[0]} has {tensors[unknown[0]].dtype}.")
    with whole_file(path) as file:
        file.write(save(tensors, {"format": FORMAT}))


def read_saved(path: str | os.PathLike) -> tuple[list, np.ndarray, dict[str, np.ndarray]]:
    """Read words, vectors and attributes from what ``write_saved`` has written.

    Raises
    ------
    InputError
        If the file is missing, damaged or another one, such as a pickle of gensim's, which is never loaded.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    with opened(path) as file:
        content = file.read()
    try:
        tensors = load(content)
        vectors, words = tensors.pop(VECTORS), _from_json(tensors.pop(WORDS))
        if not isinstance(words, list) or vectors.ndim != 2 or len(words) != len(vectors) or vectors.dtype.kind != "f":
            raise ValueError("no word for each vector")
        if not all(isinstance(word, str | int) for word in words):
            raise ValueError("words that are no strings")
        attributes = dict(_attribute(name, tensor, len(words)) for name, tensor in tensors.items())
    except (SafetensorError, KeyError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(f"{path} is not what KeyedVectors.save has written{_named(content[:1000])}.") from error
    return words, vectors, attributes


def _attribute(name: str, tensor: np.ndarray, V: int) -> tuple[str, np.ndarray]:
    name = name.removeprefix(ATTRIBUTE)
    if name.startswith(AS_JSON):
        values = _from_json(tensor)
        tensor = np.empty(len(values), object)
        tensor[:] = values
        name = name.removeprefix(AS_JSON)
    if tensor.shape != (V,):
        raise ValueError(f"not one value of {name} for each word")
    return name, tensor


def _as_json(values: list, what: str) -> np.ndarray:
    try:
        text = json.dumps([int(v) if isinstance(v, np.integer) else v for v in values])
    except (TypeError, ValueError) as error:
        raise InputError(f"Strings and numbers can be saved, but the {what} have others ({error}).") from error
    return np.frombuffer(text.encode(), np.uint8)


def _from_json(tensor: np.ndarray) -> list:
    return json.loads(tensor.tobytes().decode())


def _named(start: bytes) -> str:
    """What the file is instead, and how to read it."""
    if (kind := what_it_is(start)) and "safetensors" not in kind:
        return f", but {kind}"
    first_line = start.partition(b"\n")[0].split()
    if len(first_line) == 2 and all(map(bytes.isdigit, first_line)):
        return ": it looks like word2vec's format, which KeyedVectors.load_word2vec_format reads"
    return ": it is another file, or damaged"
