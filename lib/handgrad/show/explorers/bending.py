"""How a hidden layer bends space: the plane goes to W x + b and on through the activation, while training goes on."""

from html import escape
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from handgrad import gates
from handgrad.datasets import circles, moons
from handgrad.errors import InputError
from handgrad.graph import ComputationalGraph
from handgrad.losses import SigmoidCrossEntropy
from handgrad.nodes import Node, Parameter
from handgrad.optimizers import Adam
from handgrad.show.explorers.parts.digits import rounded
from handgrad.show.explorers.parts.host import Explorer

DATA = {"moons": moons, "circles": circles}
ACTIVATIONS = {"tanh": gates.Tanh, "relu": gates.ReLU, "sigmoid": gates.Sigmoid}
SNAPSHOTS = (0, 5, 10, 20, 30, 50, 75, 100, 150, 200, 300, 500, 1000, 2000, 5000)
LEARNING_RATE = 0.03
DIGITS = 4  # of a weight in the state
SIZE = 360  # of a plane in the still, in the units of its SVG
GAP = 24  # between the flat plane and the bent one
CELLS = 60  # of a plane in the still, in a row
LINES, PIECES = 9, 48  # of the still's grid, each way; and of a line


class BendingExplorer(Explorer):
    """Two classes of points and a layer's weights at some moments of its training. The browser bends the plane."""

    module = "bending"

    def __init__(self, points, labels, activation, snapshots, title):
        self.points, self.labels = points, labels
        state = {
            "points": points.tolist(),
            "labels": labels.tolist(),
            "activation": activation,
            "snapshots": snapshots,
            "moment": len(snapshots) - 1,
            "bend": 0,
            "turn": 7,
        }
        super().__init__(state, title)

    def bent(self, snapshot, points):
        """Where the layer takes points (..., 2): the values of its units."""
        return ACTIVATIONS[self.state["activation"]]().forward(points @ np.array(snapshot["W"]) + snapshot["b"])

    def logits(self, snapshot, points):
        """What the whole network says of points (n, 2): above 0 is class 1."""
        return self.bent(snapshot, points) @ np.array(snapshot["u"]) + snapshot["c"]

    def right(self, snapshot):
        """How many points are on the side of their class."""
        return int(((self.logits(snapshot, self.points) > 0) == self.labels).sum())

    def __repr__(self):
        rows = [f"step {s['step']:>4}: {self.right(s)} of {len(self.labels)} right" for s in self.state["snapshots"]]
        hidden = len(self.state["snapshots"][0]["b"])
        return "\n".join([super().__repr__(), f"{hidden} units of {self.state['activation']}", *rows])

    def still(self):
        """The flat plane with the border of the classes and, of two units, the bent plane with its straight line."""
        last = self.state["snapshots"][-1]
        reach = 1.1 * np.abs(self.points).max()
        t, level = np.linspace(-reach, reach, PIECES + 1), np.linspace(-reach, reach, LINES)[:, None]
        lines = np.concatenate([np.stack(np.broadcast_arrays(*way), axis=-1) for way in ((t, level), (level, t))])
        planes = [self._plane(self.points, lines, lambda x: self.logits(last, x))]
        label = f"After {last['step']} steps {self.right(last)} of {len(self.labels)} points are on their class's side"
        if len(last["b"]) == 2:
            u, c = np.array(last["u"]), last["c"]
            places, bent = (self.bent(last, x) for x in (self.points, lines))
            right = self._plane(places, bent, lambda h: h @ u + c)
            planes.append(f'<g transform="translate({SIZE + GAP})">{right}</g>')
            label += ": of a curve in the flat plane, at the left, and of a straight line in the bent one, at the right"
        width, shape = len(planes) * (SIZE + GAP) - GAP, " hg-square" if len(planes) == 1 else ""
        return (
            f'<svg class="hg-plane{shape}" role="img" aria-label="{escape(label)}" viewBox="0 0 {width} {SIZE}">'
            f"{''.join(planes)}</svg>"
        )

    def _plane(self, places, lines, logit):
        """One plane as SVG: the classes' sides, the grid's lines (n, m, 2), and the points at their places (n, 2)."""
        low = lines.min(axis=(0, 1))
        span = np.maximum(lines.max(axis=(0, 1)) - low, 1e-9)
        centers = (np.arange(CELLS) + 0.5) / CELLS
        cells = low + span * np.stack(np.meshgrid(centers, 1 - centers), axis=-1)  # from above to below

        def drawn(x):
            return np.round(np.abs((x - low) / span - (0, 1)) * SIZE).astype(int)

        sides = _runs((logit(cells) > 0).astype(int), SIZE // CELLS)
        grid = "".join(f"M{'L'.join(f'{x} {y}' for x, y in line)}" for line in drawn(lines))
        dots = "".join(
            f'<circle class="hg-class{label}" cx="{x}" cy="{y}" r="3.5"/>'
            for (x, y), label in zip(drawn(places), self.labels, strict=True)
        )
        return f'<path class="hg-side1" d="{sides}"/><path class="hg-grid" d="{grid}"/>{dots}'


def bend_space(
    data: str | tuple[ArrayLike, ArrayLike] = "moons",
    /,
    hidden: int = 2,
    activation: Literal["tanh", "relu", "sigmoid"] = "tanh",
    steps: int = 500,
    learning_rate: float = LEARNING_RATE,
    seed: int = 3,
    title: str = "",
) -> BendingExplorer:
    """How a hidden layer bends the plane until one straight line can part two classes.

    A network of one hidden layer is trained here, by the library's own gates and Adam. The page bends the plane by
    its weights, at chosen moments of the training: from x over z = W x + b to h = f(z).

    Parameters
    ----------
    data : str, or tuple of points and labels
        "moons", "circles", or (points, labels): float array (n, 2) and int array (n,) of zeros and ones, as the
        functions of these names in ``handgrad.datasets`` return them.
    hidden : int
        Units, 2 or 3; three are shown in perspective and can be turned.
    activation : str
        "tanh", "relu" or "sigmoid".
    steps : int
        Of training.
    learning_rate : float
    seed : int
        Of the first weights.
    title : str, optional
        The caption.

    Returns
    -------
    BendingExplorer
        An explorer in a notebook and on a page.

    Raises
    ------
    InputError
        If the data have another form, or a setting is not one of these.

    Examples
    --------
    >>> from handgrad import show
    >>> show.bend_space("circles", hidden=3, steps=1)
    BendingExplorer: Bend the plane: at the end one straight line parts the classes. Then bend it back.
    3 units of tanh
    step    0: 73 of 160 right
    step    1: 75 of 160 right
    """
    if activation not in ACTIVATIONS or hidden not in (2, 3) or steps < 1:
        raise InputError(
            f"bend_space expects 2 or 3 hidden units of {', '.join(ACTIVATIONS)} and at least one step, but got "
            f"{hidden} of {activation!r} and {steps} steps."
        )
    points, labels = _data(data)
    snapshots = _train(points, labels, hidden, activation, steps, learning_rate, seed)
    title = title or "Bend the plane: at the end one straight line parts the classes. Then bend it back."
    return BendingExplorer(points, labels, activation, snapshots, title)


def _runs(cells, size):
    """The cells that are True as an SVG path: one rectangle for each run of them in a row."""
    parts = []
    for row, line in enumerate(cells):
        edges = np.flatnonzero(np.diff(np.concatenate([[0], line, [0]])))
        for begin, end in edges.reshape(-1, 2):
            parts.append(f"M{begin * size} {row * size}h{(end - begin) * size}v{size}H{begin * size}z")
    return "".join(parts)


def _data(data, planar=True):
    if isinstance(data, str):
        if data not in DATA:
            raise InputError(f"bend_space knows the data {', '.join(DATA)}, but got {data!r}.")
        points, labels = DATA[data]()
    else:
        try:
            points, labels = (np.asarray(part) for part in data)
        except (TypeError, ValueError):
            points = labels = np.empty(0)
    fits = points.ndim == 2 and (points.shape[1] == 2 or not planar) and labels.shape == points.shape[:1]
    if not fits or set(np.unique(labels).tolist()) != {0, 1} or not np.isfinite(points.astype(float)).all():
        raise InputError(
            "bend_space expects (points, labels): finite points (n, 2), and n labels, zeros and ones, some of both; "
            f"but got shapes {points.shape} and {labels.shape}."
        )
    return np.round(points.astype(np.float64), 2), labels.astype(int)


def right_by_start(data="moons", /, hidden=2, activation="tanh", steps=500, learning_rate=LEARNING_RATE, starts=100):
    """How many points are right in the end, for each of many random starts: what one good picture does not tell.

    The networks are trained side by side in one graph. Its loss is the sum of theirs and Adam looks at each weight
    by itself, so none of them notices the others.

    Parameters
    ----------
    data : as in ``bend_space``; points of one's own may have any number of coordinates
    activation, steps, learning_rate : as in ``bend_space``
    hidden : int of at least 1, units
    starts : int of at least 1, networks; number k begins with the weights of ``bend_space(..., seed=k)``

    Returns
    -------
    int array (starts,)

    Raises
    ------
    InputError : the data have another form, or a setting is not one of these
    """
    if activation not in ACTIVATIONS or min(hidden, steps, starts) < 1:
        raise InputError(
            f"right_by_start expects units of {', '.join(ACTIVATIONS)} and at least one unit, step and start, but got "
            f"{hidden} of {activation!r}, {steps} steps and {starts} starts."
        )
    points, labels = _data(data, planar=False)
    for _, weights in _networks(points, labels, hidden, activation, steps, learning_rate, range(starts)):
        last = weights
    h = ACTIVATIONS[activation]().forward(points @ last["W"] + last["b"]) * last["u"]
    logits = h.reshape(len(points), starts, hidden).sum(axis=-1) + last["c"]
    return ((logits > 0) == labels[:, None]).sum(axis=0)


def _train(points, labels, hidden, activation, steps, learning_rate, seed):
    """The weights at some moments of the training, and the loss there."""
    moments, snapshots = {*(k for k in SNAPSHOTS if k < steps), steps}, []
    for step, weights in _networks(points, labels, hidden, activation, steps, learning_rate, [seed]):
        if step in moments:
            weights = {**weights, "c": weights["c"][0]}
            snapshots.append({"step": step} | {name: rounded(value, DIGITS) for name, value in weights.items()})
    return snapshots


def _networks(points, labels, hidden, activation, steps, learning_rate, seeds):
    """Networks of one hidden layer, one for each seed, trained side by side: the weights before each step and at last.

    Weights of the units: W (D, S H), b (S H,), u (S H,); of the S networks: c (S,).
    """
    S, D = len(seeds), points.shape[1]
    draws = [np.random.default_rng(seed).standard_normal((D + 1, hidden)) for seed in seeds]
    first = np.concatenate(draws, axis=1)  # (D + 1, S H)  of each network D rows for W, then one for u
    W, b = Parameter("W", first[:-1].copy()), Parameter("b", np.zeros(S * hidden))
    u, c = Parameter("u", first[-1].copy()), Parameter("c", np.zeros(S))
    layer = ACTIVATIONS[activation]()(gates.Affine()(Node("x"), W, b))  # (n, S H)
    logits = gates.Sum(axis=-1)(gates.Reshape(-1, S, hidden)(layer * u)) + c  # (n, S)
    losses = gates.Mean(axis=0)(SigmoidCrossEntropy()(logits, Node("label")))  # (S,)
    graph, optimizer = ComputationalGraph(gates.Sum()(losses)), Adam(learning_rate)
    label = np.repeat(labels[:, None], S, axis=1)
    for step in range(steps + 1):
        loss = graph.forward(x=points, label=label)
        yield step, {"W": W.value, "b": b.value, "u": u.value, "c": c.value, "loss": loss}
        if step < steps:
            optimizer.step(graph.parameters(), graph.backward())
