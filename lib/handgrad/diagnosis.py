"""Which mistake is it? One rule for each known way of getting a gradient wrong, on arrays alone.

A rule says what would come out if its mistake had been made. If that is what did come out, to a millionth,
the mistake has a name. The sentence says what is observed and asks the question that leads to the fix.
It never says the fix: finding that is the reader's.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from handgrad.functional import sum_to_shape

MATCH = 1e-6  # of the largest entry


@dataclass(frozen=True)
class Evidence:
    """What is known about one wrong gradient.

    given, right : what backward returned for input i, and what was measured
    jacobian : (m, n), of the m outputs with respect to the n entries of input i
    dz, z : upstream gradient and output
    inputs, i : all inputs, and which of them this is about
    all_given, all_right : the gradients of all inputs (None where there is none)
    slope_at : callable, array -> array: the elementwise slope if input i had other values
    """

    given: np.ndarray
    right: np.ndarray
    jacobian: np.ndarray
    dz: np.ndarray
    z: np.ndarray
    inputs: list
    i: int
    all_given: list
    all_right: list
    slope_at: Callable

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
    for code, rule in RULES:
        for candidate, text in rule(evidence):
            if _matches(evidence.given, candidate):
                return Diagnosis(code, text)
    return None


def swapped(e):
    for j, (given, right) in enumerate(zip(e.all_given, e.all_right, strict=True)):
        if j != e.i and right is not None and given is not None and _matches(given, e.right):
            yield (
                right,
                (
                    f"Input {e.i} got the gradient of input {j}, and input {j} that of input {e.i}. In which order "
                    "does forward take its inputs, and in which does backward return?"
                ),
            )


def not_summed(e):
    if np.size(e.given) > np.size(e.x) and _broadcasts(np.shape(e.x), np.shape(e.given)):
        axes = _repeated_axes(np.shape(e.x), np.shape(e.given))
        if _matches(sum_to_shape(e.given, e.x), e.right):
            yield (
                e.given,
                (
                    f"The gradient of input {e.i} has the shape {np.shape(e.given)} of the output, but the input has "
                    f"{np.shape(e.x)}: along axis {axes} it was repeated. What do the gradients of copies do?"
                ),
            )


def transposed(e):
    if np.ndim(e.right) == 2:
        yield (
            e.right.T,
            (
                f"The gradient of input {e.i} is the transpose of the right one. Which shape has the input, and "
                "which axis of it goes with which axis of dz?"
            ),
        )


def wrong_shape(e):
    if np.size(e.given) == np.size(e.right) and np.shape(e.given) != np.shape(e.right):
        yield (
            np.reshape(e.right, np.shape(e.given)),
            (
                f"The gradient of input {e.i} has the right numbers in the shape {np.shape(e.given)}, but the input "
                f"has {np.shape(e.x)}. Which shape must a gradient have so that it can be subtracted from its input?"
            ),
        )


def forgot_upstream(e):
    yield (
        e.through(np.ones_like(e.dz)),
        (
            f"The gradient of input {e.i} is what comes out if every upstream gradient is 1: it does not depend on dz. "
            "What does the chain rule do with the gradient that arrives from above?"
        ),
    )


def upstream_twice(e):
    yield (
        e.through(e.dz**2),
        (
            f"The gradient of input {e.i} grows with the square of dz: doubling dz makes it four times as large. "
            "How often does the upstream gradient enter?"
        ),
    )


def wrong_sign(e):
    yield (
        -e.right,
        (
            f"The gradient of input {e.i} has the right size and points the wrong way: every sign is reversed. If "
            "this input rises a little, does the output rise or fall?"
        ),
    )


def other_operand_transposed(e):
    if [np.ndim(x) for x in e.inputs[:2]] == [2, 2] and np.ndim(e.z) == 2 and e.i < 2:
        x, W = e.inputs[:2]
        factors = [(e.dz, W), (x, e.dz)][e.i]
        needed = [(e.dz, W.T), (x.T, e.dz)][e.i]  # only where forward is x W, perhaps with something added
        if all(a.shape[1] == b.shape[0] for a, b in (factors, needed)) and _matches(e.right, needed[0] @ needed[1]):
            yield (
                factors[0] @ factors[1],
                (
                    f"The gradient of input {e.i} is the product of dz and the other operand as it stands. Its "
                    "shape fits here only by chance: write down the shapes of the three matrices. Which product "
                    "fits for any shapes?"
                ),
            )


def output_for_input(e):
    if e.is_elementwise:
        yield (
            e.dz * e.slope_at(e.z),
            (
                f"The gradient of input {e.i} is the local slope at the output instead of at the input. Which of "
                "the two does your formula for the slope speak of, and which did forward keep?"
            ),
        )
    for used, needed in _factors(e):
        if needed is not e.z and used is e.z:
            yield (
                e.dz * e.z,
                (
                    f"The gradient of input {e.i} is dz times the output of the gate, where it should be dz times "
                    "an input. Which of the two does your formula speak of, and which did forward keep?"
                ),
            )


def input_for_output(e):
    slopes = [lambda t: t * (1 - t), lambda t: 1 - t**2, lambda t: t]  # of σ, tanh and exp, in terms of the output
    text = (
        f"The gradient of input {e.i} uses the input where its formula speaks of the output. Is the slope, as you "
        "wrote it, a function of x or of z?"
    )
    if np.shape(e.x) == np.shape(e.z):
        for slope in slopes:
            if _matches(e.right, e.dz * slope(e.z)):
                yield e.dz * slope(e.x), text
        shares = e.z * (e.dz - np.sum(e.z * e.dz, axis=-1, keepdims=True)) if np.ndim(e.z) else None
        if shares is not None and _matches(e.right, shares):
            yield e.x * (e.dz - np.sum(e.x * e.dz, axis=-1, keepdims=True)), text


def diagonal_only(e):
    m, n = e.jacobian.shape
    if m == n and np.shape(e.x) == np.shape(e.z) and not _is_diagonal(e.jacobian):
        yield (
            e.dz * np.diag(e.jacobian).reshape(np.shape(e.z)),
            (
                f"The gradient of input {e.i} is that of a gate in which each output depends on one entry only: the "
                "diagonal of the Jacobian. Which outputs move if you raise a single entry?"
            ),
        )


def repeated_ids(e):
    for ids in e.inputs:
        if not np.issubdtype(np.result_type(ids), np.integer) or np.ndim(e.x) == 0:
            continue
        ids = np.asarray(ids)
        if np.shape(e.dz) != ids.shape + np.shape(e.x)[1:] or ids.size == len(np.unique(ids)):
            continue
        if not 0 <= ids.min() <= ids.max() < len(e.x):
            continue  # labels, or something else that is no row of this input
        rows = e.dz.reshape(ids.size, *np.shape(e.x)[1:])
        text = (
            f"Ids occur more than once, and in the gradient of input {e.i} such a row has {{}}. Each time that the "
            "row was looked up, the output depends on it: what do these dependences do together?"
        )
        for order in (slice(None), slice(None, None, -1)):
            kept = np.zeros(np.shape(e.x))
            kept[ids.ravel()[order]] = rows[order]
            yield kept, text.format("the gradient of one occurrence only")
        counts = np.bincount(ids.ravel(), minlength=len(e.x))[: len(e.x)]
        yield (
            e.right / np.maximum(counts, 1).reshape(-1, *[1] * (np.ndim(e.x) - 1)),
            text.format("the mean of its occurrences"),
        )


def mean_or_sum(e):
    if np.shape(e.x) == np.shape(e.z):
        return
    if np.ndim(e.z) == 0 and np.ndim(e.x) > 1:
        n = np.size(e.x)
        for candidate, how in ((e.right / n, "divided by"), (e.right * n, "times")):
            yield (
                candidate,
                (
                    f"The gradient of input {e.i} is the right one {how} {n}, the number of its entries. Does "
                    "forward take their sum, or their mean?"
                ),
            )
    for owner, shape in ((f"input {e.i}", np.shape(e.x)), ("the output", np.shape(e.z))):
        for axis, n in enumerate(shape):
            which = f"axis {axis} of {owner}" if shape.count(n) == 1 else f"an axis of {owner}"
            if n > 2:  # a factor of 2 has too many other reasons
                yield (
                    e.right / n,
                    (
                        f"The gradient of input {e.i} is the right one divided by {n}, the size of {which}. Does "
                        "forward take a sum there, or a mean?"
                    ),
                )
                yield (
                    e.right * n,
                    (
                        f"The gradient of input {e.i} is the right one times {n}, the size of {which}. Does forward "
                        "take a sum there, or a mean?"
                    ),
                )


def off_by_one(e):
    text = (
        f"The gradient of input {e.i} has the right numbers one place away along axis {{}}. Where does the part "
        "that forward took begin, and where does it end?"
    )
    edge = (
        f"The gradient of input {e.i} is right but for the {{}} entry along axis {{}}, which is zero. Where does "
        "the part that forward took begin, and where does it end?"
    )
    for axis, size in enumerate(np.shape(e.right)):
        for step in (1, -1) if size > 2 else ():
            rolled = np.roll(e.right, step, axis)
            yield rolled, text.format(axis)
            rolled = np.moveaxis(rolled.copy(), axis, 0)
            rolled[0 if step == 1 else -1] = 0
            yield np.moveaxis(rolled, 0, axis), text.format(axis)
        for place, word in ((0, "first"), (-1, "last")) if size > 1 else ():
            cut = np.moveaxis(e.right.copy(), axis, 0)
            cut[place] = 0
            yield np.moveaxis(cut, 0, axis), edge.format(word, axis)


def wrong_factor(e):
    square = np.sum(e.right**2)
    if np.shape(e.given) == np.shape(e.right) and np.count_nonzero(e.right) > 1:  # one number is a multiple of any
        factor = float(np.sum(e.given * e.right) / square)
        yield (
            factor * e.right,
            (
                f"The gradient of input {e.i} is {factor:.6g} times the right one, in every entry. Which constant "
                "belongs to the slope of this function?"
            ),
        )


RULES = [
    ("GRADIENTS_SWAPPED", swapped),
    ("NOT_SUMMED_OVER_BROADCAST", not_summed),
    ("TRANSPOSED", transposed),
    ("WRONG_SHAPE", wrong_shape),
    ("FORGOT_UPSTREAM", forgot_upstream),
    ("UPSTREAM_TWICE", upstream_twice),
    ("WRONG_SIGN", wrong_sign),
    ("REPEATED_IDS", repeated_ids),
    ("OTHER_OPERAND_TRANSPOSED", other_operand_transposed),
    ("INPUT_FOR_OUTPUT", input_for_output),
    ("OUTPUT_FOR_INPUT", output_for_input),
    ("DIAGONAL_ONLY", diagonal_only),
    ("MEAN_OR_SUM", mean_or_sum),
    ("OFF_BY_ONE", off_by_one),
    ("WRONG_FACTOR", wrong_factor),
]


def _factors(e):
    """Pairs (used, needed) of arrays with given = dz · used and right = dz · needed, among the inputs and the "
    "output."""
    arrays = [a for a in (*e.inputs, e.z) if np.shape(a) == np.shape(e.dz) == np.shape(e.x)]
    needed = [a for a in arrays if _matches(e.right, e.dz * a)]
    return [(used, n) for used in arrays for n in needed]


def _matches(a, b):
    """Equal to a millionth, and not because both are nothing."""
    if np.shape(a) != np.shape(b) or np.size(a) == 0:
        return False
    scale = np.max(np.abs(b))
    return bool(scale > 0 and np.isfinite(scale) and np.max(np.abs(a - b)) <= MATCH * scale)


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
