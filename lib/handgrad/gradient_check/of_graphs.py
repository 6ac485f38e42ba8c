"""Is the gradient of this graph right? And if not, which gate or which node is to blame?"""

import copy
from collections.abc import Mapping
from functools import partial

import numpy as np
from numpy.typing import ArrayLike

from handgrad.functional import is_float
from handgrad.gradient_check.answers import answers_differ
from handgrad.gradient_check.comparing import agrees, all_equal, same
from handgrad.gradient_check.measuring import as_float64, dense, draw_upstream
from handgrad.gradient_check.of_gates import check_gate
from handgrad.gradient_check.reports import GradientReport
from handgrad.gradient_check.wording import skips
from handgrad.graph import ComputationalGraph
from handgrad.numerical import measure_slopes
from handgrad.passes import as_fed, by_name, declared_ids, require_names


def check_graph(
    graph: ComputationalGraph, feeds: Mapping[str, ArrayLike] | None = None, /, seed: int = 0, **inputs: ArrayLike
) -> GradientReport:
    """Check the gradient of every leaf of a graph, and if one is wrong, find the gate or the node to blame.

    Parameters
    ----------
    graph : ComputationalGraph
    feeds, **inputs : dict, and arrays or numbers
        The leaves' values, as for ``graph.forward``; parameters may be left out.
    seed : int
        Of the random upstream gradients.

    Returns
    -------
    GradientReport
    """
    feeds = by_name(feeds, inputs)
    require_names(graph, feeds)
    values = {name: feeds[name] if name in feeds else leaf.value for name, leaf in graph.leaves.items()}
    in_single = any(is_float(x) and np.asarray(x).dtype.itemsize < 8 for x in values.values())
    fed = {name: as_float64(x) for name, x in values.items()}
    fed = _floats_if_no_leaf_is(graph, fed)
    wrong_gate = _wrong_gate(graph, fed, seed, in_single)
    if wrong_gate is not None:
        return wrong_gate

    outputs = _as_list(graph.forward(fed))
    fed_or_come_out = [*fed.values(), *(np.asarray(v) for v in outputs)]
    upstreams = [draw_upstream(np.shape(v), fed_or_come_out, [seed, k]) for k, v in enumerate(outputs)]
    dz = upstreams if len(upstreams) > 1 else upstreams[0]
    given = {name: dense(gradient) for name, gradient in graph.backward(dz).items()}
    again = {name: dense(gradient) for name, gradient in graph.backward(dz).items()}
    if not all_equal(given.values(), again.values()):
        third = {name: dense(gradient) for name, gradient in graph.backward(dz).items()}
        return answers_differ("The graph", list(given), [list(answer.values()) for answer in (given, again, third)])

    trusted = ComputationalGraph(*graph.outputs)

    def upstream_dot_outputs(name, x):
        outputs = _as_list(trusted.forward({**fed, name: x}))
        return sum(np.sum(u * np.asarray(v)) for u, v in zip(upstreams, outputs, strict=True))

    skipped, wrong, tested = 0, [], False
    for name, x in fed.items():
        if is_float(x):
            measured = measure_slopes(partial(upstream_dot_outputs, name), x, 1.0)
            skipped += int(measured.kinks.sum())
            if not agrees(given.get(name, np.zeros(np.shape(x))), measured):
                wrong.append(name)
            tested |= not agrees(np.zeros(np.shape(x)), measured)
    if not wrong and not tested:
        text = (
            "Nothing was tested: every slope that could be measured is 0 here, and zeros would pass. Where is it not?"
        )
        return GradientReport(False, text, "NOTHING_TESTED", skipped)
    if not wrong:
        text = f"The graph's gradients agree with the measured slopes{skips(skipped)}."
        return GradientReport(True, text, None, skipped)
    return _lost_on_the_way(graph, trusted, fed, dz, wrong)


def _floats_if_no_leaf_is(graph, fed):
    """Integers alone are meant as numbers, but for those that a gate declares to be ids."""
    if any(is_float(x) for x in fed.values()):
        return fed
    ids = set()
    for node in graph.nodes:
        declared = declared_ids(node.gate)
        ids |= {leaf.name for i, leaf in enumerate(node.inputs) if i in declared}
    return {name: x if name in ids else x.astype(np.float64) for name, x in fed.items()}


def _wrong_gate(graph, fed, seed, in_single):
    """The first gate that fails its own check at the values that reach it, as a report; or None."""
    values = {}
    for node in graph.nodes:
        if node.gate is None:
            values[node] = fed[node.name] if node.name in fed else as_float64(node.value)
            continue
        inputs = [as_float64(x) for x in as_fed(node.gate, [values[i] for i in node.inputs])]
        values[node] = as_float64(copy.deepcopy(node.gate).forward(*copy.deepcopy(inputs)))
        report = check_gate(copy.deepcopy(node.gate), *copy.deepcopy(inputs), seed=seed)
        is_dead = report.mistake == "NOTHING_TESTED" and not report.skipped  # what it hides, the leaves may still show
        is_single = report.mistake == "FEWER_DIGITS" and in_single  # float64 is what the check makes of it
        if not report.ok and not is_dead and not is_single:
            return GradientReport(False, f"In the graph, at {node}: {report.text}", report.mistake)
    return None


def _lost_on_the_way(graph, trusted, fed, dz, wrong):
    """Every gate is right, and yet gradients are wrong: at which node were they lost?"""
    trusted.forward(fed)
    trusted.backward(dz)
    right = {node: dense(gradient) for node, gradient in trusted.gradients.items()}
    parts = {node: [] for node in trusted.nodes}
    for user, downstream in trusted.downstream.items():
        for node, gradient in zip(user.inputs, downstream, strict=True):
            parts[node].append(dense(gradient))
    graph.forward(fed)
    graph.backward(dz)
    for node in reversed(trusted.nodes):
        mine = dense(graph.gradients.get(node))
        if node not in right or (mine is not None and same(mine, right[node])):
            continue
        places = len(parts[node])
        if mine is not None and places > 1 and any(same(mine, part) for part in parts[node]):
            text = (
                f"Every gate is right, but {node} goes into {places} places, and its gradient is that of one of them "
                "only. If this value moves, through how many ways does the output move?"
            )
            return GradientReport(False, text, "OVERWRITES_AT_FAN_OUT")
        text = f"Every gate is right, but the graph's gradient of {node} is not the sum of what the gates send to it."
        return GradientReport(False, text)
    return GradientReport(False, f"The gradients that backward returned for {', '.join(wrong)} are wrong.")


def _as_list(value):
    return value if isinstance(value, list) else [value]
