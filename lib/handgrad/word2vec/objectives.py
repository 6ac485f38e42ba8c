"""Objectives: what skip-gram learns from a pair of words, as one step, as a graph, and as one gate.

Two tables: ``V`` holds a vector for each word as a center, ``U`` as an outside word (word2vec.c
calls them input and output vectors). σ is the logistic function.

Source: Mikolov et al. (2013), Distributed Representations of Words and Phrases and their
Compositionality, equation 4, with the sign of a loss.
"""

import numpy as np

from handgrad.embedding import EmbeddingLookup, RowDot, RowSparseGradient, require_ids
from handgrad.functional import log_sigmoid, sigmoid
from handgrad.gates import Multiply, Sum
from handgrad.graph import ComputationalGraph, Gate, Node, Parameter
from handgrad.losses import SigmoidCrossEntropy


def negative_sampling_step(V, U, center, outside, negatives, learning_rate):
    """One step of true stochastic gradient descent, for one pair. Changes V and U in place.

    The pair (center, outside) was seen, so its score should rise; each pair (center, negative) was
    made up, so its score should fall. A negative that happens to be the outside word is passed over.
    A word that is drawn twice is updated twice, the second time from its new vector.

    Parameters
    ----------
    V, U : float arrays (vocabulary, D), center and outside vectors
    center, outside : int, ids
    negatives : sequence of int, K ids drawn from the noise distribution
    learning_rate : float, η

    Returns
    -------
    float : the loss of the pair, -log σ(u_o·v_c) - Σ log σ(-u_s·v_c), each score as it was met
    """
    v_c = V[center]
    dv_c = np.zeros_like(v_c)  # collected, so that v_c is the same for all words of the pair
    loss = 0.0
    for word, label in [(outside, 1), *((s, 0) for s in negatives if s != outside)]:
        score = U[word] @ v_c
        error = sigmoid(score) - label  # what the score gets: expected minus observed
        loss -= log_sigmoid(score if label else -score)
        dv_c += error * U[word]  # with the old U[word]
        U[word] -= learning_rate * error * v_c
    V[center] -= learning_rate * dv_c
    return float(loss)


def negative_sampling_graph(V, U):
    """Negative sampling as a graph of gates, over a batch of pairs, summed.

    Parameters
    ----------
    V, U : float arrays (vocabulary, D), the values of the parameters ``embed/V`` and ``embed/U``

    Returns
    -------
    ComputationalGraph, to be fed with

        ``center``  (B, 1), ids
        ``words``   (B, 1 + K), ids, the outside word first, then the negatives
        ``labels``  (B, 1 + K), 1 in the first column, 0 in the others
        ``weights`` (B, 1 + K), 0 where a negative is the outside word by accident, else 1
    """
    v = EmbeddingLookup()(Parameter("embed/V", V), Node("center"), name="v")
    u = EmbeddingLookup()(Parameter("embed/U", U), Node("words"), name="u")
    score = RowDot()(v, u, name="score")
    loss = SigmoidCrossEntropy()(score, Node("labels"), name="cross-entropy")
    return ComputationalGraph(Sum()(Multiply()(loss, Node("weights")), name="loss"))


class NegativeSampling(Gate):
    """Negative sampling as one gate: outside words, the centers that see each, its K negatives.

    loss = Σ_b Σ_c [ -log σ(u_o·v_c) - Σ_k log σ(-u_k·v_c) ], o and the negatives k ≠ o of row b

    V, U (vocabulary, D), centers (B, C) with -1 for none, outside (B,), negatives (B, K) -> loss ()

    With C = 1, a row is one pair. With more, the centers of a row share its negatives, and three
    small matrix products do the work of C (1 + K) dot products and twice as many vector updates.
    """

    def forward(self, V, U, centers, outside, negatives):
        require_block(V, U, centers, outside, negatives)
        words = np.concatenate([outside[:, None], negatives], axis=1)  # (B, 1+K)
        label = np.zeros(words.shape[1], V.dtype)  # (1+K,)
        label[0] = 1
        there = centers >= 0  # (B, C)
        weight = there[:, :, None] * np.ones_like(label)  # (B, C, 1+K)
        weight[:, :, 1:] *= (negatives != outside[:, None])[:, None, :]  # no accidental hits

        v, u = V[centers], U[words]  # (B, C, D), (B, 1+K, D)
        score = v @ u.transpose(0, 2, 1)  # (B, C, 1+K)
        self.v, self.u, self.error = v, u, (sigmoid(score) - label) * weight
        self.centers, self.there, self.words, self.shapes = centers, there, words, (V.shape, U.shape)
        return -np.sum(log_sigmoid(np.where(label, score, -score)) * weight, dtype=np.float64)

    def backward(self, dz):
        error = self.error * self.error.dtype.type(dz)  # (B, C, 1+K)  the loss is float64, the tables may not be
        dv = error @ self.u  # (B, C, D)
        du = error.transpose(0, 2, 1) @ self.v  # (B, 1+K, D)
        dV = RowSparseGradient(self.centers[self.there], dv[self.there], self.shapes[0])
        dU = RowSparseGradient(self.words.reshape(-1), du.reshape(-1, du.shape[2]), self.shapes[1])
        return [dV, dU, None, None, None]

    def jvp(self, tV, tU, *_):
        tscore = tV[self.centers] @ self.u.transpose(0, 2, 1) + self.v @ tU[self.words].transpose(0, 2, 1)
        return np.sum(self.error * tscore, dtype=np.float64)


def require_block(V, U, centers, outside, negatives):
    """Tables and ids fit together, or a sentence says what is wrong."""
    shapes = [np.shape(x) for x in (V, U, centers, outside, negatives)]
    B = shapes[3][0] if len(shapes[3]) == 1 else None
    if [len(s) for s in shapes] != [2, 2, 2, 1, 2] or V.shape[1] != U.shape[1] or {s[0] for s in shapes[2:]} != {B}:
        raise ValueError(
            "NegativeSampling expects V and U (vocabulary, D), centers (B, C), outside (B,) and negatives (B, K), but "
            f"got {', '.join(map(str, shapes))}."
        )
    require_ids(U, outside)
    require_ids(U, negatives)
    require_ids(V, np.where(centers == -1, 0, centers))  # -1 stands for no center; other negatives are refused
