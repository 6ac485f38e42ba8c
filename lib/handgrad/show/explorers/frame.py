"""``explore(fn, name=values)``: sliders over what a Python function returns."""

import hashlib
import inspect
import itertools
import math
import re
from collections.abc import Callable, Iterable, Mapping
from html import escape
from typing import Any

from handgrad.errors import InputError
from handgrad.show.explorers.parts.host import Explorer
from handgrad.show.figures import Figure, figure

MAX_BYTES = 500_000  # what the frames of one explorer may weigh, before the page is compressed


class FrameExplorer(Explorer):
    """A function of one to three parameters. A live notebook calls it; a page carries a frame for each setting."""

    module = "frame"

    def __init__(self, fn, values, start, title, max_bytes):
        self.fn, self.values, self.max_bytes = fn, values, max_bytes
        self.start = [values[name].index(start[name]) if name in start else 0 for name in values]
        parameters = [{"name": name, "values": [_text(v) for v in vs]} for name, vs in values.items()]
        frames = [self.frame(place) for place in itertools.product(*(range(len(vs)) for vs in values.values()))]
        _require_few_bytes(frames, max_bytes)
        super().__init__({"parameters": parameters, "place": self.start, "frames": frames, "frame": ""}, title)

    def setting(self, place):
        """What the sliders stand at, in words: ``lr = 0.1, steps = 20``."""
        chosen = zip(self.values.items(), place, strict=True)
        return ", ".join(f"{name} = {_text(values[i])}" for (name, values), i in chosen)

    def frame(self, place):
        """What the function returns there, as HTML."""
        chosen = zip(self.values.items(), place, strict=True)
        result = self.fn(**{name: values[i] for (name, values), i in chosen})
        return as_html(result, self.setting(place))

    def __repr__(self):
        sliders = [f"{p['name']}: {', '.join(p['values'])}" for p in self.state["parameters"]]
        return "\n".join([super().__repr__(), *sliders])

    def still(self):
        frame = _ids_of_its_own(self.state["frames"][self._number_of(self.start)])  # the live frame keeps the ids
        return f'<div class="hg-frame">{frame}</div><p class="hg-note">{escape(self.setting(self.start))}</p>'

    def _number_of(self, place):
        """Which frame a place has: the last parameter moves fastest."""
        number = 0
        for values, i in zip(self.values.values(), place, strict=True):
            number = number * len(values) + i
        return number

    def live(self):
        """As on a page, and each move of a slider calls the function anew."""
        widget = super().live()
        widget.frames = []  # so the module shows `frame`, and sets `place` to ask for another
        widget.frame = self.frame(self.start)

        def recompute(change):
            widget.frame = self.frame(change["new"])

        widget.observe(recompute, names="place")
        return widget


def explore(
    fn: Callable[..., Any],
    *,
    start: Mapping[str, Any] | None = None,
    title: str = "",
    max_bytes: int = MAX_BYTES,
    **values: Iterable[Any],
) -> FrameExplorer:
    """Turn the parameters of a function into sliders.

    In a live notebook each move of a slider calls ``fn``. On a page the sliders choose among frames that were
    computed before, one for each combination of values.

    Parameters
    ----------
    fn : callable
        Of one to three parameters. It returns a matplotlib figure, or ``show.figure`` of one with a text for those
        who do not see it; something with ``_repr_svg_`` or ``_repr_html_``; text or a number.
    start : dict, optional
        By parameter: the value at which its slider stands first. Otherwise the first one.
    title : str, optional
        The caption: what to try, and what to notice.
    max_bytes : int
        How much the frames may weigh together.
    **values : list or range
        By parameter: the values that its slider goes through.

    Returns
    -------
    FrameExplorer
        Sliders in a notebook and on a page.

    Raises
    ------
    InputError
        If the values do not fit the function, or the frames are too heavy for a page.

    Examples
    --------
    >>> from handgrad import show
    >>> def power(x, p):
    ...     return x**p
    >>> show.explore(power, x=[2, 3], p=range(5), start={"p": 3})
    FrameExplorer: Move x, p and see what changes.
    x: 2, 3
    p: 0, 1, 2, 3, 4
    """
    values = {name: _as_list(name, given) for name, given in values.items()}
    _require_matching_parameters(fn, values)
    start = start or {}
    for name, value in start.items():
        if name not in values or value not in values[name]:
            known = ", ".join(map(_text, values.get(name, values)))
            raise InputError(f"explore cannot start at {name} = {value!r}: choose one of {known}.")
    return FrameExplorer(fn, values, start, title or f"Move {', '.join(values)} and see what changes.", max_bytes)


def as_html(result, description):
    """What a function returned, as HTML for a frame; ``description`` stands for a picture that says nothing itself."""
    if hasattr(result, "savefig"):
        result = figure(result, description)
    if isinstance(result, Figure):
        return _ids_of_its_own(re.sub(r">\s*\n\s*<", "><", result.svg))  # line breaks, a fifth of its bytes
    for method in ("_repr_svg_", "_repr_html_"):
        if hasattr(result, method):
            return _ids_of_its_own(getattr(result, method)())
    if isinstance(result, str) or hasattr(result, "__float__"):
        return f"<pre>{escape(_text(result))}</pre>"
    raise InputError(
        f"explore shows a matplotlib figure, an object with _repr_svg_ or _repr_html_, text or a number, but for "
        f"{description} the function returned {type(result).__name__}: return one of these."
    )


def _ids_of_its_own(html):
    """Pictures on one page may have used the same ids; each gets ids made of all that it is."""
    prefix = hashlib.sha256(html.encode()).hexdigest()[:8]
    for known in set(re.findall(r'\bid="([^"]+)"', html)):
        html = re.sub(rf'(\bid="|#){re.escape(known)}(?=["\)])', rf"\g<1>f{prefix}{known}", html)
    return html


def _text(value):
    """A number as the drawings write it; anything else as it prints."""
    is_number = hasattr(value, "__float__") and not isinstance(value, bool | int)
    return f"{float(value):.4g}" if is_number else str(value)


def _as_list(name, given):
    try:
        given = list(given)
    except TypeError:
        given = []
    if len(given) < 2 or len(set(map(_text, given))) < len(given):
        raise InputError(
            f"explore expects at least two different values for {name}, as a list or a range, but got {given}."
        )
    return given


def _require_matching_parameters(fn, values):
    if not 1 <= len(values) <= 3:
        raise InputError(
            f"explore makes a slider of one to three parameters, but got values for {', '.join(values) or 'none'}: "
            "fix the others with functools.partial or a lambda."
        )
    try:
        inspect.signature(fn).bind(**values)
    except TypeError as error:
        raise InputError(
            f"explore calls {getattr(fn, '__name__', fn)}({', '.join(values)}), but that does not fit: {error}. Give "
            "values for each of its parameters, under its name."
        ) from error


def _require_few_bytes(frames, max_bytes):
    came = sum(len(frame.encode()) for frame in frames)
    if came > max_bytes:
        fits = math.floor(len(frames) * max_bytes / came)
        raise InputError(
            f"explore made {len(frames)} frames of {came:,} bytes together, but a page takes {max_bytes:,}: give "
            f"fewer values (about {fits} frames of this kind fit), draw fewer points, or set max_bytes."
        )
