"""What other extensions write into a page, mended for readers who do not see it.

`assets/accessible.js` does what can only be done in the page itself.
"""

MENDED = {
    # A folded cell says "Show the source"; its name for screen readers said something else.
    '<summary aria-label="Toggle hidden content">': "<summary>",
    # A list whose entries are none, and a role that is no longer in use.
    '<div role="list" class="citation-list">': '<div class="citation-list">',
    ' role="doc-biblioentry"': "",
}


def mend(app, pagename, templatename, context, doctree):
    for written, right in MENDED.items():
        context["body"] = context.get("body", "").replace(written, right)


def setup(app):
    app.connect("html-page-context", mend)
