"""What a wrong gradient has in common with the right one, where no formula for the mistake is known.

Such a clue says less than a name, and more things look like it by chance. So each has to be confirmed where the
same gate is fed other values and larger arrays.
"""

import contextlib
import copy
from math import comb

import numpy as np

from handgrad.functional import is_float
from handgrad.gradient_check.comparing import MATCH, agrees, are_sure, matches, multiple_of, same
from handgrad.gradient_check.evidence import drawn_large, nearby
from handgrad.gradient_check.rule import Rules
from handgrad.gradient_check.variants import one_row, special_places, symmetric_places
from handgrad.gradient_check.wording import slices

CONDITIONS = Rules(clues=True)  # right where something is so, and wrong elsewhere
CLUES = Rules(clues=True)
PART = Rules(clues=True)
PLACES = Rules(clues=True)  # right at certain inputs


@CONDITIONS.add(
    "ZEROED",
    "In the {gradient}, {n} of {size} entries are 0 though the output moves with them; all others are right.",
    "Under which condition does an entry matter?",
)
def zeroed(e):
    missing = (e.given == 0) & (e.right != 0) if e.fits else np.array(False)
    if missing.any() and not np.any(e.off & ~missing):
        yield {"n": int(missing.sum()), "size": missing.size}


@CONDITIONS.add(
    "INDICATOR_WRONG",
    "The {gradient} {is} right where neither {it} nor the slope is 0. A 0 stands at {missing} of the entries with "
    "which the output moves, and another number at {extra} of those with which it does not.",
    "Under which condition does an entry matter?",
)
def other_condition(e):
    if e.fits and np.size(e.x) > 1 and np.any(e.right):
        missing, extra = (e.given == 0) & (e.right != 0), (e.given != 0) & (e.right == 0)
        if (missing | extra).any() and not np.any(e.off & ~missing & ~extra):
            yield {"missing": int(missing.sum()), "extra": int(extra.sum())}


@CONDITIONS.add(
    "RIGHT_ON_ONE_SIDE",
    "The {gradient} {is} right where {what} is {side} 0, and only there.",
    "What does forward do on the other side?",
    always=("what", "side"),
)
def right_on_one_side(e):
    if e.fits and np.size(e.x) > 2:
        for what, array in e.known():
            for side, mask in (("above", array > 0), ("below", array < 0)):
                if np.array_equal(~e.off, mask) and np.any(e.right[mask]):
                    yield {"what": what, "side": side}


@CLUES.add(
    "PART_FACTOR",
    "In the {gradient}, the entries that differ {how}; all others are right.",
    "Which entries are they?",
    always=("how",),
)
def factor_on_a_part(e):
    """Elsewhere it may be all that differ. So a single one is enough here, if it is the same number in each of them."""
    if e.fits and np.size(e.off) > 1 and np.any(e.off):
        given, right = e.given[e.off], e.right[e.off]
        factor = multiple_of(given, right)
        if factor and np.all(np.abs(given - factor * right) <= MATCH * np.max(np.abs(right))):
            times = f"are {factor:.5g} times the right ones"
            yield {"how": times if times != "are -1 times the right ones" else "have the right size and the wrong sign"}


@CLUES.add(
    "FACTOR",
    "The {gradient} {is} {right_one} {how} {what}{constant}.",
    "How many times does that enter the slope, and where?",
    always=("how", "what", "factor"),
)
def known_factor(e):
    for what, array in e.known() if e.fits else ():
        with np.errstate(all="ignore"):
            ways = {"times": e.right * array, "divided by": e.right / array}
        for how, candidate in ways.items():
            factor = e.factor_of(candidate)
            if factor:
                constant = "" if np.isclose(factor, 1, atol=1e-5) else f", and times {factor:.6g}"
                yield {"how": how, "what": what, "constant": constant, "factor": factor}


@CLUES.add(
    "NOT_LINEAR",
    "The {gradient} {is} not 0 where dz is 0.",
    "In which of its terms is dz missing?",
)
def something_without_upstream(e):
    nothing = e.given_for(np.zeros_like(e.dz))
    if nothing is not None and np.any(np.abs(nothing) > MATCH * np.max(np.abs(e.given))):
        yield {}


@CLUES.add(
    "NOT_LINEAR",
    "With dz twice as large, the {gradient} {is} not twice as large.",
    "Does dz stand in each of its terms, once, and is nothing cut off?",
)
def not_twice_as_large(e):
    twice = e.given_for(2 * e.dz)
    if twice is not None and np.shape(twice) == np.shape(e.given) and not np.allclose(twice, 2 * e.given):
        yield {}


@CLUES.add(
    "PARTS_EXCHANGED",
    "The {gradient} {has} the right numbers in other places.",
    "Which entry of the output goes with which entry of the input?",
)
def parts_exchanged(e):
    numbers = np.unique(np.round(np.abs(e.right), 12))
    if len(numbers) > 2 and e.fits and matches(np.sort(np.ravel(e.given)), np.sort(np.ravel(e.right))):
        yield {}


@CLUES.add(
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
        different = list(dict.fromkeys(f"{factor:.4g}" for factor in np.ravel(factors)))
        if np.all(factors) and not np.any(e.given[~telling][e.right[~telling] == 0]):
            yield {"factors": ", ".join(different[:4]) + ", …" * (len(different) > 4)}


@CLUES.add(
    "ANOTHER_FACTOR",
    "The {gradient} {is} a multiple of {right_one}: {factor:.4g} times here, and another at other values.",
    "Which number in the formula changes with the inputs?",
    varies="factor",
)
def multiple(e):
    if e.fits and np.count_nonzero(e.right) > 1:
        factor = e.factor_of(e.right)
        if factor:
            yield {"factor": factor}


@CLUES.add(
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


@CLUES.add(
    "TERM_WRONG",
    "The {gradient} {is} off by {what}{where}.",
    "Which term is that: what stands before it, or is it missing?",
    always=("what",),
)
def off_by_a_known_array(e):
    """What is added to the right gradient, or lacks, goes along an array with a name: in each row, or as a whole."""
    if not e.fits or np.ndim(e.x) == 0 or np.shape(e.x)[-1] < 3:
        return
    ones, off = np.ones(np.shape(e.x)), e.given - e.right
    known = {"": ones, **dict(e.known())}
    if np.shape(e.dz) == np.shape(e.x):
        known |= {"dz": e.dz, **{f"dz times {what}": e.dz * array for what, array in e.known()}}
    one_row = np.size(e.x) == np.shape(e.x)[-1]
    for what, array in known.items():
        if _is_along(off, [array]):
            told = f"a multiple of {what}" if what else "the same number in every entry"
            yield {"what": told, "where": "" if one_row else ", another in each row"}
        elif array is not ones and np.shape(e.x)[-1] > 3 and _is_along(off, [array, ones]):
            yield {
                "what": f"a multiple of {what} and by the same number in every entry",
                "where": "" if one_row else ", others in each row",
            }


def _is_along(off, arrays):
    """Whether each row of ``off`` is a sum of multiples of these arrays' rows."""
    for row in np.ndindex(np.shape(off)[:-1]):
        basis = np.stack([array[row] for array in arrays], axis=1)
        residual = off[row] - basis @ np.linalg.lstsq(basis, off[row], rcond=None)[0]
        if not np.max(np.abs(residual)) <= MATCH * np.max(np.abs(off)):
            return False
    return True


@CLUES.add(
    "UPSTREAM_MIXED",
    "Entry {place} of the {gradient} depends on dz at {output}, though the output does not move there when that entry "
    "of the input does.",
    "Which entries of dz belong to an entry of the input?",
)
def depends_on_too_much(e):
    if e.response is not None and np.size(e.z) > 1:
        yield from _first_place(
            e, (np.abs(e.jacobian) <= _small(e.jacobian)) & (np.abs(e.response) > _small(e.response))
        )


@CLUES.add(
    "ROW_SUM",
    "Each row of the {gradient} has to add up to 0, and here one adds up to {sum:.4g}.",
    "If all entries of a row rise together, does the output move?",
)
def row_sum(e):
    if e.fits and np.ndim(e.x) and np.shape(e.x)[-1] > 2 and np.isfinite(e.given).all():
        sums, size = np.abs(np.sum(e.right, axis=-1)), np.abs(e.right).max(axis=-1, initial=0.0)
        off = np.abs(e.given.sum(axis=-1))
        if np.any(size) and np.all(sums <= MATCH * size) and off.max() > 1e-3 * size.max():
            yield {"sum": off.max()}


@CLUES.add(
    "SAME_EVERYWHERE",
    "The {gradient} {does} not change when the inputs do, though the slopes change.",
    "Which values does backward read?",
)
def same_everywhere(e):
    other = e.elsewhere(dict(enumerate(nearby(x, np.random.default_rng(13)) for x in e.inputs)), dz=e.dz)
    if e.fits and other is not None and np.array_equal(other.given, e.given) and not same(other.right, e.right):
        yield {}


@CLUES.add(
    "OUTPUTS_LEFT_OUT",
    "When entry {place} of the input rises, the output moves at {output}, but dz there does not reach this entry of "
    "the {gradient}.",
    "Which outputs move with a single entry?",
)
def depends_on_too_little(e):
    if e.response is not None and np.size(e.z) > 1:
        yield from _first_place(e, (np.abs(e.jacobian) > 1e-3 * np.max(np.abs(e.jacobian))) & (e.response == 0))


def _small(jacobian):
    return 1e-7 * np.max(np.abs(jacobian))


def _first_place(e, strange):
    """Where it is first so, if it is so in a tenth of the places: a few may be due to a condition at this point."""
    if strange.mean() >= 0.1:
        output, entry = np.argwhere(strange)[0]
        place = np.unravel_index(e.entries[entry], np.shape(e.inputs[e.i]))
        output = np.unravel_index(output, np.shape(e.z))
        yield {"place": tuple(map(int, place)), "output": tuple(map(int, output))}


@CLUES.add(
    "ROW_SCALE",
    "If a row of {name} grows as a whole, by the same factor in every entry, the output stays as it is; by the "
    "{gradient} it moves.",
    "Which parts of the formula grow with the row?",
)
def row_scale(e):
    if e.fits and np.ndim(e.x) and np.shape(e.x)[-1] > 1:
        right, given = (np.abs(np.sum(g * e.x, axis=-1)) for g in (e.right, e.given))
        size = np.linalg.norm(e.right, axis=-1) * np.linalg.norm(e.x, axis=-1)
        if np.all(size) and np.all(right <= 1e-4 * size) and np.any(given > 1e-3 * size):
            yield {"name": e.name}


@CLUES.add(
    "ONE_ROW_RIGHT",
    "Given one row alone, the {gradient} {is} right.",
    "What does backward do with the numbers of several rows?",
)
def right_for_one_row(e):
    single = [cut for row in (0, -1) if (cut := one_row(e.inputs, e.z, row))] if e.part is None else []
    if single and all(map(e.is_right_if, single)):
        yield {}


@CLUES.add(
    "EQUAL_UPSTREAM_RIGHT",
    "Where all entries of dz are equal, the {gradient} {is} right.",
    "Which entry of dz meets which entry of the output?",
)
def right_for_equal_upstream(e):
    if np.size(e.dz) > 1 and e.is_right_if(dz=np.full_like(e.dz, 0.7)):
        yield {}


@CLUES.add(
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


@PLACES.add(
    "OTHER_OPERAND_TRANSPOSED",
    "Where {what} equals its transpose, the {gradient} {is} right.",
    "Which axis of that matrix meets which axis of dz?",
    always=("what",),
)
def right_for_symmetric(e):
    for what, changed in symmetric_places(e.inputs, e.names):
        if e.is_right_if(changed):
            yield {"what": what}


@PLACES.add(
    "SPECIAL_PLACE_RIGHT",
    "Where {what}, the {gradient} {is} right.",
    "What is the same there, and different elsewhere?",
    always=("what",),
)
def right_at_a_special_place(e):
    for what, changed in special_places(e.inputs, e.names):
        other = e.elsewhere(changed)
        if other is not None and other.is_right and _is_ordinary(other, changed) and _stays_right(e, what):
            yield {"what": what}


def _stays_right(e, what):
    """Whether it is right at that place whatever the other inputs are: with other signs too, and far larger."""
    for size in (1, 3, 10):
        inputs = [drawn_large(x, np.random.default_rng([size, j]), size) for j, x in enumerate(e.inputs)]
        there = e.elsewhere(dict(enumerate(inputs)) | dict(special_places(inputs, e.names)).get(what, {}))
        slopes = there.slopes_of(e.i) if there is not None else None
        if slopes is not None and are_sure(slopes) and not agrees(there.all_given[e.i], slopes):
            return False
    return True


def _is_ordinary(e, changed):
    """Whether nothing is divided by 0 at this place, and no input stops mattering there and all around it."""
    with contextlib.suppress(Exception):
        gate = copy.deepcopy(e.untouched)
        with np.errstate(divide="raise", over="raise", invalid="raise"):
            gate.forward(*copy.deepcopy(e.inputs))
            gate.backward(e.dz.copy()[()])
        near = e.elsewhere({j: x + 1e-3 * (1 + np.abs(x)) for j, x in changed.items()}, dz=e.dz)
        floats = [j for j, x in enumerate(e.inputs) if is_float(x)]
        here = [e.slopes_of(j) for j in floats]
        around = [near.slopes_of(j) for j in floats]
        finite = all(np.isfinite(s.values).all() for s in (*here, *around))
        return finite and all(np.any(a.values) or np.any(b.values) for a, b in zip(here, around, strict=True))
    return False


@PART.add(
    "PART_RIGHT",
    "In the {gradient}, {right} {are} right and {wrong} {are_not}.",
    "What is different there?",
    always=("axis",),
)
def part_right(e):
    for axis in range(np.ndim(e.x)) if e.part is None else ():
        fine = e.right_slices(axis)
        if fine is not None:
            ok, off = np.flatnonzero(fine), np.flatnonzero(~fine)
            shows = np.count_nonzero(e.right) + np.count_nonzero(e.given[e.right == 0])
            yield {
                "right": slices(np.ndim(e.x), axis, ok),
                "are": "is" if len(ok) == 1 else "are",
                "wrong": slices(np.ndim(e.x), axis, off),
                "are_not": "is not" if len(off) == 1 else "are not",
                "axis": axis,
                "chance": comb(len(fine), len(ok)) / comb(shows, np.count_nonzero(e.off)),
            }
