"""Every public name has a docstring, an entry in the library's reference and an example; and every example runs."""

import doctest
import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import pytest
from packages import PACKAGES

import handgrad

REFERENCE = Path(__file__).resolve().parents[1] / "book/reference"
PAGES = sorted(REFERENCE.glob("*.rst"))
MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(handgrad.__path__, "handgrad.")
    if not module.name.endswith("__main__")
)
SECTIONS = ("Parameters", "Attributes", "Returns", "Yields", "Raises")
# What may follow a comma on the line of a type; anything else is a description.
OF_A_TYPE = re.compile(r"optional|of any shape|each once|(or|and|in the shape of) .+|(an? )?[\w.]+( or [\w. ]+)? *")
LONGEST = 80  # characters of a line of code that a page of the reference shows without scrolling


# ---- Examples


def examples_in(module):
    """The examples in the docstrings of a module, each to be run with no names but those that it imports."""
    return [test for test in doctest.DocTestFinder().find(module, globs={}) if test.examples]


def examples_on(page):
    return doctest.DocTestParser().get_doctest(page.read_text(encoding="utf-8"), {}, page.stem, str(page), 0)


def run(test, tmp_path, monkeypatch):
    """Run an example in an empty folder. It must print what stands below it, to the letter."""
    monkeypatch.chdir(tmp_path)
    said = []
    runner = doctest.DocTestRunner(verbose=False)
    runner.run(test, out=said.append)
    assert runner.failures == 0, "".join(said)


EXAMPLES = [test for name in MODULES for test in examples_in(importlib.import_module(name))]
EXAMPLES += [examples_on(page) for page in PAGES if examples_on(page).examples]


@pytest.mark.parametrize("test", EXAMPLES, ids=lambda test: test.name)
def test_an_example_prints_what_it_says(test, tmp_path, monkeypatch):
    run(test, tmp_path, monkeypatch)


def test_an_example_that_prints_something_else_is_found(tmp_path, monkeypatch):
    wrong = doctest.DocTestParser().get_doctest(">>> 1 + 1\n3\n", {}, "wrong", None, 0)
    with pytest.raises(AssertionError, match=r"Expected:\s+3\s+Got:\s+2"):
        run(wrong, tmp_path, monkeypatch)


@pytest.mark.parametrize("test", EXAMPLES, ids=lambda test: test.name)
def test_the_code_of_an_example_is_read_without_scrolling(test):
    lines = [f">>> {line}" for example in test.examples for line in example.source.splitlines()]
    assert [line for line in lines if len(line) > LONGEST] == []
    assert not any(example.options.get(doctest.SKIP) for example in test.examples)


# ---- Entries


def public_names():
    """Each public name that this library defines, as `module.name`, with what it is."""
    for package in PACKAGES:
        module = importlib.import_module(package)
        for name in module.__all__:
            yield f"{package}.{name}", getattr(module, name)


def entries_on(page):
    """The entries of a page of the reference: full name to the text below the directive."""
    module, found = "", {}
    text = page.read_text(encoding="utf-8")
    for kind, name, below in re.findall(r"^\.\. (\w+):: ?(\S+)(.*?)(?=^\.\. |\Z)", text, re.MULTILINE | re.DOTALL):
        name = name.partition("(")[0]
        if kind == "currentmodule":
            module = name
        elif kind in ("autofunction", "autoclass", "data"):
            found[name if name.startswith("handgrad.") else f"{module}.{name}"] = below
    return found


ENTRIES = {name: below for page in PAGES for name, below in entries_on(page).items()}
# One thing under two names has its entry under the shorter one.
SAME = {id(value): name for name, value in reversed(list(public_names())) if name in ENTRIES}


@pytest.mark.parametrize(("name", "value"), [pytest.param(*each, id=each[0]) for each in public_names()])
def test_a_public_name_has_an_entry_with_a_docstring_and_an_example(name, value):
    entry = ENTRIES.get(name) or ENTRIES.get(SAME.get(id(value)))
    assert entry is not None, f"{name} is on no page of book/reference"
    if inspect.isclass(value) or inspect.isfunction(value):
        assert value.__doc__, f"{name} has no docstring"
        entry = value.__doc__ + entry
    assert ">>> " in entry, f"{name} has no example, neither in its docstring nor on its page"


def test_an_entry_is_of_something_that_there_is():
    for name in ENTRIES:
        module, _, attribute = name.rpartition(".")
        assert hasattr(importlib.import_module(module), attribute), name


def test_every_page_is_in_the_contents(root=REFERENCE.parents[1]):
    contents = (root / "_toc.yml").read_text(encoding="utf-8")
    assert sorted(re.findall(r"book/reference/(\w+)", contents)) == [page.stem for page in PAGES]


# ---- Docstrings


def faults_of(docstring):
    """What numpydoc's readers would misunderstand: a description on the line of a type, or of an error."""
    section, lines = "", inspect.cleandoc(docstring).splitlines()
    for line, below in zip(lines, [*lines[1:], ""], strict=True):
        if re.fullmatch("-{3,}", below):
            section = line
        elif section in SECTIONS and re.match(r" +([A-Za-z]|[ivx]+|[IVX]+|[0-9]+)\.( |$)", line):
            yield f"{line.strip()!r} would be read as an item of a list"
        elif section in SECTIONS and re.match(r"[\w*]", line):
            name, colon, kind = line.partition(" : ")
            if section == "Raises" and colon:
                yield f"{name}: what is wrong stands on the next line"
            if any(not OF_A_TYPE.fullmatch(part) for part in re.split("[;,] ", without_shapes(kind))[1:]):
                yield f"{name}: its description stands on the next line, below {kind!r}"


def without_shapes(kind):
    """A type without its parentheses, and those inside them: "list of arrays (len(words), D)" is a list of arrays."""
    inner = re.sub(r" ?\([^()]*\)", "", kind)
    return inner if inner == kind else without_shapes(inner)


def documented(value):
    yield value
    if inspect.isclass(value):
        yield from (member for name, member in inspect.getmembers(value) if not name.startswith("_"))


@pytest.mark.parametrize(("name", "value"), [pytest.param(*each, id=each[0]) for each in public_names()])
def test_a_type_and_its_description_stand_on_two_lines(name, value):
    docstrings = [thing.__doc__ for thing in documented(value) if "handgrad" in str(getattr(thing, "__module__", ""))]
    faults = [fault for docstring in docstrings if docstring for fault in faults_of(docstring)]
    assert faults == [], faults


def test_a_description_on_the_line_of_a_type_is_found():
    wrong = "Add.\n\nParameters\n----------\nx : int; the first one\ny : int, optional\n    The second.\n\n"
    wrong += "Raises\n------\nValueError : if there is none"
    assert len(list(faults_of(wrong))) == 2


def test_a_letter_that_would_become_an_item_of_a_list_is_found():
    assert len(list(faults_of("Add.\n\nParameters\n----------\nx : int\n    N.\ny : int\n    N of them."))) == 1
