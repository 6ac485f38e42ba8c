"""How findings are put into words: what is one and what is several, lists for reading aloud, which entries differ."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from handgrad.gradient_check.comparing import disagreement
from handgrad.numerical import Slopes

ONE = {"is": "is", "has": "has", "does": "does", "it": "it", "them": "it", "uses": "uses", "right_one": "the right one"}
SEVERAL = {
    "is": "are",
    "has": "have",
    "does": "do",
    "it": "they",
    "them": "them",
    "uses": "use",
    "right_one": "the right ones",
}
ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")


def listed(names: Iterable[object]) -> str:
    """A list for reading aloud: "x, W and b"."""
    *others, last = map(str, names)
    return f"{', '.join(others)} and {last}" if others else last


def first_few(numbers: np.ndarray) -> str:
    """ "1, 3, 2, 4, …": those that are different, and four of them at most."""
    different = list(dict.fromkeys(f"{number:.4g}" for number in np.ravel(numbers)))
    return ", ".join(different[:4]) + ", …" * (len(different) > 4)


def about(names: list[str]) -> dict[str, str]:
    """What fills the blanks of a sentence about the gradients of one input or of several."""
    return {"gradient": gradients_of(names), **(ONE if len(names) == 1 else SEVERAL)}


def gradients_of(names: list[str]) -> str:
    return f"gradient{'s' * (len(names) > 1)} of {listed(names)}"


def gradients_are(names: list[str]) -> str:
    return f"{gradients_of(names)} {'is' if len(names) == 1 else 'are'}"


def skips(skipped: int) -> str:
    if not skipped:
        return ""
    return f"; {skipped} entries at a kink were skipped" if skipped > 1 else "; 1 entry at a kink was skipped"


def and_skipped(skipped: int) -> str:
    """The same, as a sentence of its own."""
    return f" {skips(skipped)[2:]}." if skipped else ""


def counted(n: int, thing: str) -> str:
    return f"{n} {thing}{'s' * (n != 1)}"


def slices(ndim: int, axis: int, numbers: np.ndarray) -> str:
    """The slices of an array along an axis, for reading aloud: "row 2", "columns 0–3, 7"."""
    word = "entry" if ndim == 1 else ("row", "column")[axis] if ndim == 2 else "place"
    runs = np.split(numbers, np.flatnonzero(np.diff(numbers) > 1) + 1)
    told = ", ".join(f"{run[0]}–{run[-1]}" if len(run) > 1 else f"{run[0]}" for run in runs)
    plural = "entries" if word == "entry" else f"{word}s"
    return f"{plural if len(numbers) > 1 else word} {told}{f' along axis {axis}' if ndim > 2 else ''}"


def ordinal(k: int) -> str:
    return f"the {ORDINALS[k]} input" if k < len(ORDINALS) else f"input {k + 1}"


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
    how_many = f" {which_differ(disagreement(given, slopes), of)}" if np.size(given) > 1 else ""
    return (
        f"{where} says {_digits(np.asarray(given)[worst], slopes.values[worst])}, but the measured slope is "
        f"{_digits(slopes.values[worst], np.asarray(given)[worst])} (upstream gradient included).{how_many}"
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
        if not some.all() and (wrong.sum() > within / 2 or (wrong.sum() > 2 and some.sum() == 1)):
            which = slices(wrong.ndim, axis, np.flatnonzero(some))
            return f"{text}{':' if wrong.sum() == within else ', all in'} {which}."
    return text + "."
