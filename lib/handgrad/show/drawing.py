"""Draw a computational graph: inputs left, outputs right, values above the wires and gradients below."""

import itertools
import re
from collections import defaultdict
from html import escape

import numpy as np

from handgrad.show.figures import page_color

SYMBOLS = {"Add": "+", "Subtract": "−", "Multiply": "×", "Sigmoid": "σ", "Sum": "Σ", "EmbeddingLookup": "lookup"}
LETTER, LINE, GAP, ROW, MARGIN = 8, 16, 96, 106, 48  # sizes in pixels; GAP leaves room for the numbers on a wire
HALO = "var(--pst-color-background, var(--jp-layout-color0, white))"  # the page's own, in the book and in JupyterLab


class Drawing:
    """A graph as SVG for the page, and as a table in text."""

    def __init__(self, graph, title):
        self.graph, self.title = graph, title

    def __repr__(self):
        rows = [["node", "from", "value", "gradient"]]
        for node in self.graph.nodes:
            rows.append(
                [
                    label_of(node) if not node.name or node.gate is None else f"{node.name}: {label_of(node)}",
                    ", ".join(i.name or label_of(i) for i in node.inputs),
                    short_number(self.graph.values.get(node)),
                    short_number(self.graph.gradients.get(node)),
                ]
            )
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return "\n".join("  ".join(c.ljust(w) for c, w in zip(r, widths, strict=True)).rstrip() for r in rows)

    def _repr_html_(self):
        return f'<figure class="hg-figure">{self.svg()}<figcaption>{escape(self.title)}</figcaption></figure>'

    def svg(self):
        places = layout(self.graph)
        left = min(x - half_width_of(n) for n, (x, _) in places.items()) - MARGIN
        right = max(x + half_width_of(n) for n, (x, _) in places.items()) + GAP
        width, height = right - left, max(y for _, y in places.values()) + 2 * MARGIN + LINE
        boxes = [part for scope in dict.fromkeys(map(scope_of, places)) if scope for part in self._box(scope, places)]
        wires = [part for node in self.graph.nodes for part in self._wires_into(node, places)]
        marks = [part for node in self.graph.nodes for part in self._mark(node, *places[node])]
        return (
            f'<svg class="hg-graph" role="img" aria-label="{escape(self._spoken(), quote=True)}" '
            f'xmlns="http://www.w3.org/2000/svg" viewBox="{left:g} {-MARGIN - LINE / 2:g} {width:g} {height:g}" '
            f'width="{width:g}" height="{height:g}" style="min-width:{0.7 * width:.0f}px" fill="none" '
            f'stroke="currentColor" stroke-width="1.5" font-size="14" font-family="sans-serif" '
            f'text-anchor="middle">{"".join(boxes + wires + marks)}</svg>'
        )

    def _box(self, scope, places):
        """A dashed box around the nodes of a scope, with its name."""
        members = [(x, y, half_width_of(n)) for n, (x, y) in places.items() if scope_of(n) == scope]
        left, right = min(x - w for x, _, w in members) - 12, max(x + w for x, _, w in members) + 12
        top, bottom = min(y for _, y, _ in members) - 40, max(y for _, y, _ in members) + 40
        yield (
            f'<rect class="hg-scope" x="{left:g}" y="{top:g}" width="{right - left:g}" height="{bottom - top:g}" '
            f'rx="8" stroke-dasharray="4 4" opacity="0.5"/>'
        )
        yield (
            f'<text x="{left + 8:g}" y="{top + 15:g}" text-anchor="start" font-size="12" stroke="none" '
            f'fill="currentColor">{escape(scope)}</text>'
        )

    def _spoken(self):
        """The drawing in words, for those who do not see it."""
        parts = []
        for node in self.graph.nodes:
            inputs = f" of {' and '.join(i.name or label_of(i) for i in node.inputs)}" if node.inputs else ""
            value, gradient = self.graph.values.get(node), self.graph.gradients.get(node)
            parts.append(
                f"{node.name or label_of(node)}{inputs}"
                + (f", value {short_number(value)}" if value is not None else "")
                + (f", gradient {short_number(gradient)}" if gradient is not None else "")
            )
        return f"{self.title} Nodes: {'; '.join(parts)}."

    def _wires_into(self, node, places):
        """A curve for each input. Its value stands above it, and below it the gradient that came back this way."""
        downstream = self.graph.downstream.get(node, [None] * len(node.inputs))
        x1, y1 = places[node]
        for source, gradient in zip(node.inputs, downstream, strict=True):
            start, y0 = places[source][0] + half_width_of(source), places[source][1]
            end = x1 - half_width_of(node)
            middle = (start + end) / 2
            yield f'<path d="M{start:g} {y0:g}C{middle:g} {y0:g} {middle:g} {y1:g} {end:g} {y1:g}"/>'
            along, down = (
                (0.5, 0.5) if abs(y1 - y0) < 1.2 * ROW else (0.34, 0.22)
            )  # on a steep wire, near its beginning
            x, y = start + along * (end - start), y0 + down * (y1 - y0)
            yield from _numbers(x, y, self.graph.values.get(source), gradient)

    def _mark(self, node, x, y):
        """The node itself; an output also gets a wire to nowhere, for its value and its upstream gradient."""
        half_width, lines = half_width_of(node), label_of(node).split()
        if node.gate is not None:
            half_height = max(21, LINE * len(lines) / 2 + 6)
            yield (
                f'<rect x="{x - half_width:g}" y="{y - half_height:g}" width="{2 * half_width:g}" '
                f'height="{2 * half_height:g}" rx="21"/>'
            )
        style = 'font-style="italic" ' if node.gate is None else ""
        for i, line in enumerate(lines):
            baseline = y + 5 + LINE * (i - (len(lines) - 1) / 2)
            yield f'<text x="{x:g}" y="{baseline:g}" {style}stroke="none" fill="currentColor">{escape(line)}</text>'
        if node in self.graph.outputs:
            start = x + half_width
            yield f'<path d="M{start:g} {y:g}h{GAP - MARGIN}"/>'
            values, gradients = self.graph.values, self.graph.gradients
            yield from _numbers(start + (GAP - MARGIN) / 2, y, values.get(node), gradients.get(node))


def draw(graph, title="A computational graph: values above the wires, gradients below."):
    """Draw ``graph`` with what its last forward and backward left in it.

    Parameters
    ----------
    graph : ComputationalGraph
    title : str, the caption

    Returns
    -------
    Drawing : SVG in a notebook, a table in text
    """
    return Drawing(graph, title)


def layout(graph):
    """A column for each step from the inputs, a row for each node of a column: node to (x, y)."""
    depth = {}
    for node in graph.nodes:
        depth[node] = 1 + max((depth[i] for i in node.inputs), default=-1)
    users = defaultdict(list)
    for node in graph.nodes:
        for i in node.inputs:
            users[i].append(node)
    for node in reversed(graph.nodes):  # a leaf stands just before its first user
        if node.gate is None and users[node]:
            depth[node] = min(depth[u] for u in users[node]) - 1
    columns = defaultdict(list)  # (scope, depth) -> nodes
    for node in graph.nodes:
        columns[scope_of(node), depth[node]].append(node)
    row = _rows(columns, users)
    first = min(depth.values())
    widest = [
        max(half_width_of(n) for n in graph.nodes if depth[n] == d) for d in range(first, max(depth.values()) + 1)
    ]
    centers = np.cumsum([0, *(a + GAP + b for a, b in itertools.pairwise(widest))])
    return {n: (float(centers[depth[n] - first]), float(ROW * row[n])) for n in graph.nodes}


def _rows(columns, users):
    """A row for each node: scopes one below the other, and in a scope each node near the middle of its neighbors."""
    row = {n: r - (len(c) - 1) / 2 for c in columns.values() for r, n in enumerate(c)}
    for _ in range(4):
        for (scope, _), column in columns.items():
            neighbors = {n: [m for m in (*n.inputs, *users[n]) if scope_of(m) == scope] or [n] for n in column}
            wish = {n: np.mean([row[m] for m in neighbors[n]]) for n in column}
            column.sort(key=wish.get)
            middle = np.mean([wish[n] for n in column])
            for r, n in enumerate(column):
                row[n] = middle + r - (len(column) - 1) / 2
    below = 0.0
    for scope in dict.fromkeys(scope for scope, _ in columns):
        members = [n for (s, _), column in columns.items() if s == scope for n in column]
        top = min(row[n] for n in members)
        for n in members:
            row[n] += below - top
        below = max(row[n] for n in members) + 1.2  # a little more than a row, for the edges of the boxes
    return row


def scope_of(node):
    """ "embed" for the node "embed/V", and nothing for a node without a scope."""
    return (node.name or "").rpartition("/")[0]


def label_of(node):
    """A leaf's name; a gate's symbol, or its class in words: SigmoidCrossEntropy is sigmoid cross entropy."""
    if node.gate is None:
        return node.name
    name = type(node.gate).__name__
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[^A-Z]+", name)
    return SYMBOLS.get(name, " ".join(words).lower())


def half_width_of(node):
    """Half of the width of a node, as far as wires keep away from its middle."""
    letters = max(map(len, label_of(node).split()))
    return LETTER * letters / 2 + 6 if node.gate is None else max(21, LETTER * letters / 2 + 10)


def short_number(value):
    if value is None:
        return ""
    if hasattr(value, "coalesce"):
        return f"{len(value.coalesce()[0])} rows"
    return f"{float(value):.4g}" if np.ndim(value) == 0 else f"{np.shape(value)}"


def _numbers(x, y, value, gradient):
    """The value above the point (x, y), and the gradient below it."""
    for kind, text, dy, color in (
        ("value", short_number(value), -7, page_color("blue")),
        ("gradient", short_number(gradient), 18, page_color("orange")),
    ):
        if text:
            yield (
                f'<text x="{x:g}" y="{y + dy:g}" class="hg-{kind}" fill="{color}" stroke="{HALO}" stroke-width="4" '
                f'paint-order="stroke">{escape(text)}</text>'
            )
