"""MathJax from the site itself, so that a page asks nothing of any other host.

The package sphinx-mathjax-offline carries all of MathJax 3, 24 MB. A page needs one component of it
and the fonts of that component, 1.5 MB, and only these are copied.
"""

from importlib.metadata import distribution
from pathlib import Path

from sphinx.util.fileutil import copy_asset

COMPONENT = "tex-mml-chtml.js"
FONTS = "output/chtml/fonts/woff-v2"


def mathjax_folder():
    """Where the package has MathJax. Its folder has hyphens in its name and cannot be imported; its metadata knows."""
    return Path(distribution("sphinx-mathjax-offline").locate_file("sphinx-mathjax-offline/static/mathjax"))


def copy_mathjax(app):
    if app.builder.format != "html" or app.builder.name == "epub":  # an EPUB has its mathematics as MathML
        return
    target = Path(app.outdir) / "_static/mathjax"
    copy_asset(mathjax_folder() / COMPONENT, target)
    copy_asset(mathjax_folder() / FONTS, target / FONTS)


# A page opened from the disk may not fetch another: there, the results of a search are titles without excerpts.
NO_EXCERPTS = 'if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;'


def setup(app):
    app.add_js_file(None, body=NO_EXCERPTS)
    app.connect("builder-inited", copy_mathjax)
