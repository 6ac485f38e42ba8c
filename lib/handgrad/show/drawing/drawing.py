"""``draw(graph)``: a computational graph for the page, as SVG, and as a table in text."""

from html import escape

from handgrad.graph import ComputationalGraph
from handgrad.show.drawing.svg import as_svg
from handgrad.show.drawing.text import as_table


class Drawing:
    """A graph as SVG for the page, and as a table in text."""

    def __init__(self, graph: ComputationalGraph, title: str) -> None:
        self.graph, self.title = graph, title

    def __repr__(self):
        return as_table(self.graph)

    def _repr_html_(self):
        return f'<figure class="hg-figure">{self.svg()}<figcaption>{escape(self.title)}</figcaption></figure>'

    def svg(self) -> str:
        return as_svg(self.graph, self.title)


def draw(
    graph: ComputationalGraph, title: str = "A computational graph: values above the wires, gradients below."
) -> Drawing:
    """Draw ``graph`` with what its last forward and backward left in it.

    Parameters
    ----------
    graph : ComputationalGraph
    title : str
        The caption.

    Returns
    -------
    Drawing
        SVG in a notebook, a table in text.

    Examples
    --------
    >>> from handgrad import ComputationalGraph, Node, show
    >>> graph = ComputationalGraph(Node("x") * Node("y"))
    >>> graph.forward(x=2.0, y=3.0), graph.backward()
    (6.0, {'x': 3.0, 'y': 2.0})
    >>> show.draw(graph)
    node  from  value  gradient
    x           2      3
    y           3      2
    ×     x, y  6      1
    """
    return Drawing(graph, title)
