"""Is the gradient of this gate right? Compare it with slopes that were measured."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from handgrad.errors import InputError
from handgrad.functional import is_float
from handgrad.gradient_check.answers import calls_differ
from handgrad.gradient_check.comparing import NEAR, ROUGHLY, TOLERANCE, agrees, all_equal, equal
from handgrad.gradient_check.diagnosis import diagnose, in_words
from handgrad.gradient_check.elsewhere import not_linear, nothing_tested, run_elsewhere, wrong_elsewhere
from handgrad.gradient_check.evidence import Evidence
from handgrad.gradient_check.form import failure, fewer_digits, input_names, which_are_right, wrong_form
from handgrad.gradient_check.jumps import told, why_no_step_can_tell
from handgrad.gradient_check.measuring import (
    answer_of,
    as_inputs,
    copies_of,
    draw_upstream,
    entries_at_kinks,
    measure_each,
)
from handgrad.gradient_check.of_forwards import ASK_FOR_A_REFERENCE, ASK_FOR_PARTS, against_reference, where_finite
from handgrad.gradient_check.reports import GradientReport
from handgrad.gradient_check.wording import and_skipped, gradients_are, in_numbers, listed, skips
from handgrad.nodes import Gate
from handgrad.passes import NO_VALUES


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
        If ``gate`` is no gate, a class for instance, or ``reference`` fails or is no function.

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
    if not isinstance(gate, Gate):
        raise InputError(
            f"check_gate expects a gate, made of a class that derives from Gate, but got {gate!r:.80} of type "
            f"{type(gate).__name__}."
        )
    if reference is not None and not callable(reference):
        raise InputError(f"check_gate expects a function as reference, a right forward, but got {reference!r}.")
    values, untouched = as_inputs(gate, inputs), copy.deepcopy(gate)
    fed = [np.asarray(x).dtype if is_float(x) else np.dtype(float) for x in inputs]
    report = _about_ids(_check(gate, untouched, copy.deepcopy(values), fed, seed), gate, inputs, values)
    return report if reference is None else against_reference(untouched, values, reference, report)


def _about_ids(report, gate, inputs, values):
    """The report, and where an index was no integer any more, how a gate says which inputs are ids."""
    pairs = zip(input_names(gate, values), inputs, values, strict=True)
    turned = [name for name, x, value in pairs if is_float(value) and not is_float(x)]
    if not turned or report.mistake not in ("FORWARD_FAILED", "BACKWARD_FAILED") or "IndexError" not in report.text:
        return report
    text = (
        f"{report.text} Integers were fed for {listed(turned)}, and taken as floats: which of them are ids, a gate "
        "declares with ids_at."
    )
    return GradientReport(False, text, report.mistake, report.skipped)


@np.errstate(all="ignore")  # what overflows is reported
def _check(gate: Gate, untouched: Gate, inputs: list[Any], fed: list[np.dtype], seed: int) -> GradientReport:
    """Whether all is as a gate's contract says; if it is, ``_judge`` sees to the numbers."""
    name, kept = type(gate).__name__, copy.deepcopy(inputs)
    run_elsewhere(gate, inputs)  # whatever a pass at other inputs leaves behind is stale now
    try:
        z = gate.forward(*inputs)
    except Exception as error:
        return GradientReport(False, f"{name}.forward {failure(error)}", "FORWARD_FAILED")
    if not _is_numbers(z):
        came = "nothing: None" if z is None else f"no number and no array: a {type(z).__name__}"
        text = (
            f"{name}: forward returned {came} came out. Which value does it compute, and does its last line return it?"
        )
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
    by_forward = _written_to(names, kept, after)
    by_backward = _written_to([*names, "the upstream gradient"], [*after, dz], [*inputs, upstream])
    in_place = {"forward": by_forward, "backward": by_backward}
    told = [f"{call} changed {listed(which)} in place" for call, which in in_place.items() if which]
    if told:
        text = f"{name}: {' and '.join(told)}. Who else may hold the array that was written to?"
        return GradientReport(False, text, "CHANGED_INPUTS")
    measured = measure_each(gate.forward, inputs, dz)
    form = wrong_form(name, names, returned, given, inputs, measured)
    if form is not None:
        return form
    if not all_equal(given, again):
        return calls_differ(untouched, names, inputs, dz, measured)
    report = _judge(untouched, names, inputs, z, dz, given, measured)
    if is_coarse and report.mistake in (None, "NO_STEP_CAN_TELL", "INEXACT") and (report.skipped or not report.ok):
        text = f"{name}: forward got float64 and returned fewer digits, too few to measure slopes. Where does it round?"
        return GradientReport(False, text, None, report.skipped)
    coarse = None if is_coarse else fewer_digits(name, names, given, fed)
    if coarse is not None and (report.ok or report.mistake == "INEXACT"):
        return GradientReport(False, coarse, "FEWER_DIGITS", report.skipped)
    return report if coarse is None else GradientReport(False, report.text, report.mistake, report.skipped)


def _judge(untouched, names, inputs, z, dz, given, measured):
    """Right, or wrong and why."""
    name = type(untouched).__name__
    skipped = entries_at_kinks(measured)
    wrong = []
    for i, slopes in measured.items():
        if slopes.kinks.size and slopes.kinks.all():
            text = f"{name}: every entry of {names[i]} is at a kink, where there is no slope: check elsewhere."
            return GradientReport(False, text, "NOTHING_TESTED", skipped)
        if not agrees(given[i], slopes):
            wrong.append(i)
    unclear = _no_slopes(untouched, inputs, z, dz, given, measured, wrong)
    if any(unclear.values()):  # the digits that one input loses may be missing in another's gradient
        wrong = [i for i in wrong if _distance(given[i], measured[i]) > TOLERANCE]
    if unclear and set(wrong) <= set(unclear):
        code = "STAIRCASE" if "STAIRCASE" in unclear.values() else "NO_STEP_CAN_TELL"
        text = _why_unclear(untouched, names, inputs, unclear)
        right = which_are_right(names, given, {i: slopes for i, slopes in measured.items() if i not in unclear})
        return GradientReport(False, f"{name}: {text[0].lower()}{text[1:]}{right}{and_skipped(skipped)}", code, skipped)
    jumps = {i: why for i, why in unclear.items() if why}
    wrong = [i for i in wrong if i not in jumps]
    if not wrong:
        failed = nothing_tested(untouched, names, inputs, measured, skipped)
        failed = failed if failed is not None else not_linear(untouched, names, inputs, dz, given, skipped)
        failed = failed if failed is not None else wrong_elsewhere(untouched, names, inputs, measured)
        right = f"{name}: backward agrees with the measured slopes{skips(skipped)}."
        return failed if failed is not None else GradientReport(True, right, None, skipped)

    head = f"{name}: the {gradients_are([names[i] for i in wrong])} wrong{skips(skipped)}."
    numbers = {names[i]: in_numbers(given[i], inputs[i], measured[i], names[i]) for i in wrong}
    fresh = answer_of(copy.deepcopy(untouched), inputs, dz)
    if all(agrees(gradient, measured[i]) for i, gradient in enumerate(fresh) if i in measured):
        text = (
            f"{head} {numbers[names[wrong[0]]]} Right after its first forward it is right; after a forward elsewhere "
            "and then here, it is not. What does forward keep, and when?"
        )
        return GradientReport(False, text, "STALE_CACHE", skipped)
    head += which_are_right(names, given, measured)
    nearness = max(_distance(given[i], measured[i]) for i in wrong)
    findings = dict.fromkeys(numbers)
    if nearness > 100 * TOLERANCE:  # nearer is too near for the rules
        findings = {names[i]: diagnose(Evidence(untouched, names, inputs, i, dz).beside_kinks()) for i in wrong}
    code = next((finding.rule.code for finding in findings.values() if finding), None)
    text = f"{head} {in_words(findings, numbers)}"
    if code is None and all(_is_near(given[i], measured[i]) for i in wrong):
        code = "INEXACT"
        text += (
            " That is near, but farther off than the measurement may be. Which step is an approximation? Is there a "
            "small constant in forward that backward leaves out?"
        )
    if code is None and any(np.shape(given[i]) != np.shape(inputs[i]) for i in wrong):
        code = "WRONG_SHAPE"
        text += " Write down the shapes of all that meet in backward: at which step does it become another one?"
    if code is None:
        text += ASK_FOR_PARTS + ASK_FOR_A_REFERENCE
    elif len(wrong) == len(measured) > 1 and None in findings.values():
        text += ASK_FOR_A_REFERENCE
    if jumps:
        text += f" {_why_unclear(untouched, names, inputs, jumps)}"
    return GradientReport(False, text, code, skipped)


def _no_slopes(untouched, inputs, z, dz, given, measured, wrong):
    """The inputs at which no step can tell, by position, and why: a kind of jumps in forward, or None.

    Jumps may also blur slopes so little that a right gradient looks wrong, but near.
    """
    unclear = {}
    for i, slopes in measured.items():
        no_step_fits = _no_step_fits(inputs[i], slopes, z, dz)
        if no_step_fits or (i in wrong and _is_near(given[i], slopes)):
            blurred = np.argsort(np.ravel(slopes.errors))[-3:]
            why = why_no_step_can_tell(copy.deepcopy(untouched).forward, inputs, i, blurred)
            unclear |= {i: why} if no_step_fits or why else {}
    return unclear


def _why_unclear(untouched, names, inputs, kinds):
    """In words, of each input at which no step can tell; and what forward keeps in less than float64, fed that."""
    gate = copy.deepcopy(untouched)
    gate.forward(*inputs)
    arrays = {name: value for name, value in vars(gate).items() if isinstance(value, np.ndarray | np.floating)}
    kept = [name for name, value in arrays.items() if is_float(value) and value.dtype.itemsize < 8]
    return told({names[i]: why for i, why in kinds.items()}, kept)


def _written_to(names, before, after):
    return [name for name, a, b in zip(names, before, after, strict=True) if not equal(a, b)]


def _distance(given, slopes):
    """By how much a gradient is off at most, as a share of the largest slope."""
    if np.shape(given) != np.shape(slopes.values):
        return np.inf
    off, size = (np.abs(np.where(slopes.kinks, 0.0, array)) for array in (given - slopes.values, slopes.values))
    return np.max(np.where(off <= np.inf, off, np.inf)) / max(np.max(size), np.finfo(np.float64).tiny)


def _is_near(given, slopes):
    """Whether each entry is meant to be its slope, as far as the numbers can say."""
    if np.shape(given) != np.shape(slopes.values):
        return False
    off, size = (np.abs(np.where(slopes.kinks, 0.0, array)) for array in (given - slopes.values, slopes.values))
    return bool(np.all(off <= ROUGHLY * size + NEAR * np.max(size, initial=0.0)))


def _no_step_fits(x, slopes, z, dz):
    """Whether an entry's slope may be off by more than a thousandth of the largest one, and not by rounding alone."""
    smooth = np.where(slopes.kinks, 0.0, slopes.errors)
    scale = np.abs(np.where(slopes.kinks, 0.0, slopes.values)).max(initial=0.0)
    moved = smooth * np.maximum(1.0, np.abs(x))  # how far the output moves if the entry moves by its own size
    return bool(np.any((smooth > 1e-3 * scale) & (moved > 1e-4 * (1 + np.sum(np.abs(dz * z))))))


def _is_numbers(z):
    return not isinstance(z, NO_VALUES) and np.asarray(z).dtype.kind in "biufc"
