"""Write into each chapter what only JupyterLab shows: folded solutions, cells for answers, what the text refers to.

python tools/lab_cells.py book/*.ipynb

A page folds its solutions, and links words to the glossary. In JupyterLab a heading folds what comes after it, and a
link leads to a place in the same notebook or to another file. So each exercise gets a heading, an empty cell for the
reader's answer, and a folded heading above its solution. At the end of the chapter stand the words, equations and works
that it refers to, each of which JupyterLab shows beside its link. The page leaves all these cells out.

What runs twice changes nothing the second time: the cells are tagged, taken out, and written anew.
"""

import re
import sys
from pathlib import Path

import nbformat
from notebooks import LAB_ONLY, NotANotebookError, is_lab_only, read, save
from pybtex.database import parse_string

BOOK = Path(__file__).resolve().parents[1] / "book"
TAGS = [LAB_ONLY, "remove-cell"]  # this program's, and not on the page

HEADING = re.compile(r"^(#+) (.+)$", re.MULTILINE)
CODE = re.compile(r"^(`{3,}).*?^\1`*$", re.MULTILINE | re.DOTALL)  # its comments are no headings
EXERCISE = re.compile(r"^:{3,}\{exercise\} *(?P<title>.*)\n(?:.*\n)*?:label: *(?P<label>\S+)", re.MULTILINE)
START = re.compile(r"^:{3,}\{solution-start\} *(?P<label>\S+)", re.MULTILINE)
END = "{solution-end}"
FOLDED = re.compile(r"^:class: dropdown\n", re.MULTILINE)  # book/_sphinx/solutions.py folds every solution
EQUATION = re.compile(r"^\$\$\n(?:(?!\$\$).)*?^\$\$ \((?P<label>[\w-]+)\)$", re.MULTILINE | re.DOTALL)
ROLE = r"\{%s\}`(?:(?P<text>[^`<]*\S) *<)?(?P<target>[^`<>]+)>?`"
PAGE, TERM, EQ, CITE = (re.compile(ROLE % role) for role in ("doc", "term", "eq", "cite:[pt]"))


class UnfoldableError(Exception):
    """A chapter whose solutions can't be folded without folding or losing something else: one sentence."""


def lab_cell(kind, name, source=""):
    make = nbformat.v4.new_code_cell if kind == "code" else nbformat.v4.new_markdown_cell
    return make(source, id=name, metadata={"tags": list(TAGS)})


def write(path):
    """Bring a chapter's cells for JupyterLab up to date, in place."""
    notebook = read(path)
    add_lab_cells(notebook, path)
    save(notebook, path)


def problems(path):
    """What a chapter has not got of this, in one sentence; nothing if all is well."""
    notebook = read(path)
    before = ids_and_sources(notebook)
    try:
        add_lab_cells(notebook, path)
    except UnfoldableError as error:
        yield str(error)
        return
    if ids_and_sources(notebook) != before:
        yield f"{path} has not all that JupyterLab shows"


def ids_and_sources(notebook):
    return [(cell.id, cell.source) for cell in notebook.cells]


# ---- Exercises and solutions


def add_lab_cells(notebook, path):
    written = [cell for cell in notebook.cells if is_lab_only(cell) and cell.id.startswith("answer-") and cell.source]
    if written:
        label = written[0].id.removeprefix("answer-")
        raise UnfoldableError(f"{path}: the cell for the answer to {label} is not empty: move what is in it elsewhere.")
    cells, section, inside = [], 1, None
    for cell in notebook.cells:
        if is_lab_only(cell):
            continue
        if cell.cell_type == "markdown":
            cell.source = with_links(cell.source)
            if inside is None and (levels := heading_levels(cell.source)):
                section = levels[-1]
            if exercise := EXERCISE.search(cell.source):
                heading = "#" * (section + 1) + " " + (exercise["title"].strip() or "Exercise")
                cells.append(lab_cell("markdown", f"title-{exercise['label']}", heading))
            if start := START.search(cell.source):
                inside, cell.source = start["label"], FOLDED.sub("", cell.source)
                cells.append(lab_cell("code", f"answer-{inside}"))
                cells.append(lab_cell("markdown", f"solution-{inside}", "#" * (section + 2) + " Solution"))
        cells.append(cell)
        if END in cell.source:
            inside = None
    cells += endings(cells)
    check_folds(cells, path)
    notebook.cells = cells


def heading_levels(source):
    return [len(marks) for marks, _ in HEADING.findall(CODE.sub("", source))]


def check_folds(cells, path):
    """Between a solution and the next heading at its level or above, a fold would hide text that is no solution."""
    fold = label = None
    inside = False
    for cell in cells:
        levels = heading_levels(cell.source) if cell.cell_type == "markdown" else []
        if cell.id.startswith("solution-") and is_lab_only(cell):
            fold, label, inside = levels[0], cell.id.removeprefix("solution-"), True
        elif fold and levels and min(levels) <= fold:
            if inside:
                raise UnfoldableError(f"{path}: the solution of {label} has a heading, which would end its fold.")
            fold = None
        elif fold and not inside:
            raise UnfoldableError(f"{path}: put a heading after the solution of {label}: its fold has no other end.")
        if END in cell.source:
            inside = False


# ---- What the text refers to


def with_links(source):
    """With links to files in place of {doc}: these lead somewhere in JupyterLab too."""
    return PAGE.sub(lambda role: link(role["target"], role["text"]), source)


def link(page, text=None):
    for suffix in (".ipynb", ".md"):
        if (BOOK / page).with_suffix(suffix).exists():
            return f"[{text or title(page + suffix)}]({page}{suffix})"
    raise UnfoldableError(f"{{doc}}`{page}`: there is no such page in {BOOK.name}.")


def title(file):
    """A page's first heading."""
    return HEADING.search("\n".join(texts(BOOK / file)))[2]


def texts(path):
    """A page's text: of a notebook, its Markdown cells."""
    if path.suffix == ".md":
        return [path.read_text(encoding="utf-8")]
    return [cell.source for cell in read(path).cells if cell.cell_type == "markdown" and not is_lab_only(cell)]


def targets(role, source):
    """What a text refers to with a role, once each, in order."""
    found = [target.strip() for match in role.finditer(source) for target in match["target"].split(",")]
    return list(dict.fromkeys(found))


def endings(cells):
    """The cells at the end: words of the glossary, equations of other chapters, works; each if the chapter has such."""
    source = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    parts = {
        "glossary": ("Glossary", words(source)),
        "equations": ("Equations from other chapters", equations(source)),
        "references": ("References", references(source)),
    }
    return [lab_cell("markdown", name, f"## {title}\n\n{text}") for name, (title, text) in parts.items() if text]


def glossary():
    """The book's words, each with the lines of its definition."""
    text = (BOOK / "glossary.md").read_text(encoding="utf-8")
    body = re.search(r"^```\{glossary\}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)[1]
    entries, names = {}, []
    for line in body.splitlines():
        if line.startswith(" "):
            for name in names:
                entries[name].append(line.strip())
        elif line.strip():
            if not names or entries[names[-1]]:
                names = []
            names.append(line.strip())
            entries[line.strip()] = []
    return entries


def words(source):
    """A glossary of the words that the chapter links to, and of those in their definitions."""
    entries = glossary()
    names = {name.lower(): name for name in entries}
    todo, used = targets(TERM, source), set()
    while todo:
        name = names.get(todo.pop().lower())  # an unknown word is the page's fault, and its build says so
        if name and name not in used:
            used.add(name)
            todo += targets(TERM, "\n".join(entries[name]))
    lines = [f"{name}\n: {with_links(' '.join(entries[name]))}" for name in sorted(used, key=str.lower)]
    return ":::{glossary}\n" + "\n\n".join(lines) + "\n:::" if lines else ""


def equations(source):
    """The equations of other chapters that the text refers to, each with a link to its chapter."""
    own = {match["label"] for match in EQUATION.finditer(source)}
    wanted = [label for label in targets(EQ, source) if label not in own]
    if not wanted:
        return ""
    found = {}
    for path in sorted(BOOK.glob("*.ipynb")):
        for match in EQUATION.finditer("\n\n".join(texts(path))):
            found.setdefault(match["label"], f"From {link(path.stem)}:\n\n{match[0]}")
    return "\n\n".join(found[label] for label in wanted if label in found)


def references(source):
    """The works that the text cites, under the keys that JupyterLab shows."""
    works = parse_string((BOOK / "references.bib").read_text(encoding="utf-8"), "bibtex").entries
    return "\n\n".join(f"{key}\n: {work(works[key])}" for key in sorted(targets(CITE, source)) if key in works)


def work(entry):
    names = [" ".join(part for part in (*p.prelast_names, *p.last_names)) for p in entry.persons["author"]]
    authors = " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
    fields = {name: re.sub(r"[{}]", "", value).replace("--", "–") for name, value in entry.fields.items()}
    where = next((fields[name] for name in ("journal", "booktitle", "publisher", "note") if name in fields), "")
    return ". ".join(filter(None, (f"{authors} ({fields['year']})", f"*{fields['title']}*", where))) + "."


def main():
    for name in sys.argv[1:]:
        try:
            write(Path(name))
        except (NotANotebookError, UnfoldableError) as error:
            sys.exit(str(error))


if __name__ == "__main__":
    main()
