"""The projector's files, parsed plainly. (TensorBoard 2.21 serves them, words and vectors unchanged.)"""

import re

import numpy as np
import pytest

from handgrad.errors import InputError
from handgrad.word2vec import KeyedVectors
from handgrad.word2vec.projector import save_projector


@pytest.fixture
def vectors():
    rng = np.random.default_rng(0)
    return KeyedVectors(["the", "tab\there", "two\nlines\r", "", "ü b"], rng.standard_normal((5, 4), dtype=np.float32))


def read(folder):
    config = (folder / "projector_config.pbtxt").read_text(encoding="utf-8")
    embedding = re.fullmatch(r"embeddings \{\n(.*)\}\n", config, flags=re.DOTALL)[1]
    fields = [line.strip().split(": ") for line in embedding.splitlines()]
    paths = {key: value.strip('"') for key, value in fields}
    shape = [int(value) for key, value in fields if key == "tensor_shape"]
    tensors = np.loadtxt(folder / paths["tensor_path"], dtype=np.float32, delimiter="\t", ndmin=2)
    metadata = (folder / paths["metadata_path"]).read_bytes().decode().removesuffix("\n").split("\n")
    return shape, tensors, metadata


def test_tensors_words_and_configuration_belong_together(tmp_path, vectors):
    folder = save_projector(vectors, tmp_path / "new" / "projector")
    shape, tensors, metadata = read(folder)
    assert shape == [5, 4]
    np.testing.assert_array_equal(tensors, vectors.vectors)
    assert metadata == ["the", "tab\\there", "two\\nlines\\r", '""', "ü b"]  # one line each, none empty
    assert sorted(path.name for path in folder.iterdir()) == ["metadata.tsv", "projector_config.pbtxt", "tensors.tsv"]


def test_counts_are_a_second_column_below_a_header(tmp_path, vectors):
    with_counts = KeyedVectors(vectors.index_to_key, vectors.vectors, counts=[50, 40, 30, 20, 10])
    shape, tensors, metadata = read(save_projector(with_counts, tmp_path, limit=2))
    assert metadata == ["word\tcount", "the\t50", "tab\\there\t40"]
    assert shape == [2, 4] and len(tensors) == 2


def test_the_most_frequent_words_and_no_more_than_there_are(tmp_path, vectors):
    assert read(save_projector(vectors, tmp_path / "a", limit=1))[2] == ["the"]
    assert len(read(save_projector(vectors, tmp_path / "b", limit=None))[2]) == 5


def test_nothing_is_overwritten_unless_asked(tmp_path, vectors):
    (tmp_path / "events.out").write_bytes(b"logs")  # a folder of TensorBoard's logs will do
    save_projector(vectors, tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(InputError, match=r"tensors\.tsv exists already and is left as it is"):
        save_projector(vectors, tmp_path, limit=1)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    save_projector(vectors, tmp_path, limit=1, overwrite=True)
    assert read(tmp_path)[2] == ["the"] and (tmp_path / "events.out").read_bytes() == b"logs"


def test_wrong_use_is_answered_with_a_sentence(tmp_path, vectors):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(InputError, match="is a file"):
        save_projector(vectors, tmp_path / "file")
    with pytest.raises(InputError, match="at least 1 word, but got limit 0"):
        save_projector(vectors, tmp_path / "new", limit=0)
    vectors.vectors[1, 1] = np.nan
    with pytest.raises(InputError, match="NaN"):
        save_projector(vectors, tmp_path / "new")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
