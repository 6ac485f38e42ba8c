"""Gates, graphs and gradients written by hand, from one-hot vectors to word2vec.

This package's top level needs NumPy alone: gates, graphs, losses, embeddings, optimizers and the gradient
checker. ``handgrad.word2vec``, ``handgrad.show``, ``handgrad.corpora`` and ``handgrad.datasets`` are imported by name.
"""

from handgrad.embedding import EmbeddingLookup, RowDot, RowSparseGradient
from handgrad.functional import log_sigmoid, log_softmax, sigmoid, softmax, sum_to_shape
from handgrad.gates import (
    Add,
    Affine,
    Concat,
    Divide,
    Exp,
    Log,
    LogSoftmax,
    MatMul,
    Max,
    Mean,
    Multiply,
    Power,
    ReLU,
    Reshape,
    Sigmoid,
    Softmax,
    Subtract,
    Sum,
    Tanh,
    Transpose,
)
from handgrad.gradient_check import (
    GradientCheckError,
    GradientCheckWarning,
    GradientReport,
    check_gate,
    check_graph,
)
from handgrad.graph import ComputationalGraph
from handgrad.losses import SigmoidCrossEntropy, SoftmaxCrossEntropy
from handgrad.nodes import Constant, Gate, Node, Parameter
from handgrad.numerical import numerical_jacobian
from handgrad.optimizers import SGD, Adagrad, Adam, Momentum
from handgrad.torch_bridge import as_torch_function

__version__ = "0.1.0"

__all__ = [
    "SGD",
    "Adagrad",
    "Adam",
    "Add",
    "Affine",
    "ComputationalGraph",
    "Concat",
    "Constant",
    "Divide",
    "EmbeddingLookup",
    "Exp",
    "Gate",
    "GradientCheckError",
    "GradientCheckWarning",
    "GradientReport",
    "Log",
    "LogSoftmax",
    "MatMul",
    "Max",
    "Mean",
    "Momentum",
    "Multiply",
    "Node",
    "Parameter",
    "Power",
    "ReLU",
    "Reshape",
    "RowDot",
    "RowSparseGradient",
    "Sigmoid",
    "SigmoidCrossEntropy",
    "Softmax",
    "SoftmaxCrossEntropy",
    "Subtract",
    "Sum",
    "Tanh",
    "Transpose",
    "as_torch_function",
    "check_gate",
    "check_graph",
    "log_sigmoid",
    "log_softmax",
    "numerical_jacobian",
    "sigmoid",
    "softmax",
    "sum_to_shape",
]
