"""The course's map on the landing page: each chapter of a part, as a link where it is written, else marked as to come.

    :::{course-part}
    01_one_hot | One-hot vectors | What a word is before anybody knows anything about it.
    :::

A line holds a chapter's file name, its title and what it is about. The title of a chapter that is written is taken
from its page, so that the map cannot differ from it.
"""

from pathlib import PurePosixPath

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from .chapter_numbers import chapter_number


class Chapter(nodes.General, nodes.Element):
    """A line of the map. It becomes HTML once all pages are read, and their titles known."""


class CoursePart(SphinxDirective):
    has_content = True

    def run(self):
        folder = PurePosixPath(self.env.docname).parent
        part = nodes.container(classes=["hg-part"])
        for line in filter(None, self.content):
            slug, title, about = (piece.strip() for piece in line.split("|"))
            inline, messages = self.parse_inline(about)
            part += Chapter("", *inline, docname=str(folder / slug), title=title)
            part += messages
        return [part]


def resolve(app, doctree, docname):
    for chapter in list(doctree.findall(Chapter)):
        target = chapter["docname"]
        number = nodes.inline("", str(chapter_number(target)), classes=["hg-number"])
        written = target in app.env.found_docs
        if written:
            title = nodes.reference("", app.env.titles[target].astext(), internal=True)
            title["refuri"] = app.builder.get_relative_uri(docname, target)
        else:
            title = nodes.inline("", chapter["title"])
        line = nodes.paragraph("", "", number, nodes.Text(" "), title, classes=["hg-chapter"])
        line["classes"] += ["hg-written"] if written else ["hg-to-come"]
        line += [nodes.Text(" "), nodes.inline("", "", *chapter.children, classes=["hg-about"])]
        if not written:
            line += [nodes.Text(" "), nodes.inline("", "to come", classes=["hg-badge"])]
        chapter.replace_self(line)


def setup(app):
    app.add_node(Chapter)
    app.add_directive("course-part", CoursePart)
    app.connect("doctree-resolved", resolve)
