"""Does backward give the same answer to the same question? What it leaves behind for the next call, otherwise."""

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np

from handgrad.gradient_check.comparing import equal, matches, same
from handgrad.gradient_check.form import which_are_right
from handgrad.gradient_check.measuring import copies_of
from handgrad.gradient_check.reports import GradientReport
from handgrad.gradient_check.wording import gradients_are, gradients_of, listed
from handgrad.nodes import Gate
from handgrad.numerical import Slopes


def calls_differ(
    untouched: Gate, names: list[str], inputs: list[Any], dz: Any, measured: dict[int, Slopes]
) -> GradientReport:
    """Two calls of a gate's backward did not give the same: what happens in three, after a forward of its own?"""
    gate = copy.deepcopy(untouched)
    gate.forward(*inputs)
    before = {key: np.copy(value) for key, value in vars(gate).items() if isinstance(value, np.ndarray)}
    answers = [copies_of(gate.backward(copy.deepcopy(dz))) or [] for _ in range(3)]
    changed = [key for key, value in before.items() if not equal(value, vars(gate)[key])]
    right = which_are_right(names, answers[0], measured)
    return answers_differ(type(gate).__name__, names, answers, right, changed)


def answers_differ(
    name: str, names: list[str], answers: list[list[Any]], right: str = "", changed: Sequence[str] = ()
) -> GradientReport:
    """Three calls of backward did not give the same: was the same added from each to the next, or what was changed?"""
    text = f"{name}: backward gave two answers to the same question: a second call differed from the first."
    differing = {of: abc for of, *abc in zip(names, *answers, strict=False) if not equal(*abc[:2])}
    if differing and all(_grows_evenly(*abc) for abc in differing.values()):
        twice = all(same(2 * a, b) for a, b, _ in differing.values())
        how = f"Each further call adds the same again to the {gradients_of(list(differing))}."
        if twice:
            how = f"At the second call the {gradients_are(list(differing))} twice as large."
        question = "Where does a call leave something for the next?"
        return GradientReport(False, f"{text}{right} {how} {question}", "ACCUMULATES_OVER_CALLS")
    if changed:
        text += f"{right} Between them, what forward keeps as {listed(changed)} was changed. Who writes to it?"
        return GradientReport(False, text, "CHANGED_WHAT_IS_KEPT")
    return GradientReport(False, text + right)


def _grows_evenly(a, b, c):
    comparable = not any(g is None for g in (a, b, c)) and np.shape(a) == np.shape(b) == np.shape(c)
    return comparable and matches(c - b, b - a)
