"""A graph as a table: ``graph.summary()``."""

from typing import TYPE_CHECKING

import numpy as np

from handgrad.nodes import Node, Parameter

if TYPE_CHECKING:
    from handgrad.graph import ComputationalGraph


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


def summary_of(graph: "ComputationalGraph") -> Summary:
    """A row for each node, in the order of computation, and the number of parameters."""
    rows = [["name", "gate", "shape", "parameters"]]
    for node in graph.nodes:
        value = graph.values.get(node, getattr(node, "value", None))
        kind = type(node.gate).__name__ if node.gate is not None else _kind_of_leaf(node)
        size = f"{node.value.size:,}" if isinstance(node, Parameter) else ""
        rows.append([node.name or "-", kind, "-" if value is None else str(np.shape(value)), size])
    total = sum(parameter.value.size for parameter in graph.parameters())
    rows.append(["total", "", "", f"{total:,}"])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    table = [[cell.ljust(width) for cell, width in zip(row[:3], widths, strict=False)] for row in rows]
    numbers = [row[3].rjust(widths[3]) for row in rows]
    return Summary("\n".join("  ".join([*r, n]).rstrip() for r, n in zip(table, numbers, strict=True)))


def _kind_of_leaf(node):
    return "input" if type(node) is Node else type(node).__name__.lower()
