"""Where the numbers of a drawn graph stand: each beside its own wire, clear of all else that is drawn.

Each wire has a value above it and a gradient below it, and for both there are many spots along it. A spot costs what it
covers, and how much nearer another wire is than its own; and, so that all drawings look alike, how far it is from the
middle. The numbers take the spots that cost least, one wire after the other, and three times around, since each number
is in the way of all others.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

ASCENT, DESCENT = 11, 3  # in pixels, of letters of 14 pixels: above and below the line on which they stand
SPOTS, FAR, ROUNDS = 33, 0.15, 3  # along a wire; of it, how far apart its two may stand; how often all are placed
APART, CLEAR = 3, 6  # pixels between two numbers; how much nearer than the other wires its own should be
COVERED, CONFUSED, ASTRAY, UNEVEN = 80.0, 2.0, 0.15, 0.1  # costs: of what is covered, and for each pixel of the others


class Spot(NamedTuple):
    """Where a number may stand: a point of its text, which of its ends that is, and what point of the wire it is by."""

    x: float
    y: float
    end: str
    at: int


def box_of(x: float, y: float, end: str, width: float) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of a text that stands at x on the line y, with its start, middle or end there."""
    left = x - {"start": 0.0, "middle": width / 2, "end": width}[end]
    return left, y - ASCENT, left + width, y + DESCENT


def numbers_beside(
    lines: Sequence[np.ndarray],
    middles: Sequence[np.ndarray],
    widths: Sequence[tuple[float, float]],
    covered: Sequence[tuple[float, float, float, float]],
    stubs: Sequence[bool],
) -> list[tuple[tuple[float, float, str], tuple[float, float, str]]]:
    """For each wire where its value stands and where its gradient: x, y, and which end of the text is there.

    lines : for each wire points along it, (n, 2), from left to right; middles : where its numbers are best read
    widths : of its value and its gradient; covered : boxes, left, top, right and bottom, that numbers leave free
    stubs : whether it is a stub behind an output, whose numbers stand at its start
    """
    spots, boxes, costs = [], [], []
    for i, (line, own) in enumerate(zip(lines, widths, strict=True)):
        pair = _behind(line) if stubs[i] else (_spots(line, own[0], below=False), _spots(line, own[1], below=True))
        around = [
            np.array([box_of(spot.x, spot.y, spot.end, width) for spot in s])
            for s, width in zip(pair, own, strict=True)
        ]
        above, under = (_costs(i, s, b, lines, middles[i], covered) for s, b in zip(pair, around, strict=True))
        spots.append(pair)
        boxes.append(around)
        costs.append(above[:, None] + under + _costs_of_pairs(line, pair, around))
    chosen: dict[int, tuple] = {}
    for _ in range(ROUNDS):
        for i, own in enumerate(costs):
            others = [boxes[j][k][at] for j, both in chosen.items() if j != i for k, at in enumerate(both)]
            above, under = (_covering(b, others, APART).sum(axis=1) for b in boxes[i])
            chosen[i] = np.unravel_index(np.argmin(own + above[:, None] + under), own.shape)
    return [tuple(s[at][:3] for s, at in zip(pair, chosen[i], strict=True)) for i, pair in enumerate(spots)]


def _behind(line):
    """The only spots for an output's numbers."""
    x, y = line[0]
    return [Spot(x + 5, y - 7, "start", 0)], [Spot(x + 5, y + 18, "start", 0)]


def _costs_of_pairs(line, pair, boxes):
    """What it costs (values, gradients) that the two of a wire are apart from each other, or one upon the other."""
    at = [np.array([spot.at for spot in spots]) for spots in pair]
    apart = line[at[0]][:, None] - line[at[1]]
    far = abs(at[0][:, None] - at[1]) >= FAR * len(line)
    return UNEVEN * np.hypot(apart[..., 0], apart[..., 1]) + _covering(*boxes, 0) + np.where(far, 10 * COVERED, 0)


def _spots(line, width, below):
    """Spots above a wire or below it; and where it is steep, to the side on which it is above or below."""
    spots = []
    for at in np.linspace(0, len(line) - 1, SPOTS + 2).round().astype(int)[1:-1]:
        (x, y), (run, rise) = line[at], line[at + 1] - line[at - 1]
        if abs(rise) < 0.6 * run:
            near = line[abs(line[:, 0] - x) <= width / 2, 1]
            spots.append(Spot(x, near.max() + 18 if below else near.min() - 7, "middle", at))
        if abs(rise) > 0.25 * run:
            beside = (x + 6, "start") if (rise > 0) != below else (x - 6, "end")
            spots.append(Spot(beside[0], y + 13 if below else y - 3, beside[1], at))
    return spots


def _costs(which, spots, boxes, lines, middle, covered):
    """For each spot: what it covers, whether another wire is nearer than its own, and how far it is from the middle."""
    distances = np.array([_distances(boxes, line) for line in lines])  # (lines, spots)
    own, others = distances[which], np.delete(distances, which, axis=0)
    astray = np.hypot(*(lines[which][[spot.at for spot in spots]] - middle).T)
    costs = COVERED * (distances < 1).sum(axis=0) + ASTRAY * astray + own
    costs += CONFUSED * np.clip(own + CLEAR - others, 0, 15).sum(axis=0)
    return costs + _covering(boxes, covered, 0).sum(axis=1)


def _distances(boxes, line):
    """Of each box from the nearest point of a line."""
    left, top, right, bottom = boxes.T[:, :, None]
    across = np.maximum(np.maximum(left - line[:, 0], line[:, 0] - right), 0)
    down = np.maximum(np.maximum(top - line[:, 1], line[:, 1] - bottom), 0)
    return np.hypot(across, down).min(axis=1)


def _covering(boxes, others, apart):
    """What it costs that boxes cover others, or come nearer than that many pixels beside them: (boxes, others)."""
    left, top, right, bottom = np.reshape(others, (-1, 4)).T
    wide = np.minimum(boxes[:, 2:3], right) - np.maximum(boxes[:, 0:1], left) + apart
    high = np.minimum(boxes[:, 3:4], bottom) - np.maximum(boxes[:, 1:2], top)
    return np.where((wide > 0) & (high > 0), COVERED + wide * high / 4, 0.0)
