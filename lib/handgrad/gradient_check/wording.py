"""How findings are put into words: what is one and what is several, and lists for reading aloud."""

from collections.abc import Iterable

import numpy as np

ONE = {"is": "is", "has": "has", "does": "does", "it": "it", "uses": "uses", "right_one": "the right one"}
SEVERAL = {"is": "are", "has": "have", "does": "do", "it": "they", "uses": "use", "right_one": "the right ones"}
ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")


def listed(names: Iterable[object]) -> str:
    """A list for reading aloud: "x, W and b"."""
    *others, last = map(str, names)
    return f"{', '.join(others)} and {last}" if others else last


def about(names: list[str]) -> dict[str, str]:
    """What fills the blanks of a sentence about the gradients of one input or of several."""
    return {"gradient": gradients_of(names), **(ONE if len(names) == 1 else SEVERAL)}


def gradients_of(names: list[str]) -> str:
    return f"gradient{'s' * (len(names) > 1)} of {listed(names)}"


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
