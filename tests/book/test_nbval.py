"""A stored output that is no longer what its cell prints fails, with the very command that the Makefile runs."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[2]
CODE = """\
from handgrad import Add, ComputationalGraph, Node, show
graph = ComputationalGraph(Add()(Node("x"), Node("y")))
print(graph.forward(x=1.0, y=2.0))
show.draw(graph, "A sum.")"""
TABLE = "node  from  value  gradient\nx           1\ny           2\n+     x, y  3"


def makefile_command():
    """What NBVAL stands for in the Makefile, for one notebook in this process's Python."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8").replace("\\\n", " ")
    options = re.search(r"^NBVAL := \$\(BIN\)/python -m pytest \$\(CHAPTERS\) (.*)$", makefile, flags=re.MULTILINE)
    return [sys.executable, "-m", "pytest", *shlex.split(options[1])]


RIGHT = (
    "3.0\n",
    TABLE,
    '<figure class="hg-figure"><svg of another machine></svg><figcaption>A sum.</figcaption></figure>',
)
CASES = {
    "what it prints": (RIGHT, "PASSED"),
    "another number": (("4.0\n", *RIGHT[1:]), "FAILED"),
    "another value in a drawing": ((RIGHT[0], TABLE.replace("y  3", "y  4"), RIGHT[2]), "FAILED"),
    "another caption": ((*RIGHT[:2], RIGHT[2].replace("A sum", "A product")), "FAILED"),
}


def write(path, *cases, kernel):
    """A notebook with a cell for each (what it prints, the text form of its drawing, its HTML)."""
    notebook = nbformat.v4.new_notebook()
    for count, (printed, table, html) in enumerate(cases, 1):
        cell = nbformat.v4.new_code_cell(CODE, execution_count=count)
        cell.outputs = [
            nbformat.v4.new_output("stream", name="stdout", text=printed),
            nbformat.v4.new_output("execute_result", {"text/plain": table, "text/html": html}, execution_count=count),
        ]
        notebook.cells.append(cell)
    notebook.metadata["kernelspec"] = {"name": kernel, "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, path)
    return path


def test_stored_outputs_are_compared_whichever_kernel_an_editor_noted_down(tmp_path):
    cases = write(tmp_path / "cases.ipynb", *(case for case, _ in CASES.values()), kernel="python3")
    edited = write(tmp_path / "edited.ipynb", RIGHT, kernel="my-other-env")
    command = [*makefile_command(), "-n", "0", "-rA", cases, edited]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    ended = re.findall(r"^(PASSED|FAILED) \S*::Cell (\d)", done.stdout, flags=re.MULTILINE)
    expected = [(ends, str(i)) for i, (_, ends) in enumerate(CASES.values())]
    assert sorted(ended) == sorted([*expected, ("PASSED", "0")]), done.stdout + done.stderr


def test_the_older_processor_has_no_avx512():
    """The names of NumPy's features change between versions, and a name that is not known disables nothing."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8").replace("\\\n", " ")
    assignments = shlex.split(re.search(r"^OLD_PROCESSOR := (.*)$", makefile, flags=re.MULTILINE)[1])
    code = (
        "from numpy._core._multiarray_umath import __cpu_features__ as on, __cpu_dispatch__ as known\n"
        "print([name for name in known if on[name] and ('512' in name or name == 'X86_V4')])"
    )
    environment = {**os.environ, **dict(assignment.split("=", 1) for assignment in assignments)}
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], env=environment, capture_output=True, text=True
    )
    assert result.stdout.strip() == "[]", result.stdout + result.stderr
