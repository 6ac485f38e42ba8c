"""NCE and sampled softmax: exact numbers, every form against the others, and what they tend to."""

from decimal import Decimal, localcontext

import numpy as np
import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from handgrad import check_gate, check_graph
from handgrad.errors import InputError
from handgrad.word2vec.objectives.models import MODELS
from handgrad.word2vec.objectives.nce import (
    FLT_MAX,
    NCE,
    SampledSoftmax,
    nce_gradients,
    nce_graph,
    nce_loss,
    sampled_softmax_gradients,
    sampled_softmax_graph,
    sampled_softmax_loss,
)
from handgrad.word2vec.objectives.noise import LogUniformNoise, SampledValues, UnigramNoise

FORMS = {
    NCE: (nce_loss, nce_gradients, nce_graph),
    SampledSoftmax: (sampled_softmax_loss, sampled_softmax_gradients, sampled_softmax_graph),
}
both = pytest.mark.parametrize("gate", FORMS)
with_and_without_hits = pytest.mark.parametrize("hits_out", [False, True], ids=["hits stay", "hits out"])
one_or_three_true = pytest.mark.parametrize("T", [1, 3])
WORDS, D = 7, 3


def batch(T, seed=0, scale=1.0, dtype=np.float64, B=4):
    """weights, biases, labels, inputs, sampled_values. Ids repeat in the sample, in the labels and across them."""
    rng = np.random.default_rng(seed)
    W, b, x = (np.sqrt(scale) * rng.standard_normal(s) for s in [(WORDS, D), WORDS, (B, D)])  # scores go with the scale
    labels = rng.integers(0, WORDS, (B, T))
    ids = np.array([2, 5, 2, 0, 6, 5], np.int32)
    labels[0], labels[1, 0] = 2, 5
    E_true, E_ids = rng.uniform(0.05, 2, labels.shape), rng.uniform(0.05, 2, len(ids))
    return W.astype(dtype), b.astype(dtype), labels, x.astype(dtype), SampledValues(ids, E_true, E_ids)


def dense(gradient):
    return gradient.to_dense() if hasattr(gradient, "to_dense") else gradient


def number_by_number(gate, hits_out, W, b, labels, x, values, dz):
    """Losses and gradients from the formulas, one number at a time, with 50 digits."""
    with localcontext(prec=50):
        exact = np.vectorize(lambda number: Decimal(float(number)), otypes=[object])
        W, b, x, dz, E_true, E_ids = (exact(a) for a in (W, b, x, dz, values[1], values[2]))
        dW, db, dx, dE_true, dE_ids = (0 * a for a in (W, b, x, E_true, E_ids))
        losses = []
        for i, row in enumerate(labels):
            T = len(row)
            words, E = [*row, *values[0]], [*E_true[i], *E_ids]
            logits = [sum(x[i] * W[w]) + b[w] for w in words]
            if hits_out:
                for place in range(T, len(words)):
                    logits[place] += Decimal(-FLT_MAX) if words[place] in row else 0
            logits = [logit - e.ln() for logit, e in zip(logits, E, strict=True)]
            z = [Decimal(1) / T if place < T else 0 for place in range(len(words))]
            loss, errors = {NCE: sigmoid_cross_entropy, SampledSoftmax: softmax_cross_entropy}[gate](logits, z)
            losses.append(loss)
            for place, w in enumerate(words):
                error = errors[place] * dz[i]
                dx[i] += error * W[w]
                dW[w] += error * x[i]
                db[w] += error
                if place < T:
                    dE_true[i, place] -= error / E[place]
                else:
                    dE_ids[place - T] -= error / E[place]
        return [np.array(a).astype(float) for a in (losses, dW, db, dx, dE_true, dE_ids)]


def sigmoid_cross_entropy(logits, z):
    """The loss and its slopes σ(s) - z, in exact arithmetic."""
    pairs = list(zip(logits, z, strict=True))
    loss = sum(max(s, 0) - s * t + (1 + (-abs(s)).exp()).ln() for s, t in pairs)
    return loss, [min(s, Decimal(0)).exp() / (1 + (-abs(s)).exp()) - t for s, t in pairs]


def softmax_cross_entropy(logits, z):
    """The loss and its slopes softmax(s) - z, in exact arithmetic."""
    top, pairs = max(logits), list(zip(logits, z, strict=True))
    log_Z = top + sum((s - top).exp() for s in logits).ln()
    return sum(t * (log_Z - s) for s, t in pairs), [(s - log_Z).exp() - t for s, t in pairs]


@both
@one_or_three_true
@with_and_without_hits
@pytest.mark.parametrize("dtype, scale, digits", [("float64", 1, 1e-13), ("float64", 1e3, 1e-12), ("float32", 1, 2e-6)])
def test_losses_and_all_gradients_are_those_of_exact_arithmetic(gate, T, hits_out, dtype, scale, digits):
    W, b, labels, x, values = batch(T, seed=T, scale=scale, dtype=dtype)
    assert (labels[:, :, None] == values.ids).any()  # hits
    dz = np.random.default_rng(1).standard_normal(len(x)).astype(dtype)
    fused = gate(hits_out)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        losses = fused.forward(x[:, None], W, b, labels, *values)[:, 0]
        dx, dW, db, none, nothing, *dE = fused.backward(dz[:, None])
    ours = [losses, dW.to_dense(), db.to_dense(), dx[:, 0], *dE]
    assert none is None and nothing is None and {a.dtype for a in ours[:4]} == {np.dtype(dtype)}
    for mine, exact in zip(ours, number_by_number(gate, hits_out, W, b, labels, x, values, dz), strict=True):
        np.testing.assert_allclose(mine, exact, rtol=digits, atol=digits * np.abs(exact).max())


@both
@one_or_three_true
@with_and_without_hits
def test_the_functions_have_tensorflows_order_and_give_what_the_gate_gives(gate, T, hits_out):
    W, b, labels, x, values = batch(T)
    loss, gradients, _ = FORMS[gate]
    fused = gate(hits_out)
    losses = fused.forward(x[:, None], W, b, labels, *values)[:, 0]
    np.testing.assert_array_equal(loss(W, b, labels, x, values, hits_out), losses)
    dh, dW, db, *_ = fused.backward(np.full((len(x), 1), 1 / len(x)))
    of_mean = gradients(W, b, labels, x, values, hits_out, dz=1 / len(x))
    for mine, expected in zip(of_mean, (dW, db, dh[:, 0]), strict=True):
        np.testing.assert_allclose(dense(mine), dense(expected), rtol=1e-15)
    assert of_mean.weights.shape == W.shape and of_mean.biases.shape == b.shape and of_mean.inputs.shape == x.shape
    of_sum = gradients(W, b, labels, x, values, hits_out)
    weighted = gradients(W, b, labels, x, values, hits_out, dz=losses)
    np.testing.assert_allclose(dense(of_sum.weights), len(x) * dense(of_mean.weights), rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(weighted.inputs, losses[:, None] * of_sum.inputs, rtol=1e-13)


def test_hits_stay_in_nce_and_go_from_sampled_softmax_unless_told_otherwise():
    given = batch(1)
    for gate, by_default in [(NCE, False), (SampledSoftmax, True)]:
        loss, gradients, _ = FORMS[gate]
        np.testing.assert_array_equal(loss(*given), loss(*given, by_default))
        np.testing.assert_array_equal(gradients(*given).inputs, gradients(*given, by_default).inputs)
        assert gate().remove_accidental_hits == by_default
        assert (loss(*given) != loss(*given, not by_default)).any()


def test_labels_of_one_axis_are_one_true_word_each():
    W, b, labels, x, (ids, E_true, E_ids) = batch(1)
    for loss in (nce_loss, sampled_softmax_loss):
        expected = loss(W, b, labels, x, (ids, E_true, E_ids))
        for E in (E_true, E_true[:, 0]):
            np.testing.assert_array_equal(loss(W, b, labels[:, 0], x, (ids, E, E_ids)), expected)


def test_lists_of_whole_numbers_are_taken_as_numbers():
    given = [[[1, 2], [0, 1]], [0, 1], [0], [[2, 3]], ([1], [0.5], [2.0])]
    x = np.array([8 - np.log(0.5), 4 - np.log(2)])  # 1·2 + 2·3 + 0, and 1·3 + 1
    assert nce_loss(*given) == pytest.approx(np.log1p(np.exp([-x[0], x[1]])).sum())
    assert nce_gradients(*given).inputs.dtype == np.float64


def test_nce_worked_by_hand():
    """One input of 1, no biases. True: log 6 - log 2 = log 3. Noise: log 5 - log 10 = log 1/2."""
    W, b, x = np.log([[6.0], [5.0]]), np.zeros(2), np.ones((1, 1))
    given = W, b, np.array([[0]]), x, (np.array([1]), np.array([[2.0]]), np.array([10.0]))
    assert nce_loss(*given)[0] == pytest.approx(np.log(4 / 3) + np.log(3 / 2), rel=1e-14)  # σ: 3/4, and 1 - 1/3
    dW, db, dx = nce_gradients(*given)
    np.testing.assert_allclose(db.to_dense(), [3 / 4 - 1, 1 / 3], rtol=1e-14)
    np.testing.assert_allclose(dW.to_dense()[:, 0], [3 / 4 - 1, 1 / 3], rtol=1e-14)
    np.testing.assert_allclose(dx, [[-np.log(6) / 4 + np.log(5) / 3]], rtol=1e-13)


def test_nce_with_three_true_words_worked_by_hand():
    """Each corrected score is log 3, so σ = 3/4; the targets are 1/3, 1/3, 1/3, 0. Word 0 is true twice, and noise."""
    W, b, x = np.zeros((2, 1)), np.log([3.0, 6.0]), np.ones((1, 1))
    given = W, b, np.array([[0, 1, 0]]), x, (np.array([0]), np.array([[1.0, 2.0, 1.0]]), np.array([1.0]))
    assert nce_loss(*given)[0] == pytest.approx(4 * np.log(4) - np.log(3), rel=1e-14)
    soft = 3 / 4 - 1 / 3
    np.testing.assert_allclose(nce_gradients(*given).biases.to_dense(), [2 * soft + 3 / 4, soft], rtol=1e-14)
    assert nce_loss(*given, remove_accidental_hits=True)[0] == pytest.approx(3 * np.log(4) - np.log(3), rel=1e-14)


def test_sampled_softmax_worked_by_hand():
    """e^x: 3, 2, 1 of the true words, 2 and 4 of the noise; the 4 is word 1 again."""
    W, x, ids = np.zeros((4, 1)), np.ones((1, 1)), np.array([3, 1])
    b = np.log([3.0, 4.0, 1.0, 2.0])
    given = W, b, np.array([[0, 1, 2]]), x, (ids, np.array([[1.0, 2.0, 1.0]]), np.array([1.0, 1.0]))
    assert sampled_softmax_loss(*given)[0] == pytest.approx(np.log(8) - np.log(3 * 2 * 1) / 3, rel=1e-14)
    shares = np.array([3, 2, 1, 2]) / 8 - np.array([1, 1, 1, 0]) / 3
    np.testing.assert_allclose(sampled_softmax_gradients(*given).biases.to_dense(), shares, rtol=1e-14)
    assert sampled_softmax_loss(*given, False)[0] == pytest.approx(np.log(12) - np.log(6) / 3, rel=1e-14)


def test_small_losses_keep_their_digits():
    """Scores of 40 for the true word and of -40 for the noise: NCE is 2 e^-40, sampled softmax e^-80."""
    given = (
        np.array([[40.0], [-40.0]]),
        np.zeros(2),
        [[0]],
        np.ones((1, 1)),
        (np.array([1]), np.ones((1, 1)), np.ones(1)),
    )
    assert nce_loss(*given)[0] == pytest.approx(2 * np.exp(-40), rel=1e-14, abs=0)
    np.testing.assert_allclose(nce_gradients(*given).biases.coalesce()[1][1], np.exp(-40), rtol=1e-14)
    np.testing.assert_allclose(sampled_softmax_gradients(*given).biases.coalesce()[1][1], np.exp(-80), rtol=1e-14)


def torch_losses(gate, hits_out, W, b, labels, x, values):
    ids, E_true, E_ids = values
    true = (x[:, None] * W[labels]).sum(-1) + b[labels]
    noise = x @ W[ids].T + b[ids]
    if hits_out:
        noise = noise + torch.where((labels[:, :, None] == ids).any(1), -FLT_MAX, 0.0)
    logits = torch.cat([true - E_true.log(), noise - E_ids.log()], 1)
    z = torch.zeros_like(logits)
    z[:, : labels.shape[1]] = 1 / labels.shape[1]
    if gate is NCE:
        return binary_cross_entropy_with_logits(logits, z, reduction="none").sum(1)
    return torch.nn.functional.cross_entropy(logits, z, reduction="none")


@both
@one_or_three_true
@with_and_without_hits
def test_torch_differentiates_to_the_same(gate, T, hits_out):
    W, b, labels, x, values = batch(T, seed=3)
    loss, gradients, _ = FORMS[gate]
    tensors = [torch.tensor(a, requires_grad=True) for a in (W, b, x)]
    tW, tb, tx = tensors
    losses = torch_losses(gate, hits_out, tW, tb, torch.tensor(labels), tx, [torch.tensor(v) for v in values])
    dz = np.random.default_rng(4).standard_normal(len(x))
    np.testing.assert_allclose(loss(W, b, labels, x, values, hits_out), losses.detach(), rtol=1e-12)
    theirs = torch.autograd.grad(losses, tensors, torch.tensor(dz))
    for mine, their in zip(gradients(W, b, labels, x, values, hits_out, dz), theirs, strict=True):
        np.testing.assert_allclose(dense(mine), their, rtol=1e-12, atol=1e-13)


def feeds(gate, hits_out, labels, values):
    """What the graphs are fed, but for the inputs."""
    ids, E_true, E_ids = values
    is_true = np.arange(labels.shape[1] + len(ids)) < labels.shape[1]
    z = np.tile(is_true / labels.shape[1], (len(labels), 1))
    return {
        "labels": labels,
        "sampled": ids,
        "hits": np.where((labels[:, :, None] == ids).any(axis=1) & hits_out, -FLT_MAX, 0.0),
        "expected": np.concatenate([E_true, np.broadcast_to(E_ids, (len(labels), len(ids)))], axis=1),
        **({"targets": z} if gate is NCE else {"minus_targets": -z}),
    }


def inputs_for(model, rng, B):
    """Inputs for the fused gates, and the same as the graph wants them."""
    if model == "skipgram":
        inputs = rng.integers(0, WORDS, (B, 1))
        return inputs, {"inputs": inputs}
    inputs = rng.integers(0, WORDS, (B, 3))
    inputs[0, 1:] = -1
    there = inputs >= 0
    return inputs, {"inputs": np.maximum(inputs, 0), "shares": (there / there.sum(axis=1, keepdims=True))[:, :, None]}


@both
@one_or_three_true
@with_and_without_hits
@pytest.mark.parametrize("model", MODELS)
def test_the_fused_gate_equals_its_graph_in_loss_and_every_gradient(gate, T, hits_out, model):
    U, b, labels, _, values = batch(T, seed=6)
    rng = np.random.default_rng(6)
    V = rng.standard_normal((WORDS, D))
    inputs, fed = inputs_for(model, rng, len(labels))
    hidden, fused = MODELS[model][0](), gate(hits_out)
    losses = fused.forward(hidden.forward(V, inputs), U, b, labels, *values)
    dh, dU, db, _, _, dE_true, dE_ids = fused.backward(np.ones_like(losses))
    dV, _ = hidden.backward(dh)
    graph = FORMS[gate][2](V, U, b, model)
    assert graph.forward(fed | feeds(gate, hits_out, labels, values)) == pytest.approx(losses.sum(), rel=1e-12)
    gradients = graph.backward()
    expected = gradients["expected"]
    assert [p.name for p in graph.parameters("out")] == ["out/U", "out/b"]
    for mine, in_graph in [
        (dV, gradients["embed/V"]),
        (dU, gradients["out/U"]),
        (db, gradients["out/b"]),
        (dE_true, expected[:, :T]),
        (dE_ids, expected[:, T:].sum(axis=0)),
    ]:
        np.testing.assert_allclose(dense(mine), dense(in_graph), rtol=1e-12, atol=1e-13)


@both
def test_the_graph_passes_its_own_gradient_check(gate):
    U, b, labels, _, values = batch(3, seed=8)
    V = np.random.default_rng(8).standard_normal((WORDS, D))
    fed = {"inputs": np.array([[0], [1], [1], [5]])} | feeds(gate, False, labels, values)
    check_graph(FORMS[gate][2](V, U, b), fed).raise_if_wrong()


@both
@one_or_three_true
@with_and_without_hits
def test_several_predictions_of_one_row_are_that_many_rows(gate, T, hits_out):
    W, b, labels, _, (ids, E_true, E_ids) = batch(T)
    rng = np.random.default_rng(2)
    h, dz = rng.standard_normal((4, 5, D)), rng.standard_normal((4, 5))
    wide, narrow = gate(hits_out), gate(hits_out)
    losses = wide.forward(h, W, b, labels, ids, E_true, E_ids)
    repeated = np.repeat(labels, 5, axis=0), ids, np.repeat(E_true, 5, axis=0), E_ids
    one_by_one = narrow.forward(h.reshape(20, 1, D), W, b, *repeated)
    np.testing.assert_allclose(losses, one_by_one.reshape(4, 5), rtol=1e-13)
    of_wide, of_narrow = wide.backward(dz), narrow.backward(dz.reshape(20, 1))
    of_narrow[0], of_narrow[5] = of_narrow[0].reshape(h.shape), of_narrow[5].reshape(4, 5, T).sum(axis=1)
    for i in (0, 1, 2, 5, 6):
        np.testing.assert_allclose(dense(of_wide[i]), dense(of_narrow[i]), rtol=1e-12, atol=1e-14)


@both
@one_or_three_true
@with_and_without_hits
def test_the_gate_passes_its_gradient_check(gate, T, hits_out):
    W, b, labels, _, values = batch(T, seed=5)
    h = np.random.default_rng(5).standard_normal((len(labels), 2, D))
    check_gate(gate(hits_out), h, W, b, labels, *values).raise_if_wrong()


@both
@with_and_without_hits
def test_forward_mode_moves_with_every_float_input(gate, hits_out):
    W, b, labels, x, (ids, E_true, E_ids) = batch(3)
    fused, rng = gate(hits_out), np.random.default_rng(5)
    given = [x[:, None], W, b, labels, ids, E_true, E_ids]
    losses = fused.forward(*given)
    floats = [i for i, a in enumerate(given) if a.dtype == np.float64]
    assert floats == [0, 1, 2, 5, 6]
    gradients = fused.backward(dz := rng.standard_normal(losses.shape))
    for moving in [[i] for i in floats] + [floats]:
        tangents = [rng.standard_normal(a.shape) * (i in moving) for i, a in enumerate(given)]
        expected = sum(np.sum(dense(gradients[i]) * tangents[i]) for i in moving)
        assert np.sum(dz * fused.jvp(*tangents)) == pytest.approx(expected, rel=1e-11)


@both
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("score", [-1e3, 0.0, 1e3])
def test_a_hit_that_is_removed_leaves_nothing_behind(gate, dtype, score):
    """Word 1 is the label and in the sample; with it removed, all is as if the sample had been without it."""
    W, b = np.array([[0.5], [score], [-1.0]], dtype), np.array([0.0, 0.25, 0.5], dtype)
    h, labels = np.ones((1, 1, 1), dtype), np.array([[1]])
    removing, without = gate(True), gate(False)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        loss = removing.forward(h, W, b, labels, np.array([0, 1, 2]), np.array([[0.3]]), np.array([0.5, 1e-3, 0.7]))
        gradients = removing.backward(np.ones((1, 1), dtype))
    expected = without.forward(h, W, b, labels, np.array([0, 2]), np.array([[0.3]]), np.array([0.5, 0.7]))
    assert np.isfinite(loss).all() and loss == pytest.approx(expected, rel=1e-6, abs=0)
    for a, e in zip(gradients[:3], without.backward(np.ones((1, 1), dtype))[:3], strict=True):
        np.testing.assert_array_equal(dense(a), dense(e))
    assert gradients[6][1] == 0


def test_each_repetition_of_a_hit_is_removed():
    W, b, x = np.ones((2, 1)), np.zeros(2), np.ones((1, 1))
    thrice = np.array([0, 0, 0]), np.ones((1, 1)), np.ones(3)
    for loss in (nce_loss, sampled_softmax_loss):
        none = loss(W, b, [[0]], x, (np.array([], int), np.ones((1, 1)), np.ones(0)))
        np.testing.assert_allclose(loss(W, b, [[0]], x, thrice, remove_accidental_hits=True), none, rtol=1e-15)


@both
def test_time_and_memory_do_not_grow_with_the_vocabulary(gate):
    huge = 10**9  # tables of 16 and 8 GB, if anything were made in their size
    U = np.lib.stride_tricks.as_strided(np.ones(2), (huge, 2), (0, 8))
    b = np.lib.stride_tricks.as_strided(np.ones(1), (huge,), (0,))
    _, dU, db, *_ = _run(gate(), np.ones((1, 1, 2)), U, b, [[huge - 1]], [3, 0, 3])
    assert dU.shape == (huge, 2) and db.shape == (huge,)
    for gradient in (dU, db):
        assert gradient.coalesce()[0].tolist() == [0, 3, huge - 1]


def _run(gate, h, U, b, labels, sampled, dz=1.0):
    labels, sampled = np.array(labels), np.array(sampled)
    losses = gate.forward(h, U, b, labels, sampled, np.ones(labels.shape), np.ones(sampled.shape))
    return gate.backward(np.full(losses.shape, dz))


# The limits: one example, V 20, noise drawn with replacement, E(k) = m P(k). A gradient is that of h, U and b together.

COUNTS = np.arange(20, 0, -1)
TRUE = 4


def example(Z):
    """h, U and b whose scores s = U h + b have Σ e^s = Z."""
    rng = np.random.default_rng(11)
    h, U, b = rng.standard_normal(4), rng.standard_normal((20, 4)), rng.standard_normal(20)
    return h, U, b - np.log(np.exp(U @ h + b).sum()) + np.log(Z)


def gradient_of_scores(error, h, U):
    """Σ_w error_w ∇s_w, with s = U h + b."""
    return np.concatenate([error @ U, np.outer(error, h).ravel(), error])


def sampled_gradient(gate, sampled, true_expected, sampled_expected, h, U, b):
    fused = gate(remove_accidental_hits=False)
    fused.forward(h[None, None], U, b, np.array([[TRUE]]), sampled, np.array([[true_expected]]), sampled_expected)
    dh, dU, db, *_ = fused.backward(np.ones((1, 1)))
    return np.concatenate([dh.ravel(), dU.to_dense().ravel(), db.to_dense()])


def expected_gradient(gate, times, h, U, b):
    """With each id exactly as often in the sample as it is to be expected, m P(k) = times · COUNTS[k].

    NCE's gradient is a sum over the sampled ids, so this is its expectation; for sampled softmax it is the sample
    that large ones tend to.
    """
    sampled = np.repeat(np.arange(20), times * COUNTS)
    return sampled_gradient(gate, sampled, float(times * COUNTS[TRUE]), times * COUNTS[sampled].astype(float), h, U, b)


def distance(a, b):
    return np.linalg.norm(a - b) / np.linalg.norm(b)


def limits(h, U, b):
    """What the NCE gradient tends to, -∇s_o + Σ e^s ∇s, and the full softmax's, -∇s_o + Σ p ∇s."""
    e, observed = np.exp(U @ h + b), np.arange(20) == TRUE
    return gradient_of_scores(e - observed, h, U), gradient_of_scores(e / e.sum() - observed, h, U)


@pytest.mark.parametrize("Z", [1.0, 38.8])
def test_the_expected_nce_gradient_tends_to_its_limit_as_one_over_m(Z):
    h, U, b = example(Z)
    limit, _ = limits(h, U, b)
    far, near = (distance(expected_gradient(NCE, times, h, U, b), limit) for times in (200, 2000))
    assert near < 2e-3 and far / near == pytest.approx(10, rel=0.05)


def test_with_normalized_scores_that_limit_is_the_gradient_of_the_full_softmax():
    h, U, b = example(Z=1.0)
    of_nce, of_softmax = limits(h, U, b)
    np.testing.assert_allclose(of_nce, of_softmax, rtol=1e-12, atol=1e-14)
    assert distance(expected_gradient(NCE, 5000, h, U, b), of_softmax) < 1e-5


@pytest.mark.parametrize("Z", [0.1, 38.8])
def test_without_it_is_not(Z):
    h, U, b = example(Z)
    _, of_softmax = limits(h, U, b)
    expected = expected_gradient(NCE, 5000, h, U, b)
    assert distance(expected, of_softmax) > 0.3
    assert expected[-20:].sum() == pytest.approx(Z - 1, rel=1e-2)  # of the biases; the softmax's sums to 0


@pytest.mark.parametrize("Z", [0.1, 1.0, 38.8])
def test_sampled_softmax_tends_to_the_full_softmax_for_any_Z(Z):
    h, U, b = example(Z)
    _, of_softmax = limits(h, U, b)
    far, near = (distance(expected_gradient(SampledSoftmax, times, h, U, b), of_softmax) for times in (500, 5000))
    assert near < 1e-6 and far / near == pytest.approx(10, rel=0.1)


@pytest.mark.parametrize("gate, Z, agrees", [(NCE, 1.0, True), (NCE, 38.8, False), (SampledSoftmax, 38.8, True)])
def test_so_it_is_with_a_million_words_drawn_from_the_noise(gate, Z, agrees):
    h, U, b = example(Z)
    _, of_softmax = limits(h, U, b)
    rng, noise = np.random.default_rng(12), UnigramNoise(COUNTS, power=1)
    ids, E_true, E_ids = noise.sample(rng, 1_000_000, np.array([TRUE]), unique=False)
    drawn = sampled_gradient(gate, ids, E_true[0], E_ids, h, U, b)
    assert (distance(drawn, of_softmax) < 0.01) == agrees


def test_a_sampler_and_the_losses_fit_together():
    rng, noise = np.random.default_rng(13), LogUniformNoise(WORDS)
    W, b, labels, x, _ = batch(3)
    values = noise.sample(rng, 4, labels)
    for loss in (nce_loss, sampled_softmax_loss):
        assert loss(W, b, labels, x, values).shape == (4,)


RIGHT = {
    "h": np.ones((2, 1, 3)),
    "U": np.ones((5, 3)),
    "b": np.ones(5),
    "labels": np.array([[0], [4]]),
    "sampled": np.array([1, 2]),
    "true_expected": np.ones((2, 1)),
    "sampled_expected": np.ones(2),
}


@both
@pytest.mark.parametrize(
    "wrong",
    [
        {"h": np.ones((2, 3))},
        {"h": np.ones((2, 1, 4))},
        {"h": np.ones((3, 1, 3))},
        {"U": np.ones(5)},
        {"b": np.ones(4)},
        {"b": np.ones((5, 1))},
        {"labels": np.array([0, 4])},
        {"labels": np.zeros((2, 0), int), "true_expected": np.ones((2, 0))},
        {"sampled": np.array([[1, 2]])},
        {"true_expected": np.ones((2, 2))},
        {"true_expected": np.ones(2)},
        {"sampled_expected": np.ones(3)},
        {"sampled_expected": 1.0},
    ],
)
def test_shapes_that_do_not_fit_are_all_named(gate, wrong):
    given = RIGHT | wrong
    gate().forward(*RIGHT.values())
    with pytest.raises(InputError, match=rf"^{gate.__name__} expects h \(B, C, D\).*at least 1, but got \(") as error:
        gate().forward(*given.values())
    assert str(error.value).endswith(", ".join(str(np.shape(x)) for x in given.values()) + ".")


@both
@pytest.mark.parametrize(
    "wrong, sentence",
    [
        ({"labels": np.array([[0], [5]])}, "labels from 0 to 4, but got 0 to 5"),
        ({"labels": np.array([[-1], [2]])}, "labels from 0 to 4, but got -1 to 2"),
        ({"sampled": np.array([5, 2])}, "sampled ids from 0 to 4, but got 2 to 5"),
        ({"labels": np.array([[0.0], [1.0]])}, "integer labels from 0 to 4, but got values of type float64"),
        ({"sampled": np.array([True, False])}, "integer sampled ids from 0 to 4, but got values of type bool"),
        (
            {"true_expected": np.array([[1.0], [0.0]])},
            "of the labels, .* must be finite and above 0, but .* 0.0 to 1.0:",
        ),
        ({"true_expected": np.array([[1.0], [np.nan]])}, "must be finite and above 0, but they are nan to nan"),
        ({"true_expected": np.array([[1.0], [np.inf]])}, "must be finite and above 0, but they are 1.0 to inf"),
        ({"sampled_expected": np.array([-0.5, 1.0])}, "of the sampled ids, .* must be finite and above 0, but .* -0.5"),
    ],
)
def test_ids_and_counts_that_cannot_be_are_refused(gate, wrong, sentence):
    with pytest.raises(InputError, match=sentence):
        gate().forward(*(RIGHT | wrong).values())


@pytest.mark.parametrize("loss", [nce_loss, sampled_softmax_loss, nce_gradients, sampled_softmax_gradients])
@pytest.mark.parametrize(
    "wrong, sentence",
    [
        ({"inputs": np.ones(D)}, r"expects inputs \(B, D\) and sampled_values .* but got inputs \(3,\)"),
        ({"sampled_values": (np.array([1]), np.ones((4, 1)))}, "but got inputs .* and 2 sampled_values"),
        ({"weights": np.ones((WORDS, 2))}, "but got"),
        ({"labels": np.full((4, 1), WORDS)}, "labels from 0 to 6, but got 7 to 7"),
    ],
)
def test_the_functions_say_what_is_wrong(loss, wrong, sentence):
    names = "weights", "biases", "labels", "inputs", "sampled_values"
    with pytest.raises(InputError, match=sentence):
        loss(**dict(zip(names, batch(1), strict=True)) | wrong)


@pytest.mark.parametrize("gradients", [nce_gradients, sampled_softmax_gradients])
def test_an_upstream_gradient_is_one_number_for_each_loss(gradients):
    with pytest.raises(InputError, match=r"a number or \(B,\) numbers, \(4,\) here, but its shape is \(3,\)"):
        gradients(*batch(1), dz=np.ones(3))
