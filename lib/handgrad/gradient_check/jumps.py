"""Where forward moves in jumps, there is no slope to measure: a staircase, or digits that are lost on the way."""

import contextlib
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from handgrad.gradient_check.comparing import equal
from handgrad.gradient_check.measuring import of_one_input
from handgrad.gradient_check.wording import listed

POINTS = 40  # along a way
LEVELS = 5  # a sign, a clip or a step takes two or three values where it is flat, and ReLU and a maximum one
LONG_WAYS = (100.0, 10.0, 1.0, 0.1)  # times max(1, |x|); the stairs of float32 are far shorter
SHORT_WAYS = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
BY_ROUNDING = 1e-10  # of the largest value: by more than this, none moves between places that are flat by rounding
SAID_OF = {
    "STAIRCASE": (
        "At {names} forward's value jumps, and between the jumps it is flat: it is a staircase, "
        "and no step can tell its slope. Does it round, or use //?"
    ),
    "CAST": (
        "At {names} no step can tell. Forward's values move in steps of about 1e-7 of their size, as in float32. "
        "Where {are} {names} cast?"
    ),
    "DIGITS_LOST": (
        "At {names} no step can tell. Forward's values move in steps that are longer than those of float64. Where are "
        "digits lost: by rounding, in a cast, or in the difference of two large numbers?"
    ),
    "NEAR_KINK": (
        "At {names} no step can tell: a kink is nearer than a step reaches. Which numbers are nearly equal there, or "
        "nearly 0? Check where they are not."
    ),
    "KEPT": (
        "At {names} no step can tell: what forward keeps as {kept} has fewer digits than float64. Where are they lost?"
    ),
    None: (
        "At {names} no step can tell. A step that rounding allows is longer than the turns of this function, so "
        "right and wrong look alike. Where are the inputs smaller?"
    ),
}


def why_no_step_can_tell(forward: Callable[..., Any], inputs: list[Any], i: int, blurred: Iterable[int]) -> str | None:
    """Which kind of jumps the output makes as input i moves; None if it is not known to make any.

    ``blurred`` are the entries of it whose slopes are the least sure.
    """
    along, x = of_one_input(forward, inputs, i), np.array(inputs[i])
    with contextlib.suppress(Exception):  # what lies along the way may be outside of the domain
        if any(is_staircase(along, x, entry) for entry in _some_entries(x)):
            return "STAIRCASE"
        if _is_cast(along, x):
            return "CAST"
        if any(_loses_digits(along, x, entry) for entry in _some_entries(x)):
            return "DIGITS_LOST"
        if any(_is_near_a_kink(along, x, entry) for entry in blurred):
            return "NEAR_KINK"
    return None


def told(kinds: dict[str, str | None], kept: list[str] | None = None) -> str:
    """The sentences about inputs at which no step can tell, by name; ``kept`` is what has fewer digits than it should.

    That says more than what is seen of the jumps from outside.
    """
    if kept:
        kinds = {name: kind if kind in ("STAIRCASE", "CAST") else "KEPT" for name, kind in kinds.items()}
    sentences = []
    for kind in dict.fromkeys(kinds.values()):
        names = [name for name in kinds if kinds[name] == kind]
        sentences.append(
            SAID_OF[kind].format(names=listed(names), kept=listed(kept or [""]), are="is" if len(names) == 1 else "are")
        )
    return " ".join(sentences)


def _some_entries(x: np.ndarray) -> Iterable[int]:
    """Three at most: the first, one in the middle and the last."""
    return sorted({0, x.size // 2, x.size - 1})


def is_staircase(forward: Callable[[Any], Any], x: Any, entry: int) -> bool:
    """Whether the output is flat at most points of a way along one entry of x, and yet takes many values there."""
    return any(_has_stairs(forward, x, entry, way) for way in LONG_WAYS)


def _loses_digits(forward: Callable[[Any], Any], x: Any, entry: int) -> bool:
    return any(_has_stairs(forward, x, entry, way) for way in SHORT_WAYS)


def _has_stairs(forward: Callable[[Any], Any], x: Any, entry: int, way: float) -> bool:
    rng, here = np.random.default_rng([23, 7919]), float(np.asarray(x).flat[entry])
    length, flat = way * max(1.0, abs(here)), []
    for value in here + length * rng.uniform(-1, 1, POINTS):
        z, beside = (_at(forward, x, entry, v) for v in (value, value + 1e-5 * length))
        flat += [z] if np.isfinite(z).all() and equal(z, beside) else []
    if len(flat) < 0.8 * POINTS:
        return False
    values = np.stack([np.ravel(z) for z in flat])
    ranges = np.ptp(values, axis=0)
    if not np.max(ranges, initial=0.0) > BY_ROUNDING * np.max(np.abs(values), initial=0.0):
        return False
    # where a function levels off, its last digits change from point to point: a level is another by 1/1000 of the range
    return len(np.unique(np.round(1000 * values / np.max(ranges)), axis=0)) >= LEVELS


def _is_near_a_kink(forward: Callable[[Any], Any], x: Any, entry: int) -> bool:
    """Whether a thousandth to the left the output is smooth, and so to the right, with another slope.

    On a parabola the two sides differ by 12 times what each differs in itself.
    """
    here = float(np.asarray(x).flat[entry])
    step = 1e-3 * max(1.0, abs(here))

    def slope(begin, end):
        return (_at(forward, x, entry, here + end * step) - _at(forward, x, entry, here + begin * step)) / (end - begin)

    left, right, left_again, right_again = slope(-2, -1), slope(1, 2), slope(-1.5, -1), slope(1, 1.5)
    apart = np.max(np.abs(left - right))
    return bool(apart > 100 * max(np.max(np.abs(left - left_again)), np.max(np.abs(right - right_again))))


def _at(forward: Callable[[Any], Any], x: Any, entry: int, value: float) -> np.ndarray:
    moved = np.array(x)
    moved.flat[entry] = value
    return np.array(forward(moved[()]), dtype=np.float64)


def _is_cast(forward: Callable[[Any], Any], x: np.ndarray) -> bool:
    """Whether the digits of x that float32 has not make no difference to the output, and the others do."""
    rng = np.random.default_rng([29, 7919])
    for _ in range(3):
        moved = x * (1 + 1e-3 * rng.uniform(0.5, 1, x.shape))
        here, cast, farther = (
            np.array(forward(v[()])) for v in (moved, moved.astype(np.float32).astype(np.float64), moved * 1.0001)
        )
        moves = np.max(np.abs(farther - here), initial=0.0) > BY_ROUNDING * np.max(np.abs(here), initial=0.0)
        if not equal(here, cast) or not moves:
            return False
    return True
