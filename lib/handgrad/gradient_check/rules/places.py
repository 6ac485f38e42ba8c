"""Where the numbers stand: some are missing, some are too many, some are in another place."""

from math import comb

import numpy as np

from handgrad.gradient_check.comparing import MATCH, matches, multiple_of
from handgrad.gradient_check.rule import clue, mistake
from handgrad.gradient_check.variants import zero_at
from handgrad.gradient_check.wording import slices


@mistake(
    "OVERFLOW",
    "The {gradient} {is} {value} at {n}, where the output has a slope{elsewhere}.",
    "Which number on the way is too large for a float, or is divided by 0?",
)
def not_finite(e):
    if e.fits and not np.isfinite(e.given).all():
        bad = ~np.isfinite(e.given)
        matters = np.max(np.abs(e.right), initial=0.0)
        fine = np.all(np.abs(np.where(bad, e.right, e.given) - e.right) <= 1e-6 * matters)
        elsewhere = "; all others are right" if fine and not bad.all() else ""
        n = f"{int(bad.sum())} of {bad.size} entries"
        yield {"value": "nan" if np.isnan(e.given).any() else "inf", "n": n, "elsewhere": elsewhere}


@mistake("ALL_ZERO", "The {gradient} {is} 0 in every entry.", "If one entry moves, does the output stay where it is?")
def all_zero(e):
    if e.fits and np.size(e.given) and np.max(np.abs(e.given)) <= 1e-12 * np.max(np.abs(e.right)):
        yield {}


@mistake(
    "CUT_OFF",
    "In the {gradient} no entry is larger than {most:.6g}, and those that differ are just that, or minus that.",
    "What keeps it from growing?",
)
def cut_off(e):
    most = np.max(np.abs(e.given), initial=0.0) if e.fits else 0.0
    if np.count_nonzero(e.off) > 1 and not e.follows_upstream:
        if np.all(np.abs(e.given[e.off]) == most) and np.all(np.abs(e.right[e.off]) > most):
            yield {"most": most}


@mistake(
    "INDICATOR_IGNORED",
    "The {gradient} {is} right wherever the output moves with the input. At {n} entries the output does not move, and "
    "{extra} of them have a gradient too.",
    "When does an entry not matter?",
)
def indicator_ignored(e):
    extra = (e.right == 0) & (e.given != 0) if e.fits else np.array(False)
    if extra.any() and np.any(e.right) and not np.any(e.off & ~extra):
        yield {"n": int(np.count_nonzero(e.right == 0)), "extra": int(extra.sum())}


@clue(
    "ZEROED",
    "In the {gradient}, {n} of {size} entries are 0 though the output moves with them; all others are right.",
    "Under which condition does an entry matter?",
)
def zeroed(e):
    missing = (e.given == 0) & (e.right != 0) if e.fits else np.array(False)
    if missing.any() and not np.any(e.off & ~missing):
        yield {"n": int(missing.sum()), "size": missing.size}


@clue(
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


@clue(
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


@clue(
    "PART_FACTOR",
    "In the {gradient}, the entries that differ {how}; {others}.",
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
            how = times if times != "are -1 times the right ones" else "have the right size and the wrong sign"
            yield {"how": how, "others": "at other values not all do" if np.all(e.off) else "all others are right"}


ARE_RIGHT = "In the {gradient}, {right} {are} right"


@clue(
    "PART_RIGHT",
    f"{ARE_RIGHT} and {{wrong}} {{are_not}}.",
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


@mistake(
    "OFF_BY_ONE",
    "The {gradient} {has} the right numbers one place away along axis {axis}.",
    "Where does the part that forward took begin, and where does it end?",
    always=("axis",),
)
def shifted(e):
    for axis, size in enumerate(np.shape(e.right)):
        for step in (1, -1) if size > 2 else ():  # of two, one place away is the other way round
            rolled = np.roll(e.right, step, axis)
            if e.is_given(rolled) or e.is_given(zero_at(0 if step == 1 else -1, rolled, axis)):
                yield {"axis": axis}


@mistake(
    "OFF_BY_ONE",
    "The {gradient} {is} right but for the {edge} entry along axis {axis}, which is zero.",
    "Where does the part that forward took begin, and where does it end?",
    always=("edge", "axis"),
)
def edge_left_out(e):
    for axis, size in enumerate(np.shape(e.right)):
        for place, word in ((0, "first"), (-1, "last")) if size > 1 else ():
            if e.is_given(zero_at(place, e.right, axis)):
                yield {"edge": word, "axis": axis}


@clue(
    "PARTS_EXCHANGED",
    "The {gradient} {has} the right numbers in other places.",
    "Which entry of the output goes with which entry of the input?",
)
def parts_exchanged(e):
    numbers = np.unique(np.round(np.abs(e.right), 12))
    if len(numbers) > 2 and e.fits and matches(np.sort(np.ravel(e.given)), np.sort(np.ravel(e.right))):
        yield {}


@clue(
    "STILL",
    "The output does not move with {name} at all, and the {gradient} {has} numbers.",
    "Does forward use it, or does it cancel?",
)
def numbers_for_what_does_not_move(e):
    if e.fits and e.part is None and not np.any(e.right) and np.any(e.given):
        yield {"name": e.name}


@clue(
    "STILL_ROWS",
    "Here the output does not move at all with {rows} of {name}, and the {gradient} {has} numbers there.",
    "What keeps them out of forward, and what out of backward?",
)
def numbers_where_nothing_moves(e):
    for axis in range(np.ndim(e.x)) if e.fits and e.part is None and np.ndim(e.x) > 1 else ():
        right, given = (np.moveaxis(a, axis, 0).reshape(np.shape(a)[axis], -1) for a in (e.right, e.given))
        still, told = ~np.any(right, axis=1), np.all(given, axis=1)
        if (still & told).any() and not still.all():
            yield {"rows": slices(np.ndim(e.x), axis, np.flatnonzero(still & told)), "name": e.name}
