"""Shapes and axes: a sum that was forgotten, or taken along another axis; a matrix that was to be transposed."""

from itertools import combinations, permutations

import numpy as np

from handgrad.functional import sum_to_shape
from handgrad.gradient_check.comparing import matches
from handgrad.gradient_check.evidence import is_diagonal
from handgrad.gradient_check.rule import clue, mistake
from handgrad.gradient_check.variants import symmetric_places, transposes, with_axes_twice
from handgrad.gradient_check.wording import listed

MOST_AXES = 6  # of one size, of which some are made longer


@mistake(
    "NOT_SUMMED_OVER_BROADCAST",
    "The {gradient} {has} the shape {given}{whose}, but the input has {shape}: along axis {axes} it was repeated.",
    "What do the gradients of copies do?",
)
def not_summed(e):
    small, large = np.shape(e.x), np.shape(e.given)
    if np.size(e.given) > np.size(e.x) and _broadcasts(small, large) and matches(sum_to_shape(e.given, e.x), e.right):
        whose = " of the output" if large == np.shape(e.z) else ""
        yield {"given": large, "whose": whose, "shape": small, "axes": _repeated_axes(small, large)}


def _broadcasts(small, large):
    try:
        return np.broadcast_shapes(small, large) == large
    except ValueError:
        return False


def _repeated_axes(small, large):
    """The axes of ``large`` along which ``small`` was repeated."""
    padded = (0,) * (len(large) - len(small)) + small
    return listed(axis for axis, (s, n) in enumerate(zip(padded, large, strict=True)) if s != n)


@mistake(
    "TRANSPOSED",
    "The {gradient} {is} {right_one}, {how}.",
    "Which shape does the input have, and which axis of it goes with which axis of dz?",
)
def transposed(e):
    axes = tuple(range(np.ndim(e.right)))
    for order in permutations(axes):
        if order != axes and e.is_given(np.transpose(e.right, order)):
            yield {"how": "transposed" if len(axes) == 2 else "with the axes in another order"}


@clue(
    "MIRRORED",
    "What is off at an entry of the {gradient} is off at the mirrored entry with the other sign.",
    "Which index is that of the row, and which that of the column?",
)
def off_at_mirrored_entries(e):
    if e.fits and np.ndim(e.x) == 2 and np.shape(e.x)[0] == np.shape(e.x)[1] and np.any(e.off):
        off = e.given - e.right
        if np.max(np.abs(off + off.T)) <= 1e-5 * np.max(np.abs(off)):
            yield {}


@mistake(
    "WRONG_SHAPE",
    "The {gradient} {has} the right numbers in the shape {given}, but the input has {shape}.",
    "Which shape must a gradient have so that it can be subtracted from its input?",
)
def wrong_shape(e):
    if np.size(e.given) == np.size(e.right) and not e.fits and e.is_given(np.reshape(e.right, np.shape(e.given))):
        yield {"given": np.shape(e.given), "shape": np.shape(e.x)}


@mistake(
    "OTHER_OPERAND_TRANSPOSED",
    "The {gradient} {is} the product of dz and the other operand as it stands. Its shape fits here only by chance: "
    "write down the shapes of the three matrices.",
    "Which product fits for any shapes?",
)
def other_operand_transposed(e):
    if [np.ndim(x) for x in e.inputs[:2]] == [2, 2] and np.ndim(e.z) == 2 and e.i < 2:
        x, W = e.inputs[:2]
        used = [(e.dz, W), (x, e.dz)][e.i]
        needed = [(e.dz, W.T), (x.T, e.dz)][e.i]  # only where forward is x W, perhaps with something added
        if all(a.shape[1] == b.shape[0] for a, b in (used, needed)) and matches(e.right, needed[0] @ needed[1]):
            if e.is_given(used[0] @ used[1]):
                yield {}


@mistake(
    "OTHER_OPERAND_TRANSPOSED",
    "The {gradient} {is} what comes out if {what} is transposed.",
    "Which axis of that matrix meets which axis of dz?",
    always=("what",),
)
def other_input_transposed(e):
    for what, changed in transposes(e.inputs, e.names):
        for j, other in changed.items():
            if e.comes_out_if(j, other):
                yield {"what": what}


@clue(
    "OTHER_OPERAND_TRANSPOSED",
    "Where {what} equals its transpose, the {gradient} {is} right.",
    "Which axis of that matrix meets which axis of dz?",
    always=("what",),
)
def right_for_symmetric(e):
    for what, changed in symmetric_places(e.inputs, e.names):
        if e.is_right_if(changed):
            yield {"what": what}


@mistake(
    "DIAGONAL_ONLY",
    "The {gradient} {is} that of a gate in which each output depends on one entry only: the diagonal of the Jacobian.",
    "Which outputs move if you raise a single entry?",
)
def diagonal_only(e):
    m, n = e.jacobian.shape
    if m == n and np.shape(e.x) == np.shape(e.z) and not is_diagonal(e.jacobian):
        if e.is_given(e.dz * np.diag(e.jacobian).reshape(np.shape(e.z))):
            yield {}


@mistake(
    "MEAN_OR_SUM",
    "The {gradient} {is} {right_one} divided by {n}, the size of axis {axis} of the output, along which {name} was "
    "repeated.",
    "How many copies does forward make of each entry, and what do their gradients do together?",
    always=("axis",),
    varies="n",
)
def mean_of_copies(e):
    small, large = np.shape(e.inputs[e.i]), np.shape(e.z)
    padded = (1,) * (len(large) - len(small)) + small
    for axis, n in enumerate(large) if _broadcasts(small, large) else ():
        if padded[axis] == 1 < n and e.is_given(e.right / n):
            yield {"n": n, "axis": axis, "name": e.name}


@mistake(
    "MEAN_OR_SUM",
    "The {gradient} {is} {right_one} {how} {n}, {which}.",
    "Does forward take a sum there, or a mean, and what does backward take?",
    always=("how", "which"),
    varies="n",
)
def mean_or_sum(e):
    """A factor that is a number of entries changes with that number; a constant that equals it here does not."""
    axes: dict[int, str] = {}
    for n, which in _sizes(e):
        for how, power in (("divided by", -1.0), ("times", 1.0)):
            if e.is_given(e.right * n**power):
                axes[n] = axes[n] if n in axes else _axis_of(e, n, power)
                yield {"how": how, "n": n, "which": axes[n] or which}


@mistake(
    "WRONG_FACTOR",
    "The {gradient} {is} {factor:.6g} times {right_one}, in every entry: that is {how} of {n}, {which}.",
    "Which root does forward take, and where does it stand in the slope?",
    always=("how", "which"),
    varies="n",
)
def root_of_a_size(e):
    for n, which in _sizes(e):
        for how, factor in (("the root", np.sqrt(n)), ("1 over the root", 1 / np.sqrt(n))):
            if n > 1 and e.is_given(e.right * factor):
                power = 0.5 if factor > 1 else -0.5
                yield {"how": how, "n": n, "factor": factor, "which": _axis_of(e, n, power) or which}


def _sizes(e):
    """Numbers of entries, and what each of them is the number of."""
    counts = [(np.size(e.x), "the number of its entries")] if np.ndim(e.z) == 0 and np.ndim(e.x) > 1 else []
    for owner, array in {e.name: e.inputs[e.i], "the output": e.z, **dict(zip(e.names, e.inputs, strict=True))}.items():
        shape = np.shape(array)
        axes = [f"axis {axis}" if shape.count(n) == 1 else "an axis" for axis, n in enumerate(shape)]
        counts += [(n, f"the size of {axis} of {owner}") for axis, n in zip(axes, shape, strict=True) if n > 0]
    return counts


def _axis_of(e, n, power):
    """Which of several inputs' axes of size n the factor n**power goes with, if these may have different sizes.

    Some of them are made twice as long, where forward takes them so: the factor grows with its own axis alone.
    """
    axes = [(j, axis) for j, x in enumerate(e.inputs) for axis, size in enumerate(np.shape(x)) if size == n]
    if e.part is not None or len({j for j, _ in axes}) < 2 or len(axes) > MOST_AXES:
        return ""
    rng, may_differ = np.random.default_rng([23, 7919]), False
    for some in (some for k in range(1, len(axes)) for some in combinations(axes, k)):
        there = e.elsewhere(with_axes_twice(e.inputs, some, rng))
        if there is not None and there.is_given(there.right * (2 * n) ** power):
            j, axis = next((each for each in some if each[0] == e.i), some[0])
            return f"the size of axis {axis} of {e.names[j]}"
        may_differ |= there is not None
    return "a size that several axes have" if may_differ else ""


@mistake(
    "WRONG_AXIS",
    "The {gradient} {has} the right terms, added up along the other axis, which has the same size.",
    "Along which axis was the input repeated?",
)
def summed_over_the_other_axis(e):
    if np.ndim(e.z) == 2 and np.ndim(e.x) == 1 and np.shape(e.z) == 2 * np.shape(e.x):
        terms = e.right_if(e.i, np.array(np.broadcast_to(e.inputs[e.i], np.shape(e.z))))
        if terms is not None and e.is_given(terms.sum(axis=1)):
            yield {}
