"""Draw a computational graph: inputs left, outputs right, values above the wires and gradients below."""

from collections import defaultdict
from html import escape

import numpy as np

SYMBOLS = {"Add": "+", "Subtract": "−", "Multiply": "×", "Sigmoid": "σ", "Sum": "Σ"}
COLUMN, ROW, RADIUS, MARGIN = 150, 106, 21, 40


class Drawing:
    """A graph as SVG for the page, and as a table in text."""

    def __init__(self, graph, title):
        self.graph, self.title = graph, title

    def __repr__(self):
        rows = [["node", "from", "value", "gradient"]]
        for node in self.graph.nodes:
            rows.append(
                [
                    _label(node) if not node.name or node.gate is None else f"{node.name}: {_label(node)}",
                    ", ".join(i.name or _label(i) for i in node.inputs),
                    _number(self.graph.values.get(node)),
                    _number(self.graph.gradients.get(node)),
                ]
            )
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return "\n".join("  ".join(c.ljust(w) for c, w in zip(r, widths, strict=True)).rstrip() for r in rows)

    def _repr_html_(self):
        return f'<figure class="hg-figure">{self.svg()}<figcaption>{escape(self.title)}</figcaption></figure>'

    def svg(self):
        places = _layout(self.graph)
        width = max(x for x, _ in places.values()) + 2 * MARGIN + 60
        height = max(y for _, y in places.values()) + 2 * MARGIN
        wires = [part for node in self.graph.nodes for part in self._wires_into(node, places)]
        marks = [part for node in self.graph.nodes for part in self._mark(node, *places[node])]
        return (
            f'<svg class="hg-graph" role="img" aria-label="{escape(self._spoken(), quote=True)}" '
            f'xmlns="http://www.w3.org/2000/svg" viewBox="{-MARGIN} {-MARGIN} {width} {height}" width="{width}" '
            f'height="{height}" fill="none" stroke="currentColor" stroke-width="1.5" font-size="15" '
            f'font-family="sans-serif" text-anchor="middle">{"".join(wires + marks)}</svg>'
        )

    def _spoken(self):
        """The drawing in words, for those who do not see it."""
        parts = []
        for node in self.graph.nodes:
            inputs = f" of {' and '.join(i.name or _label(i) for i in node.inputs)}" if node.inputs else ""
            value, gradient = self.graph.values.get(node), self.graph.gradients.get(node)
            parts.append(
                f"{node.name or _label(node)}{inputs}"
                + (f", value {_number(value)}" if value is not None else "")
                + (f", gradient {_number(gradient)}" if gradient is not None else "")
            )
        return f"{self.title} Nodes: {'; '.join(parts)}."

    def _wires_into(self, node, places):
        """A curve for each input. Its value stands above it, and below it the gradient that came back this way."""
        upstream = self.graph.gradients.get(node)
        downstream = node.gate.backward(upstream) if upstream is not None and node.gate else [None] * len(node.inputs)
        x1, y1 = places[node]
        for source, gradient in zip(node.inputs, downstream, strict=True):
            x0, y0 = places[source]
            bend = (x1 - x0) / 2
            yield (
                f'<path d="M{x0 + RADIUS:g} {y0:g}C{x0 + bend:g} {y0:g} {x1 - bend:g} {y1:g} {x1 - RADIUS:g} {y1:g}"/>'
            )
            yield from _numbers((x0 + x1) / 2, (y0 + y1) / 2, self.graph.values.get(source), gradient)

    def _mark(self, node, x, y):
        """The node itself; an output also gets a wire to nowhere, for its value and its upstream gradient."""
        text = escape(_label(node))
        if node.gate is None:
            yield f'<text x="{x}" y="{y + 5}" font-style="italic" stroke="none" fill="currentColor">{text}</text>'
        else:
            yield f'<circle cx="{x}" cy="{y}" r="{RADIUS}"/>'
            size = 15 if len(text) < 5 else 11 if len(text) < 7 else 9
            yield (f'<text x="{x}" y="{y + 5}" font-size="{size}" stroke="none" fill="currentColor">{text}</text>')
        if node in self.graph.outputs:
            yield f'<path d="M{x + RADIUS} {y}h60"/>'
            values, gradients = self.graph.values, self.graph.gradients
            yield from _numbers(x + RADIUS + 30, y, values.get(node), gradients.get(node))


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


def _layout(graph):
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
    columns = defaultdict(list)
    for node in graph.nodes:
        columns[depth[node]].append(node)
    row = {n: r - (len(c) - 1) / 2 for c in columns.values() for r, n in enumerate(c)}
    for _ in range(4):  # each node moves to the middle of its neighbors; columns keep one row between nodes
        for column in columns.values():
            wish = {n: np.mean([row[m] for m in (*n.inputs, *users[n])] or [row[n]]) for n in column}
            column.sort(key=wish.get)
            middle = np.mean([wish[n] for n in column])
            for r, n in enumerate(column):
                row[n] = middle + r - (len(column) - 1) / 2
    top = min(row.values())
    return {n: (COLUMN * depth[n], round(ROW * (row[n] - top), 1)) for n in graph.nodes}


def _label(node):
    if node.gate is None:
        return node.name
    name = type(node.gate).__name__
    return SYMBOLS.get(name, name.lower() if len(name) < 8 else name)


def _number(value):
    if value is None:
        return ""
    if hasattr(value, "coalesce"):
        return f"{len(value.coalesce()[0])} rows"
    return f"{float(value):.4g}" if np.ndim(value) == 0 else f"{np.shape(value)}"


def _numbers(x, y, value, gradient):
    for text, dy, color in ((_number(value), -7, "blue"), (_number(gradient), 18, "orange")):
        if text:
            fallback = {"blue": "#0072b2", "orange": "#d55e00"}[color]
            yield (
                f'<text x="{x:g}" y="{y + dy:g}" stroke="none" fill="var(--hg-{color}, {fallback})" '
                f'class="hg-{"value" if color == "blue" else "gradient"}">{escape(text)}</text>'
            )
