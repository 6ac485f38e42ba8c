"""A name of the library leads to its entry in the reference: at its first use on a page, in prose and in code.

In prose, `sigmoid` is a name of the library where a cell of the page imports it, or where it can be nothing else: with
a capital, a dot or an underscore in it, or as a call. In code it is one if the page imports it.
"""

import ast
import html
import re

from docutils import nodes
from sphinx import addnodes

PACKAGE = "handgrad"
REFERENCE = "book/reference/"
MEMBERS = ("method", "classmethod", "staticmethod", "property", "attribute")
CELL = re.compile(r'<div class="cell_input[ "].*?</pre>', re.DOTALL)
SPAN = '<span class="n">{}</span>'
NAME = SPAN.format(r"(\w+)")
DOT = '<span class="o">.</span>'
# A name that is called, asked for something, handed over or built upon, after its module or by itself.
USED = re.compile(rf'(?<!{re.escape(DOT)})(?:{NAME}{re.escape(DOT)})?{NAME}(?=<span class="[po]">[(.,)\]])')
IMPORT = re.compile(r'<span class="kn">import</span>')  # on the line of an import, a name is not used yet


def entries(env):
    """The reference's entries by each way to write a name: handgrad.show.verify, show.verify and verify."""
    known = {}
    for full, entry in env.domaindata["py"]["objects"].items():
        parts = full.split(".")
        shortest = 2 if entry.objtype in MEMBERS else 1  # a method's name alone may be anything's
        for i in range(len(parts) - shortest + 1):
            known.setdefault(".".join(parts[i:]), (full, entry))
    return known


def imports_of(doctree):
    """The names that the cells of a page import from the library, and what its modules are called there."""
    names, modules = set(), set()
    for cell in doctree.findall(is_a_cells_code):
        for node in ast.walk(ast.parse(without_magics(cell.astext()))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == PACKAGE:
                names |= {alias.name for alias in node.names if alias.asname in (None, alias.name)}
            elif isinstance(node, ast.Import):
                modules |= {alias.asname for alias in node.names if alias.name == PACKAGE and alias.asname}
    return names, modules


def is_a_cells_code(node):
    return isinstance(node, nodes.literal_block) and "cell_input" in node.parent.get("classes", ())


def without_magics(code):
    """A cell as Python: IPython's magics are not, nor is a line that begins with !."""
    return re.sub(r"^\s*[%!].*$", "pass", code, flags=re.MULTILINE)


def link_prose(app, doctree, docname):
    known, (names, modules) = entries(app.env), imports_of(doctree)
    linked = set()
    for literal in list(doctree.findall(nodes.literal)):
        text = literal.astext()
        name = re.sub(r"\(.*\)$", "", text)
        first, _, rest = name.partition(".")
        full, entry = known.get(rest if first in modules else name, ("", None))
        is_a_name = name in names or not re.fullmatch(r"[a-z]+", text)
        if full and is_a_name and may_be_a_link(literal) and full not in linked:
            if not docname.startswith(REFERENCE):  # where every use leads to the entry
                linked.add(full)
            elif full in entries_around(literal):
                continue
            link = nodes.reference("", "", literal.deepcopy(), internal=True, classes=["hg-to-entry"])
            link["refuri"] = address(app, docname, entry)
            literal.replace_self(link)


def address(app, docname, entry):
    return f"{app.builder.get_relative_uri(docname, entry.docname)}#{entry.node_id}"


def may_be_a_link(node):
    return not any(
        isinstance(above, nodes.reference | nodes.title | addnodes.desc_signature) for above in above_of(node)
    )


def entries_around(node):
    """The full names of the entries in which a node stands: it need not lead to where the reader is."""
    return {name for above in above_of(node) if isinstance(above, addnodes.desc) for name in above[0]["ids"]}


def above_of(node):
    while node.parent is not None:
        node = node.parent
        yield node


def link_code(app, pagename, templatename, context, doctree):
    if doctree is None or 'class="cell_input' not in context.get("body", ""):
        return
    known, (names, modules) = entries(app.env), imports_of(doctree)
    linked = set()

    def link(match):
        before, name = match.groups()
        if before in names and f"{before}.{name}" not in known:  # Multiply.forward: there is an entry for the first
            return linked_to(before, SPAN.format(before)) + match[0].removeprefix(SPAN.format(before))
        if before in names:
            return linked_to(f"{before}.{name}", match[0])
        return linked_to(name, match[0]) if before in modules or (before is None and name in names) else match[0]

    def linked_to(name, code):
        full, entry = known.get(name, ("", None))
        if not full or full in linked:
            return code
        linked.add(full)
        return f'<a class="hg-to-entry" href="{html.escape(address(app, pagename, entry))}">{code}</a>'

    def link_lines(cell):
        return "\n".join(line if IMPORT.search(line) else USED.sub(link, line) for line in cell[0].split("\n"))

    context["body"] = CELL.sub(link_lines, context["body"])


def setup(app):
    app.connect("doctree-resolved", link_prose)
    app.connect("html-page-context", link_code)
