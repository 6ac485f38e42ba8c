"""A plan as SVG: boxes of scopes, wires, nodes, and the numbers on top, so that no wire is drawn over one."""

from html import escape

from handgrad.graph import ComputationalGraph
from handgrad.nodes import Constant
from handgrad.show.drawing.labels import LINE, half_height_of, half_width_of, lines_in, name_above, short_number
from handgrad.show.drawing.plan import plan_of
from handgrad.show.drawing.text import in_words
from handgrad.show.drawing.wires import numbers_on
from handgrad.show.figures import page_color

SMALLEST = 0.8  # of its size: on a phone a drawing scrolls rather than have letters below 11 pixels
HALO = "var(--pst-color-background, var(--jp-layout-color0, white))"  # the page's own, in the book and in JupyterLab


def as_svg(graph: ComputationalGraph, title: str) -> str:
    """A graph with the numbers that its last passes have left in it."""
    plan = plan_of(graph)
    left, top, right, bottom = plan.edges
    boxes = [part for scope, box in plan.boxes.items() for part in _box(scope, *box)]
    paths = [f'<path d="{wire.path}"/>' for wire in plan.wires]
    marks = [part for node in graph.nodes for part in _mark(node, *plan.places[node])]
    numbers = [part for wire in plan.wires for part in _numbers(graph, wire)]
    return (
        f'<svg class="hg-graph" role="img" aria-label="{escape(in_words(graph, title), quote=True)}" '
        f'xmlns="http://www.w3.org/2000/svg" viewBox="{left:g} {top:g} {right - left:g} {bottom - top:g}" '
        f'width="{right - left:g}" height="{bottom - top:g}" style="min-width:{SMALLEST * (right - left):.0f}px" '
        f'fill="none" stroke="currentColor" stroke-width="1.5" font-size="14" font-family="sans-serif" '
        f'text-anchor="middle">{"".join(boxes + paths + marks + numbers)}</svg>'
    )


def _box(scope, left, top, width, height):
    """A dashed box with the name of its scope."""
    yield (
        f'<rect class="hg-scope" x="{left:g}" y="{top:g}" width="{width:g}" height="{height:g}" '
        f'rx="8" stroke-dasharray="4 4" opacity="0.5"/>'
    )
    yield (f'<text x="{left + width / 2:g}" y="{top + 17:g}" stroke="none" fill="currentColor">{escape(scope)}</text>')


def _mark(node, x, y):
    """The node itself: a gate with its outline, an input as its name."""
    half_width, half_height, lines = half_width_of(node), half_height_of(node), lines_in(node)
    if node.gate is not None:
        yield (
            f'<rect x="{x - half_width:g}" y="{y - half_height:g}" width="{2 * half_width:g}" '
            f'height="{2 * half_height:g}" rx="21"/>'
        )
    if name_above(node):
        yield (
            f'<text x="{x:g}" y="{y - half_height - 6:g}" font-style="italic" stroke="none" fill="currentColor">'
            f"{escape(name_above(node))}</text>"
        )
    style = 'font-style="italic" ' if node.gate is None and not isinstance(node, Constant) else ""
    for i, line in enumerate(lines):
        baseline = y + 5 + LINE * (i - (len(lines) - 1) / 2)
        yield f'<text x="{x:g}" y="{baseline:g}" {style}stroke="none" fill="currentColor">{escape(line)}</text>'


def _numbers(graph, wire):
    """The value above a wire, and below it the gradient that came back this way."""
    value, gradient = numbers_on(graph, wire)
    return [
        f'<text x="{x:g}" y="{y:g}" text-anchor="{end}" class="hg-{kind}" fill="{page_color(color)}" '
        f'stroke="{HALO}" stroke-width="4" paint-order="stroke">{escape(short_number(number))}</text>'
        for kind, number, color, (x, y, end) in (
            ("value", value, "blue", wire.value),
            ("gradient", gradient, "orange", wire.gradient),
        )
        if number is not None
    ]
