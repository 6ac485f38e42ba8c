"""The library's reference: what its docstrings need to be printed, the list of all names, and the command line's help.

The pages in `book/reference` name what they describe, and autodoc prints the docstrings. `names.py` links to them.
"""

import dataclasses
import importlib
import re

from docutils import nodes
from sphinx import addnodes
from sphinx.util.docutils import SphinxDirective

OVERVIEW = "book/reference/overview"
CODE = re.compile(r"(``.+?``|`[^`]+`)")
END_OF_SENTENCE = re.compile(r"\.(?=\s|$)")
VALUES = ("attribute", "property")
COLON = "\ue000"  # no character of any text


# ---- Docstrings


def hide_colons(app, what, name, obj, options, lines):
    """Napoleon takes what stands before a colon in the description of a property for the property's type."""
    if what in VALUES:
        lines[:] = [line.replace(":", COLON) for line in lines]


def show_colons(app, what, name, obj, options, lines):
    if what in VALUES:
        lines[:] = [line.replace(COLON, ":") for line in lines]


def escape_bars(app, what, name, obj, options, lines):
    """In a docstring |x| is an absolute value. In reStructuredText it would be replaced by something called x."""
    in_example = False
    for i, line in enumerate(lines):
        in_example = line.lstrip().startswith(">>>") or (in_example and bool(line.strip()))
        if not in_example:
            parts = CODE.split(line)
            parts[::2] = [part.replace("|", r"\|") for part in parts[::2]]
            lines[i] = "".join(parts)


def settings_of_a_gate(app, what, name, obj, options, signature, return_annotation):
    """A gate without settings is made by its bare name: ``Gate.__new__`` takes any, to refuse them with a sentence."""
    from handgrad import Gate

    if what == "class" and issubclass(obj, Gate) and obj.__init__ is object.__init__:
        return "()", return_annotation


def tidy_fields(app, doctree):
    """Between a parameter and its description stands a dash; docutils writes two hyphens."""
    for field in doctree.findall(nodes.field_body):
        for text in list(field.findall(nodes.Text)):
            if " -- " in text:
                text.parent.replace(text, nodes.Text(text.replace(" -- ", " – ", 1)))


# ---- The list of all names


class ReferenceList(nodes.General, nodes.Element):
    """Stands for the list of all names until all pages are read."""


class ReferenceListDirective(SphinxDirective):
    """`.. reference-list::` becomes a list for each page of the reference: its names, each with one line."""

    def run(self):
        return [ReferenceList()]


def list_names(app, doctree, docname):
    for place in list(doctree.findall(ReferenceList)):
        pages = app.env.toctree_includes.get(OVERVIEW, [])
        place.replace_self([part for page in pages for part in section_of(app, docname, page)])


def section_of(app, docname, page):
    link = nodes.reference("", app.env.titles[page].astext(), internal=True)
    link["refuri"] = app.builder.get_relative_uri(docname, page)
    entries = [entry for entry in app.env.get_doctree(page).findall(addnodes.desc) if is_of_the_page(entry)]
    rows = [row_of(app, docname, page, entry) for entry in entries]
    heading = nodes.rubric("", "", link)
    return [heading, nodes.definition_list("", *rows, classes=["hg-names"])] if rows else [heading]


def is_of_the_page(entry):
    """Whether an entry is a page's own, and not a method of a class on it."""
    return entry["domain"] == "py" and not isinstance(entry.parent.parent, addnodes.desc)


def row_of(app, docname, page, entry):
    signature = entry[0]
    link = nodes.reference("", "", nodes.literal("", signature["fullname"]), internal=True)
    link["refuri"] = f"{app.builder.get_relative_uri(docname, page)}#{signature['ids'][0]}"
    about = nodes.paragraph("", "", *first_sentence(entry))
    return nodes.definition_list_item("", nodes.term("", "", link), nodes.definition("", about))


def first_sentence(entry):
    sentence = []
    for part in next(entry[-1].findall(nodes.paragraph)).children:
        if isinstance(part, nodes.Text) and (end := END_OF_SENTENCE.search(part)):
            return [*sentence, nodes.Text(part[: end.end()])]
        sentence.append(part.deepcopy())
    return sentence


# ---- Settings, and the command line


class Settings(SphinxDirective):
    """`.. settings:: handgrad.word2vec.TrainingConfig`: each field of a dataclass, its default and its help."""

    required_arguments = 1

    def run(self):
        items = []
        for field in dataclasses.fields(what_is_called(self.arguments[0])):
            default = {} if field.default is dataclasses.MISSING else field.default
            term = nodes.term("", "", nodes.literal("", f"{field.name} = {default!r}"))
            about = nodes.paragraph("", field.metadata["help"])
            items.append(nodes.definition_list_item("", term, nodes.definition("", about)))
        return [nodes.definition_list("", *items, classes=["hg-settings"])]


class CommandHelp(SphinxDirective):
    """`.. command-help:: handgrad.cli.main`: what a group of commands and each command in it print for --help."""

    required_arguments = 1

    def run(self):
        import click

        group = what_is_called(self.arguments[0])
        with click.Context(group, info_name="handgrad") as above:
            printed = [help_section("handgrad", group.get_help(above))]
            for command in dict.fromkeys(group.commands.values()):  # one with two spellings comes once
                with click.Context(command, info_name=command.name, parent=above) as context:
                    printed.append(help_section(f"handgrad {command.name}", command.get_help(context)))
        return printed


def what_is_called(name):
    module, _, name = name.rpartition(".")
    return getattr(importlib.import_module(module), name)


def help_section(title, text):
    printed = nodes.literal_block("", text, language="none")
    return nodes.section("", nodes.title("", title), printed, ids=[nodes.make_id(title)])


def setup(app):
    app.add_node(ReferenceList)
    app.add_directive("reference-list", ReferenceListDirective)
    app.add_directive("settings", Settings)
    app.add_directive("command-help", CommandHelp)
    app.connect("autodoc-process-docstring", hide_colons, priority=400)  # napoleon comes at 500
    app.connect("autodoc-process-docstring", show_colons, priority=600)
    app.connect("autodoc-process-docstring", escape_bars, priority=600)
    app.connect("autodoc-process-signature", settings_of_a_gate)
    app.connect("doctree-read", tidy_fields)
    app.connect("doctree-resolved", list_names)
