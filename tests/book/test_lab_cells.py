"""What only JupyterLab shows: every chapter has it, as the tool writes it, and the rendered pages have none of it."""

import json
import re
import subprocess
import sys

import lab_cells
import nbformat
import notebooks
import pytest
from chapters import every_chapter

HINT = ":::{admonition} Hint\n:class: dropdown\nThink.\n:::"


def markdown(source):
    return nbformat.v4.new_markdown_cell(source)


def exercise(label, *solution):
    """The cells as an author writes them."""
    return [
        markdown(f"::::{{exercise}} The title of {label}\n:label: {label}\n\nDo it.\n\n{HINT}\n::::"),
        markdown(f":::{{solution-start}} {label}\n:class: dropdown\n:::"),
        *(solution or [markdown("It is done."), nbformat.v4.new_code_cell("1 + 1")]),
        markdown(":::{solution-end}\n:::"),
    ]


def written(tmp_path, *cells):
    path = tmp_path / "chapter.ipynb"
    title = markdown("# A chapter\n\nA {term}`gate`, see {doc}`notation` and {doc}`the first <01_one_hot>`.")
    notebook = nbformat.v4.new_notebook(cells=[title, markdown("## Exercises"), *cells])
    notebooks.save(notebook, path)
    lab_cells.write(path)
    return path


def sources(path):
    return [cell.source for cell in notebooks.read(path).cells]


@every_chapter
def test_every_chapter_has_what_the_tool_writes(path):
    assert list(lab_cells.problems(path)) == [], "run make notebooks"


@every_chapter
def test_each_exercise_has_a_heading_an_empty_cell_and_a_folded_solution(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    names = [cell["id"] for cell in cells]
    labels = re.findall(r":label: (ex-[\w-]+)", "".join("".join(cell["source"]) for cell in cells))
    assert labels
    for label in labels:
        title, answer, solution = (names.index(f"{kind}-{label}") for kind in ("title", "answer", "solution"))
        assert (answer, solution) == (title + 2, title + 3)
        assert cells[answer]["cell_type"] == "code" and cells[answer]["source"] == cells[answer]["outputs"] == []
        assert cells[solution]["metadata"]["jp-MarkdownHeadingCollapsed"] is True
        for place in (title, answer, solution):
            assert cells[place]["metadata"]["tags"] == ["lab-only", "remove-cell"]


@every_chapter
def test_code_that_the_page_leaves_out_is_folded(path):
    for cell in notebooks.read(path).cells:
        if cell.cell_type == "code":
            off_the_page = {"hide-input", "remove-cell"}.intersection(cell.metadata.get("tags", [])) and cell.source
            assert cell.metadata.get("jupyter", {}).get("source_hidden", False) == bool(off_the_page)
            to_guess = "hide-output" in cell.metadata.get("tags", [])
            assert cell.metadata.get("jupyter", {}).get("outputs_hidden", False) == to_guess
            assert cell.metadata.get("collapsed", False) == to_guess


def chapters_of(site, root, pages):
    return [(site / f"{name}.html").read_text(encoding="utf-8") for name in pages if (root / f"{name}.ipynb").exists()]


def test_the_pages_show_none_of_it(site, root, pages):
    for html in chapters_of(site, root, pages):
        for anchor in ("solution", "glossary", "references", "equations-from-other-chapters"):
            assert f'href="#{anchor}"' not in html
        assert "lab-only" not in html


def test_every_solution_on_a_page_is_folded(site, root, pages):
    for html in chapters_of(site, root, pages):
        boxes = [box.split() for box in re.findall(r'<div class="([^"]*\badmonition\b[^"]*)"', html)]
        solutions = [box for box in boxes if "solution" in box]
        assert solutions and all("dropdown" in box for box in solutions)


def test_what_an_author_writes_becomes_what_a_reader_needs(tmp_path):
    path = written(tmp_path, *exercise("ex-1"), *exercise("ex-2"))
    assert sources(path)[2:9] == [
        "### The title of ex-1",
        f"::::{{exercise}} The title of ex-1\n:label: ex-1\n\nDo it.\n\n{HINT}\n::::",
        "",
        "#### Solution",
        ":::{solution-start} ex-1\n:::",
        "It is done.",
        "1 + 1",
    ]
    assert sources(path)[0].endswith("see [Notation](notation.md) and [the first](01_one_hot.ipynb).")
    assert list(lab_cells.problems(path)) == []


def test_a_second_time_changes_nothing(tmp_path):
    path = written(tmp_path, *exercise("ex-1"), *exercise("ex-2"))
    first = path.read_bytes()
    lab_cells.write(path)
    assert path.read_bytes() == first


@pytest.mark.parametrize("lost", ["answer-ex-1", "title-ex-1", "solution-ex-1", "glossary"])
def test_what_is_missing_is_named(tmp_path, lost):
    path = written(tmp_path, *exercise("ex-1"))
    notebook = notebooks.read(path)
    notebook.cells = [cell for cell in notebook.cells if cell.id != lost]
    notebooks.save(notebook, path)
    assert len(list(lab_cells.problems(path))) == 1


def test_running_a_chapter_leaves_the_empty_cells_and_the_folds(tmp_path):
    path = written(tmp_path, *exercise("ex-1"))
    notebooks.run(path)
    assert list(lab_cells.problems(path)) == [] == list(notebooks.problems(path))
    answer = next(cell for cell in notebooks.read(path).cells if cell.id == "answer-ex-1")
    assert answer.execution_count is None and answer.outputs == []


WRONG = {
    "text after a solution": ([*exercise("ex-1"), markdown("More text.")], "put a heading after the solution of ex-1"),
    "a heading in a solution": (exercise("ex-1", markdown("## Aside"), markdown("Text.")), "ex-1 has a heading"),
    "no such page": ([markdown("See {doc}`no_such_page`.")], "there is no such page"),
}


@pytest.mark.parametrize(("cells", "said"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_folded_is_one_sentence_and_the_file_stays(tmp_path, cells, said):
    path = tmp_path / "chapter.ipynb"
    notebooks.save(nbformat.v4.new_notebook(cells=[markdown("# A chapter\n\n## Exercises"), *cells]), path)
    before = path.read_bytes()
    done = subprocess.run([sys.executable, lab_cells.__file__, path], capture_output=True, text=True, timeout=120)
    assert done.returncode == 1 and said in done.stderr and len(done.stderr.splitlines()) == 1, done.stderr
    assert path.read_bytes() == before


def test_an_answer_in_the_book_is_not_thrown_away(tmp_path):
    path = written(tmp_path, *exercise("ex-1"))
    notebook = notebooks.read(path)
    next(cell for cell in notebook.cells if cell.id == "answer-ex-1").source = "answer = 42"
    notebooks.save(notebook, path)
    with pytest.raises(lab_cells.UnfoldableError, match="ex-1 is not empty"):
        lab_cells.write(path)
    assert "answer = 42" in sources(path) and len(list(lab_cells.problems(path))) == 1


def test_headings_in_code_and_deeper_ones_end_no_fold(tmp_path):
    code = markdown("A shell's comment:\n\n```\n# not a heading\n```\n\n##### A remark\n\nText.")
    written(tmp_path, *exercise("ex-1", code, markdown("Text.")), markdown("## Afterword"), markdown("Text."))


def test_the_glossary_has_the_words_that_the_text_and_their_definitions_use():
    text = lab_cells.words("A {term}`gate`, and one {term}`that fans out <fan-out>`; {term}`no such word`.")
    assert text.startswith(":::{glossary}\nfan-out\n: ") and "\n\ngate\n: " in text and "no such word" not in text
    assert lab_cells.words("No word.") == ""


def test_the_glossary_has_every_word_of_the_books():
    text = (lab_cells.BOOK / "glossary.md").read_text(encoding="utf-8")
    inside = text[text.index("{glossary}") :].splitlines()[1:]
    names = {line for line in inside if line and not line.startswith((" ", "`", ":"))}
    entries = lab_cells.glossary()
    assert set(entries) == names and all(entries.values())


def test_an_equation_of_another_chapter_is_quoted_whole_and_one_of_its_own_is_not():
    own = "$$\nx = 1\n$$ (own)"
    assert lab_cells.equations(own + " as in {eq}`own`") == ""
    quoted = lab_cells.equations(own + " and {eq}`graph-f` and {eq}`graph-f`")
    assert quoted.startswith("From [Computational graphs and gates](08_graphs.ipynb):\n\n$$\nf(x, y, z)")
    assert quoted.endswith("$$ (graph-f)") and quoted.count("$$") == 2


def test_works_stand_under_the_keys_that_the_lab_shows():
    text = lab_cells.references("{cite:p}`harris1954,firth1957` and {cite:t}`mikolov2013efficient` {cite:p}`unknown`")
    assert text.split("\n\n") == [
        "firth1957\n: Firth (1957). *A Synopsis of Linguistic Theory, 1930–1955*. Studies in Linguistic Analysis.",
        "harris1954\n: Harris (1954). *Distributional Structure*. Word.",
        "mikolov2013efficient\n: Mikolov, Chen, Corrado and Dean (2013a). *Efficient Estimation of Word "
        "Representations in Vector Space*. arXiv:1301.3781.",
    ]


@every_chapter
def test_a_link_that_begins_with_a_capital_has_the_pages_title_or_its_number(path):
    """A title that has changed since is to change in the links too; `make notebooks` writes them once."""
    text = "\n".join(lab_cells.texts(path))
    for words, file in re.findall(r"\[([^\]]+)\]\((\w+\.(?:ipynb|md))\)", text):
        number = re.fullmatch(r"[Cc]hapter (\d+)", words)
        if number:
            assert int(number[1]) == int(file[:2]), (words, file)
        else:
            assert words[0].islower() or words == lab_cells.title(file)
