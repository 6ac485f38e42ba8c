"""What is learned from, and what is said of it."""

from contextlib import nullcontext

import pytest

from handgrad import corpora
from handgrad.errors import InputError
from handgrad.word2vec import EncodedText, TrainingConfig, encode_text
from handgrad.word2vec.text.data import import_data

SENTENCES = [["a", "b", "c"], ["a", "b"], ["a", "c", "b", "d"]]


def imported(corpus, **settings):
    return import_data(
        corpus, TrainingConfig(**{"min_count": 1} | settings), lambda name: nullcontext(lambda words: None)
    )


def test_the_end_of_a_text_is_held_out():
    data = imported(SENTENCES, held_out=4)
    assert (len(data.whole), len(data.text), len(data.held_out)) == (9, 5, 4)
    assert data.raw_words == 5 and imported(SENTENCES).held_out is None


def test_words_without_a_vector_are_counted():
    data = imported(SENTENCES, min_count=2)  # d is rarer
    assert len(data.text) == 8 and data.raw_words == 9


def test_a_file_is_named_by_its_whole_path(tmp_path):
    (tmp_path / "text.txt").write_text("a b\n", encoding="utf-8")
    data = imported(corpora.text_file(tmp_path / "text.txt"))
    assert data.path == str(tmp_path / "text.txt") and data.words == {"lowercase": False, "tokenize": "blanks"}
    assert imported(SENTENCES).name is imported(SENTENCES).path is None


def test_a_text_of_ids_is_taken_as_it_is_if_it_is_whole():
    text = encode_text(SENTENCES)
    assert imported(text).whole is text
    with pytest.raises(InputError, match="id"):
        imported(EncodedText(text.vocabulary, text.ids + 1, text.starts))
