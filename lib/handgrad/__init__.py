"""Gates, graphs and gradients written by hand, from one-hot vectors to word2vec.

This package's top level needs NumPy alone: gates, graphs, losses, embeddings, optimizers and the gradient
checker. ``handgrad.word2vec``, ``handgrad.show`` and ``handgrad.corpora`` are imported by name.
"""

from handgrad.embedding import EmbeddingLookup, RowDot, RowSparseGradient
from handgrad.functional import log_sigmoid, log_softmax, sigmoid, softmax, sum_to_shape
from handgrad.gates import (
    Add,
    Affine,
    MatMul,
    Max,
    Mean,
    Multiply,
    ReLU,
    Sigmoid,
    Subtract,
    Sum,
    Tanh,
)
from handgrad.gradient_check import GradientCheckError, GradientReport, check_gate, numerical_jacobian
from handgrad.graph import ComputationalGraph, Gate, Node, Parameter
from handgrad.losses import SigmoidCrossEntropy, SoftmaxCrossEntropy
from handgrad.optimizers import SGD

__version__ = "0.1.0"

__all__ = [
    "SGD",
    "Add",
    "Affine",
    "ComputationalGraph",
    "EmbeddingLookup",
    "Gate",
    "GradientCheckError",
    "GradientReport",
    "MatMul",
    "Max",
    "Mean",
    "Multiply",
    "Node",
    "Parameter",
    "ReLU",
    "RowDot",
    "RowSparseGradient",
    "Sigmoid",
    "SigmoidCrossEntropy",
    "SoftmaxCrossEntropy",
    "Subtract",
    "Sum",
    "Tanh",
    "check_gate",
    "log_sigmoid",
    "log_softmax",
    "numerical_jacobian",
    "sigmoid",
    "softmax",
    "sum_to_shape",
]
