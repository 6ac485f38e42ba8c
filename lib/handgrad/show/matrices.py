"""Matrices as pictures: numbers in cells, a wire for each slope that is not 0, the factors of a product to scale."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from handgrad.show.figures import PALETTE

NO_SLOPE = 1e-6  # of the largest: what is left of a slope of 0 that was measured
NARROWEST, THINNEST = 50, 2  # of a factor, in entries: room for its size, and a row that is still seen
AROUND_SIGN = 9  # entries to either side of the sign between two factors


def cells(ax: Any, table: ArrayLike, left: float = 0.0, top: float = 0.0, shade: float = 0.0) -> None:
    """Draw a table of numbers, each in a box that is 1 wide and 0.8 high.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    table : array (m, n)
    left, top : where its corner is
    shade : how dark a box is for each unit of its number: blue above 0, orange below
    """
    from matplotlib.patches import Rectangle

    for (i, j), number in np.ndenumerate(np.asarray(table, dtype=np.float64)):
        corner = left + j, top - 0.8 * (i + 1)
        color = PALETTE["blue"] if number > 0 else PALETTE["orange"]
        ax.add_patch(Rectangle(corner, 1, 0.8, fc=color, alpha=min(0.9, shade * abs(number)), ec="none"))
        ax.add_patch(Rectangle(corner, 1, 0.8, fc="none", ec=PALETTE["grey"], lw=1))
        ax.text(corner[0] + 0.5, corner[1] + 0.38, short(number), ha="center", va="center")


def short(number: float) -> str:
    """A number as it is written beside a figure: 4.2, −0.4, and 0 for −0."""
    return f"{number + 0.0:.3g}".replace("-", "−")


def wires(
    ax: Any, jacobian: ArrayLike, inputs: Sequence[str], outputs: Sequence[str], marked: tuple[int, int] | None = None
) -> None:
    """Join each input, at x = 0, to the outputs, at x = 1, with which it moves.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    jacobian : array (m, n)
    inputs, outputs : n and m names, from the top, where y is 1, down to 0
    marked : row and column of one wire that stands out, optional
    """
    sizes = np.abs(np.asarray(jacobian, dtype=np.float64))
    starts, ends = heights(len(inputs)), heights(len(outputs))
    for i, j in np.argwhere(sizes > NO_SLOPE * sizes.max(initial=0.0)):
        look = {"color": PALETTE["grey"], "lw": 1} if marked else {"color": PALETTE["blue"], "lw": 1.5}
        if (i, j) == marked:
            look = {"color": PALETTE["blue"], "lw": 2.5}
        ax.plot([0, 1], [starts[j], ends[i]], **look)
    for names, places, x, side in ((inputs, starts, -0.08, "right"), (outputs, ends, 1.08, "left")):
        for name, y in zip(names, places, strict=True):
            ax.text(x, y, name, ha=side, va="center")
    ax.set(xlim=(-0.35, 1.35), ylim=(-0.1, 1.1))
    ax.axis("off")


def heights(count: int) -> np.ndarray:
    """Where so many names stand, one below the other: two of them not at the very ends, and one in the middle."""
    if count == 1:
        return np.array([0.5])
    return np.linspace(1, 0, count) if count > 2 else np.linspace(0.8, 0.2, count)


def factors(ax: Any, rows: int, inside: int, columns: int, top: float = 0.0) -> int:
    """Draw the product (rows × inside)(inside × columns) to scale, with its result in orange.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    rows, inside, columns : int
    top : where the middle of the drawing is

    Returns
    -------
    int : the multiplications that it takes
    """
    from matplotlib.patches import Rectangle

    left = 0.0
    for height, width, sign in ((rows, inside, "·"), (inside, columns, "="), (rows, columns, "")):
        tall, slot = max(height, THINNEST), max(width, NARROWEST)
        corner = left + (slot - width) / 2, top - tall / 2
        ax.add_patch(Rectangle(corner, width, tall, fc=PALETTE["grey" if sign else "orange"], alpha=0.35))
        middle = top if height > 1 else top + AROUND_SIGN
        ax.text(left + slot / 2, middle, f"{height} × {width}", ha="center", va="center")
        ax.text(left + slot + AROUND_SIGN, top, sign, ha="center", va="center")
        left += slot + 2 * AROUND_SIGN
    return rows * inside * columns
