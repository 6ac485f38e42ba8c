"""Unique ids for exercises and folded solutions.

sphinx-exercise wraps the text of every exercise, and the cells of every gated solution, in a section with the
same id, so a page with two of them would have a duplicate id. Nothing refers to it: a plain container does as well.
"""

from docutils import nodes


def unwrap_solutions(app, doctree):
    for section in list(doctree.findall(nodes.section)):
        for name in {"exercise-content", "solution-content"}.intersection(section["ids"]):
            content = nodes.container("", *section.children, classes=[name])
            section.parent.replace(section, content)


def setup(app):
    app.connect("doctree-read", unwrap_solutions)
