"""Right at the caller's inputs is not yet right, and what is right everywhere stays so."""

import numpy as np
import pytest
from planted import draw, planted

from handgrad import check_gate

X = draw(4, 3)


@pytest.mark.parametrize("seed", range(4))
def test_a_backward_that_reads_a_global_is_found_out(seed):
    x = draw(4, 3, seed=seed)
    report = check_gate(planted(lambda s, x: np.sin(x), lambda s, dz: [np.cos(x) * dz]), x.copy())
    assert report.mistake == "SAME_EVERYWHERE" and "what comes back stays the same" in report.text
    assert check_gate(planted(lambda s, x: s.keep(np.sin(x), x=x), lambda s, dz: [np.cos(s.x) * dz]), x)


@pytest.mark.parametrize(
    "cut, said",
    [
        (lambda g: np.clip(g, -30, 30), "With dz 1000 times as large, what comes back does not follow."),
        (lambda g: g / max(1, np.linalg.norm(g) / 50), "With dz 1000 times as large, what comes back does not follow."),
        (lambda g: np.where(g < -9, 0, g), "With dz 1000 times as large, what comes back does not follow."),
        (np.asarray, None),
        (lambda g: 1e-300 * (1e300 * g), None),
    ],
)
def test_a_gradient_that_is_cut_off_where_dz_is_larger_is_found_out(cut, said):
    x = draw(4, 3)
    report = check_gate(planted(lambda s, x: s.keep(np.sin(x), x=x), lambda s, dz: [cut(np.cos(s.x) * dz)]), x)
    assert bool(report) is (said is None), report.text
    if said:
        assert report.mistake == "NOT_LINEAR" and said in report.text


def _fails(dz):
    raise RuntimeError(f"no way back for {dz:.0f}")


@pytest.mark.parametrize(
    "other, code, said",
    [
        (_fails, "BACKWARD_FAILED", "Planted.backward, with dz 1000 times as large, failed with RuntimeError: no way"),
        (lambda dz: None, "NOT_LINEAR", "what comes back does not follow"),
        (lambda dz: [], "NOT_LINEAR", "what comes back does not follow"),
        (lambda dz: [None], "NOT_LINEAR", "what comes back does not follow"),
        (lambda dz: [dz], "NOT_LINEAR", "what comes back does not follow"),
    ],
)
def test_a_backward_that_answers_another_upstream_gradient_with_nothing_is_a_sentence(other, code, said):
    def backward(s, dz):
        return other(dz) if abs(dz) > 50 else [np.cos(s.x) * dz]

    report = check_gate(planted(lambda s, x: s.keep(np.sum(np.sin(x)), x=x), backward), draw(4))
    assert report.mistake == code and said in report.text, report.text


def test_an_upstream_gradient_of_the_other_sign_is_tried_too():
    """Here dz is one number, and it happens to be above 0."""

    def loss(s, dz):
        return [np.cos(s.x) * (dz if dz * s.sign > 0 else 0)]

    for sign in (1, -1):
        gate = planted(lambda s, x, sign=sign: s.keep(np.sum(np.sin(x)), x=x, sign=sign), loss)
        report = check_gate(gate, draw(4))
        assert not report.ok and report.mistake in ("NOT_LINEAR", "ALL_ZERO"), report.text


def test_right_where_all_are_above_0_is_told_as_that():
    leaky = planted(lambda s, x: s.keep(np.where(x > 0, x, 0.1 * x), x=x), lambda s, dz: [dz * (s.x > -9)])
    x = np.array([[1.0, -2.0, 0.3], [0.2, 0.8, -1.1]])
    assert check_gate(leaky, x).mistake == "RIGHT_ON_ONE_SIDE"
    hinge = planted(
        lambda s, t, c: s.keep(np.sum(np.maximum(0, 1 - t + c)), t=t, c=c),
        lambda s, dz: [-dz * np.ones(6), dz * np.ones(6)],
    )
    t = np.array([0.9, -0.8, 0.7, 0.9, 0.8, -0.9])  # every entry is within the margin
    report = check_gate(hinge, t, 0 * t)
    assert report.mistake == "SAME_EVERYWHERE" and "right at these inputs. At others" in report.text
    squared = planted(
        lambda s, t, c: s.keep(np.sum(np.maximum(0, 1 - t + c) ** 2), raw=1 - t + c),
        lambda s, dz: [-2 * dz * s.raw, 2 * dz * s.raw],
    )
    assert check_gate(squared, t, 0 * t).mistake == "RIGHT_HERE_ALONE"


class TestRightGatesOfInputsThatAreSpecial:
    """Moved to other places, shares stay shares, flags stay flags, and what is in order stays in order."""

    def test_shares(self):
        q = np.abs(draw(4, 3)) + 0.1
        q /= q.sum(axis=1, keepdims=True)

        def forward(s, x):
            p = np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)
            return s.keep(-np.sum(q * np.log(p), axis=1), p=p)

        def with_q(s, x, q):
            p = np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)
            return s.keep(-np.sum(q * np.log(p), axis=1), p=p, q=q)

        assert check_gate(planted(forward, lambda s, dz: [(s.p - q) * dz[:, None]]), X)
        assumes_shares = lambda s, dz: [(s.p - s.q) * dz[:, None], -np.log(s.p) * dz[:, None]]  # noqa: E731
        assert check_gate(planted(with_q, assumes_shares), X, q)

    def test_flags(self):
        mask = np.array([[1.0, 0.0, 1.0], [0.0, 1.0, 1.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
        gate = planted(lambda s, x, m: s.keep(x * m**2, x=x, m=m), lambda s, dz: [s.m * dz, 2 * s.x * s.m * dz])
        assert check_gate(gate, X, mask)

    def test_knots_in_order(self):
        at = np.array([0.3, 1.7, 2.2])

        def backward(s, dz):
            k = np.searchsorted(s.knots, at) - 1
            dk = np.zeros(s.knots.shape)
            slope = (np.take(s.v, k + 1) - s.v[k]) / (s.knots[k + 1] - s.knots[k])
            t = (at - s.knots[k]) / (s.knots[k + 1] - s.knots[k])
            np.add.at(dk, k, -slope * (1 - t) * dz)
            np.add.at(dk, k + 1, -slope * t * dz)
            dv = np.zeros(s.v.shape)
            np.add.at(dv, k, (1 - t) * dz)
            np.add.at(dv, k + 1, t * dz)
            return [dk, dv]

        gate = planted(lambda s, knots, v: s.keep(np.interp(at, knots, v), knots=knots, v=v), backward)
        assert check_gate(gate, np.array([0.1, 1.2, 2.0, 3.5]), draw(4))

    def test_a_domain_that_is_narrow(self):
        gate = planted(lambda s, x: s.keep(np.arcsin(x), x=x), lambda s, dz: [dz / np.sqrt(1 - s.x**2)])
        assert check_gate(gate, np.array([0.9, -0.99, 0.2]))


@pytest.mark.parametrize("off", [3e-8, 1.7e-7, 2e-6])
def test_a_little_off_is_inexact_whatever_the_draw(off):
    for seed in range(5):
        x = draw(6, seed=seed)
        off_at_one = planted(
            lambda s, x: s.keep(np.sin(x), x=x),
            lambda s, dz: [np.cos(s.x) * dz + off * np.max(np.abs(dz)) * (s.x == s.x[1])],
        )
        assert check_gate(off_at_one, x, seed=seed).mistake == "INEXACT"
    complex_step = planted(lambda s, x: s.keep(np.sin(x), x=x), lambda s, dz: [np.sin(s.x + 1e-3j).imag / 1e-3 * dz])
    assert check_gate(complex_step, X).mistake == "INEXACT"
    single = planted(lambda s, x: s.keep(np.sin(x), x=x), lambda s, dz: [np.float32(np.cos(s.x) * dz)])
    assert check_gate(single, X).mistake == "FEWER_DIGITS" and check_gate(single, X.astype(np.float32))


@pytest.mark.parametrize("symmetric", [[[2.0, 1.0], [1.0, -3.0]], [[0.5, -1.5], [-1.5, 0.25]]])
def test_a_symmetric_matrix_does_not_hide_a_transpose_that_is_missing(symmetric):
    untransposed = planted(lambda s, x, W: s.keep(x @ W, x=x, W=W), lambda s, dz: [dz @ s.W, s.x.T @ dz])
    assert check_gate(untransposed, draw(3, 2), np.array(symmetric)).mistake == "RIGHT_HERE_ALONE"


def margin_loss(*, right):
    """Each row's max(0, |x - a| - |x - b|); unless it is right, backward counts the rows of |x - a| + 2 > |x - b|."""

    def forward(s, x, a, b):
        u, v = np.linalg.norm(x - a, axis=1, keepdims=True), np.linalg.norm(x - b, axis=1, keepdims=True)
        s.keep(None, u=(x - a) / u, v=(x - b) / v, counts=u - v + (0 if right else 2) > 0)
        return np.maximum(0, u - v)

    def backward(s, dz):
        g = dz * s.counts
        return [g * (s.u - s.v), -g * s.u, g * s.v]

    return planted(forward, backward)


AT_A_KINK = (  # in the first row, both lengths are 3; in the others it is far beyond
    np.array([[0.0, 0.0, 0.0], [9.0, 2.0, 4.0]]),
    np.array([[1.0, 2.0, 2.0], [-40.0, 3.0, 1.0]]),
    np.array([[2.0, -2.0, 1.0], [9.0, 1.0, 3.0]]),
)


def test_what_is_skipped_at_a_kink_is_looked_at_beside_it():
    report = check_gate(margin_loss(right=True), *AT_A_KINK)
    assert report and report.skipped
    report = check_gate(margin_loss(right=False), *AT_A_KINK)
    assert report.mistake == "RIGHT_HERE_ALONE" and report.skipped, report.text
    assert "x, a and b are right or at a kink at these inputs, and wrong at others." in report.text


@pytest.mark.parametrize(
    "x",
    [
        np.array([0.0, -1.0, 2.0]),
        np.linspace(-2, 2, 5),
        np.array([[0.0, 1.0], [1.0, 0.0]]),
        np.array([0.0, 1e6, -1e6]),
        np.array([-1e-9, 0.0, 1e-9]),
    ],
)
def test_right_gates_are_right_beside_their_kinks(x):
    for function, slope in (
        (np.abs, np.sign),
        (lambda x: np.maximum(x, 0), lambda x: x > 0),
        (lambda x: np.maximum(x, 0), lambda x: x >= 0),
        (lambda x: np.where(x > 0, x, 0.1 * x), lambda x: np.where(x > 0, 1, 0.1)),
    ):
        gate = planted(
            lambda s, x, f=function: s.keep(f(x) + np.tanh(x), x=x),
            lambda s, dz, g=slope: [(g(s.x) + 1 - np.tanh(s.x) ** 2) * dz],
        )
        assert check_gate(gate, x)
    assert check_gate(planted(lambda s, x: s.keep(x * 1.0), lambda s, dz: [1.0 * dz]), x)


class TestOnePlaceIsShown:
    def squared_hinge(self):
        return planted(
            lambda s, t, c: s.keep(np.sum(np.maximum(0, 1 - t + c) ** 2), raw=1 - t + c),
            lambda s, dz: [-2 * dz * s.raw, 2 * dz * s.raw],
        )

    def test_one_input_changed_as_a_whole_and_what_is_wrong_there(self):
        t = np.array([0.9, -0.8, 0.7, 0.9, 0.8, -0.9])
        text = check_gate(self.squared_hinge(), t, np.zeros(6)).text
        there = "With t twice as large, the gradients of t and c are right wherever the output moves with the input."
        assert there in text and text.endswith("What do your inputs have in common that those have not?"), text

    def test_a_sign(self):
        gate = planted(
            lambda s, x: s.keep(np.maximum(0, np.sum(x)) ** 2, x=x), lambda s, dz: [2 * dz * np.sum(s.x) + 0 * s.x]
        )
        text = check_gate(gate, np.array([[1.5, -1.7], [1.1, -0.5]])).text
        there = (
            "With every sign in x reversed, the output does not move with x at all, and the gradient of x has numbers."
        )
        assert f"at these inputs, and wrong at others. {there}" in text, text

    def test_two_that_were_exchanged(self):
        swapped = planted(lambda s, x, y: s.keep(x * y, x=x, y=y), lambda s, dz: [dz * s.x, dz * s.y])
        text = check_gate(swapped, 2.0, 2.0).text
        assert "With x twice as large, what came back for x is the gradient of y, and for y that of x." in text, text

    def test_few_numbers_in_a_line(self):
        """Right where both are equal, whatever their size and sign."""
        gate = planted(
            lambda s, x: s.keep(np.sum(x**2) / np.sum(np.abs(x)), x=x),
            lambda s, dz: [dz * s.x / np.sqrt(2 * np.sum(s.x**2))],
        )
        text = check_gate(gate, np.array([2.0, 2.0])).text
        assert " at x = [" in text and "wrong at others" in text, text


def prototypes(*, at):
    """Σ of |x - P[labels]| plus c[labels]², over the rows; unless with ``at``, a label's last row alone is P's."""

    def forward(s, x, P, c, labels):
        s.keep(None, sign=np.sign(x - P[labels]), c=c, labels=labels)
        return np.abs(x - P[labels]).sum() + (c[labels] ** 2).sum()

    def backward(s, dz):
        dP = np.zeros((len(s.c), s.sign.shape[1]))
        if at:
            np.subtract.at(dP, s.labels, s.sign * dz)
        else:
            dP[s.labels] -= s.sign * dz
        return [s.sign * dz, dP, 2 * s.c * np.bincount(s.labels, minlength=len(s.c)) * dz, None]

    return planted(forward, backward)


def test_ids_that_repeat_at_a_kink_are_told_at_another_place():
    """As many rows as prototypes; the row that is met twice is at a kink each time."""
    x = np.array([[1.0, 2.0], [1.0, 2.0], [0.0, 1.0], [3.0, -1.0]])
    P = np.array([[0.0, 1.0], [1.0, 2.0], [5.0, 5.0], [2.0, 4.0]])
    inputs = x, P, draw(4), np.array([1, 1, 3, 0])
    assert check_gate(prototypes(at=True), *inputs)
    text = check_gate(prototypes(at=False), *inputs).text
    assert "or at a kink at these inputs, and wrong at others. 6 entries at a kink were skipped. " in text, text
    assert "with ids that each occur once, the gradient of P is right; here some occur more than once." in text, text


def test_a_place_alone_is_not_named_where_entries_at_a_kink_were_skipped():
    """Right where |x| is 2, and what is wrong elsewhere has no name."""
    gate = planted(
        lambda s, x: s.keep(np.sum(np.abs(x) + np.abs(x) ** 3), x=x),
        lambda s, dz: [np.sign(s.x) * (1 + 3 * np.sqrt(2) * np.abs(s.x) ** 1.5) * dz],
    )
    text = check_gate(gate, np.array([2.0, -2.0, 2.0, -2.0])).text
    assert "It is so with x twice as large. What do your inputs have in common that those have not?" in text, text
    text = check_gate(gate, np.array([2.0, -2.0, 0.0, 2.0])).text
    assert "It is so" not in text and "1 entry at a kink was skipped." in text, text
    assert text.endswith("What do your inputs have in common that those have not?"), text


LARGER = planted(
    lambda s, x, y: s.keep(np.maximum(x, y), x=x, y=y), lambda s, dz: [dz * (s.x >= s.y), dz * (s.x < s.y)]
)
PRODUCT = planted(lambda s, x, y: s.keep(x * y, x=x, y=y), lambda s, dz: [s.y * dz, s.x * dz])
CHOSEN = planted(
    lambda s, x, y: s.keep(np.where(x > 0, x, y), x=x),
    lambda s, dz: [np.where(s.x > 0, dz, 0), np.where(s.x > 0, 0, dz)],
)


@pytest.mark.parametrize(
    "right, wrong, x, y",
    [
        (LARGER, lambda s, dz: [dz, 0 * dz], np.array([5.0, 6.0]), np.array([1.0, 2.0])),
        (LARGER, lambda s, dz: [dz, 0 * dz], 5.0, 1.0),
        (PRODUCT, lambda s, dz: [0 * dz, s.x * dz], np.array([[5.0, -6.0, 0.5]]), np.zeros((1, 3))),
        (PRODUCT, lambda s, dz: [0 * dz, s.x * dz], 0.7, 0.0),
        (CHOSEN, lambda s, dz: [np.where(s.x > 0, dz, 0), 0 * dz], np.array([5.0, 6.0]), np.array([1.0, 2.0])),
    ],
    ids=["max", "max of numbers", "product with zeros", "product with 0", "choice"],
)
def test_zeros_for_an_input_that_does_not_matter_here_are_looked_at_where_it_does(right, wrong, x, y):
    assert check_gate(right, x, y)
    report = check_gate(planted(type(right).forward, wrong), x, y)
    assert not report.ok and "right at these inputs" in report.text, report.text


def slightly_wrong_below(limit, slope):
    return lambda s, dz: [np.where(np.abs(s.x) < limit, 1.01, 1.0) * slope(s.x) * dz]


@pytest.mark.parametrize(
    "function, slope, x",
    [
        (np.square, lambda x: 2 * x, np.array([1e6, 1e-3])),
        (np.exp, np.exp, np.array([60.0, 1.0])),
        (np.sinh, np.cosh, np.array([[0.5, -40.0], [-0.1, 30.0]])),
    ],
)
def test_a_slope_that_is_lost_beside_a_large_one_is_looked_at_among_its_like(function, slope, x):
    forward = lambda s, x: s.keep(function(x), x=x)  # noqa: E731
    assert check_gate(planted(forward, slightly_wrong_below(0.0, slope)), x)
    report = check_gate(planted(forward, slightly_wrong_below(2.0, slope)), x)
    assert report.mistake == "RIGHT_HERE_ALONE", report.text


@pytest.mark.parametrize(
    "function, slope_above_0, x",
    [
        (lambda x: np.maximum(x, 0), np.ones_like, np.array([3.0, 0.2, 1.0])),
        (lambda x: np.maximum(x, 0), np.ones_like, 3.0),
        (lambda x: np.minimum(x, 0), np.ones_like, np.array([[-3.0, -0.2]])),
        (lambda x: np.logaddexp(0, x), np.ones_like, np.array([800.0, 900.0])),
        (lambda x: np.where(x > 0, x**2, 0.1 * x), lambda x: 2 * x, np.array([[3.0, 0.2], [0.5, 1.0]])),
    ],
)
def test_inputs_of_one_sign_do_not_hide_what_the_other_sign_would_show(function, slope_above_0, x):
    report = check_gate(planted(lambda s, x: s.keep(function(x), x=x), lambda s, dz: [slope_above_0(s.x) * dz]), x)
    assert not report.ok and "right at these inputs" in report.text, report.text


@pytest.mark.parametrize(
    "function, slope",
    [
        (np.sqrt, lambda x: 0.5 / np.sqrt(x)),
        (np.log, lambda x: 1 / x),
        (lambda x: x**1.5, lambda x: 1.5 * np.sqrt(x)),
        (lambda x: x * np.log(x), lambda x: np.log(x) + 1),
        (np.arccosh, lambda x: 1 / np.sqrt(x**2 - 1)),
        (lambda x: np.log(x**2), lambda x: 2 / x),
    ],
)
def test_right_gates_that_take_positive_numbers_alone_stay_right(function, slope):
    gate = planted(lambda s, x: s.keep(function(x), x=x), lambda s, dz: [slope(s.x) * dz])
    for x in (np.array([3.0, 1.2, 40.0]), 3.0):
        assert check_gate(gate, x)
