"""Draw a computational graph: inputs left, outputs right, values above the wires and gradients below."""

import itertools
import re
from collections import defaultdict
from collections.abc import Collection
from html import escape
from typing import Any, NamedTuple

import numpy as np

from handgrad.graph import ComputationalGraph
from handgrad.nodes import Constant, Node
from handgrad.show.beside import box_of, numbers_beside
from handgrad.show.figures import page_color

WORDS = re.compile(r"(?:[A-Z]+[a-z])?[A-Z]{2,}(?![a-z])|[A-Z]?[^A-Z]+|[A-Z]")  # ReLU, NCE and GELU are one word
SYMBOLS = {"Add": "+", "Subtract": "−", "Multiply": "×", "Sigmoid": "σ", "Sum": "Σ", "EmbeddingLookup": "lookup"}
LETTER, LINE, GAP, ROW, STUB = 8, 16, 84, 106, 48  # in pixels; numbers stand in GAP, and behind an output, at its STUB
NAME = 18  # above a gate that has a name, for it
SHORTEST, USUAL, LONGEST = "-1", "-0.1966", "-1.234e-05"  # numbers
SMALLEST = 0.8  # of its size: on a phone a drawing scrolls rather than have letters below 11 pixels
HALO = "var(--pst-color-background, var(--jp-layout-color0, white))"  # the page's own, in the book and in JupyterLab


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


class Bend(Node):
    """Where a wire that skips a column passes between that column's nodes: it has a row there, as a node has."""

    def __init__(self, scope: str, before: Node) -> None:
        self.name, self.gate, self.inputs = f"{scope}/" if scope else "", None, (before,)


class Layout(NamedTuple):
    """Where things stand in a drawing.

    places : node to (x, y), its middle
    bends : source to the (left, right, y) between which its longer wires run straight, from column to column
    """

    places: dict[Node, tuple[float, float]]
    bends: dict[Node, list[tuple[float, float, float]]]


class Drawing:
    """A graph as SVG for the page, and as a table in text."""

    def __init__(self, graph: ComputationalGraph, title: str) -> None:
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

    def svg(self) -> str:
        places, bends = layout(self.graph)
        scopes = {scope: box_around(scope, places) for scope in map(scope_of, places) if scope}
        boxes = [part for scope, box in scopes.items() for part in _box(scope, *box)]
        drawn = wires(self.graph, places, bends)
        left, top, right, bottom = edges(places, bends, scopes.values(), drawn)
        paths = [f'<path d="{wire.path}"/>' for wire in drawn]
        numbers = [part for wire in drawn for part in self._numbers(wire)]
        marks = [part for node in self.graph.nodes for part in _mark(node, *places[node])]
        return (
            f'<svg class="hg-graph" role="img" aria-label="{escape(self._spoken(), quote=True)}" '
            f'xmlns="http://www.w3.org/2000/svg" viewBox="{left:g} {top:g} {right - left:g} {bottom - top:g}" '
            f'width="{right - left:g}" height="{bottom - top:g}" style="min-width:{SMALLEST * (right - left):.0f}px" '
            f'fill="none" stroke="currentColor" stroke-width="1.5" font-size="14" font-family="sans-serif" '
            f'text-anchor="middle">{"".join(boxes + paths + marks + numbers)}</svg>'  # no wire is drawn over a number
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

    def _numbers(self, wire):
        """The value above a wire, and below it the gradient that came back this way."""
        value, back = _numbers_on(self.graph, wire)
        return [
            f'<text x="{x:g}" y="{y:g}" text-anchor="{end}" class="hg-{kind}" fill="{page_color(color)}" '
            f'stroke="{HALO}" stroke-width="4" paint-order="stroke">{escape(short_number(number))}</text>'
            for kind, number, color, (x, y, end) in (
                ("value", value, "blue", wire.value),
                ("gradient", back, "orange", wire.gradient),
            )
            if number is not None
        ]


def draw(
    graph: ComputationalGraph, title: str = "A computational graph: values above the wires, gradients below."
) -> Drawing:
    """Draw ``graph`` with what its last forward and backward left in it.

    Parameters
    ----------
    graph : ComputationalGraph
    title : str
        The caption.

    Returns
    -------
    Drawing
        SVG in a notebook, a table in text.

    Examples
    --------
    >>> from handgrad import ComputationalGraph, Node, show
    >>> graph = ComputationalGraph(Node("x") * Node("y"))
    >>> graph.forward(x=2.0, y=3.0), graph.backward()
    (6.0, {'x': 3.0, 'y': 2.0})
    >>> show.draw(graph)
    node  from  value  gradient
    x           2      3
    y           3      2
    ×     x, y  6      1
    """
    return Drawing(graph, title)


def layout(graph: ComputationalGraph) -> Layout:
    """A column for each step from the inputs, and in it a row for each node and for each wire that passes by."""
    depth: dict[Node, int] = {}
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
    bends = {node: _bends(node, users, depth, columns) for node in graph.nodes}
    row = _rows(columns, users)
    first = min(depth.values())
    widest = [
        max(_half_room_of(n) for n in graph.nodes if depth[n] == d) for d in range(first, max(depth.values()) + 1)
    ]
    centers = np.cumsum([0, *(a + GAP + b for a, b in itertools.pairwise(widest))])
    middles = {n: (float(centers[d - first]), float(ROW * row[n])) for n, d in depth.items()}
    straight = {}
    for node, passed in bends.items():
        rooms = [(*middles[bend], widest[depth[bend] - first]) for bend in passed]
        straight[node] = [(x - room, x + room, y) for x, y, room in rooms]
    return Layout({n: middles[n] for n in graph.nodes}, straight)


def _bends(node, users, depth, columns):
    """For a node one bend in each column between it and its last user, all one below the other's inputs."""
    far = [user for user in users[node] if depth[user] > depth[node] + 1]
    scopes = {scope_of(node), *map(scope_of, far)}
    bends, before = [], node
    for d in range(depth[node] + 1, max((depth[user] for user in far), default=0)):
        bend = Bend(next(iter(scopes)) if len(scopes) == 1 else "", before)
        users[before].append(bend)
        depth[bend], before = d, bend
        columns[scope_of(bend), d].append(bend)
        bends.append(bend)
    return bends


def wires(
    graph: ComputationalGraph,
    places: dict[Node, tuple[float, float]],
    bends: dict[Node, list[tuple[float, float, float]]],
) -> list[Wire]:
    """A curve for each input of each gate, and a straight wire to nowhere for an output: with its upstream gradient."""
    routes = list(_routes(graph, places, bends))
    numbers = [_numbers_on(graph, wire) for wire, _ in routes]
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


def width_of(number: str) -> int:
    """Of a number, in the bold letters that a stepper has; as wide as the shortest if there is none yet."""
    return sum(6 if letter in "(), .-" else 10 for letter in number or SHORTEST)


def _numbers_on(graph, wire):
    """The value on a wire, and the gradient that came back this way."""
    if wire.target is None:
        return graph.values.get(wire.source), graph.gradients.get(wire.source)
    back = graph.downstream.get(wire.target)
    return graph.values.get(wire.source), back if back is None else back[wire.slot]


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


def _points(start, y0, end, y1):
    """Along the curve that _curve draws."""
    t = np.linspace(0, 1, 24)
    return np.stack([start + (end - start) * (1.5 * t * (1 - t) + t**3), y0 + (y1 - y0) * (3 - 2 * t) * t**2], axis=1)


def _curve(start, y0, end, y1):
    """From one point to another, level at both."""
    middle = (start + end) / 2
    return f"C{middle:g} {y0:g} {middle:g} {y1:g} {end:g} {y1:g}"


def _rows(columns, users):
    """A row for each node: near the middle of its neighbors in its scope; scopes are below those they would overlap."""
    row = {n: r - (len(c) - 1) / 2 for c in columns.values() for r, n in enumerate(c)}
    for _ in range(4):
        for (scope, _), column in columns.items():
            neighbors = {n: [m for m in _pulling(n, users) if scope_of(m) == scope] or [n] for n in column}
            wish = {n: np.mean([row[m] for m in neighbors[n]]) for n in column}
            column.sort(key=wish.get)
            middle = np.mean([wish[n] for n in column])
            for r, n in enumerate(column):
                row[n] = middle + r - (len(column) - 1) / 2
    free = defaultdict(float)  # the first row of each column that is free; a box leaves room for its edges
    for scope in dict.fromkeys(scope for scope, _ in columns):
        own = {d: column for (s, d), column in columns.items() if s == scope}
        widest = max(half_width_of(n) for column in own.values() for n in column)
        more = bool(scope) and LETTER * len(scope) + 24 > 2 * widest + GAP  # its name needs the columns beside it
        across = range(min(own) - more, max(own) + 1 + more)
        top = max(free[d] for d in across) - min(row[n] for column in own.values() for n in column)
        for n in itertools.chain(*own.values()):
            row[n] += top
        lowest = {d: max(row[n] for n in column) for d, column in own.items()}
        for d in across if scope else own:
            free[d] = (max(lowest.values()) if scope else lowest[d]) + 1.2
    return row


def _pulling(node, users):
    """What a node wants to be level with: its inputs and users; a bend with other bends, for a straight wire."""
    around = (*node.inputs, *users[node])
    bends = [n for n in around if isinstance(n, Bend)]
    return bends if bends and isinstance(node, Bend) else around


def scope_of(node: Node) -> str:
    """ "embed" for the node "embed/V", and nothing for a node without a scope."""
    return (node.name or "").rpartition("/")[0]


def box_around(scope: str, places: dict[Node, tuple[float, float]]) -> tuple[float, float, float, float]:
    """Left, top, width and height of the box around a scope's nodes: wide enough for its name, too."""
    members = [(x, y, half_width_of(n)) for n, (x, y) in places.items() if scope_of(n) == scope]
    left, right = min(x - w for x, _, w in members) - 12, max(x + w for x, _, w in members) + 12
    missing = max(0, LETTER * len(scope) + 24 - (right - left))
    named = any(name_above(n) for n in places if scope_of(n) == scope)  # names stand below that of the scope
    top, bottom = min(y for _, y, _ in members) - 40 - NAME * named, max(y for _, y, _ in members) + 40
    return left - missing / 2, top, right - left + missing, bottom - top


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


def label_of(node: Node) -> str:
    """A leaf's name, a constant's value; a gate's symbol, or its class in words: sigmoid cross entropy, leaky ReLU."""
    if isinstance(node, Constant):
        return node.name or short_number(node.value)
    if node.gate is None:
        return node.name or ""
    name = type(node.gate).__name__
    words = re.findall(WORDS, name)
    return SYMBOLS.get(name, " ".join(word if word[1:] != word[1:].lower() else word.lower() for word in words))


def lines_in(node: Node) -> list[str]:
    """The words in a node's drawing, one below the other; of "embed/V" only V, since its box says embed."""
    if isinstance(node, Constant):
        return [label_of(node)]
    return (label_of(node) if node.gate is not None else _without_scope(node)).split()


def name_above(node: Node) -> str:
    """What stands above a gate: its own name, if it has one."""
    return _without_scope(node) if node.gate is not None else ""


def _without_scope(node: Node) -> str:
    name = node.name or ""
    return name.rpartition("/")[2] or name


def _half_room_of(node: Node) -> float:
    """Half of the width that a column needs: of a long name, as much as does not fit above the wires on both sides."""
    return max(half_width_of(node), (LETTER * len(name_above(node)) - GAP) / 2 + 6)


def half_width_of(node: Node) -> float:
    """Half of the width of a node, as far as wires keep away from its middle."""
    letters = max(map(len, lines_in(node)), default=0)
    return LETTER * letters / 2 + 6 if node.gate is None else max(21, LETTER * letters / 2 + 10)


def half_height_of(node: Node) -> float:
    return max(21, LINE * len(lines_in(node)) / 2 + 6)


def short_number(value: Any) -> str:
    if value is None:
        return ""
    if hasattr(value, "coalesce"):
        return f"{len(value.coalesce()[0])} rows"
    return f"{float(value):.4g}" if np.ndim(value) == 0 else f"{np.shape(value)}"


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
