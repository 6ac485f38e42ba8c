"""What a wrong gradient has in common with the right one, where no formula for the mistake is known.

Such a clue says less than a name, and more things look like it by chance. So each of them must hold
where the same gate is fed larger arrays too.
"""

import numpy as np

from handgrad.functional import is_float
from handgrad.gradient_check.comparing import MATCH, matches

# Each rule yields what would have come out, and what fills the blanks of its sentence, as in diagnosis.


def confirmed(evidence, holds):
    """Whether a clue holds here, and wherever the gate takes larger arrays; and it takes some."""
    if np.shape(evidence.given) != np.shape(evidence.right) or not holds(evidence):
        return False
    others = list(evidence.at_other_sizes())
    return bool(others) and all(np.shape(e.given) == np.shape(e.right) and holds(e) for e in others)


def zeroed(e):
    if confirmed(e, _has_zeros):
        yield e.given, {"n": int(np.count_nonzero((e.given == 0) & (e.right != 0)))}


def _has_zeros(e):
    missing = (e.given == 0) & (e.right != 0)
    return bool(missing.any()) and matches(e.given, np.where(missing, 0.0, e.right))


def part_right(e):
    for axis, word in ((0, "rows"), (1, "columns")) if np.ndim(e.right) == 2 else ():
        if confirmed(e, lambda e, axis=axis: _right_slices(e, axis) is not None):
            right = _right_slices(e, axis)
            fine, wrong = (", ".join(map(str, np.flatnonzero(part)[:9])) for part in (right, ~right))
            yield e.given, {"right": f"{word} {fine}", "wrong": f"{word} {wrong}"}


def _right_slices(e, axis):
    """Which slices are right, if there are such and all others are wrong as a whole; else None."""
    given, right = np.moveaxis(e.given, axis, 0), np.moveaxis(e.right, axis, 0)
    off = ~(np.abs(given - right) <= MATCH * np.max(np.abs(right), initial=0.0))
    fine, wrong = ~off.any(axis=1), off.all(axis=1)
    told = fine.any() and wrong.any() and (fine | wrong).all() and right[fine].any() and off.shape[1] > 1
    return fine if told else None


def parts_exchanged(e):
    if confirmed(e, _has_the_same_numbers):
        yield e.given, {}


def _has_the_same_numbers(e):
    numbers = np.unique(np.round(np.abs(e.right), 12))
    return len(numbers) > 2 and matches(np.sort(np.ravel(e.given)), np.sort(np.ravel(e.right)))


def row_factor(e):
    if confirmed(e, lambda e: _factors(e) is not None):
        factors = [f"{factor:.4g}" for factor in np.ravel(_factors(e))[:4]]
        yield e.given, {"factors": ", ".join(factors)}


def _factors(e):
    """The multiple that each row is of the right one, if it is one and they differ; else None."""
    if np.ndim(e.right) < 2 or np.any(np.count_nonzero(e.right, axis=-1) < 2):  # one number is a multiple of any
        return None
    factors = np.sum(e.given * e.right, axis=-1, keepdims=True) / np.sum(e.right**2, axis=-1, keepdims=True)
    each = np.abs(e.given - factors * e.right) <= MATCH * np.abs(factors * e.right).max(axis=-1, keepdims=True)
    differ = np.ptp(factors) > 1e-3 * np.max(np.abs(factors))
    return factors if each.all() and differ and np.all(factors) else None


def one_input_as_ones(e):
    for j, x in enumerate(e.inputs):
        if j != e.i and is_float(x):
            if confirmed(e, lambda e, j=j: _fits_ones(e, j)):
                yield e.given, {"j": e.names[j]}


def _fits_ones(e, j):
    right = e.right_at(j, np.ones_like(e.inputs[j]))
    return right is not None and matches(e.given, right)


def row_sum(e):
    if confirmed(e, _rows_should_cancel):
        yield e.given, {"sum": np.abs(np.sum(e.given, axis=-1)).max()}


def _rows_should_cancel(e):
    if np.ndim(e.right) == 0 or np.shape(e.right)[-1] < 3 or not np.isfinite(e.given).all():
        return False
    sums, size = np.abs(np.sum(e.right, axis=-1)), np.abs(e.right).max(axis=-1, initial=0.0)
    return bool(size.all() and np.all(sums <= MATCH * size) and np.all(np.abs(e.given.sum(axis=-1)) > 1e-3 * size))
