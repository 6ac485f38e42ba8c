"""How a run on more text begins: with what another run, or any file of vectors, knows of its words."""

import os
from pathlib import Path

from handgrad.errors import InputError
from handgrad.nodes import Parameter
from handgrad.word2vec.text.vocabulary import Vocabulary
from handgrad.word2vec.vectors.keyed_vectors import KeyedVectors

BY_WORD = ("embed/V", "out/U", "out/b")  # parameters with a row for each word; a tree's U has one for each inner node


def begin_from(path: str | os.PathLike, vocabulary: Vocabulary, parameters: list[Parameter]) -> int:
    """Copy what is known of the vocabulary's words into the parameters; the other words keep their first values.

    Parameters
    ----------
    path : file of vectors, whose rows go into ``embed/V``; or the folder of a run, from which ``out/U`` and ``out/b``
        come too, where both runs have them for each word
    vocabulary : Vocabulary, of the new text
    parameters : list of Parameter, those of the new network

    Returns
    -------
    int : how many words of the vocabulary are known

    Raises
    ------
    InputError : if the vectors have another length, or none of the words is known
    """
    vectors = KeyedVectors.load_word2vec_format(path)
    arrays = {"embed/V": vectors.vectors} | _beside_the_vectors(Path(path), len(vectors))
    known = [word for word in vocabulary.index_to_key if word in vectors.key_to_index]
    if not known:
        raise InputError(f"None of the {len(vocabulary):,} words of the text has a vector in {path}: begin without it.")
    theirs = [vectors.key_to_index[word] for word in known]
    ours = [vocabulary.key_to_index[word] for word in known]
    for parameter in parameters:
        if parameter.name not in arrays or len(parameter.value) != len(vocabulary):
            continue
        rows = arrays[parameter.name]
        if rows.shape[1:] != parameter.value.shape[1:]:
            D, own = rows.shape[1], parameter.value.shape[1]
            raise InputError(f"The vectors in {path} have {D} numbers, and the run has dimension {own}: choose {D}.")
        parameter.value[ours] = rows[theirs]
    return len(known)


def _beside_the_vectors(path, V):
    """The parameters of a run beside its vectors, as far as they have a row for each of its V words."""
    from handgrad.word2vec.runs.checkpoint import (  # safetensors: slowly
        checkpoints,
        is_whole_checkpoint,
        load_checkpoint,
    )

    whole = list(filter(is_whole_checkpoint, checkpoints(path / "checkpoints")))
    arrays = load_checkpoint(whole[-1])[0] if whole else {}
    return {name: arrays[name] for name in BY_WORD[1:] if name in arrays and len(arrays[name]) == V}
