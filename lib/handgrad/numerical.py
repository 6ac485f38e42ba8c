"""Slopes, measured: move one entry of the input a little, and see how far the output moves.

Sources: central differences, e.g. Griewank and Walther (2008), section 1; the step is the one at which, in
float64, the error of the approximation (h²) and that of rounding (1/h) are both far below 1e-6.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

STEP = 1e-5  # times max(1, |x|)
ROUNDING = 8 * np.finfo(np.float64).eps  # of what forward computes with, once or twice in each difference


def numerical_jacobian(function: Callable[[Any], ArrayLike], x: ArrayLike) -> np.ndarray:
    """Measure ∂y/∂x by central differences, one input at a time.

    Parameters
    ----------
    function : callable
        Takes an array of x's shape, returns an array or a number.
    x : array or number
        n entries in all; computed in float64.

    Returns
    -------
    array (m, n)
        Slope of output i as input j moves, for m outputs and n inputs, both in C order.
    """
    x = np.array(x, dtype=np.float64)
    columns = []
    for j in range(x.size):
        step = STEP * max(1.0, abs(x.flat[j]))
        up, down = x.copy(), x.copy()
        up.flat[j] += step
        down.flat[j] -= step
        rise = np.asarray(function(up[()]), dtype=np.float64) - np.asarray(function(down[()]), dtype=np.float64)
        columns.append(rise.reshape(-1) / (up.flat[j] - down.flat[j]))  # the step that was really taken
    return np.stack(columns, axis=1) if columns else np.zeros((np.size(function(x)), 0))


@dataclass(frozen=True)
class Slopes:
    """d(dz · forward(x))/dx as it was measured, three arrays in the shape of x.

    values : the slopes
    errors : how far each of them may be off
    kinks : where the left and the right slope differ, so that there is none
    """

    values: np.ndarray
    errors: np.ndarray
    kinks: np.ndarray


def measure_slopes(forward: Callable[[Any], ArrayLike], x: Any, dz: Any) -> Slopes:
    """Measure, for each entry of ``x``, how the sum of ``dz * forward(x)`` moves with it."""
    values, errors, kinks = np.zeros(np.shape(x)), np.zeros(np.shape(x)), np.zeros(np.shape(x), dtype=bool)
    with np.errstate(all="ignore"):  # a step may leave the domain; then it is taken again, smaller
        z = forward(x)
        dz, size = np.array(np.broadcast_to(dz, np.shape(z))), np.sum(np.abs(dz * z))
        for entry in range(values.size):

            def along(value, entry=entry):
                moved = np.array(x)
                moved.flat[entry] = value
                return float(np.vdot(dz, forward(moved[()])).real)

            slope = _slope(along, float(np.asarray(x).flat[entry]), float(size))  # Python's floats: half the time
            values.flat[entry], errors.flat[entry], kinks.flat[entry] = slope
    return Slopes(values, errors, kinks)


def _slope(f, here, size):
    """Of f at ``here``: the slope, its error, and whether there is a kink. ``size`` is that of f's summands.

    A step fits if it is short for the function and long for rounding. Near 0 that is often a step of the entry's own
    size, and at 1e6, for a sine, one that is far shorter than 1e-5 of it: so steps are tried until one fits. What
    looks like a kink from afar, a turn or a kink nearby, is none if a shorter step can tell, and says so.
    """
    middle = f(here)
    slope, error, kink = np.nan, np.inf, False
    for step in _steps(here):
        candidate, its_error, its_kink = _differences(f, here, middle, step, size)
        resolves = kink and not its_kink and its_error <= 1e-2 * max(abs(slope), abs(candidate))
        if resolves or np.isnan(slope) or (its_error < error and not kink):
            slope, error, kink = candidate, its_error, its_kink
        all_rounding = its_error <= 10 * ROUNDING * size / step  # which a shorter step can only add to
        if error <= 1e-7 * abs(slope) or (candidate == 0 and its_error == 0) or (all_rounding and not kink):
            break
    return slope, error, kink


def _steps(here):
    """The usual step, a quarter of the way to 0, that of the entry's own size, and for large entries shorter ones."""
    step, own = STEP * max(1.0, abs(here)), STEP * abs(here)
    yield step
    if 0 < abs(here) < 4 * step:
        yield abs(here) / 4  # many kinks are at 0
    if 0 < own / 4096 and own < step:
        yield own
    while abs(here) > 10 and step / 8 > 2e4 * math.ulp(here):
        step /= 8
        yield step


def _differences(f, here, middle, step, size):
    """The slope by a central difference; its error; whether right and left slopes differ, however short the step."""
    slopes, bends = [], []
    for h in (step, step / 4, step / 4096):
        up, down = here + h, here - h
        f_up, f_down = f(up), f(down)
        slopes.append((f_up - f_down) / (up - down))
        bends.append(abs((f_up - middle) / (up - here) - (middle - f_down) / (here - down)))
    # forward rounds what it makes of x, and that moves the output as x itself would: by slope · eps · |x|
    inner = ROUNDING * abs(here) * max(abs(slopes[0]), abs(slopes[1])) / step
    error = 2 * abs(slopes[0] - slopes[1]) + _noise(size, step, slopes) + inner
    # A long step may fit a wave by chance, at both of its lengths. Then the very short one says otherwise.
    error += max(0.0, abs(slopes[0] - slopes[2]) - 4096 * (_noise(size, step, bends) + inner) - 1e-3 * abs(slopes[0]))
    # For a smooth function the bend shrinks with the step, to a quarter; at a kink it stays.
    rounding = 10 * _noise(size, step, bends) + 10 * inner
    stays = bends[1] > bends[0] / 2 and abs(bends[2] - bends[1]) <= bends[1] / 2 + 4096 * rounding
    kink = stays and bends[0] > 1e-3 * abs(slopes[0]) + rounding
    return slopes[0], error, kink


def _noise(size, step, measured):
    """What rounding alone may do to a slope that was measured by three steps, the last one very short.

    The scale of forward's intermediate values is unknown: the loss of a sure answer is nearly 0, and is the
    difference of two numbers near 1. So 1 is taken besides the size of the output, but where the shortest step gives
    the same to a thousandth: had rounding changed a millionth of the first, it would have spoiled that one.
    """
    fine = measured[0] != 0 and abs(measured[0] - measured[2]) <= 1e-3 * abs(measured[0])
    return ROUNDING * (size if fine else size + 1) / step
