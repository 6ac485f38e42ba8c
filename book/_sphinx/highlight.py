"""The words of a search are marked on the page that was found, but only in its prose.

Sphinx's script marks them in everything that is text: in the style sheet of an explorer, which then loses its colors,
and in the TeX of a formula, which is then no formula any more.
"""

from pathlib import Path

SCRIPT = "_static/sphinx_highlight.js"
LEFT_OUT = '"button, select, textarea"'  # a selector, as Sphinx has it
LEFT_OUT_HERE = '"button, select, textarea, script, style, svg, .math, .hg-explorer"'


def spare_what_is_not_prose(app, exception):
    script = Path(app.outdir) / SCRIPT
    if exception or not script.exists():
        return
    text = script.read_text(encoding="utf-8")
    if LEFT_OUT_HERE in text:  # a build that found everything done
        return
    if text.count(LEFT_OUT) != 1:
        raise ValueError(f"{SCRIPT} is not as book/_sphinx/highlight.py knows it: look for what it leaves unmarked.")
    script.write_text(text.replace(LEFT_OUT, LEFT_OUT_HERE), encoding="utf-8")


def setup(app):
    app.connect("build-finished", spare_what_is_not_prose)
