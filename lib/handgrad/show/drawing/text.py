"""A graph in text: as a table, and in words for those who do not see its drawing."""

from handgrad.graph import ComputationalGraph
from handgrad.show.drawing.labels import label_of, short_number


def as_table(graph: ComputationalGraph) -> str:
    """A row for each node: what it is, what feeds it, its value and its gradient."""
    rows = [["node", "from", "value", "gradient"]]
    for node in graph.nodes:
        rows.append(
            [
                label_of(node) if not node.name or node.gate is None else f"{node.name}: {label_of(node)}",
                ", ".join(i.name or label_of(i) for i in node.inputs),
                short_number(graph.values.get(node)),
                short_number(graph.gradients.get(node)),
            ]
        )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(c.ljust(w) for c, w in zip(r, widths, strict=True)).rstrip() for r in rows)


def in_words(graph: ComputationalGraph, title: str) -> str:
    """The title, then each node with its inputs and its numbers."""
    parts = []
    for node in graph.nodes:
        inputs = f" of {' and '.join(i.name or label_of(i) for i in node.inputs)}" if node.inputs else ""
        value, gradient = graph.values.get(node), graph.gradients.get(node)
        parts.append(
            f"{node.name or label_of(node)}{inputs}"
            + (f", value {short_number(value)}" if value is not None else "")
            + (f", gradient {short_number(gradient)}" if gradient is not None else "")
        )
    return f"{title} Nodes: {'; '.join(parts)}."
