"""Show the library's own source on a page, so that no page ever types it again."""

import inspect
import textwrap
from html import escape
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]


class SourceListing:
    """Source text, plain and with its syntax highlighted."""

    def __init__(self, text, where):
        self.text, self.where = text, where

    def __repr__(self):
        return f"# {self.where}\n{self.text}"

    def _repr_html_(self):
        from pygments import highlight
        from pygments.formatters import HtmlFormatter
        from pygments.lexers import PythonLexer

        code = highlight(self.text, PythonLexer(), HtmlFormatter(cssclass="highlight"))
        return f'<div class="hg-source"><p>{escape(self.where)}</p>{code}</div>'


def source(*things, only=()):
    """The source of classes or functions of handgrad, as it runs.

    Parameters
    ----------
    *things : classes, functions or methods
        Of one file of the library.
    only : sequence of str, optional
        How the lines begin that are shown, apart from their indentation, where a page is about these alone. Three
        dots stand for those left out between them.

    Returns
    -------
    SourceListing
        Shown in a notebook with highlighted syntax.

    Examples
    --------
    >>> from handgrad import Exp, show
    >>> show.source(Exp.forward, Exp.backward)
    # handgrad/gates.py
    def forward(self, x):
        self.z = np.exp(x)
        return self.z
    <BLANKLINE>
    def backward(self, dz):
        return [self.z * dz]
    >>> show.source(Exp.forward, only=["self.z"])
    # handgrad/gates.py
    self.z = np.exp(x)
    """
    path = Path(inspect.getsourcefile(things[0])).resolve()
    if any(Path(inspect.getsourcefile(thing)).resolve() != path for thing in things):
        raise ValueError("show.source shows things of one file at a time: call it once for each file.")
    are_methods = all("." in thing.__qualname__ for thing in things)  # which stand closer together
    sources = [inspect.getsource(thing) for thing in things]
    if only:
        sources = [_lines_that_begin(text, tuple(only)) for text in sources]
        unmet = [start for start in only if not any(_begins(line, start) for t in sources for line in t.splitlines())]
        if unmet:
            raise ValueError(f"No line of the source begins with {unmet[0]!r}.")
    sources = [textwrap.dedent(text).rstrip() for text in sources]
    text = ("\n\n" if are_methods else "\n\n\n").join(sources)
    return SourceListing(text, f"handgrad/{path.relative_to(PACKAGE).as_posix()}")


def _begins(line, start):
    return line.strip().startswith(start)


def _lines_that_begin(text, starts):
    """The lines that begin so, in their order; one line of dots where others stood between two of them."""
    shown, left_out = [], False
    for line in filter(str.strip, text.splitlines()):
        if not _begins(line, starts):
            left_out = bool(shown)
            continue
        if left_out:
            shown.append(" " * (len(line) - len(line.lstrip())) + "...")
        shown.append(line)
        left_out = False
    return "\n".join(shown)
