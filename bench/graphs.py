"""Forward and backward of two graphs, beside the same models in torch eager: the ratio, in one run.

    make bench          (or: python bench/graphs.py)

A ratio above 1 means that handgrad is faster. Both run in turn, in one process, in float32 and with one thread; each
figure is the median over many pairs. Embeddings are sparse on both sides. Labels are integers for handgrad, which
have no gradient; torch wants floats, and gives them none.
"""

import argparse
import os
import statistics
import time

os.environ["OMP_NUM_THREADS"] = "1"  # read when NumPy is imported: with two, its products would look twice as fast

import numpy as np
import torch
from torch.nn.functional import binary_cross_entropy_with_logits, embedding

import handgrad as hg
from handgrad import Node, Parameter

WINDOW, D, HIDDEN, V, SAMPLED = 5, 50, 100, 50_000, 64


def window_classifier(rng, batch):
    """Is the word in the middle of the window a place? Lookup, two affine maps, tanh, cross-entropy."""
    table, W1, b1, W2, b2 = (
        rng.standard_normal(shape, dtype=np.float32) / 10
        for shape in [(V, D), (WINDOW * D, HIDDEN), (HIDDEN,), (HIDDEN, 1), (1,)]
    )
    ids, labels = rng.integers(0, V, (batch, WINDOW)), rng.integers(0, 2, (batch, 1), dtype=np.int8)
    words = hg.Reshape(-1, WINDOW * D)(hg.EmbeddingLookup()(Parameter("table", table), Node("ids")))
    hidden = hg.Tanh()(hg.Affine()(words, Parameter("W1", W1), Parameter("b1", b1)))
    score = hg.Affine()(hidden, Parameter("W2", W2), Parameter("b2", b2))
    graph = hg.ComputationalGraph(hg.Mean()(hg.SigmoidCrossEntropy()(score, Node("labels"))))

    t_table, t_W1, t_b1, t_W2, t_b2 = parameters = [
        torch.tensor(a, requires_grad=True) for a in (table, W1, b1, W2, b2)
    ]
    t_ids, t_labels = torch.tensor(ids), torch.tensor(labels, dtype=torch.float32)

    def torch_loss():
        x = embedding(t_ids, t_table, sparse=True).reshape(-1, WINDOW * D)
        return binary_cross_entropy_with_logits(torch.tanh(x @ t_W1 + t_b1) @ t_W2 + t_b2, t_labels)

    return graph, {"ids": ids, "labels": labels}, torch_loss, parameters


def nce(rng, batch):
    """One true and 64 sampled words against log expected counts; the samples are shared by the batch."""
    center, W, b = (rng.standard_normal(s, dtype=np.float32) / 10 for s in [(V, D), (V, D), (V, 1)])
    ids, true, sampled = rng.integers(0, V, batch), rng.integers(0, V, (batch, 1)), rng.integers(0, V, SAMPLED)
    log_counts = np.log(rng.uniform(1e-3, 1, (batch, 1 + SAMPLED))).astype(np.float32)
    labels = np.zeros((batch, 1 + SAMPLED), np.int8)
    labels[:, 0] = 1
    x, W_node, b_node = (
        hg.EmbeddingLookup()(Parameter("center", center), Node("ids")),
        Parameter("W", W),
        Parameter("b", b),
    )
    S, L = Node("sampled"), Node("true")
    x_rows = hg.Reshape(-1, 1, D)(x)
    true_score = hg.Add()(
        hg.RowDot()(x_rows, hg.EmbeddingLookup()(W_node, L)), hg.Reshape(-1, 1)(hg.EmbeddingLookup()(b_node, L))
    )
    sampled_score = hg.Add()(
        hg.MatMul()(x, hg.Transpose()(hg.EmbeddingLookup()(W_node, S))),
        hg.Reshape(SAMPLED)(hg.EmbeddingLookup()(b_node, S)),
    )
    logits = hg.Subtract()(hg.Concat()(true_score, sampled_score), Node("log_counts"))
    row_sums = hg.Sum(axis=1)(hg.SigmoidCrossEntropy()(logits, Node("labels")))
    graph = hg.ComputationalGraph(hg.Mean()(row_sums))

    t_center, t_W, t_b = parameters = [torch.tensor(a, requires_grad=True) for a in (center, W, b)]
    t_ids, t_true, t_sampled, t_log = map(torch.tensor, (ids, true, sampled, log_counts))
    t_labels = torch.tensor(labels, dtype=torch.float32)

    def torch_loss():
        v = embedding(t_ids, t_center, sparse=True)
        true_score = (v[:, None] * embedding(t_true, t_W, sparse=True)).sum(-1) + embedding(t_true, t_b, sparse=True)[
            ..., 0
        ]
        sampled_score = v @ embedding(t_sampled, t_W, sparse=True).T + embedding(t_sampled, t_b, sparse=True)[:, 0]
        logits = torch.cat([true_score, sampled_score], dim=1) - t_log
        return binary_cross_entropy_with_logits(logits, t_labels, reduction="none").sum(1).mean()

    feeds = {"ids": ids, "true": true, "sampled": sampled, "log_counts": log_counts, "labels": labels}
    return graph, feeds, torch_loss, parameters


def compare(model, batch, seconds=2.0):
    """The median time of each side, alternating; first that both compute the same."""
    graph, feeds, torch_loss, parameters = model(np.random.default_rng(0), batch)

    def ours():
        loss = graph.forward(feeds)
        graph.backward()
        return float(loss)

    def theirs():
        for parameter in parameters:
            parameter.grad = None
        loss = torch_loss()
        loss.backward()
        return loss.item()

    assert abs(ours() - theirs()) < 1e-4 * abs(theirs())
    times = {ours: [], theirs: []}
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        for side, measured in times.items():
            started = time.perf_counter()
            side()
            measured.append(time.perf_counter() - started)
    return statistics.median(times[ours]), statistics.median(times[theirs]), len(times[ours])


def lookup_time(rows):
    """The median time of a lookup of 1,000 rows, forward and backward, in a table of so many."""
    table, ids = np.zeros((rows, D), np.float32), np.random.default_rng(0).integers(0, rows, 1000)
    graph = hg.ComputationalGraph(hg.Sum()(hg.EmbeddingLookup()(Parameter("table", table), Node("ids"))))
    times = []
    for _ in range(200):
        started = time.perf_counter()
        graph.forward(ids=ids)
        graph.backward()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=2.0, help="for each comparison")
    seconds = parser.parse_args().seconds
    torch.set_num_threads(1)
    print(f"{'graph':18} {'batch':>5} {'handgrad':>12} {'torch':>12} {'ratio':>6}  pairs")
    for model in (window_classifier, nce):
        for batch in (1, 32, 1024):
            ours, theirs, pairs = compare(model, batch, seconds)
            figures = f"{ours * 1e6:9.0f} µs {theirs * 1e6:9.0f} µs {theirs / ours:6.2f}  {pairs}"
            print(f"{model.__name__:18} {batch:5} {figures}")
    small, large = lookup_time(10**4), lookup_time(10**6)
    print(f"lookup of 1,000 rows, V = 10^6 against 10^4: {large / small:.2f} times as long")


if __name__ == "__main__":
    main()
