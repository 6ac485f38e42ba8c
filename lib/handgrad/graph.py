"""Gates, nodes and the computational graph: reverse-mode differentiation, one gate at a time.

A *gate* is arithmetic: a forward rule and a backward rule. A *node* is one place in one graph.
The *graph* is order: forward visits the nodes from the inputs to the outputs, backward the other way.
"""

import sys
from collections.abc import Container, Mapping, Sequence
from typing import Any, NoReturn

import numpy as np
from numpy.typing import ArrayLike

from handgrad.errors import ForwardFirstError, InputError, require_numbers
from handgrad.functional import as_floats, is_float
from handgrad.operators import Operators

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
    ids_at : container of int, or None
        Which inputs may be ids or labels, by their positions; these stay integers. None: it does not say.

    Raises
    ------
    InputError
        If a gate is made from nodes, or from settings that it does not have.
    ForwardFirstError
        If backward comes before forward.

    Examples
    --------
    A gate of your own, alone and in a graph:

    >>> from handgrad import ComputationalGraph, Gate, Node
    >>> class Square(Gate):
    ...     def forward(self, x):
    ...         self.x = x
    ...         return x**2
    ...
    ...     def backward(self, dz):
    ...         return [2 * self.x * dz]
    >>> square = Square()
    >>> square.forward(3.0), square.backward(1.0)
    (9.0, [6.0])
    >>> graph = ComputationalGraph(Square()(Node("x")))
    >>> graph.forward(x=3.0), graph.backward()
    (9.0, {'x': 6.0})
    """

    ids_at: Container[int] | None = None
    _pass: object  # of the graph whose forward pass it served last

    def __new__(cls, *settings: Any, **more: Any) -> "Gate":
        name = cls.__name__
        if any(isinstance(x, Node) for x in (*settings, *more.values())):
            raise InputError(f"{name} is a kind of gate, and is made before it is called on nodes: {name}()(x, ...).")
        if (settings or more) and cls.__init__ is object.__init__:
            raise InputError(f"{name} has no settings: {name}() makes the gate, and {name}().forward(...) computes.")
        return super().__new__(cls)

    def forward(self, *inputs: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} has no forward rule: define forward(self, ...).")

    def backward(self, dz: Any) -> Sequence[Any]:
        raise NotImplementedError(f"{type(self).__name__} has no backward rule: define backward(self, dz).")

    def __call__(self, *nodes: "Node", name: str | None = None) -> "Node":
        """Draw edges from ``nodes`` to a new node of this gate. Nothing is computed yet.

        Parameters
        ----------
        *nodes : Node
            The gate's inputs, in the order of ``forward``.
        name : str, optional
            Under which ``graph.value`` and ``graph.gradient`` find the new node.

        Returns
        -------
        Node

        Raises
        ------
        ValueError
            If one of the nodes is none.
        """
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


class Node(Operators):
    """One place in a graph: a leaf, whose value is fed, or the output of a gate.

    Nodes are drawn together with ``+ - * / ** @`` as numbers are: each operator makes a gate, and each number or array
    a ``Constant``. A node itself has no value, and no size, order or truth.

    Parameters
    ----------
    name : str
        With an optional scope before a slash, as in ``"embed/center"``; a node of a gate may go without.
    gate, inputs : Gate and tuple of Node
        Set by calling the gate, ``Multiply()(x, y)``, or by an operator, ``x * y``.

    Raises
    ------
    InputError
        If the name is no string.
    ValueError
        If a leaf has no name, or an input is no node.

    Examples
    --------
    >>> from handgrad import ComputationalGraph, Node
    >>> x, y = Node("x"), Node("y")
    >>> graph = ComputationalGraph(2 * x + y**2)
    >>> graph.forward(x=1.0, y=3.0), graph.backward()
    (11.0, {'x': 2.0, 'y': 6.0})
    """

    value: Any  # of a Parameter or a Constant

    def __init__(self, name: str | None = None, gate: Gate | None = None, inputs: Sequence["Node"] = ()) -> None:
        if not isinstance(name, str | None):
            raise InputError(f'A node\'s name is a string, as in Node("x") and Parameter("w", 1.0), but got {name!r}.')
        for node in inputs:
            if not isinstance(node, Node):
                raise ValueError(
                    f"{gate} was called on {node!r}, but a gate is called on nodes: wrap a constant as "
                    "Constant(value), or call gate.forward(...) to compute without a graph."
                )
        if gate is None and not name:
            raise ValueError('A leaf needs a name, under which its value is fed: Node("x").')
        self.name: Any = name  # a string, but for a gate's node and a constant, which may go without
        self.gate, self.inputs = gate, tuple(inputs)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name or self.gate!r})"


class Parameter(Node):
    """A leaf that owns its value: a weight matrix, a bias. The optimizer updates ``parameter.value`` in place.

    An array of floats is kept as it is, not copied; so two parameters, or two models, can share one.

    Parameters
    ----------
    name : str
    value : array or number
        Integers become floats.

    Raises
    ------
    InputError
        If the value is no array of numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from handgrad import ComputationalGraph, MatMul, Node, Parameter
    >>> W = Parameter("W", np.array([[1.0], [2.0]]))
    >>> graph = ComputationalGraph(MatMul()(Node("x"), W))
    >>> graph.forward(x=np.array([[3.0, 4.0]]))
    array([[11.]])
    >>> graph.backward(np.array([[1.0]]))["W"]
    array([[3.],
           [4.]])
    """

    value: np.ndarray

    def __init__(self, name: str, value: ArrayLike) -> None:
        super().__init__(name)
        self.value = np.asarray(as_floats(require_numbers(value, f"The value of {name!r}")))


class Constant(Node):
    """A leaf that owns a value which is neither fed nor trained: the 2 in ``2 * x``. It needs no name.

    Parameters
    ----------
    value : array or number
        It is copied, and integers become floats.

    Raises
    ------
    InputError
        If the value is a gate, or no array of numbers.

    Examples
    --------
    >>> from handgrad import ComputationalGraph, Constant, Multiply, Node
    >>> graph = ComputationalGraph(Multiply()(Constant(2.0), Node("x")))
    >>> graph.forward(x=3.0), graph.backward()
    (6.0, {'x': 2.0})
    """

    value: Any

    def __init__(self, value: ArrayLike) -> None:
        self.name, self.gate, self.inputs = None, None, ()
        if isinstance(value, type | Gate):
            raise InputError(f"A node was combined with the gate {value!r}: call the gate on nodes, Add()(x, y).")
        value = np.array(as_floats(require_numbers(value, "What a node is combined with")))  # a copy: it stays as it is
        self.value = value if value.ndim else value.item()  # a plain number widens no float32

    def __repr__(self) -> str:
        return f"Constant({self.value!r})"


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
        self._refuse_a_name_or_a_gate_at_two_nodes()
        self.named = {node.name: node for node in self.nodes if node.name}
        self.leaves = {name: node for name, node in self.named.items() if node.gate is None}
        self._users: dict[Node, list[Node]] = {node: [] for node in self.nodes}  # whose gates take it as a number
        for node in self.nodes:
            ids = declared_ids(node.gate)
            for number in (input_node for i, input_node in enumerate(node.inputs) if i not in ids):
                self._users[number].append(node)
        self.values: dict[Node, Any] = {}
        self.gradients: dict[Node, Any] = {}
        self.downstream: dict[Node, Sequence[Any]] = {}

    def __repr__(self) -> str:
        leaves = list(self.leaves)
        leaves = leaves if len(leaves) <= 6 else [*leaves[:5], "…"]
        outputs = [output.name or type(output.gate or output).__name__ for output in self.outputs]
        count = f"{len(self.nodes)} node{'s' if len(self.nodes) > 1 else ''}"
        return f"ComputationalGraph({count}: {', '.join(leaves) or 'constants'} -> {', '.join(outputs)})"

    def summary(self) -> "Summary":
        """A table with a row for each node, in the order of computation, and the number of parameters.

        Returns
        -------
        Summary
            A string of name, gate or kind of leaf, shape, and how many numbers are trained. The shapes are those
            of the last forward pass, "-" where there was none.
        """
        rows = [["name", "gate", "shape", "parameters"]]
        for node in self.nodes:
            value = self.values.get(node, getattr(node, "value", None))
            kind = type(node.gate).__name__ if node.gate is not None else _kind_of_leaf(node)
            size = f"{node.value.size:,}" if isinstance(node, Parameter) else ""
            rows.append([node.name or "-", kind, "-" if value is None else str(np.shape(value)), size])
        total = sum(parameter.value.size for parameter in self.parameters())
        rows.append(["total", "", "", f"{total:,}"])
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        table = [[cell.ljust(width) for cell, width in zip(row[:3], widths, strict=False)] for row in rows]
        numbers = [row[3].rjust(widths[3]) for row in rows]
        return Summary("\n".join("  ".join([*r, n]).rstrip() for r, n in zip(table, numbers, strict=True)))

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
        values = {**(feeds or {}), **values}
        self.require_names(values)
        gets_integers: set[Node] = set()  # nodes whose gates should get floats instead
        for name, value in values.items():
            if not is_float(value):
                values[name] = require_numbers(value, f"The value of {name!r}")
                if not is_float(values[name]):
                    gets_integers.update(self._users[self.leaves[name]])
        self.values, self.gradients, self.downstream, computed = {}, {}, {}, {}
        self._pass = object()  # each gate remembers which pass it served, since it keeps that pass's inputs
        try:
            for node in self.nodes:
                if node.gate is None:
                    computed[node] = values[node.name] if node.name in values else node.value
                    continue
                inputs = [computed[i] for i in node.inputs]
                if node in gets_integers:
                    inputs = as_fed(node.gate, inputs)
                value = node.gate.forward(*inputs)
                if value is None:
                    raise InputError(f"{node.gate}.forward returned None: end it with return and the value.")
                if node in gets_integers and not is_float(value):
                    gets_integers.update(self._users[node])
                computed[node], node.gate._pass = value, self._pass
        except Exception as error:
            _say_where(error, node, computed)
        self.values = computed
        results = [_plain(self.values[output]) for output in self.outputs]
        return results if len(results) > 1 else results[0]

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
        if not self.values:
            raise ValueError("graph.backward needs the values of a forward pass: call graph.forward(...) first.")
        self.gradients, self.downstream = {}, {}  # empty at each call: gradients of two calls never mix
        for output, upstream in zip(self.outputs, self._upstreams(dz), strict=True):
            self._add(output, upstream)
        try:
            for node in reversed(self.nodes):
                if node.gate is None or node not in self.gradients:
                    continue
                self._refuse_a_gate_that_another_graph_ran(node)
                upstream = self.gradients[node]
                if hasattr(upstream, "to_dense"):  # row-sparse gradients are for leaves; gates want arrays
                    self.gradients[node] = upstream = upstream.to_dense()
                downstream = self.downstream[node] = node.gate.backward(upstream)
                _require_one_for_each_input(node, downstream)
                for input_node, gradient in zip(node.inputs, downstream, strict=True):
                    self._add(input_node, gradient)
        except Exception as error:
            _say_where(error, node, self.values)
        return {name: _plain(self.gradients[leaf]) for name, leaf in self.leaves.items() if leaf in self.gradients}

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
        if not self.values:
            raise ValueError("graph.jvp needs the values of a forward pass: call graph.forward(...) first.")
        tangents = {**(feeds or {}), **tangents}
        self._refuse_unknown_names(tangents)
        moved = {node: self._tangent_of_leaf(node, tangents) for node in self.nodes if node.gate is None}
        try:
            for node in self.nodes:
                if node.gate is None:
                    continue
                if not hasattr(node.gate, "jvp"):
                    raise ValueError(f"{node.gate} has no forward-mode rule: define jvp(self, *tangents).")
                self._refuse_a_gate_that_another_graph_ran(node)
                moved[node] = node.gate.jvp(*(moved[i] for i in node.inputs))
        except Exception as error:
            _say_where(error, node, self.values)
        results = [_plain(moved[output]) for output in self.outputs]
        return results if len(results) > 1 else results[0]

    def _tangent_of_leaf(self, leaf: Node, tangents: Mapping[str, Any]) -> Any:
        value = self.values[leaf]
        if leaf.name not in tangents:  # zeros that take no space, and round nothing that they meet
            zero = value.dtype.type(0) if isinstance(value, np.ndarray) and is_float(value) else np.float64(0)
            return np.broadcast_to(zero, np.shape(value)) if np.ndim(value) else 0.0
        tangent = _as_moving(tangents[leaf.name], value, f"The tangent of {leaf.name!r}")
        if np.shape(tangent) != np.shape(value):
            raise ValueError(f"{leaf} has shape {np.shape(value)}, but its tangent {np.shape(tangent)}.")
        return tangent

    def _add(self, node, gradient):
        """Fan-out adds. A new sum, never in place: Add hands the same array to both of its inputs."""
        if gradient is not None:
            known = self.gradients.get(node)
            self.gradients[node] = gradient if known is None else known + gradient

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
        dz = list(dz)
        for i, (output, shape) in enumerate(zip(self.outputs, shapes, strict=True)):
            if dz[i] is not None and not is_float(dz[i]):
                dz[i] = _as_moving(dz[i], self.values[output], "The upstream gradient")
            if dz[i] is not None and np.shape(dz[i]) != shape:
                raise ValueError(f"The upstream gradient has shape {np.shape(dz[i])}, but its output {shape}.")
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

    def require_names(self, values: Mapping[str, Any]) -> None:
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
    if all([is_float(x) or i in ids for i, x in enumerate(inputs)]):
        return list(inputs)
    inputs = [require_numbers(x, f"Input {i} of {gate}") for i, x in enumerate(inputs)]
    floats = tuple(x for x in inputs if is_float(x))
    if floats and gate.ids_at is None:
        return inputs
    return [x if i in ids else as_floats(x, like=floats) for i, x in enumerate(inputs)]


def _as_moving(given: Any, value: Any, what: str) -> Any:
    """A gradient or tangent of ``value`` as floats: integers and lists in the precision of the value."""
    given = require_numbers(given, what)
    if is_float(given):
        return given
    return np.asarray(given).astype(np.result_type(np.asarray(value), np.float32))[()]


def _say_where(error: Exception, node: Node, values: Mapping[Node, Any]) -> NoReturn:
    """Raise the same kind of error again, which says at which node, and which shapes met there."""
    meet = [f"{_short_name(i)} {np.shape(values[i])}" for i in node.inputs if i in values]
    where = f"{node.name!r} = " if node.name else ""
    text = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
    if "could not be broadcast" in text:
        text = "these shapes do not broadcast: counted from the last axis, sizes must be equal, or one of them 1."
    text = f"At the node {where}{type(node.gate).__name__}({', '.join(meet)}): {text}"
    try:
        told = type(error)(text)
    except Exception:  # some are made from other things than a text
        error.add_note(text)
        raise error from None
    raise told from error


def _short_name(node: Node) -> str:
    return node.name or (type(node.gate).__name__ if node.gate is not None else "constant")


def _kind_of_leaf(node: Node) -> str:
    return "input" if type(node) is Node else type(node).__name__.lower()


class Summary(str):
    """A table that a notebook shows as one, without quotation marks.

    Examples
    --------
    >>> from handgrad import ComputationalGraph, Node, Parameter
    >>> graph = ComputationalGraph(Parameter("w", 2.0) * Node("x"))
    >>> graph.forward(x=3.0)
    6.0
    >>> print(graph.summary())
    name   gate       shape  parameters
    w      parameter  ()              1
    x      input      ()
    -      Multiply   ()
    total                             1
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def declared_ids(gate: Gate | None) -> Container[int]:
    """The places of the inputs that a gate declares to be ids; none, where it lets anything pass."""
    return () if gate is None or gate.ids_at in (None, EVERY_INPUT) else gate.ids_at


def _require_one_for_each_input(node, downstream):
    is_list = isinstance(downstream, (list, tuple))
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
