"""What a pass through a graph is given, what comes out of it, and where it fails: the graph's checks."""

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from handgrad.errors import InputError, require_numbers
from handgrad.functional import as_floats, is_float
from handgrad.nodes import EVERY_INPUT, Gate, Node

if TYPE_CHECKING:
    from handgrad.graph import ComputationalGraph

NO_VALUES = (type(None), str, list, tuple, dict)  # that a gate may return in place of a number or an array


def require_places(nodes: Iterable[Node]) -> None:
    """Each name belongs to one node and each gate stands at one, or a sentence says which does not."""
    names: dict[str, Node] = {}
    gates: dict[int, Node] = {}
    for node in nodes:
        if node.name and names.setdefault(node.name, node) is not node:
            raise ValueError(
                f"Two nodes are named {node.name!r}: give one another name, or use one leaf in both places, if "
                "they are meant to be shared."
            )
        if node.gate is not None and gates.setdefault(id(node.gate), node) is not node:
            raise ValueError(
                f"One {node.gate} is used at two nodes, and the second forward would overwrite what the first "
                f"needs for its backward: make a new {type(node.gate).__name__} for each place."
            )


def gates_begin_a_pass(gates: Iterable[Gate]) -> object:
    """A mark for this pass, left on each gate: it keeps this pass's inputs until another graph runs it."""
    mark = object()
    for gate in gates:
        gate._pass = mark
    return mark


def require_own_pass(graph: "ComputationalGraph", call: str) -> None:
    """Each gate keeps what it kept in this graph's last forward pass, or a sentence says which does not."""
    if not graph.values:
        raise ValueError(f"graph.{call} needs the values of a forward pass: call graph.forward(...) first.")
    for gate in graph._gates:
        if gate._pass is not graph._pass:
            node = next(node for node in graph.nodes if node.gate is gate)
            raise ValueError(
                f"{node} was computed by another graph since this graph's forward pass: call forward again before "
                f"{call}, or make one graph with both outputs."
            )


def by_name(feeds: Mapping[str, Any] | None, named: dict[str, Any]) -> dict[str, Any]:
    """What was fed in a dict and what by keyword, or a sentence that says of what has no name how to give it one."""
    if feeds is None:
        return named
    if not isinstance(feeds, Mapping):
        raise InputError(
            "Leaves are fed by name, as x=1.0 or in a dict, {'x': 1.0}, but got "
            f"{type(feeds).__name__} without a name."
        )
    return {**feeds, **named}


def fed_values(graph: "ComputationalGraph", feeds: Mapping[str, Any]) -> tuple[dict[Node, Any], list[Node]]:
    """By leaf: what it was fed, or the value that it owns; and the leaves whose values are integers."""
    require_names(graph, feeds)
    values: dict[Node, Any] = {owner: owner.value for owner in graph._owners}
    values |= {graph.leaves[name]: value for name, value in feeds.items()}
    of_integers: list[Node] = []
    for leaf in [leaf for leaf, value in values.items() if not is_float(value)]:
        values[leaf] = require_numbers(values[leaf], f"The value of {leaf.name!r}")
        if not is_float(values[leaf]):
            of_integers.append(leaf)
    return values, of_integers


def require_names(graph: "ComputationalGraph", feeds: Mapping[str, Any]) -> None:
    """Every leaf without a value of its own is fed, and nothing else is, or a sentence says which."""
    missing = [name for name in graph._fed if name not in feeds]
    if missing:
        raise ValueError(
            f"graph.forward needs a value for {', '.join(map(repr, missing))}: it was fed "
            f"{', '.join(map(repr, feeds)) or 'nothing'}."
        )
    _refuse_unknown_names(graph, feeds)


def _refuse_unknown_names(graph, feeds):
    unknown = [n for n in feeds if n not in graph.leaves]
    if unknown:
        raise ValueError(
            f"The graph was fed {', '.join(map(repr, unknown))}, but the graph's leaves are "
            f"{', '.join(map(repr, graph.leaves))}."
        )


def declared_ids(gate: Gate | None) -> Container[int]:
    """The places of the inputs that a gate declares to be ids; none, where it lets anything pass."""
    return () if gate is None or gate.ids_at in (None, EVERY_INPUT) else gate.ids_at


def users_of_numbers(nodes: Iterable[Node]) -> dict[Node, list[Node]]:
    """By node: the nodes whose gates take it as a number, not as ids."""
    users: dict[Node, list[Node]] = {}
    for node in nodes:
        ids = declared_ids(node.gate)
        users[node] = []
        for place, input_node in enumerate(node.inputs):
            if place not in ids:
                users[input_node].append(node)
    return users


def nodes_behind(leaves: Iterable[Node], users: Mapping[Node, Sequence[Node]]) -> set[Node]:
    """The nodes whose values depend on these leaves by other ways than as ids."""
    met: set[Node] = set()
    waiting = list(leaves)
    while waiting:
        new = [user for user in users[waiting.pop()] if user not in met]
        met.update(new)
        waiting += new
    return met


def as_fed(gate: Gate, inputs: Sequence[Any]) -> list[Any]:
    """What forward gets of these inputs: numbers as floats, since a slope is asked for; ids and labels as they are.

    Which integers are ids is said by the gate's ``ids_at``. Where it says nothing, integers beside a float stay, since
    they may be the labels of a gate of your own; integers alone become floats.
    """
    ids = gate.ids_at or ()
    if all([is_float(x) or i in ids for i, x in enumerate(inputs)]):
        return list(inputs)
    inputs = [require_numbers(x, f"Input {i} of {gate}") for i, x in enumerate(inputs)]
    floats = tuple(x for x in inputs if is_float(x))
    if floats and gate.ids_at is None:
        return [x if is_float(x) else _widened(x, floats) for x in inputs]
    return [x if i in ids else as_floats(x, like=floats) for i, x in enumerate(inputs)]


def _widened(x, floats):
    """Small integers as int64, since in uint8 20 · 20 is 144; as they are beside float32, which int64 would widen."""
    x = np.asarray(x)[()]
    if x.dtype.kind not in "iu" or x.dtype.itemsize == 8:  # most often: ids
        return x
    return x.astype(np.int64) if np.result_type(np.int64, *floats) == np.result_type(x, *floats) else x


def upstream_gradients(graph: "ComputationalGraph", dz: Any) -> list[Any]:
    """One for each output, in its shape; 1 where the one output is a number."""
    values = [graph.values[output] for output in graph.outputs]
    if len(values) == 1:
        if dz is None:
            return [_one_like(values[0])]
        dz = [dz]
    elif not isinstance(dz, list | tuple) or len(dz) != len(values):
        raise ValueError(
            f"This graph has {len(values)} outputs: call backward with a list of {len(values)} upstream "
            "gradients, None for an output that does not matter."
        )
    upstreams = []
    for given, value in zip(dz, values, strict=True):
        upstream = None if given is None else _as_moving(given, value, "The upstream gradient")
        if upstream is not None and np.shape(upstream) != np.shape(value):
            raise ValueError(f"The upstream gradient has shape {np.shape(upstream)}, but its output {np.shape(value)}.")
        upstreams.append(upstream)
    return upstreams


def _one_like(value):
    """The upstream gradient of an output that is one number, in its precision."""
    if np.shape(value) != ():
        raise ValueError(
            f"The output has shape {np.shape(value)}, so its gradient is a whole Jacobian: call backward(dz) with "
            "an upstream gradient of that shape, or make the output one number, with Sum or Mean."
        )
    if isinstance(value, np.float32 | np.float64):
        return type(value)(1)
    return np.result_type(np.asarray(value), np.float32).type(1)


def require_gradients(node: Node, downstream: Any) -> None:
    """A backward returned a list with one gradient for each input, or a sentence says what it did."""
    is_list = isinstance(downstream, list | tuple)
    if not is_list or len(downstream) != len(node.inputs):
        raise ValueError(
            f"{node.gate}.backward returned {len(downstream) if is_list else 'no list of'} gradients for "
            f"{len(node.inputs)} inputs: return a list with one for each input, None where there is no derivative."
        )


def tangents_of_leaves(graph: "ComputationalGraph", tangents: Mapping[str, Any]) -> dict[Node, Any]:
    """By leaf: how it moves; where nothing is said, zeros that take no space and round nothing that they meet."""
    _refuse_unknown_names(graph, tangents)
    moved = {}
    for leaf in (node for node in graph.nodes if node.gate is None):
        value = graph.values[leaf]
        if leaf.name in tangents:
            tangent = moved[leaf] = _as_moving(tangents[leaf.name], value, f"The tangent of {leaf.name!r}")
            if np.shape(tangent) != np.shape(value):
                raise ValueError(f"{leaf} has shape {np.shape(value)}, but its tangent {np.shape(tangent)}.")
        elif np.ndim(value):
            moved[leaf] = np.broadcast_to(value.dtype.type(0) if is_float(value) else np.float64(0), np.shape(value))
        else:
            moved[leaf] = 0.0
    for node in graph.nodes:
        if node.gate is not None and not hasattr(node.gate, "jvp"):
            raise ValueError(f"{node.gate} has no forward-mode rule: define jvp(self, *tangents).")
    return moved


def _as_moving(given, value, what):
    """A gradient or a tangent of ``value`` as floats: integers and lists in its precision."""
    given = given if is_float(given) else require_numbers(given, what)
    if is_float(given):
        return given
    return np.asarray(given).astype(np.result_type(np.asarray(value), np.float32))[()]


def as_given_out(values: Sequence[Any]) -> Any:
    """What leaves the graph: one value, or a list of several."""
    return [plain(value) for value in values] if len(values) > 1 else plain(values[0])


def plain(value: Any) -> Any:
    """6.0 where NumPy would print np.float64(6.0), and an array that is the caller's own."""
    if isinstance(value, np.float64):
        return float(value)
    return value.copy() if isinstance(value, np.ndarray) else value


class Located:
    """Around a pass: what a gate raises says at which node, and which shapes met there.

    The node is the first that the pass should have done and has not: ``done`` is filled node by node.
    """

    def __init__(self, graph: "ComputationalGraph", rule: str, done: Mapping[Node, Any]) -> None:
        self.graph, self.rule, self.done = graph, rule, done

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        no_values = type(None) if self.rule == "backward" else NO_VALUES  # which returns a list
        if error is None and not any(
            isinstance(self.done.get(output, self), no_values) for output in self.graph.outputs
        ):
            return
        for node, value in self.done.items():
            if isinstance(value, no_values):
                came = "None" if value is None else f"a {type(value).__name__}"
                told = InputError(
                    f"{node.gate}.{self.rule} returned {came}: end it with return and the value, a number or an array."
                )
                raise self._at(node, told) from None
        if isinstance(error, Exception):
            raise self._at(self._where(), error) from error

    def _where(self):
        nodes = self.graph.nodes
        if self.rule == "backward":
            nodes = [node for node in reversed(nodes) if node in self.graph.gradients]
        return next(node for node in nodes if node.gate is not None and node not in self.done)

    def _at(self, node, error):
        """The same kind of error again, with a sentence that says where."""
        values = self.graph.values or self.done
        meet = [f"{_short_name(i)} {np.shape(values[i])}" for i in node.inputs if i in values]
        where = f"{node.name!r} = " if node.name else ""
        text = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
        if "could not be broadcast" in text:
            text = "these shapes do not broadcast: counted from the last axis, sizes must be equal, or one of them 1."
        text = f"At the node {where}{type(node.gate).__name__}({', '.join(meet)}): {text}"
        try:
            return type(error)(text)
        except Exception:  # some are made from other things than a text
            error.add_note(text)
            return error


def _short_name(node):
    return node.name or (type(node.gate).__name__ if node.gate is not None else "constant")
