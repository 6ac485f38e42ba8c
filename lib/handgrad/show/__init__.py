"""What the book's pages show: checked gradients, figures, drawings of graphs, the library's own source."""

from handgrad.show.drawing import draw
from handgrad.show.figures import figure, use_book_style
from handgrad.show.source import source
from handgrad.show.verification import Verification, verify

__all__ = ["Verification", "draw", "figure", "source", "use_book_style", "verify"]
