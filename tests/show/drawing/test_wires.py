"""Wires keep clear of nodes, and numbers of all else."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handgrad import Add, ComputationalGraph, EmbeddingLookup, Exp, Max, Multiply, Node, Parameter, Sum
from handgrad.show.drawing.labels import half_height_of, half_width_of, label_of, name_above, scope_of, short_number
from handgrad.show.drawing.layout import ROW, box_around, layout
from handgrad.show.drawing.plan import edges
from handgrad.show.drawing.wires import wires


@given(st.integers(0, 10**6), st.integers(3, 12), st.booleans())
def test_no_wire_passes_over_a_node_or_beside_the_drawing_and_no_number_is_cut_off(seed, gates, scoped):
    rng = np.random.default_rng(seed)
    nodes = [Node("x"), Node("a/y" if scoped else "y"), Node("z")]
    for i in range(gates):
        name = f"{'ab'[i % 2]}/n{i}" if scoped and i % 3 else None
        nodes.append(Add()(*(nodes[j] for j in rng.integers(0, len(nodes), 2)), name=name))
    graph = ComputationalGraph(nodes[-1])
    places, bends = layout(graph)
    boxes = [box_around(scope, places) for scope in {scope_of(n) for n in places} - {""}]
    drawn = wires(graph, places, bends)
    left, top, right, bottom = edges(places, bends, boxes, drawn)
    for wire in drawn:
        for spot in (wire.value, wire.gradient):
            x0, y0, x1, y1 = box_of_text("0.1966", *spot)
            assert left <= x0 and top <= y0 and x1 <= right and y1 <= bottom
        if wire.target is None:
            continue
        points = points_of(wire.path)
        assert (points >= [left, top]).all() and (points <= [right, bottom]).all()
        for node in set(places) - {wire.source, wire.target}:
            (x, y), w, h = places[node], half_width_of(node), half_height_of(node)
            inside = (points > [x - w + 1, y - h + 1]) & (points < [x + w - 1, y + h - 1])
            assert not inside.all(axis=1).any(), (wire, node)


def test_no_wire_passes_through_its_own_numbers():
    """Steep or flat, up or down, however long a number is; as a line through them cannot be read."""
    V, W, x, labels = Parameter("embed/V", np.ones((9, 2))), Parameter("W", np.ones((1, 2))), Node("x"), Node("labels")
    rows = EmbeddingLookup()(V, Node("ids"))
    graph = ComputationalGraph(Sum()(Multiply()(Add()(Multiply()(rows, W), x), labels)))
    drawn = wires(graph, *layout(graph))
    falls = []
    for wire in drawn:
        if wire.target is None:
            continue
        points = points_of(wire.path)
        falls.append(points[-1, 1] - points[0, 1])
        for x, y, end in (wire.value, wire.gradient):
            width = 62  # "(2, 1, 4)" in letters of 14 pixels, of which 10 stand above the line
            left = x - {"start": 0, "middle": width / 2, "end": width}[end]
            inside = (points > [left, y - 10]) & (points < [left + width, y])
            assert not inside.all(axis=1).any(), (label_of(wire.source), x, y, end)
    assert min(falls) < -1.2 * ROW or max(falls) > 1.2 * ROW
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
    places, bends = layout(graph)
    drawn = wires(graph, places, bends)
    paths = [points_of(wire.path) for wire in drawn if wire.target is not None]
    taken = [(*box, "a node") for box in boxes_of_nodes(places)]
    scopes = [box_around(scope, places) for scope in {scope_of(n) for n in places} - {""}]
    left, top, right, bottom = edges(places, bends, scopes, drawn)
    for own, wire in enumerate(drawn):
        for number, spot in zip(numbers_on(graph, wire), (wire.value, wire.gradient), strict=True):
            box = box_of_text(number, *spot)
            assert left <= box[0] and top <= box[1] and box[2] <= right and box[3] <= bottom
            assert [name for *other, name in taken if overlap(box, other)] == []
            taken.append((*box, number))
            if wire.target is not None and number:
                distances = [distance(box, points) for points in paths]
                assert 0 < distances[own] < 16 and np.argmin(distances) == own, (number, distances)


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


def boxes_of_nodes(places):
    for node, (x, y) in places.items():
        w, h = half_width_of(node), half_height_of(node) if node.gate else 8
        yield x - w, y - h, x + w, y + h
        name = 4 * len(name_above(node))
        yield x - name, y - h - 16, x + name, y - h


def numbers_on(graph, wire):
    """The texts of a value and a gradient, as they are in the drawing."""
    back = graph.gradients.get(wire.source) if wire.target is None else graph.downstream.get(wire.target)
    back = back[wire.slot] if wire.target is not None and back is not None else back
    return [short_number(number) for number in (graph.values.get(wire.source), back)]


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
