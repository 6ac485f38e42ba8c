"""Forward moves in jumps: a staircase, or digits that are lost. One bend, one step or a flat piece is neither."""

import numpy as np
import pytest
from planted import column, draw, planted

from handgrad import Gate, check_gate

X, W = draw(4, 3), draw(3, 5, seed=1)


def through(steps):
    """z = tanh(steps(x W)) + v, with the gradient that is right without the steps."""

    def forward(s, x, W, v):
        return s.keep(np.tanh(steps(x @ W)) + v, x=x, W=W, y=np.tanh(steps(x @ W)))

    def backward(s, dz):
        da = (1 - s.y**2) * dz
        return [da @ s.W.T, s.x.T @ da, dz.sum(axis=0)]

    return planted(forward, backward)


def elementwise(function, slope):
    return planted(lambda s, x: s.keep(function(x), x=x), lambda s, dz: [slope(s.x) * dz])


STAIRS = {
    "floor": np.floor,
    "round": np.round,
    "whole numbers": lambda a: a.astype(int),
    "//": lambda a: a // 0.3,
    "two decimals": lambda a: np.round(a, 2),
    "trunc of a tenth": lambda a: np.trunc(10 * a) / 10,
}


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("steps", STAIRS.values(), ids=STAIRS)
def test_a_staircase_is_told_and_nothing_else(steps, seed):
    report = check_gate(through(steps), draw(4, 3, seed=seed), W, draw(5, seed=4))
    assert report.mistake == "STAIRCASE" and "The gradient of v is right." in report.text
    told = (
        "entries of x differ. Where the gradients of x and W are wrong, the measured slope is 0, yet over a longer way "
    )
    assert told in report.text, report.text
    assert report.text.endswith("it is a staircase. Does it round, or use //?")


@pytest.mark.parametrize("slope", [np.ones_like, np.zeros_like])
def test_numbers_that_lie_on_a_stair_are_told_so_too(slope):
    report = check_gate(elementwise(np.floor, slope), np.array([[1.0, 2.0], [-3.0, 4.0]]))
    assert report.mistake == "STAIRCASE" and "at x forward's value jumps" in report.text
    assert report.text.endswith("Does it round, or use //?")


@pytest.mark.parametrize("kept", [("p",), ("p", "half")])
def test_what_forward_keeps_with_fewer_digits_is_named(kept):
    def forward(s, x, W):
        p = (1 / (1 + np.exp(-x @ W))).astype(np.float32)
        return s.keep(p * 1.5 + 0 * x[:, :1], **dict.fromkeys(kept, p), x=x, W=W, slope=1.5 * (p - p**2).astype(float))

    gate = planted(forward, lambda s, dz: [dz * s.slope @ s.W.T, s.x.T @ (dz * s.slope)])
    report = check_gate(gate, X, draw(3, 2, seed=1))
    names = " and ".join(kept)
    assert report.mistake == "NO_STEP_CAN_TELL"
    assert f"what forward keeps as {names} has fewer digits than float64. Where are they lost?" in report.text


def test_a_staircase_in_one_input_hides_no_mistake_in_another():
    def forward(s, x, y):
        return s.keep(np.floor(x) + np.sin(y), y=y)

    gate = planted(forward, lambda s, dz: [dz, -np.cos(s.y) * dz])
    for x in (X, np.round(4 * X)):
        text = check_gate(gate, x, draw(4, 3, seed=1)).text
        assert "staircase" in text and "The gradient of y has the right size and the wrong direction" in text, text
        assert "dz times" not in text and "1 times" not in text


ONE_BEND = {
    "relu on the left": (lambda x: np.maximum(x, 0), np.array([[-0.3, -1.0], [-2.0, -0.7]])),
    "relu": (lambda x: np.maximum(x, 0), X),
    "clip": (lambda x: np.clip(x, -0.2, 0.2), X),
    "sign": (np.sign, X),
    "step": (lambda x: (x > 0.1) * 1.0, X),
    "shrink": (lambda x: x * (np.abs(x) > 1), X),
    "largest of each row": (lambda x: np.where(x == x.max(axis=1, keepdims=True), x, 0), X),
    "where the largest is": (lambda x: (x == x.max(axis=1, keepdims=True)) * 2.0, X),
    "saturated": (lambda x: np.tanh(1000 * x), X),
}


@pytest.mark.parametrize("function, x", ONE_BEND.values(), ids=ONE_BEND)
def test_a_bend_or_a_single_step_is_no_staircase(function, x):
    report = check_gate(elementwise(function, lambda x: 1 + x**2), x)
    assert not report.ok and report.mistake != "STAIRCASE" and "staircase" not in report.text, report.text


@pytest.mark.parametrize("function", [np.floor, np.sign, lambda x: np.round(x, 1)])
def test_zeros_are_right_for_what_is_flat(function):
    assert check_gate(elementwise(function, np.zeros_like), X)


def single(x):
    return x.astype(np.float32).astype(np.float64)


def linear(cast_x=lambda x: x, cast_W=lambda W: W, cast=lambda a: a, factor=1):
    def backward(s, dz):
        da = (1 - s.y**2) * dz
        return [da @ s.W.T, s.x.T @ da, factor * dz.sum(axis=0)]

    def forward(s, x, W, b):
        y = np.tanh(cast(cast_x(x) @ cast_W(W)))
        return s.keep(y + b, x=cast_x(x), W=cast_W(W), y=y)

    return planted(forward, backward)


@pytest.mark.parametrize("size", [1, 30])
@pytest.mark.parametrize(
    "casts, told, right",
    [
        ({"cast_x": lambda x: x.astype(np.float32)}, "at x no step can tell", "The gradients of W and b are right."),
        ({"cast_W": single}, "at W no step can tell", "The gradients of x and b are right."),
        ({"cast_x": single, "cast_W": single}, "at x and W no step can tell", "The gradient of b is right."),
    ],
)
def test_an_input_that_is_cast_to_float32_is_named(casts, told, right, size):
    report = check_gate(linear(**casts), size * X, W / size, draw(5))
    assert report.mistake == "NO_STEP_CAN_TELL" and told in report.text, report.text
    names = told.removeprefix("at ").removesuffix(" no step can tell")
    cast = f"as in float32. Where {'are' if 'and' in names else 'is'} {names} cast?"
    assert cast in report.text and report.text.endswith(right) and "smaller" not in report.text


def test_a_mistake_in_another_input_is_told_beside_a_cast():
    text = check_gate(linear(cast_x=single, factor=-1), X, W, draw(5)).text
    assert "the gradient of b is wrong" in text and "every sign is reversed" in text and "Where is x cast?" in text


def test_digits_that_one_input_loses_are_no_mistake_of_another():
    """Forward keeps x as it came: with it, the gradient of W is off by the digits that x has lost."""
    gate = planted(lambda s, x, W: s.keep(single(x) @ W, x=x, W=W), lambda s, dz: [dz @ s.W.T, s.x.T @ dz])
    report = check_gate(gate, X, W)
    assert report.mistake == "NO_STEP_CAN_TELL" and report.text.endswith("as in float32. Where is x cast?"), report.text


@pytest.mark.parametrize("x", [1e-5, 1e-6])
def test_where_the_output_hardly_moves_nothing_is_called_a_cast(x):
    class Cosine(Gate):
        def forward(self, x):
            self.x = x
            return np.cos(x)

        def backward(self, dz):
            return [-0.99 * np.sin(self.x) * dz]

    report = check_gate(Cosine(), x)
    assert "the gradient of x is wrong" in report.text and "cast" not in report.text, report.text


@pytest.mark.parametrize("cast", [single, lambda a: (a + 1e9) - 1e9, lambda a: np.round(a, 6)])
def test_digits_that_are_lost_on_the_way_are_no_cast_of_the_input(cast):
    text = check_gate(linear(cast=cast), X, W, draw(5)).text
    assert "longer than those of float64. Where are digits lost" in text and "float32" not in text, text


def test_where_the_inputs_are_large_the_old_question_is_asked():
    wave = elementwise(np.sin, np.cos)
    assert check_gate(wave, np.array([1e16, 3e16])).text.endswith("Where are the inputs smaller?")
    assert "at x no step can tell" in check_gate(wave, 1e16).text


@pytest.mark.parametrize("rows", [4, 6])
def test_one_row_alone_is_cut_from_what_goes_along_the_batch_alone(rows):
    """With as many columns as rows, b is no list of the rows' own: it is added to each."""

    def gate(db):
        return planted(
            lambda s, x, b: s.keep(np.sin(x) * np.exp(b), x=x, b=b),
            lambda s, dz: [np.cos(s.x) * np.exp(s.b) * dz, np.exp(s.b) * db(np.sin(s.x) * dz)],
        )

    def in_rows(g):
        return np.cumsum(g, axis=1).sum(axis=1)

    x, b = draw(rows, 6), draw(6, seed=1)
    per_row = gate(lambda g: np.resize(in_rows(g), 6))
    assert "one row alone" not in check_gate(per_row, x, b).text
    crossed = gate(lambda g: g.sum(axis=0) + 0.3 * np.diff(g, axis=0).sum(axis=0))
    text = check_gate(crossed, x, b).text
    assert "Given one row alone, the gradient of b is right." in text, text


def test_weights_of_the_rows_are_cut_with_them():
    """Here w belongs to the rows, of which there are as many as columns."""

    def forward(s, x, w):
        return s.keep(column(w) * np.sin(x), x=x, w=w)

    gate = planted(
        forward,
        lambda s, dz: [
            column(s.w) * np.cos(s.x) * dz,
            np.sum(np.sin(s.x) * dz, axis=1) + 0.2 * np.cumsum(s.w)[::-1] * (s.w - s.w.mean()),
        ],
    )
    assert "one row alone" not in check_gate(planted(forward, lambda s, dz: gate.backward(dz)), X, draw(4)).text


@pytest.mark.parametrize("near", [1e-6, 1e-7, -1e-6])
def test_a_kink_that_is_nearer_than_a_step_is_told(near):
    larger = planted(lambda s, x, y: s.keep(np.maximum(x, y), first=x > y), lambda s, dz: [dz * s.first, dz * ~s.first])
    report = check_gate(larger, [2 + near, 3.0, 0.5], [2.0, 1.0, 4.0])
    assert report.mistake == "NO_STEP_CAN_TELL" and "a kink is nearer than a step reaches" in report.text, report.text
    assert check_gate(larger, [2.1, 3.0, 0.5], [2.0, 1.0, 4.0])


@pytest.mark.parametrize("function, slope", [(np.sin, np.cos), (np.exp, np.exp), (lambda x: x**3, lambda x: 3 * x**2)])
def test_a_slope_that_is_nearly_right_is_no_kink(function, slope):
    report = check_gate(
        planted(lambda s, x: s.keep(function(x), x=x), lambda s, dz: [dz * slope(s.x + 1e-6)]), [0.7, -1.2]
    )
    assert report.mistake == "INEXACT", report.text
