"""What stands in the SVG of a graph."""

import re
import xml.etree.ElementTree as ElementTree

import numpy as np

from handgrad import Add, ComputationalGraph, EmbeddingLookup, Max, Multiply, Node, Parameter, Sigmoid, Sum
from handgrad.show import draw


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


def test_drawing_changes_nothing():
    graph = lecture_graph()
    graph.forward(x=1.0, y=2.0, z=0.0)
    before = graph.backward()
    draw(graph).svg()
    assert graph.backward() == before


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


def test_a_drawing_shows_its_own_graphs_numbers_after_another_graph_ran():
    product = Multiply()(Node("x"), Node("w"))
    first, second = ComputationalGraph(product), ComputationalGraph(Sigmoid()(product))
    first.forward(x=1.0, w=2.0)
    first.backward()
    before = draw(first).svg()
    second.forward(x=np.ones(3), w=np.ones(3))
    assert draw(first).svg() == before
