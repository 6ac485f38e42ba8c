"""Which mistake is it? One rule for each known way of getting a gradient wrong, on arrays alone.

A rule says what would come out if its mistake had been made. If that is what did come out, to a millionth,
the mistake has a name. The sentence says what is observed and asks the question that leads to the fix.
It never says the fix: finding that is the reader's.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import permutations

import numpy as np

from handgrad.functional import sum_to_shape
from handgrad.gradient_check import clues
from handgrad.gradient_check.comparing import MATCH, matches


@dataclass(frozen=True)
class Evidence:
    """What is known about one wrong gradient.

    given, right : what backward returned for input i, and what was measured
    jacobian : (m, n), of the m outputs with respect to the n entries of input i
    dz, z : upstream gradient and output
    names, inputs, i : all inputs, what forward calls them, and which of them this is about
    all_given, all_right : the gradients of all inputs (None where there is none)
    slope_at : callable, array -> array: the elementwise slope if input i had other values
    right_at : callable, (j, array) -> array: the gradient of input i if input j were another; None if it cannot be
    at_other_sizes : callable, () -> iterator of Evidence about input i of the same gate, fed larger arrays
    """

    given: np.ndarray
    right: np.ndarray
    jacobian: np.ndarray
    dz: np.ndarray
    z: np.ndarray
    names: list
    inputs: list
    i: int
    all_given: list
    all_right: list
    slope_at: Callable
    right_at: Callable
    at_other_sizes: Callable

    @property
    def x(self):
        return self.inputs[self.i]

    def through(self, dz):
        """The gradient of input i, had the upstream gradient been ``dz``."""
        return (np.ravel(dz) @ self.jacobian).reshape(np.shape(self.x))

    @property
    def is_elementwise(self):
        n = self.jacobian.shape
        return np.shape(self.x) == np.shape(self.z) and n[0] == n[1] and _is_diagonal(self.jacobian)


@dataclass(frozen=True)
class Diagnosis:
    code: str
    text: str


def diagnose(evidence):
    """The first rule that explains the evidence, or None: rules that fit fewer mistakes come first."""
    for code, rule, sentence in RULES:
        for candidate, blanks in rule(evidence):
            if matches(evidence.given, candidate):
                return Diagnosis(code, sentence.format(i=evidence.names[evidence.i], **blanks))
    return None


# Each rule yields what would have come out, and what fills the blanks of its sentence in RULES.


def swapped(e):
    for j, (given, right) in enumerate(zip(e.all_given, e.all_right, strict=True)):
        if j == e.i or right is None or given is None or matches(e.given, -e.right):
            continue  # two gradients that are each other's negative are not exchanged: their signs are reversed
        if matches(given, e.right):
            yield right, {"j": e.names[j]}


def not_summed(e):
    small, large = np.shape(e.x), np.shape(e.given)
    if np.size(e.given) > np.size(e.x) and _broadcasts(small, large) and matches(sum_to_shape(e.given, e.x), e.right):
        yield e.given, {"given": large, "shape": small, "axes": _repeated_axes(small, large)}


def transposed(e):
    axes = tuple(range(np.ndim(e.right)))
    for order in permutations(axes):
        if order != axes:
            what = (
                "the transpose of the right one" if len(axes) == 2 else "the right one with its axes in another order"
            )
            yield np.transpose(e.right, order), {"what": what}


def wrong_shape(e):
    if np.size(e.given) == np.size(e.right) and np.shape(e.given) != np.shape(e.right):
        yield np.reshape(e.right, np.shape(e.given)), {"given": np.shape(e.given), "shape": np.shape(e.x)}


def forgot_upstream(e):
    yield e.through(np.ones_like(e.dz)), {}


def upstream_twice(e):
    yield e.through(e.dz**2), {}


def wrong_sign(e):
    yield -e.right, {}


def repeated_ids(e):
    for ids in e.inputs:
        if not np.issubdtype(np.result_type(ids), np.integer) or np.ndim(e.x) == 0:
            continue
        ids = np.asarray(ids)
        if np.shape(e.dz) != ids.shape + np.shape(e.x)[1:]:
            continue
        rows, ids = e.dz[ids != -1], ids[ids != -1]  # -1 stands for no id
        if ids.size == len(np.unique(ids)) or not 0 <= ids.min() <= ids.max() < len(e.x):
            continue  # nothing is repeated; or these are no rows of this input
        for order in (slice(None), slice(None, None, -1)):
            kept = np.zeros(np.shape(e.x))
            kept[ids[order]] = rows[order]
            yield kept, {"kept": "the gradient of one occurrence only"}
        counts = np.bincount(ids, minlength=len(e.x))
        mean = e.right / np.maximum(counts, 1).reshape(-1, *[1] * (np.ndim(e.x) - 1))
        yield mean, {"kept": "the mean of its occurrences"}


def other_operand_transposed(e):
    if [np.ndim(x) for x in e.inputs[:2]] == [2, 2] and np.ndim(e.z) == 2 and e.i < 2:
        x, W = e.inputs[:2]
        used = [(e.dz, W), (x, e.dz)][e.i]
        needed = [(e.dz, W.T), (x.T, e.dz)][e.i]  # only where forward is x W, perhaps with something added
        if all(a.shape[1] == b.shape[0] for a, b in (used, needed)) and matches(e.right, needed[0] @ needed[1]):
            yield used[0] @ used[1], {}


def input_for_output(e):
    slopes = [lambda t: t * (1 - t), lambda t: 1 - t**2, lambda t: t]  # of σ, tanh and exp, in terms of the output
    if np.shape(e.x) == np.shape(e.z):
        for slope in slopes:
            if matches(e.right, e.dz * slope(e.z)):
                yield e.dz * slope(e.x), {}
        if np.ndim(e.z) and matches(e.right, _through_softmax(e.z, e.dz)):
            yield _through_softmax(e.x, e.dz), {}


def indicator_ignored(e):
    """Right where the output moves, and a gradient where it does not; as wrong where the entries stand twice."""
    others = list(e.at_other_sizes()) if _has_extra(e) else []
    if others and all(_has_extra(other) for other in others):
        silent = e.right == 0
        yield e.given, {"n": int(np.count_nonzero(silent)), "extra": int(np.count_nonzero(e.given[silent]))}


def _has_extra(e):
    if np.shape(e.given) != np.shape(e.right):
        return False
    extra = (e.right == 0) & (e.given != 0)
    return bool(extra.any()) and matches(np.where(extra, 0.0, e.given), e.right)


def slope_at_output(e):
    if e.is_elementwise:
        yield e.dz * e.slope_at(e.z), {}


def output_as_factor(e):
    same_shape = [a for a in e.inputs if np.shape(a) == np.shape(e.z) == np.shape(e.x)]
    if any(matches(e.right, e.dz * a) for a in same_shape):
        yield e.dz * e.z, {}


def diagonal_only(e):
    m, n = e.jacobian.shape
    if m == n and np.shape(e.x) == np.shape(e.z) and not _is_diagonal(e.jacobian):
        yield e.dz * np.diag(e.jacobian).reshape(np.shape(e.z)), {}


def mean_or_sum_of_all(e):
    if np.ndim(e.z) == 0 and np.ndim(e.x) > 1:
        yield from _times_or_divided_by(e, lambda e: np.size(e.x), "the number of its entries")


def mean_or_sum_of_axis(e):
    for owner, array in ((e.names[e.i], lambda e: e.x), ("the output", lambda e: e.z)):
        shape = np.shape(array(e))
        for axis, n in enumerate(shape):
            which = f"axis {axis} of {owner}" if shape.count(n) == 1 else f"an axis of {owner}"
            yield from _times_or_divided_by(e, lambda e, a=array, axis=axis: np.shape(a(e))[axis], which)


def _times_or_divided_by(e, count, which):
    """A factor that is a number of entries changes with that number. A constant that equals it here does not."""
    for how, scaled in (("divided by", lambda e: e.right / count(e)), ("times", lambda e: e.right * count(e))):
        if matches(e.given, scaled(e)):
            larger = next((other for other in e.at_other_sizes() if count(other) != count(e)), None)
            if larger is not None and matches(larger.given, scaled(larger)):
                yield scaled(e), {"how": how, "n": count(e), "which": which}


def shifted(e):
    for axis, size in enumerate(np.shape(e.right)):
        for step in (1, -1) if size > 2 else ():  # of two, one place away is the other way round
            rolled = np.roll(e.right, step, axis)
            yield rolled, {"axis": axis}
            yield _zero_at(0 if step == 1 else -1, rolled, axis), {"axis": axis}


def edge_left_out(e):
    for axis, size in enumerate(np.shape(e.right)):
        for place, word in ((0, "first"), (-1, "last")) if size > 1 else ():
            yield _zero_at(place, e.right, axis), {"edge": word, "axis": axis}


def ids_off_by_one(e):
    for j, ids in enumerate(e.inputs):
        if np.issubdtype(np.result_type(ids), np.integer) and np.max(ids, initial=0) > 1:  # not flags
            for size in sorted(set(np.shape(e.x)) - {0, 1, 2}):  # ids count along an axis, and -1 is its last place
                for step, where in ((1, "higher"), (-1, "lower")):
                    right = e.right_at(j, (ids + step) % size)
                    if right is not None:
                        yield right, {"j": e.names[j], "where": where}


def wrong_factor(e):
    if np.shape(e.given) == np.shape(e.right) and np.count_nonzero(e.right) > 1:  # one number is a multiple of any
        factor = float(np.sum(e.given * e.right) / np.sum(e.right**2))
        yield factor * e.right, {"factor": factor}


RULES = [
    (
        "GRADIENTS_SWAPPED",
        swapped,
        "What came back for {i} is the gradient of {j}, and for {j} that of {i}. In which order does forward take "
        "its inputs, and in which does backward return?",
    ),
    (
        "NOT_SUMMED_OVER_BROADCAST",
        not_summed,
        "The gradient of {i} has the shape {given} of the output, but the input has {shape}: along axis {axes} "
        "it was repeated. What do the gradients of copies do?",
    ),
    (
        "TRANSPOSED",
        transposed,
        "The gradient of {i} is {what}. Which shape has the input, and which axis of it goes with which axis of dz?",
    ),
    (
        "WRONG_SHAPE",
        wrong_shape,
        "The gradient of {i} has the right numbers in the shape {given}, but the input has {shape}. Which "
        "shape must a gradient have so that it can be subtracted from its input?",
    ),
    (
        "FORGOT_UPSTREAM",
        forgot_upstream,
        "The gradient of {i} is what comes out if every upstream gradient is 1: it does not depend on dz. "
        "What does the chain rule do with the gradient that arrives from above?",
    ),
    (
        "UPSTREAM_TWICE",
        upstream_twice,
        "The gradient of {i} grows with the square of dz: doubling dz makes it four times as large. How often "
        "does the upstream gradient enter?",
    ),
    (
        "WRONG_SIGN",
        wrong_sign,
        "The gradient of {i} has the right size and points the wrong way: every sign is reversed. If this "
        "input rises a little, does the output rise or fall?",
    ),
    (
        "REPEATED_IDS",
        repeated_ids,
        "Ids occur more than once, and in the gradient of {i} such a row has {kept}. Each time that the row was "
        "looked up, the output depends on it: what do these dependences do together?",
    ),
    (
        "OTHER_OPERAND_TRANSPOSED",
        other_operand_transposed,
        "The gradient of {i} is the product of dz and the other operand as it stands. Its shape fits here only "
        "by chance: write down the shapes of the three matrices. Which product fits for any shapes?",
    ),
    (
        "INPUT_FOR_OUTPUT",
        input_for_output,
        "The gradient of {i} uses the input where its formula speaks of the output. Is the slope, as you wrote "
        "it, a function of x or of z?",
    ),
    (
        "INDICATOR_IGNORED",
        indicator_ignored,
        "The gradient of {i} is right wherever the output moves with it. At {n} entries the output does not move, and "
        "{extra} of them have a gradient too. When does an entry not matter?",
    ),
    (
        "OUTPUT_FOR_INPUT",
        slope_at_output,
        "The gradient of {i} is the local slope at the output, and not at the input. Which of the two does "
        "your formula for the slope speak of, and which did forward keep?",
    ),
    (
        "OUTPUT_FOR_INPUT",
        output_as_factor,
        "The gradient of {i} is dz times the output of the gate; the right one is dz times an input. Which of "
        "the two does your formula speak of, and which did forward keep?",
    ),
    (
        "DIAGONAL_ONLY",
        diagonal_only,
        "The gradient of {i} is that of a gate in which each output depends on one entry only: the diagonal of "
        "the Jacobian. Which outputs move if you raise a single entry?",
    ),
    (
        "MEAN_OR_SUM",
        mean_or_sum_of_all,
        "The gradient of {i} is the right one {how} {n}, {which}. Does forward take their sum, or their mean?",
    ),
    (
        "MEAN_OR_SUM",
        mean_or_sum_of_axis,
        "The gradient of {i} is the right one {how} {n}, the size of {which}. Does forward take a sum there, or "
        "a mean?",
    ),
    (
        "OFF_BY_ONE",
        shifted,
        "The gradient of {i} has the right numbers one place away along axis {axis}. Where does the part that "
        "forward took begin, and where does it end?",
    ),
    (
        "OFF_BY_ONE",
        edge_left_out,
        "The gradient of {i} is right but for the {edge} entry along axis {axis}, which is zero. Where does the "
        "part that forward took begin, and where does it end?",
    ),
    (
        "OFF_BY_ONE",
        ids_off_by_one,
        "The gradient of {i} is what comes out if every id of {j} is one {where}. At which number does "
        "forward begin to count?",
    ),
    (
        "WRONG_FACTOR",
        wrong_factor,
        "The gradient of {i} is {factor:.6g} times the right one, in every entry. Which constant belongs to the "
        "slope of this function?",
    ),
    (
        "ZEROED",
        clues.zeroed,
        "The gradient of {i} is right but for {n} entries that are 0. Does the output not move with them?",
    ),
    (
        "PARTS_EXCHANGED",
        clues.parts_exchanged,
        "The gradient of {i} has the right numbers in other places. Which entry of the output goes with which entry "
        "of the input?",
    ),
    (
        "ROW_FACTOR",
        clues.row_factor,
        "Each row of the gradient of {i} is a multiple of the right one, and another in each: {factors}. Which number "
        "differs from row to row?",
    ),
    (
        "ONE_INPUT_AS_ONES",
        clues.one_input_as_ones,
        "The gradient of {i} is what comes out if every entry of {j} is 1. Does the slope depend on {j}?",
    ),
    (
        "PART_RIGHT",
        clues.part_right,
        "In the gradient of {i}, {right} are right and {wrong} are wrong. What is different there?",
    ),
    (
        "ROW_SUM",
        clues.row_sum,
        "Each row of the gradient of {i} has to add up to 0, and here one adds up to {sum:.4g}. If all entries of a "
        "row rise together, does the output move?",
    ),
]


def _through_softmax(z, dz):
    return z * (dz - np.sum(z * dz, axis=-1, keepdims=True))


def _zero_at(place, array, axis):
    """A copy of ``array`` with zeros at one place along ``axis``."""
    array = np.moveaxis(np.array(array), axis, 0)
    array[place] = 0
    return np.moveaxis(array, 0, axis)


def _is_diagonal(jacobian):
    off_diagonal = jacobian - np.diag(np.diag(jacobian))
    return np.max(np.abs(off_diagonal), initial=0.0) <= MATCH * np.max(np.abs(jacobian), initial=0.0)


def _broadcasts(small, large):
    try:
        return np.broadcast_shapes(small, large) == large
    except ValueError:
        return False


def _repeated_axes(small, large):
    """The axes of ``large`` along which ``small`` was repeated, for reading aloud: "0 and 2"."""
    padded = (0,) * (len(large) - len(small)) + small
    return " and ".join(str(axis) for axis, (s, n) in enumerate(zip(padded, large, strict=True)) if s != n)
