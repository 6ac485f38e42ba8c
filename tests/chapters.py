"""The book's chapters as they are stored, for the tests that go through them."""

import json
from pathlib import Path

import pytest

CHAPTERS = sorted((Path(__file__).resolve().parents[1] / "book").glob("*.ipynb"))
# A cell that shows an explorer.
EXPLORER = """\
from matplotlib import pyplot as plt
from handgrad import show

def line(slope):
    fig, ax = plt.subplots()
    ax.plot([0, slope])
    return show.figure(fig, f"A line with slope {slope}.")

show.explore(line, slope=[1, 2])"""
every_chapter = pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)


def cells_of(path, kind):
    """The cells of a kind, without those that only JupyterLab shows."""
    cells = [cell for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == kind]
    return [cell for cell in cells if "lab-only" not in cell["metadata"].get("tags", [])]
