"""Is this gradient right? Compare it with slopes that were measured, by moving each input a little.

Sources: central differences, e.g. Griewank and Walther (2008), section 1; the step is the one at which, in
float64, the error of the approximation (h²) and that of rounding (1/h) are both far below 1e-6.
"""

from dataclasses import dataclass

import numpy as np

STEP = 1e-5  # times max(1, |x|)
TOLERANCE = 1e-6  # of the largest slope in the gradient, with an absolute floor of the same size


class GradientCheckError(AssertionError):
    """A gradient does not agree with the measured slopes."""


@dataclass(frozen=True)
class GradientReport:
    """What a gradient check found: ``ok``, and ``text``, one line when right and a paragraph when wrong."""

    ok: bool
    text: str
    skipped: int = 0  # entries at a kink, where no slope exists

    def __repr__(self):
        return self.text

    def raise_if_wrong(self):
        if not self.ok:
            raise GradientCheckError(self.text)


def numerical_jacobian(function, x):
    """Measure ∂y/∂x by central differences, one input at a time.

    Parameters
    ----------
    function : callable, takes an array of x's shape, returns an array or a number
    x : array or number, n entries in all; computed in float64

    Returns
    -------
    array (m, n) : slope of output i as input j moves, for m outputs and n inputs, both in C order
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


def check_gate(gate, *inputs, seed=0):
    """Check every gradient that ``gate.backward`` returns, at ``inputs``, under a random upstream gradient.

    Random, because an upstream of ones passes gates that are wrong: the rows of a softmax sum to one, so
    under ones even a backward that returns zeros is right.

    Parameters
    ----------
    gate : Gate
    *inputs : arrays or numbers, as for ``gate.forward``; floats are checked in float64, integers (ids,
        labels) must get the gradient None
    seed : int, of the random upstream gradient

    Returns
    -------
    GradientReport
    """
    inputs = [_as_float64(x) for x in inputs]
    kept = [np.copy(x) for x in inputs]
    name = type(gate).__name__
    gate.forward(*[_moved(x) for x in inputs])  # elsewhere first: a cache that forward does not renew is stale now
    z = np.array(gate.forward(*inputs), dtype=np.float64)
    dz = np.random.default_rng(seed).standard_normal(z.shape)[()]
    upstream = dz.copy()
    given = gate.backward(upstream)
    again = gate.backward(dz.copy())

    if not isinstance(given, list | tuple) or len(given) != len(inputs):
        return _wrong(f"{name}.backward must return a list of {len(inputs)} gradients, one for each input of forward.")
    if not all(_equal(x, k) for x, k in zip([*inputs, upstream], [*kept, dz], strict=True)):
        return _wrong(f"{name} changed its inputs or the upstream gradient: it must leave them as they were.")
    if not all(_equal(a, b) for a, b in zip(map(_dense, given), map(_dense, again), strict=True)):
        return _wrong(f"{name}.backward gave two answers to the same question: a second call differed from the first.")

    skipped = 0
    for i, (x, gradient) in enumerate(zip(inputs, given, strict=True)):
        if not np.issubdtype(np.result_type(x), np.inexact):
            if gradient is not None:
                return _wrong(
                    f"{name}: input {i} holds integers, which have no derivative: return None for ids and labels, and "
                    "give numbers that do have one as floats, 2.0 for 2."
                )
            continue
        if gradient is None:
            return _wrong(f"{name}: backward returned None for input {i}, which holds floats and has a derivative.")
        gradient = _dense(gradient)
        if np.shape(gradient) != np.shape(x):
            return _wrong(
                f"{name}: the gradient of input {i} has shape {np.shape(gradient)}, but the input {np.shape(x)}: "
                "a gradient has the shape of the thing it belongs to."
            )
        measured, kink = _measured_slopes(gate, inputs, i, dz)
        if kink.all() and kink.size:
            return _wrong(f"{name}: every entry of input {i} is at a kink, where there is no slope: check elsewhere.")
        difference = np.where(kink, 0.0, np.abs(np.asarray(gradient) - measured))
        skipped += int(kink.sum())
        scale = np.abs(np.where(kink, 0.0, measured)).max(initial=0.0)
        if not (difference <= TOLERANCE * (1 + scale)).all():  # `not <=`, so that nan is wrong
            worst = np.unravel_index(np.nan_to_num(difference, nan=np.inf).argmax(), np.shape(x))
            where = f"At entry {tuple(map(int, worst))} backward" if worst else "Backward"
            return _wrong(
                f"{name}: the gradient of input {i} is wrong. {where} says "
                f"{np.asarray(gradient)[worst]:.6g}, but the output moves as {measured[worst]:.6g} when that entry "
                f"does (upstream included). {int((difference > TOLERANCE * (1 + scale)).sum())} of {difference.size} "
                "entries differ."
            )
    at_kinks = f"; {skipped} entries at a kink were skipped" if skipped else ""
    return GradientReport(True, f"{name}: backward agrees with the measured slopes{at_kinks}.", skipped)


def _measured_slopes(gate, inputs, i, dz):
    """d(dz · z)/dx_i, entry by entry, and where the left and the right slope differ (a kink)."""

    def upstream_dot_z(entry, value):
        x = np.array(inputs[i])
        x.flat[entry] = value
        z = gate.forward(*inputs[:i], x[()], *inputs[i + 1 :])
        return float(np.sum(dz * z, dtype=np.float64))

    def bend(entry, step):
        """Right slope minus left slope. For a smooth function it shrinks with the step; at a kink it stays."""
        here = inputs[i].flat[entry] if np.ndim(inputs[i]) else inputs[i]
        up, middle, down = (upstream_dot_z(entry, v) for v in (here + step, here, here - step))
        return (up - middle) / step - (middle - down) / step

    shape = np.shape(inputs[i])
    slopes, kinks = np.zeros(shape), np.zeros(shape, dtype=bool)
    for entry in range(slopes.size):
        here = np.asarray(inputs[i]).flat[entry]
        step = STEP * max(1.0, abs(here))
        up, down = here + step, here - step
        slope = (upstream_dot_z(entry, up) - upstream_dot_z(entry, down)) / (up - down)
        wide = abs(bend(entry, step))
        if wide > 1e-3 * (abs(slope) + 1e-3) and abs(bend(entry, step / 4)) > wide / 2:
            kinks.flat[entry] = True
        slopes.flat[entry] = slope
    return slopes, kinks


def _as_float64(x):
    """Floats in double precision, lists as arrays, integers as they are."""
    x = np.asarray(x)
    return (x.astype(np.float64) if np.issubdtype(x.dtype, np.inexact) else x)[()]


def _moved(x):
    """Other values that are as legal: floats by amounts that no invariance cancels, integers in another order."""
    if np.issubdtype(np.result_type(x), np.inexact):
        return x + np.random.default_rng(1).uniform(0.25, 0.75, np.shape(x))
    return np.roll(x, 1)


def _dense(gradient):
    return gradient.to_dense() if hasattr(gradient, "to_dense") else gradient


def _equal(a, b):
    return (a is None and b is None) or np.array_equal(a, b, equal_nan=True)


def _wrong(text):
    return GradientReport(False, text)
