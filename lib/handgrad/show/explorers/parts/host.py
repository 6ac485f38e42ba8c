"""The host of explorers: one ES module each, alive in a notebook and on a page, with no kernel and no network.

In a live notebook anywidget hosts the module. On a page a few lines of ours do (host.js), and the module,
its state and its style stand in the HTML itself: a page that is opened from the disk may load no module from a
file. Beneath it stands a still picture, drawn in Python, for print, for a browser without JavaScript and for
a module that fails.
"""

import hashlib
import json
import re
from functools import cache
from html import escape
from importlib.util import find_spec
from pathlib import Path

from handgrad.errors import InputError
from handgrad.installing import how_to_install

FOLDER = Path(__file__).parents[1]  # of the explorers
IMPORT = re.compile(r'^import \{[^}]*\} from "\./([\w/]+\.js)";\n', flags=re.MULTILINE)
EXPORT = re.compile(r"^export ", flags=re.MULTILINE)
COMMENT = re.compile(r"^ *//.*\n", flags=re.MULTILINE)  # for who reads the file; a page need not carry it
UNSAFE = {ord(c): f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"}  # they could end a script; JSON reads the escapes


class Explorer:
    """What a subclass says: its module, its state, and how it looks when nothing moves.

    Parameters
    ----------
    state : dict
        Plain JSON; the module reads and changes it by ``model.get`` and ``model.set``.
    title : str
        The caption: what to try, and what to notice.

    Attributes
    ----------
    module : str
        Of a subclass: its ES module in the folder of explorers, without ``.js``. It exports
        ``render({ model, el })``, as anywidget asks.
    """

    module = ""

    def __init__(self, state, title):
        self.state, self.title = {**state, "title": title}, title

    def still(self):
        """The same as HTML that does nothing: a drawing, a table."""
        raise NotImplementedError(f"{type(self).__name__} has no still picture: define still(self).")

    def __repr__(self):
        return f"{type(self).__name__}: {self.title}"

    def _repr_html_(self):
        """The explorer for a page, whole: style, still picture, state and module."""
        state = as_json(self.state)
        digest = hashlib.sha256((self.module + state).encode()).hexdigest()[:12]
        return (
            f'<figure class="hg-explorer" data-explorer="{digest}"><style>{style()}</style>'
            f'<div class="hg-stage"></div><div class="hg-still">{self.still()}</div>'
            f"<figcaption>{escape(self.title)}</figcaption>"
            f'<script type="application/json">{state}</script>'
            f'<script type="module">{bundle(self.module)}startOnPage(render, "{digest}");</script></figure>'
        )

    def _repr_mimebundle_(self, **_):
        """For Jupyter: the live widget where anywidget is installed, and for pages the HTML."""
        data = {"text/plain": repr(self), "text/html": self._repr_html_()}
        if find_spec("anywidget"):
            widget, _ = self.live()._repr_mimebundle_()
            data = {**widget, **data}  # our text has no address of an object in it
        return data

    def live(self):
        """The explorer as a widget of a live notebook.

        Returns
        -------
        anywidget.AnyWidget
            Each entry of the state is a trait of it.
        """
        try:
            import anywidget
            import traitlets
        except ImportError as error:
            raise InputError(
                f"A live explorer needs the package anywidget, which is not installed: {how_to_install('widgets')}."
            ) from error
        members = {
            "__module__": __name__,
            "_esm": f"{bundle(self.module)}export default startInNotebook(render);",
            "_css": style(),
            **{name: traitlets.Any(value).tag(sync=True) for name, value in self.state.items()},
        }
        return type(type(self).__name__, (anywidget.AnyWidget,), members)()


def as_json(state):
    """The state as JSON that may stand in a ``<script>``: nothing in it can end the script or begin a comment."""
    try:
        return json.dumps(state, allow_nan=False, ensure_ascii=False, separators=(",", ":")).translate(UNSAFE)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"An explorer's state is plain JSON with finite numbers, but this one has something else ({error}): "
            "turn arrays into lists, and what is not finite into None or text."
        ) from error


@cache
def bundle(name):
    """A module with all that it imports in front of it, as one text: ``parts/host.js`` first."""
    texts = {}

    def collect(path):
        if path not in texts:
            text = path.read_text(encoding="utf-8")
            for imported in IMPORT.findall(text):
                collect(path.parent / imported)
            texts[path] = COMMENT.sub("", EXPORT.sub("", IMPORT.sub("", text)))

    collect(FOLDER / "parts/host.js")
    collect(FOLDER / f"{name}.js")
    return "".join(texts.values())


@cache
def style():
    """The one style sheet of all explorers."""
    return (FOLDER / "parts/style.css").read_text(encoding="utf-8")
