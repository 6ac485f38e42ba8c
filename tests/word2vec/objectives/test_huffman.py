import heapq
from itertools import count, pairwise

import numpy as np
import pytest

from handgrad.errors import InputError
from handgrad.word2vec import HuffmanTree


def cost_by_heap(counts):
    """Σ count · length of the best code, from the textbook's algorithm."""
    heap, total, order = [(c, i) for i, c in enumerate(counts)], 0, count(len(counts))
    heapq.heapify(heap)
    while len(heap) > 1:
        joined = heapq.heappop(heap)[0] + heapq.heappop(heap)[0]
        total += joined
        heapq.heappush(heap, (joined, next(order)))
    return total


def descending(seed, size):
    return np.sort(np.random.default_rng(seed).zipf(1.5, size).clip(max=10**6))[::-1]


@pytest.mark.parametrize(
    "counts", [[1, 1], [5, 5, 5], [8, 4, 2, 1, 1], [9, 0, 0], [1, 9, 3], *(descending(s, 200) for s in range(5))]
)
def test_the_average_path_is_as_short_as_it_can_be(counts):
    tree = HuffmanTree(counts)
    assert np.sum(np.diff(tree.starts) * np.asarray(counts)) == cost_by_heap(list(counts))


def test_no_code_begins_another_and_no_branch_is_empty():
    tree = HuffmanTree(descending(0, 300))
    codes = sorted(tree.code(word) for word in range(300))
    assert all(not b.startswith(a) for a, b in pairwise(codes))
    assert sum(2.0 ** -len(code) for code in codes) == 1.0  # Kraft's sum


def test_words_of_one_code_so_far_have_one_path_so_far():
    tree = HuffmanTree(descending(1, 100))
    node_of_prefix = {}
    for word in range(100):
        code = tree.code(word)
        nodes = tree.nodes[tree.starts[word] : tree.starts[word + 1]]
        for length, node in enumerate(nodes):
            assert node_of_prefix.setdefault(code[:length], node) == node
    assert node_of_prefix[""] == tree.inner_nodes - 1
    assert sorted(node_of_prefix.values()) == list(range(tree.inner_nodes))  # each inner node has one place


def test_worked_by_hand():
    tree = HuffmanTree([10, 6, 3, 2, 1, 1])
    assert [len(tree.code(word)) for word in range(6)] == [1, 2, 3, 4, 5, 5]
    nodes, codes = tree.paths(np.array([0, 4]))
    assert nodes.tolist() == [[4, -1, -1, -1, -1], [4, 3, 2, 1, 0]]
    assert codes[0].tolist() == [int(tree.code(0)), 0, 0, 0, 0]
    assert "".join(map(str, codes[1])) == tree.code(4)
    assert nodes.dtype == np.int32 and codes.dtype == np.int8


@pytest.mark.parametrize("size", [20, 300, 1000])
def test_among_words_of_one_count_the_first_have_the_shortest_paths(size):
    """So a tree is the same on each machine, however its sort treats what is equal."""
    counts = np.random.default_rng(size).integers(1, 4, size)  # in no order
    depth = np.diff(HuffmanTree(counts).starts)
    for occurrences in (1, 2, 3):
        assert (np.diff(depth[counts == occurrences]) >= 0).all()
    assert depth[counts == 3].max() <= depth[counts == 2].min() <= depth[counts == 2].max() <= depth[counts == 1].min()


@pytest.mark.parametrize("size", [2, 3, 8, 33])
def test_a_tree_has_one_inner_node_less_than_words(size):
    tree = HuffmanTree(descending(size, size))
    assert tree.inner_nodes == size - 1 and len(tree.starts) == size + 1
    assert np.unique(tree.nodes).tolist() == list(range(size - 1)) and tree.starts[-1] == len(tree.nodes)
    assert (tree.nodes[tree.starts[:-1]] == size - 2).all()  # each path begins at the root


def test_paths_of_no_words():
    nodes, codes = HuffmanTree([2, 1]).paths(np.array([], dtype=int))
    assert nodes.shape == codes.shape == (0, 0)


@pytest.mark.parametrize(
    "counts, sentence",
    [
        ([3], "expects the counts of at least 2 words"),
        ([[3, 2]], "expects the counts of at least 2 words"),
        ([2, -1], "counts of 0 or more, but got -1"),
    ],
)
def test_counts_that_make_no_tree_are_refused(counts, sentence):
    with pytest.raises(InputError, match=sentence):
        HuffmanTree(counts)
