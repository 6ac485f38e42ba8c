"""What is wrong, in numbers: at which entry, by how much, and which entries differ."""

from typing import Any

import numpy as np

from handgrad.gradient_check.comparing import disagreement
from handgrad.gradient_check.wording import slices
from handgrad.numerical import Slopes


def in_numbers(given: Any, x: Any, slopes: Slopes, name: str) -> str:
    """About one wrong gradient, that of the input ``name``."""
    if np.shape(given) != np.shape(x):
        return (
            f"What came back for {name} has shape {np.shape(given)}, but {name} has shape {np.shape(x)}: "
            "a gradient has the shape of the thing it belongs to."
        )
    difference = np.where(slopes.kinks, 0.0, np.abs(given - slopes.values))
    worst = np.unravel_index(np.nan_to_num(difference, nan=np.inf).argmax(), difference.shape)
    of = f" of {name}"
    where = f"At entry {tuple(map(int, worst))}{of} backward" if worst else f"For {name} backward"
    return (
        f"{where} says {_digits(np.asarray(given)[worst], slopes.values[worst])}, but the measured slope is "
        f"{_digits(slopes.values[worst], np.asarray(given)[worst])} (upstream gradient included). "
        f"{which_differ(disagreement(given, slopes), of)}"
    )


def _digits(number, other):
    """Six digits, or as many as show that it is another number."""
    digits = next((n for n in (6, 9, 12) if f"{number:.{n}g}" != f"{other:.{n}g}"), 15)
    return f"{number:.{digits}g}"


def which_differ(wrong: np.ndarray, of: str = "") -> str:
    """How many entries are wrong; and in which rows or columns all of them lie, if that says more."""
    text = f"{int(wrong.sum())} of {wrong.size} entries{of} differ"
    for axis in range(wrong.ndim) if not wrong.all() else ():
        some = np.moveaxis(wrong, axis, 0).reshape(len(np.moveaxis(wrong, axis, 0)), -1).any(axis=1)
        within = some.sum() * wrong.size / some.size
        if not some.all() and wrong.sum() > within / 2:
            which = slices(wrong.ndim, axis, np.flatnonzero(some))
            return f"{text}{':' if wrong.sum() == within else ', all in'} {which}."
    return text + "."
