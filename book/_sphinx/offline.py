"""MathJax from the site itself, so that a page asks nothing of any other host.

The package sphinx-mathjax-offline carries all of MathJax 3, 24 MB. A page needs one component of it
and the fonts of that component, 1.5 MB, and only these are copied.
"""

from importlib.metadata import distribution
from pathlib import Path

from sphinx.util.fileutil import copy_asset

COMPONENT = "tex-mml-chtml.js"
FONTS = "output/chtml/fonts/woff-v2"


def copy_mathjax(app):
    if app.builder.format != "html":
        return
    # The package's folder has hyphens in its name, so it cannot be imported; its metadata knows where it is.
    source = Path(distribution("sphinx-mathjax-offline").locate_file("sphinx-mathjax-offline/static/mathjax"))
    target = Path(app.outdir) / "_static/mathjax"
    copy_asset(source / COMPONENT, target)
    copy_asset(source / FONTS, target / FONTS)


def setup(app):
    app.connect("builder-inited", copy_mathjax)
