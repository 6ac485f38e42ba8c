"""The edges of a drawing."""

from handgrad import ComputationalGraph, Node, Sigmoid
from handgrad.show.drawing.labels import LETTER
from handgrad.show.drawing.layout import layout
from handgrad.show.drawing.plan import edges
from handgrad.show.drawing.wires import wires


def test_a_long_number_behind_an_output_is_not_cut_off():
    x = Node("x")
    graph = ComputationalGraph(Sigmoid()(x))
    right = edges(*layout(graph), [], [])[2]
    output = next(wire for wire in wires(graph, *layout(graph)) if wire.target is None)
    assert output.value[0] + LETTER * len("-1.234e-05") < right
