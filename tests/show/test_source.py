import inspect

import pytest

import handgrad
from handgrad.show import source


def test_the_page_shows_the_code_that_runs():
    listing = source(handgrad.Multiply, handgrad.Max)
    assert inspect.getsource(handgrad.Multiply) in repr(listing)
    assert repr(listing).startswith("# handgrad/gates.py\n")
    assert "class Max(Gate)" in repr(listing)
    html = listing._repr_html_()
    assert 'class="highlight"' in html and "handgrad/gates.py" in html


def test_things_of_two_files_are_refused():
    with pytest.raises(ValueError, match="one file at a time"):
        source(handgrad.Add, handgrad.RowDot)


def test_methods_stand_at_the_margin_as_they_are_read():
    text = source(handgrad.Multiply.forward, handgrad.Multiply.backward).text
    assert text.startswith("def forward(self, x, y):\n    self.x")
    assert "\n\ndef backward(self, dz):\n" in text and "\n\n\n" not in text


def test_where_a_page_is_about_the_code_it_stands_without_docstrings():
    forward = handgrad.ComputationalGraph.forward
    whole, code = source(forward).text, source(forward, docstrings=False).text
    assert '"""Compute every node' in whole and '"""' not in code
    assert code.splitlines()[0] == whole.splitlines()[0] and whole.endswith(code.partition("\n")[2])
    plain = handgrad.Exp.backward
    assert source(plain, docstrings=False).text == source(plain).text
