"""What a gradient check found, as a line for people and a code for programs."""

import warnings
from html import escape


class GradientCheckError(AssertionError):
    """A gradient does not agree with the measured slopes."""


class GradientCheckWarning(UserWarning):
    """A check failed, and the report was dropped unread."""


class GradientReport:
    """What a gradient check found. It is true if the gradients are right, so ``assert check_gate(...)`` tests them.

    A failed report that is dropped unread warns, so that a bare ``check_gate(...)`` in a script is not silent.

    Attributes
    ----------
    ok : bool
        Whether every gradient agrees with the measured slopes.
    text : str
        One line when right, a paragraph when wrong.
    mistake : str or None
        A code such as FORGOT_UPSTREAM if the mistake is a known one.
    skipped : int
        Number of entries at a kink, where no slope exists.
    """

    def __init__(self, ok: bool, text: str, mistake: str | None = None, skipped: int = 0) -> None:
        self._ok, self._text, self._mistake, self.skipped = ok, text, mistake, skipped
        self._unread = not ok

    @property
    def ok(self) -> bool:
        self._unread = False
        return self._ok

    @property
    def text(self) -> str:
        self._unread = False
        return self._text

    @property
    def mistake(self) -> str | None:
        self._unread = False
        return self._mistake

    def __bool__(self) -> bool:
        return self.ok

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return verdict_line(self.ok, self.mistake, self.text)

    def raise_if_wrong(self) -> None:
        """Raise GradientCheckError, with the whole text, unless the gradients are right.

        In a test this says more than ``assert``: pytest shortens what it shows of an asserted value.
        """
        if not self.ok:
            raise GradientCheckError(self.text)

    def __del__(self):  # CPython drops a report that no name holds at once, in the line that asked for it
        if vars(self).get("_unread"):
            warnings.warn(self._text, GradientCheckWarning, stacklevel=2)


def verdict_line(ok: bool, code: str | None, text: str) -> str:
    """A verdict as a line of HTML for notebooks; ``code`` is a short name to go before the text, or None."""
    word, mark = ("verified", "✓") if ok else ("failed", "✗")
    code = f"<code>{escape(code)}</code> " if code else ""
    return (
        f'<p class="hg-verify hg-{word}"><span class="hg-mark" aria-hidden="true">{mark}</span> '
        f"<strong>{word}</strong> {code}{escape(text)}</p>"
    )
