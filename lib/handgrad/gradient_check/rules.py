"""One rule for each known way of getting a gradient wrong.

Each rule yields what would have come out, and what fills the blanks of its sentence in diagnosis.RULES.
"""

from itertools import permutations

import numpy as np

from handgrad.functional import sum_to_shape
from handgrad.gradient_check.comparing import matches
from handgrad.gradient_check.evidence import is_diagonal


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
    if m == n and np.shape(e.x) == np.shape(e.z) and not is_diagonal(e.jacobian):
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
    """The axes of ``large`` along which ``small`` was repeated, for reading aloud: "0 and 2"."""
    padded = (0,) * (len(large) - len(small)) + small
    return " and ".join(str(axis) for axis, (s, n) in enumerate(zip(padded, large, strict=True)) if s != n)
