"""Every solution is folded, and exercises and solutions have unique ids.

That a solution is folded is not said in the notebooks: in JupyterLab a heading folds it (tools/lab_cells.py), and its
first line would be one more thing that unfolds, with nothing in it.

sphinx-exercise wraps the text of every exercise, and the cells of every gated solution, in a section with the
same id, so a page with two of them would have a duplicate id. Nothing refers to it: a plain container does as well.
"""

from docutils import nodes
from sphinx_exercise.nodes import solution_node

FOLDED = "dropdown"


def fold_solutions(app, doctree):
    for solution in doctree.findall(solution_node):
        if FOLDED not in solution["classes"]:
            solution["classes"].append(FOLDED)


def unwrap_solutions(app, doctree):
    for section in list(doctree.findall(nodes.section)):
        for name in {"exercise-content", "solution-content"}.intersection(section["ids"]):
            content = nodes.container("", *section.children, classes=[name])
            section.parent.replace(section, content)


def setup(app):
    app.connect("doctree-read", fold_solutions)
    app.connect("doctree-read", unwrap_solutions)
