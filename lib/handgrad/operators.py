"""Arithmetic on nodes: ``(x + y) * z`` draws the same gates as ``Multiply()(Add()(x, y), z)``."""

from numbers import Real
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from handgrad.errors import InputError

if TYPE_CHECKING:
    from handgrad.nodes import Node


def _draw(gate: str, *operands: Any) -> "Node":
    """A node of the named gate; operands that are no nodes, numbers and arrays, become constants."""
    from handgrad import gates, nodes  # not above: gates.py needs nodes.py, which needs this file

    drawn = [x if isinstance(x, nodes.Node) else nodes.Constant(x) for x in operands]
    return getattr(gates, gate)()(*drawn)


def _has_no_value(self: Any, *_: Any, **__: Any) -> NoReturn:
    raise TypeError(
        f"{self!r} is a place in a graph and has no value of its own: compute with gates, run graph.forward(...), and "
        "look at graph.values or graph.value(name)."
    )


# What an array or a number of NumPy on the left of a node comes to.
REFLECTED = {
    np.add: "__radd__",
    np.subtract: "__rsub__",
    np.multiply: "__rmul__",
    np.divide: "__rtruediv__",
    np.matmul: "__rmatmul__",
    np.power: "__rpow__",
}


class Operators:
    """What a node is with + - * / ** @. It is no number: it has no size, no truth and no order."""

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *operands: Any, **options: Any) -> "Node":
        """array + node, for NumPy np.add, is ours to draw; np.exp(node) is nothing to compute."""
        if method == "__call__" and ufunc in REFLECTED and operands[1] is self and not options:
            return getattr(self, REFLECTED[ufunc])(operands[0])
        _has_no_value(self)

    def __add__(self, other: Any) -> "Node":
        return _draw("Add", self, other)

    def __radd__(self, other: Any) -> "Node":
        return _draw("Add", other, self)

    def __sub__(self, other: Any) -> "Node":
        return _draw("Subtract", self, other)

    def __rsub__(self, other: Any) -> "Node":
        return _draw("Subtract", other, self)

    def __mul__(self, other: Any) -> "Node":
        return _draw("Multiply", self, other)

    def __rmul__(self, other: Any) -> "Node":
        return _draw("Multiply", other, self)

    def __truediv__(self, other: Any) -> "Node":
        return _draw("Divide", self, other)

    def __rtruediv__(self, other: Any) -> "Node":
        return _draw("Divide", other, self)

    def __matmul__(self, other: Any) -> "Node":
        return _draw("MatMul", self, other)

    def __rmatmul__(self, other: Any) -> "Node":
        return _draw("MatMul", other, self)

    def __neg__(self) -> "Node":
        return _draw("Multiply", -1, self)

    def __pos__(self) -> "Node":
        return self  # type: ignore[return-value]  # the one class with these operators is Node

    def __pow__(self, p: Any) -> "Node":
        from handgrad import gates

        if not isinstance(p, Real) or isinstance(p, bool):
            raise InputError(
                f"A node is raised to a fixed power, a number, as in x**2, but got {p!r}: for an exponent that varies, "
                "use e^(y log x), Exp()(y * Log()(x))."
            )
        p = p.item() if isinstance(p, np.generic) else p  # a plain number widens no float32
        return gates.Power(p)(self)  # type: ignore[arg-type]

    def __rpow__(self, base: Any) -> NoReturn:
        raise InputError(f"There is no gate for {base!r} to the power of a node: use Exp()(np.log({base!r}) * x).")

    __bool__ = __len__ = __iter__ = __getitem__ = __contains__ = _has_no_value
    __int__ = __float__ = __complex__ = __index__ = __array__ = _has_no_value
    __lt__ = __le__ = __gt__ = __ge__ = _has_no_value
