"""Matplotlib figures that sit in a page: vector, in the page's own text color, so that dark mode can read them."""

import io
import re
from html import escape
from typing import Any

from handgrad.errors import InputError

# Okabe and Ito's palette: told apart with any color vision. The page's style sheet lightens them in dark mode.
PALETTE = {"blue": "#0072b2", "orange": "#d55e00", "green": "#009e73", "pink": "#cc79a7", "grey": "#808080"}
PAGE_TEXT = "#010203"  # stands for the page's text color until the SVG is written
LETTERS, LEGIBLE = 12, 11  # the size of letters in points, and in pixels on a phone: there a wider figure scrolls


def page_color(name: str) -> str:
    """A color of the palette for SVG: the page's own, where its style sheet has one."""
    return f"var(--hg-{name}, {PALETTE[name]})"


def _require_matplotlib() -> tuple[Any, Any]:
    """matplotlib and its pyplot, imported only where a figure is made: drawings of graphs do without."""
    try:
        import matplotlib
        from matplotlib import pyplot
    except ModuleNotFoundError as error:
        raise InputError("Figures need matplotlib, which is not installed: pip install matplotlib.") from error
    return matplotlib, pyplot


def use_book_style() -> None:
    """One size, one palette, no box around the axes, for every figure of the book.

    Raises
    ------
    InputError
        If matplotlib is not installed.

    Examples
    --------
    >>> from matplotlib import pyplot as plt
    >>> from handgrad import show
    >>> with plt.rc_context():
    ...     show.use_book_style()
    ...     plt.rcParams["axes.spines.top"]
    False
    """
    matplotlib, plt = _require_matplotlib()
    plt.style.use("default")
    matplotlib.rcParams.update(
        {
            "figure.figsize": (5.4, 3.2),  # as wide as a phone, where its letters are just legible
            "font.size": LETTERS,
            "figure.constrained_layout.use": True,
            "figure.constrained_layout.w_pad": 0.1,  # inches: half of the last number on an axis
            "figure.facecolor": "none",
            "axes.facecolor": "none",
            "savefig.facecolor": "none",
            "axes.prop_cycle": matplotlib.cycler(color=list(PALETTE.values())),
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.edgecolor": PAGE_TEXT,
            "axes.labelcolor": PAGE_TEXT,
            "axes.titlesize": "medium",
            "text.color": PAGE_TEXT,
            "xtick.color": PAGE_TEXT,
            "ytick.color": PAGE_TEXT,
            "grid.color": PALETTE["grey"],
            "grid.alpha": 0.3,
            "legend.frameon": False,
            "svg.fonttype": "none",  # text stays text: small, searchable, in the page's font
            "font.family": "sans-serif",
        }
    )


class Figure:
    """A drawn figure: SVG for the page, its description where there is no picture."""

    def __init__(self, svg: str, alt: str, caption: str) -> None:
        self.svg, self.alt, self.caption = svg, alt, caption

    def __repr__(self):
        return f"figure: {self.alt}"

    def _repr_html_(self):
        caption = f"<figcaption>{escape(self.caption)}</figcaption>" if self.caption else ""
        return f'<figure class="hg-figure">{self.svg}{caption}</figure>'


def figure(fig: Any, alt: str, caption: str = "") -> Figure:
    """Turn a matplotlib figure into one for the page, and close it.

    Parameters
    ----------
    fig : matplotlib.figure.Figure
    alt : str
        What the picture shows, for those who do not see it.
    caption : str, optional
        What to notice.

    Returns
    -------
    Figure
        Shown in a notebook as inline SVG; nbval compares its alt text, since pixels and paths vary.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from handgrad import show
    >>> fig = Figure()
    >>> line = fig.subplots().plot([0, 1, 2], [0, 1, 4])
    >>> show.figure(fig, alt="A parabola: slow at first, then steep.")
    figure: A parabola: slow at first, then steep.
    """
    matplotlib, plt = _require_matplotlib()
    smallest = 72 * fig.get_figwidth() * LEGIBLE / LETTERS
    buffer = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": alt}):  # ids that are the same at each run, and differ by figure
        fig.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    plt.close(fig)
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :].replace(PAGE_TEXT, "currentColor")
    for name, color in PALETTE.items():
        svg = svg.replace(color, page_color(name))
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg, flags=re.DOTALL)
    begin = f'<svg role="img" aria-label="{escape(alt, quote=True)}" style="min-width:{smallest:.0f}px"'
    svg = begin + svg.removeprefix("<svg")
    return Figure(svg, alt, caption)
