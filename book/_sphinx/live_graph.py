"""The graph at the top of the landing page: f = (x + y) · max(y, z), with numbers that a reader can change.

The directive `{live-graph}` writes it with the numbers that handgrad computes, so it is whole on paper and without
JavaScript. `assets/live-graph.js` computes them anew for other inputs; a test compares the two.
"""

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from handgrad import Add, ComputationalGraph, Max, Multiply, Node

INPUTS = {"x": 1.0, "y": 2.0, "z": 0.0}
PLACES = {"x": (40, 40), "y": (40, 170), "z": (40, 300), "add": (230, 105), "max": (230, 235), "times": (400, 170)}
SYMBOLS = {"add": "+", "max": "max", "times": "×"}
RADIUS, LETTER, END = 25, 16, 524  # of a gate; of the room for a letter; where the last wire ends
WIRES = [("x", "add"), ("y", "add"), ("y", "max"), ("z", "max"), ("add", "times"), ("max", "times")]


def numbers_on_the_wires(x, y, z):
    """The value and the gradient of each wire, and of the result: name to pair."""
    node = {name: Node(name) for name in "xyz"}
    node["add"], node["max"] = Add()(node["x"], node["y"]), Max()(node["y"], node["z"])
    node["times"] = Multiply()(node["add"], node["max"])
    graph = ComputationalGraph(node["times"])
    graph.forward(x=x, y=y, z=z)
    graph.backward()
    numbers = {"f": (graph.values[node["times"]], 1.0)}
    for source, gate in WIRES:
        place = node[gate].inputs.index(node[source])
        numbers[f"{source}-{gate}"] = (graph.values[node[source]], graph.downstream[node[gate]][place])
    return numbers


def svg():
    numbers = numbers_on_the_wires(**INPUTS)
    parts, on_them = [], []  # no wire is drawn over a number
    for source, gate in WIRES:
        (x0, y0), (x1, y1) = PLACES[source], PLACES[gate]
        start, end = x0 + (RADIUS if source in SYMBOLS else LETTER), x1 - RADIUS
        middle = (start + end) / 2
        parts.append(wire(f"{source}-{gate}", f"M{start} {y0}C{middle} {y0} {middle} {y1} {end} {y1}"))
        on_them += texts(f"{source}-{gate}", middle, (y0 + y1) / 2, numbers)
    x, y = PLACES["times"]
    parts.append(wire("f", f"M{x + RADIUS} {y}H{END}"))
    on_them += texts("f", (x + RADIUS + END) / 2, y, numbers)
    letters = {**PLACES, "f": (END + LETTER, y)}
    for name, (x, y) in letters.items():
        if name in SYMBOLS:
            parts.append(f'<circle cx="{x}" cy="{y}" r="{RADIUS}"/>')
        style = "" if name in SYMBOLS else ' font-style="italic"'
        parts.append(f'<text x="{x}" y="{y + 6}" class="hg-letter"{style}>{SYMBOLS.get(name, name)}</text>')
    return (
        '<svg viewBox="24 12 536 316" role="img" aria-labelledby="hg-live-said" font-size="18" text-anchor="middle">'
        + "".join(parts + on_them)
        + "</svg>"
    )


def wire(name, path):
    return f'<path d="{path}" data-wire="{name}" fill="none"/>'


def texts(name, x, y, numbers):
    value, gradient = numbers[name]
    yield f'<text x="{x:g}" y="{y - 9:g}" class="hg-value" data-value="{name}">{value:g}</text>'
    yield f'<text x="{x:g}" y="{y + 22:g}" class="hg-gradient" data-gradient="{name}">{gradient:g}</text>'


def said():
    """The result as a sentence; live-graph.js says it in the same words."""
    numbers = numbers_on_the_wires(**INPUTS)
    (f, _), (_, dx), (_, dz) = numbers["f"], numbers["x-add"], numbers["z-max"]
    (_, from_sum), (_, from_max) = numbers["y-add"], numbers["y-max"]
    dy = f"{from_sum:g} + {from_max:g} = {from_sum + from_max:g}"
    return f"f = {f:g}. Its slopes: {dx:g} for x, {dy} for y, {dz:g} for z."


def html():
    fields = "".join(
        f'<label><i>{name}</i> <input type="number" min="-999" max="999" name="{name}" value="{value:g}"></label>'
        for name, value in INPUTS.items()
    )
    return (
        f'<figure class="hg-live">{svg()}'
        f'<form class="hg-live-controls" hidden>{fields}<button type="submit">Send them through</button></form>'
        f'<p class="hg-live-said" id="hg-live-said" role="status">{said()}</p></figure>'
    )


class LiveGraph(SphinxDirective):
    def run(self):
        return [nodes.raw("", html(), format="html")]


def add_script(app, pagename, templatename, context, doctree):
    if 'class="hg-live"' in context.get("body", ""):
        app.add_js_file("live-graph.js", loading_method="defer")


def setup(app):
    app.add_directive("live-graph", LiveGraph)
    app.connect("html-page-context", add_script)
