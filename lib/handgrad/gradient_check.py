"""Is this gradient right? Compare it with slopes that were measured, by moving each input a little.

Sources: central differences, e.g. Griewank and Walther (2008), section 1; the step is the one at which, in
float64, the error of the approximation (h²) and that of rounding (1/h) are both far below 1e-6.
"""

import contextlib
import copy
from dataclasses import dataclass
from html import escape

import numpy as np

from handgrad.diagnosis import Evidence, diagnose
from handgrad.graph import ComputationalGraph

STEP = 1e-5  # times max(1, |x|)
TOLERANCE = 1e-6  # of the largest slope in the gradient, with an absolute floor of the same size


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
        word, mark = ("verified", "✓") if self.ok else ("failed", "✗")
        code = f"<code>{self.mistake}</code> " if self.mistake else ""
        return (
            f'<p class="hg-verify hg-{word}"><span class="hg-mark" aria-hidden="true">{mark}</span> {code}'
            f"{escape(self.text)}</p>"
        )

    def raise_if_wrong(self):
        if not self.ok:
            raise GradientCheckError(self.text)


def numerical_jacobian(function, x):
    """Measure ∂y/∂x by central differences, one input at a time.

    Parameters
    ----------
    function : callable, takes an array of x's shape, returns an array or a number
    x : array or number, n entries in all; computed in float64

    Returns
    -------
    array (m, n) : slope of output i as input j moves, for m outputs and n inputs, both in C order
    """
    x = np.array(x, dtype=np.float64)
    columns = []
    for j in range(x.size):
        step = STEP * max(1.0, abs(x.flat[j]))
        up, down = x.copy(), x.copy()
        up.flat[j] += step
        down.flat[j] -= step
        rise = np.asarray(function(up[()]), dtype=np.float64) - np.asarray(function(down[()]), dtype=np.float64)
        columns.append(rise.reshape(-1) / (up.flat[j] - down.flat[j]))  # the step that was really taken
    return np.stack(columns, axis=1) if columns else np.zeros((np.size(function(x)), 0))


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
    z = np.array(gate.forward(*inputs), dtype=np.float64)[()]
    if not _equal(z, np.asarray(gate.forward(*inputs), dtype=np.float64)) and _all_equal(inputs, kept):
        text = f"{name}: forward gave two answers to the same inputs. On what, other than them, does it depend?"
        return GradientReport(False, text, "IMPURE_FORWARD")
    dz = np.random.default_rng(seed).standard_normal(np.shape(z))[()]
    upstream = copy.deepcopy(dz)
    try:
        given = _copies(gate.backward(upstream))
        again = _copies(gate.backward(copy.deepcopy(dz)))
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
        return _two_answers(name, _copies(fresh.backward(dz)), _copies(fresh.backward(dz)))

    measured = {i: _measure(_forward_of(gate, inputs, i), x, dz) for i, x in enumerate(inputs) if _is_float(x)}
    return _judge(name, gate, untouched, inputs, z, dz, given, measured)


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
        return _two_answers("The graph", list(given.values()), list(again.values()))

    trusted = ComputationalGraph(*graph.outputs)

    def upstream_dot_outputs(name, x):
        outputs = _as_list(trusted.forward({**fed, name: x}))
        return sum(np.sum(u * np.asarray(v)) for u, v in zip(upstreams, outputs, strict=True))

    skipped, wrong = 0, []
    for name, x in fed.items():
        if _is_float(x):
            slopes, kinks = _measure(lambda x, name=name: upstream_dot_outputs(name, x), x, np.float64(1.0))
            skipped += int(kinks.sum())
            if not _agrees(given.get(name, np.zeros(np.shape(x))), slopes, kinks):
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
    skipped = sum(int(kinks.sum()) for _, kinks in measured.values())
    wrong = []
    for i, (slopes, kinks) in measured.items():
        if kinks.size and kinks.all():
            text = f"{name}: every entry of input {i} is at a kink, where there is no slope: check elsewhere."
            return GradientReport(False, text, None, skipped)
        if not _agrees(given[i], slopes, kinks):
            wrong.append(i)
    if not wrong:
        return GradientReport(
            True, f"{name}: backward agrees with the measured slopes{_skips(skipped)}.", None, skipped
        )

    observed = _observed(name, inputs, given, measured, wrong)
    fresh = copy.deepcopy(untouched)
    fresh.forward(*inputs)
    if all(_agrees(g, *measured[i]) for i, g in enumerate(_copies(fresh.backward(dz))) if i in measured):
        text = (
            f"{observed} Right after its first forward it is right; after a forward elsewhere and then here, it is "
            "not. What does forward keep, and when?"
        )
        return GradientReport(False, text, "STALE_CACHE", skipped)
    right = [measured[i][0] if i in measured else None for i in range(len(inputs))]
    for i in wrong:
        finding = diagnose(_evidence(gate, inputs, z, dz, given, right, i))
        if finding:
            return GradientReport(False, f"{observed} {finding.text}", finding.code, skipped)
    return GradientReport(False, observed, None, skipped)


def _evidence(gate, inputs, z, dz, given, right, i):
    forward = _forward_of(gate, inputs, i)

    def slope_at(x):
        with np.errstate(all="ignore"):
            return np.diag(numerical_jacobian(forward, x)).reshape(np.shape(x))

    jacobian = numerical_jacobian(forward, inputs[i])
    return Evidence(
        np.asarray(given[i]), right[i], jacobian, np.asarray(dz), np.asarray(z), inputs, i, given, right, slope_at
    )


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
        if node not in right or (mine is not None and np.allclose(mine, right[node], rtol=TOLERANCE, atol=TOLERANCE)):
            continue
        places = len(parts[node])
        if mine is not None and places > 1 and any(np.allclose(mine, p, rtol=TOLERANCE) for p in parts[node]):
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


def _two_answers(name, given, again):
    text = f"{name}: backward gave two answers to the same question, a second call differed from the first."
    pairs = [(g, a) for g, a in zip(given, again, strict=True) if not _equal(g, a)]
    if pairs and all(np.allclose(2 * g, a, rtol=TOLERANCE) for g, a in pairs):
        question = "Where they differ, the second is twice the first. Where does a call leave something for the next?"
        return GradientReport(False, f"{text} {question}", "ACCUMULATES_OVER_CALLS")
    return GradientReport(False, text)


def _observed(name, inputs, given, measured, wrong):
    """What is wrong, in numbers, about the first of the wrong gradients."""
    i = wrong[0]
    slopes, kinks = measured[i]
    if np.shape(given[i]) != np.shape(inputs[i]):
        return (
            f"{name}: the gradient of input {i} has shape {np.shape(given[i])}, but the input {np.shape(inputs[i])}: a "
            "gradient has the shape of the thing it belongs to."
        )
    difference = np.where(kinks, 0.0, np.abs(given[i] - slopes))
    worst = np.unravel_index(np.nan_to_num(difference, nan=np.inf).argmax(), difference.shape)
    where = f"At entry {tuple(map(int, worst))} backward" if worst else "Backward"
    return (
        f"{name}: the gradient of input {i} is wrong. {where} says {np.asarray(given[i])[worst]:.6g}, but the "
        f"output moves as {slopes[worst]:.6g} when that entry does (upstream included). "
        f"{int(_disagreement(given[i], slopes, kinks).sum())} of {difference.size} entries differ."
    )


def _measure(forward, x, dz):
    """d(dz · forward(x))/dx, entry by entry, and where the left and the right slope differ (a kink)."""

    def upstream_dot_z(entry, value):
        moved = np.array(x)
        moved.flat[entry] = value
        with np.errstate(all="ignore"):  # a step may leave the domain; then it is taken again, smaller
            return float(np.sum(dz * forward(moved[()]), dtype=np.float64))

    def bend(entry, here, step):
        """Right slope minus left slope. For a smooth function it shrinks with the step; at a kink it stays."""
        up, middle, down = (upstream_dot_z(entry, v) for v in (here + step, here, here - step))
        return (up - middle) / step - (middle - down) / step

    def slope_with(entry, here, step):
        up, down = here + step, here - step
        return (upstream_dot_z(entry, up) - upstream_dot_z(entry, down)) / (up - down)

    slopes, kinks = np.zeros(np.shape(x)), np.zeros(np.shape(x), dtype=bool)
    for entry in range(slopes.size):
        here = np.asarray(x).flat[entry]
        step = STEP * max(1.0, abs(here))
        slope, closer = slope_with(entry, here, step), slope_with(entry, here, step / 4)
        if here != 0 and not abs(slope - closer) <= 1e-7 * (1 + abs(closer)):
            slope = slope_with(entry, here, STEP * abs(here))  # the function turns fast, near 0: step by its own size
        wide = abs(bend(entry, here, step))
        if wide > 1e-3 * (abs(slope) + 1e-3) and abs(bend(entry, here, step / 4)) > wide / 2:
            kinks.flat[entry] = True
        slopes.flat[entry] = slope
    return slopes, kinks


def _disagreement(given, slopes, kinks):
    """Which entries are wrong: `not <=`, so that nan is."""
    difference = np.where(kinks, 0.0, np.abs(np.asarray(given) - slopes))
    scale = np.abs(np.where(kinks, 0.0, slopes)).max(initial=0.0)
    return ~(difference <= TOLERANCE * (1 + scale))


def _agrees(given, slopes, kinks):
    return np.shape(given) == np.shape(slopes) and not _disagreement(given, slopes, kinks).any()


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


def _equal(a, b):
    return (a is None and b is None) or np.array_equal(a, b, equal_nan=True)


def _all_equal(first, second):
    return all(_equal(a, b) for a, b in zip(first, second, strict=True))


def _skips(skipped):
    return f"; {skipped} entries at a kink were skipped" if skipped else ""
