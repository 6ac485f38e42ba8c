"""Points of two classes in a plane, and the sides of it that a score gives to each: parts of matplotlib figures."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from handgrad.show.figures import PALETTE

ABOVE, BELOW = 11, -20  # where a name stands, in points from its dot
FINE = 201  # places in a row at which a score is looked at


def mark(ax: Any, points: ArrayLike, labels: ArrayLike, names: Sequence[str] = (), below: Sequence[str] = ()) -> None:
    """Draw points as dots, filled for class 1 and open for class 0, with their names.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    points : array (n, 2)
    labels : array (n,) of zeros and ones
    names : n strings, optional; an empty one draws nothing
    below : those of the names that stand below their dot
    """
    points, labels = np.asarray(points), np.asarray(labels)
    for k, (x, y) in enumerate(points):
        face = PALETTE["blue"] if labels[k] else "none"
        ax.plot(x, y, "o", ms=11, mec=PALETTE["blue"], mfc=face, mew=2, zorder=3)
        if names:
            height = BELOW if names[k] in below else ABOVE
            ax.annotate(names[k], (x, y), (0, height), textcoords="offset points", ha="center")


def shade(ax: Any, score: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> None:
    """Shade what is seen of the plane where the score is positive, and draw the line on which it is 0.

    Parameters
    ----------
    ax : matplotlib.axes.Axes, whose limits are set already
    score : function of two arrays, the coordinates
    """
    (left, right), (low, high) = ax.get_xlim(), ax.get_ylim()
    x, y = np.linspace(left, right, FINE), np.linspace(low, high, FINE)
    scores = np.broadcast_to(score(x[None, :], y[:, None]), (FINE, FINE))
    ax.contourf(x, y, scores, levels=[0, np.inf], colors=[PALETTE["blue"]], alpha=0.16)
    ax.contour(x, y, scores, levels=[0], colors=[PALETTE["grey"]])


def lift(ax: Any, labels: ArrayLike, names: Sequence[str], weights: Sequence[float]) -> None:
    """Draw the corners (0, 0), (1, 0), (0, 1), (1, 1) in space, each at the height of its product, and a plane.

    Parameters
    ----------
    ax : mpl_toolkits.mplot3d.axes3d.Axes3D, made with ``computed_zorder=False``
    labels : array (4,) of zeros and ones
    names : 4 strings
    weights : of x₁, x₂ and x₁x₂, and the bias: on the plane the score is 0
    """
    w1, w2, w3, b = weights

    def plane(x1: Any, x2: Any) -> Any:
        return -(w1 * x1 + w2 * x2 + b) / w3

    edges = np.meshgrid([-0.2, 1.2], [-0.2, 1.2])
    # The plane is drawn after what is below it, and veils it; its own corners may reach beyond the axes.
    ax.plot_surface(*edges, plane(*edges), color=PALETTE["blue"], alpha=0.25, shade=False, zorder=2, clip_on=False)
    square = np.array([[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]])
    ax.plot(*square.T, 0, color=PALETTE["grey"], lw=1, zorder=1)
    ax.plot([1, 1], [1, 1], [0, 1], ":", color=PALETTE["grey"], zorder=1)
    stem = {"color": PALETTE["orange"], "lw": 2.5, "marker": "o", "ms": 4.5, "markevery": [0]}  # a dot on the plane
    for (x1, x2), label, name in zip([(0, 0), (1, 0), (0, 1), (1, 1)], np.asarray(labels), names, strict=True):
        foot, height = plane(x1, x2), x1 * x2
        layer, face = 3 if height > foot else 1, PALETTE["blue"] if label else "none"
        ax.plot([x1, x1], [x2, x2], [foot, height], zorder=layer, **stem)
        ax.plot(x1, x2, height, "o", ms=11, mec=PALETTE["blue"], mfc=face, mew=2, zorder=layer)
        if x1 < x2:  # the corner at the back: below its dot stands another phrase
            ax.text(x1 - 0.1, x2, height, name, ha="right", va="bottom", zorder=4)
        elif label:
            ax.text(x1, x2, height + 0.12, name, ha="center", zorder=4)
        else:
            ax.text(x1, x2, height - 0.1, name, ha="center", va="top", zorder=4)
    ax.set(xticks=[0, 1], yticks=[0, 1], zticks=[0, 1], xlim=(-0.2, 1.2), ylim=(-0.2, 1.2), zlim=(-0.4, 1.1))
    ax.set(xlabel="x₁", ylabel="x₂", zlabel="x₁x₂")
    ax.grid(False)
    ax.tick_params(pad=-2)
    for axis in (ax.xaxis, ax.yaxis, ax.zaxis):
        axis.set_pane_color((0, 0, 0, 0))
        axis.labelpad = -4
    ax.view_init(elev=16, azim=-62)
    ax.set_box_aspect((1, 1, 0.85), zoom=1.25)
