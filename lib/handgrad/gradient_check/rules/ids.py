"""Ids: which rows they read, how often, and in which of their rows and columns the mistake lies."""

from itertools import combinations

import numpy as np

from handgrad.functional import is_float
from handgrad.gradient_check.comparing import agrees, matches, multiple_of
from handgrad.gradient_check.rule import clue, mistake
from handgrad.gradient_check.variants import with_distinct_ids
from handgrad.gradient_check.wording import listed, slices

MOST_EXAMPLES = 5  # of which each two are tried together
MOST_COLUMNS = 6  # of which some are tried together


@mistake(
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


@mistake(
    "REPEATED_IDS",
    "With ids that each occur once, the {gradient} {is} right; here some occur more than once.",
    "What happens to a row that is met a second time, in forward and in backward?",
)
def right_for_distinct_ids(e):
    """Where the other ids are drawn, a condition may be met by all: so it has to be right for each row of ids alone."""
    if (
        e.part is None
        and e.follows_upstream
        and not any(state not in ("right", "still") for state in _states_without_repetition(e))
    ):
        for draws in with_distinct_ids(e.inputs):
            if all(map(e.is_right_if, draws)):
                yield {}


@mistake(
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


@clue(
    "REPEATED_IDS",
    "Given two {rows} of {ids} that have no id in common, the {gradient} {is} right; given two that have, {it} {is} "
    "not.",
    "What happens to a row that is met a second time, in forward and in backward?",
)
def right_for_two_that_share_no_id(e):
    if e.table_of is None or not e.follows_upstream or set(_states(e)) - {"right", "still"}:
        return
    ids = np.asarray(e.inputs[e.table_of])
    live = np.flatnonzero([state == "right" for state in _states(e)])[:MOST_EXAMPLES]
    pairs = [list(map(int, pair)) for pair in combinations(live, 2)]
    told = [bool(np.any(ids[a] == ids[b])) for a, b in pairs]  # in the same column
    right = [_state(both) == "right" for both in e.given_rows(e.table_of, pairs)]
    if set(told) == {True, False} and right == [not shared for shared in told]:
        yield {"rows": _rows(ids), "ids": e.names[e.table_of]}


@clue(
    "INDICATOR_WRONG",
    "Given one {row} of {ids} at a time, the {gradient} {is} right for {right}; {wrong}.",
    "When does forward let an example count?",
)
def another_condition_for_rows(e):
    states = _states(e)
    if {"right", "still"} & set(states) and {"extra", "missing"} & set(states) and "wrong" not in states:
        ids = np.asarray(e.inputs[e.table_of])
        wrong = {
            "extra": "the output does not move, and backward returns numbers",
            "missing": "the output moves, and backward returns zeros",
        }
        told = [f"for {_which(ids, states, {state})} {what}" for state, what in wrong.items() if state in states]
        yield {
            "row": _row(ids),
            "ids": e.names[e.table_of],
            "right": _which(ids, states, {"right", "still"}),
            "wrong": "; ".join(told),
        }


@clue(
    "PART_RIGHT",
    "In the {gradient}, the wrong {rows} are those that are read by {ids}.",
    "In which terms of the formula do they stand?",
    always=("ids",),
)
def wrong_in_some_columns(e):
    """In each row of ids that is wrong alone, the wrong rows are those that the same columns read; others are right."""
    states = _states(e)
    wrong = [k for k, state in enumerate(states) if state not in ("right", "still")]
    if not e.fits or len(wrong) < max(2, states.count("right")):
        return
    off = {k: set(np.flatnonzero(_by_row(e.alone[e.table_of][k].off))) for k in wrong}
    moving = {k: set(np.flatnonzero(_by_row(e.alone[e.table_of][k].right != 0))) for k in wrong}
    if not any(moving[k] - off[k] for k in wrong):
        return
    for readers in _readers(e):
        fits = [words for words, ids in readers if all(set(ids[k]) - {-1} == off[k] for k in wrong)]
        if len(fits) == 1:
            yield {"rows": "entries" if np.ndim(e.x) == 1 else "rows", "ids": fits[0]}
        if fits:
            return


def _readers(e):
    """What may read some of the rows, in words and as ids (B, K): an input as a whole, or some columns of one.

    They come in groups, those that read less first.
    """
    length = len(e.inputs[e.table_of])
    all_ids = [
        (name, np.asarray(x)) for name, x in zip(e.names, e.inputs, strict=True) if np.ndim(x) and not is_float(x)
    ]
    all_ids = [(name, ids.reshape(length, -1)) for name, ids in all_ids if len(ids) == length]
    widest = max(ids.shape[1] for _, ids in all_ids)
    for size in range(1, min(widest, MOST_COLUMNS)):
        columns = [(name, ids, some) for name, ids in all_ids for some in combinations(_different(ids), size)]
        yield [
            (name if size == ids.shape[1] else f"column{'s' * (size > 1)} {listed(some)} of {name}", ids[:, some])
            for name, ids, some in columns
        ]
    yield all_ids if len(all_ids) > 1 else []


def _different(ids):
    """The columns of which none is the same as one before it."""
    return [c for c in range(ids.shape[1]) if not any(np.array_equal(ids[:, c], ids[:, b]) for b in range(c))]


@clue(
    "PART_RIGHT",
    "Given one {row} of {ids} at a time, the {gradient} {is} right for {right}, and wrong for {wrong}.",
    "What is different there?",
)
def wrong_for_some_rows(e):
    states = _states(e)
    if "right" in states and set(states) - {"right", "still"}:
        ids = np.asarray(e.inputs[e.table_of])
        wrong = _which(ids, states, {"wrong", "extra", "missing"})
        right = _which(ids, states, {"right", "still"})
        yield {"row": _row(ids), "ids": e.names[e.table_of], "right": right, "wrong": wrong}


@clue(
    "ONE_ROW_RIGHT",
    "Given one {row} of {ids} alone, the {gradient} {is} right.",
    "What does backward do with the numbers of several of them?",
)
def right_for_one_row_of_ids(e):
    states = _states(e)
    if states.count("right") > 1 and set(states) <= {"right", "still"}:
        ids = np.asarray(e.inputs[e.table_of])
        yield {"row": _row(ids), "ids": e.names[e.table_of]}


@clue(
    "TERM_WRONG",
    "Given one {row} of {ids} at a time, the {gradient} {is} off by a multiple of {what}.",
    "Which term is that? Is it missing, or is its factor wrong?",
    always=("what",),
)
def off_by_a_row_of_a_table(e):
    """A term's own factor is most often another for each row of ids: so nothing shows before they are alone."""
    wrong = [each for each, state in zip(e.alone[e.table_of], _states(e), strict=True) if state == "wrong"]
    if len(wrong) < 2 or np.ndim(e.x) != 2 or np.shape(e.x)[1] < 3:  # of two numbers, much is a multiple
        return
    ids = np.asarray(e.inputs[e.table_of])
    for name, table in zip(e.names, e.inputs, strict=True):
        if is_float(table) and np.ndim(table) == 2 and np.shape(table)[1] == np.shape(e.x)[1]:
            if all(_is_along_rows_of(table, (each.given - each.right)[_by_row(each.off)]) for each in wrong):
                yield {"row": _row(ids), "ids": e.names[e.table_of], "what": f"a row of {name}"}


def _is_along_rows_of(table, rows):
    return all(any(matches(multiple_of(row, other) * other, row) for other in table) for row in rows)


def _states(e):
    """Of each row of the ids alone, what ``_state`` says; none where the ids read no rows of this input."""
    return [] if e.table_of is None else [_state(each) for each in e.alone[e.table_of]]


def _states_without_repetition(e):
    """The states of those rows of the ids in which no id occurs twice."""
    ids = e.inputs[e.table_of] if e.table_of is not None else ()
    return [state for row, state in zip(ids, _states(e), strict=True) if np.size(row) == len(np.unique(row))]


def _state(e):
    """Right, still (rightly 0), extra (not 0 where nothing moves), missing (0 where something moves), or wrong."""
    slopes = e.slopes_of(e.i)
    moves = np.any(np.abs(np.where(slopes.kinks, 0.0, slopes.values)) > slopes.errors)
    if agrees(e.all_given[e.i], slopes):
        return "right" if moves else "still"
    if not e.fits or not np.isfinite(e.given).all():
        return "wrong"
    return "extra" if not moves else "wrong" if np.any(e.given) else "missing"


def _by_row(array):
    return np.reshape(array, (len(array), -1)).any(axis=1)


def _which(ids, states, some):
    return slices(np.ndim(ids), 0, np.flatnonzero([state in some for state in states]))


def _row(ids):
    return "entry" if np.ndim(ids) == 1 else "row"


def _rows(ids):
    return "entries" if np.ndim(ids) == 1 else "rows"
