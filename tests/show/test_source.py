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


def test_of_a_long_method_only_the_lines_that_the_page_explains():
    listing = source(handgrad.Divide.backward, handgrad.Multiply.backward, only=["def backward", "return"])
    assert listing.text == (
        "def backward(self, dz):\n    ...\n    return [sum_to_shape(dx, self.x), sum_to_shape(dy, self.y)]\n\n"
        "def backward(self, dz):\n    ...\n    return [sum_to_shape(dx, self.x), sum_to_shape(dy, self.y)]"
    )
    inside = source(handgrad.Multiply.backward, only=["dx, dy ="])
    assert inside.text == "dx, dy = self.y * dz, self.x * dz"


def test_a_line_that_has_gone_is_missed():
    with pytest.raises(ValueError, match="No line of the source begins with 'while'"):
        source(handgrad.Multiply.backward, only=["return", "while"])
