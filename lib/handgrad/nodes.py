"""Gates and nodes: what can be computed, and the places in a graph where it is.

A *gate* is arithmetic: a forward rule and a backward rule. A *node* is one place in one graph: a leaf, whose value is
fed, or the output of a gate.
"""

import sys
from collections.abc import Container, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from handgrad.errors import ForwardFirstError, InputError, require_numbers
from handgrad.functional import as_floats
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

    In a graph, integers become floats before forward meets them (``passes.as_fed``). A gate that is called by itself
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
    _pass: object = None  # the pass of a graph that it served last: what it keeps is of that one

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
