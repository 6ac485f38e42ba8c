"""Is the gradient of this gate right? Compare it with slopes that were measured."""

import contextlib
import copy

import numpy as np

from handgrad.gradient_check.comparing import (
    agrees,
    all_equal,
    as_float64,
    copies_of,
    disagreement,
    equal,
    is_float,
    matches,
    same,
)
from handgrad.gradient_check.diagnosis import Evidence, diagnose
from handgrad.gradient_check.reports import GradientReport
from handgrad.numerical import measure_slopes, numerical_jacobian


def check_gate(gate, *inputs, seed=0):
    """Check every gradient that ``gate.backward`` returns, at ``inputs``, under a random upstream gradient.

    Random, because an upstream of ones passes gates that are wrong: the rows of a softmax sum to one, so
    under ones even a backward that returns zeros is right.

    Parameters
    ----------
    gate : Gate
    *inputs : arrays or numbers, as for ``gate.forward``; floats are checked in float64, integers (ids,
        labels) must get the gradient None
    seed : int, of the random upstream gradient

    Returns
    -------
    GradientReport
    """
    name, inputs = type(gate).__name__, [as_float64(x) for x in inputs]
    untouched, kept = copy.deepcopy(gate), copy.deepcopy(inputs)
    _run_elsewhere(gate, inputs)  # whatever a pass at other inputs leaves behind is stale now
    z = np.asarray(gate.forward(*inputs))
    is_coarse = is_float(z) and z.dtype.itemsize < 8  # float32 for float64
    z = np.array(z, dtype=np.float64)[()]
    if not equal(z, np.asarray(gate.forward(*inputs), dtype=np.float64)) and all_equal(inputs, kept):
        text = f"{name}: forward gave two answers to the same inputs. On what, other than them, does it depend?"
        return GradientReport(False, text, "IMPURE_FORWARD")
    dz = np.random.default_rng(seed).standard_normal(np.shape(z))[()]
    upstream = copy.deepcopy(dz)
    try:
        given = copies_of(gate.backward(upstream))
        again = copies_of(gate.backward(copy.deepcopy(dz))) or []
    except Exception as error:
        text = f"{name}.backward failed with {type(error).__name__}: {error} Which shapes meet there?"
        return GradientReport(False, text, "BACKWARD_FAILED")

    wrong_form = _wrong_form(name, given, inputs)
    if wrong_form:
        return wrong_form
    if not all_equal([*inputs, upstream], [*kept, dz]):
        text = f"{name} changed its inputs or the upstream gradient. Who else may hold the array that it wrote to?"
        return GradientReport(False, text, "CHANGED_INPUTS")
    if not all_equal(given, again):
        fresh = copy.deepcopy(untouched)
        fresh.forward(*inputs)
        return answers_differ(name, [copies_of(fresh.backward(copy.deepcopy(dz))) or [] for _ in range(3)])

    measured = {i: measure_slopes(_forward_of(gate, inputs, i), x, dz) for i, x in enumerate(inputs) if is_float(x)}
    report = _judge(name, gate, untouched, inputs, z, dz, given, measured)
    if is_coarse and not report.mistake and (report.skipped or not report.ok):
        text = f"{name}: forward got float64 and returned fewer digits, too few to measure slopes. Where does it round?"
        return GradientReport(False, text, None, report.skipped)
    return report


def _judge(name, gate, untouched, inputs, z, dz, given, measured):
    """Right, or wrong and why."""
    skipped = sum(int(slopes.kinks.sum()) for slopes in measured.values())
    wrong = []
    for i, slopes in measured.items():
        if slopes.kinks.size and slopes.kinks.all():
            text = f"{name}: every entry of input {i} is at a kink, where there is no slope: check elsewhere."
            return GradientReport(False, text, None, skipped)
        if not agrees(given[i], slopes):
            wrong.append(i)
    if not wrong:
        return GradientReport(True, f"{name}: backward agrees with the measured slopes{skips(skipped)}.", None, skipped)

    observed = _observed(name, inputs, given, measured, wrong)
    fresh = copy.deepcopy(untouched)
    fresh.forward(*inputs)
    if all(agrees(g, measured[i]) for i, g in enumerate(copies_of(fresh.backward(dz))) if i in measured):
        text = (
            f"{observed} Right after its first forward it is right; after a forward elsewhere and then here, it is "
            "not. What does forward keep, and when?"
        )
        return GradientReport(False, text, "STALE_CACHE", skipped)
    for i in wrong:
        finding = diagnose(_evidence(untouched, inputs, z, dz, given, measured, i))
        if finding:
            return GradientReport(False, f"{observed} {finding.text}", finding.code, skipped)
    if np.shape(given[wrong[0]]) != np.shape(inputs[wrong[0]]):
        question = "Write down the shapes of all that meet in backward: at which step does it become another one?"
        return GradientReport(False, f"{observed} {question}", "WRONG_SHAPE", skipped)
    return GradientReport(False, observed, None, skipped)


def _evidence(untouched, inputs, z, dz, given, measured, i):
    gate = copy.deepcopy(untouched)
    gate.forward(*inputs)
    forward = _forward_of(gate, inputs, i)
    right = [measured[j].values if j in measured else None for j in range(len(inputs))]

    def slope_at(x):
        with np.errstate(all="ignore"):
            return np.diag(numerical_jacobian(forward, x)).reshape(np.shape(x))

    def right_at(j, x):
        with np.errstate(all="ignore"), contextlib.suppress(Exception):  # the gate may refuse it
            other = [x if k == j else kept for k, kept in enumerate(inputs)]
            return measure_slopes(_forward_of(gate, other, i), inputs[i], dz).values

    return Evidence(
        given=np.asarray(given[i]),
        right=right[i],
        jacobian=numerical_jacobian(forward, inputs[i]),
        dz=np.asarray(dz),
        z=np.asarray(z),
        inputs=inputs,
        i=i,
        all_given=given,
        all_right=right,
        slope_at=slope_at,
        right_at=right_at,
        at_other_sizes=lambda: _evidence_at_other_sizes(untouched, inputs, i),
    )


def _evidence_at_other_sizes(untouched, inputs, i):
    """For each size that an axis has: the same gate where all axes of that size have their entries twice."""
    for size in sorted({n for x in inputs for n in np.shape(x)} - {0, 1}):
        evidence, gate, larger = None, copy.deepcopy(untouched), [_with_entries_twice(x, size) for x in inputs]
        with np.errstate(all="ignore"), contextlib.suppress(Exception):  # some gates insist on a size
            z = gate.forward(*larger)
            dz = np.random.default_rng(2).standard_normal(np.shape(z))[()]
            given = copies_of(gate.backward(dz))
            measured = {i: measure_slopes(_forward_of(gate, larger, i), larger[i], dz)}
            evidence = _evidence(untouched, larger, z, dz, given, measured, i)
        if evidence:
            yield evidence


def _with_entries_twice(x, size):
    for axis in (axis for axis, n in enumerate(np.shape(x)) if n == size):
        x = np.concatenate([x, x], axis=axis)
    return x


def _forward_of(gate, inputs, i):
    """The gate's forward as a function of input i alone."""
    return lambda x: gate.forward(*inputs[:i], x, *inputs[i + 1 :])


def _wrong_form(name, given, inputs):
    """Not one gradient for each float, and None for each array of integers?"""
    if given is None or len(given) != len(inputs):
        count = "no list of" if given is None else len(given)
        text = (
            f"{name}.backward returned {count} gradients, and forward took {len(inputs)} inputs. "
            "Which of them can have a gradient, and where does each find its own?"
        )
        return GradientReport(False, text, "WRONG_COUNT")
    for i, (x, gradient) in enumerate(zip(inputs, given, strict=True)):
        if not is_float(x) and gradient is not None:
            text = (
                f"{name}: input {i} was fed integers, and backward returned a gradient for it. Is it an id or a label, "
                "or a number that was written without its point?"
            )
            return GradientReport(False, text, "GRADIENT_FOR_INTEGERS")
        if is_float(x) and gradient is None:
            text = (
                f"{name}: backward returned None for input {i}, which holds floats. Does the output not move with it?"
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


def _observed(name, inputs, given, measured, wrong):
    """What is wrong, in numbers, about the first of the wrong gradients."""
    i = wrong[0]
    slopes = measured[i]
    if np.shape(given[i]) != np.shape(inputs[i]):
        return (
            f"{name}: the gradient of input {i} has shape {np.shape(given[i])}, but the input {np.shape(inputs[i])}: a "
            "gradient has the shape of the thing it belongs to."
        )
    difference = np.where(slopes.kinks, 0.0, np.abs(given[i] - slopes.values))
    worst = np.unravel_index(np.nan_to_num(difference, nan=np.inf).argmax(), difference.shape)
    where = f"At entry {tuple(map(int, worst))} backward" if worst else "Backward"
    return (
        f"{name}: the gradient of input {i} is wrong. {where} says {np.asarray(given[i])[worst]:.6g}, but the "
        f"output moves as {slopes.values[worst]:.6g} when that entry does (upstream included). "
        f"{int(disagreement(given[i], slopes).sum())} of {difference.size} entries differ."
    )


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
