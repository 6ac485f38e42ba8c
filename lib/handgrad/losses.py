"""Losses from logits. Each is one gate, so that its logarithm never meets a probability rounded to 0 or 1."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from handgrad.errors import require_ids
from handgrad.functional import (
    is_complex,
    is_float,
    log_softmax,
    magnitude,
    sigmoid_cross_entropy_from,
    sigmoid_from,
    softmax,
)
from handgrad.nodes import Gate


class SoftmaxCrossEntropy(Gate):
    """loss_i = -log softmax(x_i)[label_i]: how surprised the model is by the right answer, in nats.

    x (B, V), labels (B,) of ids -> loss (B,)
    """

    ids_at = (1,)

    def forward(self, x, labels):
        self.x, self.labels = x, require_labels(x, labels)
        return -log_softmax(x)[np.arange(len(self.labels)), self.labels]  # (B,)

    def backward(self, dz):
        dx = softmax(self.x)  # (B, V)  expected ...
        dx[np.arange(len(self.labels)), self.labels] -= 1  # ... minus observed
        return [dx * dz[:, None], None]  # ids have no derivative

    def jvp(self, tx, _):
        of_label = tx[np.arange(len(self.labels)), self.labels]
        return np.sum(softmax(self.x) * tx, axis=-1) - of_label  # (B,)


class SigmoidCrossEntropy(Gate):
    """loss = -label log σ(x) - (1 - label) log σ(-x) = (1 - label) x + max(-x, 0) + log(1 + e^-|x|), elementwise.

    x, label of one shape -> loss of that shape; a label may be any number from 0 to 1.
    """

    ids_at = (1,)  # a label of 0 or 1 may be an integer, and then it has no gradient

    def forward(self, x, label):
        if np.shape(x) != np.shape(label):
            raise ValueError(
                f"SigmoidCrossEntropy expects one label for each logit, but got logits {np.shape(x)} and labels "
                f"{np.shape(label)}: give both the same shape."
            )
        label, least = np.asarray(label), np.complex64 if is_complex(label) else np.float32
        self.label_is_float = is_float(label)
        self.x, self.label = x, label.astype(np.result_type(x, least), copy=False)
        self.e = np.exp(-magnitude(x))  # for the loss and its slope
        return sigmoid_cross_entropy_from(self.e, x, self.label)

    def slope(self) -> Any:
        return sigmoid_from(self.e, self.x) - self.label  # expected minus observed

    def backward(self, dz):
        return [self.slope() * dz, -self.x * dz if self.label_is_float else None]

    def jvp(self, tx, tlabel):
        tz = self.slope() * tx
        return tz - self.x * tlabel if self.label_is_float else tz


def require_labels(x: np.ndarray, labels: ArrayLike) -> np.ndarray:
    """The labels as an array, one from 0 to V - 1 for each row of x (B, V), or a sentence says what is wrong."""
    if np.ndim(x) != 2 or np.shape(labels) != np.shape(x)[:1]:
        raise ValueError(
            f"SoftmaxCrossEntropy expects scores (B, V) and labels (B,), but got scores {np.shape(x)} and labels "
            f"{np.shape(labels)}."
        )
    return require_ids(labels, np.shape(x)[1], "SoftmaxCrossEntropy", "labels")
