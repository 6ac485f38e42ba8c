"""A small network as a picture: which numbers stand where, and what is drawn in dashes."""

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.patches import Circle

from handgrad.show.figures import PALETTE
from handgrad.show.networks import network

NAMES = [["x₁", "x₂"], ["h₁", "h₂", "h₃"], ["s"]]
INSIDE = [[1, 2], [1, 3, 0], [np.nan]]
WIRES = [[[2, -1, 0], [-1, 2, -2]], [[1], [-2], [5]]]
BELOW = [[np.nan, np.nan], [-10, 7, 8], [-4]]


@pytest.fixture
def ax():
    yield plt.subplots()[1]
    plt.close()


def colored(ax, color):
    return [text.get_text() for text in ax.texts if text.get_color() == PALETTE[color]]


def test_weights_values_and_what_stands_below_have_their_colors_and_zeros_are_gray(ax):
    network(ax, NAMES, INSIDE, WIRES, BELOW)
    assert colored(ax, "green") == ["2", "−1", "−1", "2", "−2", "1", "−2", "5"]
    assert colored(ax, "blue") == ["1", "2", "1", "3"]
    assert colored(ax, "orange") == ["−10", "7", "8", "−4"]
    assert colored(ax, "grey") == ["0", "0"]  # a wire, and h₃


def test_colors_may_be_chosen(ax):
    network(ax, NAMES, INSIDE, WIRES, BELOW, colors=("orange", "green"))
    assert colored(ax, "orange") == ["2", "−1", "−1", "2", "−2", "1", "−2", "5"]
    assert colored(ax, "green") == ["−10", "7", "8", "−4"]


def test_what_is_0_is_drawn_in_dashes(ax):
    network(ax, NAMES, INSIDE, WIRES)
    circles = [patch for patch in ax.patches if isinstance(patch, Circle)]
    assert [circle.get_linestyle() for circle in circles].count("--") == 1
    assert [line.get_linestyle() for line in ax.lines].count("--") == 2  # both parts of one wire


def test_no_wire_runs_through_a_number(ax):
    network(ax, NAMES, INSIDE, WIRES)
    for line in ax.lines:
        xs, ys = line.get_data()
        points = np.stack([np.linspace(*xs, 50), np.linspace(*ys, 50)], axis=1)
        for text in ax.texts:
            off = np.abs(points - text.get_position())
            assert not ((off[:, 0] < 0.08) & (off[:, 1] < 0.07)).any(), text.get_text()


def test_all_of_it_is_in_view(ax):
    network(ax, NAMES, INSIDE, WIRES, BELOW)
    (left, right), (low, high) = ax.get_xlim(), ax.get_ylim()
    for text in ax.texts:
        x, y = text.get_position()
        assert left + 0.1 < x < right - 0.1 and low + 0.1 < y < high - 0.1
