"""The list of all labelled gradients and their checks, read from the book's notebooks.

A gradient is an equation labelled `$$ ... $$ (grad-name)`. Its check is a cell that calls
`verify("grad-name", ...)`; what the check said is the plain text of that cell's stored output, which
begins with `verified grad-name` or `failed grad-name`. The directive `{gradient-list}` prints them as a
table; tests/book/test_gradients.py calls `find_faults`.
"""

import ast
import json
import re
from collections import Counter
from pathlib import Path
from typing import NamedTuple

EQUATION = re.compile(r"\$\$(?P<formula>(?:[^$]|\$(?!\$))+)\$\$[ \t]*\((?P<label>grad-[^)\s]+)\)")


class Gradient(NamedTuple):
    label: str
    formula: str  # TeX
    notebook: Path


class Check(NamedTuple):
    label: str
    said: str  # the line its cell shows, "" where nothing is stored
    notebook: Path

    @property
    def verified(self):
        return self.said.startswith("verified ")


def read_gradients(notebooks):
    """All labelled gradients and all their checks, two lists in reading order."""
    gradients, checks = [], []
    for notebook in map(Path, notebooks):
        for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
            source = "".join(cell["source"])
            tags = cell.get("metadata", {}).get("tags", [])
            if cell["cell_type"] == "markdown" and "lab-only" not in tags:  # there another chapter's equation is quoted
                gradients += [
                    Gradient(match["label"], match["formula"].strip(), notebook) for match in EQUATION.finditer(source)
                ]
            elif cell["cell_type"] == "code":
                checks += [Check(label, what_it_said(cell, label), notebook) for label in verified_labels(source)]
    return gradients, checks


def verified_labels(source):
    """The labels that a cell's code passes to `verify`; a call in a comment is not one."""
    python = re.sub(r"^\s*[%!].*$", "", source, flags=re.MULTILINE)  # IPython's magics are not Python
    calls = [node for node in ast.walk(ast.parse(python)) if isinstance(node, ast.Call) and node.args]
    for call in sorted(calls, key=lambda call: call.lineno):
        name = getattr(call.func, "id", getattr(call.func, "attr", None))
        if name == "verify" and isinstance(call.args[0], ast.Constant):
            yield call.args[0].value


def what_it_said(cell, label):
    for output in cell["outputs"]:
        text = "".join(output.get("data", {}).get("text/plain", ""))
        if re.match(rf"(verified|failed) {re.escape(label)}(?![\w-])", text):
            return text.splitlines()[0]
    return ""


def find_faults(gradients, checks):
    """One sentence for each gradient without a check, check without a gradient, and so on."""
    labels = [gradient.label for gradient in gradients]
    checked = {check.label for check in checks}
    faults = [f"{g.notebook.name}: {g.label} has no check" for g in gradients if g.label not in checked]
    faults += [f"{label} labels {n} equations" for label, n in Counter(labels).items() if n > 1]
    for check in checks:
        where = f"{check.notebook.name}: the check of {check.label}"
        if check.label not in labels:
            faults.append(f"{where} has no equation with that label")
        if not check.verified:
            faults.append(f"{where} says: {check.said or 'nothing (no stored output)'}")
    return faults


def markdown_table(gradients, checks):
    """The table of the book's page, as MyST."""
    results = {check.label: "verified" if check.verified else "not verified" for check in checks}
    lines = [
        ":::{list-table}",
        ":header-rows: 1",
        ":widths: auto",
        ":class: hg-gradients",
        "",
    ]
    rows = [("Equation", "Gradient", "Chapter", "Check")]
    for gradient in gradients:
        formula = " ".join(gradient.formula.split())
        if r"\\" in formula and r"\begin" not in formula:
            formula = rf"\begin{{aligned}}{formula}\end{{aligned}}"
        equation, chapter = (
            f"{{eq}}`{gradient.label}`",
            f"{{doc}}`{gradient.notebook.stem}`",
        )
        rows.append(
            (
                equation,
                f"${formula}$",
                chapter,
                results.get(gradient.label, "not checked"),
            )
        )
    for first, *others in rows:
        lines += [f"* - {first}", *(f"  - {cell}" for cell in others)]
    return [*lines, ":::"]


def setup(app):
    from docutils import nodes
    from docutils.statemachine import StringList
    from sphinx.util.docutils import SphinxDirective

    class GradientList(SphinxDirective):
        def run(self):
            paths = [Path(self.env.doc2path(docname)) for docname in sorted(self.env.found_docs)]
            notebooks = [path for path in paths if path.suffix == ".ipynb"]
            for notebook in notebooks:
                self.env.note_dependency(str(notebook))
            gradients, checks = read_gradients(notebooks)
            container = nodes.container()
            text = markdown_table(gradients, checks) if gradients else ["No gradient has a label yet."]
            self.state.nested_parse(StringList(text, source=""), 0, container)
            return container.children

    app.add_directive("gradient-list", GradientList)
