"""The gates that a page computes too, in gates.js: on single numbers, without Python."""

from handgrad import gates
from handgrad.graph import ComputationalGraph

IN_THE_BROWSER = (
    gates.Add,
    gates.Subtract,
    gates.Multiply,
    gates.Divide,
    gates.Power,
    gates.Exp,
    gates.Log,
    gates.Max,
    gates.Sigmoid,
    gates.Tanh,
    gates.ReLU,
)


def all_in_the_browser(graph: ComputationalGraph) -> bool:
    """Whether a page knows every gate of a graph. Its class decides: a subclass may compute something else."""
    return all(node.gate is None or type(node.gate) in IN_THE_BROWSER for node in graph.nodes)
