"""The upstream gradient dz: it is missing, enters twice, or meets entries that it does not belong to."""

import numpy as np

from handgrad.functional import is_float
from handgrad.gradient_check.comparing import EXACT, MATCH, matches
from handgrad.gradient_check.rule import clue, mistake
from handgrad.gradient_check.variants import zero_at
from handgrad.gradient_check.wording import first_few


@mistake(
    "FORGOT_UPSTREAM",
    "The {gradient} {is} what you would get if every upstream gradient were 1: {it} {does} not depend on dz.",
    "What does the chain rule do with the gradient that arrives from the output side?",
)
def forgot_upstream(e):
    if e.is_given(e.through(np.ones_like(e.dz))):
        yield {}


@mistake(
    "UPSTREAM_TWICE",
    "The {gradient} {is} what comes out for the square of dz: doubling dz makes {them} four times as large.",
    "How many times does the upstream gradient enter?",
)
def upstream_twice(e):
    if e.is_given(e.through(e.dz**2)):
        yield {}


@mistake(
    "WRONG_AXIS",
    "In the {gradient} each row is multiplied by all of dz, where each row has one entry of it.",
    "Which axis of the input goes with the entries of dz?",
)
def upstream_along_the_other_axis(e):
    if np.ndim(e.z) == 1 and np.shape(e.x) == 2 * np.shape(e.z):
        rows = e.through(np.ones_like(e.dz))
        if matches(e.right, rows * e.dz[:, None]) and e.is_given(rows * e.dz):
            yield {}


@mistake(
    "UPSTREAM_MIXED",
    "The {gradient} {is} what comes out if {what}.",
    "Which entries of dz belong to which entries of the output?",
    always=("what",),
)
def upstream_mixed(e):
    ways = {"every entry of dz is their sum": np.full_like(e.dz, e.dz.sum())}
    ways["every entry of dz is their mean"] = np.full_like(e.dz, e.dz.mean() if e.dz.size else 0)
    for axis in range(e.dz.ndim):
        ways[f"dz is added up along axis {axis}"] = np.broadcast_to(e.dz.sum(axis, keepdims=True), e.dz.shape)
        ways[f"dz is averaged along axis {axis}"] = np.broadcast_to(e.dz.mean(axis, keepdims=True), e.dz.shape)
        ways[f"dz is in reversed order along axis {axis}"] = np.flip(e.dz, axis)
        for place, word in ((0, "first"), (-1, "last")):
            ways[f"only the {word} entries of dz along axis {axis} count"] = e.dz - zero_at(place, e.dz, axis)
    if e.dz.ndim == 2 and e.dz.shape[0] == e.dz.shape[1]:
        ways["dz is transposed"] = e.dz.T
    for what, dz in ways.items():
        if e.dz.size > 1 and e.is_given(e.through(dz)):
            yield {"what": what}


@clue(
    "NOT_LINEAR",
    "The {gradient} {is} not 0 where dz is 0.",
    "In which of its terms is dz missing?",
)
def something_without_upstream(e):
    nothing = e.given_for(np.zeros_like(e.dz))
    if nothing is not None and np.any(np.abs(nothing) > MATCH * np.max(np.abs(e.given))):
        yield {}


@clue(
    "NOT_LINEAR",
    "With dz twice as large, the {gradient} {is} not twice as large.",
    "Does dz stand in each of its terms, once, and is nothing cut off?",
)
def not_twice_as_large(e):
    if _does_not_follow(e, 2):
        yield {}


@clue(
    "NOT_LINEAR",
    "With every sign in dz reversed, the {gradient} {does} not have every sign reversed.",
    "Does a condition ask for the sign of dz?",
)
def not_its_negative(e):
    if _does_not_follow(e, -1):
        yield {}


def _does_not_follow(e, factor):
    other = e.given_for(factor * e.dz)
    return other is not None and np.shape(other) == np.shape(e.given) and not np.allclose(other, factor * e.given)


@clue(
    "OUTPUT_FACTOR",
    "In the {gradient}, what comes from one output is a multiple of {right_one}, another for each: {factors}.",
    "Which number belongs to an output, and where does it enter the slope?",
)
def output_factor(e):
    """Of a single number anything is a multiple: then it has to be a whole one."""
    if e.response is None or np.size(e.z) < 3 or np.size(e.x) == 1:
        return
    telling = np.any(e.jacobian, axis=1)
    response, right = e.response[telling], e.jacobian[telling]
    if len(right) < 3 or np.any(e.response[~telling]):
        return
    factors = np.sum(response * right, axis=1, keepdims=True) / np.sum(right**2, axis=1, keepdims=True)
    near = np.abs(factors) * (MATCH * np.abs(right).max(axis=1, keepdims=True) + EXACT * np.abs(right).max())
    single = np.count_nonzero(right, axis=1, keepdims=True) == 1
    whole = np.abs(factors - np.rint(factors)) <= MATCH
    if np.all(np.abs(response - factors * right) <= near) and np.all(whole | ~single) and np.all(factors):
        told = first_few(factors)
        if "," in told:  # not the same for all
            yield {"factors": told}


@clue(
    "UPSTREAM_MIXED",
    "Entry {place} of the {gradient} depends on dz at {output}, though the output does not move there when that entry "
    "of {name} does.",
    "Which entries of dz belong to an entry of the input?",
)
def depends_on_too_much(e):
    if e.response is not None and np.size(e.z) > 1:
        still = np.abs(e.jacobian) <= 1e-7 * np.max(np.abs(e.jacobian))
        yield from _first_place(e, still & (np.abs(e.response) > 1e-7 * np.max(np.abs(e.response))))


@clue(
    "OUTPUTS_LEFT_OUT",
    "When entry {place} of {name} rises, the output moves at {output}, but dz there does not reach this entry of "
    "the {gradient}.",
    "Which outputs move with a single entry?",
)
def depends_on_too_little(e):
    if e.response is not None and np.size(e.z) > 1:
        yield from _first_place(e, (np.abs(e.jacobian) > 1e-3 * np.max(np.abs(e.jacobian))) & (e.response == 0))


def _first_place(e, strange):
    """Where it is first so, if it is so in a tenth of the places: a few may be due to a condition at this point."""
    if strange.mean() >= 0.1:
        output, entry = np.argwhere(strange)[0]
        place = np.unravel_index(e.entries[entry], np.shape(e.inputs[e.i]))
        output = np.unravel_index(output, np.shape(e.z))
        yield {"place": tuple(map(int, place)), "output": tuple(map(int, output)), "name": e.name}


@clue(
    "EQUAL_UPSTREAM_RIGHT",
    "Where all entries of dz are equal, the {gradient} {is} right.",
    "Which entry of dz meets which entry of the output?",
)
def right_for_equal_upstream(e):
    if np.size(e.dz) > 1 and e.is_right_if(dz=np.full_like(e.dz, 0.7)):
        yield {}


@clue(
    "ONE_SIDE_RIGHT",
    "In the {gradient}, what comes from outputs {where} is right, and what comes from those {elsewhere} is wrong.",
    "Which piece of the function is that?",
    always=("where",),
)
def right_from_outputs_on_one_side(e):
    """It has to be so for each output, and for the whole input: in some of its rows one side may be wrong by chance.

    Near 0 a wrong one may be off by very little, but by more than any on the right side.
    """
    response, jacobian = e.whole.response, e.whole.jacobian
    for told, above, below in _sides(e) if response is not None else ():
        matters = np.any(response, axis=1) | np.any(jacobian, axis=1)
        off = np.max(np.abs(response - jacobian), axis=1) / np.max(np.abs(jacobian))
        for right, wrong, fine, side in (("above", "below", above, below), ("below", "above", below, above)):
            if (matters & fine).any() and (matters & side).any():
                largest = off[matters & fine].max()
                if largest <= MATCH < off.max() and off[matters & side].min() > largest:
                    yield {"where": told.format(right), "elsewhere": told.format(wrong)}


@clue(
    "INDICATOR_WRONG",
    "The {gradient} {has} numbers from outputs {where}, and the output moves with {name} at those {elsewhere} alone.",
    "Under which condition does an entry of the output depend on it?",
    always=("where",),
)
def outputs_on_the_other_side(e):
    for told, above, below in _sides(e) if e.response is not None else ():
        tells, moves = np.any(e.response, axis=1), np.any(e.jacobian, axis=1)
        for words, others, here, there in (("above", "below", above, below), ("below", "above", below, above)):
            if tells.any() and moves.any() and here[tells].all() and there[moves].all():
                yield {"where": told.format(words), "elsewhere": told.format(others), "name": e.name}


@clue(
    "INDICATOR_WRONG",
    "In the {gradient}, nothing comes from {missing} of the outputs that move with {name}, and something comes from "
    "{extra} that do not; what comes from the others is right.",
    "Under which condition does an entry of the output depend on it?",
)
def another_condition_for_outputs(e):
    if e.response is None or np.size(e.z) < 3:
        return
    tells, moves = np.any(e.response, axis=1), np.any(e.jacobian, axis=1)
    both = tells & moves
    missing, extra = (int(np.count_nonzero(some)) for some in (moves & ~tells, tells & ~moves))
    if both.any() and missing + extra and matches(e.response[both], e.jacobian[both]):
        yield {"missing": missing, "extra": extra, "name": e.name}


def _sides(e):
    """Ways to part the outputs by a sign, in words, and which are above and below 0: theirs, or what is kept."""
    arrays = {"{} 0": e.z}
    for name, value in e.kept.items():
        if isinstance(value, np.ndarray) and is_float(value) and np.shape(value) == np.shape(e.z):
            arrays[f"where what forward keeps as {name} is {{}} 0"] = value
    for told, array in arrays.items() if np.ndim(e.z) else ():
        yield told, np.ravel(array > 0), np.ravel(array < 0)
