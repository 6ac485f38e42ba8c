"""Chapter numbers from file names: `book/08_graphs.ipynb` is chapter 8, whatever else is in the book.

A chapter of two pages has a letter on the second: `book/10b_matrix_gates.ipynb` is 10b, and its equations (10b.1).

Sphinx counts the chapters that are there and numbers them 1, 2, 3. Once it has, each chapter's first number
is replaced by that of its file, and Sphinx counts equations, figures and exercises anew, so that they start
at (8.1). Everything rendered later (headings, sidebar, references from other pages) reads these numbers.
"""

import re
from pathlib import PurePosixPath

from docutils import nodes
from sphinx.environment.collectors.toctree import TocTreeCollector


def chapter_number(docname):
    """The NN of `NN_slug`, "10b" for `10b_slug`, or None for a page that is no chapter."""
    match = re.match(r"(\d+)([a-z]?)_", PurePosixPath(docname).name)
    if not match:
        return None
    number, letter = match.groups()
    return f"{int(number)}{letter}" if letter else int(number)


def renumber(app, env):
    for docname, title in env.titles.items():
        number = chapter_number(docname)
        if number is None or "secnumber" not in title:
            continue
        sections = env.toc_secnumbers[docname]
        for anchor, numbers in sections.items():
            sections[anchor] = (number, *numbers[1:]) if numbers else numbers
        for numbered in (
            title,
            *env.tocs[docname].findall(nodes.reference),
        ):
            if numbered.get("secnumber"):
                numbered["secnumber"] = (number, *numbered["secnumber"][1:])
    return TocTreeCollector().assign_figure_numbers(env)


def setup(app):
    app.connect("env-get-updated", renumber, priority=900)  # after Sphinx's own numbering (500)
