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


def leaky(slope=lambda s: np.where(s.a > 0, 1, s.c), reached=lambda s: s.a < 0):
    """a where a = x W is above 0, and c a elsewhere, with a c for each column: x (B, D), W (D, N), c (N,) -> (B, N)."""

    def forward(s, x, W, c):
        a = x @ W
        return s.keep(np.where(a > 0, a, c * a), x=x, W=W, c=c, a=a)

    def backward(s, dz):
        da = slope(s) * dz
        return [da @ s.W.T, s.x.T @ da, (dz * np.where(reached(s), s.a, 0)).sum(axis=0)]

    return planted(forward, backward)


BOTH_SIGNS = (X, W, np.array([0.25, -0.4, 0.3, -0.2]))


def test_numbers_from_the_outputs_that_do_not_move():
    report = check_gate(leaky(reached=lambda s: s.a > 0), *BOTH_SIGNS)
    assert report.mistake == "INDICATOR_WRONG"
    told = "numbers from outputs where what forward keeps as a is above 0, and the output moves with c at those where"
    assert told in report.text, report.text
    assert check_gate(leaky(), *BOTH_SIGNS)


@pytest.mark.parametrize("seed", range(4))
def test_a_side_of_the_outputs_is_blamed_only_if_each_of_them_is_wrong(seed):
    """Where c is below 0, the output is above 0 on both sides: some of those are right."""
    x, W, c = draw(5, 3, seed=seed), draw(3, 4, seed=seed + 1), BOTH_SIGNS[2]
    text = check_gate(leaky(slope=lambda s: np.where(np.where(s.a > 0, s.a, s.c * s.a) > 0, 1, s.c)), x, W, c).text
    assert "what comes from outputs below 0 is right" not in text, text


def test_a_condition_is_seen_beside_inputs_at_which_nothing_comes_through():
    """One set of other inputs has every output on one side: zeros come back there."""
    text = check_gate(leaky(slope=lambda s: np.where(s.a > 0, 1, 0)), *BOTH_SIGNS).text
    assert "comes out if every entry of c is 0" in text, text


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


def penalized(slope=np.tanh, of_weights=1.0):
    """Σ log cosh(x W + b) + 0.3 Σ W⁴: ``of_weights`` is a factor of the first term's gradient of W."""

    def forward(s, x, W, b):
        a = x @ W + b
        return s.keep(np.sum(np.log(np.cosh(a))) + 0.3 * np.sum(W**4), x=x, W=W, a=a)

    def backward(s, dz):
        da = slope(s.a) * dz
        factor = of_weights(s) if callable(of_weights) else of_weights
        return [da @ s.W.T, factor * (s.x.T @ da) + 1.2 * s.W**3 * dz, da.sum(axis=0)]

    return planted(forward, backward)


@pytest.mark.parametrize("seed", range(3))
def test_a_place_that_takes_the_whole_term_away_is_not_special(seed):
    """Where x is 0, any slope of the loss is right for W: b shows that it is wrong, and if W alone is, so it would be
    with any other product."""
    inputs = draw(5, 3, seed=seed), draw(3, 4, seed=seed + 10), draw(4, seed=seed + 20)
    assert check_gate(penalized(), *inputs)
    for gate in (
        penalized(slope=lambda a: np.tanh(a) ** 3),
        penalized(of_weights=lambda s: 1 + np.sum(s.x**2)),
        penalized(of_weights=lambda s: np.sin(s.x.T @ s.a)),
    ):
        report = check_gate(gate, *inputs)
        assert not report.ok and "every entry of x is 0" not in report.text, report.text


def test_a_place_where_another_gradient_stays_wrong_is_not_special():
    """The penalty has rates of its own, so that where x is 0, there is a third input that counts."""

    def forward(s, x, W, b, rates):
        a = x @ W + b
        return s.keep(np.sum(np.log(np.cosh(a))) + np.sum(rates * W**4), x=x, W=W, a=a, rates=rates)

    def gate(slope):
        def backward(s, dz):
            da = slope(s.a) * dz
            return [da @ s.W.T, s.x.T @ da + 4 * s.rates * s.W**3 * dz, da.sum(axis=0), s.W**4 * dz]

        return planted(forward, backward)

    inputs = draw(5, 3), draw(3, 4, seed=1), draw(4, seed=2), draw(3, 4, seed=3)
    assert check_gate(gate(np.tanh), *inputs)
    text = check_gate(gate(lambda a: np.tanh(a) ** 3), *inputs).text
    assert "the gradients of x, W and b are wrong" in text and "every entry of x is 0" not in text, text


def test_a_place_where_another_input_is_0_and_the_rest_still_counts_is_special():
    """The mean that w brings in is held constant: without w all that is left is right, and depends on a."""

    def forward(s, x, w, a):
        u = x + w**2 * np.mean(np.exp(x))
        return s.keep(np.sum(np.sin(u) * a), x=x, w=w, a=a, u=u)

    def backward(s, dz):
        du = np.cos(s.u) * s.a * dz
        return [du, 2 * s.w * np.mean(np.exp(s.x)) * np.sum(du, axis=0), np.sum(np.sin(s.u), axis=0) * dz]

    text = check_gate(planted(forward, backward), draw(4, 3), draw(3, seed=1), draw(3, seed=2)).text
    assert "The gradients of w and a are right." in text
    assert text.endswith(
        "Where every entry of w is 0, the gradient of x is right. What is the same there, and different elsewhere?"
    )


def decayed(factor, given):
    """Σ sin(x W) + Σ factor W², and ``given(s)`` in place of twice the factor."""

    def forward(s, x, W):
        s.keep(None, x=x, W=W, a=x @ W)
        return np.sum(np.sin(s.a)) + np.sum(factor * W**2)

    return planted(forward, lambda s, dz: [np.cos(s.a) @ s.W.T * dz, s.x.T @ np.cos(s.a) * dz + given(s) * s.W * dz])


@pytest.mark.parametrize("seed", range(3))
def test_how_far_off_a_term_is_that_is_the_same_in_each_row(seed):
    X, W = draw(5, 3, seed=seed), draw(3, 4, seed=seed + 10)
    assert check_gate(decayed(0.2, lambda s: 0.4), X, W)
    for given, number in ((0.2, "-0.2"), (0.0, "-0.4"), (0.8, "0.4")):
        text = check_gate(decayed(0.2, lambda s, given=given: given), X, W).text
        assert f"of W is off by a multiple of W, the same in each row: {number} times dz. Which term" in text, text
    text = check_gate(decayed(0.2, lambda s: 0.4 + np.mean(s.x**2)), X, W).text  # no constant says by how much
    assert "of W is off by a multiple of W, the same in each row. Which term" in text, text
    by_row = np.array([[0.1], [0.2], [0.4]])
    text = check_gate(decayed(0.2, lambda s: np.resize(by_row, (len(s.W), 1))), X, W).text
    assert "times dz" not in text and "the same in each row" not in text, text


def test_a_number_times_dz_that_is_added_to_it():
    gate = planted(
        lambda s, x: s.keep(np.sin(x) + np.exp(x).mean(axis=1, keepdims=True), x=x),
        lambda s, dz: [(np.cos(s.x) + 0.25) * dz + np.exp(s.x) * dz.mean(axis=1, keepdims=True)],
    )
    text = check_gate(gate, draw(4, 6)).text
    assert "The gradient of x is off by a multiple of dz, the same in each row: 0.25. Which term" in text, text


def test_a_shape_that_is_not_the_outputs_is_not_said_to_be():
    def forward(s, x, w):
        return s.keep(np.exp(-((x[:, None] - x) ** 2) @ w**2), x=x, w=w)

    def backward(s, dz):
        squares = (s.x[:, None] - s.x) ** 2
        z = np.exp(-squares @ s.w**2)
        g = -(dz * z)[:, None] * s.w**2 * 2 * (s.x[:, None] - s.x)
        return [g.sum(axis=1) - g.sum(axis=0), -(dz * z)[:, None] * squares * 2 * s.w]

    x = draw(4)
    text = check_gate(planted(forward, backward), x, draw(4, seed=1)).text
    assert "has the shape (4, 4), but the input has (4,): along axis 0 it was repeated" in text, text
    add = planted(lambda s, x, b: s.keep(x + b), lambda s, dz: [dz, dz])
    text = check_gate(add, draw(4, 3), draw(3)).text
    assert "has the shape (4, 3) of the output, but the input has (3,): along axis 0" in text, text


def test_a_vectors_entries_are_no_rows():
    wrong = lambda s, dz: [s.p * (dz - np.sum(s.p * dz, axis=-1, keepdims=True)) + s.p**2 * dz]  # noqa: E731
    text = check_gate(planted(lambda s, x: s.keep(softmax(x), p=softmax(x)), wrong), draw(5)).text
    assert "The entries of the gradient of x have to add up to 0, and here they add up to" in text
    assert text.endswith("If all of them rise together, does the output move?"), text
    text = check_gate(planted(lambda s, x: s.keep(softmax(x), p=softmax(x)), wrong), draw(4, 5)).text
    assert "Each row of the gradient of x has to add up to 0" in text and "all entries of a row rise" in text, text


def averaged(over):
    """Σ sin(x W + b)² over the number of rows, and ``over(x, W)`` in backward."""

    def forward(s, x, W, b):
        return s.keep(np.sum(np.sin(x @ W + b) ** 2) / len(x), x=x, W=W, a=x @ W + b)

    def backward(s, dz):
        da = np.sin(2 * s.a) * dz / over(s.x, s.W)
        return [da @ s.W.T, s.x.T @ da, da.sum(axis=0)]

    return planted(forward, backward)


def test_of_axes_of_one_size_the_one_is_told_that_the_factor_goes_with():
    inputs = draw(4, 3), draw(3, 4, seed=1), draw(4, seed=2)
    assert check_gate(averaged(lambda x, W: len(x)), *inputs)
    text = check_gate(averaged(lambda x, W: 1), *inputs).text
    assert "The gradients of x, W and b are the right ones times 4, the size of axis 0 of x." in text, text
    text = check_gate(averaged(lambda x, W: len(x) * W.shape[1]), *inputs).text
    assert "The gradients of x and W are the right ones divided by 4, the size of axis 1 of W." in text, text
    assert "The gradient of b is the right one divided by 4, the size of axis 0 of b." in text, text
    text = check_gate(averaged(lambda x, W: len(x) * np.sqrt(W.shape[1])), *inputs).text
    assert "1 over the root of 4, the size of axis 1 of W." in text, text
    both = check_gate(averaged(lambda x, W: len(x) * np.sqrt(len(x) * W.shape[1])), *inputs).text
    assert "divided by 4, a size that several axes have." in both, both


def test_whose_rows_are_cut():
    """Batch and centers are of one size: the product fits, and one row of both is right."""

    def forward(s, x, C, a):
        phi = np.exp(-((x[:, None] - C) ** 2).sum(axis=2))
        return s.keep(phi @ a, x=x, C=C, a=a, phi=phi)

    def backward(s, dz):
        g = -2 * (dz[:, None] * s.a * s.phi)[:, :, None] * (s.x[:, None] - s.C)
        return [g.sum(axis=1), -g.sum(axis=0), s.phi @ dz]

    text = check_gate(planted(forward, backward), 0.5 * draw(4, 3), 0.5 * draw(4, 3, seed=1), draw(4, seed=2)).text
    assert "Given one row of x, C and a alone, the gradient of a is right." in text, text


def test_a_failed_report_counts_what_was_skipped_at_a_kink():
    x = np.array([[0.0, 1.5, -1.0], [2.0, 0.0, 0.5]])
    relu = planted(lambda s, x: s.keep(np.maximum(x, 0), x=x), lambda s, dz: [3 * (s.x > 0) * dz])
    report = check_gate(relu, x)
    assert "the gradient of x is wrong; 2 entries at a kink were skipped. At entry" in report.text, report.text
    assert report.skipped == 2 and "kink" not in check_gate(relu, x + 0.1).text
