"""Gradient descent on a surface: a start, a step size, and the path that they make over the contours."""

from html import escape
from typing import Any

import numpy as np

from handgrad import gates
from handgrad.errors import InputError
from handgrad.graph import ComputationalGraph
from handgrad.nodes import Node, Parameter
from handgrad.optimizers import Momentum
from handgrad.show.explorers.parts.gates import IN_THE_BROWSER, all_in_the_browser
from handgrad.show.explorers.parts.host import Explorer

WIDTH, HEIGHT = 360, 270  # of the picture, in the units of its SVG
GRID = 91, 69  # where the surface is measured: about every fourth unit
LEVELS = 12
LEARNING_RATES = [float(f"{10 ** (k / 10):.2g}") for k in range(-40, 4)]  # from 0.0001 to 2, ten to a power of ten
MOMENTA = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99]


def bowl(x, y):
    """f = x² + y²: the same slope in every direction."""
    return gates.Add()(gates.Power(2.0)(x), gates.Power(2.0)(y))


def valley(x, y):
    """f = 0.1 x² + 2 y²: steep across, almost flat along."""
    return gates.Add()(_times(0.1, gates.Power(2.0)(x)), _times(2.0, gates.Power(2.0)(y)))


def saddle(x, y):
    """f = x² − y² + y⁴ / 4: level at (0, 0), which is no minimum; two minima at y = ±√2."""
    across = gates.Subtract()(gates.Power(2.0)(x), gates.Power(2.0)(y))
    return gates.Add()(across, _times(0.25, gates.Power(4.0)(y)))


def rosenbrock(x, y):
    """f = (1 − x)² + 100 (y − x²)²: a bent valley with its minimum at (1, 1) (Rosenbrock 1960)."""
    along = gates.Power(2.0)(gates.Subtract()(Parameter("one", 1.0), x))
    across = gates.Power(2.0)(gates.Subtract()(y, gates.Power(2.0)(x)))
    return gates.Add()(along, _times(100.0, across))


def _times(number, node):
    return gates.Multiply()(Parameter(str(number), number), node)


# By name: the function, its view (left, right, bottom, top), where the path starts, and a learning rate that works.
SURFACES = {
    "bowl": (bowl, (-4, 4, -3, 3), (-3.0, 2.0), 0.1),
    "valley": (valley, (-4, 4, -3, 3), (-3.5, 1.0), 0.4),
    "saddle": (saddle, (-3.2, 3.2, -2.4, 2.4), (-2.5, 0.01), 0.1),
    "Rosenbrock": (rosenbrock, (-2, 2, -0.8, 2.2), (-1.2, 1.0), 0.001),
}


class DescentExplorer(Explorer):
    """Surfaces of two variables as graphs of elementary gates. The browser runs the same graphs forward and back."""

    module = "descent"

    def __init__(self, surfaces, chosen, start, learning_rate, momentum, steps, shown, title):
        self.path = _path(surfaces[chosen]["graph"], start, learning_rate, momentum or 0.0, steps)
        state = {
            "surfaces": [{k: v for k, v in surface.items() if k != "graph"} for surface in surfaces],
            "surface": chosen,
            "start": list(start),
            "rates": sorted({*LEARNING_RATES, learning_rate}),
            "rate": learning_rate,
            "momenta": [] if momentum is None else sorted({*MOMENTA, momentum}),
            "momentum": momentum or 0.0,
            "steps": steps,
            "step": min(steps, shown),
        }
        super().__init__(state, title)

    def __repr__(self):
        surface = self.state["surfaces"][self.state["surface"]]
        value = f"{surface['letter']} = {{:.4g}} at ({{:.4g}}, {{:.4g}})"
        courses = [f"step {k}: {value.format(f, x, y)}" for k, (x, y, f) in enumerate(self.path)]
        shown = dict.fromkeys([courses[0], courses[len(courses) // 2], courses[-1]])
        setting = f"{surface['formula']}, η = {self.state['rate']:.4g}"
        setting += f", μ = {self.state['momentum']:.4g}" * bool(self.state["momenta"])
        return "\n".join([super().__repr__(), setting, *shown])

    def still(self):
        surface = self.state["surfaces"][self.state["surface"]]
        inside = [p for p in self.path if all(np.abs(p[:2]) < 1e3)]
        points = [_on_picture(surface["view"], x, y) for x, y, _ in inside]
        line = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
        dots = "".join(f"M{x:.1f} {y:.1f}h0" for x, y in points)
        last = inside[-1]
        label = (
            f"Contours of {surface['formula']} and the path of {len(inside) - 1} steps with η = "
            f"{self.state['rate']:.4g} from ({inside[0][0]:.4g}, {inside[0][1]:.4g}) to ({last[0]:.4g}, {last[1]:.4g})"
        )
        contours = "".join(f'<path class="hg-level" d="{d}"/>' for d in surface["contours"])
        return (
            f'<svg class="hg-plane hg-contours" role="img" aria-label="{escape(label, quote=True)}" '
            f'viewBox="0 0 {WIDTH} {HEIGHT}">{contours}<path class="hg-path" d="{line}"/>'
            f'<path class="hg-steps" d="{dots}"/></svg>'
        )


def descend(
    surface: Any = "bowl",
    /,
    start: tuple[float, float] | None = None,
    learning_rate: float | None = None,
    momentum: float | None = 0.0,
    steps: int = 60,
    view: tuple[float, float, float, float] | None = None,
    shown: int = 10,
    letter: str = "f",
    title: str = "",
) -> DescentExplorer:
    """Gradient descent over the contours of a function of two variables.

    The reader moves the start, the learning rate η and the momentum μ, and goes along the path step by step. The rule
    is that of ``handgrad.Momentum``: m ← μ m + ∇f, then x ← x − η m; without momentum it is ``handgrad.SGD``.

    Parameters
    ----------
    surface : str, ComputationalGraph or callable
        "bowl", "valley", "saddle" or "Rosenbrock": a reader may change to the others too. Or a graph with two leaves
        to feed, or a function that makes its output node from two nodes ``(x, y)``; both of single numbers and of the
        library's elementary gates, which the browser computes too.
    start : (float, float), optional
    learning_rate : float, optional
    momentum : float, optional
        From 0 to below 1. With None there is no slider for it.
    steps : int
        How many steps the path may have.
    view : (left, right, bottom, top), optional
        What the picture shows; 4 : 3, or one axis is stretched.
    shown : int
        The step at which it opens.
    letter : str
        What a surface of one's own is called.
    title : str, optional
        The caption.

    Returns
    -------
    DescentExplorer
        An explorer in a notebook and on a page.

    Raises
    ------
    InputError
        If the surface has no such name, other leaves or other gates, or a number does not fit.

    Examples
    --------
    >>> from handgrad import show
    >>> show.descend("valley", start=(2.0, 1.0), learning_rate=0.4)
    DescentExplorer: Move the start and the learning rate: which path arrives, which one swings, which one flies off?
    f = 0.1 x² + 2 y², η = 0.4, μ = 0
    step 0: f = 2.4 at (2, 1)
    step 30: f = 0.002687 at (0.1639, 2.211e-07)
    step 60: f = 1.806e-05 at (0.01344, 4.887e-14)
    """
    if isinstance(surface, str):
        if surface not in SURFACES:
            raise InputError(
                f"descend knows the surfaces {', '.join(SURFACES)}, but got {surface!r}: name one of them."
            )
        given = {name: (made, view if view and name == surface else known, start_there, rate)
                 for name, (made, known, start_there, rate) in SURFACES.items()}  # fmt: skip
        chosen = list(SURFACES).index(surface)
    else:
        given, chosen = {letter: (surface, view or (-4, 4, -3, 3), (-3.0, 2.0), 0.1)}, 0
    surfaces = [_surface(name, *settings) for name, settings in given.items()]
    start = _numbers("start", surfaces[chosen]["start"] if start is None else start, 2)
    learning_rate = surfaces[chosen]["rate"] if learning_rate is None else float(learning_rate)
    if not 0 < learning_rate < np.inf or not 0 <= (momentum or 0.0) < 1 or not 1 <= steps <= 1000:
        raise InputError(
            "descend expects a learning_rate above 0, a momentum from 0 to below 1 and 1 to 1000 steps, but got "
            f"{learning_rate}, {momentum} and {steps}."
        )
    title = title or "Move the start and the learning rate: which path arrives, which one swings, which one flies off?"
    momentum = None if momentum is None else float(momentum)
    return DescentExplorer(surfaces, chosen, start, learning_rate, momentum, int(steps), int(shown), title)


def _surface(name, made, view, start, rate):
    """What the page needs of a surface: its graph gate by gate, and its contours."""
    graph = made if isinstance(made, ComputationalGraph) else ComputationalGraph(made(Node("x"), Node("y")))
    fed = [leaf.name for leaf in graph.leaves.values() if not isinstance(leaf, Parameter)]
    if len(fed) != 2 or len(graph.outputs) != 1 or not all_in_the_browser(graph):
        raise InputError(
            f"descend expects a graph with one output and two leaves to feed, of the gates "
            f"{', '.join(gate.__name__ for gate in IN_THE_BROWSER)}, but this one has {len(graph.outputs)} outputs, "
            f"the leaves {', '.join(fed) or 'none'} and the gates "
            f"{', '.join(sorted({type(n.gate).__name__ for n in graph.nodes if n.gate is not None}))}."
        )
    view = _numbers("view", view, 4)
    left, right, bottom, top = view
    if not (left < right and bottom < top):
        raise InputError(f"descend expects a view (left, right, bottom, top), but got {view}.")
    return {
        "name": name,
        "letter": "f" if name in SURFACES else name,
        "formula": (made.__doc__ or name).partition(":")[0] if callable(made) and name in SURFACES else name,
        "inputs": fed,
        "nodes": [_node(graph, node, fed) for node in graph.nodes],
        "view": list(view),
        "start": list(start),
        "rate": rate,
        "contours": _contours(graph, fed, view),
        "graph": graph,
    }


def _numbers(name, values, n):
    try:
        values = tuple(float(value) for value in values)
    except (TypeError, ValueError):
        values = ()
    if len(values) != n or not np.isfinite(values).all():
        raise InputError(f"descend expects {n} finite numbers as {name}: give a tuple of {n} floats.")
    return values


def _node(graph, node, fed):
    """A node for the browser: a gate with the places of its inputs, a leaf that is fed, or a number."""
    if node.gate is None:
        return {"fed": fed.index(node.name)} if node.name in fed else {"value": float(node.value)}
    state = {"gate": type(node.gate).__name__, "inputs": [graph.nodes.index(i) for i in node.inputs]}
    return state | ({"p": float(node.gate.p)} if isinstance(node.gate, gates.Power) else {})


def _contours(graph, fed, view):
    """For each level, the region below it as an SVG path. Where the surface is undefined, no region reaches."""
    from contourpy import FillType, contour_generator  # a part of matplotlib

    x, y = np.meshgrid(np.linspace(*view[:2], GRID[0]), np.linspace(*view[2:], GRID[1]))
    with np.errstate(all="ignore"):
        z = np.broadcast_to(graph.forward({fed[0]: x, fed[1]: y}), x.shape)
    z = np.ma.masked_invalid(z)
    if z.count() == 0:
        raise InputError(f"This function is nowhere finite in the view {view}: choose another view.")
    generator = contour_generator(*_on_picture(view, x, y), z, fill_type=FillType.OuterCode)
    shares = ((np.arange(LEVELS) + 0.6) / LEVELS) ** 1.5  # of the picture's area; closer where the surface is low
    levels = np.unique(np.quantile(z.compressed(), shares))
    return [_as_path(*generator.filled(float(z.min()) - 1.0, level)) for level in levels]


def _as_path(polygons, codes):
    """Polygons with their holes as one path, in whole units, each point as its way from the one before."""
    outlines = []
    for points, kinds in zip(polygons, codes, strict=True):
        begins = np.flatnonzero(kinds == 1)  # of an outline; its last point is its first one again
        outlines += np.split(np.rint(points).astype(int), begins[1:])
    parts = []
    for outline in outlines:
        ways = np.diff(outline[:-1], axis=0)
        ways = ways[ways.any(axis=1)]  # two points may round to one
        parts.append(f"M{outline[0, 0]} {outline[0, 1]}l{' '.join(f'{x} {y}' for x, y in ways)}z")
    return "".join(parts).replace(" -", "-")


def _on_picture(view, x, y):
    left, right, bottom, top = view
    return (x - left) / (right - left) * WIDTH, (top - y) / (top - bottom) * HEIGHT


def _path(graph, start, learning_rate, momentum, steps):
    """Where the library's own optimizer goes: (x, y, f) after each step, as far as the numbers are finite."""
    fed = [leaf.name for leaf in graph.leaves.values() if not isinstance(leaf, Parameter)]
    point, path = np.array(start), []
    optimizer = Momentum(learning_rate, momentum)
    with np.errstate(all="ignore"):
        for _ in range(steps + 1):
            f = float(graph.forward(dict(zip(fed, point, strict=True))))
            if not np.isfinite([*point, f]).all():
                break
            path.append((*point.tolist(), f))
            gradients = graph.backward()
            optimizer.update(point, np.array([gradients[name] for name in fed]), "point")
    if not path:
        raise InputError(f"The function is not finite at the start {tuple(start)}: start elsewhere.")
    return path
