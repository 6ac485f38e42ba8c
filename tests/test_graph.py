"""The ten points of the gate contract that concern graphs, and the sentences for wrong use."""

from fractions import Fraction
from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from handgrad import (
    Add,
    Affine,
    ComputationalGraph,
    Constant,
    EmbeddingLookup,
    Gate,
    MatMul,
    Max,
    Mean,
    Multiply,
    Node,
    Parameter,
    Power,
    Reshape,
    RowSparseGradient,
    Sigmoid,
    SigmoidCrossEntropy,
    Sum,
    Tanh,
    check_graph,
)
from handgrad.errors import InputError
from handgrad.show import draw


def lecture_graph():
    x, y, z = Node("x"), Node("y"), Node("z")
    return ComputationalGraph(Multiply()(Add()(x, y), Max()(y, z)))


def test_the_lecture_example():
    graph = lecture_graph()
    assert graph.forward(x=1.0, y=2.0, z=0.0) == 6.0
    assert graph.backward() == {"x": 2.0, "y": 5.0, "z": 0.0}
    assert repr(graph.backward()) == "{'x': 2.0, 'y': 5.0, 'z': 0.0}"


def test_a_second_backward_gives_the_same_answer():
    graph = lecture_graph()
    graph.forward(x=1.0, y=2.0, z=0.0)
    assert graph.backward() == graph.backward()


def test_backward_is_about_the_last_forward():
    graph = lecture_graph()
    graph.forward(x=1.0, y=2.0, z=0.0)
    graph.backward()
    graph.forward(x=-1.0, y=2.0, z=5.0)
    assert graph.backward() == {"x": 5.0, "y": 5.0, "z": 1.0}


def test_a_network_agrees_with_torch():
    rng = np.random.default_rng(0)
    x, W, b, u = (rng.standard_normal(s) for s in [(5, 4), (4, 3), (3,), (3, 1)])
    hidden = Tanh()(Affine()(Node("x"), Parameter("hidden/W", W), Parameter("hidden/b", b)))
    graph = ComputationalGraph(Sum()(Sigmoid()(MatMul()(hidden, Parameter("output/u", u)))))
    value = graph.forward(x=x)
    gradients = graph.backward()
    t = {
        n: torch.tensor(a, requires_grad=True) for n, a in {"x": x, "hidden/W": W, "hidden/b": b, "output/u": u}.items()
    }
    loss = torch.sigmoid(torch.tanh(t["x"] @ t["hidden/W"] + t["hidden/b"]) @ t["output/u"]).sum()
    loss.backward()
    assert value == pytest.approx(loss.item(), rel=1e-12)
    for name, tensor in t.items():
        np.testing.assert_allclose(gradients[name], tensor.grad.numpy(), rtol=1e-10, atol=1e-14)


def test_fan_out_adds_and_never_in_place():
    x, y, dz = Node("x"), Node("y"), np.ones(2)
    graph = ComputationalGraph(Add()(Add()(x, y), x))  # Add returns the array that it was given, twice
    graph.forward(x=np.zeros(2), y=np.zeros(2))
    gradients = graph.backward(dz)
    assert gradients["x"].tolist() == [2.0, 2.0] and gradients["y"].tolist() == [1.0, 1.0]
    assert dz.tolist() == [1.0, 1.0]


def test_gradients_are_the_callers_own():
    graph = ComputationalGraph(Sum()(Add()(Node("x"), Node("y"))))
    graph.forward(x=np.zeros(2), y=np.zeros(2))
    gradients = graph.backward()
    gradients["x"] *= 5  # as clipping does
    assert gradients["y"].tolist() == [1.0, 1.0] and graph.backward()["x"].tolist() == [1.0, 1.0]


def test_float32_stays_float32_from_the_tables_to_the_gradients():
    table = np.ones((4, 2), np.float32)
    rows = EmbeddingLookup()(Parameter("table", table), Node("ids"))
    for loss in (Sum()(rows), Mean()(Tanh()(rows))):
        graph = ComputationalGraph(loss)
        assert graph.forward(ids=np.array([1, 3])).dtype == np.float32
        assert graph.backward()["table"].coalesce()[1].dtype == np.float32


def test_one_node_in_two_graphs_is_not_confused():
    product = Multiply()(Node("x"), Node("w"))
    loss, prediction = ComputationalGraph(product), ComputationalGraph(Tanh()(product))
    loss.forward(x=1.0, w=2.0)
    prediction.forward(x=10.0, w=20.0)
    for go in (loss.backward, lambda: loss.jvp(x=1.0)):
        with pytest.raises(ValueError, match="was computed by another graph since"):
            go()
    loss.forward(x=1.0, w=2.0)
    assert loss.backward() == {"x": 2.0, "w": 1.0}


def test_after_a_forward_that_failed_there_is_nothing_to_go_back_through():
    graph = ComputationalGraph(Sum()(MatMul()(Node("x"), Node("W"))))
    graph.forward(x=np.ones((1, 2)), W=np.ones((2, 1)))
    graph.backward()
    with pytest.raises(ValueError, match="MatMul expects"):
        graph.forward(x=np.ones((1, 3)), W=np.ones((2, 1)))
    assert graph.gradients == {}
    with pytest.raises(ValueError, match=r"call graph\.forward"):
        graph.backward()
    for ask in (graph.value, graph.gradient):
        with pytest.raises(ValueError, match=r"'x' has no (value|gradient)"):
            ask("x")


def test_one_leaf_in_two_places_is_a_shared_weight():
    rng = np.random.default_rng(1)
    W, x = rng.standard_normal((3, 3)), rng.standard_normal((2, 3))
    shared = Parameter("W", W)
    graph = ComputationalGraph(Sum()(MatMul()(Tanh()(MatMul()(Node("x"), shared)), shared)))
    graph.forward(x=x)
    tensor = torch.tensor(W, requires_grad=True)
    (torch.tanh(torch.tensor(x) @ tensor) @ tensor).sum().backward()
    np.testing.assert_allclose(graph.backward()["W"], tensor.grad.numpy(), rtol=1e-12)
    assert graph.parameters() == [shared]


def test_several_outputs_take_several_upstream_gradients():
    x, y = Node("x"), Node("y")
    product = Multiply()(x, y)
    graph = ComputationalGraph(product, Add()(product, x))
    assert graph.forward(x=3.0, y=4.0) == [12.0, 15.0]
    assert graph.backward([1.0, 10.0]) == {"x": 11 * 4 + 10.0, "y": 33.0}
    assert graph.backward([None, 1.0]) == {"x": 5.0, "y": 3.0}


@pytest.mark.parametrize("dz", [None, 1.0, [1.0], [1.0, 2.0, 3.0]])
def test_several_outputs_ask_for_a_list(dz):
    x = Node("x")
    graph = ComputationalGraph(Sigmoid()(x), Tanh()(x))
    graph.forward(x=1.0)
    with pytest.raises(ValueError, match="2 outputs: call backward with a list of 2"):
        graph.backward(dz)


def test_an_output_that_is_not_one_number_asks_for_its_upstream_gradient():
    graph = ComputationalGraph(Sigmoid()(Node("x")))
    graph.forward(x=np.zeros(3))
    with pytest.raises(ValueError, match=r"shape \(3,\).*call backward\(dz\)"):
        graph.backward()
    assert graph.backward(np.array([4.0, 0.0, 8.0]))["x"].tolist() == [1.0, 0.0, 2.0]
    with pytest.raises(ValueError, match=r"shape \(2,\), but its output \(3,\)"):
        graph.backward(np.ones(2))


def test_deep_graphs_need_no_deep_stack():
    node = Node("x")
    for _ in range(20_000):
        node = Add()(node, node) if node.gate is None else Sigmoid()(node)
    graph = ComputationalGraph(node)
    graph.forward(x=0.5)
    assert len(graph.nodes) == 20_001
    assert np.isfinite(graph.backward()["x"])


def test_wide_fan_out_of_lookups():
    width, leaf, ids = 10_000, Parameter("table", np.ones((3, 2))), Node("ids")
    total = Sum()(EmbeddingLookup()(leaf, ids))
    for _ in range(width - 1):
        total = Add()(total, Sum()(EmbeddingLookup()(leaf, ids)))
    graph = ComputationalGraph(total)
    graph.forward(ids=np.array([1, 1]))
    gradient = graph.backward()["table"]
    assert gradient.to_dense().tolist() == [[0, 0], [2 * width, 2 * width], [0, 0]]
    assert len(gradient.summands) == 2 and sum(1 for _ in gradient.parts()) == width  # sums share, they do not copy


def test_nodes_are_sorted_inputs_first_whatever_the_order_of_drawing():
    x = Node("x")
    a = Sigmoid()(x)
    b = Tanh()(a)
    c = Multiply()(b, a)
    order = ComputationalGraph(Add()(c, x)).nodes
    place = {node: i for i, node in enumerate(order)}
    assert len(order) == 5
    assert all(place[i] < place[node] for node in order for i in node.inputs)


def test_a_graph_of_one_leaf():
    graph = ComputationalGraph(Node("x"))
    assert graph.forward(x=3.0) == 3.0
    assert graph.backward() == {"x": 1.0}


def test_integer_inputs_get_no_gradient():
    graph = ComputationalGraph(Sum()(EmbeddingLookup()(Node("table"), Node("ids"))))
    graph.forward(table=np.ones((4, 2)), ids=np.array([0, 3, 3]))
    assert list(graph.backward()) == ["table"]


def test_a_lookup_from_a_leaf_stays_sparse_and_behind_a_gate_becomes_dense():
    ids, table = np.array([1, 1]), np.ones((4, 2))
    leaf = ComputationalGraph(Sum()(EmbeddingLookup()(Node("table"), Node("ids"))))
    leaf.forward(table=table, ids=ids)
    assert isinstance(leaf.backward()["table"], RowSparseGradient)
    inner = ComputationalGraph(Sum()(EmbeddingLookup()(Tanh()(Node("table")), Node("ids"))))
    inner.forward(table=table, ids=ids)
    np.testing.assert_allclose(inner.backward()["table"][1], 2 * (1 - np.tanh(1.0) ** 2))


def test_tied_weights_add_a_sparse_and_a_dense_gradient():
    rng = np.random.default_rng(2)
    table, ids = rng.standard_normal((5, 3)), np.array([4, 4, 0])
    tied = Parameter("table", table)
    rows = EmbeddingLookup()(tied, Node("ids"))
    scores = MatMul()(rows, Tanh()(Parameter("W", rng.standard_normal((3, 3)))))
    graph = ComputationalGraph(Add()(Sum()(scores), Sum()(Multiply()(tied, tied))))
    graph.forward(ids=ids)
    t = torch.tensor(table, requires_grad=True)
    W = torch.tensor(graph.value("W"))
    ((t[ids] @ torch.tanh(W)).sum() + (t * t).sum()).backward()
    np.testing.assert_allclose(graph.backward()["table"], t.grad.numpy(), rtol=1e-12)


def test_names_scopes_values_and_gradients():
    V = Parameter("embed/V", np.ones((3, 2)))
    score = Sum()(Multiply()(V, Parameter("head/w", np.full((1, 2), 2.0))), name="head/score")
    graph = ComputationalGraph(Sigmoid()(score))
    graph.forward()
    graph.backward()
    assert [p.name for p in graph.parameters()] == ["embed/V", "head/w"]
    assert graph.parameters("embed/") == [V]
    assert graph.value("head/score") == 12.0
    assert graph.gradient("embed/V").shape == (3, 2)
    with pytest.raises(
        ValueError, match=r"No node is named 'score'; the names here are 'embed/V', 'head/w', 'head/score'"
    ):
        graph.value("score")


def test_feeds_by_dictionary_reach_names_that_are_no_identifiers():
    graph = ComputationalGraph(Multiply()(Node("a/x"), Node("y")))
    assert graph.forward({"a/x": 2.0}, y=3.0) == 6.0


def test_a_parameter_may_be_fed_another_value_for_one_pass():
    graph = ComputationalGraph(Sigmoid()(Parameter("w", 0.0)))
    assert graph.forward() == 0.5
    assert graph.forward(w=1000.0) == 1.0
    assert graph.forward() == 0.5


@pytest.mark.parametrize(
    "wrong, sentence",
    [
        (lambda: lecture_graph().forward(x=1.0, y=2.0), "needs a value for 'z': it was fed 'x', 'y'"),
        (lambda: lecture_graph().forward(), "needs a value for 'x', 'y', 'z': it was fed nothing"),
        (
            lambda: lecture_graph().forward(x=1.0, y=2.0, z=0.0, w=1.0),
            "The graph was fed 'w', but the graph's leaves are 'x', 'y', 'z'",
        ),
        (lambda: lecture_graph().backward(), r"call graph.forward\(\.\.\.\) first"),
        (lambda: ComputationalGraph(), "A graph is made from its output nodes"),
        (lambda: ComputationalGraph(Sigmoid()), "A graph is made from its output nodes"),
        (lambda: ComputationalGraph(Add()(Node("x"), Node("x"))), "Two nodes are named 'x'"),
        (lambda: Add()(Node("x"), 2.0), "a gate is called on nodes"),
        (lambda: Node(), "A leaf needs a name"),
        (lambda: Gate().forward(1.0), "Gate has no forward rule"),
        (lambda: Gate().backward(1.0), "Gate has no backward rule"),
    ],
)
def test_wrong_use_is_answered_with_a_sentence(wrong, sentence):
    with pytest.raises((ValueError, NotImplementedError), match=sentence):
        wrong()


def test_a_gate_at_two_nodes_is_refused():
    sigmoid, x = Sigmoid(), Node("x")
    with pytest.raises(ValueError, match=r"One Sigmoid\(\) is used at two nodes.*a new Sigmoid for each place"):
        ComputationalGraph(sigmoid(sigmoid(x)))


def test_a_backward_with_too_few_gradients_is_named():
    class Half(Gate):
        def forward(self, x, y):
            return x * y

        def backward(self, dz):
            return [dz]

    graph = ComputationalGraph(Half()(Node("x"), Node("y")))
    graph.forward(x=1.0, y=2.0)
    with pytest.raises(ValueError, match=r"Half\(\).backward returned 1 gradients for 2 inputs"):
        graph.backward()


def test_a_gate_can_be_copied_and_asked_for_what_it_has_not():
    import copy

    gate = Multiply()
    gate.forward(2.0, 3.0)
    assert copy.deepcopy(gate).backward(1.0) == [3.0, 2.0]
    assert not hasattr(gate, "_repr_html_")


def test_mean_cross_entropy_from_a_graph_of_gates_with_sampled_ids_as_inputs():
    """Randomness lives outside: the same ids give the same loss, so that a sampled loss can be checked."""
    rng = np.random.default_rng(3)
    table = Parameter("table", rng.standard_normal((6, 2)))
    loss = Mean()(SigmoidCrossEntropy()(Sum(axis=-1)(EmbeddingLookup()(table, Node("ids"))), Node("labels")))
    graph = ComputationalGraph(loss)
    feeds = {"ids": np.array([0, 5, 5]), "labels": np.array([1.0, 0.0, 0.0])}
    assert graph.forward(feeds) == graph.forward(feeds)


def test_forward_mode_pushes_a_direction_through_the_graph():
    graph = lecture_graph()
    graph.forward(x=1.0, y=2.0, z=0.0)
    assert [graph.jvp(**{name: 1.0}) for name in "xyz"] == [2.0, 5.0, 0.0]  # what one backward gives at once
    assert graph.jvp(x=1.0, y=10.0) == 52.0
    assert graph.jvp() == 0.0


def test_forward_and_reverse_mode_agree_on_a_network_with_a_lookup_and_two_outputs():
    rng = np.random.default_rng(4)
    table, W, ids = rng.standard_normal((5, 3)), rng.standard_normal((3, 2)), np.array([4, 4, 0])
    hidden = Tanh()(MatMul()(EmbeddingLookup()(Parameter("embed/table", table), Node("ids")), Parameter("W", W)))
    graph = ComputationalGraph(hidden, Sum()(Multiply()(hidden, hidden)))
    graph.forward(ids=ids)
    upstream = [rng.standard_normal((3, 2)), rng.standard_normal()]
    tangents = {"embed/table": rng.standard_normal((5, 3)), "W": rng.standard_normal((3, 2))}
    moved = graph.jvp(tangents)
    gradients = graph.backward(upstream)
    by_reverse = np.sum(gradients["embed/table"].to_dense() * tangents["embed/table"]) + np.sum(
        gradients["W"] * tangents["W"]
    )
    assert np.sum(moved[0] * upstream[0]) + moved[1] * upstream[1] == pytest.approx(by_reverse, rel=1e-12)


def test_a_jvp_that_returns_nothing_is_named_as_what_it_is():
    class Square(Gate):
        def forward(self, x):
            return x**2

        def jvp(self, tx):
            2 * tx  # without return

    graph = ComputationalGraph(Square()(Node("x")))
    graph.forward(x=3.0)
    with pytest.raises(
        ValueError, match=r"At the node Square\(x \(\)\): Square\(\)\.jvp returned None: end it with return"
    ):
        graph.jvp(x=1.0)


def test_forward_mode_names_the_gate_without_a_rule_and_what_does_not_fit():
    class Square(Gate):
        def forward(self, x):
            return x**2

    graph = ComputationalGraph(Square()(Node("x")))
    with pytest.raises(ValueError, match=r"call graph\.forward\(\.\.\.\) first"):
        graph.jvp(x=1.0)
    graph.forward(x=np.ones(2))
    with pytest.raises(ValueError, match=r"Square\(\) has no forward-mode rule: define jvp"):
        graph.jvp(x=np.ones(2))
    with pytest.raises(ValueError, match=r"Node\('x'\) has shape \(2,\), but its tangent \(3,\)"):
        graph.jvp(x=np.ones(3))
    with pytest.raises(ValueError, match="The graph was fed 'w', but"):
        graph.jvp(w=1.0)


def test_integers_and_lists_as_feeds():
    graph = lecture_graph()
    graph.forward(x=1, y=2, z=0)
    assert graph.jvp(y=1.0) == 5.0
    total = ComputationalGraph(Add()(Node("x"), Node("y")))
    assert total.forward(x=[1.0, 2.0], y=[3.0, 4.0]).tolist() == [4.0, 6.0]


def test_a_scope_is_a_whole_name():
    names = ["embed/V", "embedding/b", "embed/U"]
    graph = ComputationalGraph(*(Sum()(Parameter(name, np.ones(2))) for name in names))
    assert [p.name for p in graph.parameters("embed")] == [p.name for p in graph.parameters("embed/")] == names[::2]


def test_a_backward_that_returns_no_list_is_named():
    class Bare(Gate):
        def forward(self, x):
            return x * 1.0

        def backward(self, dz):
            return dz

    graph = ComputationalGraph(Bare()(Node("x")))
    graph.forward(x=np.ones((1, 3)))
    with pytest.raises(ValueError, match="returned no list of gradients for 1 inputs"):
        graph.backward(np.ones((1, 3)))


WHOLE = [np.uint8, np.int8, np.uint16, np.int32, np.int64, np.uint64, np.bool_]


def number_graphs():
    """Graphs of every kind of arithmetic, each of the leaves x and y, matrices (2, 2)."""
    x, y = Node("x"), Node("y")
    return {
        "multiply": Multiply()(x, x),
        "operators": (x + y) * (x - 2 * y) / (y + 3) - x**2,
        "reciprocal": (x + 1) ** -1,
        "sigmoid": Sigmoid()(x - y),
        "matrices": x @ y @ np.full((2, 2), 200, np.uint8),
        "a layer": Affine()(x, y, Node("b")),
        "max": Max()(-x, y),
        "a loss": SigmoidCrossEntropy()(x, Node("label")),
        "reshaped": Reshape(4)(x) * Reshape(4)(y),
    }


@given(
    st.sampled_from(sorted(number_graphs())),
    st.sampled_from(WHOLE),
    st.lists(st.integers(0, 127), min_size=8, max_size=8),
    st.sampled_from(["array", "list"]),
)
def test_a_graph_of_integers_is_the_graph_of_their_floats_to_the_last_bit(name, dtype, numbers, given_as):
    graph = ComputationalGraph(number_graphs()[name])
    numbers = np.array(numbers).astype(dtype).reshape(2, 2, 2)
    whole = {"x": numbers[0], "y": numbers[1]} if given_as == "array" else {"x": numbers[0].tolist(), "y": numbers[1]}
    more = {"b": np.array([0.5, 1.5]), "label": np.full((2, 2), 0.25)}
    results = []
    for feeds in (whole, {key: np.asarray(value, np.float64) for key, value in whole.items()}):
        feeds = {key: value for key, value in {**more, **feeds}.items() if key in graph.leaves}
        z = graph.forward(feeds)
        dz = np.arange(np.size(z)).reshape(np.shape(z))
        tangents = {name: numbers[0] for name in ("x", "y") if name in feeds}
        results.append([z, *graph.backward(dz).values(), graph.jvp(tangents)])
    for ours, floats in zip(*results, strict=True):
        np.testing.assert_array_equal(ours, floats)


def test_the_product_of_small_integers_does_not_wrap_around():
    x = Node("x")
    graph = ComputationalGraph(Multiply()(x, x))
    for fed in (np.array([16, 20], np.uint8), [16, 20], (16, 20), [Fraction(16), 20]):
        assert graph.forward(x=fed).tolist() == [256.0, 400.0]
        assert graph.backward([1, 1])["x"].tolist() == [32.0, 40.0]
    assert graph.forward(x=10**12) == 1e24 and graph.forward(x=2**70) == 2.0**140 and graph.forward(x=True) == 1.0


def test_ids_stay_integers_also_where_they_are_numbers_too_and_behind_a_reshape():
    ids, table = Node("ids"), Parameter("table", np.arange(12.0).reshape(6, 2))
    graph = ComputationalGraph(Sum()(EmbeddingLookup()(table, Reshape(-1)(ids))), Sum()(Multiply()(ids, ids)))
    assert graph.forward(ids=np.array([[5, 4]], np.uint8)) == [38.0, 41.0]
    assert set(graph.backward([1, 1])) == {"table", "ids"}
    assert ComputationalGraph(Sum()(EmbeddingLookup()(table, ids))).forward(ids=[]) == 0.0


def test_a_gate_of_ones_own_keeps_integer_labels_beside_floats():
    class Pick(Gate):
        def forward(self, x, labels):
            return x[labels]

    graph = ComputationalGraph(Pick()(Node("x"), Node("labels")))
    assert graph.forward(x=np.array([1.0, 2.0]), labels=[1, 0]).tolist() == [2.0, 1.0]


def test_a_gate_of_ones_own_does_not_wrap_small_integers_around_beside_floats():
    class SquareTimes(Gate):
        def forward(self, x, y):
            self.x, self.y = x, y
            return x * x * y

        def backward(self, dz):
            return [2 * self.x * self.y * dz, self.x * self.x * dz]

    graph = ComputationalGraph(SquareTimes()(Node("x"), Node("y")))
    for dtype, y in [(np.uint8, 0.5), (np.int8, np.ones(2) / 2), (np.int16, np.float64(0.5)), (np.int32, 0.5)]:
        assert graph.forward(x=np.array([16, 100], dtype), y=y).tolist() == [128.0, 5000.0]
        assert graph.backward([1, 1])["x"].tolist() == [16.0, 100.0]


def test_integers_that_a_leaf_was_given_later_are_numbers_too():
    w, two = Parameter("w", [1.0, 2.0]), Constant(2)
    graph = ComputationalGraph(w * w * two)
    for w.value in (np.array([16, 20], np.uint8), [16, 20]):
        for two.value in (np.uint8(2), 2):
            assert graph.forward().tolist() == [512.0, 800.0]
            assert graph.backward([1, 1])["w"].tolist() == [64.0, 80.0]
    w.value = ["16", "20"]
    with pytest.raises(
        ValueError, match=r"^The value of 'w' should be a number or an array of numbers, but it is text"
    ):
        graph.forward()


def test_float32_stays_beside_integers_and_constants():
    x = Node("x")
    pixels = ComputationalGraph(Multiply()(x, Node("y")))
    assert pixels.forward(x=np.array([200], np.uint8), y=np.ones(1, np.float32)).dtype == np.float32
    graph = ComputationalGraph(np.log(2) * x + 1 - x**2)
    assert graph.forward(x=np.ones(2, np.float32)).dtype == np.float32
    assert graph.backward([1, 2])["x"].dtype == np.float32 and graph.jvp(x=[1, 2]).dtype == np.float32


def test_forward_mode_keeps_all_digits_where_a_leaf_stands_still():
    graph = ComputationalGraph(Multiply()(Node("x"), Node("y")))
    graph.forward(x=0.1, y=0.3)
    assert graph.jvp(x=0.7) == 0.3 * 0.7


@pytest.mark.parametrize(
    "value, came",
    [
        ("3", "text"),
        (["1", "2"], "text"),
        (None, "NoneType"),
        ([[1], [2, 3]], "rows differ in length"),
        (np.ma.masked_array([1, 2], [False, True]), "masked"),
        ({1}, "set"),
        (10**400, "too large"),
        (Node("z"), "NumPy cannot read"),
        (np.array("2020", "M8[Y]"), "datetime"),
        (torch.ones(1, requires_grad=True), "detach"),
    ],
)
def test_what_is_no_number_is_a_sentence(value, came):
    with pytest.raises(ValueError, match=rf"The value of 'x' should be a number.*{came}"):
        ComputationalGraph(Sigmoid()(Node("x"))).forward(x=value)
    for make in (lambda: Parameter("x", value), lambda: Constant(value)):
        with pytest.raises(ValueError, match=came):
            make()


def test_operators_keep_the_order_in_which_they_are_written():
    """In the drawing, too, 2 + x begins with 2."""
    x = Node("x")
    for written, result in [(2 + x, 5), (2 - x, -1), (2 * x, 6), (2 / x, 2 / 3), (x + 2, 5), (x - 2, 1), (x / 2, 1.5)]:
        assert ComputationalGraph(written).forward(x=3.0) == pytest.approx(result)
    assert all(written.inputs[1] is x for written in (2 + x, 2 - x, 2 * x, 2 / x, np.eye(2) @ x, np.ones(2) + x))
    assert all(written.inputs[0] is x for written in (x + 2, x - 2, x * 2, x / 2, x @ np.eye(2), x + np.ones(2)))


def test_operators_draw_the_same_graph_as_gates():
    x, y, z = Node("x"), Node("y"), Node("z")
    by_operators, by_gates = ComputationalGraph((x + y) * Max()(y, z)), lecture_graph()
    for graph in (by_operators, by_gates):
        assert graph.forward(x=1.0, y=2.0, z=0.0) == 6.0
        assert graph.backward() == {"x": 2.0, "y": 5.0, "z": 0.0}
    assert draw(by_operators).svg() == draw(by_gates).svg()
    assert check_graph(by_operators, x=1.0, y=2.0, z=0.0).ok


@pytest.mark.parametrize(
    "function",
    [
        lambda x: 2 * x - x / 3 + 1,
        lambda x: 1 / x - (3 - x) + (-x),
        lambda x: x**3 * x**-0.5,
        lambda x: np.array([1.0, 2.0]) * x + np.float64(2) * (x - np.array([1, 2])),
        lambda x: [3, 4] - x / np.array([2.0, 4.0]),
        lambda x: +x @ np.array([[1.0], [2.0]]) @ np.ones((1, 2)),
        lambda x: np.array([[1.0, 5.0]]) @ x,
    ],
)
def test_numbers_and_arrays_are_constants_on_either_side(function):
    x = np.array([[1.0, 4.0], [2.0, 3.0]])
    graph = ComputationalGraph(function(Node("x")))
    np.testing.assert_allclose(graph.forward(x=x), function(x), rtol=1e-15)
    gradients = graph.backward(np.ones(np.shape(graph.forward(x=x))))
    assert set(gradients) == {"x"} and graph.parameters() == []
    check_graph(graph, x=x).raise_if_wrong()
    draw(graph).svg()


def test_a_constant_is_a_copy_and_is_drawn_with_its_value():
    two = np.array([2.0])
    graph = ComputationalGraph(two * Node("x") * -1.5)
    two[0] = 7.0
    assert graph.forward(x=1.0).tolist() == [-3.0]
    assert ">-1.5</text>" in draw(graph).svg()


NONSENSE = {
    "a string": lambda x: x + "a",
    "a gate": lambda x: x * Multiply(),
    "a class": lambda x: Multiply + x,
    "nothing": lambda x: x - None,
    "an exponent": lambda x: 2**x,
    "two nodes": lambda x: x**x,
    "truth": bool,
    "size": len,
    "members": list,
    "an entry": lambda x: x[0],
    "order": lambda x: x < 1,
    "a float": float,
    "an array": np.asarray,
    "a ufunc": np.exp,
    "without parentheses": lambda x: Multiply(x, x),
    "a setting that is a node": lambda x: Power(x),
    "a named setting": lambda x: Sum(axis=x),
    "numbers": lambda x: Multiply(2.0, 3.0),
    "a name": lambda x: Node(3),
    "names and values exchanged": lambda x: Parameter(np.ones(2), "w"),
}


@pytest.mark.parametrize("name", NONSENSE)
def test_nonsense_with_nodes_is_a_sentence(name):
    with pytest.raises((ValueError, TypeError)) as error:
        NONSENSE[name](Node("x"))
    assert len(str(error.value)) > 30 and "\n" not in str(error.value)


@pytest.mark.parametrize(
    "call",
    [
        lambda x: np.sin(x),
        lambda x: np.maximum(x, 0.0),
        lambda x: np.sum(x),
        lambda x: np.dot(x, x),
        lambda x: np.add.reduce(x),
        lambda x: np.where(x, 1, 2),
        lambda x: np.ones(2).__imul__(x),
        lambda x: np.ones(2) < x,
        lambda x: np.array([x, x]) * 2,
    ],
)
def test_functions_of_numpy_say_that_nodes_are_for_gates(call):
    with pytest.raises(TypeError, match=r"^Node\('x'\) is a place in a graph .* compute with gates"):
        call(Node("x"))


@pytest.mark.parametrize("base", [2, np.float32(2), np.array([2.0, 3.0])])
def test_a_base_with_a_node_as_its_power_is_answered_alike_from_python_and_numpy(base):
    with pytest.raises(InputError, match="to the power of a node: use Exp"):
        base ** Node("x")


def test_nodes_are_equal_only_to_themselves():
    x = Node("x")
    assert x == x and x != Node("x") and len({x, Node("x")}) == 2


def test_an_error_says_at_which_node_and_keeps_its_type():
    x, y = Node("x"), Node("y")
    with pytest.raises(ValueError, match=r"At the node Multiply\(x \(2,\), y \(3,\)\): these shapes do not broadcast"):
        ComputationalGraph(x * y).forward(x=np.ones(2), y=np.ones(3))
    with pytest.raises(ValueError, match=r"At the node 'h' = MatMul\(x \(2,\), y \(3,\)\): MatMul expects") as error:
        ComputationalGraph(MatMul()(x, y, name="h")).forward(x=np.ones(2), y=np.ones(3))
    assert error.value.__cause__ is not None

    class Broken(Gate):
        def forward(self, x):
            return None if np.ndim(x) else x * 1.0

        def backward(self, dz):
            raise KeyError("lost")

    graph = ComputationalGraph(Broken()(x))
    with pytest.raises(ValueError, match="returned None: end it with return"):
        graph.forward(x=np.ones(2))
    graph.forward(x=1.0)
    with pytest.raises(KeyError, match=r"At the node Broken\(x \(\)\): lost"):
        graph.backward()


@pytest.mark.parametrize("fed", [1.0, 0.0, [1.0, 2.0], np.ones(2), Node("x"), "x"], ids=lambda fed: type(fed).__name__)
def test_what_is_fed_without_a_name_is_told_how_to_name_it(fed):
    graph = lecture_graph()
    graph.forward(x=1.0, y=2.0, z=0.0)
    for take in (graph.forward, graph.jvp, partial(check_graph, graph)):
        with pytest.raises(InputError, match=f"fed by name, as x=1.0 .* but got {type(fed).__name__} without a name"):
            take(fed)


def test_a_summary_and_a_line():
    graph = ComputationalGraph(Tanh()(MatMul()(Node("x"), Parameter("W", np.ones((3, 4)))), name="h") * 2)
    assert repr(graph) == "ComputationalGraph(6 nodes: x, W -> Multiply)"
    assert repr(lecture_graph()) == "ComputationalGraph(6 nodes: x, y, z -> Multiply)"
    before = [line.split() for line in repr(graph.summary()).splitlines()]
    assert before[1] == ["x", "input", "-"] and before[-1] == ["total", "12"]
    graph.forward(x=np.ones((2, 3)))
    after = str(graph.summary()).splitlines()
    assert after[2].split() == ["W", "parameter", "(3,", "4)", "12"]
    assert after[4].split() == ["h", "Tanh", "(2,", "4)"] and len(after) == 8
