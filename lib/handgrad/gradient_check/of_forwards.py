"""Is forward itself right? Where it overflows, and where it says something else than a reference."""

import contextlib
import copy
import re
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from handgrad.errors import InputError
from handgrad.functional import is_float
from handgrad.gradient_check.comparing import MATCH, NEAR, agrees, matches
from handgrad.gradient_check.form import input_names
from handgrad.gradient_check.measuring import answer_of, copies_of, draw_upstream, measure_each, of_one_input
from handgrad.gradient_check.reports import GradientReport
from handgrad.gradient_check.variants import nearby, redrawn
from handgrad.gradient_check.wording import gradients_are, which_differ
from handgrad.nodes import Gate
from handgrad.numerical import ROUNDING, STEP, measure_slopes, numerical_jacobian

SAME = 1e-9  # of the largest value: what is farther off is no rounding
ASK_FOR_PARTS = " Of which smaller gates could it be made? Each of them can be checked alone."
ASK_FOR_A_REFERENCE = " If you are sure of backward, check_gate can compare forward with a reference."


def where_finite(untouched: Gate, names: list[str], inputs: list[Any], z: np.ndarray, dz: np.ndarray) -> GradientReport:
    """A forward that says inf or nan has no slope there; a gradient is compared where it has."""
    gate, name, finite = copy.deepcopy(untouched), type(untouched).__name__, np.isfinite(z)
    text = f"{name}: {_not_finite(z)}."
    question = "Is that so by the formula, or is a number on the way too large for a float?"
    if not finite.any():
        return GradientReport(False, f"{text} {question}", "NOT_FINITE")
    dz, told = np.where(finite, dz, 0.0), []
    with contextlib.suppress(Exception):
        given = answer_of(gate, inputs, dz[()])
        for i in (i for i, x in enumerate(inputs) if is_float(x)):
            slopes = measure_slopes(partial(_where, finite, of_one_input(gate.forward, inputs, i)), inputs[i], dz)
            comparable = np.isfinite(given[i]) & np.isfinite(slopes.values)
            right = agrees(np.where(comparable, given[i], slopes.values), slopes)
            told.append(f"the {gradients_are([names[i]])} {'right' if right and comparable.any() else 'not right'}")
    there = f" Where it is finite, {' and '.join(told)}." if told else ""
    return GradientReport(False, f"{text}{there} {question}", "NOT_FINITE")


def _where(finite, forward, x):
    """forward(x), and 0 where it has no number."""
    return np.where(finite, forward(x), 0.0)


def _not_finite(z):
    bad, no_slope = ~np.isfinite(z), ", where there is no slope to measure"
    if bad.all():
        return f"forward says {np.ravel(z)[0]}{' in every entry' if np.ndim(z) else ''}{no_slope}"
    return f"forward says {z[bad][0]} at entry {tuple(map(int, np.argwhere(bad)[0]))}{no_slope}"


@np.errstate(all="ignore")
def against_reference(
    untouched: Gate, inputs: list[Any], reference: Callable[..., Any], report: GradientReport
) -> GradientReport:
    """The report, or, if forward differs from the reference here or nearby, one that says so first."""

    def in_array(*values: Any) -> np.ndarray:
        return np.asarray(reference(*values))

    rng = np.random.default_rng([11, 7919])
    for values in (inputs, [nearby(x, rng) for x in inputs]):
        try:
            expected = np.array(reference(*copy.deepcopy(values)), dtype=np.float64)
        except Exception as error:
            if values is not inputs:
                return report
            raise InputError(
                f"The reference failed with {type(error).__name__}: {error} Does it take these inputs?"
            ) from error
        with contextlib.suppress(Exception):
            z = np.array(copy.deepcopy(untouched).forward(*copy.deepcopy(values)), dtype=np.float64)
            found = _difference(untouched, values, z, expected, in_array)
            if found:
                code, text = found
                rest = _about_backward(untouched, values, in_array, report)
                return GradientReport(False, f"{type(untouched).__name__}: {text} {rest}".strip(), code, report.skipped)
    text = report.text.removesuffix(ASK_FOR_A_REFERENCE)  # forward is right, as the reference says
    return GradientReport(report.ok, text, report.mistake, report.skipped)


def _difference(untouched, inputs, z, expected, reference):
    """How forward differs from the reference: a code and a sentence; None if it does not."""
    if np.shape(z) != np.shape(expected):
        text = f"forward returns the shape {np.shape(z)}, and the reference {np.shape(expected)}."
        return "FORWARD_DIFFERS", f"{text} Over which axes does it sum?"
    lost = np.isfinite(expected) & ~np.isfinite(z)
    if lost.any():
        place = tuple(map(int, np.argwhere(lost)[0]))
        at = f" at entry {place}" if place else ""
        text = f"forward says {z[place]}{at}, where the reference says {expected[place]:.6g}."
        return "OVERFLOW", f"{text} Which number on the way is too large for a float, or is divided by 0?"
    off = np.where(
        np.isfinite(expected), np.abs(z - expected), np.where(np.equal(z, expected) | np.isnan(expected), 0, np.inf)
    )
    scale = np.max(np.abs(expected), initial=0.0, where=np.isfinite(expected))
    if not np.max(off, initial=0.0) > SAME * scale:
        return None
    if np.max(off) <= NEAR * scale:
        text = f"forward is off from the reference by up to {np.max(off) / scale:.2g} of its largest value."
        return "INEXACT", f"{text} Which constant, or which approximation, stands where in the formula?"
    place = np.unravel_index(np.argmax(off), np.shape(off))
    at = f" at entry {tuple(map(int, place))}" if place else ""
    which = which_differ(off > SAME * scale) if place else ""
    text = f"forward says {z[place]:.6g}{at}, where the reference says {expected[place]:.6g}. {which}".strip()
    return "FORWARD_DIFFERS", f"{text} {_in_common(untouched, inputs, z, expected, reference)}"


def _in_common(untouched, inputs, z, expected, reference):
    """What the wrong output has in common with the right one, and a question."""
    ratio = np.sum(z * expected) / np.sum(expected**2) if np.any(expected) else np.nan
    if np.size(z) > 1 and matches(z, ratio * expected):
        question = "Which constant, or which sum, does the formula have?"
        return f"It is {ratio:.6g} times the right one in every entry. {question}"
    if np.size(z) > 1 and np.ptp(z - expected) <= MATCH * np.max(np.abs(expected)):
        return f"It is {np.mean(z - expected):.6g} more in every entry. Which term is another one?"
    if np.size(z) > 1 and matches(np.sort(np.ravel(z)), np.sort(np.ravel(expected))):
        return "It has the right numbers in other places. Which entry of the output belongs where?"
    for i in (i for i, x in enumerate(inputs) if is_float(x)):
        too_far, too_near = _strange_moves(untouched, inputs, i, reference)
        too_much = ("moves", "does not", "Over what is a sum or a mean taken?")
        too_little = ("does not move", "does", "Where does it enter the formula?")
        for strange, (verb, other_verb, question) in ((too_far, too_much), (too_near, too_little)):
            if strange.any():
                output, entry = np.argwhere(strange)[0]
                output = tuple(map(int, np.unravel_index(output, np.shape(z))))
                entry = tuple(map(int, np.unravel_index(entry, np.shape(inputs[i]))))
                name = input_names(untouched, inputs)[i]
                which = f"output {output}" if output else "the output"
                of = f"entry {entry} of {name}" if entry else name
                return f"Here {which} {verb} with {of}, and in the reference it {other_verb}. {question}"
    return "At which step do the two diverge?"


def _strange_moves(untouched, inputs, i, reference):
    """Where an output moves with an entry of input i only here, or only in the reference; at two other draws as well.

    A slope may be tiny, as that of a tanh far out: what does not move has none at all, and what moves has a clear one.
    """
    rng, alike = np.random.default_rng([17, 7919]), None
    for values in (inputs, *([redrawn(x, rng) for x in inputs] for _ in range(2))):
        found = [np.zeros((1, 1), dtype=bool)] * 2
        with contextlib.suppress(Exception):  # it may lie outside of the domain
            values, gate = copy.deepcopy(values), copy.deepcopy(untouched)
            right = of_one_input(reference, values, i)
            moves = [np.abs(numerical_jacobian(f, values[i])) for f in (of_one_input(gate.forward, values, i), right)]
            still = ROUNDING * np.max(np.abs(right(values[i]))) / STEP
            clear = 1e-3 * max(np.max(m) for m in moves)
            found = [(a > clear) & (b <= still) for a, b in (moves, moves[::-1])]
        alike = found if alike is None else [a & b for a, b in zip(alike, found, strict=True)]
    return alike


def _about_backward(untouched, inputs, reference, report):
    """Whether backward is right for forward as it stands, or for the reference, or for neither."""
    if report.ok:
        return "Backward is right for forward as it stands."
    gate, right = copy.deepcopy(untouched), False
    with contextlib.suppress(Exception):
        z = gate.forward(*copy.deepcopy(inputs))
        dz = draw_upstream(np.shape(z), [*inputs], 12)
        given = copies_of(gate.backward(copy.copy(dz)))
        right = all(agrees(given[i], slopes) for i, slopes in measure_each(reference, inputs, dz).items())
    if right:
        return "Backward is right for the reference: it is forward that is left to mend."
    if re.search(r" (is|are) wrong\.", report.text) and report.mistake != "STALE_CACHE":
        return (
            "What backward returns is right neither for forward as it stands nor for the reference. "
            "Which values does backward take over from forward, and are they right before forward is?"
        )
    return "" if report.mistake == "NOT_FINITE" else f"Of backward: {report.text.split(': ', 1)[-1]}"
