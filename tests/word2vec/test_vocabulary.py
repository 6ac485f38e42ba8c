import numpy as np
import pytest

from handgrad.word2vec import Vocabulary

SENTENCES = [["b", "a", "b"], [], ["c", "a", "d", "b"]]


def test_the_most_frequent_word_is_first_and_among_equals_the_first_met():
    vocabulary = Vocabulary.from_sentences(SENTENCES)
    assert vocabulary.index_to_key == ["b", "a", "c", "d"]
    assert vocabulary.counts.tolist() == [3, 2, 1, 1]
    assert vocabulary.key_to_index["c"] == 2 and "c" in vocabulary and "z" not in vocabulary
    assert vocabulary.raw_words == 7 and len(vocabulary) == 4


def test_rare_words_are_left_out_and_counted_among_the_raw_words():
    vocabulary = Vocabulary.from_sentences(SENTENCES, min_count=2)
    assert vocabulary.index_to_key == ["b", "a"] and vocabulary.raw_words == 7


def test_encoding_keeps_sentences_apart():
    ids, sentence_of = Vocabulary.from_sentences(SENTENCES, min_count=2).encode(SENTENCES)
    assert ids.tolist() == [0, 1, 0, 1, 0] and ids.dtype == np.int32
    assert sentence_of.tolist() == [0, 0, 0, 2, 2]


@pytest.mark.parametrize("sentences", [[], [[]], [["a"], ["b"]]])
def test_a_text_without_frequent_words_is_a_sentence(sentences):
    with pytest.raises(ValueError, match=r"No word occurs 2 times or more in this text of \d words"):
        Vocabulary.from_sentences(sentences, min_count=2)
