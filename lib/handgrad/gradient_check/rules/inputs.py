"""The inputs: two are exchanged, one is taken for another, or rows are not told apart."""

import contextlib
import copy

import numpy as np

from handgrad.functional import is_float
from handgrad.gradient_check.comparing import MATCH, agrees, are_sure, matches, same
from handgrad.gradient_check.rule import clue, mistake
from handgrad.gradient_check.variants import (
    drawn_large,
    equal_places,
    nearby,
    one_row,
    redrawn,
    special_places,
    variants,
)
from handgrad.gradient_check.wording import first_few, listed


@mistake(
    "GRADIENTS_SWAPPED",
    "What came back for {a} is the gradient of {b}, and for {b} that of {a}.",
    "In which order does forward take its inputs, and in which does backward return?",
    always=("a", "b"),
)
def swapped(e):
    if not matches(e.given, -e.right):
        yield from _came_for_each_other(e)


@mistake(
    "WRONG_SIGN",
    "What came back for {a} and {b} has the right size, and every sign is reversed: so it would be if the two were "
    "exchanged.",
    "With which of them does the output rise, and in which order does backward return?",
    always=("a", "b"),
)
def swapped_or_reversed(e):
    if matches(e.given, -e.right):
        yield from _came_for_each_other(e)


def _came_for_each_other(e):
    for j, given in enumerate(e.all_given):
        if j != e.i and given is not None and is_float(e.inputs[j]) and matches(given, e.right):
            if e.is_given(e.slopes_of(j).values):
                first, second = sorted((e.i, j))
                yield {"a": e.names[first], "b": e.names[second]}


@mistake(
    "GRADIENT_OF_ANOTHER",
    "What came back for {a} is the gradient of {b}.",
    "In what do their formulas differ?",
    always=("a", "b"),
)
def gradient_of_another(e):
    for j, given in enumerate(e.all_given):
        if j != e.i and is_float(e.inputs[j]) and matches(given, e.given) and agrees(given, e.slopes_of(j)):
            yield {"a": e.name, "b": e.names[j]}


@mistake(
    "ONE_INPUT_AS_ONES",
    "The {gradient} {is} what comes out if {what}.",
    "Does the slope depend on that input?",
    always=("what",),
)
def one_input_as_ones(e):
    for j, x in enumerate(e.inputs):
        if j != e.i and is_float(x) and e.comes_out_if(j, np.ones_like(x)):
            yield {"what": f"{'every entry of ' if np.ndim(x) else ''}{e.names[j]} is 1"}


@mistake(
    "INPUT_TAKEN_AS",
    "The {gradient} {is} what comes out if {what}.",
    "Where does it enter the slope, and how?",
    always=("what",),
)
def input_taken_as(e):
    for j in range(len(e.inputs)):
        for what, other in variants(e.inputs, e.names, j):
            if e.comes_out_if(j, other):
                yield {"what": what}


@clue(
    "SAME_EVERYWHERE",
    "The {gradient} {does} not change when the inputs do, though the slopes change.",
    "Which values does backward read?",
)
def same_everywhere(e):
    """Nor where they are far from here: what forward finds with argmax, say, stays the same for a while."""
    rng = np.random.default_rng(13)
    near, far = (
        e.elsewhere(dict(enumerate(change(x, rng) for x in e.inputs)), dz=e.dz) for change in (nearby, redrawn)
    )
    others = [other for other in (near, far) if e.fits and other is not None]
    if others and all(np.array_equal(each.given, e.given) and not same(each.right, e.right) for each in others):
        yield {}


@clue(
    "SPECIAL_PLACE_RIGHT",
    "Where {what}, the {gradient} {is} right.",
    "What is the same there, and different elsewhere?",
    always=("what",),
)
def right_at_a_special_place(e):
    for what, changed in special_places(e.inputs, e.names):
        if e.table_of is not None and what.startswith("all rows"):
            continue  # where ids read rows that are alike, what was different is the same
        other = e.elsewhere(changed)
        if (
            other is None
            or not other.is_right
            or not e.follows_upstream
            or not _all_right(other)
            or _is_cut_off(e, other, changed)
        ):
            continue
        if _is_ordinary(e, other, changed) and _stays_right(e, what):
            yield {"what": what}


@clue(
    "READ_FOR_ANOTHER",
    "With {what}, the {gradient} {is} right.",
    "Where is one read for the other?",
    always=("what",),
)
def right_where_two_are_equal(e):
    for what, changed in equal_places(e.inputs, e.names):
        other = e.elsewhere(changed)
        if other is not None and other.is_right and _is_ordinary(e, other, changed):
            if _stays_right(e, what, equal_places):
                yield {"what": what}


def _all_right(e):
    """Whether the gradients of all inputs are right: what passes on one way only is still wrong on another."""
    floats = [j for j, x in enumerate(e.inputs) if is_float(x)]
    return all(agrees(e.all_given[j], e.slopes_of(j)) for j in floats)


def _is_cut_off(e, there, changed):
    """Whether another input is 0 there, and the slopes then depend on no third one.

    So it is with the weights' term of a penalized loss: where x is 0, the loss itself does not reach W, and whatever
    backward makes of its scores is right.
    """
    if e.i in changed or any(np.any(x) for x in changed.values()):
        return False
    rng = np.random.default_rng([17, 7919])
    others = {j: redrawn(x, rng) for j, x in enumerate(e.inputs) if is_float(x) and j != e.i and j not in changed}
    moved = there.elsewhere(others, dz=there.dz)
    return moved is not None and same(moved.right, there.right)


def _stays_right(e, what, places=special_places):
    """Whether it is right at that place whatever the other inputs are: with other signs too, and far larger."""
    for size in (1, 3, 10):
        inputs = [drawn_large(x, np.random.default_rng([size, j]), size) for j, x in enumerate(e.inputs)]
        there = e.elsewhere(dict(enumerate(inputs)) | dict(places(inputs, e.names)).get(what, {}))
        slopes = there.slopes_of(e.i) if there is not None else None
        if slopes is not None and are_sure(slopes) and not agrees(there.all_given[e.i], slopes):
            return False
    return True


def _is_ordinary(e, there, changed):
    """Whether nothing is divided by 0 at this place, and no input stops mattering there and all around it."""
    with contextlib.suppress(Exception):
        gate = copy.deepcopy(e.untouched)
        with np.errstate(divide="raise", over="raise", invalid="raise"):
            gate.forward(*copy.deepcopy(there.inputs))
            gate.backward(there.dz.copy()[()])
        moved = {j: x + 1e-3 * (1 + np.abs(x)) for j, x in changed.items() if is_float(x)}
        near = there.elsewhere(changed | moved, dz=there.dz)
        floats = [j for j, x in enumerate(e.inputs) if is_float(x)]
        slopes = [[each.slopes_of(j).values for each in (e, there, near)] for j in floats]
        if not all(np.isfinite(values).all() for of_one in slopes for values in of_one):
            return False
        matters = all(_matters(here, usual) or _matters(around, usual) for usual, here, around in slopes)
        return matters and _matters(there.right, e.right)
    return False


def _matters(slopes, usual):
    """Whether slopes are more than what rounding leaves of terms that cancel."""
    return bool(np.max(np.abs(slopes)) > MATCH * np.max(np.abs(usual)))


@clue(
    "ONE_ARRAY_KEPT",
    "What forward keeps as {what} is one and the same array, {n} times.",
    "Is each of them still what it was when it was put there?",
    always=("what",),
)
def one_array_kept_several_times(e):
    for what, kept in e.kept.items():
        if isinstance(kept, list) and len(kept) > 1 and all(isinstance(each, np.ndarray) for each in kept):
            is_one = len({each.__array_interface__["data"][0] for each in kept}) == 1
            if is_one and not any(np.shares_memory(kept[0], x) for x in e.inputs):
                yield {"what": what, "n": len(kept)}


@clue(
    "KEPT_WRITTEN_TO",
    "Backward changes what forward keeps as {what}.",
    "Does each line that reads it get the one that it needs?",
    always=("what",),
)
def kept_is_written_to(e):
    if e.written_to:
        yield {"what": listed(e.written_to)}


@clue(
    "ROW_FACTOR",
    "Each row of the {gradient} is a multiple of the right one, and not the same in each: {factors}.",
    "Which number differs from row to row?",
)
def row_factor(e):
    telling = np.count_nonzero(e.right, axis=-1) > 1 if e.fits and np.ndim(e.x) > 1 else np.array(False)
    if np.sum(telling) < 2:  # one number is a multiple of any
        return
    given, right, errors = e.given[telling], e.right[telling], e.errors[telling]
    factors = np.sum(given * right, axis=-1, keepdims=True) / np.sum(right**2, axis=-1, keepdims=True)
    near = np.abs(factors) * (MATCH * np.abs(right).max(axis=-1, keepdims=True) + 10 * errors)
    if np.all(np.abs(given - factors * right) <= near) and np.ptp(factors) > 1e-3 * np.max(np.abs(factors)):
        if np.all(factors) and not np.any(e.given[~telling][e.right[~telling] == 0]):
            yield {"factors": first_few(factors)}


@clue(
    "ONE_ROW_ALONE",
    "The {gradient} {is} a multiple of row {row} of {what}, and of no other.",
    "With which rows does the output move?",
    always=("row", "what"),
)
def along_one_row(e):
    for what, rows in zip(e.names, e.inputs, strict=True):
        if e.fits and np.ndim(rows) == 2 and np.shape(rows)[1:] == np.shape(e.x) and np.size(e.x) > 2:
            for k, row in enumerate(rows):
                if e.factor_of(row):
                    yield {"row": k, "what": what}


@clue(
    "ONE_ROW_RIGHT",
    "Given one row{rows} alone, the {gradient} {is} right.",
    "What does backward do with the numbers of several rows?",
)
def right_for_one_row(e):
    forward = copy.deepcopy(e.untouched).forward
    single = [cut for row in (0, -1) if (cut := one_row(e.inputs, e.z, row, forward))] if e.part is None else []
    if single and all(map(e.is_right_if, single)):
        cut = sorted(single[0])
        yield {"rows": "" if cut == [0] else f" of {listed(e.names[j] for j in cut)}"}
