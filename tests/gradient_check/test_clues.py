"""What is observed of a mistake that has no formula: in which pieces, at which places and scales it is one."""

import numpy as np
import pytest
from planted import draw, planted

from handgrad import check_gate, softmax

X, W, B = draw(5, 3), draw(3, 4, seed=1), draw(4, seed=2)


def layer(function, slope):
    """function(x W + b), and ``slope(s)`` for its slope."""

    def backward(s, dz):
        da = slope(s) * dz
        return [da @ s.W.T, s.x.T @ da, da.sum(axis=0)]

    return planted(
        lambda s, x, W, b: s.keep(function(x @ W + b), x=x, W=W, a=x @ W + b, y=function(x @ W + b)), backward
    )


def softsign(a):
    return np.where(a > 0, a, a / (1 - a))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    "slope, right, wrong",
    [
        (lambda s: 1 / (1 - s.a) ** 2, "below", "above"),
        (lambda s: np.where(s.a > 0, 1, 1 / (1 - s.a)), "above", "below"),
        (lambda s: np.where(s.a < 0, 1, 1 / (1 - s.a) ** 2), None, None),
    ],
)
def test_the_piece_of_a_function_that_is_wrong_is_told_behind_a_sum(slope, right, wrong, seed):
    report = check_gate(layer(softsign, slope), draw(5, 3, seed=seed), W, B)
    says = f"what comes from outputs {right} 0 is right, and what comes from those {wrong} 0 is wrong."
    assert not report.ok and (says in report.text) is (right is not None), report.text
    assert (report.mistake == "ONE_SIDE_RIGHT") is (right is not None)


def test_pieces_are_told_by_what_forward_keeps_where_the_output_has_one_sign():
    def forward(s, x, W, b):
        a = x @ W + b
        return s.keep(np.where(a > 0, 2 + a, 2 * np.exp(a / 2)), x=x, W=W, a=a)

    def backward(s, dz):
        da = np.where(s.a > 0, 1, np.exp(s.a)) * dz
        return [da @ s.W.T, s.x.T @ da, da.sum(axis=0)]

    text = check_gate(planted(forward, backward), X, W, B).text
    assert "outputs where what forward keeps as a is above 0 is right" in text, text


def weighted(dq=lambda s, ds: s.K.T @ ds, factor=1.0, shown=None):
    """Σ softmax(K q) V, for the rows that are shown: q (d,), K (n, d), V (n, d) -> (d,)."""

    def forward(s, q, K, V):
        logits = np.where(shown, K @ q, -np.inf) if shown is not None else K @ q
        return s.keep(softmax(logits) @ V, q=q, K=K, V=V, p=softmax(logits), unmasked=softmax(K @ q))

    def backward(s, dz):
        ds = s.p * (s.V @ dz - dz @ (s.p @ s.V)) * (factor(s) if callable(factor) else factor)
        return [dq(s, ds), np.outer(ds, s.q), np.outer(s.p, dz)]

    return planted(forward, backward)


QKV = (draw(3), draw(5, 3, seed=1), draw(5, 3, seed=2))


def test_one_input_that_is_read_for_another():
    report = check_gate(weighted(lambda s, ds: s.V.T @ ds), *QKV)
    assert report.mistake == "READ_FOR_ANOTHER"
    assert report.text.endswith("With V equal to K, the gradient of q is right. Where is one read for the other?")
    assert check_gate(weighted(), *QKV)
    half = check_gate(weighted(lambda s, ds: (s.K + np.sin(s.K)).T @ ds), *QKV)
    assert not half.ok and "equal to" not in half.text


@pytest.mark.parametrize("power, how", [(0.5, "1.73205 times the right one"), (-0.5, "0.57735 times the right one")])
def test_the_root_of_a_size_is_told(power, how):
    report = check_gate(weighted(factor=lambda s: len(s.q) ** power), *QKV)
    root = "the root of 3" if power > 0 else "1 over the root of 3"
    assert f"The gradient of q is {how}, in every entry: that is {root}, the size of axis 0 of q." in report.text
    constant = check_gate(weighted(factor=np.sqrt(3)), *QKV)  # which stays where q is longer
    assert constant.mistake == "WRONG_FACTOR" and "root" not in constant.text


def test_rows_that_the_output_does_not_depend_on():
    shown = np.array([True, True, False, True, True])

    def backward(s, dz):
        ds = s.unmasked * (s.V @ dz - dz @ (s.unmasked @ s.V))
        return [s.K.T @ ds, np.outer(ds, s.q), np.outer(s.unmasked, dz)]

    def forward(s, q, K, V):
        rows = np.resize(shown, len(K))
        p = softmax(np.where(rows, K @ q, -np.inf))
        return s.keep(p @ V, q=q, K=K, V=V, unmasked=softmax(K @ q))

    text = check_gate(planted(forward, backward), *QKV).text
    for name in "KV":
        told = (
            f"Here the output does not move at all with row 2 of {name}, and the gradient of {name} has numbers there."
        )
        assert told in text, text


def normalized(dx=None, kept=lambda centered, r: centered * r, eps=1e-3):
    """Each row less its mean over its deviation, times g: x (B, D), g (D,) -> (B, D)."""

    def forward(s, x, g):
        centered = x - x.mean(axis=1, keepdims=True)
        r = 1 / np.sqrt(np.mean(centered**2, axis=1, keepdims=True) + eps)
        return s.keep(centered * r * g, g=g, r=r, h=centered * r, kept=kept(centered, r))

    def right(s, dz):
        dh = dz * s.g
        return s.r * (dh - dh.mean(axis=1, keepdims=True) - s.h * (dh * s.h).mean(axis=1, keepdims=True))

    return planted(forward, lambda s, dz: [(dx or right)(s, dz), np.sum(dz * s.kept, axis=0)])


def crossed(s, dz):
    """Neither along the row nor constant along it: nothing else is known of it."""
    dh = dz * s.g
    off = np.cumsum(dh * s.h**2, axis=1)
    return s.r * (dh - dh.mean(axis=1, keepdims=True) - off + off.mean(axis=1, keepdims=True))


def test_an_output_that_only_a_small_constant_lets_move_with_the_scale():
    report = check_gate(normalized(crossed), draw(4, 5), draw(5, seed=1))
    assert report.mistake == "ROW_SCALE" and "Where x is large, a row of it may grow as a whole" in report.text, (
        report.text
    )
    assert check_gate(normalized(), draw(4, 5), draw(5, seed=1))


def test_a_saved_value_that_still_has_its_inputs_scale():
    gate = normalized(kept=lambda centered, r: np.sinh(centered * r) / r)
    text = check_gate(gate, draw(4, 5), draw(5, seed=1)).text
    says = "Where x is large, the gradient of g is twice as large with x twice as large, though the slopes stay as they"
    assert says in text and "Which saved value still has its scale?" in text, text
    other = check_gate(normalized(kept=lambda centered, r: np.sinh(centered * r)), draw(4, 5), draw(5, seed=1))
    assert not other.ok and "twice as large" not in other.text


def rows_of(E, ids):
    return planted(lambda s, E, ids: s.keep(np.sin(E)[ids], E=E, ids=ids), lambda s, dz: [None, None])


def test_ids_beside_whole_numbers_are_to_be_declared():
    E, ids = np.array([[1, 2], [3, 4], [0, 1]]), np.array([2, 0])
    report = check_gate(rows_of(E, ids), E, ids)
    assert report.mistake == "FORWARD_FAILED"
    assert "Integers were fed for E and ids, and taken as floats: which of them are ids" in report.text
    assert report.text.endswith("a gate declares with ids_at.")
    beyond = planted(lambda s, x: x[[7]], lambda s, dz: [dz])
    assert "ids_at" not in check_gate(beyond, np.array([1.0, 2.0])).text


def test_where_all_sizes_are_alike_none_is_said_to_be_large():
    """The lengths are divided out of z, and the gradient of w still has them."""

    def forward(s, x, w):
        n = np.linalg.norm(x, axis=1, keepdims=True)
        return s.keep(x / n @ w + np.sin(w).sum(axis=0), x=x, w=w, n=n)

    def backward(s, dz):
        u = s.x / s.n
        du = dz @ s.w.T
        dx = (du - u * np.sum(u * du, axis=1, keepdims=True)) / s.n
        return [dx, s.x.T @ dz + np.cos(s.w) * dz.sum(axis=0)]

    text = check_gate(planted(forward, backward), X, W).text
    assert "is large" not in text, text


def test_a_sum_over_copies_asks_for_the_copies():
    def gate(db):
        return planted(lambda s, x, b: s.keep(np.sin(x) * np.exp(b), x=x, b=b), lambda s, dz: [*db(s, dz)])

    right = lambda s, dz: [np.cos(s.x) * np.exp(s.b) * dz, np.exp(s.b) * np.sum(np.sin(s.x) * dz, axis=0)]  # noqa: E731
    assert check_gate(gate(right), X, draw(3))
    report = check_gate(gate(lambda s, dz: [right(s, dz)[0], right(s, dz)[1] / len(s.x)]), X, draw(3))
    assert report.mistake == "MEAN_OR_SUM" and "axis 0 of the output, along which b was repeated" in report.text
    assert report.text.endswith(
        "How many copies does forward make of each entry, and what do their gradients do together?"
    )


def test_one_number_is_not_counted_and_several_gradients_are_them():
    squared = planted(lambda s, x, y: s.keep(x * y, x=x, y=y), lambda s, dz: [s.y * dz**2, s.x * dz**2])
    assert "of 1 entries" not in check_gate(squared, 2.0, 3.0).text
    assert "doubling dz makes them four times as large" in check_gate(squared, draw(3), draw(3, seed=1)).text
    assert (
        "doubling dz makes it four times as large"
        in check_gate(planted(lambda s, x: s.keep(x**2, x=x), lambda s, dz: [2 * s.x * dz**2]), draw(3)).text
    )
