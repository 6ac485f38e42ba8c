"""word2vec: from text to vectors, each part a file that can be read on its own.

From the ground up: ``text``, ``objectives``, ``config``, ``schedule``, ``vectors``, ``runs``, ``engines``, ``trainer``.
A reader who wants to see it learn begins with ``trainer``, and then reads what that calls, the NumPy engine first.
"""

from handgrad.word2vec.config import CS20, TrainingConfig
from handgrad.word2vec.objectives import (
    CBOW,
    NCE,
    FullSoftmax,
    HierarchicalSoftmax,
    NegativeSampling,
    SampledSoftmax,
    SkipGram,
    full_softmax_graph,
    hierarchical_softmax_graph,
    nce_gradients,
    nce_graph,
    nce_loss,
    negative_sampling_graph,
    negative_sampling_step,
    sampled_softmax_gradients,
    sampled_softmax_graph,
    sampled_softmax_loss,
)
from handgrad.word2vec.objectives.huffman import HuffmanTree
from handgrad.word2vec.objectives.network import Network
from handgrad.word2vec.objectives.noise import (
    LogUniformNoise,
    NoiseDistribution,
    SampledValues,
    UniformNoise,
    UnigramNoise,
)
from handgrad.word2vec.runs.callbacks import Callback, EarlyStopping
from handgrad.word2vec.runs.meter import LossEntry
from handgrad.word2vec.runs.snapshots import Snapshots
from handgrad.word2vec.text.encoding import EncodedText, encode_text
from handgrad.word2vec.text.subsampling import keep_probabilities
from handgrad.word2vec.text.vocabulary import Vocabulary
from handgrad.word2vec.text.windows import NumSkipsBatches, pairs, window_batches
from handgrad.word2vec.trainer import Trainer
from handgrad.word2vec.vectors.documentation_questions import documentation_analogies, documentation_odd_ones_out
from handgrad.word2vec.vectors.evaluation import (
    odd_one_out,
    read_analogies,
    read_word_pairs,
    word_analogies,
    word_similarity,
)
from handgrad.word2vec.vectors.keyed_vectors import KeyedVectors, UnknownWordError
from handgrad.word2vec.vectors.projector import save_projector

__all__ = [
    "CBOW",
    "CS20",
    "NCE",
    "Callback",
    "EarlyStopping",
    "EncodedText",
    "FullSoftmax",
    "HierarchicalSoftmax",
    "HuffmanTree",
    "KeyedVectors",
    "LogUniformNoise",
    "LossEntry",
    "NegativeSampling",
    "Network",
    "NoiseDistribution",
    "NumSkipsBatches",
    "SampledSoftmax",
    "SampledValues",
    "SkipGram",
    "Snapshots",
    "Trainer",
    "TrainingConfig",
    "UniformNoise",
    "UnigramNoise",
    "UnknownWordError",
    "Vocabulary",
    "documentation_analogies",
    "documentation_odd_ones_out",
    "encode_text",
    "full_softmax_graph",
    "hierarchical_softmax_graph",
    "keep_probabilities",
    "nce_gradients",
    "nce_graph",
    "nce_loss",
    "negative_sampling_graph",
    "negative_sampling_step",
    "odd_one_out",
    "pairs",
    "read_analogies",
    "read_word_pairs",
    "sampled_softmax_gradients",
    "sampled_softmax_graph",
    "sampled_softmax_loss",
    "save_projector",
    "window_batches",
    "word_analogies",
    "word_similarity",
]
