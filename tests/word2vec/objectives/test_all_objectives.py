"""Every objective with every model: the fused gates, the graph of gates, and torch say the same."""

import numpy as np
import pytest
import torch
from objective_cases import OBJECTIVE_CASES, WORDS

from handgrad.word2vec import CBOW, SkipGram
from handgrad.word2vec.objectives.models import MODELS

every_objective = pytest.mark.parametrize("case", OBJECTIVE_CASES, ids=lambda case: case.name)
every_model = pytest.mark.parametrize("model", MODELS)


def batch(seed, B=12, C=4):
    """Windows with 0 to C inputs, repeated words among them."""
    rng = np.random.default_rng(seed)
    inputs = rng.integers(0, WORDS, (B, C))
    inputs[rng.random((B, C)) < 0.4] = -1
    inputs[0] = -1
    return rng, inputs, rng.integers(0, WORDS, B)


def dense(gradient):
    return gradient.to_dense() if hasattr(gradient, "to_dense") else gradient


def by_fused_gates(case, model, V, U, inputs, samples):
    model, gate = MODELS[model][0](), case.make_gate()
    losses = gate.forward(model.forward(V, inputs), U, *samples)
    counted = model.predictions(inputs)
    dh, dU, *nothing = gate.backward(counted.astype(float))
    assert nothing == [None] * len(samples)
    dV, none = model.backward(dh)
    assert none is None
    return losses[counted].sum(), dense(dV), dense(dU)


def feeds_of(model, inputs):
    """The inputs as the graph wants them, a prediction in each row, and the row of the batch that it comes from."""
    if model == "skipgram":
        row, place = np.nonzero(inputs >= 0)
        return {"inputs": inputs[row, place][:, None]}, row
    row = np.flatnonzero((inputs >= 0).any(axis=1))
    there = inputs[row] >= 0
    return {"inputs": np.maximum(inputs[row], 0), "shares": (there / there.sum(axis=1, keepdims=True))[:, :, None]}, row


@every_objective
@every_model
@pytest.mark.parametrize("seed", range(3))
def test_fused_gates_equal_the_graph_in_loss_and_every_gradient(case, model, seed):
    rng, inputs, targets = batch(seed)
    V, U = case.tables(seed)
    samples = case.samples(rng, targets)
    loss, dV, dU = by_fused_gates(case, model, V, U, inputs, samples)
    graph = case.make_graph(V, U, model)
    fed, row = feeds_of(model, inputs)
    assert graph.forward(fed | case.feeds(*(s[row] for s in samples))) == pytest.approx(loss, rel=1e-12)
    gradients = graph.backward()
    np.testing.assert_allclose(dV, dense(gradients["embed/V"]), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(dU, dense(gradients["out/U"]), rtol=1e-12, atol=1e-14)


@every_objective
@every_model
def test_fused_gates_agree_with_torch(case, model):
    rng, inputs, targets = batch(5)
    V, U = case.tables(5)
    samples = case.samples(rng, targets)
    loss, dV, dU = by_fused_gates(case, model, V, U, inputs, samples)
    tV, tU = (torch.tensor(table, requires_grad=True) for table in (V, U))
    total = 0
    for b, row in enumerate(inputs):
        words = row[row >= 0]
        h = tV[words] if model == "skipgram" else tV[words].mean(0, keepdim=True)
        if len(words):
            total = total + case.torch_losses(h, tU, *(s[[b] * len(h)] for s in samples)).sum()
    total.backward()
    assert loss == pytest.approx(total.item(), rel=1e-12)
    np.testing.assert_allclose(dV, tV.grad.numpy(), rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(dU, tU.grad.numpy(), rtol=1e-11, atol=1e-13)


@every_objective
def test_the_predictions_of_a_row_are_that_many_rows_of_one(case):
    rng, _, targets = batch(2)
    h, U = rng.standard_normal((len(targets), 3, 4)), case.tables(2)[1]
    samples = case.samples(rng, targets)
    dz = rng.standard_normal((len(targets), 3))
    wide, narrow = case.make_gate(), case.make_gate()
    losses = wide.forward(h, U, *samples)
    one_by_one = narrow.forward(h.reshape(-1, 1, 4), U, *(np.repeat(s, 3, axis=0) for s in samples))
    np.testing.assert_allclose(losses, one_by_one.reshape(-1, 3), rtol=1e-12)
    dh, dU, *_ = wide.backward(dz)
    dh_one, dU_one, *_ = narrow.backward(dz.reshape(-1, 1))
    np.testing.assert_allclose(dh, dh_one.reshape(dh.shape), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(dense(dU), dense(dU_one), rtol=1e-12, atol=1e-14)


@every_objective
def test_what_each_prediction_is_worth_reaches_its_gradients_and_no_others(case):
    """As under a mean or a mask: torch differentiates Σ dz_bc loss_bc, one column of the batch at a time."""
    rng, _, targets = batch(6)
    h, U = rng.standard_normal((len(targets), 3, 4)), case.tables(6)[1]
    samples, dz = case.samples(rng, targets), rng.standard_normal((len(targets), 3))
    gate = case.make_gate()
    gate.forward(h, U, *samples)
    dh, dU, *_ = gate.backward(dz)
    th, tU = (torch.tensor(x, requires_grad=True) for x in (h, U))
    losses = torch.stack([case.torch_losses(th[:, c], tU, *samples) for c in range(3)], dim=1)
    (torch.tensor(dz) * losses).sum().backward()
    np.testing.assert_allclose(dh, th.grad.numpy(), rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(dense(dU), tU.grad.numpy(), rtol=1e-11, atol=1e-13)


@every_objective
@every_model
def test_forward_mode_is_the_transpose_of_backward(case, model):
    """<dz, J t> = <Jᵀ dz, t> through the model and the objective, where backward has been compared with torch."""
    rng, inputs, targets = batch(7)
    V, U = case.tables(7)
    tV, tU = rng.standard_normal(V.shape), rng.standard_normal(U.shape)
    samples = case.samples(rng, targets)
    model, gate = MODELS[model][0](), case.make_gate()
    losses = gate.forward(model.forward(V, inputs), U, *samples)
    dz = rng.standard_normal(losses.shape)
    dh, dU, *_ = gate.backward(dz)
    dV, _ = model.backward(dh)
    moved = gate.jvp(model.jvp(tV, np.zeros_like(inputs)), tU, *map(np.zeros_like, samples))
    assert np.vdot(dz, moved) == pytest.approx(np.vdot(dense(dV), tV) + np.vdot(dense(dU), tU), rel=1e-10)


@every_objective
@every_model
def test_the_names_of_a_graph_say_what_its_nodes_are(case, model):
    names = {node.name for node in case.make_graph(*case.tables(), model).nodes}
    assert {"embed/V", "out/U", "inputs", "score", "cross-entropy", "loss"} <= names
    assert ("h" if model == "skipgram" else "v") in names


@every_objective
def test_only_the_first_two_inputs_are_numbers(case):
    """What comes after h and U are ids and answers: fed to a graph as integers, they stay integers."""
    rng, _, targets = batch(0)
    samples = case.samples(rng, targets)
    assert set(range(2, 2 + len(samples))) <= set(case.make_gate().ids_at) and not {0, 1} & set(case.make_gate().ids_at)


@every_objective
def test_scores_of_a_thousand_give_finite_losses_and_gradients(case):
    rng, _, targets = batch(3)
    h, U = 1000 * rng.standard_normal((len(targets), 2, 4)), case.tables()[1]
    gate = case.make_gate()
    losses = gate.forward(h, U, *case.samples(rng, targets))
    assert np.isfinite(losses).all() and losses.max() > 700  # where a probability is 0 in float64
    assert all(np.isfinite(dense(g)).all() for g in gate.backward(np.ones_like(losses))[:2])


@every_objective
@every_model
def test_float32_stays_float32(case, model):
    rng, inputs, targets = batch(4)
    V, U = (table.astype(np.float32) for table in case.tables())
    model, gate = MODELS[model][0](), case.make_gate()
    losses = gate.forward(model.forward(V, inputs), U, *case.samples(rng, targets))
    dh, dU, *_ = gate.backward(np.ones_like(losses))
    assert {a.dtype for a in (losses, dh, dense(dU), dense(model.backward(dh)[0]))} == {np.dtype(np.float32)}


@every_objective
@pytest.mark.parametrize("change", ["h of two axes", "another D", "another B", "U of one axis"])
def test_shapes_that_do_not_fit_are_all_named(case, change):
    rng, _, targets = batch(0)
    h, U = rng.standard_normal((len(targets), 1, 4)), case.tables()[1]
    h = {"h of two axes": h[:, 0], "another D": h[:, :, :3], "another B": h[1:]}.get(change, h)
    U = U[0] if change == "U of one axis" else U
    with pytest.raises(ValueError, match=rf"{case.make_gate.__name__} expects h \(B, C, D\), U .*but got h \("):
        case.make_gate().forward(h, U, *case.samples(rng, targets))


@every_objective
@pytest.mark.parametrize("wrong", [-2, 99])
def test_ids_that_are_not_in_the_tables_are_refused(case, wrong):
    rng, _, targets = batch(0)
    h, U = rng.standard_normal((len(targets), 1, 4)), case.tables()[1]
    first, *others = case.samples(rng, targets)
    first = np.array(first)
    first.flat[0] = wrong
    with pytest.raises(ValueError, match=f"from 0 to {len(U) - 1}"):
        case.make_gate().forward(h, U, first, *others)


@pytest.mark.parametrize("model", [SkipGram, CBOW])
def test_predictions_are_made_where_there_are_inputs(model):
    inputs = np.array([[3, -1], [-1, -1], [0, 2]])
    expected = [[True, False], [False, False], [True, True]] if model is SkipGram else [[True], [False], [True]]
    assert model.predictions(inputs).tolist() == expected
