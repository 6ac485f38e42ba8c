"""The wires of a drawing, as paths of SVG, and where the two numbers of each stand: its value and its gradient."""

from typing import Any, NamedTuple

import numpy as np

from handgrad.graph import ComputationalGraph
from handgrad.nodes import Node
from handgrad.show.drawing.beside import numbers_beside
from handgrad.show.drawing.labels import (
    LETTER,
    LINE,
    half_height_of,
    half_width_of,
    name_above,
    scope_of,
    short_number,
    width_of,
)
from handgrad.show.drawing.layout import NAME, box_around

STUB = 48  # in pixels: the wire behind an output, at which its numbers stand


class Wire(NamedTuple):
    """From a node to an input of another, or from an output to nowhere: a path of SVG, and where its numbers stand.

    target : Node, or None of the output's; slot : int, which of the target's inputs
    value, gradient : where each number stands: x, y, and which of its ends is there, as SVG calls it
    widths : how wide they are
    """

    source: Node
    target: Node | None
    slot: int
    path: str
    value: tuple[float, float, str] = (0.0, 0.0, "start")
    gradient: tuple[float, float, str] = (0.0, 0.0, "start")
    widths: tuple[float, float] = (0.0, 0.0)


def wires(
    graph: ComputationalGraph,
    places: dict[Node, tuple[float, float]],
    bends: dict[Node, list[tuple[float, float, float]]],
) -> list[Wire]:
    """A curve for each input of each gate, and a straight wire to nowhere for an output: with its upstream gradient."""
    routes = list(_routes(graph, places, bends))
    numbers = [numbers_on(graph, wire) for wire, _ in routes]
    widths = [(width_of(short_number(above)), width_of(short_number(below))) for above, below in numbers]
    spots = numbers_beside(
        [np.concatenate([_points(*part) for part in parts]) for _, parts in routes],
        [np.reshape(parts[-1], (2, 2)).mean(axis=0) for _, parts in routes],
        widths,
        list(_covered(places)),
        [wire.target is None for wire, _ in routes],
    )
    return [
        wire._replace(value=value, gradient=gradient, widths=own)
        for (wire, _), (value, gradient), own in zip(routes, spots, widths, strict=True)
    ]


def numbers_on(graph: ComputationalGraph, wire: Wire) -> tuple[Any, Any]:
    """The value on a wire, and the gradient that came back this way."""
    if wire.target is None:
        return graph.values.get(wire.source), graph.gradients.get(wire.source)
    back = graph.downstream.get(wire.target)
    return graph.values.get(wire.source), back if back is None else back[wire.slot]


def _routes(graph, places, bends):
    """The wires still without numbers, and the parts of each, straight and curved: x0, y0, x1, y1."""
    for node in graph.nodes:
        x1, y1 = places[node]
        end = x1 - half_width_of(node)
        for slot, source in enumerate(node.inputs):
            start, y0 = places[source][0] + half_width_of(source), places[source][1]
            path, parts = f"M{start:g} {y0:g}", []
            for left, right, y in bends[source]:
                if right < end:
                    path += f"{_curve(start, y0, left, y)}H{right:g}"
                    parts += [(start, y0, left, y), (left, y, right, y)]
                    start, y0 = right, y
            yield Wire(source, node, slot, path + _curve(start, y0, end, y1)), [*parts, (start, y0, end, y1)]
        if node in graph.outputs:
            start = x1 + half_width_of(node)
            yield Wire(node, None, 0, f"M{start:g} {y1:g}h{STUB}"), [(start, y1, start + STUB, y1)]


def _curve(start, y0, end, y1):
    """From one point to another, level at both."""
    middle = (start + end) / 2
    return f"C{middle:g} {y0:g} {middle:g} {y1:g} {end:g} {y1:g}"


def _points(start, y0, end, y1):
    """Along the curve that _curve draws."""
    t = np.linspace(0, 1, 24)
    return np.stack([start + (end - start) * (1.5 * t * (1 - t) + t**3), y0 + (y1 - y0) * (3 - 2 * t) * t**2], axis=1)


def _covered(places):
    """Boxes that numbers leave free: nodes and their names, the names of scopes and the edges around them."""
    for node, (x, y) in places.items():
        w, h = half_width_of(node), LINE / 2 if node.gate is None else half_height_of(node)
        yield x - w, y - h, x + w, y + h
        half_name = LETTER * len(name_above(node)) / 2
        yield x - half_name, y - h - NAME, x + half_name, y - h
    for scope in set(map(scope_of, places)) - {""}:
        left, top, width, height = box_around(scope, places)
        middle, half_name, right, bottom = left + width / 2, LETTER * len(scope) / 2, left + width, top + height
        yield middle - half_name, top + 4, middle + half_name, top + 20
        yield from ((x, top, x, bottom) for x in (left, right))
        yield from ((left, y, right, y) for y in (top, bottom))
