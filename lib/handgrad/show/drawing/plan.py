"""A drawing before it is drawn: where nodes, wires, the boxes of scopes and the edges of the whole are."""

from collections.abc import Collection
from typing import NamedTuple

from handgrad.graph import ComputationalGraph
from handgrad.nodes import Node
from handgrad.show.drawing.beside import box_of
from handgrad.show.drawing.labels import LETTER, half_height_of, half_width_of, name_above, scope_of, width_of
from handgrad.show.drawing.layout import NAME, box_around, layout
from handgrad.show.drawing.wires import STUB, Wire, wires

USUAL, LONGEST = "-0.1966", "-1.234e-05"  # numbers


class Plan(NamedTuple):
    """All that a drawing needs to know of places, in pixels.

    places : node to (x, y), its middle
    wires : one for each input of each gate, and one behind each output
    boxes : scope to (left, top, width, height)
    edges : left, top, right and bottom of the whole
    """

    places: dict[Node, tuple[float, float]]
    wires: list[Wire]
    boxes: dict[str, tuple[float, float, float, float]]
    edges: tuple[float, float, float, float]


def plan_of(graph: ComputationalGraph) -> Plan:
    """Nodes first, then the wires between them, with the numbers that ``graph`` has now; then what is around them."""
    places, bends = layout(graph)
    drawn = wires(graph, places, bends)
    boxes = {scope: box_around(scope, places) for scope in map(scope_of, places) if scope}
    return Plan(places, drawn, boxes, edges(places, bends, boxes.values(), drawn))


def edges(
    places: dict[Node, tuple[float, float]],
    bends: dict[Node, list[tuple[float, float, float]]],
    boxes: Collection[tuple[float, float, float, float]],
    drawn: Collection[Wire],
) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of a drawing: all nodes and boxes, the stub of an output, and all numbers.

    Numbers may become longer: a reader of a stepper changes them.
    """
    inside = [(x, y, x + w, y + h) for x, y, w, h in boxes]
    for node, (x, y) in places.items():
        half_width = max(half_width_of(node), LETTER * len(name_above(node)) / 2)
        half_height = half_height_of(node) + NAME * bool(name_above(node))
        inside.append((x - half_width, y - half_height, x + half_width, y + half_height))
    behind = max(right for *_, right, _ in inside[len(boxes) :]) + max(STUB, width_of(LONGEST))
    for wire in drawn:
        for spot, width in zip((wire.value, wire.gradient), wire.widths, strict=True):
            x0, y0, x1, y1 = box_of(*spot, max(width, width_of(USUAL)))
            inside.append((x0 + 8, y0, x1 - 8, y1))  # at the sides a number needs less of a margin
    passing = [y for straight in bends.values() for _, _, y in straight]
    left, top, right, bottom = zip(*inside, strict=True)
    return min(left) - 12, min(top + tuple(passing)) - 8, max(behind, *right) + 12, max(bottom + tuple(passing)) + 8
