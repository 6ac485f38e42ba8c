"""Points of two classes and the sides of a plane, as parts of figures."""

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.colors import to_hex

from handgrad.show.figures import PALETTE
from handgrad.show.planes import lift, mark, shade

SQUARE, LABELS = [[0, 0], [1, 0], [0, 1], [1, 1]], [1, 0, 0, 1]


def test_dots_of_class_1_are_filled_and_names_stand_where_they_should():
    _, ax = plt.subplots()
    mark(ax, SQUARE, LABELS, names=["a", "b", "", "d"], below=["b"])
    dots = [(line.get_xdata()[0], line.get_ydata()[0], line.get_markerfacecolor()) for line in ax.lines]
    blue = PALETTE["blue"]
    assert dots == [(0, 0, blue), (1, 0, "none"), (0, 1, "none"), (1, 1, blue)]
    heights = {text.get_text(): text.xyann[1] for text in ax.texts}
    assert heights["a"] > 0 > heights["b"]
    plt.close()
    _, ax = plt.subplots()
    mark(ax, SQUARE, LABELS)
    assert len(ax.lines) == 4 and not ax.texts
    plt.close()


def test_the_side_of_positive_scores_is_shaded_up_to_the_line():
    _, ax = plt.subplots()
    ax.set(xlim=(-1, 3), ylim=(0, 2))
    shade(ax, lambda x, y: x - 1)  # y does not matter: the score has one row
    side, line = ax.collections
    assert to_hex(side.get_facecolor()[0]) == PALETTE["blue"]
    corners = side.get_paths()[0].vertices
    np.testing.assert_allclose([corners.min(axis=0), corners.max(axis=0)], [[1, 0], [3, 2]])
    np.testing.assert_allclose(line.get_paths()[0].vertices[:, 0], 1)
    plt.close()


def test_corners_are_lifted_to_their_product_and_tied_to_the_plane():
    ax = plt.figure().add_subplot(projection="3d", computed_zorder=False)
    lift(ax, LABELS, ["a", "b", "c", "d"], weights=(-2, -2, 4, 1))
    places = [np.array(line.get_data_3d()) for line in ax.lines]
    dots = [place[:, 0].tolist() for place in places if place.shape[1] == 1]
    assert dots == [[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 1]]
    stems = [place for place in places if place.shape[1] == 2][1:]  # after the dotted line
    for (x1, x2, (low, high)), label in zip([(s[0, 0], s[1, 0], s[2]) for s in stems], LABELS, strict=True):
        assert -2 * x1 - 2 * x2 + 4 * low + 1 == 0 and high == x1 * x2 and (high > low) == label
    assert [text.get_text() for text in ax.texts] == ["a", "b", "c", "d"]
    plt.close()
