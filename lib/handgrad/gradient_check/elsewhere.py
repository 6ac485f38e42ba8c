"""The gate at other inputs than the caller's: what a pass there leaves behind, and whether backward is right there."""

import contextlib
import copy
from collections.abc import Sequence
from typing import Any

import numpy as np

from handgrad.functional import is_float
from handgrad.gradient_check.comparing import agrees, all_equal, are_sure, copies_of
from handgrad.gradient_check.evidence import forward_of, redrawn
from handgrad.nodes import Gate
from handgrad.numerical import measure_slopes


def run_elsewhere(gate: Gate, inputs: Sequence[Any]) -> None:
    """At other values that are as legal: floats by amounts that no invariance cancels, integers in another order."""
    rng = np.random.default_rng(1)
    for size in (1.0, 0.1, -0.1, 0.01, -0.01):  # the first move that stays in the domain will do
        moved = [x + size * rng.uniform(0.25, 0.75, np.shape(x)) if is_float(x) else _other_ids(x) for x in inputs]
        with np.errstate(all="ignore"), contextlib.suppress(Exception):
            z = gate.forward(*copy.deepcopy(moved))
            gate.backward(rng.standard_normal(np.shape(z))[()])
            return


def _other_ids(ids):
    """Integers that are as legal, and not the same."""
    rolled = np.roll(ids, 1)
    return np.maximum(np.asarray(ids) - 1, 0) if np.array_equal(rolled, ids) else rolled


def wrong_elsewhere(gate: Gate, inputs: list[Any]) -> tuple[list[int], str]:
    """The inputs whose gradients, right at the caller's values, are wrong at others: most often there are none.

    Beside it, a code for what else is seen there: something is changed in place, or nothing changes. One step in one
    direction shows that all is right, at the cost of two calls of forward. Only where it does not, every slope is
    measured.
    """
    rng = np.random.default_rng(7919)
    for largest in (3.0, 1.0) if any(np.size(x) > 1 for x in inputs) else (1.0,):
        moved = [redrawn(x, rng, largest=largest) for x in inputs]
        with np.errstate(all="ignore"), contextlib.suppress(Exception):  # it may lie outside of the domain
            z = gate.forward(*moved)
            wrong = _wrong_at(gate, moved, z, rng) if np.isfinite(z).all() else []
            if wrong:
                dz = rng.standard_normal(np.shape(z))[()]
                before = copy.deepcopy([*moved, dz])
                there, now = _answer(gate, moved, dz), [*moved, dz]
                here = _answer(gate, inputs, before[-1])
                stays = all(np.array_equal(there[i], here[i]) for i in wrong)
                in_place = not all_equal(before, now)
                return wrong, "CHANGED_INPUTS" if in_place else "SAME_EVERYWHERE" if stays else "RIGHT_HERE_ALONE"
    return [], ""


def _answer(gate, inputs, dz):
    gate.forward(*inputs)
    return copies_of(gate.backward(dz))


def _wrong_at(gate, inputs, z, rng):
    dz = rng.standard_normal(np.shape(z))[()]
    given = copies_of(gate.backward(copy.copy(dz)))
    floats = [i for i, x in enumerate(inputs) if is_float(x)]
    if _right_along_one_direction(gate, inputs, dz, given, floats, rng):
        return []
    measured = {i: measure_slopes(forward_of(gate, inputs, i), inputs[i], dz) for i in floats}
    return [i for i, slopes in measured.items() if are_sure(slopes) and not agrees(given[i], slopes)]


def _right_along_one_direction(gate, inputs, dz, given, floats, rng):
    """Whether the output moves as the gradients say, if all floats move at once, each by a little of its own size."""
    up, down = list(inputs), list(inputs)
    for i in floats:
        step = 1e-6 * inputs[i] * rng.uniform(-1, 1, np.shape(inputs[i]))
        up[i], down[i] = inputs[i] + step, inputs[i] - step
    rise = np.vdot(dz, gate.forward(*up)) - np.vdot(dz, gate.forward(*down))
    expected = [given[i] * (up[i] - down[i]) for i in floats]
    return bool(abs(rise - sum(e.sum() for e in expected)) <= 1e-5 * sum(np.abs(e).sum() for e in expected))
