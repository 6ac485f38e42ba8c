"""Is the gradient of this gate right? Compare it with slopes that were measured."""

import copy
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from handgrad.errors import InputError
from handgrad.functional import is_float
from handgrad.gradient_check.comparing import (
    NEAR,
    TOLERANCE,
    agrees,
    all_equal,
    as_inputs,
    copies_of,
    draw_upstream,
    equal,
    matches,
    same,
)
from handgrad.gradient_check.diagnosis import diagnose, in_words
from handgrad.gradient_check.elsewhere import run_elsewhere, wrong_elsewhere
from handgrad.gradient_check.evidence import Evidence, forward_of
from handgrad.gradient_check.form import failure, input_names, which_are_right, wrong_form
from handgrad.gradient_check.observed import in_numbers
from handgrad.gradient_check.of_forwards import ASK_FOR_A_REFERENCE, against_reference, where_finite
from handgrad.gradient_check.reports import GradientReport
from handgrad.gradient_check.untested import untested_inputs
from handgrad.gradient_check.wording import gradients_of, listed
from handgrad.nodes import Gate
from handgrad.numerical import Slopes, measure_slopes

ELSEWHERE = {
    "CHANGED_INPUTS": "inputs, and wrong at others. There, an array is changed in place. Who else may hold it?",
    "SAME_EVERYWHERE": "inputs. At others, what comes back stays the same, and is wrong. Which values does backward "
    "read?",
    "RIGHT_HERE_ALONE": "inputs, and wrong at others. What do these values have in common?",
}


def check_gate(
    gate: Gate, *inputs: ArrayLike, seed: int = 0, reference: Callable[..., ArrayLike] | None = None
) -> GradientReport:
    """Check every gradient that ``gate.backward`` returns, at ``inputs``, under a random upstream gradient.

    Random, because an upstream of ones passes gates that are wrong: the rows of a softmax sum to one, so
    under ones even a backward that returns zeros is right.

    Parameters
    ----------
    gate : Gate
    *inputs : arrays or numbers
        As for ``gate.forward``. Floats are checked in float64, integers (ids, labels) must get the gradient None;
        integers that come alone are taken as floats, but for those that the gate declares to be ids (``ids_at``).
    seed : int
        Of the random upstream gradient.
    reference : callable, optional
        A forward that is known to be right, as another gate's ``forward``: what the gate's own forward says is
        compared with it, at ``inputs`` and nearby.

    Returns
    -------
    GradientReport
        True if the gradients are right. One that failed and is dropped unread gives a GradientCheckWarning.

    Raises
    ------
    InputError
        If ``gate`` is a class and not a gate, or ``reference`` fails or is no function.

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
    if reference is not None and not callable(reference):
        raise InputError(f"check_gate expects a function as reference, a right forward, but got {reference!r}.")
    values, untouched = as_inputs(gate, inputs), copy.deepcopy(gate)
    if reference is None:
        return _check(gate, untouched, values, seed)
    return against_reference(untouched, values, reference, _check(gate, untouched, copy.deepcopy(values), seed))


@np.errstate(all="ignore")  # what overflows is reported
def _check(gate: Gate, untouched: Gate, inputs: list[Any], seed: int) -> GradientReport:
    """Whether all is as a gate's contract says; if it is, ``_judge`` sees to the numbers."""
    name, kept = type(gate).__name__, copy.deepcopy(inputs)
    run_elsewhere(gate, inputs)  # whatever a pass at other inputs leaves behind is stale now
    try:
        z = gate.forward(*inputs)
    except Exception as error:
        return GradientReport(False, f"{name}.forward {failure(error)}", "FORWARD_FAILED")
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
    dz, after = draw_upstream(np.shape(z), [*inputs, z], seed), copy.deepcopy(inputs)
    if not np.isfinite(z).all():
        return where_finite(untouched, input_names(gate, inputs), inputs, z, dz)
    upstream = copy.deepcopy(dz)
    try:
        returned = gate.backward(upstream)
        given = copies_of(returned)
        again = copies_of(gate.backward(copy.deepcopy(dz))) or []
    except Exception as error:
        return GradientReport(False, f"{name}.backward {failure(error)}", "BACKWARD_FAILED")

    names = input_names(gate, inputs)
    in_place = [
        _written_to(names, kept, after),
        _written_to([*names, "the upstream gradient"], [*after, dz], [*inputs, upstream]),
    ]
    if any(in_place):
        told = (
            f"{call} changed {listed(which)} in place"
            for call, which in zip(("forward", "backward"), in_place, strict=True)
            if which
        )
        text = f"{name}: {' and '.join(told)}. Who else may hold the array that was written to?"
        return GradientReport(False, text, "CHANGED_INPUTS")
    measured = {i: measure_slopes(forward_of(gate, inputs, i), x, dz) for i, x in enumerate(inputs) if is_float(x)}
    form = wrong_form(name, names, returned, given, inputs, measured)
    if form is not None:
        return form
    if not all_equal(given, again):
        fresh = copy.deepcopy(untouched)
        fresh.forward(*inputs)
        before = {key: np.copy(value) for key, value in vars(fresh).items() if isinstance(value, np.ndarray)}
        answers = [copies_of(fresh.backward(copy.deepcopy(dz))) or [] for _ in range(3)]
        changed = [key for key, value in before.items() if not equal(value, vars(fresh)[key])]
        return answers_differ(name, names, answers, which_are_right(names, answers[0], measured), changed)
    report = _judge(name, names, untouched, inputs, z, dz, given, measured)
    if is_coarse and report.mistake in (None, "NO_STEP_CAN_TELL", "INEXACT") and (report.skipped or not report.ok):
        text = f"{name}: forward got float64 and returned fewer digits, too few to measure slopes. Where does it round?"
        return GradientReport(False, text, None, report.skipped)
    return report


def _judge(
    name: str,
    names: list[str],
    untouched: Gate,
    inputs: list[Any],
    z: np.ndarray,
    dz: np.ndarray,
    given: list[Any],
    measured: dict[int, Slopes],
) -> GradientReport:
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
            f"{name}: at {listed(names[i] for i in unclear)} no step can tell. A step that rounding allows is "
            "longer than the turns of this function, so right and wrong look alike. Where are the inputs smaller?"
        )
        return GradientReport(False, text, "NO_STEP_CAN_TELL", skipped)
    if not wrong:
        return _right_here(name, names, untouched, inputs, measured, skipped)

    head = f"{name}: the {gradients_of([names[i] for i in wrong])} {'is' if len(wrong) == 1 else 'are'} wrong."
    numbers = {names[i]: in_numbers(given[i], inputs[i], measured[i], names[i]) for i in wrong}
    fresh = copy.deepcopy(untouched)
    fresh.forward(*inputs)
    if all(agrees(g, measured[i]) for i, g in enumerate(copies_of(fresh.backward(dz))) if i in measured):
        text = (
            f"{head} {numbers[names[wrong[0]]]} Right after its first forward it is right; after a forward elsewhere "
            "and then here, it is not. What does forward keep, and when?"
        )
        return GradientReport(False, text, "STALE_CACHE", skipped)
    head += which_are_right(names, given, measured)
    nearness = max(_distance(given[i], measured[i]) for i in wrong)
    is_near = nearness <= 100 * TOLERANCE  # too near for the rules
    findings = {
        names[i]: None if is_near else diagnose(Evidence(untouched, names, inputs, i, dz).beside_kinks()) for i in wrong
    }
    code = next((finding.rule.code for finding in findings.values() if finding), None)
    text = f"{head} {in_words(findings, numbers)}"
    if code is None and nearness <= NEAR:
        code = "INEXACT"
        text += " That is near, but farther off than the measurement may be. Which step is an approximation?"
    if code is None and any(np.shape(given[i]) != np.shape(inputs[i]) for i in wrong):
        code = "WRONG_SHAPE"
        text += " Write down the shapes of all that meet in backward: at which step does it become another one?"
    if code is None:
        text += ASK_FOR_A_REFERENCE
    return GradientReport(False, text, code, skipped)


def _right_here(name, names, untouched, inputs, measured, skipped):
    """Right at these inputs: was anything tested, and is it right at others?"""
    untested = untested_inputs(untouched, inputs, measured)
    if untested:
        which = listed(names[i] for i in untested)
        text = (
            f"{name}: nothing was tested. A backward of zeros would be right here for {which} too, though "
            "elsewhere the output moves. At which values, and at which sizes, is there a slope to compare?"
        )
        return GradientReport(False, text, "NOTHING_TESTED", skipped)
    wrong, code = wrong_elsewhere(copy.deepcopy(untouched), inputs)
    if not wrong:
        return GradientReport(True, f"{name}: backward agrees with the measured slopes{skips(skipped)}.", None, skipped)
    head = f"{name}: the {gradients_of([names[i] for i in wrong])} {'is' if len(wrong) == 1 else 'are'} right at these "
    return GradientReport(False, head + ELSEWHERE[code], code, skipped)


def answers_differ(
    name: str, names: list[str], answers: list[list[Any]], which_are_right: str = "", changed: Sequence[str] = ()
) -> GradientReport:
    """Three calls of backward did not give the same: was the same added from each to the next, or what was changed?"""
    text = f"{name}: backward gave two answers to the same question: a second call differed from the first."
    differing = {of: abc for of, *abc in zip(names, *answers, strict=False) if not equal(*abc[:2])}
    if differing and all(_grows_evenly(*abc) for abc in differing.values()):
        twice = all(same(2 * a, b) for a, b, _ in differing.values())
        which = gradients_of(list(differing))
        how = f"Each further call adds the same again to the {which}."
        if twice:
            how = f"At the second call the {which} {'is' if len(differing) == 1 else 'are'} twice as large."
        question = "Where does a call leave something for the next?"
        return GradientReport(False, f"{text}{which_are_right} {how} {question}", "ACCUMULATES_OVER_CALLS")
    if changed:
        text += (
            f"{which_are_right} Between them, what forward keeps as {listed(changed)} was changed. Who writes to it?"
        )
        return GradientReport(False, text, "CHANGED_WHAT_IS_KEPT")
    return GradientReport(False, text + which_are_right)


def _written_to(names, before, after):
    return [name for name, a, b in zip(names, before, after, strict=True) if not equal(a, b)]


def _grows_evenly(a, b, c):
    comparable = not any(g is None for g in (a, b, c)) and np.shape(a) == np.shape(b) == np.shape(c)
    return comparable and matches(c - b, b - a)


def _distance(given, slopes):
    """By how much a gradient is off at most, as a share of the largest slope."""
    if np.shape(given) != np.shape(slopes.values):
        return np.inf
    off, size = (np.abs(np.where(slopes.kinks, 0.0, array)) for array in (given - slopes.values, slopes.values))
    return np.max(np.where(off <= np.inf, off, np.inf)) / max(np.max(size), np.finfo(np.float64).tiny)


def _no_step_fits(x, slopes, z, dz):
    """Whether an entry's slope may be off by more than a thousandth of the largest one, and not by rounding alone."""
    smooth = np.where(slopes.kinks, 0.0, slopes.errors)
    scale = np.abs(np.where(slopes.kinks, 0.0, slopes.values)).max(initial=0.0)
    moved = smooth * np.maximum(1.0, np.abs(x))  # how far the output moves if the entry moves by its own size
    return bool(np.any((smooth > 1e-3 * scale) & (moved > 1e-4 * (1 + np.sum(np.abs(dz * z))))))


def _is_numbers(z):
    return z is not None and np.asarray(z).dtype.kind in "biufc"


def skips(skipped: int) -> str:
    if not skipped:
        return ""
    return f"; {skipped} entries at a kink were skipped" if skipped > 1 else "; 1 entry at a kink was skipped"
