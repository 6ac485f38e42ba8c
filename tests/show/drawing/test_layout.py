"""Where nodes, passing wires and the boxes of scopes stand."""

import xml.etree.ElementTree as ElementTree

import numpy as np

from handgrad import Add, ComputationalGraph, EmbeddingLookup, Multiply, Node, Parameter, Sigmoid, Sum
from handgrad.show import draw
from handgrad.show.drawing.labels import LETTER
from handgrad.show.drawing.layout import box_around, layout
from handgrad.show.drawing.wires import wires


def test_a_wire_that_skips_a_column_bends_around_what_stands_there():
    x, y = Node("x"), Node("y")
    graph = ComputationalGraph(Add()(Multiply()(Sigmoid()(x), y), x))
    places, bends = layout(graph)
    assert [len(bends[node]) for node in graph.nodes if node.name == "x"] == [2]
    assert sum(map(len, bends.values())) == 2
    long = [wire for wire in wires(graph, places, bends) if "H" in wire.path]
    assert [(wire.source.name, type(wire.target.gate)) for wire in long] == [("x", Add)]


def test_scopes_that_are_not_above_each_other_stand_side_by_side():
    layers = Sigmoid()(Add()(Node("x"), Parameter("first/b", 0.0)))
    graph = ComputationalGraph(Sigmoid()(Add()(layers, Parameter("second/b", 0.0))))
    places = layout(graph).places
    first, second = (next(p for n, p in places.items() if n.name == name) for name in ("first/b", "second/b"))
    assert first[0] < second[0] and first[1] == second[1]


def test_boxes_with_long_names_do_not_overlap():
    inner = Multiply()(Node("x"), Parameter("first_layer/W", 1.0))
    graph = ComputationalGraph(Add()(inner, Parameter("second_layer/b", 1.0)))
    places = layout(graph).places
    boxes = [box_around(scope, places) for scope in ("first_layer", "second_layer")]
    (x0, y0, w0, h0), (x1, y1, w1, h1) = boxes
    assert x0 + w0 < x1 or x1 + w1 < x0 or y0 + h0 < y1 or y1 + h1 < y0


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
    places = layout(graph).places
    assert len(boxes) == 2
    for scope, (left, top, width, height) in zip(["first", "second"], boxes, strict=True):
        inside = {n for n, (px, py) in places.items() if left < px < left + width and top < py < top + height}
        assert inside == {n for n in graph.nodes if (n.name or "").startswith(scope + "/")}


def test_a_scopes_name_fits_its_box_and_is_not_repeated_in_it():
    graph = ComputationalGraph(Sum()(EmbeddingLookup()(Parameter("embedding/V", np.ones((5, 2))), Node("ids"))))
    graph.forward(ids=np.array([1]))
    svg = draw(graph).svg()
    words = [t.text for t in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]
    assert words.count("embedding") == 1 and "V" in words and "embedding/V" not in words
    left, _, width, _ = box_around("embedding", layout(graph).places)
    assert width > LETTER * len("embedding")
    assert float(ElementTree.fromstring(svg).get("viewBox").split()[0]) < left
