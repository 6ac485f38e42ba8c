"""Mistakes that have a name: each rule says what would have come out, had the mistake been made.

A rule yields what fills the blanks of its sentence. It is asked again at other values and at larger sizes.
"""

from itertools import permutations

import numpy as np

from handgrad.functional import is_float, sum_to_shape
from handgrad.gradient_check.comparing import matches
from handgrad.gradient_check.evidence import is_diagonal
from handgrad.gradient_check.rule import Rules
from handgrad.gradient_check.variants import transposes, variants, with_distinct_ids
from handgrad.gradient_check.wording import listed

NAMES = Rules(clues=False)


@NAMES.add(
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


@NAMES.add("ALL_ZERO", "The {gradient} {is} 0 in every entry.", "If one entry moves, does the output stay where it is?")
def all_zero(e):
    if e.fits and np.size(e.given) and np.max(np.abs(e.given)) <= 1e-12 * np.max(np.abs(e.right)):
        yield {}


@NAMES.add(
    "GRADIENTS_SWAPPED",
    "What came back for {a} is the gradient of {b}, and for {b} that of {a}.",
    "In which order does forward take its inputs, and in which does backward return?",
    always=("a", "b"),
)
def swapped(e):
    if not matches(e.given, -e.right):
        yield from _came_for_each_other(e)


@NAMES.add(
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


@NAMES.add(
    "NOT_SUMMED_OVER_BROADCAST",
    "The {gradient} {has} the shape {given} of the output, but the input has {shape}: along axis {axes} it was "
    "repeated.",
    "What do the gradients of copies do?",
)
def not_summed(e):
    small, large = np.shape(e.x), np.shape(e.given)
    if np.size(e.given) > np.size(e.x) and _broadcasts(small, large) and matches(sum_to_shape(e.given, e.x), e.right):
        yield {"given": large, "shape": small, "axes": _repeated_axes(small, large)}


@NAMES.add(
    "TRANSPOSED",
    "The {gradient} {is} {right_one}, {how}.",
    "Which shape does the input have, and which axis of it goes with which axis of dz?",
)
def transposed(e):
    axes = tuple(range(np.ndim(e.right)))
    for order in permutations(axes):
        if order != axes and e.is_given(np.transpose(e.right, order)):
            yield {"how": "transposed" if len(axes) == 2 else "with the axes in another order"}


@NAMES.add(
    "WRONG_SHAPE",
    "The {gradient} {has} the right numbers in the shape {given}, but the input has {shape}.",
    "Which shape must a gradient have so that it can be subtracted from its input?",
)
def wrong_shape(e):
    if np.size(e.given) == np.size(e.right) and not e.fits and e.is_given(np.reshape(e.right, np.shape(e.given))):
        yield {"given": np.shape(e.given), "shape": np.shape(e.x)}


@NAMES.add(
    "FORGOT_UPSTREAM",
    "The {gradient} {is} what you would get if every upstream gradient were 1: {it} {does} not depend on dz.",
    "What does the chain rule do with the gradient that arrives from the output side?",
)
def forgot_upstream(e):
    if e.is_given(e.through(np.ones_like(e.dz))):
        yield {}


@NAMES.add(
    "UPSTREAM_TWICE",
    "The {gradient} {is} what comes out for the square of dz: doubling dz makes {it} four times as large.",
    "How many times does the upstream gradient enter?",
)
def upstream_twice(e):
    if e.is_given(e.through(e.dz**2)):
        yield {}


@NAMES.add(
    "WRONG_SIGN",
    "The {gradient} {has} the right size and the wrong direction: every sign is reversed.",
    "If this input rises a little, does the output rise or fall?",
)
def wrong_sign(e):
    if e.is_given(-e.right):
        yield {}


@NAMES.add(
    "REPEATED_IDS",
    "Ids occur more than once, and in the {gradient} such a row has {kept}.",
    "Each time that the row was looked up, the output depends on it: what do these dependences do together?",
    always=("kept",),
)
def repeated_ids(e):
    for ids in (np.asarray(x) for x in e.inputs if not is_float(x)):
        if np.ndim(e.x) == 0 or np.shape(e.dz) != ids.shape + np.shape(e.x)[1:]:
            continue
        rows, ids = e.dz[ids != -1], ids[ids != -1]  # -1 stands for no id
        if ids.size == len(np.unique(ids)) or not 0 <= ids.min() <= ids.max() < len(e.x):
            continue  # nothing is repeated; or these are no rows of this input
        for order in (slice(None), slice(None, None, -1)):
            kept = np.zeros(np.shape(e.x))
            kept[ids[order]] = rows[order]
            if e.is_given(kept):
                yield {"kept": "the gradient of one occurrence only"}
        counts = np.bincount(ids, minlength=len(e.x))
        if e.is_given(e.right / np.maximum(counts, 1).reshape(-1, *[1] * (np.ndim(e.x) - 1))):
            yield {"kept": "the mean of its occurrences"}


@NAMES.add(
    "REPEATED_IDS",
    "With ids that each occur once, the {gradient} {is} right; here some occur more than once.",
    "What happens to a row that is met a second time?",
)
def right_for_distinct_ids(e):
    for draws in with_distinct_ids(e.inputs) if e.part is None else ():
        if all(map(e.is_right_if, draws)):
            yield {}


@NAMES.add(
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


@NAMES.add(
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


@NAMES.add(
    "INPUT_FOR_OUTPUT",
    "The {gradient} {uses} the input where the formula speaks of the output.",
    "Is the slope, as you wrote it, a function of x or of z?",
)
def input_for_output(e):
    slopes = [lambda t: t * (1 - t), lambda t: 1 - t**2, lambda t: t]  # of σ, tanh and exp, in terms of the output
    if np.shape(e.x) == np.shape(e.z):
        if any(matches(e.right, e.dz * slope(e.z)) and e.is_given(e.dz * slope(e.x)) for slope in slopes):
            yield {}
        if np.ndim(e.z) and matches(e.right, _through_softmax(e.z, e.dz)) and e.is_given(_through_softmax(e.x, e.dz)):
            yield {}


@NAMES.add(
    "INDICATOR_IGNORED",
    "The {gradient} {is} right wherever the output moves with the input. At {n} entries the output does not move, and "
    "{extra} of them have a gradient too.",
    "When does an entry not matter?",
)
def indicator_ignored(e):
    extra = (e.right == 0) & (e.given != 0) if e.fits else np.array(False)
    if extra.any() and np.any(e.right) and not np.any(e.off & ~extra):
        yield {"n": int(np.count_nonzero(e.right == 0)), "extra": int(extra.sum())}


@NAMES.add(
    "OUTPUT_FOR_INPUT",
    "The {gradient} {is} the local slope at the output, and not at the input.",
    "Which of the two does your formula for the slope speak of, and which did forward keep?",
)
def slope_at_output(e):
    """Not where slopes are only 0 and 1, or the like: there, what looks like it may be another condition."""
    if e.is_elementwise and len(np.unique(np.round(e.slope_at(e.z), 6))) > 2 and e.is_given(e.dz * e.slope_at(e.z)):
        yield {}


@NAMES.add(
    "OUTPUT_FOR_INPUT",
    "The {gradient} {is} dz times the output of the gate; the right one is dz times an input.",
    "Which of the two does your formula speak of, and which did forward keep?",
)
def output_as_factor(e):
    same_shape = [x for x in e.inputs if np.shape(x) == np.shape(e.z) == np.shape(e.x)]
    if any(matches(e.right, e.dz * x) for x in same_shape) and e.is_given(e.dz * e.z):
        yield {}


@NAMES.add(
    "FUNCTION_FOR_SLOPE",
    "The {gradient} {is} dz times the output itself{sign}.",
    "What does the output do when the input moves a little: how large is it, or how steep?",
    always=("sign",),
)
def function_for_slope(e):
    for factor, sign in ((1, ""), (-1, ", with its sign reversed")) if np.shape(e.x) == np.shape(e.z) else ():
        if np.size(e.z) > 1 and e.is_given(factor * e.dz * e.z):
            yield {"sign": sign}


@NAMES.add(
    "DIAGONAL_ONLY",
    "The {gradient} {is} that of a gate in which each output depends on one entry only: the diagonal of the Jacobian.",
    "Which outputs move if you raise a single entry?",
)
def diagonal_only(e):
    m, n = e.jacobian.shape
    if m == n and np.shape(e.x) == np.shape(e.z) and not is_diagonal(e.jacobian):
        if e.is_given(e.dz * np.diag(e.jacobian).reshape(np.shape(e.z))):
            yield {}


@NAMES.add(
    "MEAN_OR_SUM",
    "The {gradient} {is} {right_one} {how} {n}, {which}.",
    "Does forward take a sum there, or a mean?",
    always=("how", "which"),
    varies="n",
)
def mean_or_sum(e):
    """A factor that is a number of entries changes with that number; a constant that equals it here does not."""
    counts = [(np.size(e.x), "the number of its entries")] if np.ndim(e.z) == 0 and np.ndim(e.x) > 1 else []
    for owner, array in {e.name: e.inputs[e.i], "the output": e.z, **dict(zip(e.names, e.inputs, strict=True))}.items():
        shape = np.shape(array)
        axes = [f"axis {axis}" if shape.count(n) == 1 else "an axis" for axis, n in enumerate(shape)]
        counts += [(n, f"the size of {axis} of {owner}") for axis, n in zip(axes, shape, strict=True) if n > 0]
    for n, which in counts:
        for how, candidate in (("divided by", e.right / n), ("times", e.right * n)):
            if e.is_given(candidate):
                yield {"how": how, "n": n, "which": which}


@NAMES.add(
    "OFF_BY_ONE",
    "The {gradient} {has} the right numbers one place away along axis {axis}.",
    "Where does the part that forward took begin, and where does it end?",
    always=("axis",),
)
def shifted(e):
    for axis, size in enumerate(np.shape(e.right)):
        for step in (1, -1) if size > 2 else ():  # of two, one place away is the other way round
            rolled = np.roll(e.right, step, axis)
            if e.is_given(rolled) or e.is_given(_zero_at(0 if step == 1 else -1, rolled, axis)):
                yield {"axis": axis}


@NAMES.add(
    "OFF_BY_ONE",
    "The {gradient} {is} right but for the {edge} entry along axis {axis}, which is zero.",
    "Where does the part that forward took begin, and where does it end?",
    always=("edge", "axis"),
)
def edge_left_out(e):
    for axis, size in enumerate(np.shape(e.right)):
        for place, word in ((0, "first"), (-1, "last")) if size > 1 else ():
            if e.is_given(_zero_at(place, e.right, axis)):
                yield {"edge": word, "axis": axis}


@NAMES.add(
    "OFF_BY_ONE",
    "The {gradient} {is} what comes out if every id of {j} is one {where}.",
    "At which number does forward begin to count?",
    always=("j", "where"),
)
def ids_off_by_one(e):
    for j, ids in enumerate(e.inputs):
        if not is_float(ids) and np.max(ids, initial=0) > 1:  # not flags
            sizes = set(np.shape(e.inputs[e.i])) - {0, 1, 2}  # ids count along an axis; -1 is its last place
            for size in sorted(sizes):
                for step, where in ((1, "higher"), (-1, "lower")):
                    if e.comes_out_if(j, (ids + step) % size):
                        yield {"j": e.names[j], "where": where}


@NAMES.add(
    "WRONG_AXIS",
    "In the {gradient} each row is multiplied by all of dz, where each row has one entry of it.",
    "Which axis of the input goes with the entries of dz?",
)
def upstream_along_the_other_axis(e):
    if np.ndim(e.z) == 1 and np.shape(e.x) == 2 * np.shape(e.z):
        rows = e.through(np.ones_like(e.dz))
        if matches(e.right, rows * e.dz[:, None]) and e.is_given(rows * e.dz):
            yield {}


@NAMES.add(
    "WRONG_AXIS",
    "The {gradient} {has} the right terms, added up along the other axis, which has the same size.",
    "Along which axis was the input repeated?",
)
def summed_over_the_other_axis(e):
    if np.ndim(e.z) == 2 and np.ndim(e.x) == 1 and np.shape(e.z) == 2 * np.shape(e.x):
        terms = e.right_if(e.i, np.array(np.broadcast_to(e.inputs[e.i], np.shape(e.z))))
        if terms is not None and e.is_given(terms.sum(axis=1)):
            yield {}


@NAMES.add(
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
            only = e.dz - _zero_at(place, e.dz, axis)
            ways[f"only the {word} entries of dz along axis {axis} count"] = only
    if e.dz.ndim == 2 and e.dz.shape[0] == e.dz.shape[1]:
        ways["dz is transposed"] = e.dz.T
    for what, dz in ways.items():
        if e.dz.size > 1 and e.is_given(e.through(dz)):
            yield {"what": what}


@NAMES.add(
    "ONE_INPUT_AS_ONES",
    "The {gradient} {is} what comes out if {what}.",
    "Does the slope depend on that input?",
    always=("what",),
)
def one_input_as_ones(e):
    for j, x in enumerate(e.inputs):
        if j != e.i and is_float(x) and e.comes_out_if(j, np.ones_like(x)):
            yield {"what": f"{'every entry of ' if np.ndim(x) else ''}{e.names[j]} is 1"}


@NAMES.add(
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


@NAMES.add(
    "WRONG_FACTOR",
    "The {gradient} {is} {factor:.6g} times {right_one}, in every entry.",
    "Which constant belongs to the slope of this function, and in how many places does it use the input?",
    always=("factor",),
)
def wrong_factor(e):
    if e.fits and np.count_nonzero(e.right) > 1:  # one number is a multiple of any
        factor = e.factor_of(e.right)
        if factor and f"{factor:.6g}" != "1":
            yield {"factor": factor}


@NAMES.add(
    "TERM_MISSING",
    "The {gradient} {is} {what}: that comes out if {rest}.",
    "Through how many factors of a product does the output move with its input?",
)
def one_term_of_a_product(e):
    if e.is_elementwise and np.all(e.x):
        secant = e.dz * e.z / e.x  # of z = x g(x), the term in which x moves and g stands still
        if e.is_given(secant):
            rest = "in the formula the input moves in one place only"
            yield {"what": f"dz times the output divided by {e.name}", "rest": rest}
        if e.is_given(e.right - secant):
            rest = "in the formula the input stands still in one place"
            yield {"what": f"the right one less dz times the output divided by {e.name}", "rest": rest}


@NAMES.add(
    "DIFFERENTIATED_TWICE",
    "The {gradient} {is} dz times the slope of the slope{constant}.",
    "How many times was the function differentiated?",
    always=("factor",),
)
def second_derivative(e):
    if e.is_elementwise and np.size(e.x) > 2:
        h = 1e-2
        near, far = (e.slope_at(e.x + k * h) - e.slope_at(e.x - k * h) for k in (1, 2))
        slope = (8 * near - far) / (12 * h)
        candidate, varies = e.dz * slope, np.ptp(slope) > 1e-3 * np.max(np.abs(slope))
        factor = e.factor_of(candidate) if varies else 1.0 if e.is_given(candidate) else None
        if factor:
            yield {"factor": factor, "constant": "" if np.isclose(factor, 1, atol=1e-5) else f", times {factor:.4g}"}


def _through_softmax(z, dz):
    return z * (dz - np.sum(z * dz, axis=-1, keepdims=True))


def _zero_at(place, array, axis):
    """A copy of ``array`` with zeros at one place along ``axis``."""
    array = np.moveaxis(np.array(array), axis, 0)
    array[place] = 0
    return np.moveaxis(array, 0, axis)


def _broadcasts(small, large):
    try:
        return np.broadcast_shapes(small, large) == large
    except ValueError:
        return False


def _repeated_axes(small, large):
    """The axes of ``large`` along which ``small`` was repeated."""
    padded = (0,) * (len(large) - len(small)) + small
    return listed(axis for axis, (s, n) in enumerate(zip(padded, large, strict=True)) if s != n)
