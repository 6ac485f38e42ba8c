"""Explorers: pictures that a reader can turn, in a notebook and on a page alike.

Each is one class in a file of its name: ``WindowExplorer`` in window.py computes what there is to see and draws it
standing still, and window.js shows it alive. The function beside the class makes it from what a reader has at hand.
What several explorers use is in ``parts/``; begin there with host.py, which takes them to a notebook or a page.
"""

from handgrad.show.explorers.bending import bend_space
from handgrad.show.explorers.descent import descend
from handgrad.show.explorers.embedding_map import embedding_map
from handgrad.show.explorers.frame import explore
from handgrad.show.explorers.graph_stepper import step_through
from handgrad.show.explorers.huffman import huffman_explorer
from handgrad.show.explorers.jacobian import jacobian_explorer
from handgrad.show.explorers.nce import nce_explorer
from handgrad.show.explorers.noise import noise_explorer
from handgrad.show.explorers.training_replay import replay_training
from handgrad.show.explorers.window import window_explorer

__all__ = [
    "bend_space",
    "descend",
    "embedding_map",
    "explore",
    "huffman_explorer",
    "jacobian_explorer",
    "nce_explorer",
    "noise_explorer",
    "replay_training",
    "step_through",
    "window_explorer",
]
