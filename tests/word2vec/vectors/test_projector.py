"""The projector's files, parsed plainly. (TensorBoard 2.21 serves them, words and vectors unchanged.)"""

import re

import numpy as np
import pytest

from handgrad.errors import InputError
from handgrad.word2vec import KeyedVectors
from handgrad.word2vec.vectors.projector import save_projector


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


# What is blank to JavaScript: TensorBoard's parser passes over a line of metadata that trim() makes empty, and all
# later labels would belong to other points (gensim #2029). ECMAScript 2025, sections 12.2 and 12.3.
BLANK_IN_JAVASCRIPT = [0x9, 0xA, 0xB, 0xC, 0xD, 0x20, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F]
BLANK_IN_JAVASCRIPT = "".join(map(chr, [*BLANK_IN_JAVASCRIPT, 0x205F, 0x3000, 0xFEFF]))


def as_tensorboard_reads(content):
    """Its parser: lines are separated by \\n, blank ones passed over, and a first line with a tab is a header."""
    lines = [line for line in content.decode("utf-8-sig").split("\n") if line.strip(BLANK_IN_JAVASCRIPT)]
    return [line.split("\t")[0] for line in (lines[1:] if "\t" in lines[0] else lines)]


@pytest.mark.parametrize("counts", [None, list(range(1, 200))])
def test_no_word_shifts_the_labels_of_those_after_it(tmp_path, counts):
    python_alone = "\x1c\x1d\x1e\x1f\x85\u180e\u200b"  # blank or invisible elsewhere, and no blank to JavaScript
    words = [*BLANK_IN_JAVASCRIPT, *python_alone, "", "\xa0\u3000 ", " \ufeff", "\ufeffthe", "a\u2028b", "last"]
    vectors = KeyedVectors(words, np.eye(len(words), dtype=np.float32), counts and counts[: len(words)])
    labels = as_tensorboard_reads((save_projector(vectors, tmp_path) / "metadata.tsv").read_bytes())
    assert len(labels) == len(words) and labels[-1] == "last"
    for word, label in zip(words, labels, strict=True):
        assert label == '""' if not word else word.translate({9: "\\t", 10: "\\n", 13: "\\r"}) in (label, label[1:-1])
