"""The computational graph: reverse-mode differentiation, one gate at a time.

The *graph* is order: forward visits the nodes from the inputs to the outputs, backward the other way. What a pass is
given, and what comes out of it, is looked at in ``passes``.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from handgrad.nodes import Constant, Node, Parameter
from handgrad.passes import (
    Located,
    as_fed,
    as_given_out,
    by_name,
    fed_values,
    gates_begin_a_pass,
    nodes_behind,
    plain,
    require_gradients,
    require_own_pass,
    require_places,
    tangents_of_leaves,
    upstream_gradients,
    users_of_numbers,
)
from handgrad.summary import Summary, summary_of


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

    Raises
    ------
    ValueError
        If an output is no node, two leaves have one name, or one gate stands at two nodes.

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

    def __init__(self, *outputs: Node) -> None:
        if not outputs or not all(isinstance(output, Node) for output in outputs):
            raise ValueError(f"A graph is made from its output nodes, ComputationalGraph(node, ...); got {outputs}.")
        self.outputs = outputs
        self.nodes = self.nodes_topologically_sorted()
        require_places(self.nodes)
        self.named = {node.name: node for node in self.nodes if node.name}
        self.leaves = {name: node for name, node in self.named.items() if node.gate is None}
        self._gates = [node.gate for node in self.nodes if node.gate is not None]
        self._owners = [node for node in self.nodes if isinstance(node, Parameter | Constant)]  # of values
        self._fed = [name for name, leaf in self.leaves.items() if type(leaf) is Node]
        self._users = users_of_numbers(self.nodes)
        self.values: dict[Node, Any] = {}
        self.gradients: dict[Node, Any] = {}
        self.downstream: dict[Node, Sequence[Any]] = {}

    def nodes_topologically_sorted(self) -> list[Node]:
        """All nodes, each after its inputs: depth first, with our own stack, for chains of any length.

        Returns
        -------
        list of Node
        """
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

    def forward(self, feeds: Mapping[str, Any] | None = None, /, **values: Any) -> Any:
        """Compute every node, inputs first.

        Parameters
        ----------
        feeds : dict, optional
            Name to value, for names that are no Python identifiers (``"embed/center"``).
        **values : array or number
            The other leaves by name. A ``Parameter`` may be left out, since it has a value.

        Returns
        -------
        array or number
            The value of the output; a list of them, if the graph has several.

        Raises
        ------
        ValueError
            If a leaf has no value, a value is no array of numbers or has a name that no leaf has, or a gate refuses its
            inputs: the sentence says at which node.
        """
        computed = self._begin(by_name(feeds, values))
        with Located(self, "forward", computed):
            for node in self.nodes:
                if node.gate is not None:
                    inputs = [computed[i] for i in node.inputs]
                    if node in self._meet_integers:
                        inputs = as_fed(node.gate, inputs)
                    computed[node] = node.gate.forward(*inputs)
        self.values = computed
        return as_given_out([computed[output] for output in self.outputs])

    def backward(self, dz: Any = None) -> dict[str, Any]:
        """Pass the upstream gradient back through every gate, outputs first.

        Parameters
        ----------
        dz : array, optional
            In the shape of the output; a list of them, if the graph has several outputs (None
            for one that does not matter). It may be left out only where the one output is a single number: dz = 1.

        Returns
        -------
        dict
            The gradient of every leaf that the output depends on smoothly, by name, in the leaf's shape.

        Raises
        ------
        ValueError
            If forward has not run, dz is missing or of another shape than the output, or what a gate's backward returns
            are not the gradients of its inputs.
        """
        self._begin_backward(dz)
        with Located(self, "backward", self.downstream):
            for node in reversed(self.nodes):
                if node.gate is not None and node in self.gradients:
                    downstream = node.gate.backward(self._upstream(node))
                    require_gradients(node, downstream)
                    for i, gradient in zip(node.inputs, downstream, strict=True):
                        self._add(i, gradient)
                    self.downstream[node] = downstream
        reached = [leaf for leaf in self.leaves.values() if leaf in self.gradients]
        return {leaf.name: plain(self.gradients[leaf]) for leaf in reached}

    def jvp(self, feeds: Mapping[str, Any] | None = None, /, **tangents: Any) -> Any:
        """Push a direction through the graph, inputs first: how the outputs move when leaves move that way.

        Forward mode costs one pass for each *direction*; ``backward`` costs one for each *output*.

        Parameters
        ----------
        feeds : dict, optional
            Leaf name to tangent, for names that are no Python identifiers.
        **tangents : array or number
            By name, in the shape of the leaf; a leaf that is left out stands still.

        Returns
        -------
        array or number
            The tangent of the output, Jacobian · tangent; a list of them, if the graph has several.

        Raises
        ------
        ValueError
            If forward has not run, a tangent has another shape than its leaf or fits none, or a gate has no jvp.
        """
        moved = self._begin_jvp(by_name(feeds, tangents))
        with Located(self, "jvp", moved):
            for node in self.nodes:
                if node.gate is not None:
                    moved[node] = node.gate.jvp(*(moved[i] for i in node.inputs))
        return as_given_out([moved[output] for output in self.outputs])

    # what the passes are made of

    def _begin(self, feeds):
        """The leaves' values; what an earlier pass has left is forgotten."""
        values, of_integers = fed_values(self, feeds)
        self._meet_integers = nodes_behind(of_integers, self._users)
        self.values, self.gradients, self.downstream = {}, {}, {}
        self._pass = gates_begin_a_pass(self._gates)
        return values

    def _begin_backward(self, dz):
        """The outputs' gradients. It starts empty at each call, so gradients of two calls never mix."""
        require_own_pass(self, "backward")
        upstreams = upstream_gradients(self, dz)
        self.gradients, self.downstream = {}, {}
        for output, upstream in zip(self.outputs, upstreams, strict=True):
            self._add(output, upstream)

    def _upstream(self, node):
        """What a gate's backward gets: an array, since row-sparse gradients are for leaves."""
        gradient = self.gradients[node]
        if hasattr(gradient, "to_dense"):
            gradient = self.gradients[node] = gradient.to_dense()
        return gradient

    def _add(self, node, gradient):
        """Fan-out adds. A new sum, never in place: Add hands the same array to both of its inputs."""
        if gradient is not None:
            known = self.gradients.get(node)
            self.gradients[node] = gradient if known is None else known + gradient

    def _begin_jvp(self, tangents):
        """The leaves' tangents: zeros where none is given."""
        require_own_pass(self, "jvp")
        return tangents_of_leaves(self, tangents)

    # what is known of a graph

    def parameters(self, scope: str = "") -> list[Parameter]:
        """The parameters in ``scope`` ("embed" or "embed/"), or all of them, in the order of computation.

        Parameters
        ----------
        scope : str, optional

        Returns
        -------
        list of Parameter
        """
        prefix = scope.rstrip("/") + "/" if scope else ""
        return [n for n in self.nodes if isinstance(n, Parameter) and n.name.startswith(prefix)]

    def value(self, name: str) -> Any:
        """The value of the node called ``name`` in the last forward pass.

        Raises
        ------
        ValueError
            If no node has that name, or forward has not run.
        """
        node = self._node_named(name)
        if node not in self.values:
            raise ValueError(f"{name!r} has no value yet: call graph.forward(...) first.")
        return self.values[node]

    def gradient(self, name: str) -> Any:
        """The gradient of the node called ``name`` in the last backward pass.

        Raises
        ------
        ValueError
            If no node has that name, backward has not run, or the output does not depend on the node.
        """
        node = self._node_named(name)
        if node not in self.gradients:
            raise ValueError(f"{name!r} has no gradient: call graph.backward() first; integers never have one.")
        return self.gradients[node]

    def _node_named(self, name):
        if name not in self.named:
            raise ValueError(f"No node is named {name!r}; the names here are {', '.join(map(repr, self.named))}.")
        return self.named[name]

    def summary(self) -> Summary:
        """A table with a row for each node, in the order of computation, and the number of parameters.

        Returns
        -------
        Summary
            A string of name, gate or kind of leaf, shape, and how many numbers are trained. The shapes are those
            of the last forward pass, "-" where there was none.
        """
        return summary_of(self)

    def __repr__(self) -> str:
        leaves = list(self.leaves)
        leaves = leaves if len(leaves) <= 6 else [*leaves[:5], "…"]
        outputs = [output.name or type(output.gate or output).__name__ for output in self.outputs]
        count = f"{len(self.nodes)} node{'s' if len(self.nodes) > 1 else ''}"
        return f"ComputationalGraph({count}: {', '.join(leaves) or 'constants'} -> {', '.join(outputs)})"
