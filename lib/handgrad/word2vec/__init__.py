"""word2vec: from text to vectors, each part a file that can be read on its own."""

from handgrad.word2vec.keyed_vectors import KeyedVectors, UnknownWordError
from handgrad.word2vec.objectives import NegativeSampling, negative_sampling_graph, negative_sampling_step
from handgrad.word2vec.sampling import NoiseDistribution, keep_probabilities
from handgrad.word2vec.trainer import Trainer, TrainingConfig
from handgrad.word2vec.vocabulary import Vocabulary
from handgrad.word2vec.windows import window_centers

__all__ = [
    "KeyedVectors",
    "NegativeSampling",
    "NoiseDistribution",
    "Trainer",
    "TrainingConfig",
    "UnknownWordError",
    "Vocabulary",
    "keep_probabilities",
    "negative_sampling_graph",
    "negative_sampling_step",
    "window_centers",
]
