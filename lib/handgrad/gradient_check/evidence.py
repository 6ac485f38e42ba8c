"""What can be asked about one wrong gradient: rules ask, and the gate is run and measured to answer."""

import contextlib
import copy
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np

from handgrad.functional import is_float
from handgrad.gradient_check.comparing import MATCH, agrees, disagreement, equal, matches, multiple_of, same
from handgrad.gradient_check.measuring import answer_of, copies_of, draw_upstream, of_one_input
from handgrad.gradient_check.variants import are_flags, nearby, redrawn, some_examples, with_entries_twice
from handgrad.nodes import Gate
from handgrad.numerical import Slopes, measure_slopes, numerical_jacobian

MOST_SLOPES = 5000  # to be measured for one row of ids after another


class Evidence:
    """The gradient of one input under suspicion. Everything is measured when a rule asks for it, and once.

    Parameters
    ----------
    untouched : the gate before it was run; a copy of it is run here
    names, inputs, i : all inputs, what forward calls them, and which of them this is about
    dz : upstream gradient, by default drawn
    part : axis and indices, if only some slices of input i are looked at

    Attributes
    ----------
    x, given, right : input i, what backward returned for it, and what was measured
    z, dz : output and upstream gradient
    all_given : the gradients of all inputs, as they were returned
    kept : what forward left on the gate, by name
    written_to : the names of those that backward changed
    """

    def __init__(
        self,
        untouched: Gate,
        names: list[str],
        inputs: list[Any],
        i: int,
        dz: Any = None,
        part: tuple[int, np.ndarray] | None = None,
    ) -> None:
        self.untouched, self.names, self.inputs, self.i, self.part = untouched, names, inputs, i, part
        self.gate = copy.deepcopy(untouched)
        self.z = np.array(self.gate.forward(*inputs), dtype=np.float64)
        self.kept = {name: copy.copy(value) for name, value in vars(self.gate).items() if name[0] != "_"}
        self.dz = np.asarray(draw_upstream(np.shape(self.z), [*inputs, self.z], 2) if dz is None else dz)
        self.all_given = copies_of(self.gate.backward(self.dz.copy()[()]))
        arrays = {name: value for name, value in self.kept.items() if isinstance(value, np.ndarray)}
        self.written_to = [name for name, array in arrays.items() if not equal(array, vars(self.gate).get(name))]
        self.given, self.x = self._cut(self.all_given[i]), self._cut(inputs[i])
        self._slopes: dict[int, Slopes] = {}

    @property
    def name(self) -> str:
        return self.names[self.i]

    @property
    def right(self) -> np.ndarray:
        return self._cut(self.slopes_of(self.i).values)

    @property
    def errors(self) -> np.ndarray:
        """How far each of the measured slopes may be off."""
        return self._cut(self.slopes_of(self.i).errors)

    @property
    def off(self) -> np.ndarray:
        """Which entries are wrong, as the verdict has it."""
        return self._cut(disagreement(self.all_given[self.i], self.slopes_of(self.i)))

    @property
    def fits(self) -> bool:
        """Whether what came back has at least the shape of the input."""
        return np.shape(self.given) == np.shape(self.x)

    @property
    def is_right(self) -> bool:
        """Whether the gradient is right here, and not only because it is 0."""
        slopes = self.slopes_of(self.i)
        if self.part is None:
            return agrees(self.all_given[self.i], slopes) and not agrees(np.zeros(np.shape(slopes.values)), slopes)
        return matches(self.given, self.right)

    def slopes_of(self, j: int) -> Slopes:
        if j not in self._slopes:
            self._slopes[j] = measure_slopes(of_one_input(self.gate.forward, self.inputs, j), self.inputs[j], self.dz)
        return self._slopes[j]

    @cached_property
    def jacobian(self) -> np.ndarray:
        """(m, n), of the m outputs with respect to the n entries of input i."""
        jacobian = numerical_jacobian(of_one_input(self.gate.forward, self.inputs, self.i), self.inputs[self.i])
        return jacobian[:, self.entries]

    @property
    def entries(self) -> np.ndarray:
        """Which entries of input i these are, counted through."""
        return np.ravel(self._cut(np.arange(np.size(self.inputs[self.i])).reshape(np.shape(self.inputs[self.i]))))

    @cached_property
    def response(self) -> np.ndarray | None:
        """(m, n), as the Jacobian: what backward makes of each entry of dz alone; None if they do not add up."""
        ones = np.eye(self.dz.size).reshape(self.dz.size, *self.dz.shape)
        answers = [self.given_for(one) for one in ones] if self.fits and 0 < self.dz.size <= 400 else []
        rows = [answer for answer in answers if answer is not None and np.shape(answer) == np.shape(self.x)]
        if not rows or len(rows) < len(ones):
            return None
        response = np.stack([np.ravel(row) for row in rows])
        return response if matches((np.ravel(self.dz) @ response).reshape(np.shape(self.x)), self.given) else None

    @cached_property
    def follows_upstream(self) -> bool:
        """Whether what comes back grows and turns with dz. If not, what is right under one dz is so by chance."""
        others = ((factor, self.given_for(factor * self.dz)) for factor in (-1.0, 2.0, 1000.0))
        return all(other is not None and same(other, factor * self.given) for factor, other in others)

    @property
    def is_elementwise(self) -> bool:
        m, n = self.jacobian.shape
        return np.shape(self.x) == np.shape(self.z) and m == n and is_diagonal(self.jacobian)

    def is_given(self, candidate: Any) -> bool:
        """Whether this is what backward returned, to a millionth, and far closer to it than the right one is."""
        if candidate is None or not matches(self.given, candidate):
            return False
        if np.shape(candidate) != np.shape(self.right):
            return True
        return bool(np.max(np.abs(self.given - candidate)) <= 1e-2 * np.max(np.abs(self.given - self.right)))

    def factor_of(self, candidate: np.ndarray) -> float | None:
        """The number by which this is what backward returned; None if by none."""
        factor = multiple_of(self.given, candidate)
        return factor if factor and self.is_given(factor * candidate) else None

    def through(self, dz: np.ndarray) -> np.ndarray:
        """The gradient of input i, had the upstream gradient been ``dz``."""
        return (np.ravel(dz) @ self.jacobian).reshape(np.shape(self.x))

    def given_for(self, dz: np.ndarray) -> np.ndarray | None:
        """What backward returns for input i under another upstream gradient; None if it fails."""
        with contextlib.suppress(Exception):
            return self._cut(answer_of(copy.deepcopy(self.untouched), self.inputs, np.array(dz)[()])[self.i])
        return None

    def slope_at(self, x: Any) -> np.ndarray:
        """The elementwise slope if input i had other values."""
        inputs = list(self.inputs)
        inputs[self.i] = x if self.part is None else np.array(self.inputs[self.i])
        if self.part is not None:
            np.moveaxis(inputs[self.i], self.part[0], 0)[self.part[1]] = np.moveaxis(x, self.part[0], 0)
        there = Evidence(self.untouched, self.names, inputs, self.i, self.dz, self.part)
        return np.diag(there.jacobian).reshape(np.shape(x))

    def right_if(self, j: int, other: np.ndarray) -> np.ndarray | None:
        """The right gradient of input i if input j were another; None if it cannot be."""
        elsewhere = self.elsewhere({j: other}, dz=self.dz)
        return None if elsewhere is None else elsewhere.right

    def comes_out_if(self, j: int, other: np.ndarray) -> bool:
        """Whether what came back is right for another input j. Most often one entry shows that it is not."""
        with contextlib.suppress(Exception):
            inputs = [other if k == j else x for k, x in enumerate(self.inputs)]
            forward, x = of_one_input(copy.deepcopy(self.untouched).forward, inputs, self.i), np.array(inputs[self.i])
            full = self.all_given[self.i]
            worst = np.unravel_index(np.argmax(np.abs(full)), np.shape(full))

            def along(value):
                moved = x.copy()
                moved[worst] = value
                return forward(moved[()])

            slope = measure_slopes(along, x[worst], self.dz).values
            by_chance = self._has_right_sizes and not are_flags(self.inputs[j])
            if abs(slope - full[worst]) <= 1e-4 * abs(full[worst]) and not by_chance:
                return self.is_given(self.right_if(j, other))
        return False

    @property
    def _has_right_sizes(self) -> bool:
        """Whether only signs and zeros are wrong: those follow a condition, and other values may meet it by chance."""
        sizes = np.where(self.given == 0, 0.0, np.abs(self.right))
        return self.fits and matches(np.abs(self.given), sizes)

    def elsewhere(self, changed: dict[int, Any] | None = None, dz: Any = None) -> "Evidence | None":
        """The same gate where some inputs, by their positions, are others; None where it cannot be."""
        inputs = [(changed or {}).get(j, x) for j, x in enumerate(self.inputs)]
        with contextlib.suppress(Exception):  # some gates insist on a size, a range or a kind
            evidence = Evidence(self.untouched, self.names, inputs, self.i, dz, self.part)
            if np.isfinite(evidence.z).all() and np.isfinite(evidence.right).all():
                return evidence
        return None

    def is_right_if(self, changed: dict[int, Any] | None = None, dz: Any = None) -> bool:
        """Whether the gradient is right where some inputs, or the upstream gradient, are others."""
        other = self.elsewhere(changed, dz)
        return other is not None and other.is_right

    def beside_kinks(self) -> "Evidence":
        """The same, with those entries moved a little that are at a kink, or so near that their slopes are blurred."""
        rng = np.random.default_rng([11, 7919])
        changed: dict[int, Any] = {}
        for j, x in enumerate(self.inputs):
            if is_float(x):
                slopes = self.slopes_of(j)
                blurred = slopes.kinks | (slopes.errors > MATCH * np.max(np.abs(slopes.values), initial=0.0))
                step = 1e-3 * rng.uniform(0.5, 1, np.shape(x)) * np.maximum(1, np.abs(x))
                changed |= {j: x + step * blurred} if np.any(blurred) and not np.all(blurred) else {}
        beside = self.elsewhere(changed, self.dz) if changed else None
        return beside if beside is not None and not beside.is_right else self

    @cached_property
    def others(self) -> list["Evidence"]:
        """The same mistake at other values, and where axes are twice as long. Where it does not show, there is none.

        Nor where zeros alone come back, if here they do not: then a condition lets nothing through.
        """
        rng, found = np.random.default_rng([5, 7919]), []
        sizes = sorted({n for x in self.inputs for n in np.shape(x)} - {0, 1})
        for change, size in [(nearby, None), *3 * [(redrawn, None)], *((with_entries_twice, size) for size in sizes)]:
            whole = Evidence.elsewhere(self.whole, dict(enumerate(change(x, rng, size) for x in self.inputs)))
            found.append(whole if whole is None or self.part is None else whole.wrong_part(self.part[0]))
        comparable = [other for other in found if other is not None and other.fits == self.fits and not other.is_right]
        comparable = [other for other in comparable if np.any(other.given) or not np.any(self.given)]
        slopes = min(2, int(np.count_nonzero(self.right)))  # of a single one, anything is a multiple
        return [other for other in comparable if int(np.count_nonzero(other.right)) >= slopes]

    @cached_property
    def table_of(self) -> int | None:
        """The position of the ids that read rows of input i; None if none do, or if they make sense only together."""
        return next((j for j in range(len(self.inputs)) if self._is_read_by(j)), None)

    def _is_read_by(self, j: int) -> bool:
        """Whether with one row of the ids alone the output moves with no other rows of input i than it names."""
        long = [np.asarray(ids) for ids in self.inputs if not is_float(ids) and np.ndim(ids)]
        long = [ids for ids in long if len(ids) == len(self.alone[j])]
        moving = [set(np.flatnonzero(each.right.reshape(len(each.x), -1).any(axis=1))) for each in self.alone[j]]
        named = [set(np.concatenate([np.ravel(ids[k]) for ids in long])) for k in range(len(moving))]
        return any(moving) and all(rows <= of_row for rows, of_row in zip(moving, named, strict=True))

    @cached_property
    def alone(self) -> "dict[int, list[Evidence]]":
        """For each array of ids the same gate given one row of them at a time; none where input i goes with them."""
        found = {}
        for j, ids in enumerate(self.inputs):
            few = np.ndim(ids) > 0 and np.size(ids) and 1 < len(ids) and len(ids) * np.size(self.x) <= MOST_SLOPES
            fit = few and not is_float(ids) and np.ndim(self.x) > 0 and np.size(self.x) and self.part is None
            found[j] = self.given_rows(j, [[row] for row in range(len(ids))]) if fit else []
        return found

    def given_rows(self, j: int, rows: list[list[int]]) -> "list[Evidence]":
        """The same gate, given these rows of the ids that input j is; none where it cannot be, or input i is cut."""
        for cut in some_examples(self.inputs, j, rows):
            there = [self.elsewhere(changed) for changed in cut]
            if None not in there:
                return [] if self.i in cut[0] else [each for each in there if each is not None]
        return []

    @cached_property
    def whole(self) -> "Evidence":
        """This, with all slices of input i."""
        return self if self.part is None else Evidence(self.untouched, self.names, self.inputs, self.i, self.dz)

    def right_slices(self, axis: int) -> np.ndarray | None:
        """Which slices along an axis are right, if all others are wrong in each entry that is not 0; else None.

        Were some of the others' entries right, the mistake would follow something else than the slices.
        """
        if not self.fits or axis >= np.ndim(self.x):
            return None
        shows = np.maximum(np.abs(self.given), np.abs(self.right)) > MATCH * np.max(np.abs(self.right), initial=0.0)
        off, shows = (np.moveaxis(a, axis, 0).reshape(np.shape(a)[axis], -1) for a in (self.off, shows))
        fine = np.asarray(~off.any(axis=1))
        told = (fine & shows.any(axis=1)).any() and not fine.all() and (off | ~shows)[~fine].all()
        return fine if told else None

    def wrong_part(self, axis: int) -> "Evidence | None":
        """The same evidence about the slices that are wrong; None if none is right."""
        fine = self.right_slices(axis)
        if fine is None or self.part is not None:
            return None
        part = (axis, np.flatnonzero(~fine))
        return Evidence(self.untouched, self.names, self.inputs, self.i, self.dz, part)

    def known(self) -> Iterator[tuple[str, np.ndarray]]:
        """Arrays that the reader has a name for, in the shape of input i, or that repeat to it: no two the same."""
        kept = {f"what forward keeps as {name}": value for name, value in self.kept.items()}
        told: list[np.ndarray] = []
        numbers = [(name, np.asarray(x)) for name, x in zip(self.names, self.inputs, strict=True)]
        for words, value in [*numbers, ("the output", self.z), *kept.items()]:
            if isinstance(value, np.ndarray) and is_float(value) and np.isfinite(value).all():
                fitted = self._fitted(value)
                if fitted is not None and not any(np.array_equal(fitted, other) for other in told):
                    told.append(fitted)
                    yield words, fitted

    def _fitted(self, value: np.ndarray) -> np.ndarray | None:
        """``value`` in the shape of x: as it repeats, or with its axis for the rows; None if it is one number there."""
        for full in (np.shape(self.inputs[self.i]), np.shape(self.x)):
            for shape in (value.shape, (*value.shape, *[1] * (len(full) - value.ndim))):
                with contextlib.suppress(ValueError):
                    fitted = np.broadcast_to(value.reshape(shape), full)
                    fitted = fitted if full == np.shape(self.x) else self._cut(fitted)
                    if value.ndim == 0 or np.ptp(fitted) > 1e-3 * np.max(np.abs(fitted)):
                        return fitted
        return None

    def _cut(self, array: Any) -> Any:
        if self.part is None or array is None:
            return np.asarray(array)
        return np.take(array, self.part[1], axis=self.part[0])


def is_diagonal(jacobian: np.ndarray) -> bool:
    off_diagonal = jacobian - np.diag(np.diag(jacobian))
    return bool(np.max(np.abs(off_diagonal), initial=0.0) <= MATCH * np.max(np.abs(jacobian), initial=0.0))
