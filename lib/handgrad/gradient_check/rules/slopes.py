"""The local slope: its sign, a factor, a term, or another function in its place."""

import copy

import numpy as np

from handgrad.functional import is_float
from handgrad.gradient_check.comparing import MATCH, matches, multiple_of
from handgrad.gradient_check.jumps import is_staircase
from handgrad.gradient_check.measuring import of_one_input
from handgrad.gradient_check.rule import clue, mistake

LARGE = 1e3  # times what was fed: small constants no longer matter


@mistake(
    "STAIRCASE",
    "Where the {gradient} {is} wrong, the measured slope is 0, yet over a longer way forward's value changes: it is a "
    "staircase.",
    "Does it round, or use //?",
)
def slope_of_a_staircase(e):
    wrong = np.flatnonzero(e.off) if e.fits else np.array([], int)
    if wrong.size and not np.any(e.right[e.off]):
        entry = e.entries[wrong[np.argmax(np.abs(e.given[e.off]))]]
        if is_staircase(of_one_input(copy.deepcopy(e.untouched).forward, e.inputs, e.i), e.inputs[e.i], entry):
            yield {}


@mistake(
    "WHOLE_NUMBERS",
    "The {gradient} {is} the right one {cut}.",
    "Of which type is the array that takes it in?",
    always=("cut",),
)
def whole_numbers(e):
    cuts = {"without what stands behind the point": np.trunc, "rounded to whole numbers": np.rint}
    if len(np.unique(e.given)) > 1 or not np.any(e.given):  # all may be below 1
        yield from ({"cut": words} for words, cut in cuts.items() if np.array_equal(e.given, cut(e.right)))


@mistake(
    "WRONG_SIGN",
    "The {gradient} {has} the right size and the wrong direction: every sign is reversed.",
    "If this input rises a little, does the output rise or fall?",
)
def wrong_sign(e):
    if e.is_given(-e.right):
        yield {}


@mistake(
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


def _through_softmax(z, dz):
    return z * (dz - np.sum(z * dz, axis=-1, keepdims=True))


@mistake(
    "OUTPUT_FOR_INPUT",
    "The {gradient} {is} the local slope at the output, and not at the input.",
    "Which of the two does your formula for the slope speak of, and which did forward keep?",
)
def slope_at_output(e):
    """Not where slopes are only 0 and 1, or the like: there, what looks like it may be another condition."""
    if e.is_elementwise and len(np.unique(np.round(e.slope_at(e.z), 6))) > 2 and e.is_given(e.dz * e.slope_at(e.z)):
        yield {}


@mistake(
    "OUTPUT_FOR_INPUT",
    "The {gradient} {is} dz times the output of the gate; the right one is dz times an input.",
    "Which of the two does your formula speak of, and which did forward keep?",
)
def output_as_factor(e):
    same_shape = [x for x in e.inputs if np.shape(x) == np.shape(e.z) == np.shape(e.x)]
    if any(matches(e.right, e.dz * x) for x in same_shape) and e.is_given(e.dz * e.z):
        yield {}


@mistake(
    "FUNCTION_FOR_SLOPE",
    "The {gradient} {is} dz times the output itself{sign}.",
    "What does the output do when the input moves a little: how large is it, or how steep?",
    always=("sign",),
)
def function_for_slope(e):
    for factor, sign in ((1, ""), (-1, ", with its sign reversed")) if np.shape(e.x) == np.shape(e.z) else ():
        if np.size(e.z) > 1 and e.is_given(factor * e.dz * e.z):
            yield {"sign": sign}


@mistake(
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


@mistake(
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


@mistake(
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


@clue(
    "FACTOR",
    "The {gradient} {is} {right_one} {how} {what}{constant}.",
    "How many times does that enter the slope, and where?",
    always=("how", "what", "factor"),
)
def known_factor(e):
    for what, array in e.known() if e.fits else ():
        for how, candidate in (("times", e.right * array), ("divided by", e.right / array)):
            factor = e.factor_of(candidate)
            if factor:
                constant = "" if np.isclose(factor, 1, atol=1e-5) else f", and times {factor:.6g}"
                yield {"how": how, "what": what, "constant": constant, "factor": factor}


@clue(
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


@clue(
    "TERM_WRONG",
    "The {gradient} {is} off by {what}{where}.",
    "Which term is that? Is it missing, or is its factor wrong?",
    always=("what", "number"),
)
def off_by_a_known_array(e):
    """What is added to the right gradient, or lacks, goes along an array with a name: in each row, or as a whole.

    If a number times dz says by how much, that comes first: it has to be the same number elsewhere.
    """
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
            factor = multiple_of(off, array)
            is_one = matches(factor * array, off)
            where = "" if one_row else _as_often_as_it_is_read(e, off, array) or ", another in each row"
            if is_one:
                where = "" if one_row or not what else ", the same in each row"
                number, unit = (factor, "") if what.startswith("dz") else (factor / e.dz, " times dz")
                if np.ndim(number) == 0 and what:
                    number = f"{number:.4g}{unit}"
                    yield {"what": told, "where": f"{where}: {number}", "number": number}
            yield {"what": told, "where": where, "number": ""}
        elif array is not ones and np.shape(e.x)[-1] > 3 and _is_along(off, [array, ones]):
            told = f"a multiple of {what} and by the same number in every entry"
            where = ", the same in each row" if _are_along(off, [array, ones]) else ", others in each row"
            yield {"what": told, "where": "" if one_row else where, "number": ""}


def _as_often_as_it_is_read(e, off, array):
    """In words, if e.x is a table, and the multiple counts how many times ids name the row."""
    for name, ids in zip(e.names, e.inputs, strict=True) if e.part is None and np.ndim(e.x) == 2 else ():
        if not is_float(ids) and np.ndim(ids) and np.max(ids, initial=-1) < len(e.x):
            counts = np.bincount(np.ravel(ids)[np.ravel(ids) >= 0], minlength=len(e.x))[:, None]
            if np.ptp(counts) and matches(multiple_of(off, counts * array) * counts * array, off):
                return f", in each row as many times as {name} names it"
    return ""


def _is_along(off, arrays):
    """Whether each row of ``off`` is a sum of multiples of these arrays' rows."""
    rows = np.ndindex(np.shape(off)[:-1])
    return all(_are_along(off[row], [array[row] for array in arrays], np.max(np.abs(off))) for row in rows)


def _are_along(off, arrays, size=None):
    """Whether ``off`` as a whole is a sum of multiples of these arrays, to a millionth of ``size``."""
    basis = np.stack([np.ravel(array) for array in arrays], axis=1)
    residual = np.ravel(off) - basis @ np.linalg.lstsq(basis, np.ravel(off), rcond=None)[0]
    return bool(np.max(np.abs(residual)) <= MATCH * (np.max(np.abs(off)) if size is None else size))


@clue(
    "ROW_SUM",
    "Each row of the {gradient} has to add up to 0, and here one adds up to {sum:.4g}.",
    "If all entries of a row rise together, does the output move?",
)
def row_sum(e):
    if np.ndim(e.x) > 1:
        yield from _sums_that_are_off(e)


@clue(
    "ROW_SUM",
    "The entries of the {gradient} have to add up to 0, and here they add up to {sum:.4g}.",
    "If all of them rise together, does the output move?",
)
def entries_sum(e):
    if np.ndim(e.x) == 1:
        yield from _sums_that_are_off(e)


def _sums_that_are_off(e):
    if e.fits and np.shape(e.x)[-1] > 2 and np.isfinite(e.given).all():
        sums, size = np.abs(np.sum(e.right, axis=-1)), np.abs(e.right).max(axis=-1, initial=0.0)
        given = np.ravel(e.given.sum(axis=-1))
        off = given[np.argmax(np.abs(given))]
        if np.any(size) and np.all(sums <= MATCH * size) and np.abs(off) > 1e-3 * size.max():
            yield {"sum": off if np.ndim(e.x) == 1 else np.abs(off)}


@clue(
    "ROW_SUM",
    "Each row of the {gradient} adds up to 0, yet the output moves if all entries of a row of {name} rise together.",
    "Should it move, or is forward wrong?",
)
def row_sum_of_forward(e):
    if e.fits and np.ndim(e.x) > 1 and np.shape(e.x)[-1] > 2 and np.isfinite(e.given).all():
        given, right = (np.abs(np.sum(array, axis=-1)) for array in (e.given, e.right))
        stays = np.any(e.given) and np.all(given <= MATCH * np.max(np.abs(e.given)))
        if stays and np.any(right > 1e-3 * np.max(np.abs(e.right))):
            yield {"name": e.name}


@clue(
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


@clue(
    "ROW_SCALE",
    "Where {name} is large, a row of it may grow as a whole, by the same factor in every entry, and the output stays "
    "as it is; by the {gradient} it moves.",
    "Which parts of the formula grow with the row?",
)
def row_scale_where_large(e):
    """As the row's mean and deviation do: what is divided by both stays but for a small constant beside them."""
    large = e.elsewhere({e.i: LARGE * e.inputs[e.i]}, dz=e.dz)
    if large is not None and any(True for _ in row_scale.explain(large)):
        yield {"name": e.name}


@clue(
    "SCALE_KEPT",
    "The {gradient} {is} {times} as large with {what} twice as large, though the slopes stay as they are.",
    "Which saved value still has its scale?",
    always=("what", "times"),
)
def grows_with_another_input(e):
    yield from _grows(e, 1)


@clue(
    "SCALE_KEPT",
    "Where {what} is large, the {gradient} {is} {times} as large with {what} twice as large, though the slopes stay as "
    "they are.",
    "Which saved value still has its scale?",
    always=("what", "times"),
)
def grows_where_another_input_is_large(e):
    yield from _grows(e, LARGE)


def _grows(e, size):
    for j, x in enumerate(e.inputs):
        if j != e.i and is_float(x) and np.size(x) > 1:
            once, twice = (e.elsewhere({j: times * x}, dz=e.dz) for times in (size, 2 * size))
            if once is not None and twice is not None and matches(twice.right, once.right):
                for factor, times in ((2, "twice"), (0.5, "half"), (4, "four times")):
                    if matches(twice.given, factor * once.given):
                        yield {"what": e.names[j], "times": times}
