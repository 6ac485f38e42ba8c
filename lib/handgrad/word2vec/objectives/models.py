"""From input words to the vectors that predict: skip-gram takes each word by itself, CBOW their mean.

A batch is ``inputs`` (B, C), the words that are seen, with -1 where a row has fewer, and ``targets`` (B,), the
word that each row should predict. A model turns the inputs into ``h`` (B, C, D): row b makes C predictions,
all of the same target. For CBOW, and for plain pairs, C is 1.

Every objective then takes h and returns a loss for each prediction, (B, C). Which of them count is said by
``predictions``: that mask is the upstream gradient, so a loss that does not count has no gradient either.

Source: Mikolov et al. (2013), Efficient Estimation of Word Representations in Vector Space, section 3.
"""

from typing import Literal

import numpy as np

from handgrad.embedding import EmbeddingLookup, RowSparseGradient, require_lookup
from handgrad.errors import InputError
from handgrad.gates import Multiply, Reshape, Sum
from handgrad.nodes import Gate, Node, Parameter


class SkipGram(Gate):
    """h_bc = V[inputs_bc]: each input word predicts by itself. Zeros where there is none.

    V (vocabulary, D), inputs (B, C) -> h (B, C, D)
    """

    ids_at = (1,)

    def forward(self, V, inputs):
        require_inputs(V, inputs)
        self.shape, self.inputs, self.there = V.shape, inputs, inputs >= 0
        return V[inputs] * self.there[:, :, None]  # (B, C, D)  -1 would be the last row

    def backward(self, dz):
        return [RowSparseGradient(self.inputs[self.there], dz[self.there], self.shape), None]

    def jvp(self, tV, _):
        return tV[self.inputs] * self.there[:, :, None]

    @staticmethod
    def predictions(inputs: np.ndarray) -> np.ndarray:
        """Which predictions a batch makes: one for each input word.

        Parameters
        ----------
        inputs : int array (B, C)

        Returns
        -------
        bool array (B, C)
        """
        return inputs >= 0


class CBOW(Gate):
    """h_b = Σ_c V[inputs_bc] / n_b, the mean over the n_b input words of row b. Zeros where there are none.

    V (vocabulary, D), inputs (B, C) -> h (B, 1, D)

    Parameters
    ----------
    gradient : str
        "exact": each word gets its share, 1 / n_b, of the gradient of the mean. "word2vec.c", whose
        program gives each word all of it: that is not the gradient of this loss, as ``check_gate`` will say, but n_b
        times as large.
    """

    ids_at = (1,)

    def __init__(self, gradient: Literal["exact", "word2vec.c"] = "exact") -> None:
        if gradient not in ("exact", "word2vec.c"):
            raise InputError(f'CBOW expects gradient "exact" or "word2vec.c", but got {gradient!r}.')
        self.gradient = gradient

    def forward(self, V, inputs):
        require_inputs(V, inputs)
        self.shape, self.inputs, self.there = V.shape, inputs, inputs >= 0
        n = np.maximum(self.there.sum(axis=1, keepdims=True), 1)  # (B, 1)
        self.share = (self.there / n).astype(V.dtype)  # (B, C)
        return self.share[:, None, :] @ V[inputs]  # (B, 1, D)

    def backward(self, dz):
        share = self.share if self.gradient == "exact" else self.there.astype(dz.dtype)
        dv = share[:, :, None] * dz  # (B, C, D)
        return [RowSparseGradient(self.inputs[self.there], dv[self.there], self.shape), None]

    def jvp(self, tV, _):
        return self.share[:, None, :] @ tV[self.inputs]

    @staticmethod
    def predictions(inputs: np.ndarray) -> np.ndarray:
        """Which predictions a batch makes: one for each row with an input word.

        Parameters
        ----------
        inputs : int array (B, C)

        Returns
        -------
        bool array (B, 1)
        """
        return np.any(inputs >= 0, axis=1, keepdims=True)


def skip_gram_node(V):
    """The node h (B, 1, D) of skip-gram, for a graph of pairs that is fed ``inputs`` (B, 1)."""
    return EmbeddingLookup()(Parameter("embed/V", V), Node("inputs"), name="h")


def cbow_node(V):
    """The node h (B, 1, D) of CBOW, for a graph that is fed ``inputs`` (B, C) and ``shares`` (B, C, 1).

    The shares of a row are 1 / n for its n words. A row with fewer words than C has any id in the places that
    are left, with a share of 0.
    """
    v = EmbeddingLookup()(Parameter("embed/V", V), Node("inputs"), name="v")  # (B, C, D)
    mean = Sum(axis=1)(Multiply()(v, Node("shares")))  # (B, D)
    return Reshape(-1, 1, np.shape(V)[1])(mean, name="h")


MODELS = {"skipgram": (SkipGram, skip_gram_node), "cbow": (CBOW, cbow_node)}


def hidden_node(V, model):
    """The node h (B, 1, D) of the named model, or a sentence that says which models there are."""
    if model not in MODELS:
        raise InputError(f"Expected a model among {', '.join(MODELS)}, but got {model!r}.")
    return MODELS[model][1](V)


def require_inputs(V, inputs):
    """A batch of ids of V, -1 for none, or a sentence says what is wrong."""
    if np.ndim(V) != 2 or np.ndim(inputs) != 2:
        raise ValueError(
            f"A model expects V (vocabulary, D) and inputs (B, C), but got {np.shape(V)} and {np.shape(inputs)}."
        )
    require_lookup(V, np.where(inputs == -1, 0, inputs))  # -1 stands for no word; other negatives are refused
