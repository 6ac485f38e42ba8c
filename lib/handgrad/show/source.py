"""Show the library's own source on a page, so that no page ever types it again."""

import ast
import inspect
import textwrap
from html import escape
from pathlib import Path
from typing import Any

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


def source(*things: Any, docstrings: bool = True) -> SourceListing:
    """The source of classes or functions of handgrad, as it runs.

    Parameters
    ----------
    *things : classes, functions or methods
        Of one file of the library.
    docstrings : bool
        Whether to show those of functions, too: where a page is about the code alone, it says what they say.

    Returns
    -------
    SourceListing
        Shown in a notebook with highlighted syntax.

    Raises
    ------
    ValueError
        If the things are of several files.

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
    """
    path, *others = dict.fromkeys(Path(str(inspect.getsourcefile(thing))).resolve() for thing in things)
    if others:
        raise ValueError("show.source shows things of one file at a time: call it once for each file.")
    are_methods = all("." in thing.__qualname__ for thing in things)  # which stand closer together
    sources = [textwrap.dedent(inspect.getsource(thing)).rstrip() for thing in things]
    if not docstrings:
        sources = [_without_docstring(text) for text in sources]
    text = ("\n\n" if are_methods else "\n\n\n").join(sources)
    return SourceListing(text, f"handgrad/{path.relative_to(PACKAGE).as_posix()}")


def _without_docstring(text):
    function = ast.parse(text).body[0]
    if not ast.get_docstring(function):
        return text
    lines, docstring = text.splitlines(), function.body[0]
    return "\n".join(lines[: docstring.lineno - 1] + lines[docstring.end_lineno :])
