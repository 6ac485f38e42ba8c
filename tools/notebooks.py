"""Run notebooks in place and keep only what is the same each time; or check that this was done.

python tools/notebooks.py book/08_graphs.ipynb ...
python tools/notebooks.py --check book/*.ipynb
"""

import argparse
import itertools
import platform
import re
import sys
import warnings
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from handgrad.files import replacing

KERNEL = "python3"  # of the Python that runs this
# As Jupyter writes it, so that opening and saving a chapter changes nothing.
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": KERNEL},
    "language_info": {
        "codemirror_mode": {"name": "ipython", "version": 3},
        "file_extension": ".py",
        "mimetype": "text/x-python",
        "name": "python",
        "nbconvert_exporter": "python",
        "pygments_lexer": "ipython3",
        "version": platform.python_version(),
    },
}
LAB_ONLY = "lab-only"  # tags the cells that tools/lab_cells.py writes; these keep their ids
CODE_OFF_THE_PAGE = {"hide-input", "remove-input", "remove-cell"}
WIDGET = "application/vnd.jupyter.widget-view+json"


def is_lab_only(cell):
    return LAB_ONLY in cell.metadata.get("tags", [])


class NotANotebookError(Exception):
    """A file that is no notebook: the message is one sentence."""


def run(path):
    """Execute the notebook from top to bottom in a fresh kernel, and replace the file when all went well."""
    notebook = read(path)
    clean(notebook)
    client = NotebookClient(
        notebook,
        kernel_name=KERNEL,  # whatever an editor has noted down
        timeout=600,
        record_timing=False,
        coalesce_streams=True,
        extra_arguments=["--log-level=ERROR"],  # the kernel's own chatter, not the notebook's
        resources={"metadata": {"path": str(path.parent)}},
    )
    client.execute()
    save(notebook, path)


def read(path):
    """The notebook in a file, of whichever version, as the newest one; or a sentence says that there is none."""
    try:
        with warnings.catch_warnings(action="ignore"):  # cells without an id get one
            return nbformat.read(path, as_version=4)
    except (OSError, ValueError, KeyError, AttributeError, TypeError, nbformat.ValidationError) as error:
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise NotANotebookError(f"{path} cannot be read as a notebook: {reason}") from error


def save(notebook, path):
    """Write a notebook down, cleaned."""
    clean(notebook)
    with replacing(path) as partial:
        partial.write_text(as_text(notebook), encoding="utf-8")


def clean(notebook):
    """Drop what differs from run to run or from machine to machine."""
    version = notebook.metadata.get("language_info", {}).get("version", "")
    notebook.metadata = nbformat.from_dict(METADATA)
    if re.fullmatch(r"3\.\d+\.\d+", str(version)):  # whichever Python ran it
        notebook.metadata.language_info.version = version
    notebook.nbformat_minor = 5
    numbers = itertools.count()
    for cell in notebook.cells:
        if not is_lab_only(cell):
            cell["id"] = f"cell-{next(numbers):02d}"
        cell.metadata = cell_metadata(cell)
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(WIDGET, None)


def cell_metadata(cell):
    """The cell's tags, and that JupyterLab folds what the page does: a solution, an answer, code that it leaves out."""
    metadata = {"tags": cell.metadata["tags"]} if "tags" in cell.metadata else {}
    tags = set(metadata.get("tags", []))
    if cell.cell_type == "code" and cell.source and tags & CODE_OFF_THE_PAGE:
        metadata["jupyter"] = {"source_hidden": True}
    if cell.cell_type == "code" and "hide-output" in tags:
        metadata["jupyter"] = {"outputs_hidden": True}
        metadata["collapsed"] = True  # JupyterLab writes both names of it
    if cell.cell_type == "markdown" and LAB_ONLY in tags and cell["id"].startswith("solution-"):
        metadata["jp-MarkdownHeadingCollapsed"] = True
    return nbformat.from_dict(metadata)


def problems(path):
    """What keeps a stored notebook from being the result of one run from top to bottom."""
    try:
        notebook = read(path)
        stored = path.read_bytes().decode()  # with its line ends
    except (NotANotebookError, UnicodeDecodeError) as error:
        yield str(error)
        return
    code = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source]  # Jupyter runs no empty cell
    if [cell.execution_count for cell in code] != list(range(1, len(code) + 1)):
        yield "its cells were not run once each, in order"
    for cell in code:
        for output in cell.outputs:
            if output.output_type == "error" and "raises-exception" not in cell.metadata.get("tags", []):
                yield f"a cell failed with {output.ename}: {output.evalue}"
            if output.output_type == "stream" and output.name == "stderr":
                yield f"a cell wrote to stderr: {output.text.strip()[:80]}"
    clean(notebook)
    if as_text(notebook) != stored:
        yield "it is not as this program writes it: it carries volatile metadata, or other line ends"


def as_text(notebook):
    return nbformat.writes(notebook) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="only say what is not as `make notebooks` leaves it")
    parser.add_argument("notebooks", nargs="+", type=Path)
    arguments = parser.parse_args()
    failed = False
    for path in arguments.notebooks:
        if arguments.check:
            for problem in problems(path):
                print(f"{path}: {problem}: run make notebooks", file=sys.stderr)
                failed = True
            continue
        print(f"running {path}", flush=True)
        try:
            run(path)
        except CellExecutionError as error:
            print(f"{path} was left as it was, because a cell failed:\n{error}", file=sys.stderr)
            failed = True
        except NotANotebookError as error:
            print(error, file=sys.stderr)
            failed = True
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
