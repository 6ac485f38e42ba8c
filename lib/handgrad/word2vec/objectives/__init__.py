"""What word2vec learns from: two models, five objectives, each as a graph of gates and as one fused gate.

A model makes ``h`` from the words that are seen; an objective asks how well h predicts the target. Any model goes
with any objective.

In this order: ``models``; what objectives draw from, ``noise`` and ``huffman``; ``objective``, which says what each of
them has, and ``logistic``, which two share; a file for each, ``negative_sampling``, ``hierarchical_softmax``, ``nce``
and ``full_softmax``; and ``network``, which puts a model and an objective together. They are chosen by name in the
table below, and nowhere else.
"""

from handgrad.word2vec.objectives.full_softmax import FullSoftmax, FullSoftmaxObjective, full_softmax_graph
from handgrad.word2vec.objectives.hierarchical_softmax import (
    HierarchicalSoftmax,
    HierarchicalSoftmaxObjective,
    hierarchical_softmax_graph,
)
from handgrad.word2vec.objectives.logistic import LogisticLosses
from handgrad.word2vec.objectives.models import CBOW, SkipGram
from handgrad.word2vec.objectives.nce import (
    NCE,
    LossGradients,
    NCEObjective,
    SampledSoftmax,
    SampledSoftmaxObjective,
    nce_gradients,
    nce_graph,
    nce_loss,
    sampled_softmax_gradients,
    sampled_softmax_graph,
    sampled_softmax_loss,
)
from handgrad.word2vec.objectives.negative_sampling import (
    NegativeSampling,
    NegativeSamplingObjective,
    negative_sampling_graph,
    negative_sampling_step,
)
from handgrad.word2vec.objectives.objective import Objective

OBJECTIVES: dict[str, type[Objective]] = {
    "negative-sampling": NegativeSamplingObjective,
    "hierarchical-softmax": HierarchicalSoftmaxObjective,
    "nce": NCEObjective,
    "sampled-softmax": SampledSoftmaxObjective,
    "full-softmax": FullSoftmaxObjective,
}

__all__ = [
    "CBOW",
    "NCE",
    "OBJECTIVES",
    "FullSoftmax",
    "HierarchicalSoftmax",
    "LogisticLosses",
    "LossGradients",
    "NegativeSampling",
    "Objective",
    "SampledSoftmax",
    "SkipGram",
    "full_softmax_graph",
    "hierarchical_softmax_graph",
    "nce_gradients",
    "nce_graph",
    "nce_loss",
    "negative_sampling_graph",
    "negative_sampling_step",
    "sampled_softmax_gradients",
    "sampled_softmax_graph",
    "sampled_softmax_loss",
]
