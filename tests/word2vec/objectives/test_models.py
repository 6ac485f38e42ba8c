import numpy as np
import pytest

from handgrad import check_gate
from handgrad.errors import InputError
from handgrad.word2vec import CBOW, SkipGram, full_softmax_graph

V = np.array([[1.0, 0.0], [0.0, 2.0], [4.0, 6.0]])


def test_skip_gram_takes_each_word_and_cbow_their_mean():
    inputs = np.array([[0, 2], [1, -1], [-1, -1]])
    assert SkipGram().forward(V, inputs).tolist() == [[[1, 0], [4, 6]], [[0, 2], [0, 0]], [[0, 0], [0, 0]]]
    assert CBOW().forward(V, inputs).tolist() == [[[2.5, 3]], [[0, 2]], [[0, 0]]]


def test_no_gradient_reaches_a_row_that_was_not_an_input():
    for model in (SkipGram(), CBOW()):
        h = model.forward(V, np.array([[0, -1], [-1, -1]]))
        assert model.backward(np.ones(h.shape))[0].coalesce()[0].tolist() == [0]


def test_word2vec_c_gives_each_input_of_cbow_the_whole_gradient():
    inputs, dz = np.array([[0, 2, -1]]), np.array([[[1.0, 3.0]]])
    exact, whole = CBOW(), CBOW(gradient="word2vec.c")
    assert exact.forward(V, inputs).tolist() == whole.forward(V, inputs).tolist()
    assert exact.backward(dz)[0].to_dense().tolist() == [[0.5, 1.5], [0, 0], [0.5, 1.5]]
    assert whole.backward(dz)[0].to_dense().tolist() == [[1, 3], [0, 0], [1, 3]]
    assert check_gate(exact, V, inputs).ok
    report = check_gate(whole, V, inputs)
    assert not report.ok


def test_the_words_of_a_batch_are_ids_and_the_table_is_numbers():
    assert SkipGram().ids_at == CBOW().ids_at == (1,)


@pytest.mark.parametrize("model", [SkipGram, CBOW])
def test_what_is_no_batch_is_refused(model):
    with pytest.raises(ValueError, match=r"expects V \(vocabulary, D\) and inputs \(B, C\), but got"):
        model().forward(V, np.array([0, 1]))
    with pytest.raises(ValueError, match="expects integer ids from 0 to 2, but got -2 to 0"):
        model().forward(V, np.array([[0, -2]]))


def test_unknown_names_are_refused():
    with pytest.raises(InputError, match="a model among skipgram, cbow, but got 'glove'"):
        full_softmax_graph(V, V, model="glove")
    with pytest.raises(InputError, match=r"expects gradient .exact. or .word2vec\.c., but got 'half'"):
        CBOW(gradient="half")
