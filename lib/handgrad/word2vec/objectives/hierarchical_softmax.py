"""Hierarchical softmax: a word is found by a few turns, left or right, down a binary tree.

Source: Morin and Bengio (2005), Hierarchical Probabilistic Neural Network Language Model; with the Huffman tree of
Mikolov et al. (2013), Distributed Representations of Words and Phrases and their Compositionality, equation 3.
"""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from handgrad.gates import Sum
from handgrad.graph import ComputationalGraph
from handgrad.word2vec.objectives.huffman import HuffmanTree
from handgrad.word2vec.objectives.logistic import LogisticLosses, logistic_losses_node
from handgrad.word2vec.objectives.models import hidden_node
from handgrad.word2vec.objectives.objective import Objective


class HierarchicalSoftmax(LogisticLosses):
    """loss_bc = -Σ_l log σ(±h_bc·u_l) over the inner nodes l on the path to the target of row b.

    h (B, C, D), U (inner nodes, D), nodes (B, L), codes (B, L) -> losses (B, C)

    A code of 0 is the branch that σ(h·u_l) is the probability of, 1 the other one. So the probabilities of all words
    sum to 1. Nodes past the end of a path are -1. Both come from ``HuffmanTree.paths``.
    """

    ids_at = (2, 3)

    def forward(self, h, U, nodes, codes):
        require_path(self, nodes, codes)
        on_path = nodes != -1
        nodes = np.where(on_path, nodes, nodes[:, :1])  # past the end: the root, which is used anyway
        return super().forward(h, U, nodes, codes == 0, on_path)

    def backward(self, dz):
        dh, dU, *_ = super().backward(dz)
        return [dh, dU, None, None]


def hierarchical_softmax_graph(
    V: ArrayLike, U: ArrayLike, model: Literal["skipgram", "cbow"] = "skipgram"
) -> ComputationalGraph:
    """Hierarchical softmax as a graph of gates, over a batch of pairs, summed (Mikolov et al. 2013b, equation 3).

    Parameters
    ----------
    V : float array (vocabulary, D)
        The value of the parameter ``embed/V``.
    U : float array (inner nodes, D)
        The value of ``out/U``.
    model : str
        "skipgram" or "cbow".

    Returns
    -------
    ComputationalGraph
        It is fed with

        - ``inputs`` (B, 1), ids; for CBOW (B, C), and ``shares`` (B, C, 1)
        - ``nodes`` (B, L), ids of inner nodes, any id past the end of a path
        - ``labels`` (B, L), 1 - code
        - ``weights`` (B, L), 1 on the path, 0 past its end

    Raises
    ------
    InputError
        If there is no such model.

    Examples
    --------
    With all vectors zero, each turn has a probability of one half: two turns to word 0 cost 2 log 2.

    >>> import numpy as np
    >>> from handgrad.word2vec import HuffmanTree, hierarchical_softmax_graph
    >>> nodes, codes = HuffmanTree([5, 4, 3, 2]).paths(np.array([0]))
    >>> graph = hierarchical_softmax_graph(np.zeros((4, 2)), np.zeros((3, 2)))
    >>> fed = {"inputs": [[1]], "nodes": nodes, "labels": 1 - codes}
    >>> loss = graph.forward(fed, weights=[[1, 1]])
    >>> round(float(loss), 4)
    1.3863
    """
    losses = logistic_losses_node(hidden_node(V, model), U, "nodes")
    return ComputationalGraph(Sum()(losses, name="loss"))


class HierarchicalSoftmaxObjective(Objective):
    """It draws nothing: its questions are the inner nodes of a tree, and ``out/U`` has a row for each of these.

    Attributes
    ----------
    tree : HuffmanTree
    """

    graph = staticmethod(hierarchical_softmax_graph)
    asks_questions = True

    def __init__(self, config, counts):
        super().__init__(config, counts)
        self.gate, self.tree = HierarchicalSoftmax(), HuffmanTree(counts)

    def shapes(self):
        return {"out/U": (self.tree.inner_nodes, self.config.dimension)}

    def samples(self, rng, targets):
        return self.tree.paths(targets)


def require_path(gate, nodes, codes):
    """Nodes and codes (B, L), or a sentence says what is wrong."""
    if np.ndim(nodes) != 2 or np.shape(nodes) != np.shape(codes):
        raise ValueError(
            f"{type(gate).__name__} expects nodes and codes (B, L), but got {np.shape(nodes)} and {np.shape(codes)}."
        )
