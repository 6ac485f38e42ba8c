"""What a gradient check found, as a line for people and a code for programs."""

from dataclasses import dataclass
from html import escape


class GradientCheckError(AssertionError):
    """A gradient does not agree with the measured slopes."""


@dataclass(frozen=True)
class GradientReport:
    """What a gradient check found.

    ok : whether every gradient agrees with the measured slopes
    text : one line when right, a paragraph when wrong
    mistake : a code such as FORGOT_UPSTREAM if the mistake is a known one, else None
    skipped : number of entries at a kink, where no slope exists
    """

    ok: bool
    text: str
    mistake: str | None = None
    skipped: int = 0

    def __repr__(self):
        return self.text

    def _repr_html_(self):
        return verdict_line(self.ok, self.mistake, self.text)

    def raise_if_wrong(self):
        if not self.ok:
            raise GradientCheckError(self.text)


def verdict_line(ok, code, text):
    """A verdict as a line of HTML for notebooks; ``code`` is a short name to go before the text, or None."""
    word, mark = ("verified", "✓") if ok else ("failed", "✗")
    code = f"<code>{escape(code)}</code> " if code else ""
    return (
        f'<p class="hg-verify hg-{word}"><span class="hg-mark" aria-hidden="true">{mark}</span> '
        f"<strong>{word}</strong> {code}{escape(text)}</p>"
    )
