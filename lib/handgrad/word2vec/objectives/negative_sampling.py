"""Negative sampling: tell the word that was there from a few that were drawn as noise.

Two tables: ``V`` holds a vector for each word as an input, ``U`` as a target (word2vec.c calls them input
and output vectors; the papers, for skip-gram, center and context vectors). The trainer takes a word as the target and
its neighbors as inputs: the same pairs, seen from the other end (``text/windows.py`` says why). σ is the logistic
function.

Source: Mikolov et al. (2013), Distributed Representations of Words and Phrases and their
Compositionality, equation 4, with the sign of a loss.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from handgrad.functional import log_sigmoid, sigmoid
from handgrad.gates import Sum
from handgrad.graph import ComputationalGraph
from handgrad.word2vec.objectives.logistic import LogisticLosses, logistic_losses_node
from handgrad.word2vec.objectives.models import hidden_node
from handgrad.word2vec.objectives.noise import noise_for
from handgrad.word2vec.objectives.objective import Objective


def negative_sampling_step(
    V: np.ndarray,
    U: np.ndarray,
    center: int,
    context: int,
    negatives: Sequence[int] | np.ndarray,
    learning_rate: float,
) -> float:
    """One update of true stochastic gradient descent, for one pair. V and U change.

    The pair (center, context) was seen, so its score should rise; each pair
    (center, negative) was made up, so its score should fall. A negative that
    happens to be the context word is skipped. A word that is drawn twice is
    updated twice, the second time from its new vector.

    Parameters
    ----------
    V, U : float arrays (vocabulary, D)
        Center and context vectors.
    center, context : int
        Ids.
    negatives : sequence of int
        K ids drawn from the noise distribution.
    learning_rate : float
        η.

    Returns
    -------
    float
        -log σ(u_o·v_c) - Σ log σ(-u_w·v_c), with each score as it was met.
    """
    v_c = V[center]
    dv_c = np.zeros_like(v_c)  # collected, so that all words meet the same v_c
    loss = 0.0
    noise = [(w, 0) for w in negatives if w != context]
    for word, label in [(context, 1), *noise]:
        score = U[word] @ v_c
        error = sigmoid(score) - label  # of the score: expected minus observed
        loss -= log_sigmoid(score if label else -score)
        dv_c += error * U[word]  # with the old U[word]
        U[word] -= learning_rate * error * v_c
    V[center] -= learning_rate * dv_c
    return float(loss)


class NegativeSampling(LogisticLosses):
    """loss_bc = -log σ(h_bc·u_o) - Σ_k log σ(-h_bc·u_k), for the target o of row b and its negatives k ≠ o.

    h (B, C, D), U (vocabulary, D), targets (B,), negatives (B, K) -> losses (B, C)
    """

    ids_at = (2, 3)

    def forward(self, h, U, targets, negatives):
        require_targets(self, targets, negatives)
        words = np.concatenate([targets[:, None], negatives], axis=1)  # (B, 1+K)
        is_target = words == targets[:, None]
        seen = np.arange(words.shape[1]) == 0  # (1+K,)  the target itself, then the noise
        return super().forward(h, U, words, is_target & seen, seen | ~is_target)  # no accidental hits

    def backward(self, dz):
        return [*super().backward(dz)[:2], None, None]


def negative_sampling_graph(
    V: ArrayLike, U: ArrayLike, model: Literal["skipgram", "cbow"] = "skipgram"
) -> ComputationalGraph:
    """Negative sampling as a graph of gates, over a batch of pairs, summed (Mikolov et al. 2013b, equation 4).

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
        - ``words`` (B, 1 + K), ids, the target first, then the negatives
        - ``labels`` (B, 1 + K), 1 in the first column, 0 in the others
        - ``weights`` (B, 1 + K), 0 where a negative is the target by accident, else 1

    Raises
    ------
    InputError
        If there is no such model.

    Examples
    --------
    With all vectors zero, each of the three questions costs log 2:

    >>> import numpy as np
    >>> from handgrad.word2vec import negative_sampling_graph
    >>> graph = negative_sampling_graph(np.zeros((4, 2)), np.zeros((4, 2)))
    >>> fed = {"inputs": [[0]], "words": [[1, 2, 3]]}
    >>> loss = graph.forward(fed, labels=[[1, 0, 0]], weights=[[1, 1, 1]])
    >>> round(float(loss), 4)
    2.0794
    """
    losses = logistic_losses_node(hidden_node(V, model), U, "words")
    return ComputationalGraph(Sum()(losses, name="loss"))


class NegativeSamplingObjective(Objective):
    """K noise words for each target.

    Attributes
    ----------
    noise : NoiseDistribution
    """

    graph = staticmethod(negative_sampling_graph)
    asks_questions = learns_by_pair = True

    def __init__(self, config, counts):
        super().__init__(config, counts)
        self.gate, self.noise = NegativeSampling(), noise_for(config, counts)

    def samples(self, rng, targets):
        return targets, self.noise.draw(rng, (len(targets), self.config.negatives))


def require_targets(gate, targets, negatives):
    """Targets (B,) and negatives (B, K), or a sentence says what is wrong."""
    if np.ndim(targets) != 1 or np.ndim(negatives) != 2 or len(targets) != len(negatives):
        raise ValueError(
            f"{type(gate).__name__} expects targets (B,) and negatives (B, K), but got {np.shape(targets)} and "
            f"{np.shape(negatives)}."
        )
