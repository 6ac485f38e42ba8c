"""A forward that is wrong is not called a wrong gradient: a reference tells, and so does what is not finite."""

import numpy as np
import pytest
from planted import draw, planted

import handgrad as hg
from handgrad import check_gate
from handgrad.errors import InputError

X, LARGE = draw(4, 3), np.array([-1000.0, -1.0, 0.5, 20.0, 1000.0])


def softplus(x):
    return np.logaddexp(0, x)


def naive(backward=lambda s, dz: [hg.sigmoid(s.x) * dz]):
    return planted(lambda s, x: s.keep(np.log(1 + np.exp(x)), x=x), backward)


def unit_rows(x, over=1, added=0.0):
    return x / (np.linalg.norm(x, axis=over, keepdims=True) + added)


def unit(**how):
    def backward(s, dz):
        n = np.linalg.norm(s.x, axis=1, keepdims=True)
        u = s.x / n
        return [(dz - u * np.sum(u * dz, axis=1, keepdims=True)) / n]

    return planted(lambda s, x: s.keep(unit_rows(x, **how), x=x), backward)


def test_a_right_forward_changes_nothing():
    assert check_gate(unit(), X, reference=unit_rows)
    wrong = planted(lambda s, x: s.keep(np.tanh(x), x=x), lambda s, dz: [dz])
    assert check_gate(wrong, X, reference=np.tanh).text == check_gate(wrong, X).text


def test_a_forward_over_another_axis_is_told_by_what_it_moves_with():
    report = check_gate(unit(over=None), X, reference=unit_rows)
    assert report.mistake == "FORWARD_DIFFERS" and "and in the reference it does not" in report.text
    assert report.text.endswith("Backward is right for the reference: it is forward that is left to mend.")
    neither = planted(lambda s, x: s.keep(unit_rows(x, over=None), x=x), lambda s, dz: [3 * dz])
    text = check_gate(neither, X, reference=unit_rows).text
    assert "right neither for forward as it stands nor for the reference" in text and "3 times" not in text
    one_too_many = planted(lambda s, x: s.keep(unit_rows(x, over=None), x=x), lambda s, dz: [dz, dz])
    assert "Planted.backward returned 2 gradients" in check_gate(one_too_many, X, reference=unit_rows).text


def soft_clip(x, c, a):
    return c + a * np.tanh((x - c) / a)


def test_a_tiny_slope_is_no_independence():
    """Far out a tanh moves by 1e-9 of its input: so it does by the reference."""
    x, c, a = np.array([[9.0, 0.3], [0.5, -0.2]]), np.array([0.1, -0.3]), np.array([0.9, 0.8])
    gate = planted(lambda s, x, c, a: c + a * np.tanh(x - c / a), lambda s, dz: [dz, dz.sum(axis=0), dz.sum(axis=0)])
    text = check_gate(gate, x, c, a, reference=soft_clip).text
    assert "in the reference it" not in text and "At which step do the two diverge?" in text


def test_an_entry_that_the_reference_does_not_read_is_told():
    gate = planted(lambda s, x: np.tanh(x) + np.sin(x[:1]) * np.cos(x), lambda s, dz: [dz])
    assert "and in the reference it does not" in check_gate(gate, X, reference=lambda x: np.tanh(x) + np.cos(x)).text


def test_whether_backward_is_right_for_its_own_forward_or_for_the_reference():
    def own(x):
        return 2 * np.sin(x)

    consistent = planted(lambda s, x: s.keep(own(x), x=x), lambda s, dz: [2 * np.cos(s.x) * dz])
    report = check_gate(consistent, X, reference=np.sin)
    assert report.mistake == "FORWARD_DIFFERS" and "It is 2 times the right one in every entry." in report.text
    assert report.text.endswith("Backward is right for forward as it stands.")
    textbook = planted(lambda s, x: s.keep(own(x), x=x), lambda s, dz: [np.cos(s.x) * dz])
    assert check_gate(textbook, X, reference=np.sin).text.endswith(
        "Backward is right for the reference: it is forward that is left to mend."
    )


@pytest.mark.parametrize(
    "forward, says",
    [
        (lambda x: np.sin(x) + 0.25, "0.25 more in every entry"),
        (lambda x: np.sin(x)[::-1], "the right numbers in other places"),
        (lambda x: np.sin(x).sum(axis=1), "shape (4,), and the reference (4, 3)"),
        (lambda x: np.where(np.arange(4)[:, None] == 2, 2.0, 1.0) * np.sin(x), "3 of 12 entries differ: row 2."),
    ],
)
def test_what_a_wrong_output_has_in_common_with_the_right_one(forward, says):
    gate = planted(lambda s, x: s.keep(forward(x), x=x), lambda s, dz: [np.cos(s.x)])
    report = check_gate(gate, X, reference=np.sin)
    assert report.mistake == "FORWARD_DIFFERS" and says in report.text, report.text


@pytest.mark.parametrize("off, code", [(1e-12, None), (1e-7, "INEXACT"), (1e-4, "INEXACT"), (1e-2, "FORWARD_DIFFERS")])
def test_how_far_off_is_inexact(off, code):
    gate = planted(lambda s, x: s.keep((1 + off) * np.sin(x), x=x), lambda s, dz: [(1 + off) * np.cos(s.x) * dz])
    assert check_gate(gate, X, reference=np.sin).mistake == code


def test_a_forward_that_differs_at_other_inputs_alone_is_told_too():
    frozen = X.copy()
    gate = planted(lambda s, x: s.keep(np.sin(frozen) + 0 * x), lambda s, dz: [0 * dz])
    assert check_gate(gate, X, reference=np.sin).mistake == "FORWARD_DIFFERS"


def test_an_overflow_is_no_wrong_gradient():
    report = check_gate(naive(), LARGE, reference=softplus)
    assert (
        report.mistake == "OVERFLOW" and "forward says inf at entry (4,), where the reference says 1000" in report.text
    )
    assert report.text.endswith("Backward is right for the reference: it is forward that is left to mend.")
    alone = check_gate(naive(), LARGE)
    assert alone.mistake == "NOT_FINITE" and "Where it is finite, the gradient of x is right." in alone.text
    assert "wrong" not in alone.text
    assert check_gate(naive(), X) and check_gate(naive(), X, reference=softplus)


def test_where_forward_is_finite_a_wrong_gradient_is_still_seen():
    text = check_gate(naive(lambda s, dz: [2 * hg.sigmoid(s.x) * dz]), LARGE).text
    assert "Where it is finite, the gradient of x is not right." in text
    assert check_gate(planted(lambda s, x: x.sum() / 0.0, lambda s, dz: [dz * s.x]), X).mistake == "NOT_FINITE"


def test_a_reference_must_be_a_function_that_takes_the_inputs():
    with pytest.raises(InputError, match="expects a function as reference"):
        check_gate(unit(), X, reference=X)
    with pytest.raises(InputError, match="The reference failed with TypeError"):
        check_gate(unit(), X, reference=lambda: X)


def test_who_has_compared_forward_is_not_asked_whether_it_is_right():
    x, W = draw(4, 3), draw(3, 2)
    nonsense = planted(
        lambda s, x, W: s.keep(x @ W, x=x, W=W), lambda s, dz: [np.cumsum(dz @ s.W.T, 1)[:, ::-1], s.x.T @ dz]
    )
    asked, compared = check_gate(nonsense, x, W), check_gate(nonsense, x, W, reference=np.matmul)
    assert not asked and not compared and asked.mistake is None
    assert (
        asked.text == compared.text + " If you are sure of backward, check_gate can compare forward with a reference."
    )
