"""What word2vec learns from: two models, five objectives, each as a graph of gates and as one fused gate.

A model makes ``h`` from the words that are seen; an objective asks how well h predicts the target. Any model goes
with any objective.
"""

from handgrad.word2vec.objectives.full_softmax import FullSoftmax, full_softmax_graph
from handgrad.word2vec.objectives.hierarchical_softmax import HierarchicalSoftmax, hierarchical_softmax_graph
from handgrad.word2vec.objectives.logistic import LogisticLosses
from handgrad.word2vec.objectives.models import CBOW, SkipGram
from handgrad.word2vec.objectives.nce import (
    NCE,
    LossGradients,
    SampledSoftmax,
    nce_gradients,
    nce_graph,
    nce_loss,
    sampled_softmax_gradients,
    sampled_softmax_graph,
    sampled_softmax_loss,
)
from handgrad.word2vec.objectives.negative_sampling import (
    NegativeSampling,
    negative_sampling_graph,
    negative_sampling_step,
)

__all__ = [
    "CBOW",
    "NCE",
    "FullSoftmax",
    "HierarchicalSoftmax",
    "LogisticLosses",
    "LossGradients",
    "NegativeSampling",
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
