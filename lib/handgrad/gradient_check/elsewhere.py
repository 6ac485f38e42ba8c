"""The gate at other inputs than the caller's: what a pass leaves behind, what is right, and what is not tested here."""

import contextlib
import copy
from collections.abc import Sequence
from typing import Any

import numpy as np

from handgrad.functional import is_float
from handgrad.gradient_check.comparing import agrees, all_equal, are_sure
from handgrad.gradient_check.diagnosis import diagnose
from handgrad.gradient_check.evidence import Evidence
from handgrad.gradient_check.form import failure
from handgrad.gradient_check.measuring import (
    answer_of,
    copies_of,
    draw_upstream,
    entries_at_kinks,
    measure_each,
    of_one_input,
)
from handgrad.gradient_check.reports import GradientReport
from handgrad.gradient_check.rules import CLUES, CONDITIONS, NAMES
from handgrad.gradient_check.variants import (
    as_the_smallest,
    differ_in_size,
    drawn_large,
    has_one_sign,
    is_scalable,
    redrawn,
    small_step,
    with_entries_twice,
    with_other_signs,
)
from handgrad.gradient_check.wording import and_skipped, gradients_are, listed, skips
from handgrad.nodes import Gate
from handgrad.numerical import Slopes, measure_slopes


def run_elsewhere(gate: Gate, inputs: Sequence[Any]) -> None:
    """At other values that are as legal: floats by amounts that no invariance cancels, integers in another order."""
    rng = np.random.default_rng(1)
    for size in (1.0, 0.1, -0.1, 0.01, -0.01):  # the first move that stays in the domain will do
        moved = [x + size * rng.uniform(0.25, 0.75, np.shape(x)) if is_float(x) else _other_ids(x) for x in inputs]
        with contextlib.suppress(Exception):
            z = gate.forward(*copy.deepcopy(moved))
            gate.backward(rng.standard_normal(np.shape(z))[()])
            return


def _other_ids(ids):
    """Integers that are as legal, and not the same."""
    rolled = np.roll(ids, 1)
    return np.maximum(np.asarray(ids) - 1, 0) if np.array_equal(rolled, ids) else rolled


def wrong_elsewhere(
    untouched: Gate, names: list[str], inputs: list[Any], measured: dict[int, Slopes]
) -> GradientReport | None:
    """A report if gradients that are right at the caller's values are wrong at others: most often there are none.

    One step in one direction shows that all is right, at the cost of two calls of forward. Only where it does not,
    every slope is measured.
    """
    gate, rng = copy.deepcopy(untouched), np.random.default_rng(7919)
    skipped = entries_at_kinks(measured)
    for moved in _other_places(inputs, measured, rng):
        with contextlib.suppress(Exception):  # it may lie outside of the domain
            z = gate.forward(*moved)
            wrong = _wrong_at(gate, moved, z, rng) if np.isfinite(z).all() else []
            if wrong:
                dz = rng.standard_normal(np.shape(z))[()]
                code, told = _at_others(gate, untouched, names, inputs, moved, wrong, dz, skipped)
                head = f"{type(gate).__name__}: the {gradients_are([names[i] for i in wrong])} right"
                at = "or at a kink at these inputs" if skipped else "at these inputs"
                return GradientReport(False, f"{head} {at}{told}", code, skipped)
    return None


def not_linear(
    untouched: Gate, names: list[str], inputs: list[Any], dz: Any, given: list[Any], skipped: int
) -> GradientReport | None:
    """A report if gradients that are right under this upstream gradient do not grow with it, or turn with it."""
    name, floats = type(untouched).__name__, [i for i, x in enumerate(inputs) if is_float(x)]
    for factor, said in ((1000.0, "dz 1000 times as large"), (-1.0, "every sign in dz reversed")):
        try:
            other = answer_of(copy.deepcopy(untouched), inputs, factor * dz) or []
        except Exception as error:
            return GradientReport(False, f"{name}.backward, with {said}, {failure(error)}", "BACKWARD_FAILED", skipped)
        wrong = [i for i in floats if len(other) != len(given) or not _follows(other[i], factor * given[i])]
        if wrong:
            told = gradients_are([names[i] for i in wrong])
            text = (
                f"{name}: the {told} right under this upstream gradient, and wrong under others. With {said}, what "
                "comes back does not follow. Is it cut off, or does a condition ask for dz?"
            )
            return GradientReport(False, text, "NOT_LINEAR", skipped)
    return None


def _follows(other, expected):
    """Whether it is as expected, to what single precision has in case that backward computes in it, or overflows."""
    if np.shape(other) != np.shape(expected) or other is None:
        return False
    near = np.abs(other - expected) <= 1e-5 * np.max(np.abs(expected), initial=0.0)
    return bool(np.all(near) or not np.isfinite(other).all())


def _at_others(gate, untouched, names, inputs, moved, wrong, dz, skipped):
    """A code, and what is told of gradients that are right here and wrong at the ``moved`` inputs."""
    before = copy.deepcopy([*moved, dz])
    there, now = answer_of(gate, moved, dz), [*moved, dz]
    here, also = answer_of(gate, inputs, before[-1]), and_skipped(skipped)
    if not all_equal(before, now):
        told = f", and wrong at others.{also} There, an array is changed in place. Who else may hold it?"
        return "CHANGED_INPUTS", told
    if all(np.array_equal(there[i], here[i]) for i in wrong):
        told = f".{also} At others, what comes back stays the same, and is wrong. Which values does backward read?"
        return "SAME_EVERYWHERE", told
    example = _for_example(untouched, names, inputs, moved, wrong, skipped)
    told = f", and wrong at others.{also}", example, "What do your inputs have in common that those have not?"
    return "RIGHT_HERE_ALONE", " ".join(filter(None, told))


def _other_places(inputs, measured, rng):
    """Values as different as may be; and if entries at a kink were skipped, those that lie on either side of it.

    Where an input does not matter here, as the smaller one of a max, zeros pass for it: it may matter at other signs.
    Where all are positive, nothing below 0 was asked for. And the slope at 1e-3 is nothing beside that at 1e6: it is
    looked at where all entries are small.
    """
    for largest in (3.0, 1.0) if any(np.size(x) > 1 for x in inputs) else (1.0,):
        yield [redrawn(x, rng, largest=largest) for x in inputs]
    if any(slopes.kinks.any() for slopes in measured.values()):
        steps = {i: slopes.kinks * small_step(inputs[i], rng) for i, slopes in measured.items()}
        for way in (1, -1):
            yield [x + way * steps[i] if i in steps else x for i, x in enumerate(inputs)]
    for _ in range(5 if _flat(inputs, measured) else 0):
        yield [drawn_large(x, rng, 1.0) for x in inputs]
    if any(map(has_one_sign, inputs)):
        yield [with_other_signs(x) for x in inputs]
    if any(map(differ_in_size, inputs)):
        yield [as_the_smallest(x, rng) for x in inputs]


def _for_example(untouched, names, inputs, moved, wrong, skipped):
    """One place where it is wrong, as simple as it may be, and what is wrong there, where that has a name.

    If entries at a kink were skipped, the place alone says nothing: they are at none at most others.
    """
    there = _in_a_line(names, moved), moved
    place, values = _simple_place(untouched, names, inputs, wrong) or there
    said = _said_at(untouched, names, place, values, wrong)
    if said or not skipped:
        return said or (f"It is so {place}." if place else "")
    return "" if values is moved else _said_at(untouched, names, *there, wrong)


def _said_at(untouched, names, place, values, wrong):
    """What is wrong at these values, where that has a name; else nothing."""
    findings = []
    with contextlib.suppress(Exception):
        z = copy.deepcopy(untouched).forward(*values)
        dz = draw_upstream(np.shape(z), [*values, z], 3)
        found = [diagnose(Evidence(untouched, names, values, i, dz).beside_kinks()) for i in wrong]
        findings = [each for each in found if each is not None and each.rule in (*NAMES, *CONDITIONS, *CLUES)]
    if not findings:
        return ""
    said = findings[0].observed([""])
    alike = [each.name for each in findings if each.rule is findings[0].rule and each.observed([""]) == said]
    said, place = findings[0].observed(alike), place or "there"
    link = "and " if said.startswith("With ") and place.startswith("with ") else ""
    return f"{place[0].upper()}{place[1:]}, {link}{said[0].lower()}{said[1:]}"


def _simple_place(untouched, names, inputs, wrong):
    """In words and as inputs: one input is changed as a whole. None if that shows nothing."""
    for i, x in enumerate(inputs):
        changes = ((f"{names[i]} twice as large", 2), (f"{names[i]} half as large", 0.5))
        for words, factor in (*changes, (f"every sign in {names[i]} reversed", -1)) if is_scalable(x) else ():
            values = [factor * x if j == i else other for j, other in enumerate(inputs)]
            with contextlib.suppress(Exception):
                gate = copy.deepcopy(untouched)
                z = gate.forward(*values)
                if np.isfinite(z).all() and set(wrong) <= set(_wrong_at(gate, values, z, np.random.default_rng(17))):
                    return f"with {words}", values
    return None


def _in_a_line(names, values):
    """ "at x = 2.5 and y = [1, -3]", if they are few."""
    if sum(np.size(x) for x in values) > 6:
        return ""
    arrays = [np.array2string(np.asarray(x), precision=4, separator=", ").replace("\n", "") for x in values]
    return f"at {listed(f'{name} = {array}' for name, array in zip(names, arrays, strict=True))}"


def _wrong_at(gate, inputs, z, rng):
    dz = rng.standard_normal(np.shape(z))[()]
    given = copies_of(gate.backward(copy.copy(dz)))
    floats = [i for i, x in enumerate(inputs) if is_float(x)]
    if _right_along_one_direction(gate, inputs, dz, given, floats, rng):
        return []
    measured = measure_each(gate.forward, inputs, dz)
    return [i for i, slopes in measured.items() if are_sure(slopes, given[i]) and not agrees(given[i], slopes)]


def _right_along_one_direction(gate, inputs, dz, given, floats, rng):
    """Whether the output moves as the gradients say, if all floats move at once, each by a little of its own size."""
    up, down = list(inputs), list(inputs)
    for i in floats:
        step = 1e-6 * inputs[i] * rng.uniform(-1, 1, np.shape(inputs[i]))
        up[i], down[i] = inputs[i] + step, inputs[i] - step
    rise = np.vdot(dz, gate.forward(*up)) - np.vdot(dz, gate.forward(*down))
    expected = [given[i] * (up[i] - down[i]) for i in floats]
    return bool(abs(rise - sum(e.sum() for e in expected)) <= 1e-5 * sum(np.abs(e).sum() for e in expected))


def nothing_tested(untouched, names, inputs, measured, skipped):
    """A report if zeros would pass where something else is right, or None."""
    if untested := _untested_inputs(untouched, inputs, measured):
        text = (
            f"{type(untouched).__name__}: nothing was tested{skips(skipped)}. A backward of zeros would be right here "
            f"for {listed(names[i] for i in untested)} too, though elsewhere the output moves. At which values, and at "
            "which sizes, is there a slope to compare?"
        )
        return GradientReport(False, text, "NOTHING_TESTED", skipped)
    return None


def _untested_inputs(untouched, inputs, measured):
    """The inputs for which zeros would pass here, and would not elsewhere; all of them if nothing else was compared.

    One input that happens not to matter here, as the smaller one of a max, takes nothing away from what the other
    one shows; a function that is flat everywhere is rightly given zeros. What is left: every slope is 0 here alone,
    or those of one input are 0 at these sizes, whatever its values.
    """
    flat = _flat(inputs, measured)
    if not flat:
        return []
    if len(flat) == len(measured):
        empty = any(np.size(x) == 0 for x in inputs)
        elsewhere = (_moves(untouched, inputs, i) or _moves_at_other_sizes(untouched, inputs, i) for i in flat)
        return flat if empty or any(elsewhere) else []
    return [i for i in flat if not _moves(untouched, inputs, i) and _moves_at_other_sizes(untouched, inputs, i)]


def _flat(inputs, measured):
    """The inputs with which the output does not move here, by position."""
    return [i for i, slopes in measured.items() if agrees(np.zeros(np.shape(inputs[i])), slopes)]


def _moves(untouched, inputs, i):
    """Whether the output moves with input i where all the floats have other values."""
    rng = np.random.default_rng([3, 7919])
    for low, high in ((-1, 1), (0.1, 0.9), (-30, 30)):
        moved = [rng.uniform(low, high, np.shape(x)) if is_float(x) else x for x in inputs]
        with contextlib.suppress(Exception):  # it may lie outside of the domain
            gate = copy.deepcopy(untouched)
            dz = draw_upstream(np.shape(gate.forward(*moved)), moved, 4)
            slopes = measure_slopes(of_one_input(gate.forward, moved, i), moved[i], dz)
            if not agrees(np.zeros(np.shape(moved[i])), slopes):
                return True
    return False


def _moves_at_other_sizes(untouched, inputs, i):
    rng = np.random.default_rng([8, 7919])
    for size in sorted({n for x in inputs for n in np.shape(x)} - {0}):
        if np.size(inputs[i]) and _moves(untouched, [with_entries_twice(x, rng, size) for x in inputs], i):
            return True
    return False
