"""How a hidden layer bends space: the plane goes to x W + b and on through the activation, while training goes on."""

from html import escape

import numpy as np

from handgrad import gates
from handgrad.errors import InputError
from handgrad.graph import ComputationalGraph, Node, Parameter
from handgrad.losses import SigmoidCrossEntropy
from handgrad.optimizers import Adam
from handgrad.show.explorers.digits import rounded
from handgrad.show.explorers.host import Explorer

ACTIVATIONS = {"tanh": gates.Tanh, "relu": gates.ReLU, "sigmoid": gates.Sigmoid}
SNAPSHOTS = (0, 5, 10, 20, 30, 50, 75, 100, 150, 200, 300, 500, 1000, 2000, 5000)
LEARNING_RATE = 0.03
DIGITS = 4  # of a weight in the state
SIZE = 360  # of the still, in the units of its SVG
CELLS = 60  # of the still, in a row


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

    def logits(self, snapshot, points):
        """What the whole network says of points (n, 2): above 0 is class 1."""
        hidden = ACTIVATIONS[self.state["activation"]]().forward(points @ np.array(snapshot["W"]) + snapshot["b"])
        return hidden @ np.array(snapshot["u"]) + snapshot["c"]

    def right(self, snapshot):
        """How many points are on the side of their class."""
        return int(((self.logits(snapshot, self.points) > 0) == self.labels).sum())

    def __repr__(self):
        rows = [f"step {s['step']:>4}: {self.right(s)} of {len(self.labels)} right" for s in self.state["snapshots"]]
        hidden = len(self.state["snapshots"][0]["b"])
        return "\n".join([super().__repr__(), f"{hidden} units of {self.state['activation']}", *rows])

    def still(self):
        last = self.state["snapshots"][-1]
        reach = 1.1 * np.abs(self.points).max()
        centers = (np.arange(CELLS) + 0.5) / CELLS * 2 * reach - reach
        grid = np.stack(np.meshgrid(centers, -centers), axis=-1).reshape(-1, 2)
        path = _runs((self.logits(last, grid) > 0).reshape(CELLS, CELLS), SIZE // CELLS)
        dots = "".join(
            f'<circle class="hg-class{label}" cx="{(x + reach) / 2 / reach * SIZE:.1f}" '
            f'cy="{(reach - y) / 2 / reach * SIZE:.1f}" r="3.5"/>'
            for (x, y), label in zip(self.points, self.labels, strict=True)
        )
        label = f"After {last['step']} steps {self.right(last)} of {len(self.labels)} points are on their class's side"
        return (
            f'<svg class="hg-plane hg-square" role="img" aria-label="{escape(label)}" viewBox="0 0 {SIZE} {SIZE}">'
            f'<path class="hg-side1" d="{path}"/>{dots}</svg>'
        )


def bend_space(data="moons", /, hidden=2, activation="tanh", steps=500, learning_rate=LEARNING_RATE, seed=3, title=""):
    """How a hidden layer bends the plane until one straight line can part two classes.

    A network of one hidden layer is trained here, by the library's own gates and Adam. The page bends the plane by
    its weights, at chosen moments of the training: from x over x W + b to f(x W + b).

    Parameters
    ----------
    data : str, or tuple of points and labels
        "moons", "circles", or (points, labels): float array (n, 2) and int array (n,) of zeros and ones.
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


def moons(n=160, noise=0.12, seed=0):
    """Two half circles, one in the arm of the other.

    Parameters
    ----------
    n : int
        Points, half of them in each class.
    noise : float
        Standard deviation.
    seed : int

    Returns
    -------
    points : float array (n, 2)
        Around the origin.
    labels : int array (n,)
    """
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 2
    angle = rng.uniform(0, np.pi, n)
    sign = 1 - 2 * labels
    arcs = np.stack([sign * np.cos(angle) - sign / 2, sign * np.sin(angle) - sign / 4], axis=1)
    return 1.4 * (arcs + noise * rng.standard_normal((n, 2))), labels


def circles(n=160, noise=0.12, seed=0):
    """A disk and a ring around it. Parameters and result are those of ``moons``."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 2
    angle, radius = rng.uniform(0, 2 * np.pi, n), np.where(labels == 1, 0.6 * np.sqrt(rng.random(n)), 1.5)
    ring = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return ring + noise * rng.standard_normal((n, 2)), labels


DATA = {"moons": moons, "circles": circles}


def _runs(cells, size):
    """The cells that are True as an SVG path: one rectangle for each run of them in a row."""
    parts = []
    for row, line in enumerate(cells):
        edges = np.flatnonzero(np.diff(np.concatenate([[0], line, [0]])))
        for begin, end in edges.reshape(-1, 2):
            parts.append(f"M{begin * size} {row * size}h{(end - begin) * size}v{size}H{begin * size}z")
    return "".join(parts)


def _data(data):
    if isinstance(data, str):
        if data not in DATA:
            raise InputError(f"bend_space knows the data {', '.join(DATA)}, but got {data!r}.")
        points, labels = DATA[data]()
    else:
        try:
            points, labels = (np.asarray(part) for part in data)
        except (TypeError, ValueError):
            points = labels = np.empty(0)
    fits = points.ndim == 2 and points.shape[1:] == (2,) and labels.shape == points.shape[:1]
    if not fits or set(np.unique(labels).tolist()) != {0, 1} or not np.isfinite(points.astype(float)).all():
        raise InputError(
            "bend_space expects (points, labels): finite points (n, 2), and n labels, zeros and ones, some of both; "
            f"but got shapes {points.shape} and {labels.shape}."
        )
    return np.round(points.astype(np.float64), 2), labels.astype(int)


def _train(points, labels, hidden, activation, steps, learning_rate, seed):
    """The weights at some moments of the training, and the loss there."""
    rng = np.random.default_rng(seed)
    W, b = Parameter("W", rng.standard_normal((2, hidden))), Parameter("b", np.zeros(hidden))
    u, c = Parameter("u", rng.standard_normal((hidden, 1))), Parameter("c", np.zeros(1))
    layer = ACTIVATIONS[activation]()(gates.Affine()(Node("x"), W, b))
    loss = gates.Mean()(SigmoidCrossEntropy()(gates.Affine()(layer, u, c), Node("label")))
    graph, optimizer, snapshots = ComputationalGraph(loss), Adam(learning_rate), []
    moments = {*(k for k in SNAPSHOTS if k < steps), steps}
    for step in range(steps + 1):
        loss = graph.forward(x=points, label=labels[:, None])
        if step in moments:
            weights = {"W": W.value, "b": b.value, "u": u.value[:, 0], "c": c.value[0], "loss": loss}
            snapshots.append({"step": step} | {name: rounded(value, DIGITS) for name, value in weights.items()})
        optimizer.step(graph.parameters(), graph.backward())
    return snapshots
