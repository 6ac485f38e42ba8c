"""The full softmax over the vocabulary: the objective that all others avoid, since it costs O(V D) a prediction.

Source: Mikolov et al. (2013), Distributed Representations of Words and Phrases and their
Compositionality, equation 2.
"""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from handgrad.errors import require_ids
from handgrad.functional import log_softmax
from handgrad.gates import MatMul, Reshape, Sum, Transpose
from handgrad.graph import ComputationalGraph
from handgrad.losses import SoftmaxCrossEntropy
from handgrad.nodes import Gate, Node, Parameter
from handgrad.word2vec.objectives.models import hidden_node
from handgrad.word2vec.objectives.objective import Objective


class FullSoftmax(Gate):
    """loss_bc = -log softmax(U h_bc)_o, for the target o of row b.

    h (B, C, D), U (vocabulary, D), targets (B,) -> losses (B, C)
    """

    ids_at = (2,)

    def forward(self, h, U, targets):
        require_softmax(h, U, targets)
        self.h, self.U, self.targets = h, U, targets
        self.log_p = log_softmax(h @ U.T)  # (B, C, V)
        return -self.log_p[np.arange(len(targets)), :, targets]  # (B, C)

    def backward(self, dz):
        error = np.exp(self.log_p)  # (B, C, V)  expected ...
        error[np.arange(len(self.targets)), :, self.targets] -= 1  # ... minus observed
        error *= dz[:, :, None]
        dU = np.tensordot(error, self.h, axes=((0, 1), (0, 1)))  # (V, D)  every row of U is in every score
        return [error @ self.U, dU, None]

    def jvp(self, th, tU, _):
        tscore = th @ self.U.T + self.h @ tU.T  # (B, C, V)
        of_target = tscore[np.arange(len(self.targets)), :, self.targets]
        return np.sum(np.exp(self.log_p) * tscore, axis=-1) - of_target


def full_softmax_graph(
    V: ArrayLike, U: ArrayLike, model: Literal["skipgram", "cbow"] = "skipgram"
) -> ComputationalGraph:
    """The full softmax as a graph of gates, over a batch of pairs, summed (Mikolov et al. 2013b, equation 2).

    Parameters
    ----------
    V, U : float arrays (vocabulary, D)
        The values of the parameters ``embed/V`` and ``out/U``.
    model : str
        "skipgram" or "cbow".

    Returns
    -------
    ComputationalGraph
        It is fed with

        - ``inputs`` (B, 1), ids; for CBOW (B, C), and ``shares`` (B, C, 1)
        - ``targets`` (B,), ids

    Raises
    ------
    InputError
        If there is no such model.

    Examples
    --------
    With all vectors zero, each of four words is as likely as any other, and the loss of a pair is log 4:

    >>> import numpy as np
    >>> from handgrad.word2vec import full_softmax_graph
    >>> graph = full_softmax_graph(np.zeros((4, 2)), np.zeros((4, 2)))
    >>> round(float(graph.forward(inputs=[[0]], targets=[3])), 4)
    1.3863
    """
    h = Reshape(-1, np.shape(V)[1])(hidden_node(V, model))  # (B, D)
    score = MatMul()(h, Transpose()(Parameter("out/U", U)), name="score")  # (B, V)
    losses = SoftmaxCrossEntropy()(score, Node("targets"), name="cross-entropy")  # (B,)
    return ComputationalGraph(Sum()(losses, name="loss"))


class FullSoftmaxObjective(Objective):
    """It draws nothing: every word is asked for."""

    graph = staticmethod(full_softmax_graph)
    dense = ("out/U",)

    def __init__(self, config, counts):
        super().__init__(config, counts)
        self.gate = FullSoftmax()

    def samples(self, rng, targets):
        return (targets,)


def require_softmax(h, U, targets):
    """h (B, C, D), U (V, D) and ids (B,) fit together, or a sentence says what is wrong."""
    shapes = [np.shape(x) for x in (h, U, targets)]
    if [len(s) for s in shapes] != [3, 2, 1] or shapes[0][2] != shapes[1][1] or shapes[0][0] != shapes[2][0]:
        raise ValueError(
            f"FullSoftmax expects h (B, C, D), U (V, D) and targets (B,), but got h {shapes[0]}, U {shapes[1]} and "
            f"targets {shapes[2]}."
        )
    require_ids(targets, len(U), "FullSoftmax", "targets")
