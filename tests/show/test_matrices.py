"""Matrices as parts of figures: cells, wires, and the factors of a product."""

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.colors import to_hex

from handgrad.show.figures import PALETTE
from handgrad.show.matrices import cells, factors, short, wires


def said(ax):
    return [text.get_text() for text in ax.texts]


def test_each_number_stands_in_its_box_row_by_row():
    _, ax = plt.subplots()
    cells(ax, [[4.2, -0.4], [0.25, -0.0]], left=2, top=5)
    assert said(ax) == ["4.2", "−0.4", "0.25", "0"]
    frames = [patch.get_xy() for patch in ax.patches[1::2]]
    np.testing.assert_allclose(frames, [(2, 4.2), (3, 4.2), (2, 3.4), (3, 3.4)])
    assert all(patch.get_alpha() == 0 for patch in ax.patches[::2])  # nothing is shaded
    plt.close()


def test_boxes_are_shaded_by_sign_and_size():
    _, ax = plt.subplots()
    cells(ax, np.array([[2.0, -1.0, 9.0]]), shade=0.2)
    fills = ax.patches[::2]
    assert [to_hex(fill.get_facecolor()) for fill in fills] == [PALETTE[c] for c in ("blue", "orange", "blue")]
    assert [fill.get_alpha() for fill in fills] == [0.4, 0.2, 0.9]
    plt.close()


def test_numbers_are_short():
    assert [short(n) for n in (-0.8400000001, 3.0, -0.0, 24.5)] == ["−0.84", "3", "0", "24.5"]


def test_there_is_a_wire_where_the_slope_is_not_0():
    _, ax = plt.subplots()
    wires(ax, [[1, 0, 2], [-1, 3, 1e-12]], ["x₁", "x₂", "x₃"], ["z₁", "z₂"])
    ends = [tuple(line.get_ydata()) for line in ax.lines]
    np.testing.assert_allclose(ends, [(1, 0.8), (0, 0.8), (1, 0.2), (0.5, 0.2)])
    assert said(ax) == ["x₁", "x₂", "x₃", "z₁", "z₂"]
    assert {line.get_color() for line in ax.lines} == {PALETTE["blue"]}
    plt.close()


def test_one_wire_may_stand_out():
    _, ax = plt.subplots()
    wires(ax, np.ones((2, 3)), "abc", "pq", marked=(1, 2))
    blue = [line for line in ax.lines if line.get_color() == PALETTE["blue"]]
    assert len(ax.lines) == 6 and len(blue) == 1
    assert tuple(blue[0].get_ydata()) == (0, 0.2)
    plt.close()


def test_factors_are_to_scale_and_their_multiplications_counted():
    _, ax = plt.subplots()
    assert factors(ax, 1, 30, 100, top=7) == 3000
    assert [(patch.get_width(), patch.get_height()) for patch in ax.patches] == [(30, 2), (100, 30), (100, 2)]
    assert said(ax) == ["1 × 30", "·", "30 × 100", "=", "1 × 100", ""]
    assert to_hex(ax.patches[-1].get_facecolor()) == PALETTE["orange"]
    lefts = [patch.get_x() for patch in ax.patches]
    assert lefts == sorted(lefts) and all(patch.get_y() + patch.get_height() / 2 == 7 for patch in ax.patches)
    plt.close()
