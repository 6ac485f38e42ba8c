"""One row for each objective: its fused gate, its graph, and what both are fed for the same batch."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn.functional import cross_entropy, logsigmoid

from handgrad.word2vec import (
    FullSoftmax,
    HierarchicalSoftmax,
    HuffmanTree,
    NegativeSampling,
    full_softmax_graph,
    hierarchical_softmax_graph,
    negative_sampling_graph,
)

WORDS, D = 8, 4
TREE = HuffmanTree([20, 11, 7, 5, 3, 2, 1, 1])


@dataclass(frozen=True)
class ObjectiveCase:
    name: str
    make_gate: Callable
    make_graph: Callable  # (V, U, model)
    rows_of_U: int
    samples: Callable  # (rng, targets) -> what the gate takes after h and U
    feeds: Callable  # those samples -> what the graph is fed, but for the inputs
    torch_losses: Callable  # (h (B, D), U, *samples) -> losses (B,)

    def tables(self, seed=0):
        rng = np.random.default_rng(seed)
        return rng.standard_normal((WORDS, D)), rng.standard_normal((self.rows_of_U, D))


def draw_negatives(rng, targets, K=5):
    return targets, rng.integers(0, WORDS, (len(targets), K))


def negative_sampling_feeds(targets, negatives):
    words = np.concatenate([targets[:, None], negatives], axis=1)
    labels, weights = np.zeros((2, *words.shape))
    labels[:, 0] = weights[:, 0] = 1
    weights[:, 1:] = negatives != targets[:, None]
    return {"words": words, "labels": labels, "weights": weights}


def torch_logistic(h, U, rows, labels, weights):
    score = (h[:, None] * U[rows]).sum(-1)
    return -(logsigmoid(torch.tensor(2 * labels - 1) * score) * torch.tensor(weights)).sum(-1)


def find_paths(rng, targets):
    return TREE.paths(targets)


def path_feeds(nodes, codes):
    return {
        "nodes": np.where(nodes < 0, nodes[:, :1], nodes),
        "labels": 1.0 - codes,
        "weights": (nodes >= 0).astype(float),
    }


OBJECTIVE_CASES = [
    ObjectiveCase(
        "negative sampling",
        NegativeSampling,
        negative_sampling_graph,
        WORDS,
        draw_negatives,
        negative_sampling_feeds,
        lambda h, U, *samples: torch_logistic(h, U, *negative_sampling_feeds(*samples).values()),
    ),
    ObjectiveCase(
        "hierarchical softmax",
        HierarchicalSoftmax,
        hierarchical_softmax_graph,
        TREE.inner_nodes,
        find_paths,
        path_feeds,
        lambda h, U, *samples: torch_logistic(h, U, *path_feeds(*samples).values()),
    ),
    ObjectiveCase(
        "full softmax",
        FullSoftmax,
        full_softmax_graph,
        WORDS,
        lambda rng, targets: (targets,),
        lambda targets: {"targets": targets},
        lambda h, U, targets: cross_entropy(h @ U.T, torch.tensor(targets), reduction="none"),
    ),
]
