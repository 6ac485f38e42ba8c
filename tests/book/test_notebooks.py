"""Every chapter as it is stored: run from top to bottom, and written by the book's rules."""

import ast
import copy
import json
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import notebooks
import pytest
from chapters import CHAPTERS, EXPLORER, cells_of, every_chapter

LINES_A_CELL, CHARACTERS_A_LINE = 10, 68
WORDS_A_CELL, WORDS_A_PAGE = 80, 2000
NOT_WORDS = re.compile(  # directives, their options, labels, and equations on lines of their own
    r"^:+\{[^}]*\}|^:[\w-]+:[^\n]*$|^:+$|^\$\$.*?^\$\$[^\n]*$|^\([\w-]+\)=$", re.MULTILINE | re.DOTALL
)


def tags(cell):
    return cell["metadata"].get("tags", [])


@every_chapter
def test_it_is_the_result_of_one_run_and_carries_no_volatile_metadata(path):
    assert list(notebooks.problems(path)) == []


@every_chapter
def test_cells_fit_on_the_page(path):
    """Longer code goes into the library and is shown from there. A figure's code is folded, and may be longer."""
    for cell in cells_of(path, "code"):
        lines = [line for line in "".join(cell["source"]).splitlines() if line.strip()]
        if "hide-input" not in tags(cell):
            assert len(lines) <= LINES_A_CELL, lines
            assert max(map(len, lines)) <= CHARACTERS_A_LINE, max(lines, key=len)


@every_chapter
def test_a_pages_first_check_names_its_arguments(path):
    """As the notation page explains them. Later ones may go without, where a cell would become too long."""
    cells = (ast.parse(re.sub(r"(?m)^%.*$", "", "".join(cell["source"]))) for cell in cells_of(path, "code"))
    calls = (node for cell in cells for node in ast.walk(cell) if isinstance(node, ast.Call))
    first = next(call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "verify")
    assert len(first.args) == 1 and {"function", "at"} <= {each.arg for each in first.keywords}, ast.unparse(first)


def words_in(text):
    return sum(any(character.isalnum() for character in word) for word in NOT_WORDS.sub("", text).split())


@every_chapter
def test_a_page_is_read_in_one_sitting(path):
    """Text and quizzes; the exercises, which may take an evening, are not counted."""
    texts = ["".join(cell["source"]) for cell in cells_of(path, "markdown")]
    page = texts[: next(i for i, text in enumerate(texts) if text.startswith("## Exercises"))]
    assert sum(map(words_in, page)) <= WORDS_A_PAGE
    assert sum(":class: quiz" in text for text in page) <= 3
    longest = max((text for text in page if not text.startswith(":")), key=words_in)
    assert words_in(longest) <= WORDS_A_CELL, longest


def test_words_are_counted_without_what_a_reader_does_not_read():
    quiz = "::::{admonition} Quiz\n:class: quiz\n\nHow far?\n\n:::{admonition} 2 and 2\n**No.** Less.\n:::\n::::"
    assert words_in(quiz) == 1 + 2 + 3 + 2
    assert words_in("(label)=\n## A title\n\nIt is $x$ – see {eq}`e`:\n\n$$\nx = 1\n$$ (e)\n\nNow go.") == 2 + 5 + 2


@every_chapter
def test_it_opens_with_what_one_will_be_able_to_do_and_closes_with_a_summary_and_exercises(path):
    text = "\n".join("".join(cell["source"]) for cell in cells_of(path, "markdown"))
    assert "**You will be able to**" in text and "**You need**" in text and "**Time:**" in text
    assert text.index("## Summary") < text.index("## Exercises")


@every_chapter
def test_each_exercise_has_a_hint_and_a_solution_that_runs(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    starts = {}
    for i, cell in enumerate(cells):
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown" and "{solution-start}" in source:
            starts[source.split("{solution-start}")[1].split()[0]] = i
    exercises = ["".join(c["source"]) for c in cells if "{exercise}" in "".join(c["source"])]
    assert 3 <= len(exercises) <= 9
    for exercise in exercises:
        label = exercise.split(":label:")[1].split()[0]
        assert "{admonition} Hint" in exercise, label
        rest = cells[starts.pop(label) + 1 :]
        end = next(i for i, cell in enumerate(rest) if "{solution-end}" in "".join(cell["source"]))
        assert any(cell["cell_type"] == "code" for cell in rest[:end]), f"the solution of {label} does not run"
    assert not starts


def test_a_notebook_that_was_not_run_in_order_or_failed_is_named(tmp_path):
    stored = json.loads(CHAPTERS[0].read_text(encoding="utf-8"))
    code = [cell for cell in stored["cells"] if cell["cell_type"] == "code"]
    code[0]["execution_count"], code[1]["execution_count"] = 2, 1
    code[2]["outputs"] = [{"output_type": "error", "ename": "ZeroDivisionError", "evalue": "oh", "traceback": []}]
    code[3]["outputs"] = [{"output_type": "stream", "name": "stderr", "text": ["a warning"]}]
    stored["metadata"]["widgets"] = {}
    path = tmp_path / "chapter.ipynb"
    path.write_text(json.dumps(stored))
    found = " | ".join(notebooks.problems(path))
    for expected in ("once each, in order", "ZeroDivisionError: oh", "stderr: a warning", "volatile metadata"):
        assert expected in found


@pytest.fixture(scope="module")
def explorer_notebook(tmp_path_factory):
    """A notebook whose cell shows an explorer, run as `make notebooks` runs it."""
    path = tmp_path_factory.mktemp("explorer") / "explorer.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(EXPLORER)]), path)
    notebooks.run(path)
    return path


def test_a_widgets_cell_is_stored_as_a_page_and_the_same_each_time(explorer_notebook):
    first = explorer_notebook.read_text(encoding="utf-8")
    assert "hg-explorer" in first and "widget-view" not in first and '"widgets"' not in first
    notebooks.run(explorer_notebook)
    assert explorer_notebook.read_text(encoding="utf-8") == first
    assert list(notebooks.problems(explorer_notebook)) == []


CHANGES = {
    "another path in its frames": ("stroke-linecap: butt", "stroke-linecap: square", "passed"),
    "another digest": (r'data-explorer="\w{12}', 'data-explorer="0123456789ab', "passed"),
    "another setting": ("slope = 1", "slope = 3", "failed"),
    "another module": ("function render", "function rendered", "failed"),
}


def test_nbval_compares_an_explorer_but_for_its_drawings(explorer_notebook, tmp_path):
    """The cell again and again, each with another change in what is stored of it."""
    (cell,) = notebooks.read(explorer_notebook).cells
    cells = []
    for stored, other, _ in CHANGES.values():
        changed = copy.deepcopy(cell)
        data = changed.outputs[0].data
        texts = {kind: re.sub(stored, other, text) for kind, text in data.items()}
        assert texts != data
        data.update(texts)
        changed["id"] = f"cell-{len(cells):02d}"
        cells.append(changed)
    path = tmp_path / "changed.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    sanitize = Path(__file__).with_name("nbval.cfg")
    command = ["-m", "pytest", path, "--nbval", "--nbval-sanitize-with", sanitize, "-p", "no:cacheprovider", "-q"]
    done = subprocess.run([sys.executable, *command, "-rA"], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    ended = re.findall(r"^(PASSED|FAILED) \S*::Cell (\d)", done.stdout, flags=re.MULTILINE)
    expected = [(passes.upper(), str(i)) for i, (*_, passes) in enumerate(CHANGES.values())]
    assert sorted(ended) == sorted(expected), done.stdout + done.stderr


def planted(path, change):
    """A notebook of one cell, with what an editor has left in it."""
    cell = nbformat.v4.new_code_cell("print(1)", execution_count=7)
    notebook = nbformat.v4.new_notebook(cells=[cell])
    change(notebook)
    path.write_text(json.dumps(notebook), encoding="utf-8")
    return path


def another_kernel(notebook):
    notebook.metadata["kernelspec"] = {"name": "my-other-env", "display_name": "Mine", "language": "python"}


def no_language(notebook):
    notebook.metadata["kernelspec"] = {"name": ""}


def an_older_version(notebook):
    notebook.nbformat_minor = 2
    del notebook.cells[0]["id"]


def an_editors_notes(notebook):
    notebook.cells[0].metadata = {"vscode": {"languageId": "python"}, "colab": {}, "collapsed": False}
    notebook.metadata = {"colab": {"provenance": []}, "vscode": {"interpreter": {"hash": "1"}}}


def widget_state(notebook):
    """A view without the state that belongs to it leaves a page blank (nbconvert #923)."""
    notebook.metadata["widgets"] = {"application/vnd.jupyter.widget-state+json": {"state": {}, "version_major": 2}}
    data = {notebooks.WIDGET: {"model_id": "1"}, "text/plain": "a widget"}
    notebook.cells[0].outputs = [nbformat.v4.new_output("display_data", data)]


LEFT_BY_AN_EDITOR = (another_kernel, no_language, an_older_version, an_editors_notes, widget_state)


@pytest.mark.parametrize("change", LEFT_BY_AN_EDITOR, ids=lambda change: change.__name__)
def test_what_an_editor_left_is_named_and_goes_when_the_notebook_is_run(tmp_path, change):
    path = planted(tmp_path / "chapter.ipynb", change)
    assert any("volatile metadata" in problem for problem in notebooks.problems(path))
    notebooks.run(path)
    assert list(notebooks.problems(path)) == []
    stored = json.loads(path.read_text(encoding="utf-8"))
    assert stored["metadata"] == notebooks.METADATA and stored["cells"][0]["metadata"] == {}
    assert stored["cells"][0]["outputs"] == [{"name": "stdout", "output_type": "stream", "text": ["1\n"]}]


def test_other_line_ends_are_named(tmp_path):
    path = tmp_path / "chapter.ipynb"
    path.write_bytes(CHAPTERS[0].read_bytes().replace(b"\n", b"\r\n"))
    assert [problem for problem in notebooks.problems(path) if "other line ends" in problem]


NO_NOTEBOOKS = [b"", b"no JSON", b"[1]", b"{}", b'{"nbformat": 4}', b"\xff\xfe", None]


@pytest.mark.parametrize("options", [[], ["--check"]], ids=["run", "check"])
def test_a_file_that_is_no_notebook_is_one_sentence(tmp_path, options):
    paths = [tmp_path / f"{i}.ipynb" for i in range(len(NO_NOTEBOOKS))]
    for path, content in zip(paths, NO_NOTEBOOKS, strict=True):
        if content is not None:
            path.write_bytes(content)
    command = [sys.executable, notebooks.__file__, *options, *paths]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    for path, content, said in zip(paths, NO_NOTEBOOKS, done.stderr.splitlines(), strict=True):
        assert said.startswith(f"{path}") and "cannot be read as a notebook" in said, content
        assert content is None or path.read_bytes() == content


@pytest.mark.parametrize("content", NO_NOTEBOOKS)
@pytest.mark.parametrize("options", [[], ["--check"]], ids=["run", "check"])
def test_a_single_one_is_a_failure(tmp_path, monkeypatch, capsys, content, options):
    path = tmp_path / "chapter.ipynb"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setattr(sys, "argv", [notebooks.__file__, *options, str(path)])
    with pytest.raises(SystemExit) as end:
        notebooks.main()
    assert end.value.code == 1 and len(capsys.readouterr().err.splitlines()) == 1
