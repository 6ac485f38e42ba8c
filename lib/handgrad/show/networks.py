"""A small network as a picture: a circle for each unit, and a number on each wire."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from handgrad.show.figures import PALETTE
from handgrad.show.matrices import short

COLUMN, RADIUS, BESIDE = 1.6, 0.27, 0.43  # in inches: between layers, of a unit, and from it to what stands above it
NUMBER = (0.2, 0.12)  # half of a number's width and height on a wire, which is cut there


def network(
    ax: Any,
    names: Sequence[Sequence[str]],
    inside: Sequence[ArrayLike],
    wires: Sequence[ArrayLike],
    below: Sequence[ArrayLike] = (),
    colors: tuple[str, str] = ("green", "orange"),
) -> None:
    """Draw layers of units from the left to the right, two or three of them in a layer, or one.

    A wire or a unit whose number is 0 is drawn in gray dashes; a nan is not written.

    Parameters
    ----------
    ax : matplotlib.axes.Axes, which becomes as wide and high as the drawing, one unit to the inch
    names : by layer, those of its units, from above
    inside : by layer, the number in each circle, (n,)
    wires : between layers, the number on each wire: a row for each sender, a column for each receiver
    below : by layer, the number under each circle, optional
    colors : of the numbers on the wires and of those below circles; in the book weights are green, gradients orange
    """
    from matplotlib.patches import Circle

    places = [_places(layer, len(units)) for layer, units in enumerate(names)]
    on_wires, under_circles = (PALETTE[color] for color in colors)
    for layer, table in enumerate(wires):
        near = _near(len(names[layer]), len(names[layer + 1]))
        for (i, j), number in np.ndenumerate(np.asarray(table, dtype=np.float64)):
            _wire(ax, places[layer][i], places[layer + 1][j], near, number, on_wires)
    for layer, units in enumerate(names):
        for i, (x, y) in enumerate(places[layer]):
            value = float(np.asarray(inside[layer])[i])
            look = {"ec": PALETTE["grey"], "ls": "--"} if value == 0 else {"ec": PALETTE["blue"]}
            ax.add_patch(Circle((x, y), RADIUS, fc="none", lw=1.5, **look))
            ax.text(x, y + BESIDE, units[i], ha="center", va="center")
            _number(ax, x, y, value, PALETTE["blue"])
            if below:
                _number(ax, x, y - BESIDE, float(np.asarray(below[layer])[i]), under_circles)
    highest = max(y for layer in places for _, y in layer) + BESIDE + 0.15
    ax.set(xlim=(-0.35, COLUMN * (len(names) - 1) + 0.35), ylim=(-highest, highest), aspect="equal")
    ax.axis("off")


def _places(layer: int, count: int) -> list[tuple[float, float]]:
    heights = {1: (0.0,), 2: (0.9, -0.9), 3: (1.7, 0.0, -1.7)}[count]
    return [(COLUMN * layer, y) for y in heights]


def _near(senders: int, receivers: int) -> float:
    """Which share of the way a number stands: nearer to the layer with more units, where wires are far apart."""
    return 0.64 if senders < receivers else 0.36 if senders == 3 else 0.45


def _wire(ax: Any, sender: tuple, receiver: tuple, near: float, number: float, color: str) -> None:
    start, end = np.array(sender), np.array(receiver)
    way = (end - start) / np.linalg.norm(end - start)
    middle = start + near * (end - start)
    with np.errstate(divide="ignore"):
        gap = np.min(np.array(NUMBER) / np.abs(way))  # to where the wire meets the number's box
    if np.isnan(number):
        gap = 0.0
    look = {"color": PALETTE["grey"], "lw": 1, "ls": "--" if number == 0 else "-"}
    first, last = start + RADIUS * way, end - RADIUS * way
    ax.plot(*np.stack([first, middle - gap * way], axis=1), **look)
    ax.plot(*np.stack([middle + gap * way, last], axis=1), **look)
    _number(ax, middle[0], middle[1], number, color)


def _number(ax: Any, x: float, y: float, number: float, color: str) -> None:
    if not np.isnan(number):
        ax.text(x, y, short(number), ha="center", va="center", color=PALETTE["grey"] if number == 0 else color)
