"""Step through a graph: values forward, gate by gate, then upstream × local = downstream."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from handgrad import gates
from handgrad.errors import InputError
from handgrad.graph import ComputationalGraph
from handgrad.nodes import Constant
from handgrad.passes import by_name
from handgrad.show.drawing import Drawing
from handgrad.show.drawing.labels import half_width_of, label_of, lines_in, name_above, short_number
from handgrad.show.drawing.plan import plan_of
from handgrad.show.explorers.parts.gates import all_in_the_browser
from handgrad.show.explorers.parts.host import Explorer

MAX_ENTRIES = 12  # an array with more is shown as its shape


class GraphStepper(Explorer):
    """A graph whose forward and backward pass a reader goes through. Where it can, the browser computes both."""

    module = "graph_stepper"

    def __init__(self, graph: ComputationalGraph, title: str) -> None:
        self.drawing = Drawing(graph, title)
        self.text = repr(self.drawing)
        self.svg = self.drawing.svg()
        editable = all_in_the_browser(graph) and all(np.ndim(graph.values[n]) == 0 for n in graph.nodes)
        plan = plan_of(graph)
        state = {
            "nodes": [_node(graph, node, *plan.places[node], editable) for node in graph.nodes],
            "wires": [_wire(graph, wire) for wire in plan.wires],
            "boxes": [_box(scope, *box) for scope, box in plan.boxes.items()],
            "edges": [round(x, 1) for x in plan.edges],
            "recorded": None if editable else _record(graph),
            "step": 0,
        }
        super().__init__(state, title)

    def __repr__(self):
        return f"{super().__repr__()}\n{self.text}"

    def still(self) -> str:
        return self.svg


def step_through(
    graph: ComputationalGraph, feeds: Mapping[str, Any] | None = None, /, title: str = "", **values: Any
) -> GraphStepper:
    """Go through a graph's forward and backward pass, one gate at a time.

    The reader steps by buttons or arrow keys. In a graph of single numbers made of the library's elementary gates the
    inputs can be edited: the browser computes every value and gradient anew. In any other graph the passes
    are those of the values given here.

    Parameters
    ----------
    graph : ComputationalGraph
        With one output, a single number.
    feeds : dict, optional
        Name to value, for names that are no Python identifiers.
    title : str, optional
        The caption.
    **values : array or number
        The other leaves by name; without any, those of the last forward pass.

    Returns
    -------
    GraphStepper
        An explorer in a notebook and on a page. The graph has gone forward and backward.

    Raises
    ------
    InputError
        If the graph has several outputs or an array as its output, or a number in it is not finite.

    Examples
    --------
    >>> from handgrad import ComputationalGraph, Node, show
    >>> show.step_through(ComputationalGraph(Node("x") * Node("y")), x=2.0, y=3.0)
    GraphStepper: Step through the graph: values come forward, then gradients go back. Edit an input and look.
    node  from  value  gradient
    x           2      3
    y           3      2
    ×     x, y  6      1
    """
    if len(graph.outputs) > 1:
        raise InputError(
            f"step_through expects a graph with one output, but this one has {len(graph.outputs)}: make a graph of "
            "one of them, or of their sum."
        )
    fed = by_name(feeds, values) or {
        name: graph.values[leaf] for name, leaf in graph.leaves.items() if leaf in graph.values
    }
    output = graph.forward(fed)
    if np.ndim(output) > 0:
        raise InputError(
            f"step_through expects a graph whose output is a single number, but its shape is {np.shape(output)}: end "
            "it with Sum or Mean."
        )
    graph.backward()
    title = title or "Step through the graph: values come forward, then gradients go back. Edit an input and look."
    return GraphStepper(graph, title)


def _node(graph, node, x, y, editable):
    """What the browser needs of a node: where it stands, what feeds it, how it is called."""
    number = {n: i for i, n in enumerate(graph.nodes)}
    state = {
        "label": lines_in(node),
        "above": name_above(node),
        "constant": isinstance(node, Constant),
        "gate": type(node.gate).__name__ if node.gate is not None else None,
        "name": _short_name(node),
        "inputs": [number[i] for i in node.inputs],
        "x": round(x, 1),
        "y": round(y, 1),
        "halfWidth": half_width_of(node),
    }
    if editable and isinstance(node.gate, gates.Power):
        state["p"] = float(node.gate.p)
    if node.gate is None and editable:
        state["value"] = _finite(node, graph.values[node])
    return state


def _wire(graph, wire):
    """Which nodes a wire joins, its path, and where its two numbers stand."""
    number = {n: i for i, n in enumerate(graph.nodes)}
    return {
        "from": number[wire.source],
        "to": None if wire.target is None else {"node": number[wire.target], "slot": wire.slot},
        "path": wire.path,
        **{
            kind: {"x": round(x, 1), "y": round(y, 1), "text-anchor": end}
            for kind, (x, y, end) in (("value", wire.value), ("gradient", wire.gradient))
        },
    }


def _short_name(node):
    """ "V" for the node "embed/V"; a gate without a name is called by its symbol."""
    return (node.name or label_of(node)).rpartition("/")[2]


def _box(scope, left, top, width, height):
    """Around the nodes of a scope, as in a drawing."""
    return {"name": scope, "x": left, "y": top, "width": width, "height": height}


def _finite(node, value):
    if not np.isfinite(value):
        raise InputError(f"step_through expects finite inputs, but {label_of(node)} is {value}: give another.")
    return float(value)


def _record(graph):
    """Both passes as text, for a graph that the browser does not compute: node by node, input by input."""
    recorded = {"values": [], "gradients": [], "downstream": [], "local": []}
    for node in graph.nodes:
        downstream = graph.downstream.get(node, [])
        recorded["values"].append(_quantity(graph.values[node]))
        recorded["gradients"].append(_quantity(graph.gradients.get(node)))
        recorded["downstream"].append([_quantity(d) for d in downstream])
        recorded["local"].append(_local_gradients(graph, node, downstream))
    return recorded


def _local_gradients(graph, node, downstream):
    """Of a gate of single numbers: what its backward makes of 1. Of others none, theirs is a Jacobian."""
    numbers = [graph.values[node], *(graph.values[i] for i in node.inputs)]
    if not downstream or any(np.ndim(x) for x in numbers) or any(d is None for d in downstream):
        return None
    return [_quantity(d) for d in node.gate.backward(1.0)]


def _quantity(value):
    """A value as it stands on a wire, and as it stands in a sentence: there small arrays show their entries."""
    if value is None:
        return None
    short = short_number(value)
    if hasattr(value, "to_dense") or np.ndim(value) == 0 or np.size(value) > MAX_ENTRIES:
        return {"short": short, "long": short}
    entries = np.array2string(np.asarray(value), separator=", ", formatter={"all": lambda x: f"{x:.4g}"})
    return {"short": short, "long": " ".join(entries.split())}
