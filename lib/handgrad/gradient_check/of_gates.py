"""Is the gradient of this gate right? Compare it with slopes that were measured."""

import contextlib
import copy
import inspect
import re

import numpy as np
from numpy.typing import ArrayLike

from handgrad.errors import InputError
from handgrad.functional import is_float
from handgrad.gradient_check.comparing import (
    agrees,
    all_equal,
    as_inputs,
    copies_of,
    disagreement,
    draw_upstream,
    equal,
    matches,
    same,
)
from handgrad.gradient_check.diagnosis import diagnose
from handgrad.gradient_check.evidence import evidence_of, forward_of
from handgrad.gradient_check.reports import GradientReport
from handgrad.gradient_check.untested import untested_inputs
from handgrad.graph import Gate
from handgrad.numerical import measure_slopes


def check_gate(gate: Gate, *inputs: ArrayLike, seed: int = 0) -> GradientReport:
    """Check every gradient that ``gate.backward`` returns, at ``inputs``, under a random upstream gradient.

    Random, because an upstream of ones passes gates that are wrong: the rows of a softmax sum to one, so
    under ones even a backward that returns zeros is right.

    Parameters
    ----------
    gate : Gate
    *inputs : arrays or numbers
        As for ``gate.forward``. Floats are checked in float64, integers (ids, labels) must get the gradient None;
        integers that come alone are taken as floats, but for those that the gate declares to be ids (``ids_at``).
    seed : int, of the random upstream gradient

    Returns
    -------
    GradientReport
        True if the gradients are right. One that failed and is dropped unread gives a GradientCheckWarning.

    Raises
    ------
    InputError
        If ``gate`` is a class and not a gate.

    Examples
    --------
    In a test of your own, which pytest then shows with the whole text:

    >>> from handgrad import Tanh, check_gate
    >>> def test_tanh():
    ...     check_gate(Tanh(), 0.5).raise_if_wrong()
    """
    if isinstance(gate, type):
        call = f"check_gate({gate.__name__}(), ...)"
        raise InputError(f"check_gate expects a gate, but got the class {gate.__name__}: make one, as in {call}.")
    name, inputs = type(gate).__name__, as_inputs(gate, inputs)
    untouched, kept = copy.deepcopy(gate), copy.deepcopy(inputs)
    _run_elsewhere(gate, inputs)  # whatever a pass at other inputs leaves behind is stale now
    try:
        z = gate.forward(*inputs)
    except Exception as error:
        return GradientReport(False, f"{name}.forward {_failure(error)}", "FORWARD_FAILED")
    if not _is_numbers(z):
        came = "nothing: None came" if z is None else f"no numbers, but {type(z).__name__}: that came"
        text = f"{name}: forward returned {came} out. Which value does it compute, and does its last line return it?"
        return GradientReport(False, text, "FORWARD_RETURNED_NOTHING")
    z = np.asarray(z)
    is_coarse = is_float(z) and z.dtype.itemsize < 8  # float32 for float64
    z = np.array(z, dtype=np.float64)[()]
    if not equal(z, np.asarray(gate.forward(*inputs), dtype=np.float64)) and all_equal(inputs, kept):
        text = f"{name}: forward gave two answers to the same inputs. On what, other than them, does it depend?"
        return GradientReport(False, text, "IMPURE_FORWARD")
    dz = draw_upstream(np.shape(z), [*inputs, z], seed)
    upstream = copy.deepcopy(dz)
    try:
        returned = gate.backward(upstream)
        given = copies_of(returned)
        again = copies_of(gate.backward(copy.deepcopy(dz))) or []
    except Exception as error:
        return GradientReport(False, f"{name}.backward {_failure(error)}", "BACKWARD_FAILED")

    names = input_names(gate, inputs)
    wrong_form = _wrong_form(name, names, returned, given, inputs)
    if wrong_form is not None:
        return wrong_form
    if not all_equal([*inputs, upstream], [*kept, dz]):
        text = f"{name} changed its inputs or the upstream gradient. Who else may hold the array that it wrote to?"
        return GradientReport(False, text, "CHANGED_INPUTS")
    if not all_equal(given, again):
        fresh = copy.deepcopy(untouched)
        fresh.forward(*inputs)
        return answers_differ(name, [copies_of(fresh.backward(copy.deepcopy(dz))) or [] for _ in range(3)])

    measured = {i: measure_slopes(forward_of(gate, inputs, i), x, dz) for i, x in enumerate(inputs) if is_float(x)}
    report = _judge(name, names, untouched, inputs, z, dz, given, measured)
    if is_coarse and report.mistake in (None, "NO_STEP_CAN_TELL") and (report.skipped or not report.ok):
        text = f"{name}: forward got float64 and returned fewer digits, too few to measure slopes. Where does it round?"
        return GradientReport(False, text, None, report.skipped)
    return report


def _judge(name, names, untouched, inputs, z, dz, given, measured):
    """Right, or wrong and why."""
    skipped = sum(int(slopes.kinks.sum()) for slopes in measured.values())
    wrong = []
    for i, slopes in measured.items():
        if slopes.kinks.size and slopes.kinks.all():
            text = f"{name}: every entry of {names[i]} is at a kink, where there is no slope: check elsewhere."
            return GradientReport(False, text, "NOTHING_TESTED", skipped)
        if not agrees(given[i], slopes):
            wrong.append(i)
    unclear = [i for i, slopes in measured.items() if _no_step_fits(inputs[i], slopes, z, dz)]
    if unclear and set(wrong) <= set(unclear):
        text = (
            f"{name}: at {' and '.join(names[i] for i in unclear)} no step can tell. A step that rounding allows is "
            "longer than the turns of this function, so right and wrong look alike. Where are the inputs smaller?"
        )
        return GradientReport(False, text, "NO_STEP_CAN_TELL", skipped)
    if not wrong:
        untested = untested_inputs(untouched, inputs, measured)
        if untested:
            which = " and ".join(names[i] for i in untested) or "any input"
            text = (
                f"{name}: nothing was tested. A backward of zeros would be right here for {which} too, though "
                "elsewhere the output moves. At which values, and at which sizes, is there a slope to compare?"
            )
            return GradientReport(False, text, "NOTHING_TESTED", skipped)
        return GradientReport(True, f"{name}: backward agrees with the measured slopes{skips(skipped)}.", None, skipped)

    observed = _observed(name, names, inputs, given, measured, wrong)
    fresh = copy.deepcopy(untouched)
    fresh.forward(*inputs)
    if all(agrees(g, measured[i]) for i, g in enumerate(copies_of(fresh.backward(dz))) if i in measured):
        text = (
            f"{observed} Right after its first forward it is right; after a forward elsewhere and then here, it is "
            "not. What does forward keep, and when?"
        )
        return GradientReport(False, text, "STALE_CACHE", skipped)
    right = [names[i] for i in measured if i not in wrong]
    if right:
        gradients, are = ("gradient", "is") if len(right) == 1 else ("gradients", "are")
        observed += f" The {gradients} of {' and '.join(right)} {are} right."
    findings = [diagnose(evidence_of(untouched, names, inputs, z, dz, given, measured, i)) for i in wrong]
    findings = list(dict.fromkeys(filter(None, findings)))  # each mistake once, in the order of the inputs
    if findings:
        text = " ".join([observed, *(finding.text for finding in findings)])
        return GradientReport(False, text, findings[0].code, skipped)
    if np.shape(given[wrong[0]]) != np.shape(inputs[wrong[0]]):
        question = "Write down the shapes of all that meet in backward: at which step does it become another one?"
        return GradientReport(False, f"{observed} {question}", "WRONG_SHAPE", skipped)
    return GradientReport(False, observed, None, skipped)


def _wrong_form(name, names, returned, given, inputs):
    """Not one gradient for each float, and None for each array of integers?"""
    if given is None:
        fits = [names[i] for i, x in enumerate(inputs) if np.shape(x) == np.shape(returned)]
        came = "None" if returned is None else f"one {type(returned).__name__} of shape {np.shape(returned)}"
        came += f", which is that of {' and '.join(fits)}" if fits and returned is not None else ""
        count = f"{len(inputs)} input{'s' * (len(inputs) != 1)}"
        text = (
            f"{name}.backward returned no list of gradients, and forward took {count}: {came} came back. "
            "How is a graph to find each input's own?"
        )
        return GradientReport(False, text, "NOT_A_LIST")
    if len(given) != len(inputs):
        text = (
            f"{name}.backward returned {len(given)} gradients, and forward took {len(inputs)} inputs. "
            "Which of them can have a gradient, and where does each find its own?"
        )
        return GradientReport(False, text, "WRONG_COUNT")
    for i, (x, gradient) in enumerate(zip(inputs, given, strict=True)):
        if not is_float(x) and gradient is not None:
            text = (
                f"{name}: {names[i]} was fed integers, and backward returned a gradient for it. Is it an id or a "
                "label, or a number that was written without its point?"
            )
            return GradientReport(False, text, "GRADIENT_FOR_INTEGERS")
        if is_float(x) and gradient is None:
            text = (
                f"{name}: backward returned None for {names[i]}, which holds floats. Does the output not move with it?"
            )
            return GradientReport(False, text, "NO_GRADIENT")
    return None


def answers_differ(name, answers):
    """Three calls of backward did not give the same: was the same added from each to the next?"""
    text = f"{name}: backward gave two answers to the same question, a second call differed from the first."
    differing = [abc for abc in zip(*answers, strict=False) if not equal(*abc[:2])]
    if differing and all(_grows_evenly(*abc) for abc in differing):
        twice = all(same(2 * a, b) for a, b, _ in differing)
        how = "Where they differ, the second is twice the first." if twice else "Each further call adds the same again."
        question = "Where does a call leave something for the next?"
        return GradientReport(False, f"{text} {how} {question}", "ACCUMULATES_OVER_CALLS")
    return GradientReport(False, text)


def _grows_evenly(a, b, c):
    comparable = not any(g is None for g in (a, b, c)) and np.shape(a) == np.shape(b) == np.shape(c)
    return comparable and matches(c - b, b - a)


def _observed(name, names, inputs, given, measured, wrong):
    """What is wrong, in numbers, about the first of the wrong gradients."""
    i = wrong[0]
    slopes = measured[i]
    if np.shape(given[i]) != np.shape(inputs[i]):
        return (
            f"{name}: the gradient of {names[i]} has shape {np.shape(given[i])}, but the input {np.shape(inputs[i])}: "
            "a gradient has the shape of the thing it belongs to."
        )
    difference = np.where(slopes.kinks, 0.0, np.abs(given[i] - slopes.values))
    worst = np.unravel_index(np.nan_to_num(difference, nan=np.inf).argmax(), difference.shape)
    where = f"At entry {tuple(map(int, worst))} backward" if worst else "Backward"
    return (
        f"{name}: the gradient of {names[i]} is wrong. {where} says {np.asarray(given[i])[worst]:.6g}, but the "
        f"output moves as {slopes.values[worst]:.6g} when that entry does (upstream included). "
        f"{_which_differ(disagreement(given[i], slopes))}"
    )


def _which_differ(wrong):
    """How many entries are wrong; and in which rows or columns, where those are wrong as a whole."""
    text = f"{int(wrong.sum())} of {wrong.size} entries differ"
    for axis, word in ((0, "row"), (1, "column")) if wrong.ndim == 2 and not wrong.all() else ():
        slices = wrong.all(axis=1 - axis)
        if slices.any() and np.array_equal(wrong.any(axis=1 - axis), slices):
            return f"{text}: {word}{'s' * int(slices.sum() > 1)} {ranges(np.flatnonzero(slices))}."
    return text + "."


def ranges(numbers):
    """For reading aloud: "0–3, 7"."""
    runs = np.split(numbers, np.flatnonzero(np.diff(numbers) > 1) + 1)
    return ", ".join(f"{run[0]}–{run[-1]}" if len(run) > 1 else f"{run[0]}" for run in runs)


def input_names(gate, inputs):
    """What forward itself calls its inputs; "inputs[1]" where it takes any number of them."""
    parameters = [p for p in inspect.signature(gate.forward).parameters.values() if p.kind is not p.KEYWORD_ONLY]
    names = [p.name for p in parameters if p.kind is not p.VAR_POSITIONAL][: len(inputs)]
    star = next((p.name for p in parameters if p.kind is p.VAR_POSITIONAL), "input")
    return names + [f"{star}[{k}]" for k in range(len(inputs) - len(names))]


def _no_step_fits(x, slopes, z, dz):
    """Whether an entry's slope may be off by more than a thousandth of the largest one, and not by rounding alone."""
    smooth = np.where(slopes.kinks, 0.0, slopes.errors)
    scale = np.abs(np.where(slopes.kinks, 0.0, slopes.values)).max(initial=0.0)
    moved = smooth * np.maximum(1.0, np.abs(x))  # how far the output moves if the entry moves by its own size
    return bool(np.any((smooth > 1e-3 * scale) & (moved > 1e-4 * (1 + np.sum(np.abs(dz * z))))))


def _is_numbers(z):
    return z is not None and np.asarray(z).dtype.kind in "biufc"


SHAPE_WORDS = ("broadcast", "shape", "dimension", "mismatch", "align", "size", "axis", "axes")


def _failure(error):
    """An exception as a sentence, and the question that leads on."""
    message = " ".join(str(error).split()) or "no message"
    message += "" if message.endswith((".", "!", "?")) else "."
    if any(word in message for word in SHAPE_WORDS) or re.search(r"\(\d+,( \d+)*\)", message):
        question = "Which shapes meet there?"
    elif isinstance(error, AttributeError | NameError | KeyError):
        question = "Where does that get its value, and has it one by then?"
    else:
        question = "Of which type is what meets there?"
    return f"failed with {type(error).__name__}: {message} {question}"


def _run_elsewhere(gate, inputs):
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


def skips(skipped):
    return f"; {skipped} entries at a kink were skipped" if skipped else ""
