import numpy as np
import pytest

from handgrad.word2vec import HierarchicalSoftmax, HuffmanTree

COUNTS = [50, 31, 12, 12, 9, 4, 4, 2, 1, 1]
TREE = HuffmanTree(COUNTS)


def test_the_probabilities_of_all_words_sum_to_one():
    rng = np.random.default_rng(0)
    h, U = 3 * rng.standard_normal((1, 4)), rng.standard_normal((TREE.inner_nodes, 4))
    words = np.arange(len(COUNTS))
    losses = HierarchicalSoftmax().forward(np.repeat(h[None], len(words), axis=0), U, *TREE.paths(words))
    assert np.exp(-losses).sum() == pytest.approx(1, rel=1e-12)
    assert losses.std() > 0.5  # and are not all the same


def test_one_word_worked_by_hand():
    """Counts 3, 2, 1: node 0 joins words 2 and 1, node 1 joins word 0 and node 0. The path to word 2 is 1, 0."""
    nodes, codes = HuffmanTree([3, 2, 1]).paths(np.array([2]))
    assert nodes.tolist() == [[1, 0]] and codes[0, 1] == 0
    U, h = np.array([[np.log(3)], [np.log(2)]]), np.ones((1, 1, 1))
    at_the_root = 2 / 3 if codes[0, 0] == 0 else 1 / 3  # σ(log 2) = 2/3
    loss = HierarchicalSoftmax().forward(h, U, nodes, codes)
    assert loss[0, 0] == pytest.approx(-np.log(at_the_root * 3 / 4))  # σ(log 3) = 3/4


def test_skipping_large_scores_leaves_them_out_of_loss_and_gradient():
    U = np.array([[1.0], [7.0], [-6.0], [5.9]])
    h, nodes, codes = np.ones((1, 1, 1)), np.array([[0, 1, 2, 3]]), np.array([[1, 1, 0, 0]])
    exact, skipping = HierarchicalSoftmax(), HierarchicalSoftmax(skip_beyond=6)
    only = HierarchicalSoftmax().forward(h, U, nodes[:, [0, 3]], codes[:, [0, 3]])
    assert skipping.forward(h, U, nodes, codes) == pytest.approx(only, rel=1e-12)
    assert exact.forward(h, U, nodes, codes) > only + 12
    dU = skipping.backward(np.ones((1, 1)))[1].to_dense()
    assert (dU[[1, 2]] == 0).all() and (dU[[0, 3]] != 0).all()


@pytest.mark.parametrize("nodes, codes", [([[1]], [[1, 0]]), ([1], [1])])
def test_paths_that_do_not_fit_are_named(nodes, codes):
    with pytest.raises(ValueError, match=r"expects nodes and codes \(B, L\), but got"):
        HierarchicalSoftmax().forward(np.ones((1, 1, 2)), np.ones((3, 2)), np.array(nodes), np.array(codes))
