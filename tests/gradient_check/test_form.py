"""What came back: in which order, how many, under which names; and how it is put into words."""

import numpy as np
import pytest
from planted import draw, planted

from handgrad import Gate, check_gate
from handgrad.gradient_check.wording import listed, slices, which_differ

X, G, B = draw(4, 3), draw(3), draw(3, seed=1)


def affine(order):
    """z = x g + b, row by row; ``order`` picks from [dx, dg, db]."""
    return planted(
        lambda s, x, g, b: s.keep(x * g + b, x=x, g=g),
        lambda s, dz: [[s.g * dz, np.sum(s.x * dz, axis=0), dz.sum(axis=0)][k] for k in order],
    )


def test_three_in_another_order_and_two_exchanged():
    report = check_gate(affine([1, 2, 0]), X, G, B)
    assert report.mistake == "WRONG_ORDER" and "that of g, that of b and that of x." in report.text
    assert check_gate(affine([0, 2, 1]), X, G, B).mistake == "GRADIENTS_SWAPPED"
    assert check_gate(affine([0, 1, 2]), X, G, B)


def test_a_none_in_the_place_of_a_gradient():
    def backward(s, dz):
        dE = np.zeros((4, 3))
        np.add.at(dE, s.ids, dz)
        return [None, dE]

    report = check_gate(planted(lambda s, E, ids: s.keep(E[ids], ids=ids), backward), X, np.array([1, 1, 3]))
    assert report.mistake == "WRONG_ORDER" and "None, for ids and that of E" in report.text


def test_one_too_few_says_which_are_there():
    report = check_gate(affine([0, 2]), X, G, B)
    assert report.mistake == "WRONG_COUNT"
    assert "2 gradients ((4, 3), (3,)), and forward took 3 inputs ((4, 3), (3,), (3,))." in report.text
    assert "The gradients of x and b are among them." in report.text
    one = planted(lambda s, x: s.keep(np.tanh(x)), lambda s, dz: [dz, dz])
    assert "and forward took 1 input ((4, 3))" in check_gate(one, X).text


def test_of_a_wrong_form_too_it_is_said_which_gradients_are_right():
    product = planted(lambda s, x, y: s.keep(x * y, x=x, y=y), lambda s, dz: [s.y * dz, None])
    report = check_gate(product, X, X + 1)
    assert report.mistake == "NO_GRADIENT" and "The gradient of x is right. Does" in report.text
    bare = planted(lambda s, x: s.keep(x**2, x=x), lambda s, dz: 2 * s.x * dz)
    assert (
        "one array of shape (4, 3), which is that of x, came back, the right gradient of x." in check_gate(bare, X).text
    )


class Named(Gate):
    def forward(self, first, second):
        self.kept = first, second
        return first * second

    def backward(self, dz):
        return [dz, dz]


class Starred(Named):
    def forward(self, *a):
        return super().forward(*a)


def test_inputs_are_called_what_forward_or_the_class_below_calls_them():
    assert "gradients of first and second are" in check_gate(Starred(), X, X + 1).text
    anonymous = planted(lambda s, *a: a[0] * a[1], lambda s, dz: [dz, dz])
    text = check_gate(anonymous, X, X + 1).text
    assert "the gradients of the first input and the second input are wrong" in text and "a[" not in text


def test_what_several_gradients_share_is_one_sentence():
    scaled = planted(
        lambda s, x, g, b: s.keep(x * g + b, x=x, g=g),
        lambda s, dz: [2 * s.g * dz, 2 * np.sum(s.x * dz, axis=0), 2 * dz.sum(axis=0)],
    )
    text = check_gate(scaled, X, G, B).text
    assert "The gradients of x, g and b are 2 times the right ones, in every entry." in text
    assert text.count("Which constant") == 1


def test_each_wrong_input_has_its_own_numbers_and_its_own_clue():
    gate = planted(
        lambda s, x, g, b: s.keep(x * g + b, x=x, g=g),
        lambda s, dz: [-s.g * dz, np.sum(s.x * dz, axis=0), np.zeros(3)],
    )
    text = check_gate(gate, X, G, B).text
    assert "The gradient of g is right." in text
    about_x, about_b = text.split("12 of 12 entries of x differ.")[1].split("At entry (")
    assert "The gradient of x has the right size and the wrong direction" in about_x
    assert "of b backward says 0" in about_b and "The gradient of b is 0 in every entry." in about_b


@pytest.mark.parametrize(
    "names, told", [(["x"], "x"), (["x", "W"], "x and W"), (["E", "W", "b", "u"], "E, W, b and u")]
)
def test_lists_are_read_aloud(names, told):
    assert listed(names) == told


def test_slices_are_one_or_several_and_have_a_name():
    assert slices(2, 0, np.array([0])) == "row 0" and slices(2, 1, np.array([0, 1, 2, 5])) == "columns 0–2, 5"
    assert slices(1, 0, np.array([3])) == "entry 3" and slices(3, 1, np.array([1, 2])) == "places 1–2 along axis 1"


def test_which_entries_differ_is_told_if_it_says_more():
    wrong = np.zeros((4, 6), dtype=bool)
    wrong[:, 3:] = True
    assert which_differ(wrong) == "12 of 24 entries differ: columns 3–5."
    wrong[0, 4] = False
    assert which_differ(wrong) == "11 of 24 entries differ, all in columns 3–5."
    assert which_differ(np.eye(4, dtype=bool)) == "4 of 16 entries differ."
    assert which_differ(np.array([True, False, True])) == "2 of 3 entries differ: entries 0, 2."


def test_what_backward_writes_to_is_named():
    def backward(s, dz):
        s.y *= 0.5
        return [(1 - s.y**2) * dz]

    report = check_gate(planted(lambda s, x: s.keep(np.tanh(x), y=np.tanh(x)), backward), X)
    assert report.mistake == "CHANGED_WHAT_IS_KEPT" and "keeps as y was changed" in report.text


def test_ids_that_have_no_place_in_what_came_back():
    E, ids = draw(5, 3), np.array([1, 3, 0])
    gate = planted(lambda s, ids, E: s.keep(E[ids], E=E, ids=ids), lambda s, dz: [np.zeros(s.E.shape)])
    text = check_gate(gate, ids, E).text
    assert text.endswith("ids holds integers, and needs None in its place. Which place is that?"), text
    both = planted(lambda s, x, y, ids: s.keep(x * y, x=x, y=y), lambda s, dz: [dz])
    assert check_gate(both, draw(3), draw(3), ids).text.endswith("in the input's own shape?")
