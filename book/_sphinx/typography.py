"""Where a line must not break: between a formula and the punctuation that touches it.

A formula is set as a box, and a browser may break a line beside any box. So the two are wrapped in one element, which
the style sheet keeps together.
"""

import re

FORMULA = re.compile(r'([(\[]*)(<span class="math [^"]*">[^<]*</span>)([)\].,:;!?]*)')


def keep_together(match):
    before, formula, after = match.groups()
    return f'<span class="hg-whole">{match[0]}</span>' if before or after else formula


def tidy(app, pagename, templatename, context, doctree):
    context["body"] = FORMULA.sub(keep_together, context.get("body", ""))


def setup(app):
    app.connect("html-page-context", tidy)
