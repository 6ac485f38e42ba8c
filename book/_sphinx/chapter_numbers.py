"""Chapter numbers from file names: `book/08_graphs.ipynb` is chapter 8, whatever else is in the book.

Sphinx counts the chapters that are there and numbers them 1, 2, 3. Once it has, each chapter's first number
is replaced by that of its file, and Sphinx counts equations, figures and exercises anew, so that they start
at (8.1). Everything rendered later (headings, sidebar, references from other pages) reads these numbers.
"""

import re
from pathlib import PurePosixPath

from docutils import nodes
from sphinx.environment.collectors.toctree import TocTreeCollector


def chapter_number(docname):
    """The NN of `NN_slug`, or None for a page that is no chapter."""
    match = re.match(r"(\d+)_", PurePosixPath(docname).name)
    return int(match[1]) if match else None


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
