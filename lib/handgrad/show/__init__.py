"""What the book's pages show: checked gradients, figures, drawings of graphs, explorers, the library's own source."""

from handgrad.show.drawing import draw
from handgrad.show.explorers import (
    bend_space,
    descend,
    embedding_map,
    explore,
    huffman_explorer,
    jacobian_explorer,
    nce_explorer,
    noise_explorer,
    replay_training,
    step_through,
    window_explorer,
)
from handgrad.show.figures import figure, use_book_style
from handgrad.show.gate_table import GateTable
from handgrad.show.source import source
from handgrad.show.verification import Verification, verify

__all__ = [
    "GateTable",
    "Verification",
    "bend_space",
    "descend",
    "draw",
    "embedding_map",
    "explore",
    "figure",
    "huffman_explorer",
    "jacobian_explorer",
    "nce_explorer",
    "noise_explorer",
    "replay_training",
    "source",
    "step_through",
    "use_book_style",
    "verify",
    "window_explorer",
]
