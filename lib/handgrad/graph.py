"""Gates, nodes and the computational graph: reverse-mode differentiation, one gate at a time.

A *gate* is arithmetic: a forward rule and a backward rule. A *node* is one place in one graph.
The *graph* is order: forward visits the nodes from the inputs to the outputs, backward the other way.
"""

import sys
from collections.abc import Container, Sequence
from typing import Any

import numpy as np

from handgrad.errors import ForwardFirstError, require_numbers
from handgrad.functional import as_floats

EVERY_INPUT = range(sys.maxsize)  # as a gate's ids_at


class Gate:
    """One operation: how it computes, and how it passes a gradient back.

    ``forward(*inputs)`` returns the value and keeps on ``self`` what backward will need.
    ``backward(dz)`` takes the upstream gradient, in the shape of the value, and returns one downstream
    gradient for each input, in the same order and shape: upstream × local. It is None exactly for
    inputs of integers (ids, labels), which have no derivative.

    A third method, ``jvp(*tangents)``, is optional: the rule of forward mode, ``graph.jvp``. It takes the
    direction in which each input moves, and returns how the output moves; ids do not move.

    A gate changes none of its inputs, draws no random numbers and owns no weights: weights are inputs.

    In a graph, integers become floats before forward meets them (see ``as_fed``). A gate that is called by itself
    computes as NumPy does, where 16 * 16 is 0 among integers of 8 bits: there, give it floats.

    Attributes
    ----------
    ids_at : which inputs may be ids or labels, by their positions; these stay integers. None: it does not say
    """

    ids_at: Container[int] | None = None

    def forward(self, *inputs: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} has no forward rule: define forward(self, ...).")

    def backward(self, dz: Any) -> Sequence[Any]:
        raise NotImplementedError(f"{type(self).__name__} has no backward rule: define backward(self, dz).")

    def __call__(self, *nodes: "Node", name: str | None = None) -> "Node":
        """Draw edges from ``nodes`` to a new node of this gate. Nothing is computed yet."""
        return Node(name, gate=self, inputs=nodes)

    def __repr__(self):
        return f"{type(self).__name__}()"

    def __getattr__(self, name: str) -> Any:  # Python asks here only for what is not there
        if name.startswith("_"):
            raise AttributeError(f"{type(self).__name__} has no attribute {name}")
        raise ForwardFirstError(
            f"{type(self).__name__} has no {name}: call forward before backward, and let forward store self.{name} "
            "if backward needs it."
        )


class Node:
    """One place in a graph: a leaf, whose value is fed, or the output of a gate.

    Parameters
    ----------
    name : str, with an optional scope before a slash, as in ``"embed/center"``; a node of a gate may go without
    gate, inputs : set by calling the gate: ``Multiply()(x, y)``
    """

    def __init__(self, name=None, gate=None, inputs=()):
        for node in inputs:
            if not isinstance(node, Node):
                raise ValueError(
                    f"{gate} was called on {node!r}, but a gate is called on nodes: wrap a constant as "
                    "Parameter(name, value), or call gate.forward(...) to compute without a graph."
                )
        if gate is None and not name:
            raise ValueError('A leaf needs a name, under which its value is fed: Node("x").')
        self.name, self.gate, self.inputs = name, gate, tuple(inputs)

    def __repr__(self):
        return f"{type(self).__name__}({self.name or self.gate!r})"


class Parameter(Node):
    """A leaf that owns its value: a weight matrix, a bias. The optimizer updates ``parameter.value`` in place.

    An array of floats is kept as it is, not copied; so two parameters, or two models, can share one.
    """

    def __init__(self, name, value):
        super().__init__(name)
        value = np.asarray(value)
        self.value = value if np.issubdtype(value.dtype, np.inexact) else value.astype(np.float64)


class ComputationalGraph:
    """The nodes behind one or several outputs, in an order in which they can be computed.

    Parameters
    ----------
    *outputs : Node
        Only the outputs are named: the graph finds all that they depend on.

    Attributes
    ----------
    values, gradients : dict
        Of every node, by node, after ``forward`` and after ``backward``.
    downstream : dict
        By node of a gate: what its backward returned, one gradient for each of its inputs.

    Examples
    --------
    >>> from handgrad import Add, ComputationalGraph, Max, Multiply, Node
    >>> x, y, z = Node("x"), Node("y"), Node("z")
    >>> graph = ComputationalGraph(Multiply()(Add()(x, y), Max()(y, z)))
    >>> graph.forward(x=1.0, y=2.0, z=0.0)
    6.0
    >>> graph.backward()
    {'x': 2.0, 'y': 5.0, 'z': 0.0}
    """

    def __init__(self, *outputs):
        if not outputs or not all(isinstance(output, Node) for output in outputs):
            raise ValueError(f"A graph is made from its output nodes, ComputationalGraph(node, ...); got {outputs}.")
        self.outputs = outputs
        self.nodes = self.nodes_topologically_sorted()
        self._refuse_a_name_or_a_gate_at_two_nodes()
        self.named = {node.name: node for node in self.nodes if node.name}
        self.leaves = {name: node for name, node in self.named.items() if node.gate is None}
        self.values, self.gradients, self.downstream = {}, {}, {}

    def nodes_topologically_sorted(self):
        """All nodes, each after its inputs: depth first, with our own stack, for chains of any length."""
        order, placed, stack = [], set(), list(reversed(self.outputs))
        while stack:
            node = stack[-1]
            if node in placed:
                stack.pop()
                continue
            waiting = [i for i in node.inputs if i not in placed]
            if waiting:
                stack.extend(reversed(waiting))
            else:
                placed.add(node)
                order.append(node)
        return order

    def forward(self, feeds=None, /, **values):
        """Compute every node, inputs first.

        Parameters
        ----------
        feeds : dict, optional, name to value, for names that are no Python identifiers (``"embed/center"``)
        **values : the other leaves by name; a Parameter may be left out, it has a value

        Returns
        -------
        The value of the output; a list of them, if the graph has several.
        """
        values = {**(feeds or {}), **values}
        self.require_names(values)
        values = {name: require_numbers(value, f"The value of {name!r}") for name, value in values.items()}
        self.values, self.gradients, self.downstream, computed = {}, {}, {}, {}
        self._pass = object()  # each gate remembers which pass it served, since it keeps that pass's inputs
        for node in self.nodes:
            if node.gate is None:
                computed[node] = values[node.name] if node.name in values else node.value
            else:
                computed[node] = node.gate.forward(*as_fed(node.gate, [computed[i] for i in node.inputs]))
                node.gate._pass = self._pass
        self.values = computed
        results = [_plain(self.values[output]) for output in self.outputs]
        return results if len(results) > 1 else results[0]

    def backward(self, dz=None):
        """Pass the upstream gradient back through every gate, outputs first.

        Parameters
        ----------
        dz : array, in the shape of the output; a list of them, if the graph has several outputs (None
            for one that does not matter). It may be left out only where the one output is a single number: dz = 1.

        Returns
        -------
        dict: the gradient of every leaf that the output depends on smoothly, by name, in the leaf's shape.
        """
        if not self.values:
            raise ValueError("graph.backward needs the values of a forward pass: call graph.forward(...) first.")
        self.gradients, self.downstream = {}, {}  # empty at each call: gradients of two calls never mix
        for output, upstream in zip(self.outputs, self._upstreams(dz), strict=True):
            self._add(output, upstream)
        for node in reversed(self.nodes):
            if node.gate is None or node not in self.gradients:
                continue
            self._refuse_a_gate_that_another_graph_ran(node)
            upstream = self.gradients[node]
            if hasattr(upstream, "to_dense"):  # row-sparse gradients are for leaves; gates want arrays
                upstream = self.gradients[node] = upstream.to_dense()
            downstream = self.downstream[node] = node.gate.backward(upstream)
            _require_one_for_each_input(node, downstream)
            for input_node, gradient in zip(node.inputs, downstream, strict=True):
                self._add(input_node, gradient)
        return {name: _plain(self.gradients[leaf]) for name, leaf in self.leaves.items() if leaf in self.gradients}

    def jvp(self, feeds=None, /, **tangents):
        """Push a direction through the graph, inputs first: how the outputs move when leaves move that way.

        Forward mode costs one pass for each *direction*; ``backward`` costs one for each *output*.

        Parameters
        ----------
        feeds : dict, optional, leaf name to tangent, for names that are no Python identifiers
        **tangents : by name, in the shape of the leaf; a leaf that is left out stands still

        Returns
        -------
        The tangent of the output, Jacobian · tangent; a list of them, if the graph has several.
        """
        if not self.values:
            raise ValueError("graph.jvp needs the values of a forward pass: call graph.forward(...) first.")
        tangents = {**(feeds or {}), **tangents}
        self._refuse_unknown_names(tangents)
        moved = {}
        for node in self.nodes:
            if node.gate is None:
                moved[node] = self._tangent_of_leaf(node, tangents.get(node.name))
            elif not hasattr(node.gate, "jvp"):
                raise ValueError(f"{node.gate} has no forward-mode rule: define jvp(self, *tangents).")
            else:
                self._refuse_a_gate_that_another_graph_ran(node)
                moved[node] = node.gate.jvp(*(moved[i] for i in node.inputs))
        results = [_plain(moved[output]) for output in self.outputs]
        return results if len(results) > 1 else results[0]

    def _tangent_of_leaf(self, leaf, tangent):
        value = self.values[leaf]
        if tangent is None:
            zero = np.zeros((), np.result_type(value, np.float32))
            return np.broadcast_to(zero, np.shape(value))  # zeros that take no room
        if np.shape(tangent) != np.shape(value):
            raise ValueError(f"{leaf} has shape {np.shape(value)}, but its tangent {np.shape(tangent)}.")
        return tangent

    def _add(self, node, gradient):
        """Fan-out adds. A new sum, never in place: Add hands the same array to both of its inputs."""
        if gradient is not None:
            known = self.gradients.get(node)
            self.gradients[node] = gradient if known is None else known + gradient

    def parameters(self, scope=""):
        """The parameters in ``scope`` ("embed" or "embed/"), or all of them, in the order of computation."""
        prefix = scope.rstrip("/") + "/" if scope else ""
        return [n for n in self.nodes if isinstance(n, Parameter) and n.name.startswith(prefix)]

    def value(self, name):
        """The value of the node called ``name`` in the last forward pass."""
        node = self._node_named(name)
        if node not in self.values:
            raise ValueError(f"{name!r} has no value yet: call graph.forward(...) first.")
        return self.values[node]

    def gradient(self, name):
        """The gradient of the node called ``name`` in the last backward pass."""
        node = self._node_named(name)
        if node not in self.gradients:
            raise ValueError(f"{name!r} has no gradient: call graph.backward() first; integers never have one.")
        return self.gradients[node]

    def _upstreams(self, dz):
        """One upstream gradient for each output, checked."""
        shapes = [np.shape(self.values[output]) for output in self.outputs]
        if len(shapes) == 1:
            if dz is None and shapes[0] != ():
                raise ValueError(
                    f"The output has shape {shapes[0]}, so its gradient is a whole Jacobian: call backward(dz) with "
                    "an upstream gradient of that shape, or make the output one number, with Sum or Mean."
                )
            if dz is None:
                output = np.asarray(self.values[self.outputs[0]])
                dz = np.result_type(output, np.float32).type(1)  # float32 stays float32
            dz = [dz]
        elif not isinstance(dz, list | tuple) or len(dz) != len(shapes):
            raise ValueError(
                f"This graph has {len(shapes)} outputs: call backward with a list of {len(shapes)} upstream "
                "gradients, None for an output that does not matter."
            )
        for shape, upstream in zip(shapes, dz, strict=True):
            if upstream is not None and np.shape(upstream) != shape:
                raise ValueError(f"The upstream gradient has shape {np.shape(upstream)}, but its output {shape}.")
        return dz

    def _refuse_a_name_or_a_gate_at_two_nodes(self):
        names, gates = {}, {}
        for node in self.nodes:
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

    def _refuse_a_gate_that_another_graph_ran(self, node):
        if vars(node.gate).get("_pass") is not self._pass:
            raise ValueError(
                f"{node} was computed by another graph since this graph's forward pass: call forward again before "
                "backward, or make one graph with both outputs."
            )

    def require_names(self, values):
        """Every leaf without a value of its own is fed, and nothing else is, or a sentence says which."""
        missing = [n for n, leaf in self.leaves.items() if n not in values and not isinstance(leaf, Parameter)]
        if missing:
            raise ValueError(
                f"graph.forward needs a value for {', '.join(map(repr, missing))}: it was fed "
                f"{', '.join(map(repr, values)) or 'nothing'}."
            )
        self._refuse_unknown_names(values)

    def _refuse_unknown_names(self, values):
        unknown = [n for n in values if n not in self.leaves]
        if unknown:
            raise ValueError(
                f"The graph was fed {', '.join(map(repr, unknown))}, but the graph's leaves are "
                f"{', '.join(map(repr, self.leaves))}."
            )

    def _node_named(self, name):
        if name not in self.named:
            raise ValueError(f"No node is named {name!r}; the names here are {', '.join(map(repr, self.named))}.")
        return self.named[name]


def as_fed(gate: Gate, inputs: Sequence[Any]) -> list[Any]:
    """What forward gets of these inputs: numbers as floats, since a slope is asked for; ids and labels as they are.

    Which integers are ids is said by the gate's ``ids_at``. Where it says nothing, integers beside a float stay, since
    they may be the labels of a gate of your own, and NumPy computes with both in floats; integers alone become floats.
    """
    ids = gate.ids_at or ()
    if all([_is_float(x) or i in ids for i, x in enumerate(inputs)]):
        return list(inputs)
    inputs = [require_numbers(x, f"Input {i} of {gate}") for i, x in enumerate(inputs)]
    floats = tuple(x for x in inputs if _is_float(x))
    if floats and gate.ids_at is None:
        return inputs
    return [x if i in ids else as_floats(x, like=floats) for i, x in enumerate(inputs)]


def _is_float(x: Any) -> bool:
    return x.dtype.kind in "fc" if type(x) is np.ndarray else isinstance(x, float | complex | np.inexact)


def _require_one_for_each_input(node, downstream):
    is_list = isinstance(downstream, list | tuple)
    if not is_list or len(downstream) != len(node.inputs):
        raise ValueError(
            f"{node.gate}.backward returned {len(downstream) if is_list else 'no list of'} gradients for "
            f"{len(node.inputs)} inputs: return a list with one for each input, None where there is no derivative."
        )


def _plain(value):
    """What leaves the graph: 6.0 where NumPy would print np.float64(6.0), and arrays that are the caller's own."""
    if isinstance(value, np.float64):
        return float(value)
    return value.copy() if isinstance(value, np.ndarray) else value
