"""Twenty steps of the trainer's network beside twenty of the graph of gates: the same numbers, to 1e-10."""

import numpy as np
import pytest
from objective_cases import negative_sampling_feeds, path_feeds

from handgrad import SGD, Adagrad, Adam, Momentum, RowSparseGradient
from handgrad.errors import InputError
from handgrad.word2vec import CBOW, Network, TrainingConfig, pairs
from handgrad.word2vec.objectives import OBJECTIVES
from handgrad.word2vec.objectives.nce import FLT_MAX
from handgrad.word2vec.objectives.network import truncated_normal

COUNTS = np.array([40, 22, 13, 9, 6, 4, 3, 2, 1, 1])


def config(**changes):
    return TrainingConfig(dimension=5, precision="float64", initialization="tensorflow", negatives=4, **changes)


def graph_feeds(network, inputs, targets, samples):
    """The batch as the graph is fed it: one prediction in each row."""
    if isinstance(network.model, CBOW):
        row = np.flatnonzero((inputs >= 0).any(axis=1))
        inputs = inputs[row]
        there = inputs >= 0
        first = inputs[np.arange(len(row)), there.argmax(axis=1)][:, None]  # a word that is used anyway
        shares = there / there.sum(axis=1, keepdims=True)
        fed = {"inputs": np.where(there, inputs, first), "shares": shares[:, :, None]}
    else:
        row = np.repeat(np.arange(len(inputs)), (inputs >= 0).sum(axis=1))
        fed = {"inputs": pairs(inputs, targets)[0][:, None]}
    match network.config.objective:
        case "negative-sampling":
            return fed | negative_sampling_feeds(*(s[row] for s in samples)), len(row)
        case "hierarchical-softmax":
            return fed | path_feeds(*(s[row] for s in samples)), len(row)
        case "full-softmax":
            return fed | {"targets": targets[row]}, len(row)
    labels, sampled, true_expected, sampled_expected = samples
    hits = (labels[row][:, :, None] == sampled).any(axis=1) & network.objective.gate.remove_accidental_hits
    noise = np.broadcast_to(sampled_expected, hits.shape)
    is_label = np.concatenate([np.ones((len(row), 1)), np.zeros(hits.shape)], axis=1)
    targets = {"targets": is_label} if network.config.objective == "nce" else {"minus_targets": -is_label}
    expected = np.concatenate([true_expected[row], noise], axis=1)
    words = {"labels": labels[row], "sampled": sampled, "hits": np.where(hits, -FLT_MAX, 0.0), "expected": expected}
    return fed | words | targets, len(row)


def as_row_sparse(dense, like):
    """The gate knows which rows of the biases it used; the graph, which reshapes them, gives all of them."""
    ids, _ = like.coalesce()
    assert np.count_nonzero(np.delete(dense, ids)) == 0
    return RowSparseGradient(ids, dense[ids], dense.shape)


@pytest.mark.parametrize("optimizer", [SGD, Momentum, Adagrad, Adam], ids=lambda o: o.__name__)
@pytest.mark.parametrize("reduction", ["sum", "mean"])
@pytest.mark.parametrize("model", ["skipgram", "cbow"])
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_twenty_steps_equal_those_of_the_graph(objective, model, reduction, optimizer):
    ours = Network(config(objective=objective, model=model, reduction=reduction), COUNTS)
    theirs = Network(ours.config, COUNTS)
    step, graph_step = optimizer(0.05), optimizer(0.05)
    graph = theirs.graph()
    rng, graph_rng = np.random.default_rng(3), np.random.default_rng(3)
    for number in range(20):
        batch = np.random.default_rng(number)
        inputs, targets = batch.integers(-1, len(COUNTS), (6, 4)), batch.integers(0, len(COUNTS), 6)
        loss, predictions = ours.loss(inputs, ours.samples(rng, targets))
        gradients = ours.gradients()
        step.step(ours.parameters, gradients)

        feeds, rows = graph_feeds(theirs, inputs, targets, theirs.samples(graph_rng, targets))
        assert graph.forward(feeds) == pytest.approx(loss, rel=1e-10) and rows == predictions
        by_graph = graph.backward(np.float64(1 if reduction == "sum" else 1 / rows))
        if "out/b" in by_graph:
            by_graph["out/b"] = as_row_sparse(by_graph["out/b"], gradients["out/b"])
        graph_step.step(graph.parameters(), by_graph)
        for mine, gates in zip(ours.parameters, theirs.parameters, strict=True):
            np.testing.assert_allclose(mine.value, gates.value, rtol=1e-10, atol=1e-10)
    assert not np.allclose(ours.parameters[0].value, Network(ours.config, COUNTS).parameters[0].value)


def test_the_graph_and_the_network_have_the_same_parameters():
    network = Network(config(), COUNTS)
    graph = network.graph()
    assert [p.name for p in network.parameters] == ["embed/V", "out/U"]
    assert all(mine.value is gates.value for mine, gates in zip(network.parameters, graph.parameters(), strict=True))
    assert [p.name for p in graph.parameters("embed")] == ["embed/V"]


def test_two_networks_can_share_one_embedding():
    first = Network(config(), COUNTS)
    second = Network(config(objective="nce", seed=2), COUNTS, shared=first.parameters[:1])
    assert second.parameters[0] is first.parameters[0] and second.parameters[1] is not first.parameters[1]
    inputs, targets = np.array([[3], [4]]), np.array([1, 2])
    before = first.parameters[0].value.copy()
    second.loss(inputs, second.samples(np.random.default_rng(0), targets))
    SGD(1.0).step(second.parameters, second.gradients())
    moved = np.flatnonzero((first.parameters[0].value != before).any(axis=1))
    assert moved.tolist() == [3, 4]


def test_a_shared_parameter_that_does_not_fit_is_refused():
    other = Network(TrainingConfig(dimension=6), COUNTS)
    with pytest.raises(InputError, match=r"embed/V of shape \(10, 6\).*\(10, 5\)"):
        Network(config(), COUNTS, shared=other.parameters)


@pytest.mark.parametrize("objective, rows", [("negative-sampling", 10), ("hierarchical-softmax", 9), ("nce", 10)])
def test_initial_values(objective, rows):
    network = Network(TrainingConfig(objective=objective, dimension=50), COUNTS)
    V, U, *b = (parameter.value for parameter in network.parameters)
    assert V.shape == (10, 50) and U.shape == (rows, 50) and V.dtype == U.dtype == np.float32
    assert 0.009 < np.abs(V).max() <= 0.01 and not U.any()
    assert [x.shape for x in b] == ([(10,)] if objective == "nce" else [])


@pytest.mark.parametrize("initialization, low", [("tensorflow", -1), ("cs20", 0)])
def test_initial_values_of_tensorflow_and_cs20(initialization, low):
    network = Network(TrainingConfig(initialization=initialization, dimension=400), COUNTS)
    V, U = (parameter.value for parameter in network.parameters)
    assert V.min() == pytest.approx(low, abs=0.01) and V.max() == pytest.approx(1, abs=0.01)
    assert np.abs(U).max() <= 2 / 20 and U.std() == pytest.approx(0.88 / 20, rel=0.05)  # a normal cut off at 2 σ


def test_the_truncated_normal_is_normal_where_it_is():
    z = truncated_normal(np.random.default_rng(0), 100_000)
    assert np.abs(z).max() <= 2
    assert np.mean(np.abs(z) < 1) == pytest.approx(0.6827 / 0.9545, abs=0.01)


def test_accidental_hits_are_removed_as_the_setting_says_and_by_default_as_tensorflow_does():
    for objective, by_default in (("nce", False), ("sampled-softmax", True)):
        for setting, expected in (("yes", True), ("no", False), ("default", by_default)):
            network = Network(config(objective=objective, remove_accidental_hits=setting), COUNTS)
            assert network.objective.gate.remove_accidental_hits is expected


def test_the_mean_loss_is_that_of_all_predictions_and_nothing_is_learned():
    network = Network(config(), COUNTS)
    before = [parameter.value.copy() for parameter in network.parameters]
    batches = [(np.array([[1, 2], [3, -1]]), np.array([0, 4])), (np.array([[5, -1]]), np.array([6]))]
    total = 0.0
    rng = np.random.default_rng(1)
    for inputs, targets in batches:
        loss, _ = network.loss(inputs, network.samples(rng, targets))
        total += loss
    assert network.mean_loss(batches, np.random.default_rng(1)) == pytest.approx(total / 4)  # 3 predictions, and 1
    assert network.mean_loss([], np.random.default_rng(1)) == 0
    for parameter, value in zip(network.parameters, before, strict=True):
        np.testing.assert_array_equal(parameter.value, value)


def test_each_named_seed_changes_its_own_draw():
    V = {seed: Network(config(seed=seed), COUNTS).parameters[0].value for seed in (1, 2)}
    assert not np.array_equal(V[1], V[2])
    assert np.array_equal(Network(config(seed=2, seeds={"init": 1}), COUNTS).parameters[0].value, V[1])
    assert np.array_equal(Network(config(seed=1, seeds={"noise": 5}), COUNTS).parameters[0].value, V[1])
