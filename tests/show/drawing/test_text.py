"""A graph in text."""

import xml.etree.ElementTree as ElementTree

from handgrad import Add, ComputationalGraph, Max, Multiply, Node, Sigmoid
from handgrad.show import draw


def lecture_graph():
    x, y, z = Node("x"), Node("y"), Node("z")
    return ComputationalGraph(Multiply()(Add()(x, y), Max()(y, z)))


def test_the_text_form_is_a_table():
    graph = lecture_graph()
    graph.forward(x=1.0, y=2.0, z=0.0)
    graph.backward()
    lines = repr(draw(graph)).splitlines()
    assert lines[0].split() == ["node", "from", "value", "gradient"]
    assert lines[2].split() == ["y", "2", "5"]
    assert lines[-1].split() == ["×", "+,", "max", "6", "1"]


def test_a_drawing_is_described_in_words_and_names_are_escaped():
    graph = ComputationalGraph(Sigmoid()(Node("<x>")))
    graph.forward({"<x>": 0.0})
    svg = draw(graph, title="One gate.").svg()
    root = ElementTree.fromstring(svg)
    assert root.get("role") == "img" and "value 0.5" in root.get("aria-label")
