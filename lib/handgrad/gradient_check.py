"""Is this gradient right? Compare it with slopes that were measured, and if it is wrong, find the gate to blame."""

import contextlib
import copy
from dataclasses import dataclass
from html import escape

import numpy as np

from handgrad.diagnosis import Evidence, diagnose, matches
from handgrad.graph import ComputationalGraph
from handgrad.numerical import measure_slopes, numerical_jacobian

TOLERANCE = 1e-6  # of the largest slope in the gradient, besides what the measurement itself may be off


class GradientCheckError(AssertionError):
    """A gradient does not agree with the measured slopes."""


@dataclass(frozen=True)
class GradientReport:
    """What a gradient check found.

    ok : whether every gradient agrees with the measured slopes
    text : one line when right, a paragraph when wrong
    mistake : a code such as FORGOT_UPSTREAM if the mistake is a known one, else None
    skipped : number of entries at a kink, where no slope exists
    """

    ok: bool
    text: str
    mistake: str | None = None
    skipped: int = 0

    def __repr__(self):
        return self.text

    def _repr_html_(self):
        return verdict_line(self.ok, self.mistake, self.text)

    def raise_if_wrong(self):
        if not self.ok:
            raise GradientCheckError(self.text)


def verdict_line(ok, code, text):
    """A verdict as a line of HTML for notebooks; ``code`` is a short name to go before the text, or None."""
    word, mark = ("verified", "✓") if ok else ("failed", "✗")
    code = f"<code>{escape(code)}</code> " if code else ""
    return (
        f'<p class="hg-verify hg-{word}"><span class="hg-mark" aria-hidden="true">{mark}</span> '
        f"<strong>{word}</strong> {code}{escape(text)}</p>"
    )


def check_gate(gate, *inputs, seed=0):
    """Check every gradient that ``gate.backward`` returns, at ``inputs``, under a random upstream gradient.

    Random, because an upstream of ones passes gates that are wrong: the rows of a softmax sum to one, so
    under ones even a backward that returns zeros is right.

    Parameters
    ----------
    gate : Gate
    *inputs : arrays or numbers, as for ``gate.forward``; floats are checked in float64, integers (ids,
        labels) must get the gradient None
    seed : int, of the random upstream gradient

    Returns
    -------
    GradientReport
    """
    name, inputs = type(gate).__name__, [_as_float64(x) for x in inputs]
    untouched, kept = copy.deepcopy(gate), copy.deepcopy(inputs)
    _run_elsewhere(gate, inputs)  # whatever a pass at other inputs leaves behind is stale now
    z = np.asarray(gate.forward(*inputs))
    is_coarse = _is_float(z) and z.dtype.itemsize < 8  # float32 for float64
    z = np.array(z, dtype=np.float64)[()]
    if not _equal(z, np.asarray(gate.forward(*inputs), dtype=np.float64)) and _all_equal(inputs, kept):
        text = f"{name}: forward gave two answers to the same inputs. On what, other than them, does it depend?"
        return GradientReport(False, text, "IMPURE_FORWARD")
    dz = np.random.default_rng(seed).standard_normal(np.shape(z))[()]
    upstream = copy.deepcopy(dz)
    try:
        given = _copies(gate.backward(upstream))
        again = _copies(gate.backward(copy.deepcopy(dz))) or []
    except Exception as error:
        text = f"{name}.backward failed with {type(error).__name__}: {error} Which shapes meet there?"
        return GradientReport(False, text, "BACKWARD_FAILED")

    wrong_form = _wrong_form(name, given, inputs)
    if wrong_form:
        return wrong_form
    if not _all_equal([*inputs, upstream], [*kept, dz]):
        text = f"{name} changed its inputs or the upstream gradient. Who else may hold the array that it wrote to?"
        return GradientReport(False, text, "CHANGED_INPUTS")
    if not _all_equal(given, again):
        fresh = copy.deepcopy(untouched)
        fresh.forward(*inputs)
        return _answers_differ(name, [_copies(fresh.backward(copy.deepcopy(dz))) or [] for _ in range(3)])

    measured = {i: measure_slopes(_forward_of(gate, inputs, i), x, dz) for i, x in enumerate(inputs) if _is_float(x)}
    report = _judge(name, gate, untouched, inputs, z, dz, given, measured)
    if is_coarse and not report.mistake and (report.skipped or not report.ok):
        text = f"{name}: forward got float64 and returned fewer digits, too few to measure slopes. Where does it round?"
        return GradientReport(False, text, None, report.skipped)
    return report


def check_graph(graph, feeds=None, /, seed=0, **inputs):
    """Check the gradient of every leaf of a graph, and if one is wrong, find the gate or the node to blame.

    Parameters
    ----------
    graph : ComputationalGraph
    feeds, **inputs : the leaves' values, as for ``graph.forward``; parameters may be left out
    seed : int, of the random upstream gradients

    Returns
    -------
    GradientReport
    """
    feeds = {**(feeds or {}), **inputs}
    graph.require_names(feeds)
    fed = {name: _as_float64(feeds[name] if name in feeds else leaf.value) for name, leaf in graph.leaves.items()}
    wrong_gate = _wrong_gate(graph, fed, seed)
    if wrong_gate:
        return wrong_gate

    values = _as_list(graph.forward(fed))
    rng = np.random.default_rng(seed)
    upstreams = [rng.standard_normal(np.shape(v))[()] for v in values]
    dz = upstreams if len(upstreams) > 1 else upstreams[0]
    given = {name: _dense(gradient) for name, gradient in graph.backward(dz).items()}
    again = {name: _dense(gradient) for name, gradient in graph.backward(dz).items()}
    if not _all_equal(given.values(), again.values()):
        third = {name: _dense(gradient) for name, gradient in graph.backward(dz).items()}
        return _answers_differ("The graph", [list(answer.values()) for answer in (given, again, third)])

    trusted = ComputationalGraph(*graph.outputs)

    def upstream_dot_outputs(name, x):
        outputs = _as_list(trusted.forward({**fed, name: x}))
        return sum(np.sum(u * np.asarray(v)) for u, v in zip(upstreams, outputs, strict=True))

    skipped, wrong = 0, []
    for name, x in fed.items():
        if _is_float(x):
            measured = measure_slopes(lambda x, name=name: upstream_dot_outputs(name, x), x, 1.0)
            skipped += int(measured.kinks.sum())
            if not _agrees(given.get(name, np.zeros(np.shape(x))), measured):
                wrong.append(name)
    if not wrong:
        text = f"The graph's gradients agree with the measured slopes{_skips(skipped)}."
        return GradientReport(True, text, None, skipped)
    return _lost_on_the_way(graph, trusted, fed, dz, wrong)


def _wrong_gate(graph, fed, seed):
    """The first gate that fails its own check at the values that reach it, as a report; or None."""
    values = {}
    for node in graph.nodes:
        if node.gate is None:
            values[node] = fed[node.name]
            continue
        inputs = [values[i] for i in node.inputs]
        values[node] = _as_float64(copy.deepcopy(node.gate).forward(*copy.deepcopy(inputs)))
        report = check_gate(copy.deepcopy(node.gate), *copy.deepcopy(inputs), seed=seed)
        if not report.ok:
            return GradientReport(False, f"In the graph, at {node}: {report.text}", report.mistake)
    return None


def _judge(name, gate, untouched, inputs, z, dz, given, measured):
    """Right, or wrong and why."""
    skipped = sum(int(slopes.kinks.sum()) for slopes in measured.values())
    wrong = []
    for i, slopes in measured.items():
        if slopes.kinks.size and slopes.kinks.all():
            text = f"{name}: every entry of input {i} is at a kink, where there is no slope: check elsewhere."
            return GradientReport(False, text, None, skipped)
        if not _agrees(given[i], slopes):
            wrong.append(i)
    if not wrong:
        return GradientReport(
            True, f"{name}: backward agrees with the measured slopes{_skips(skipped)}.", None, skipped
        )

    observed = _observed(name, inputs, given, measured, wrong)
    fresh = copy.deepcopy(untouched)
    fresh.forward(*inputs)
    if all(_agrees(g, measured[i]) for i, g in enumerate(_copies(fresh.backward(dz))) if i in measured):
        text = (
            f"{observed} Right after its first forward it is right; after a forward elsewhere and then here, it is "
            "not. What does forward keep, and when?"
        )
        return GradientReport(False, text, "STALE_CACHE", skipped)
    for i in wrong:
        finding = diagnose(_evidence(untouched, inputs, z, dz, given, measured, i))
        if finding:
            return GradientReport(False, f"{observed} {finding.text}", finding.code, skipped)
    if np.shape(given[wrong[0]]) != np.shape(inputs[wrong[0]]):
        question = "Write down the shapes of all that meet in backward: at which step does it become another one?"
        return GradientReport(False, f"{observed} {question}", "WRONG_SHAPE", skipped)
    return GradientReport(False, observed, None, skipped)


def _evidence(untouched, inputs, z, dz, given, measured, i):
    gate = copy.deepcopy(untouched)
    gate.forward(*inputs)
    forward = _forward_of(gate, inputs, i)
    right = [measured[j].values if j in measured else None for j in range(len(inputs))]

    def slope_at(x):
        with np.errstate(all="ignore"):
            return np.diag(numerical_jacobian(forward, x)).reshape(np.shape(x))

    def right_at(j, x):
        with np.errstate(all="ignore"), contextlib.suppress(Exception):  # the gate may refuse it
            other = [x if k == j else kept for k, kept in enumerate(inputs)]
            return measure_slopes(_forward_of(gate, other, i), inputs[i], dz).values

    return Evidence(
        given=np.asarray(given[i]),
        right=right[i],
        jacobian=numerical_jacobian(forward, inputs[i]),
        dz=np.asarray(dz),
        z=np.asarray(z),
        inputs=inputs,
        i=i,
        all_given=given,
        all_right=right,
        slope_at=slope_at,
        right_at=right_at,
        at_other_sizes=lambda: _evidence_at_other_sizes(untouched, inputs, i),
    )


def _evidence_at_other_sizes(untouched, inputs, i):
    """For each size that an axis has: the same gate where all axes of that size have their entries twice."""
    for size in sorted({n for x in inputs for n in np.shape(x)} - {0, 1}):
        evidence, gate, larger = None, copy.deepcopy(untouched), [_with_entries_twice(x, size) for x in inputs]
        with np.errstate(all="ignore"), contextlib.suppress(Exception):  # some gates insist on a size
            z = gate.forward(*larger)
            dz = np.random.default_rng(2).standard_normal(np.shape(z))[()]
            given = _copies(gate.backward(dz))
            measured = {i: measure_slopes(_forward_of(gate, larger, i), larger[i], dz)}
            evidence = _evidence(untouched, larger, z, dz, given, measured, i)
        if evidence:
            yield evidence


def _with_entries_twice(x, size):
    for axis in (axis for axis, n in enumerate(np.shape(x)) if n == size):
        x = np.concatenate([x, x], axis=axis)
    return x


def _forward_of(gate, inputs, i):
    """The gate's forward as a function of input i alone."""
    return lambda x: gate.forward(*inputs[:i], x, *inputs[i + 1 :])


def _lost_on_the_way(graph, trusted, fed, dz, wrong):
    """Every gate is right, and yet gradients are wrong: at which node were they lost?"""
    trusted.forward(fed)
    trusted.backward(dz)
    right = {node: _dense(gradient) for node, gradient in trusted.gradients.items()}
    parts = {node: [] for node in trusted.nodes}
    for user, downstream in trusted.downstream.items():
        for node, gradient in zip(user.inputs, downstream, strict=True):
            parts[node].append(_dense(gradient))
    graph.forward(fed)
    graph.backward(dz)
    for node in reversed(trusted.nodes):
        mine = _dense(graph.gradients.get(node))
        if node not in right or (mine is not None and _same(mine, right[node])):
            continue
        places = len(parts[node])
        if mine is not None and places > 1 and any(_same(mine, part) for part in parts[node]):
            text = (
                f"Every gate is right, but {node} goes into {places} places, and its gradient is that of one of them "
                "only. If this value moves, through how many ways does the output move?"
            )
            return GradientReport(False, text, "OVERWRITES_AT_FAN_OUT")
        text = f"Every gate is right, but the graph's gradient of {node} is not the sum of what the gates send to it."
        return GradientReport(False, text)
    return GradientReport(False, f"The gradients that backward returned for {', '.join(wrong)} are wrong.")


def _wrong_form(name, given, inputs):
    """Not one gradient for each float, and None for each array of integers?"""
    if given is None or len(given) != len(inputs):
        count = "no list of" if given is None else len(given)
        text = (
            f"{name}.backward returned {count} gradients, and forward took {len(inputs)} inputs. "
            "Which of them can have a gradient, and where does each find its own?"
        )
        return GradientReport(False, text, "WRONG_COUNT")
    for i, (x, gradient) in enumerate(zip(inputs, given, strict=True)):
        if not _is_float(x) and gradient is not None:
            text = (
                f"{name}: input {i} was fed integers, and backward returned a gradient for it. Is it an id or a label, "
                "or a number that was written without its point?"
            )
            return GradientReport(False, text, "GRADIENT_FOR_INTEGERS")
        if _is_float(x) and gradient is None:
            text = (
                f"{name}: backward returned None for input {i}, which holds floats. Does the output not move with it?"
            )
            return GradientReport(False, text, "NO_GRADIENT")
    return None


def _answers_differ(name, answers):
    """Three calls of backward did not give the same: was the same added from each to the next?"""
    text = f"{name}: backward gave two answers to the same question, a second call differed from the first."
    differing = [abc for abc in zip(*answers, strict=False) if not _equal(*abc[:2])]
    if differing and all(_grows_evenly(*abc) for abc in differing):
        twice = all(_same(2 * a, b) for a, b, _ in differing)
        how = "Where they differ, the second is twice the first." if twice else "Each further call adds the same again."
        question = "Where does a call leave something for the next?"
        return GradientReport(False, f"{text} {how} {question}", "ACCUMULATES_OVER_CALLS")
    return GradientReport(False, text)


def _grows_evenly(a, b, c):
    comparable = not any(g is None for g in (a, b, c)) and np.shape(a) == np.shape(b) == np.shape(c)
    return comparable and matches(c - b, b - a)


def _observed(name, inputs, given, measured, wrong):
    """What is wrong, in numbers, about the first of the wrong gradients."""
    i = wrong[0]
    slopes = measured[i]
    if np.shape(given[i]) != np.shape(inputs[i]):
        return (
            f"{name}: the gradient of input {i} has shape {np.shape(given[i])}, but the input {np.shape(inputs[i])}: a "
            "gradient has the shape of the thing it belongs to."
        )
    difference = np.where(slopes.kinks, 0.0, np.abs(given[i] - slopes.values))
    worst = np.unravel_index(np.nan_to_num(difference, nan=np.inf).argmax(), difference.shape)
    where = f"At entry {tuple(map(int, worst))} backward" if worst else "Backward"
    return (
        f"{name}: the gradient of input {i} is wrong. {where} says {np.asarray(given[i])[worst]:.6g}, but the "
        f"output moves as {slopes.values[worst]:.6g} when that entry does (upstream included). "
        f"{int(_disagreement(given[i], slopes).sum())} of {difference.size} entries differ."
    )


def _disagreement(given, slopes):
    """Which entries are wrong: `not <=`, so that nan is."""
    difference = np.where(slopes.kinks, 0.0, np.abs(np.asarray(given) - slopes.values))
    scale = np.abs(np.where(slopes.kinks, 0.0, slopes.values)).max(initial=0.0)
    return ~(difference <= TOLERANCE * scale + np.where(slopes.kinks, 0.0, slopes.errors))


def _agrees(given, slopes):
    return np.shape(given) == np.shape(slopes.values) and not _disagreement(given, slopes).any()


def _run_elsewhere(gate, inputs):
    """At other values that are as legal: floats by amounts that no invariance cancels, integers in another order."""
    rng = np.random.default_rng(1)
    for size in (1.0, 0.1, -0.1, 0.01, -0.01):  # the first move that stays in the domain will do
        moved = [x + size * rng.uniform(0.25, 0.75, np.shape(x)) if _is_float(x) else _other_ids(x) for x in inputs]
        with np.errstate(all="ignore"), contextlib.suppress(Exception):
            z = gate.forward(*copy.deepcopy(moved))
            gate.backward(rng.standard_normal(np.shape(z))[()])
            return


def _other_ids(ids):
    """Integers that are as legal, and not the same."""
    rolled = np.roll(ids, 1)
    return np.maximum(np.asarray(ids) - 1, 0) if np.array_equal(rolled, ids) else rolled


def _as_float64(x):
    """Floats in double precision, lists as arrays, integers as they are."""
    x = np.asarray(x)
    return (x.astype(np.float64) if np.issubdtype(x.dtype, np.inexact) else x)[()]


def _is_float(x):
    return np.issubdtype(np.result_type(x), np.inexact)


def _copies(gradients):
    """The gradients as they are now, dense: backward may hand out arrays that it goes on writing to."""
    if not isinstance(gradients, list | tuple):
        return None
    return [None if g is None else np.array(_dense(g))[()] for g in gradients]


def _dense(gradient):
    return gradient.to_dense() if hasattr(gradient, "to_dense") else gradient


def _as_list(value):
    return value if isinstance(value, list) else [value]


def _same(a, b):
    """Equal to a millionth, or both nothing."""
    return matches(a, b) or not (np.any(a) or np.any(b))


def _equal(a, b):
    return (a is None and b is None) or np.array_equal(a, b, equal_nan=True)


def _all_equal(first, second):
    return len(first) == len(second) and all(_equal(a, b) for a, b in zip(first, second, strict=True))


def _skips(skipped):
    return f"; {skipped} entries at a kink were skipped" if skipped else ""
