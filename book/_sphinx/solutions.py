"""Unique ids for folded solutions.

sphinx-exercise wraps the cells of every gated solution in a section with the same id, so a page with two
solutions would have a duplicate id. Nothing refers to it: a plain container does as well.
"""

from docutils import nodes


def unwrap_solutions(app, doctree):
    for section in list(doctree.findall(nodes.section)):
        if "solution-content" in section["ids"]:
            content = nodes.container("", *section.children, classes=["solution-content"])
            section.parent.replace(section, content)


def setup(app):
    app.connect("doctree-read", unwrap_solutions)
