"""Every labelled gradient of the book is checked, every check belongs to one, and every check passed."""

import json

import pytest


def notebook(path, *cells):
    path.write_text(json.dumps({"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    return path


def equation(label):
    return {"cell_type": "markdown", "source": ["The slope is\n", "$$\n", f"dx = y\\,dz\n$$ ({label})\n"]}


def check(label, said="verified grad-xy: to 2e-11", code=None):
    output = {"output_type": "display_data", "data": {"text/plain": [said]}}
    source = code or f"verify('{label}', formula, numbers)"
    return {"cell_type": "code", "source": source, "outputs": [output] if said else []}


def test_the_book(root, pages, gradient_list):
    notebooks = [path for page in pages if (path := root / f"{page}.ipynb").exists()]
    gradients, checks = gradient_list.read_gradients(notebooks)
    assert gradients, "no gradient of the book has a label"
    assert gradient_list.find_faults(gradients, checks) == []


def test_a_checked_gradient_has_no_fault(tmp_path, gradient_list):
    path = notebook(tmp_path / "01_a.ipynb", equation("grad-xy"), check("grad-xy"))
    gradients, checks = gradient_list.read_gradients([path])
    assert [(g.label, g.formula) for g in gradients] == [("grad-xy", r"dx = y\,dz")]
    assert gradient_list.find_faults(gradients, checks) == []


@pytest.mark.parametrize(
    ("cells", "fault"),
    [
        ([equation("grad-xy")], "grad-xy has no check"),
        ([equation("grad-xy"), check("grad-xy", code="# verify('grad-xy')")], "grad-xy has no check"),
        ([check("grad-xy")], "no equation with that label"),
        ([equation("grad-xy"), equation("grad-xy"), check("grad-xy")], "grad-xy labels 2 equations"),
        ([equation("grad-xy"), check("grad-xy", said="failed grad-xy: off by 0.1")], "says: failed grad-xy"),
        ([equation("grad-xy"), check("grad-xy", said="")], "says: nothing"),
        ([equation("grad-xy"), check("grad-xy", said="verified grad-xy-other: 1e-9")], "says: nothing"),
    ],
)
def test_a_fault_is_found(tmp_path, gradient_list, cells, fault):
    path = notebook(tmp_path / "01_a.ipynb", *cells)
    faults = gradient_list.find_faults(*gradient_list.read_gradients([path]))
    assert len(faults) == 1
    assert fault in faults[0]


def test_magics_do_not_hide_a_check(tmp_path, gradient_list):
    cell = check("grad-xy", code="%matplotlib inline\nshow.verify('grad-xy', f)")
    path = notebook(tmp_path / "01_a.ipynb", equation("grad-xy"), cell)
    assert gradient_list.find_faults(*gradient_list.read_gradients([path])) == []
