"""Other inputs: as legal as the caller's, or such that a gradient may be right there, or what came back would be."""

import contextlib
from collections.abc import Callable, Iterable, Iterator
from itertools import combinations
from typing import Any

import numpy as np

from handgrad.functional import is_float

MOST_TABLES = 4  # of which some are tried together

Inputs = dict[int, Any]  # those that change, by their positions


def nearby(x: Any, rng: np.random.Generator, size: int | None = None) -> Any:
    """Other floats that are as legal: a little nearer to 0, or in another order where they are shares or flags."""
    if not is_float(x) or not np.size(x):
        return x
    if _are_shares_or_flags(x) and not np.array_equal(np.roll(x, 1, axis=-1), x):
        return np.roll(x, 1, axis=-1)
    factors = rng.uniform(0.8, 0.99, np.shape(x))
    if _are_in_order(x):
        return x * factors.flat[0]
    return (x * (factors + factors.T) / 2 if _is_symmetric(x) else x * factors)[()]


def redrawn(x: Any, rng: np.random.Generator, size: int | None = None, largest: float = 1.0) -> Any:
    """Floats as different as may be, and still of the same kind: in any order, from half to ``largest`` times as large.

    Where there are both signs, any entry may have either.
    """
    if not is_float(x) or np.size(x) < 2 or _are_shares_or_flags(x) or _are_in_order(x):
        return nearby(x, rng)
    signs = rng.choice([-1.0, 1.0], np.shape(x)) if np.min(x) < 0 < np.max(x) else 1.0
    return signs * rng.permutation(np.ravel(x)).reshape(np.shape(x)) * rng.uniform(0.5, largest, np.shape(x))


def drawn_large(x: Any, rng: np.random.Generator, size: float) -> Any:
    """Floats of either sign and about this size; shares, flags and what is in order stay so, zeros alone do not."""
    if not is_float(x) or (np.any(x) and (_are_shares_or_flags(x) or _are_in_order(x))):
        return nearby(x, rng)
    return size * rng.standard_normal(np.shape(x))


def has_one_sign(x: Any) -> bool:
    """Whether these floats are all above 0, or all below."""
    return is_scalable(x) and bool(np.all(x > 0) or np.all(x < 0))


def with_other_signs(x: Any) -> Any:
    """Floats of the same sizes, of which every other one has the other sign where all had one."""
    return (x * np.resize([-1.0, 1.0], np.shape(x)))[()] if has_one_sign(x) else x


def differ_in_size(x: Any) -> bool:
    """Whether some of these floats are of another order of magnitude than others."""
    sizes = np.abs(x)
    return is_scalable(x) and bool(np.max(sizes) > 10 * np.min(sizes[sizes > 0]))


def as_the_smallest(x: Any, rng: np.random.Generator) -> Any:
    """Floats of the same signs, all about as small as the smallest that is not 0."""
    if not differ_in_size(x):
        return nearby(x, rng)
    sizes = np.abs(x)
    return np.sign(x) * np.min(sizes[sizes > 0]) * rng.uniform(0.5, 1, np.shape(x))


def is_scalable(x: Any) -> bool:
    """Whether these are floats that are as legal at any other size: not shares, flags or what is in order."""
    return is_float(x) and bool(np.any(x)) and not _are_shares_or_flags(x) and not _are_in_order(x)


def small_step(x: Any, rng: np.random.Generator) -> np.ndarray:
    """About 1/1000 of each entry, to either side, and so short that what is in order stays so; none for shares."""
    if _are_shares_or_flags(x):
        return np.zeros(np.shape(x))
    size = 1e-3 * np.maximum(1, np.abs(x))
    if _are_in_order(x):
        size = np.minimum(size, np.min(np.abs(np.diff(x))) / 4)
    return size * rng.uniform(0.5, 1, np.shape(x)) * rng.choice([-1.0, 1.0], np.shape(x))


def _are_shares_or_flags(x):
    shares = np.ndim(x) > 0 and np.allclose(np.sum(x, axis=-1), 1) and np.min(x) >= 0
    return np.ndim(x) > 0 and (shares or are_flags(x))


def are_flags(x: Any) -> bool:
    """Whether these are flags, signs or labels: 0, 1 and -1."""
    return bool(np.isin(x, (-1, 0, 1)).all())


def _are_in_order(x):
    return np.ndim(x) == 1 and len(x) > 2 and (np.all(np.diff(x) > 0) or np.all(np.diff(x) < 0))


def _is_symmetric(x):
    return np.ndim(x) == 2 and np.shape(x)[0] == np.shape(x)[1] and np.array_equal(x, np.transpose(x))


def with_entries_twice(x: Any, rng: np.random.Generator, size: int | None) -> Any:
    """Each axis of this size twice as long: first the same entries, then others like them."""
    for axis in (axis for axis, n in enumerate(np.shape(x)) if n == size):
        x = np.concatenate([x, redrawn(x, rng)], axis=axis)
    return x


def with_axes_twice(inputs: list[Any], axes: Iterable[tuple[int, int]], rng: np.random.Generator) -> Inputs:
    """The inputs of which these axes, each an input's position and its axis, are twice as long."""
    longer: Inputs = {}
    for j, axis in axes:
        x = longer.get(j, inputs[j])
        longer[j] = np.concatenate([x, redrawn(x, rng)], axis=axis)
    return longer


def variants(inputs: list[Any], names: list[str], j: int) -> Iterator[tuple[str, np.ndarray]]:
    """What may have been taken for input j, in words and as an array: another matrix, one row, another input."""
    x, name = inputs[j], names[j]
    if not is_float(x) or not np.size(x):
        return
    if np.any(x):
        yield f"every entry of {name} is 0" if np.ndim(x) else f"{name} is 0", np.zeros_like(x)
    yield f"every sign in {name} is reversed", -x
    if _is_square(x):
        yield f"{name} is the identity", _identity_like(x)
    if np.ndim(x) and len(x) > 1:
        yield f"{name} has its first row in place of each", np.repeat(x[:1], len(x), axis=0)
        yield f"{name} has its last row in place of each", np.repeat(x[-1:], len(x), axis=0)
        yield f"{name} has its rows in reversed order", x[::-1].copy()
    for other, words in zip(inputs, names, strict=True):
        if other is not x and is_float(other) and np.shape(other) == np.shape(x):
            yield f"{name} has the values of {words}", other


def transposes(inputs: list[Any], names: list[str]) -> Iterator[tuple[str, Inputs]]:
    """Each square matrix among the inputs, transposed."""
    for j, (x, name) in enumerate(zip(inputs, names, strict=True)):
        if is_float(x) and _is_square(x):
            yield name, {j: np.swapaxes(x, -1, -2).copy()}


def symmetric_places(inputs: list[Any], names: list[str]) -> Iterator[tuple[str, Inputs]]:
    """Inputs where a square matrix is its own transpose."""
    for name, changed in transposes(inputs, names):
        yield name, {j: inputs[j] + x for j, x in changed.items()}


def special_places(inputs: list[Any], names: list[str]) -> Iterator[tuple[str, Inputs]]:
    """Inputs at which a term vanishes or two terms are the same, in words and as arrays."""
    for j, (x, name) in enumerate(zip(inputs, names, strict=True)):
        if not is_float(x) or not np.size(x):
            continue
        if np.ndim(x) > 1:
            yield f"all rows of {name} are alike", {j: np.repeat(x[:1], len(x), axis=0)}
            yield f"each row of {name} has the length 1", {j: x / np.linalg.norm(x, axis=-1, keepdims=True)}
        if _is_square(x):
            yield f"{name} is the identity", {j: _identity_like(x)}
        for number in (1, 0):
            words = f"every entry of {name}" if np.ndim(x) else name
            yield f"{words} is {number}", {j: np.full_like(x, number)}


def equal_places(inputs: list[Any], names: list[str]) -> Iterator[tuple[str, Inputs]]:
    """Inputs where one array is equal to another of its shape, in words and as arrays; then ids as well as floats."""
    pairs = [(a, b) for a, b in combinations(range(len(inputs)), 2) if np.shape(inputs[a]) == np.shape(inputs[b])]
    several = [(a, b) for a, b in pairs if np.size(inputs[a]) > 1]
    floats = [(a, b) for a, b in several if is_float(inputs[a]) and is_float(inputs[b])]
    ids = [(a, b) for a, b in several if not is_float(inputs[a]) and not is_float(inputs[b])]
    for some in [*([pair] for pair in floats), *([pair, of_ids] for pair in floats for of_ids in ids)]:
        yield _equal(inputs, names, some)


def _equal(inputs, names, pairs):
    words = (f"{names[second]} equal to {names[first]}" for first, second in pairs)
    return " and ".join(words), {second: np.array(inputs[first]) for first, second in pairs}


def one_row(inputs: list[Any], z: np.ndarray, row: int, forward: Callable[..., Any]) -> Inputs:
    """A batch of one: of all inputs whose first axis goes along a batch, one row. Empty if there is no batch.

    Where another axis has the batch's size by chance, a list of that size may go along either: then what forward
    says of the batch of one has to be what it says of that row of the batch.
    """
    sizes = [np.shape(a)[0] for a in ([z] if np.ndim(z) else inputs) if np.ndim(a)]
    size = max(sizes, key=sizes.count, default=1)
    along = [j for j, x in enumerate(inputs) if np.ndim(x) and len(x) == size]
    if size <= 1:
        return {}
    cut = {j: np.asarray(inputs[j])[[row]] for j in along}
    if not any(size in np.shape(a)[1:] for a in (*inputs, z)):
        return cut
    without_lists = {j: x for j, x in cut.items() if np.ndim(x) > 1 or not is_float(x)}
    for some in (cut, without_lists):
        with contextlib.suppress(Exception):
            alone = forward(*(some.get(j, x) for j, x in enumerate(inputs)))
            if np.ndim(z) and np.shape(alone) == (1, *np.shape(z)[1:]) and np.allclose(alone, z[[row]]):
                return some
    return {}


def some_examples(inputs: list[Any], j: int, rows: list[list[int]]) -> Iterator[list[Inputs]]:
    """For each group of rows the inputs where the ids, input j, have these alone; in each way to cut a batch.

    Floats that are as long as the ids may go along the batch, or be tables.
    """
    long = [i for i, x in enumerate(inputs) if np.ndim(x) and len(x) == len(inputs[j])]
    for cut in (long, [i for i in long if not is_float(inputs[i])]):
        yield [{i: np.asarray(inputs[i])[row] for i in cut} for row in rows]


def with_distinct_ids(inputs: list[Any]) -> Iterator[list[Inputs]]:
    """Inputs where no id occurs twice, and tables that are long enough for them; none if none occurs twice here.

    For each group of inputs that may be the tables: three draws.
    """
    ids = {j: np.asarray(x) for j, x in enumerate(inputs) if not is_float(x) and np.size(x)}
    used = np.concatenate([np.ravel(x) for x in ids.values()]) if ids else np.array([], int)
    used = used[used >= 0]  # -1 stands for no id
    if used.size == len(np.unique(used)):
        return
    may_be_tables = [j for j, x in enumerate(inputs) if is_float(x) and np.ndim(x) and used.max() < len(x)]
    groups = [[j for j in may_be_tables if len(inputs[j]) == n] for n in {len(inputs[j]) for j in may_be_tables}]
    matrices = [j for j, x in enumerate(inputs) if is_float(x) and np.ndim(x) > 1]  # a table for each column of ids
    several = range(2, len(may_be_tables)) if len(may_be_tables) <= MOST_TABLES else ()
    some = [list(few) for size in several for few in combinations(may_be_tables, size)]  # a batch may be as long
    for tables in [*groups, *([j] for j in may_be_tables), matrices, *(few for few in some if few not in groups)]:
        yield [_draw_distinct(inputs, ids, tables, used.size, np.random.default_rng([seed, 7919])) for seed in range(3)]


def _draw_distinct(inputs, ids, tables, n, rng):
    new = iter(rng.permutation(n))
    drawn = {
        j: np.array([next(new) if k >= 0 else k for k in np.ravel(x)], x.dtype).reshape(x.shape)[()]
        for j, x in ids.items()
    }
    for j in tables:
        drawn[j] = np.concatenate([redrawn(inputs[j], rng) for _ in range(1 + n // len(inputs[j]))])
    return drawn


def zero_at(place, array, axis):
    """A copy of ``array`` with zeros at one place along ``axis``."""
    array = np.moveaxis(np.array(array), axis, 0)
    array[place] = 0
    return np.moveaxis(array, 0, axis)


def _identity_like(x: np.ndarray) -> np.ndarray:
    return np.broadcast_to(np.eye(len(x[-1])), np.shape(x)).copy()


def _is_square(x: Any) -> bool:
    return np.ndim(x) > 1 and np.shape(x)[-1] == np.shape(x)[-2] > 1
