"""What came back: one gradient for each float, in the order of the inputs, and None for ids? Or did it fail?"""

import inspect
import re
from functools import lru_cache
from itertools import permutations
from typing import Any

import numpy as np

from handgrad.functional import is_float
from handgrad.gradient_check.comparing import agrees, matches
from handgrad.gradient_check.reports import GradientReport
from handgrad.gradient_check.wording import counted, gradients_are, listed, ordinal
from handgrad.nodes import Gate
from handgrad.numerical import Slopes

SHAPE_WORDS = ("broadcast", "shape", "dimension", "mismatch", "align", "size", "axis", "axes")


def wrong_form(
    name: str, names: list[str], returned: Any, given: list | None, inputs: list, measured: dict[int, Slopes]
) -> GradientReport | None:
    """A report if what came back is no list of one gradient for each float, and None for each array of integers."""
    right = [measured[i].values if i in measured else None for i in range(len(inputs))]
    if given is None:
        text = f"{name}.backward returned {_no_list(names, returned, inputs, right)}"
        return GradientReport(False, text, "NOT_A_LIST")
    order = _other_order(given, right)
    if order:
        came = listed(f"that of {names[i]}" if right[i] is not None else f"None, for {names[i]}" for i in order)
        text = (
            f"{name}.backward returned the right gradients in another order: {came}. "
            "In which order does forward take its inputs?"
        )
        return GradientReport(False, text, "WRONG_ORDER")
    if len(given) != len(inputs):
        text = f"{name}.backward returned {_wrong_count(names, given, inputs, right)}"
        return GradientReport(False, text, "WRONG_COUNT")
    for i, (x, gradient) in enumerate(zip(inputs, given, strict=True)):
        if is_float(x) and gradient is None:
            code, text = "NO_GRADIENT", f"backward returned None for {names[i]}, which holds floats."
            question = "Does the output not move with it?"
        elif not is_float(x) and gradient is not None:
            code = "GRADIENT_FOR_INTEGERS"
            text = f"{names[i]} was fed integers, and backward returned a gradient for it."
            question = "Is it an id or a label, or a number that was written without its point?"
        else:
            continue
        return GradientReport(False, f"{name}: {text}{which_are_right(names, given, measured)} {question}", code)
    return None


def fewer_digits(name: str, names: list[str], given: list, fed: list[np.dtype]) -> str | None:
    """A sentence if a gradient has fewer digits than its input was fed with, or None; more of them are no harm."""
    kinds = [np.asarray(gradient).dtype for gradient in given]
    coarse = [k for k, kind in enumerate(kinds) if kind.kind == "f" and kind.itemsize < min(fed[k].itemsize, 8)]
    if not coarse:
        return None
    had, has = fed[coarse[0]], kinds[coarse[0]]
    which = [names[k] for k in coarse if (fed[k], kinds[k]) == (had, has)]
    are, their = ("is", "its") if len(which) == 1 else ("are", "their")
    lost = "half" if 2 * has.itemsize == had.itemsize else "most"
    return (
        f"{name}: {listed(which)} {are} {had}, and {their} gradient{'s' * (len(which) > 1)} came back as {has}: "
        f"{lost} of {their} digits are lost. Where is the type chosen?"
    )


def which_are_right(names: list[str], given: list, measured: dict[int, Slopes]) -> str:
    """ " The gradients of x and W are right.", or nothing."""
    right = [names[i] for i, slopes in measured.items() if i < len(given) and agrees(given[i], slopes)]
    return f" The {gradients_are(right)} right." if right else ""


def _no_list(names, returned, inputs, right):
    took = f"no list of gradients, and forward took {counted(len(inputs), 'input')}"
    question = "How is a graph to find each input's own?"
    if returned is None or np.asarray(returned).dtype == object:
        came = "None" if returned is None else f"a {type(returned).__name__}"
        return f"{took}: {came} came back. {question}"
    fits = [i for i, x in enumerate(inputs) if np.shape(x) == np.shape(returned)]
    what = "number" if np.ndim(returned) == 0 else "array"
    came = f"one {what}" + (f" of shape {np.shape(returned)}" if np.ndim(returned) else "")
    if fits and np.ndim(returned):
        came += f", which is that of {listed(names[i] for i in fits)},"
    known = [names[i] for i in fits if right[i] is not None and matches(np.asarray(returned), right[i])]
    return f"{took}: {came} came back{f', the right gradient of {known[0]}' if known else ''}. {question}"


def _wrong_count(names, given, inputs, right):
    among = [
        names[i] for i, r in enumerate(right) if r is not None and any(g is not None and matches(g, r) for g in given)
    ]
    told = f" The {gradients_are(among)} among them." if among else ""
    came, took = (
        f"{counted(len(arrays), thing)} ({', '.join('None' if a is None else str(np.shape(a)) for a in arrays)})"
        for arrays, thing in ((given, "gradient"), (inputs, "input"))
    )
    ids = [names[i] for i, x in enumerate(inputs) if not is_float(x)]
    question = "Is there one for each input, in the input's own shape?"
    if ids and len(given) + len(ids) == len(inputs):
        holds, needs, its = ("holds", "needs", "its") if len(ids) == 1 else ("hold", "need", "their")
        question = f"{listed(ids)} {holds} integers, and {needs} None in {its} place. Which place is that?"
    return f"{came}, and forward took {took}.{told} {question}"


def _other_order(given, right):
    """The order in which the right gradients came, if more than two are not in their places, or a None is not."""
    if len(given) != len(right) or len(given) > 6 or all(map(_is_it, given, right)):
        return None
    fits = [[_is_it(g, r) for r in right] for g in given]
    orders = [order for order in permutations(range(len(right))) if all(fits[k][i] for k, i in enumerate(order))]
    order = min(orders, key=lambda order: sum(i != k for k, i in enumerate(order)), default=())
    moved = [i for k, i in enumerate(order) if i != k]
    return order if len(moved) > 2 or any(right[i] is None for i in moved) else None


def _is_it(given, right):
    return given is None if right is None else given is not None and matches(given, right)


def failure(error: Exception) -> str:
    """An exception as a sentence, and the question that leads on."""
    message = " ".join(str(error).split()) or "no message"
    message += "" if message.endswith((".", "!", "?")) else "."
    if any(word in message for word in SHAPE_WORDS) or re.search(r"\(\d+,( \d+)*\)", message):
        question = "Which shapes meet there?"
    elif isinstance(error, AttributeError | NameError | KeyError):
        question = "Where does that get its value, and has it one by then?"
    elif isinstance(error, NotImplementedError):
        question = "Is that method written, and spelled so?"
    elif isinstance(error, ArithmeticError):
        question = "Which numbers meet there?"
    elif "argument" in message:
        question = "What does that take, self among it, and what is it given?"
    else:
        question = "Of which type is what meets there?"
    return f"failed with {type(error).__name__}: {message} {question}"


def input_names(gate: Gate, inputs: list[Any]) -> list[str]:
    """What forward itself calls its inputs; where it takes any number, what the class that it builds on calls them."""
    for cls in type(gate).__mro__:
        names = _parameters(vars(cls).get("forward"))
        if len(names) >= len(inputs):
            return names[: len(inputs)]
    return [ordinal(k) for k in range(len(inputs))]


@lru_cache
def _parameters(forward):
    if not inspect.isfunction(forward):
        return []
    parameters = list(inspect.signature(forward).parameters.values())[1:]
    return [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
