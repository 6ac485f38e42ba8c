"""A gradient has as many digits as the input that it belongs to was fed with."""

import numpy as np
import pytest
from planted import draw, planted

import handgrad as hg
from handgrad import Node, check_gate, check_graph

X, E, IDS = draw(4, 3), draw(5, 3, seed=1), np.array([1, 3, 1, 4])


def product(kind, factor=1.0):
    """z = E[ids] · x, where the gradient of E is added up in an array of this type."""

    def backward(s, dz):
        dE = np.zeros(s.E.shape, dtype=kind)
        np.add.at(dE, s.ids, factor * s.x * dz)
        return [dE, s.E[s.ids] * dz, None]

    return planted(lambda s, E, x, ids: s.keep(E[ids] * x, E=E, x=x, ids=ids), backward)


@pytest.mark.parametrize("kind, lost", [(np.float32, "half"), (np.float16, "most")])
def test_fewer_digits_than_the_input_has_are_refused(kind, lost):
    report = check_gate(product(kind), E, X, IDS)
    assert report.mistake == "FEWER_DIGITS", report.text
    came = f"E is float64, and its gradient came back as {np.dtype(kind)}: {lost} of its digits are lost."
    assert came in report.text and report.text.endswith("Where is the type chosen?")


def test_what_was_fed_decides():
    single, half = E.astype(np.float32), E.astype(np.float16)
    assert check_gate(product(np.float32), single, X, IDS) and check_gate(product(np.float64), single, X, IDS)
    assert check_gate(product(np.longdouble), E, X, IDS)
    assert (
        "E is float32, and its gradient came back as float16: half"
        in check_gate(product(np.float16), single, X, IDS).text
    )
    assert check_gate(product(np.float32), half, X, IDS)


def test_several_are_told_together_and_another_mistake_first():
    both = planted(lambda s, x, y: s.keep(x * y, x=x, y=y), lambda s, dz: [np.float32(s.y * dz), np.float32(s.x * dz)])
    text = check_gate(both, X, draw(4, 3, seed=2)).text
    assert "x and y are float64, and their gradients came back as float32: half of their digits are lost." in text
    assert check_gate(product(np.float32, factor=-1), E, X, IDS).mistake == "WRONG_SIGN"


def test_a_forward_of_fewer_digits_comes_first():
    step = planted(lambda s, x: s.keep(np.float32(x > 0), x=x), lambda s, dz: [np.float32(0 * s.x * dz)])
    assert check_gate(step, X)


def test_flags_and_counts_are_no_floats():
    flat = planted(lambda s, x: s.keep(np.sign(x), x=x), lambda s, dz: [np.zeros(s.x.shape, int)])
    assert check_gate(flat, X)


@pytest.mark.parametrize("kind, right", [(np.float32, True), (np.float64, False)])
def test_a_graph_in_single_precision_asks_for_no_more(kind, right):
    square = planted(lambda s, x: s.keep(x**2, x=x), lambda s, dz: [np.float32(2 * s.x * dz)])
    report = check_graph(hg.ComputationalGraph(square(Node("x"))), x=X.astype(kind))
    assert report.ok is right and report.mistake == (None if right else "FEWER_DIGITS"), report.text
