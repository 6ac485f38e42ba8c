import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handgrad import Add, ComputationalGraph, EmbeddingLookup, Exp, Max, Multiply, Node, Parameter, Sigmoid, Sum
from handgrad.show import draw
from handgrad.show import drawing as drawing_module


def lecture_graph():
    x, y, z = Node("x"), Node("y"), Node("z")
    return ComputationalGraph(Multiply()(Add()(x, y), Max()(y, z)))


def texts(svg, kind):
    root = ElementTree.fromstring(svg)
    return sorted(t.text for t in root.iter("{http://www.w3.org/2000/svg}text") if t.get("class") == f"hg-{kind}")


def test_values_stand_on_the_wires_and_each_wire_has_its_own_gradient():
    graph = lecture_graph()
    graph.forward(x=1.0, y=2.0, z=0.0)
    graph.backward()
    svg = draw(graph).svg()
    assert texts(svg, "value") == sorted(["1", "2", "2", "0", "3", "2", "6"])
    assert texts(svg, "gradient") == sorted(["2", "2", "3", "0", "2", "3", "1"])  # y: 2 on one wire and 3 on the other


def test_before_forward_there_are_no_numbers_and_before_backward_no_gradients():
    graph = lecture_graph()
    assert texts(draw(graph).svg(), "value") == []
    graph.forward(x=1.0, y=2.0, z=0.0)
    assert texts(draw(graph).svg(), "gradient") == []


def test_the_text_form_is_a_table():
    graph = lecture_graph()
    graph.forward(x=1.0, y=2.0, z=0.0)
    graph.backward()
    lines = repr(draw(graph)).splitlines()
    assert lines[0].split() == ["node", "from", "value", "gradient"]
    assert lines[2].split() == ["y", "2", "5"]
    assert lines[-1].split() == ["×", "+,", "max", "6", "1"]


def test_no_two_nodes_share_a_place():
    x = Node("x")
    node = x
    for i in range(4):
        node = Multiply()(Sigmoid()(node), Add()(node, Node(f"w{i}")))
    svg = draw(ComputationalGraph(node)).svg()
    places = re.findall(r'<rect x="([-\d.]+)" y="([-\d.]+)"', svg)
    assert len(places) == 12 and len(set(places)) == 12


def test_arrays_show_their_shape_and_sparse_gradients_their_rows():
    graph = ComputationalGraph(Sum()(EmbeddingLookup()(Parameter("table", np.ones((5, 2))), Node("ids"))))
    graph.forward(ids=np.array([1, 1, 3]))
    graph.backward()
    assert "(3, 2)" in texts(draw(graph).svg(), "value")
    assert "2 rows" in texts(draw(graph).svg(), "gradient")


def test_a_drawing_is_described_in_words_and_names_are_escaped():
    graph = ComputationalGraph(Sigmoid()(Node("<x>")))
    graph.forward({"<x>": 0.0})
    svg = draw(graph, title="One gate.").svg()
    root = ElementTree.fromstring(svg)
    assert root.get("role") == "img" and "value 0.5" in root.get("aria-label")


def test_drawing_changes_nothing():
    graph = lecture_graph()
    graph.forward(x=1.0, y=2.0, z=0.0)
    before = graph.backward()
    draw(graph).svg()
    assert graph.backward() == before


def test_scopes_are_boxes_that_hold_their_own_nodes_and_no_others():
    x = Node("x")
    hidden = Sigmoid()(Multiply()(x, Parameter("first/w", 2.0), name="first/product"), name="first/out")
    output = Add()(Multiply()(hidden, Parameter("second/w", 3.0), name="second/product"), x)
    graph = ComputationalGraph(output)
    graph.forward(x=1.0)
    drawing = draw(graph)
    root = ElementTree.fromstring(drawing.svg())
    rects = root.findall("{http://www.w3.org/2000/svg}rect")
    boxes = [
        [float(r.get(key)) for key in ("x", "y", "width", "height")] for r in rects if r.get("class") == "hg-scope"
    ]
    places = drawing_module.layout(graph).places
    assert len(boxes) == 2
    for scope, (left, top, width, height) in zip(["first", "second"], boxes, strict=True):
        inside = {n for n, (px, py) in places.items() if left < px < left + width and top < py < top + height}
        assert inside == {n for n in graph.nodes if (n.name or "").startswith(scope + "/")}


def test_no_wire_is_drawn_over_a_number_and_the_smallest_letters_have_11_pixels():
    graph = lecture_graph()
    graph.forward(x=1.0, y=2.0, z=0.0)
    graph.backward()
    root = ElementTree.fromstring(draw(graph).svg())
    kinds = [part.get("class") if part.tag.endswith("text") else part.tag.rpartition("}")[2] for part in root]
    assert kinds.count("path") == 7 and kinds.count("hg-value") == 7
    assert max(i for i, kind in enumerate(kinds) if kind == "path") < kinds.index("hg-value")
    smallest = float(re.search(r"min-width:(\d+)px", root.get("style"))[1]) / float(root.get("width"))
    assert smallest * float(root.get("font-size")) > 11


def points_of(path):
    """Points along a path of SVG that is made of M, C and H."""
    points, here = [], None
    for kind, text in re.findall(r"([MCH])([^MCH]*)", path):
        numbers = [float(n) for n in re.findall(r"-?[\d.]+", text)]
        if kind == "C":
            t = np.linspace(0, 1, 200)
            weights = np.stack([(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3], axis=1)
            points.append(weights @ np.reshape([*here, *numbers], (4, 2)))
        elif kind == "H":
            points.append(np.linspace(here, (numbers[0], here[1]), 50))
        here = numbers[-2:] if kind != "H" else [numbers[0], here[1]]
    return np.concatenate(points)


@given(st.integers(0, 10**6), st.integers(3, 12), st.booleans())
def test_no_wire_passes_over_a_node_or_beside_the_drawing_and_no_number_is_cut_off(seed, gates, scoped):
    rng = np.random.default_rng(seed)
    nodes = [Node("x"), Node("a/y" if scoped else "y"), Node("z")]
    for i in range(gates):
        name = f"{'ab'[i % 2]}/n{i}" if scoped and i % 3 else None
        nodes.append(Add()(*(nodes[j] for j in rng.integers(0, len(nodes), 2)), name=name))
    graph = ComputationalGraph(nodes[-1])
    places, bends = drawing_module.layout(graph)
    boxes = [drawing_module.box_around(scope, places) for scope in {drawing_module.scope_of(n) for n in places} - {""}]
    drawn = drawing_module.wires(graph, places, bends)
    left, top, right, bottom = drawing_module.edges(places, bends, boxes, drawn)
    for wire in drawn:
        for spot in (wire.value, wire.gradient):
            x0, y0, x1, y1 = box_of_text("0.1966", *spot)
            assert left <= x0 and top <= y0 and x1 <= right and y1 <= bottom
        if wire.target is None:
            continue
        points = points_of(wire.path)
        assert (points >= [left, top]).all() and (points <= [right, bottom]).all()
        for node in set(places) - {wire.source, wire.target}:
            (x, y), w, h = places[node], drawing_module.half_width_of(node), drawing_module.half_height_of(node)
            inside = (points > [x - w + 1, y - h + 1]) & (points < [x + w - 1, y + h - 1])
            assert not inside.all(axis=1).any(), (wire, node)


def test_a_wire_that_skips_a_column_bends_around_what_stands_there():
    x, y = Node("x"), Node("y")
    graph = ComputationalGraph(Add()(Multiply()(Sigmoid()(x), y), x))
    places, bends = drawing_module.layout(graph)
    assert [len(bends[node]) for node in graph.nodes if node.name == "x"] == [2]
    assert sum(map(len, bends.values())) == 2
    long = [wire for wire in drawing_module.wires(graph, places, bends) if "H" in wire.path]
    assert [(wire.source.name, type(wire.target.gate)) for wire in long] == [("x", Add)]


def test_no_wire_passes_through_its_own_numbers():
    """Steep or flat, up or down, however long a number is; as a line through them cannot be read."""
    V, W, x, labels = Parameter("embed/V", np.ones((9, 2))), Parameter("W", np.ones((1, 2))), Node("x"), Node("labels")
    rows = EmbeddingLookup()(V, Node("ids"))
    graph = ComputationalGraph(Sum()(Multiply()(Add()(Multiply()(rows, W), x), labels)))
    wires = list(drawing_module.wires(graph, *drawing_module.layout(graph)))
    falls = []
    for wire in wires:
        if wire.target is None:
            continue
        points = points_of(wire.path)
        falls.append(points[-1, 1] - points[0, 1])
        for x, y, end in (wire.value, wire.gradient):
            width = 62  # "(2, 1, 4)" in letters of 14 pixels, of which 10 stand above the line
            left = x - {"start": 0, "middle": width / 2, "end": width}[end]
            inside = (points > [left, y - 10]) & (points < [left + width, y])
            assert not inside.all(axis=1).any(), (drawing_module.label_of(wire.source), x, y, end)
    assert min(falls) < -1.2 * drawing_module.ROW or max(falls) > 1.2 * drawing_module.ROW
    assert any(abs(fall) < 9 for fall in falls) and any(20 < fall < 127 for fall in falls)
    assert any(-127 < fall < -20 for fall in falls)


def diamond():
    """Two wires that bend around a gate: the lower one at the lower edge."""
    x, y = Node("x"), Node("y")
    a = Multiply()(x, y, name="a")
    return Multiply()(a, Add()(a, x, name="b"), name="f"), {"x": 2.0, "y": 3.0}


def lecture():
    x, y, z = Node("x"), Node("y"), Node("z")
    return Multiply()(Add()(x, y), Max()(y, z)), {"x": 1.0, "y": 2.0, "z": 0.0}


def neuron():
    w, x, b = Node("w"), Node("x"), Node("b")
    return (Exp()(-1.0 * (w * x + b)) + 1.0) ** -1, {"w": 2.0, "x": -1.0, "b": 3.0}


def long_ways():
    x, y, z = Node("x"), Node("y"), Node("z")
    return ((x + y) * y + z) * x * Exp()(x), {"x": 1.0, "y": 2.0, "z": 0.5}


def tables():
    """Long numbers, such as (2, 1, 4), beside names of gates and of scopes."""
    rows = [EmbeddingLookup()(Parameter(f"{s}/V", np.ones((9, 4))), Node(f"ids {s}"), name=s) for s in ("in", "out")]
    return Sum()(Multiply()(*rows, name="product"), name="loss"), {"ids in": [[1], [2]], "ids out": [[1, 2, 3]] * 2}


@pytest.mark.parametrize("made", [diamond, lecture, neuron, long_ways, tables], ids=lambda made: made.__name__)
@pytest.mark.parametrize("backward", [True, False])
def test_each_number_stands_nearest_to_its_own_wire_and_covers_nothing(made, backward):
    output, fed = made()
    graph = ComputationalGraph(output)
    graph.forward(fed)
    if backward:
        graph.backward()
    places, bends = drawing_module.layout(graph)
    drawn = drawing_module.wires(graph, places, bends)
    paths = [points_of(wire.path) for wire in drawn if wire.target is not None]
    taken = [(*box, "a node") for box in boxes_of_nodes(places)]
    scopes = [drawing_module.box_around(scope, places) for scope in {drawing_module.scope_of(n) for n in places} - {""}]
    left, top, right, bottom = drawing_module.edges(places, bends, scopes, drawn)
    for own, wire in enumerate(drawn):
        for number, spot in zip(numbers_on(graph, wire), (wire.value, wire.gradient), strict=True):
            box = box_of_text(number, *spot)
            assert left <= box[0] and top <= box[1] and box[2] <= right and box[3] <= bottom
            assert [name for *other, name in taken if overlap(box, other)] == []
            taken.append((*box, number))
            if wire.target is not None and number:
                distances = [distance(box, points) for points in paths]
                assert 0 < distances[own] < 16 and np.argmin(distances) == own, (number, distances)


def boxes_of_nodes(places):
    for node, (x, y) in places.items():
        w, h = drawing_module.half_width_of(node), drawing_module.half_height_of(node) if node.gate else 8
        yield x - w, y - h, x + w, y + h
        name = 4 * len(drawing_module.name_above(node))
        yield x - name, y - h - 16, x + name, y - h


def numbers_on(graph, wire):
    """The texts of a value and a gradient, as they are in the drawing."""
    back = graph.gradients.get(wire.source) if wire.target is None else graph.downstream.get(wire.target)
    back = back[wire.slot] if wire.target is not None and back is not None else back
    return [drawing_module.short_number(number) for number in (graph.values.get(wire.source), back)]


def box_of_text(text, x, y, end):
    """Left, top, right and bottom."""
    width = sum(5 if letter in "(), .-" else 9 for letter in text)
    left = x - {"start": 0, "middle": width / 2, "end": width}[end]
    return left, y - 11, left + width, y + 1


def overlap(one, other):
    return min(one[2], other[2]) > max(one[0], other[0]) and min(one[3], other[3]) > max(one[1], other[1])


def distance(box, points):
    corner, opposite = np.array(box[:2]), np.array(box[2:])
    return np.linalg.norm(np.maximum(np.maximum(corner - points, points - opposite), 0), axis=1).min()


def test_scopes_that_are_not_above_each_other_stand_side_by_side():
    layers = Sigmoid()(Add()(Node("x"), Parameter("first/b", 0.0)))
    graph = ComputationalGraph(Sigmoid()(Add()(layers, Parameter("second/b", 0.0))))
    places = drawing_module.layout(graph).places
    first, second = (next(p for n, p in places.items() if n.name == name) for name in ("first/b", "second/b"))
    assert first[0] < second[0] and first[1] == second[1]


def test_boxes_with_long_names_do_not_overlap():
    inner = Multiply()(Node("x"), Parameter("first_layer/W", 1.0))
    graph = ComputationalGraph(Add()(inner, Parameter("second_layer/b", 1.0)))
    places = drawing_module.layout(graph).places
    boxes = [drawing_module.box_around(scope, places) for scope in ("first_layer", "second_layer")]
    (x0, y0, w0, h0), (x1, y1, w1, h1) = boxes
    assert x0 + w0 < x1 or x1 + w1 < x0 or y0 + h0 < y1 or y1 + h1 < y0


def test_a_long_number_behind_an_output_is_not_cut_off():
    x = Node("x")
    graph = ComputationalGraph(Sigmoid()(x))
    right = drawing_module.edges(*drawing_module.layout(graph), [], [])[2]
    output = next(wire for wire in drawing_module.wires(graph, *drawing_module.layout(graph)) if wire.target is None)
    assert output.value[0] + drawing_module.LETTER * len("-1.234e-05") < right


def test_a_scopes_name_fits_its_box_and_is_not_repeated_in_it():
    graph = ComputationalGraph(Sum()(EmbeddingLookup()(Parameter("embedding/V", np.ones((5, 2))), Node("ids"))))
    graph.forward(ids=np.array([1]))
    svg = draw(graph).svg()
    words = [t.text for t in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]
    assert words.count("embedding") == 1 and "V" in words and "embedding/V" not in words
    left, _, width, _ = drawing_module.box_around("embedding", drawing_module.layout(graph).places)
    assert width > drawing_module.LETTER * len("embedding")
    assert float(ElementTree.fromstring(svg).get("viewBox").split()[0]) < left


def test_a_drawing_shows_its_own_graphs_numbers_after_another_graph_ran():
    product = Multiply()(Node("x"), Node("w"))
    first, second = ComputationalGraph(product), ComputationalGraph(Sigmoid()(product))
    first.forward(x=1.0, w=2.0)
    first.backward()
    before = draw(first).svg()
    second.forward(x=np.ones(3), w=np.ones(3))
    assert draw(first).svg() == before


def test_names_of_gates_are_words_and_a_named_gate_shows_its_name():
    names = ["ReLU", "LeakyReLU", "SiLU", "GELU", "SigmoidCrossEntropy", "NCE", "MatMul"]
    gates = [type(name, (Sigmoid,), {})() for name in names]
    labels = [drawing_module.label_of(gate(Node("x"))) for gate in gates]
    assert labels == ["ReLU", "leaky ReLU", "SiLU", "GELU", "sigmoid cross entropy", "NCE", "mat mul"]
    svg = draw(ComputationalGraph(Sigmoid()(Node("x"), name="layer/hidden"))).svg()
    assert ">hidden</text>" in svg and ">σ</text>" in svg
