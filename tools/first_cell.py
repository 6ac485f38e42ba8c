"""Write the first code cell of each chapter, which installs handgrad where it is missing. It comes after the title.

python tools/first_cell.py book/*.ipynb

It is installed from the repository whose address stands in _config.yml.
"""

import sys
from pathlib import Path

import nbformat
import yaml
from notebooks import NotANotebookError, read, save

ROOT = Path(__file__).resolve().parents[1]
TAG = "remove-cell"  # the page does not show it

BEGINNING = """\
# Installs handgrad where it is missing, as on Colab.
import importlib.util

if importlib.util.find_spec("handgrad") is None:
"""
FROM_THE_REPOSITORY = """\
    import subprocess
    import sys

    repository = "git+{url}"
    package = f"handgrad[word2vec,torch,widgets] @ {{repository}}"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", package]
    subprocess.run(pip, check=True)
    importlib.invalidate_caches()"""
WITHOUT_A_REPOSITORY = """\
    message = "handgrad is missing; open the chapters with make lab"
    raise ModuleNotFoundError(message)"""


def repository():
    """The address in _config.yml, or nothing."""
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    return config["repository"]["url"]


def first_cell(url):
    """The cell's source for a repository at ``url``; without one, all that it can do is say what to do."""
    ending = FROM_THE_REPOSITORY if url else WITHOUT_A_REPOSITORY
    return BEGINNING + ending.format(url=url)


def is_first_cell(cell):
    return cell.cell_type == "code" and cell.source.startswith(BEGINNING.splitlines()[0])


def write(path, source):
    """Put the cell before all other code, or bring the one that is there up to date. Outputs stay as they are."""
    notebook = read(path)
    code = [i for i, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
    first = code[0] if code else len(notebook.cells)
    if code and is_first_cell(notebook.cells[first]):
        notebook.cells[first].source = source
    else:
        cell = nbformat.v4.new_code_cell(source, execution_count=0, metadata={"tags": [TAG]})
        notebook.cells.insert(first, cell)
        for cell in notebook.cells:  # it is run first
            if cell.cell_type == "code" and cell.source:
                cell.execution_count = (cell.execution_count or 0) + 1
                for output in cell.outputs:
                    if output.output_type == "execute_result":
                        output.execution_count = cell.execution_count
    save(notebook, path)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        try:
            write(Path(name), first_cell(repository()))
        except NotANotebookError as error:
            sys.exit(str(error))
