"""What negative sampling and hierarchical softmax share: a few yes-or-no questions to each prediction."""

import numpy as np

from handgrad.embedding import EmbeddingLookup, RowDot, RowSparseGradient, require_lookup
from handgrad.functional import log_sigmoid, sigmoid
from handgrad.gates import Multiply
from handgrad.losses import SigmoidCrossEntropy
from handgrad.nodes import Gate, Node, Parameter


class LogisticLosses(Gate):
    """loss_bc = -Σ_r log σ(±h_bc·u_r) over R rows u_r of U: + where the answer is yes, - where it is no.

    h (B, C, D), U (V, D), rows (B, R), answers (B, R) bool, counted (B, R) bool -> losses (B, C)

    The C predictions of a row of the batch are asked the same R questions, so three small matrix products do the
    work of C × R dot products and twice as many vector updates.

    Parameters
    ----------
    skip_beyond : float, optional
        A question whose score has this size or more is passed over, as word2vec.c does with 6 in hierarchical softmax.
        By default none is.
    """

    ids_at: tuple[int, ...] = (2, 3, 4)

    def __init__(self, skip_beyond=None):
        self.skip_beyond = skip_beyond

    def forward(self, h, U, rows, answers, counted):
        require_rows(self, h, U, rows)
        self.h, self.u, self.rows, self.shape = h, U[rows], rows, U.shape  # u (B, R, D)
        score = h @ self.u.transpose(0, 2, 1)  # (B, C, R)
        counted = counted[:, None, :]  # (B, 1, R)
        if self.skip_beyond is not None:
            counted = counted & (np.abs(score) < self.skip_beyond)  # (B, C, R)
        answers = answers[:, None, :]
        self.error = (sigmoid(score) - answers.astype(score.dtype)) * counted  # expected minus observed
        return -np.sum(log_sigmoid(np.where(answers, score, -score)) * counted, axis=-1)  # (B, C)

    def backward(self, dz):
        error = self.error * dz[:, :, None]  # (B, C, R)
        dh = error @ self.u  # (B, C, D)
        du = error.transpose(0, 2, 1) @ self.h  # (B, R, D)
        dU = RowSparseGradient(self.rows.reshape(-1), du.reshape(-1, self.shape[1]), self.shape)
        return [dh, dU, None, None, None]

    def jvp(self, th, tU, *_):
        tscore = th @ self.u.transpose(0, 2, 1) + self.h @ tU[self.rows].transpose(0, 2, 1)
        return np.sum(self.error * tscore, axis=-1)


def logistic_losses_node(h, U, rows):
    """The same in gates, for C = 1: the node of the losses (B, R), with 0 for questions that do not count.

    h is a node (B, 1, D), U an array (V, D), the value of the parameter ``out/U``, and ``rows`` the name under which
    the ids (B, R) are fed; with them ``labels`` (B, R), 1 for yes and 0 for no, and ``weights`` (B, R), 1 or 0.
    """
    u = EmbeddingLookup()(Parameter("out/U", U), Node(rows), name="u")  # (B, R, D)
    score = RowDot()(h, u, name="score")  # (B, R)
    loss = SigmoidCrossEntropy()(score, Node("labels"), name="cross-entropy")
    return Multiply()(loss, Node("weights"))


def require_rows(gate, h, U, rows):
    """h (B, C, D), U (V, D) and ids (B, R) fit together, or a sentence says what is wrong."""
    shapes = [np.shape(x) for x in (h, U, rows)]
    if [len(s) for s in shapes] != [3, 2, 2] or shapes[0][2] != shapes[1][1] or shapes[0][0] != shapes[2][0]:
        raise ValueError(
            f"{type(gate).__name__} expects h (B, C, D), U (V, D) and ids (B, ...) of the same B and D, but got h "
            f"{shapes[0]}, U {shapes[1]} and ids {shapes[2]}."
        )
    require_lookup(U, rows)
