"""One row for each differentiable gate: how to make it, inputs to try it on, and the same thing in torch."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

import handgrad as hg
from handgrad.word2vec import CBOW, FullSoftmax, HierarchicalSoftmax, NegativeSampling, SkipGram
from handgrad.word2vec.objectives import NCE, LogisticLosses, SampledSoftmax


@dataclass(frozen=True)
class GateCase:
    name: str
    make_gate: Callable
    shapes: list  # of the float inputs
    torch_function: Callable
    fixed: list = field(default_factory=list)  # inputs after those, always the same: ids, labels, expected counts
    broadcasts: bool = False  # also tried on a number and a matrix
    domain: Callable = lambda x: x  # moves any input to where the gate is defined
    largest: float = 1000.0  # inputs of this size are in the domain,
    smallest: float = 1e-310  # and so are inputs of this one
    batched: tuple = ()  # the inputs whose first axis is a batch
    analytic: bool = True  # forward takes complex numbers, so that the complex step can be an oracle

    def inputs(self, seed, dtype=np.float64, scale=1.0, rows=None):
        rng = np.random.default_rng(seed)
        floats = [self.domain(scale * rng.standard_normal(s)).astype(dtype)[()] for s in self.shapes]
        inputs = floats + list(self.fixed)
        return [x if rows is None or i not in self.batched else x[:rows] for i, x in enumerate(inputs)]


def torch_logistic(h, U, rows, answers, counted):
    """A yes-or-no question about each score h_bc·u_r, where it counts."""
    score = h @ U[rows.clamp(min=0)].transpose(1, 2)  # (B, C, R)
    sign = 2 * answers[:, None].to(h.dtype) - 1
    return -(torch.nn.functional.logsigmoid(sign * score) * counted[:, None]).sum(-1)


def torch_negative_sampling(h, U, targets, negatives):
    words = torch.cat([targets[:, None], negatives], dim=1)
    first = torch.arange(words.shape[1]) == 0
    return torch_logistic(h, U, words, first.expand(words.shape), first | (words != targets[:, None]))


def torch_sampled_logits(h, U, b, labels, sampled, true_expected, sampled_expected, hits_out):
    """The scores of true and of sampled words, corrected, (B, C, T) and (B, C, m)."""
    true = h @ U[labels].transpose(1, 2) + (b[labels] - true_expected.log())[:, None]
    noise = h @ U[sampled].T + b[sampled] - sampled_expected.log()
    hits = (labels[:, :, None] == sampled).any(1)[:, None] & hits_out
    return true, noise + torch.where(hits, torch.finfo(torch.float32).min, 0.0)


def torch_nce(*inputs, hits_out=False):
    true, noise = torch_sampled_logits(*inputs, hits_out)
    z = torch.cat([torch.full_like(true, 1 / true.shape[-1]), torch.zeros_like(noise)], dim=-1)
    return binary_cross_entropy_with_logits(torch.cat([true, noise], dim=-1), z, reduction="none").sum(-1)


def torch_sampled_softmax(*inputs, hits_out=True):
    true, noise = torch_sampled_logits(*inputs, hits_out)
    return -torch.cat([true, noise], dim=-1).log_softmax(-1)[..., : true.shape[-1]].mean(-1)


def torch_mean_of_inputs(V, inputs):
    there = (inputs >= 0).to(V.dtype)[:, :, None]
    return ((V[inputs.clamp(min=0)] * there).sum(1) / there.sum(1).clamp(min=1))[:, None]


def away_from_zero(x):
    return np.asarray(x + np.copysign(0.5, x))


def positive(x):
    return np.asarray(np.abs(x) + np.finfo(np.float64).tiny)


def ids(*values):
    return np.array(values)


def expected_of(*words):
    """Expected counts of words, above 0: those of a common word are large."""
    return 2.0 / (1 + ids(*words))


GATE_CASES = [
    GateCase("add", hg.Add, [(3, 2), (3, 2)], torch.add, broadcasts=True),
    GateCase("add a bias row", hg.Add, [(3, 2), (2,)], torch.add),
    GateCase("add one column", hg.Add, [(3, 1), (3, 2)], torch.add),
    GateCase("subtract", hg.Subtract, [(3, 2), (3, 2)], torch.sub, broadcasts=True),
    GateCase("subtract a stretched axis", hg.Subtract, [(1, 2), (3, 1)], torch.sub),
    GateCase("multiply", hg.Multiply, [(3, 2), (3, 2)], torch.mul, broadcasts=True),
    GateCase("multiply outer", hg.Multiply, [(4, 1, 2), (3, 1)], torch.mul),
    GateCase("divide", hg.Divide, [(3, 2), (3, 2)], torch.div, broadcasts=True, domain=away_from_zero, batched=(0, 1)),
    GateCase("divide by a stretched axis", hg.Divide, [(3, 2), (3, 1)], torch.div, domain=away_from_zero),
    GateCase("cube", lambda: hg.Power(3), [(3, 2)], lambda x: x**3, batched=(0,)),
    GateCase("square root", lambda: hg.Power(0.5), [(3, 2)], torch.sqrt, domain=lambda x: positive(x) + 0.1),
    GateCase("reciprocal", lambda: hg.Power(-1), [(3, 2)], torch.reciprocal, domain=away_from_zero),
    GateCase("power of zero", lambda: hg.Power(0), [(3, 2)], lambda x: x**0),
    GateCase("exp", hg.Exp, [(3, 2)], torch.exp, largest=200.0, batched=(0,)),
    GateCase("log", hg.Log, [(3, 2)], torch.log, domain=lambda x: positive(x) + 0.01, batched=(0,)),
    GateCase("max", hg.Max, [(3, 2), (3, 2)], torch.maximum, broadcasts=True, analytic=False, batched=(0, 1)),
    GateCase("sum", hg.Sum, [(3, 2)], torch.sum),
    GateCase("sum of columns", lambda: hg.Sum(axis=0), [(3, 2)], lambda x: x.sum(0)),
    GateCase("sum of rows", lambda: hg.Sum(axis=-1), [(3, 2)], lambda x: x.sum(-1)),
    GateCase("mean", hg.Mean, [(3, 2)], torch.mean),
    GateCase("mean of columns", lambda: hg.Mean(axis=0), [(3, 2)], lambda x: x.mean(0)),
    GateCase("mean of two axes", lambda: hg.Mean(axis=(0, 2)), [(3, 2, 4)], lambda x: x.mean((0, 2))),
    GateCase("concat", hg.Concat, [(3, 2), (3, 1), (3, 4)], lambda *x: torch.cat(x, dim=-1), batched=(0, 1, 2)),
    GateCase("concat rows", lambda: hg.Concat(axis=0), [(3, 2), (1, 2)], lambda *x: torch.cat(x, dim=0)),
    GateCase("concat nothing to something", hg.Concat, [(3, 0), (3, 2)], lambda *x: torch.cat(x, dim=-1)),
    GateCase("reshape", lambda: hg.Reshape(-1, 3), [(3, 2)], lambda x: x.reshape(-1, 3)),
    GateCase("transpose", hg.Transpose, [(3, 2)], lambda x: x.T),
    GateCase(
        "transpose, axes from the end", lambda: hg.Transpose(-1, 0, 1), [(3, 2, 4)], lambda x: x.permute(-1, 0, 1)
    ),
    GateCase("transpose axes", lambda: hg.Transpose(2, 0, 1), [(3, 2, 4)], lambda x: x.permute(2, 0, 1)),
    GateCase("matmul", hg.MatMul, [(3, 4), (4, 2)], torch.matmul, batched=(0,)),
    GateCase("affine", hg.Affine, [(3, 4), (4, 2), (2,)], lambda x, W, b: x @ W + b, batched=(0,)),
    GateCase("affine, one row", hg.Affine, [(1, 4), (4, 2), (2,)], lambda x, W, b: x @ W + b),
    GateCase("sigmoid", hg.Sigmoid, [(3, 2)], torch.sigmoid, batched=(0,)),
    GateCase("tanh", hg.Tanh, [(3, 2)], torch.tanh, batched=(0,)),
    GateCase("relu", hg.ReLU, [(3, 2)], torch.relu, analytic=False, batched=(0,)),
    GateCase("softmax", hg.Softmax, [(3, 5)], lambda x: x.softmax(-1), batched=(0,)),
    GateCase("softmax of one row of scores", hg.Softmax, [(5,)], lambda x: x.softmax(-1)),
    GateCase("log-softmax", hg.LogSoftmax, [(3, 5)], lambda x: x.log_softmax(-1), batched=(0,)),
    GateCase(
        "softmax cross-entropy",
        hg.SoftmaxCrossEntropy,
        [(3, 5)],
        lambda x, labels: cross_entropy(x, labels, reduction="none"),
        fixed=[ids(4, 0, 4)],
        batched=(0, 1),
    ),
    GateCase(
        "sigmoid cross-entropy",
        hg.SigmoidCrossEntropy,
        [(3, 2), (3, 2)],
        lambda x, label: binary_cross_entropy_with_logits(x, label, reduction="none"),
        batched=(0, 1),
    ),
    GateCase(
        "sigmoid cross-entropy, integer labels",
        hg.SigmoidCrossEntropy,
        [(3, 2)],
        lambda x, label: binary_cross_entropy_with_logits(x, label.to(x.dtype), reduction="none"),
        fixed=[ids([0, 1], [1, 1], [0, 0])],
    ),
    GateCase(
        "lookup with repeated ids",
        hg.EmbeddingLookup,
        [(5, 3)],
        lambda table, i: table[i],
        fixed=[ids([1, 1], [4, 1])],
        batched=(1,),
    ),
    GateCase("row dot", hg.RowDot, [(3, 4), (3, 4)], lambda x, y: (x * y).sum(-1), batched=(0, 1)),
    GateCase("row dot, broadcast", hg.RowDot, [(3, 1, 4), (3, 2, 4)], lambda x, y: (x * y).sum(-1)),
    GateCase(
        "skip-gram",
        SkipGram,
        [(6, 3)],
        lambda V, inputs: V[inputs.clamp(min=0)] * (inputs >= 0)[:, :, None],
        fixed=[ids([0, 3, -1], [-1, -1, -1], [3, 3, 5])],
        batched=(1,),
    ),
    GateCase(
        "CBOW",
        CBOW,
        [(6, 3)],
        torch_mean_of_inputs,
        fixed=[ids([0, 3, -1], [-1, -1, -1], [3, 3, 5])],
        batched=(1,),
        analytic=False,
    ),
    GateCase(
        "questions to three predictions a row",
        LogisticLosses,
        [(2, 3, 4), (6, 4)],
        torch_logistic,
        fixed=[ids([1, 1, 0], [5, 2, 2]), ids([True, False, True], [False] * 3), ids([True] * 3, [True, False, True])],
        batched=(0, 2, 3, 4),
        analytic=False,
    ),
    GateCase(
        "negative sampling",
        NegativeSampling,
        [(3, 2, 4), (6, 4)],
        torch_negative_sampling,
        fixed=[ids(1, 1, 5), ids([2, 2], [1, 3], [0, 4])],  # repeats, and one accidental hit
        batched=(0, 2, 3),
        analytic=False,
    ),
    GateCase(
        "hierarchical softmax",
        HierarchicalSoftmax,
        [(3, 2, 4), (5, 4)],
        lambda h, U, nodes, codes: torch_logistic(h, U, nodes, codes == 0, nodes >= 0),
        fixed=[ids([4, 3, 1], [4, -1, -1], [4, 3, 1]), ids([0, 1, 1], [1, 0, 0], [0, 1, 0])],
        batched=(0, 2, 3),
        analytic=False,
    ),
    GateCase(
        "full softmax",
        FullSoftmax,
        [(3, 2, 4), (6, 4)],
        lambda h, U, targets: -(h @ U.T).log_softmax(-1)[torch.arange(len(targets)), :, targets],
        fixed=[ids(4, 0, 4)],
        batched=(0, 2),
    ),
    GateCase(
        "NCE",
        NCE,
        [(3, 2, 4), (6, 4), (6,)],
        torch_nce,
        fixed=[ids([1], [1], [5]), ids(2, 1, 2, 0), expected_of([1], [1], [5]), expected_of(2, 1, 2, 0)],
        batched=(0, 3, 5),
        analytic=False,
    ),
    GateCase(
        "NCE, three true words, hits removed",
        lambda: NCE(remove_accidental_hits=True),
        [(2, 2, 4), (6, 4), (6,)],
        lambda *inputs: torch_nce(*inputs, hits_out=True),
        fixed=[ids([1, 3, 1], [0, 2, 5]), ids(2, 1, 2), expected_of([1, 3, 1], [0, 2, 5]), expected_of(2, 1, 2)],
        batched=(0, 3, 5),
        analytic=False,
    ),
    GateCase(
        "sampled softmax",
        SampledSoftmax,
        [(3, 2, 4), (6, 4), (6,)],
        torch_sampled_softmax,
        fixed=[ids([1], [1], [5]), ids(2, 1, 2, 0), expected_of([1], [1], [5]), expected_of(2, 1, 2, 0)],
        batched=(0, 3, 5),
    ),
    GateCase(
        "sampled softmax, three true words, hits stay",
        lambda: SampledSoftmax(remove_accidental_hits=False),
        [(2, 2, 4), (6, 4), (6,)],
        lambda *inputs: torch_sampled_softmax(*inputs, hits_out=False),
        fixed=[ids([1, 3, 1], [0, 2, 5]), ids(2, 1, 2), expected_of([1, 3, 1], [0, 2, 5]), expected_of(2, 1, 2)],
        batched=(0, 3, 5),
    ),
]
