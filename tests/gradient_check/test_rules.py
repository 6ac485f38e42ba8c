"""Each rule names the mistake that it is made for, and not the neighbor that only looks like it."""

import string

import numpy as np
import pytest
from planted import column, draw, planted

from handgrad import check_gate, sigmoid, softmax
from handgrad.gradient_check.diagnosis import RULES
from handgrad.gradient_check.wording import about

X, Y, IDS = draw(4, 3), draw(4, 3, seed=1), np.array([1, 3, 1, 4])
W3 = draw(3, 4, seed=6)
V, W, SQUARE = draw(6), draw(6, seed=1), draw(4, 4, seed=2)


def tanh(change):
    """A tanh whose right gradient g is changed: ``change(g, s, dz)``."""
    return planted(lambda s, x: s.keep(np.tanh(x), x=x, y=np.tanh(x)), lambda s, dz: [change((1 - s.y**2) * dz, s, dz)])


def product(dx=lambda s, dz: s.y * dz, dy=lambda s, dz: s.x * dz):
    return planted(lambda s, x, y: s.keep(x * y, x=x, y=y), lambda s, dz: [dx(s, dz), dy(s, dz)])


def swish(slope):
    return planted(lambda s, x: s.keep(x * sigmoid(2 * x), x=x, s=sigmoid(2 * x)), lambda s, dz: [dz * slope(s)])


def transitions(places):
    """A[i, j] of each pair of neighbors in ids, and tanh of all of A: A (N, N), ids (T,) -> ()."""

    def backward(s, dz):
        dA = 1 - np.tanh(s.A) ** 2
        np.add.at(dA, places(s.ids[:-1], s.ids[1:]), 1)
        return [dA * dz, None]

    return planted(lambda s, A, ids: s.keep(np.sum(A[ids[:-1], ids[1:]]) + np.sum(np.tanh(A)), A=A, ids=ids), backward)


def hinge(condition):
    return planted(
        lambda s, t, c: s.keep(np.maximum(0, 1 - t + c), t=t, c=c),
        lambda s, dz: [-condition(s.t, s.c) * dz, condition(s.t, s.c) * dz],
    )


def lengths(slope):
    """|x| of each row, x (B, D) -> (B,)."""
    return planted(lambda s, x: s.keep(np.linalg.norm(x, axis=1), x=x, n=np.linalg.norm(x, axis=1)), slope)


def unit(factor, constant=0.0):
    """Each row over its length; the part that turns the length is there ``factor`` times."""

    def forward(s, x):
        n = np.linalg.norm(x, axis=1, keepdims=True)
        return s.keep(x / n, n=n, u=x / n)

    def backward(s, dz):
        return [(dz - factor * s.u * np.sum(s.u * dz, axis=1, keepdims=True)) / s.n + constant]

    return planted(forward, backward)


def softmax_rows(backward):
    return planted(lambda s, x: s.keep(softmax(x), p=softmax(x), x=x), backward)


def bilinear(dx=None, dW=None, dy=None):
    right = (
        lambda s, dz: s.y @ s.W.T * column(dz),
        lambda s, dz: (s.x * column(dz)).T @ s.y,
        lambda s, dz: s.x @ s.W * column(dz),
    )
    rules = [mine or its for mine, its in zip((dx, dW, dy), right, strict=True)]
    return planted(
        lambda s, x, W, y: s.keep(np.sum(x * (y @ W.T), axis=1), x=x, W=W, y=y),
        lambda s, dz: [rule(s, dz) for rule in rules],
    )


BILINEAR = (draw(5, 4), SQUARE, draw(5, 4, seed=3))


def halves(db):
    """z = a · sigmoid(b), for the two halves of each row; ``db(s, dz)`` is the right half of the gradient."""

    def forward(s, x):
        a, b = np.split(x, 2, axis=1)
        return s.keep(a * sigmoid(b), a=a, s=sigmoid(b))

    return planted(forward, lambda s, dz: [np.hstack([s.s * dz, db(s, dz)])])


def row_losses(backward):
    """The logarithm of each row's sum of exponentials: x (B, D) -> (B,)."""
    return planted(lambda s, x: s.keep(np.log(np.exp(x).sum(axis=1)), p=softmax(x)), backward)


def sum_of_rows(add):
    """z = sum of sin(E[ids]), where ``add`` puts the rows' gradients into dE."""

    def backward(s, dz):
        dE = np.zeros(s.E.shape)
        add(dE, s.ids, np.cos(s.E[s.ids]) * dz)
        return [dE, None]

    return planted(lambda s, E, ids: s.keep(np.sum(np.sin(E[ids])), E=E, ids=ids), backward)


def smooth_hinge(slope):
    """Each row's sum of f(1 - xy): f is 0 up to 0, quadratic up to 1, and linear beyond. x (B, D), y (B, D) -> (B,)."""

    def forward(s, x, y):
        t = 1 - x * y
        return s.keep(np.where(t > 1, t - 0.5, np.maximum(t, 0) ** 2 / 2).sum(axis=1), x=x, y=y)

    def backward(s, dz):
        g = -column(dz) * slope(1 - s.x * s.y)
        return [s.y * g, s.x * g]

    return planted(forward, backward)


def products(*, copied):
    """z = y · x_0 · x_1 · …, where each state is kept before it is multiplied: x (T,), y (D,) -> (D,)."""

    def forward(s, x, y):
        state, before = y.copy(), []
        for each in x:
            before.append(state.copy() if copied else state)
            state *= each
        return s.keep(state.copy(), before=before, x=x)

    def backward(s, dz):
        dx = np.zeros(s.x.shape)
        for t in reversed(range(len(s.x))):
            dx[t] = s.before[t] @ dz * (1 + 0.1 * copied * s.x[t] ** t)
            dz = dz * s.x[t]
        return [dx, dz]

    return planted(forward, backward)


def difference(sign):
    return planted(
        lambda s, x, y: s.keep(np.tanh(x - y), tanh=np.tanh(x - y)),
        lambda s, dz: [sign * (1 - s.tanh**2) * dz, -sign * (1 - s.tanh**2) * dz],
    )


def quadratic_twice(t):
    return np.where(t > 1, 1.0, 2 * np.maximum(t, 0))


def linear_falls(t):
    return np.where(t > 1, -1.0, np.maximum(t, 0))


def assigned(dE, ids, rows):
    dE[ids] += rows


def at_rows(factors):
    return lambda g, s, dz: g * np.resize(factors, len(g))[:, None]


CASES = [
    ("nan", tanh(lambda g, s, dz: np.where(s.x > 0.4, np.nan, g)), (X,), "OVERFLOW", "; all others are right"),
    ("zeros", softmax_rows(lambda s, dz: [0 * dz]), (X,), "ALL_ZERO", "of x is 0 in every entry"),
    (
        "into an array of integers",
        product(dx=lambda s, dz: (s.y * dz).astype(int)),
        (X, 9 * Y),
        "WHOLE_NUMBERS",
        "of x is the right one without what stands behind the point. Of which type",
    ),
    (
        "rounded",
        product(dy=lambda s, dz: np.rint(s.x * dz)),
        (9 * X, Y),
        "WHOLE_NUMBERS",
        "of y is the right one rounded to whole numbers",
    ),
    ("the function", tanh(lambda g, s, dz: -s.y * dz), (X,), "FUNCTION_FOR_SLOPE", "with its sign reversed"),
    ("first term", swish(lambda s: s.s), (X,), "TERM_MISSING", "is dz times the output divided by x"),
    ("second term", swish(lambda s: 2 * s.x * s.s * (1 - s.s)), (X,), "TERM_MISSING", "less dz times the output"),
    (
        "slope's slope",
        tanh(lambda g, s, dz: -2 * s.y * (1 - s.y**2) * dz),
        (X,),
        "DIFFERENTIATED_TWICE",
        "of the slope",
    ),
    ("dz along columns", row_losses(lambda s, dz: [s.p * dz]), (SQUARE,), "WRONG_AXIS", "by all of dz"),
    (
        "summed along columns",
        planted(lambda s, x, g: s.keep(x * g, x=x, g=g), lambda s, dz: [dz * s.g, np.sum(dz * s.x, axis=1)]),
        (SQUARE, draw(4)),
        "WRONG_AXIS",
        "added up along the other axis",
    ),
    (
        "dz summed",
        bilinear(dW=lambda s, dz: dz.sum() * s.x.T @ s.y),
        BILINEAR,
        "UPSTREAM_MIXED",
        "if every entry of dz is their sum",
    ),
    (
        "the last row alone",
        bilinear(dW=lambda s, dz: dz[-1] * np.outer(s.x[-1], s.y[-1])),
        BILINEAR,
        "UPSTREAM_MIXED",
        "only the last entries of dz along axis 0",
    ),
    (
        "W for W.T",
        bilinear(dx=lambda s, dz: s.y @ s.W * column(dz)),
        BILINEAR,
        "OTHER_OPERAND_TRANSPOSED",
        "if W is trans",
    ),
    ("W left out", bilinear(dy=lambda s, dz: s.x * column(dz)), BILINEAR, "INPUT_TAKEN_AS", "if W is the identity"),
    (
        "row 0 for all",
        bilinear(dx=lambda s, dz: (s.y @ s.W.T)[:1] * column(dz)),
        BILINEAR,
        "INPUT_TAKEN_AS",
        "y has its first row in place of each",
    ),
    ("y as ones", product(dx=lambda s, dz: dz), (X, Y), "ONE_INPUT_AS_ONES", "if every entry of y is 1"),
    ("y as one, a number", product(dx=lambda s, dz: dz), (X, 1.7), "ONE_INPUT_AS_ONES", "comes out if y is 1."),
    ("repeated rows", sum_of_rows(assigned), (draw(5, 3), IDS), "REPEATED_IDS", "With ids that each occur once"),
    ("a length forgotten", lengths(lambda s, dz: [s.x * column(dz)]), (X,), "FACTOR", "right one times the output"),
    ("tau twice", product(dx=lambda s, dz: s.y**2 * dz), (X, 1.7), "FACTOR", "is the right one times y"),
    ("a constant", tanh(lambda g, s, dz: 3 * g), (X,), "WRONG_FACTOR", "3 times the right one"),
    ("a root of the size", tanh(lambda g, s, dz: g * np.sqrt(len(g))), (X,), "WRONG_FACTOR", "2 times the right one"),
    (
        "no number of its own",
        tanh(lambda g, s, dz: g * s.y.max()),
        (X,),
        "ANOTHER_FACTOR",
        "and another at other values",
    ),
    ("no condition", hinge(lambda t, c: 1.0), (3 * V, W), "INDICATOR_IGNORED", "are right wherever the output moves"),
    ("half of the condition", hinge(lambda t, c: (t < c) * 1.0), (V, W), "ZEROED", "1 of 6 entries are 0"),
    ("another condition", hinge(lambda t, c: (t > 0) * 1.0), (3 * V, W), "INDICATOR_WRONG", "Under which condition"),
    ("the condition reversed", hinge(lambda t, c: (t > 1 + c) * 1.0), (3 * V, W), "INDICATOR_WRONG", "Under which"),
    ("one side", tanh(lambda g, s, dz: np.where(s.x > 0, g, 0.5 * g)), (X,), "RIGHT_ON_ONE_SIDE", "where x is above 0"),
    ("a term without dz", tanh(lambda g, s, dz: g + 0.1 * s.x), (X,), "NOT_LINEAR", "is not 0 where dz is 0"),
    ("|dz|", tanh(lambda g, s, dz: g * np.abs(dz)), (X,), "NOT_LINEAR", "With dz twice as large"),
    (
        "a line copied",
        planted(
            lambda s, x, m, W, U: s.keep(np.tanh(x @ W + m @ U), x=x, m=m, W=W, U=U, t=np.tanh(x @ W + m @ U)),
            lambda s, dz: [dz * (1 - s.t**2) @ w.T for w in (s.W, s.U)] + 2 * [s.x.T @ (dz * (1 - s.t**2))],
        ),
        (X, Y, draw(3, 2, seed=3), draw(3, 2, seed=4)),
        "GRADIENT_OF_ANOTHER",
        "What came back for U is the gradient of W. In what do their formulas differ?",
    ),
    (
        "cut off",
        product(dx=lambda s, dz: np.clip(s.y * dz, -0.5, 0.5)),
        (X, Y),
        "CUT_OFF",
        "In the gradient of x no entry is larger than 0.5, and those that differ are just that, or minus that.",
    ),
    (
        "the mirrored entry",
        transitions(lambda before, after: (after, before)),
        (draw(3, 3), np.array([0, 2, 1, 1, 0])),
        "MIRRORED",
        "with the other sign. Which index is that of the row, and which that of the column?",
    ),
    (
        "a condition on another value",
        planted(
            lambda s, x, b: s.keep(np.maximum(x + b, 0), x=x, b=b),
            lambda s, dz: [dz * (s.x + s.b > 0), np.sum(dz * (np.sin(3 * s.x) > s.b), axis=0)],
        ),
        (draw(6, 3), draw(3, seed=1)),
        "INDICATOR_WRONG",
        "that do not; what comes from the others is right. Under which condition does an entry of the output depend",
    ),
    (
        "a condition on dz",
        tanh(lambda g, s, dz: np.where(dz > 0, g, g * s.y)),
        (X,),
        "NOT_LINEAR",
        "does not have every sign reversed. Does a condition ask for the sign of dz?",
    ),
    (
        "an input that is not used",
        planted(lambda s, x, y: s.keep(np.tanh(x), x=x), lambda s, dz: [dz / np.cosh(s.x) ** 2, dz * s.x]),
        (X, Y),
        "STILL",
        "does not move with y at all, and the gradient of y has numbers. Does forward use it, or does it cancel?",
    ),
    (
        "a buffer used twice",
        planted(
            lambda s, x, W: s.keep(np.tanh(x @ W), x=x.copy(), W=W, t=np.tanh(x @ W)),
            lambda s, dz: [np.matmul(dz * (1 - s.t**2), s.W.T, out=s.x), s.x.T @ (dz * (1 - s.t**2))],
        ),
        (X, draw(3, 2, seed=1)),
        "KEPT_WRITTEN_TO",
        "Backward changes what forward keeps as x. Does each line that reads it get the one that it needs?",
    ),
    (
        "another slope behind a sum",
        planted(
            lambda s, x, W: s.keep(np.tanh(x @ W), x=x, W=W, t=np.tanh(x @ W)),
            lambda s, dz: [dz * s.t * (1 - s.t) @ s.W.T, s.x.T @ (dz * s.t * (1 - s.t))],
        ),
        (X, draw(3, 2, seed=1)),
        "OUTPUT_FACTOR",
        "In the gradients of x and W, what comes from one output is a multiple of the right ones, another for each: ",
    ),
    ("numbers exchanged", tanh(lambda g, s, dz: np.sort(g, axis=1)), (X,), "PARTS_EXCHANGED", "in other places"),
    ("factors by row", tanh(at_rows([1.5, 2.0, 2.0, 3.0])), (X,), "ROW_FACTOR", "in each: 1.5, 2, 3."),
    (
        "one row of U",
        planted(
            lambda s, v, U: s.keep(np.sum((U @ v) ** 2), v=v, U=U),
            lambda s, dz: [2 * dz * (s.U[1] @ s.v) * s.U[1], 2 * dz * np.outer(s.U @ s.v, s.v)],
        ),
        (draw(3), X),
        "ONE_ROW_ALONE",
        "of row 1 of U",
    ),
    (
        "a state kept, then changed",
        products(copied=False),
        (np.abs(draw(4)) + 0.5, np.abs(draw(3, seed=1)) + 0.5),
        "ONE_ARRAY_KEPT",
        "forward keeps as before is one and the same array, 4 times. Is each",
    ),
    (
        "the mean forgotten",
        planted(lambda s, x: s.keep(x**2 - np.mean(x), x=x), lambda s, dz: [2 * s.x * dz]),
        (V,),
        "TERM_WRONG",
        "off by the same number in every entry. Which term is that? Is it missing, or is its factor wrong?",
    ),
    ("two exchanged", difference(-1), (X, Y), "WRONG_SIGN", "x and y has the right size, and every sign is reversed"),
    ("length held constant", unit(0), (X,), "TERM_WRONG", "a multiple of x, another in each row"),
    (
        "a place forgotten",
        planted(lambda s, x, y: s.keep(x * y - x, x=x, y=y), lambda s, dz: [s.y * dz, s.x * dz]),
        (X, Y),
        "TERM_WRONG",
        "off by a multiple of dz",
    ),
    (
        "the wrong rows",
        planted(lambda s, x: s.keep(np.tanh(x).sum(axis=1), y=np.tanh(x)), lambda s, dz: [(1 - s.y**2) * dz.mean()]),
        (X,),
        "UPSTREAM_MIXED",
        "every entry of dz is their mean",
    ),
    (
        "softmax over the batch",
        softmax_rows(lambda s, dz: [s.p * (dz - np.sum(s.p * dz, axis=0))]),
        (X,),
        "UPSTREAM_MIXED",
        "though the output does not move there",
    ),
    (
        "a row's own part alone",
        planted(
            lambda s, X, Y: s.keep(np.sum(np.sin(X @ Y.T), axis=1), c=np.cos(X @ Y.T), X=X, Y=Y),
            lambda s, dz: [s.c * column(dz) @ s.Y, column(np.diag(s.c) * dz) * s.X],
        ),
        (X, Y),
        "OUTPUTS_LEFT_OUT",
        "does not reach this entry of the gradient of Y",
    ),
    (
        "the slope forgotten",
        planted(lambda s, x: s.keep(x**3 + 2 * x), lambda s, dz: [dz]),
        (X,),
        "SAME_EVERYWHERE",
        "does not change when the inputs do",
    ),
    (
        "x for the logarithm",
        softmax_rows(lambda s, dz: [s.x * (dz - np.sum(s.p * dz, axis=1, keepdims=True))]),
        (X,),
        "ROW_SUM",
        "has to add up to 0",
    ),
    (
        "shares, the sum held constant",
        planted(
            lambda s, x: s.keep(np.sum(x**2) / np.sum(x) ** 2, x=x), lambda s, dz: [2 * s.x**3 / np.sum(s.x) ** 2 * dz]
        ),
        (np.abs(V) + 0.2,),
        "ROW_SCALE",
        "the output stays as it is",
    ),
    ("β forgotten", swish(lambda s: s.s + s.x * s.s * (1 - s.s)), (X,), "SPECIAL_PLACE_RIGHT", "every entry of x is 0"),
    (
        "the mean of all rows",
        planted(
            lambda s, x: s.keep(np.sum(np.sin(x), axis=1) ** 2, x=x, t=np.sum(np.sin(x), axis=1)),
            lambda s, dz: [2 * column(dz) * np.mean(s.t**3) / np.mean(s.t**2) * np.cos(s.x)],
        ),
        (X,),
        "ROW_FACTOR",
        "Which number differs from row to row?",
    ),
    (
        "a half",
        halves(lambda s, dz: s.a * (1 - s.s**2) * dz),
        (draw(4, 6),),
        "PART_RIGHT",
        "columns 0–2 are right and columns 3–5 are not",
    ),
    (
        "a half without dz",
        halves(lambda s, dz: s.a * s.s * (1 - s.s)),
        (draw(4, 6),),
        "FORGOT_UPSTREAM",
        "x (columns 3–5) is",
    ),
    (
        "a half without a",
        halves(lambda s, dz: s.s * (1 - s.s) * dz),
        (draw(4, 6),),
        "FACTOR",
        "what forward keeps as a",
    ),
    (
        "one axis",
        tanh(lambda g, s, dz: np.where(np.arange(len(g)) % 3 == 0, g + dz * s.x**2 + dz * np.exp(s.x), g)),
        (draw(6),),
        "PART_RIGHT",
        "entries 1–2, 4–5 are right and entries 0, 3 are not",
    ),
    (
        "rows after the first",
        tanh(lambda g, s, dz: g + np.arange(len(g))[:, None] * (dz * s.x**2 + dz * np.exp(s.x))),
        (X,),
        "ONE_ROW_RIGHT",
        "Given one row alone",
    ),
    ("2 where it is quadratic", smooth_hinge(quadratic_twice), (X, Y), "PART_FACTOR", "differ are 2 times the right"),
    (
        "falls where it is linear",
        smooth_hinge(linear_falls),
        (X, Y),
        "PART_FACTOR",
        "the right size and the wrong sign",
    ),
    (
        "a third in the middle",
        tanh(lambda g, s, dz: np.where(np.abs(s.x) < 0.8, g / 3, g)),
        (X,),
        "PART_FACTOR",
        "the entries that differ are 0.33333 times the right ones; all others are right. Which entries are they?",
    ),
    (
        "centered, over the rows of a batch",
        planted(
            lambda s, x: s.keep(np.sum(np.sin(x), axis=1), x=x),
            lambda s, dz: [np.cos(s.x) * column(dz) + np.sin(s.x - s.x[:1]) * dz.mean()],
        ),
        (X,),
        "UPSTREAM_MIXED",
        "depends on dz at",
    ),
    (
        "three axes",
        tanh(lambda g, s, dz: np.where(np.arange(len(g))[:, None, None] % 2 == 1, -g, g)),
        (draw(4, 2, 3),),
        "WRONG_SIGN",
        "x (places 1, 3 along axis 0)",
    ),
    (
        "off a little",
        tanh(lambda g, s, dz: g * (1 + 2e-6 * (np.arange(3) == 1))),
        (X,),
        "INEXACT",
        "farther off than the measur",
    ),
    (
        "one piece of two",
        planted(
            lambda s, x: s.keep(np.where(x @ W3 > 0, x @ W3, np.tanh(x @ W3)), a=x @ W3),
            lambda s, dz: [((1 - np.tanh(s.a) ** 2) * dz) @ W3.T],
        ),
        (X,),
        "ONE_SIDE_RIGHT",
        "what comes from outputs below 0 is right, and what comes from those above 0 is wrong",
    ),
    (
        "y read for x",
        planted(
            lambda s, x, y, w: s.keep(np.tanh(x @ w) * np.sin(y).sum(axis=1), x=x, y=y, t=np.tanh(x @ w), w=w),
            lambda s, dz: [
                column((1 - s.t**2) * np.sin(s.y).sum(axis=1) * dz) * s.w,
                column(s.t * dz) * np.cos(s.y),
                s.y.T @ ((1 - s.t**2) * np.sin(s.y).sum(axis=1) * dz),
            ],
        ),
        (X, Y, V[:3]),
        "READ_FOR_ANOTHER",
        "With y equal to x, the gradient of w is right.",
    ),
    (
        "a row that forward leaves out",
        planted(
            lambda s, x: s.keep(np.log(np.exp(x[1:]).sum(axis=0)), x=x),
            lambda s, dz: [dz * np.exp(s.x) / np.exp(s.x).sum(axis=0)],
        ),
        (X,),
        "STILL_ROWS",
        "Here the output does not move at all with row 0 of x",
    ),
    (
        "lengths in a gradient that has none",
        planted(
            lambda s, x, g: s.keep(
                g * x / np.linalg.norm(x, axis=1, keepdims=True), x=x, n=np.linalg.norm(x, axis=1, keepdims=True), g=g
            ),
            lambda s, dz: [
                (s.g * dz - s.x * np.sum(s.g * dz * s.x, axis=1, keepdims=True) / s.n**2) / s.n,
                np.sum(dz * np.sinh(s.x / s.n) * s.n, axis=0),
            ],
        ),
        (X, V[:3]),
        "SCALE_KEPT",
        "twice as large with x twice as large",
    ),
    (
        "rounded by forward",
        planted(lambda s, x, y: s.keep(np.round(x) * y, x=x, y=y), lambda s, dz: [s.y * dz, np.round(s.x) * dz]),
        (X, Y),
        "STAIRCASE",
        "it is a staircase. Does it round",
    ),
    (
        "without its small constant",
        tanh(lambda g, s, dz: g * (1 + 0.005 * np.cos(3 * s.x + 0.4) + 0.002 * s.x)),
        (X,),
        "INEXACT",
        "Is there a small constant in forward that backward leaves out?",
    ),
    (
        "off very little",
        tanh(lambda g, s, dz: g * (1 + 2e-7 * s.x)),
        (X,),
        "INEXACT",
        "Which step is an approximation?",
    ),
]


@pytest.mark.parametrize("name, gate, inputs, code, says", CASES, ids=[case[0] for case in CASES])
def test_a_mistake_is_named_and_at_other_draws_too(name, gate, inputs, code, says):
    report = check_gate(gate, *inputs)
    assert report.mistake == code, report.text
    assert says in report.text and report.text.endswith("?"), report.text


NEIGHBORS = [
    (
        "zeros by this draw alone",
        hinge(lambda t, c: (t < c) * 1.0),
        (np.array([0.9, 5.0, 0.4]), np.array([0.1, 0.3, 0.2])),
        "ALL_ZERO",
    ),
    (
        "the function, which is its slope",
        planted(lambda s, x: s.keep(np.exp(x), z=np.exp(x)), lambda s, dz: [2 * s.z * dz]),
        (X,),
        "FUNCTION_FOR_SLOPE",
    ),
    ("x² without the 2", planted(lambda s, x: s.keep(x**2, x=x), lambda s, dz: [s.x * dz]), (X,), "TERM_MISSING"),
    ("1 - tanh", tanh(lambda g, s, dz: (1 - s.y) * dz), (X,), "DIFFERENTIATED_TWICE"),
    ("dz reversed", row_losses(lambda s, dz: [s.p * column(dz[::-1])]), (SQUARE,), "WRONG_AXIS"),
    (
        "W plus a little of its transpose",
        bilinear(dx=lambda s, dz: s.y @ (s.W.T + 0.01 * s.W) * column(dz)),
        BILINEAR,
        "OTHER_OPERAND_TRANSPOSED",
    ),
    ("nearly the identity", bilinear(dy=lambda s, dz: s.x * column(dz) * 1.1), BILINEAR, "INPUT_TAKEN_AS"),
    (
        "no condition, and ids that repeat",
        sum_of_rows(lambda dE, ids, rows: np.add.at(dE, ids, 2 * rows)),
        (draw(5, 3), IDS),
        "REPEATED_IDS",
    ),
    ("2, where y is 2", product(dx=lambda s, dz: 2 * s.y * dz), (X, 2.0), "FACTOR"),
    ("one entry of six", tanh(lambda g, s, dz: g * (1 + 2e-6 * (np.arange(6) == 1))), (V,), "WRONG_FACTOR"),
    (
        "the only silent entry is the first",
        hinge(lambda t, c: (t < c) * 1.0),
        (np.array([0.9, -2.0, 5.0, -1.0]), np.array([0.1, 0.3, 0.2, 0.4])),
        "OFF_BY_ONE",
    ),
    ("another condition, not the output", hinge(lambda t, c: (t > 0) * 1.0), (3 * V, W), "OUTPUT_FOR_INPUT"),
    ("the row's first numbers right by chance", tanh(at_rows([1.0, 1.0, 2.0, 3.0])), (X,), "RIGHT_ON_ONE_SIDE"),
    ("twice dz", tanh(lambda g, s, dz: 2 * g), (X,), "NOT_LINEAR"),
    ("nearly sorted", tanh(lambda g, s, dz: np.sort(g, axis=1) * (1 + 1e-4 * np.abs(s.x))), (X,), "PARTS_EXCHANGED"),
    (
        "nearly by row",
        tanh(lambda g, s, dz: at_rows([1.0, 2.0, 3.0, 4.0])(g, s, dz) * (1 + 1e-4 * s.x)),
        (X,),
        "ROW_FACTOR",
    ),
    ("nearly along x", unit(0, 1e-4), (X,), "TERM_WRONG"),
    ("each output once", tanh(lambda g, s, dz: g * s.x**2), (X,), "OUTPUTS_LEFT_OUT"),
    ("rows that need not cancel", tanh(lambda g, s, dz: g * s.x**2), (X,), "ROW_SUM"),
    ("a length that matters", lengths(lambda s, dz: [s.x * column(dz)]), (X,), "ROW_SCALE"),
    ("half, everywhere", tanh(lambda g, s, dz: g * s.x**2), (draw(4, 6),), "PART_RIGHT"),
    (
        "another factor for each draw",
        tanh(lambda g, s, dz: np.where(np.abs(s.x) < 0.8, g * s.x.max(), g)),
        (X,),
        "PART_FACTOR",
    ),
    ("kept as it should be, and wrong", products(copied=True), (np.abs(draw(4)) + 0.5, V[:3]), "ONE_ARRAY_KEPT"),
    ("nearly a half", tanh(lambda g, s, dz: np.where(np.abs(s.x) < 0.8, g / (2 + 1e-4 * s.x), g)), (X,), "PART_FACTOR"),
    ("as much off as a mistake", tanh(lambda g, s, dz: g * (1 + 0.01 * s.x)), (X,), "INEXACT"),
]


@pytest.mark.parametrize("name, gate, inputs, code", NEIGHBORS, ids=[case[0] for case in NEIGHBORS])
def test_a_neighbor_is_caught_and_not_called_so(name, gate, inputs, code):
    report = check_gate(gate, *inputs)
    assert not report.ok and report.mistake != code, report.text


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(
    "condition, codes",
    [
        (lambda t, c: (t > 0) * 1.0, {"INDICATOR_WRONG"}),
        (lambda t, c: (t > 1 + c) * 1.0, {"INDICATOR_WRONG"}),
        (lambda t, c: (t < c) * 1.0, {"ZEROED"}),
    ],
)
def test_a_name_does_not_come_and_go_with_the_draw(condition, codes, seed):
    t, c = 1.5 * draw(12, seed=seed), draw(12, seed=seed + 50)
    t[3] = c[3] + 0.5  # here half of the condition is not enough
    assert check_gate(hinge(condition), t, c).mistake in codes


SPOILERS = (
    "np.",
    "self.",
    ".T",
    "+=",
    "axis=",
    "instead",
    "should be",
    "must be",
    "replace",
    "multiply",
    "divide by",
)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.code} {rule.explain.__name__}")
def test_each_sentence_observes_and_each_question_asks(rule):
    blanks = {name: 7 for _, name, _, _ in string.Formatter().parse(rule.observed) if name}
    for names in (["x"], ["x", "y"], ["x", "y", "W"]):
        text = f"{rule.observed.format(**{**blanks, **about(names)})} {rule.question}"
        assert "{" not in rule.question, "only the sentence has blanks"
        assert text.endswith("?") and text[0].isupper() and "  " not in text
        for spoiler in SPOILERS:
            assert spoiler not in text, text
    assert rule.explain.__name__ != "<lambda>" and rule.code.isupper()


def test_each_rule_is_planted_here_or_among_the_mutants():
    from mutants import MUTANTS

    told = {case[3] for case in CASES} | {mutant.code for mutant in MUTANTS}
    assert {rule.code for rule in RULES} <= told | {"EQUAL_UPSTREAM_RIGHT"}


def test_a_place_where_a_division_by_0_hides_the_mistake_is_no_clue():
    """At a = 0 the tanh is saturated: there any multiple of its slope is right."""

    def forward(s, x, c, a):
        return s.keep(c + a * np.tanh((x - c) / a), slope=1 - np.tanh((x - c) / a) ** 2, x=x, c=c, a=a)

    def backward(s, dz):
        t, u = np.tanh((s.x - s.c) / s.a), (s.x - s.c) / s.a
        return [dz * s.slope, (dz + dz * s.slope).sum(axis=0), (dz * (t - u * s.slope)).sum(axis=0)]

    report = check_gate(planted(forward, backward), X, draw(3, seed=4), np.array([0.8, 1.3, 1.9]))
    assert "the gradient of c is wrong" in report.text and "every entry of a is 0" not in report.text, report.text


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("slope", [quadratic_twice, linear_falls])
def test_where_a_condition_decides_no_rows_or_columns_are_to_blame(slope, seed):
    report = check_gate(smooth_hinge(slope), draw(4, 3, seed=seed), draw(4, 3, seed=seed + 50))
    assert not report.ok and report.mistake != "PART_RIGHT" and "not." not in report.text, report.text


@pytest.mark.parametrize(
    "slope, code",
    [
        (lambda t: np.clip(t, 0, 1), None),
        (lambda t: -np.clip(t, 0, 1), "WRONG_SIGN"),
        (lambda t: 3 * np.clip(t, 0, 1), "WRONG_FACTOR"),
        (quadratic_twice, "PART_FACTOR"),
        (linear_falls, "PART_FACTOR"),
        (lambda t: np.minimum(t, 1), "INDICATOR_IGNORED"),
    ],
)
def test_numbers_picked_by_hand_lie_on_corners_and_hide_no_mistake(slope, code):
    """Here 1 - xy is 0, 1, -2 or 1, 3, ½: where two pieces meet, the measured slope is blurred by the curvature."""
    x, y = np.array([[1.0, 2.0, -3.0], [0.0, 2.0, 0.5]]), np.array([[1.0, 0.0, -1.0], [3.0, -1.0, 1.0]])
    report = check_gate(smooth_hinge(slope), x, y)
    assert report.mistake == code and report.ok is (code is None), report.text


@pytest.mark.parametrize(
    "change, code", [(lambda g, x: -g, "WRONG_SIGN"), (lambda g, x: g * np.where(x > 2, 1, 2), "PART_FACTOR")]
)
def test_an_entry_at_a_kink_is_left_out(change, code):
    x = np.array([[0.0, 1.0, 2.0], [3.0, 4.0, 0.0], [-1.0, 5.0, 6.0]])
    gate = planted(lambda s, x: s.keep(np.abs(x), x=x), lambda s, dz: [change(np.where(s.x >= 0, dz, -dz), s.x)])
    assert check_gate(gate, x).mistake == code


@pytest.mark.parametrize("seed", range(4))
def test_signs_that_are_wrong_by_a_condition_are_not_those_of_another_input(seed):
    ones = lambda s, dz: column(dz) * np.ones(s.x.shape)  # noqa: E731
    distance = planted(
        lambda s, x, y: s.keep(np.abs(x - y).sum(axis=1), x=x, y=y), lambda s, dz: [ones(s, dz), -ones(s, dz)]
    )
    report = check_gate(distance, np.abs(draw(4, 3, seed=seed)), draw(4, 3, seed=seed + 50))
    assert report.mistake not in ("INPUT_TAKEN_AS", "ONE_INPUT_AS_ONES", "SPECIAL_PLACE_RIGHT"), report.text


def test_a_place_is_not_special_where_the_other_inputs_are_small_by_chance():
    """Where x is 0, the slope is right up to y = 3, and no y here is as large."""
    gate = planted(
        lambda s, x, y: s.keep(np.sin(y) + x * y**2 - 2 * np.maximum(y - 3, 0), x=x, y=y),
        lambda s, dz: [s.y**2 * dz, (np.cos(s.y) + 2 * s.x * s.y + 0.1 * s.x**2 * np.exp(s.y)) * dz],
    )
    report = check_gate(gate, X, Y)
    assert not report.ok and "every entry of x is 0" not in report.text, report.text


def test_an_entry_of_a_part_has_its_place_in_the_whole():
    def backward(s, dz):
        mean = np.where(np.arange(len(s.x)) < 1, dz.mean(axis=1), 0)
        return [np.cos(s.x) * dz + np.exp(s.x) * column(mean)]

    gate = planted(lambda s, x: s.keep(np.sin(x) + np.exp(x).mean(axis=1, keepdims=True), x=x), backward)
    text = check_gate(gate, draw(3, 5)).text
    assert "When entry (1, 1) of x rises, the output moves at (1, 0), but dz there" in text, text


def test_an_array_that_is_changed_in_place_at_other_inputs_alone():
    def backward(s, dz):
        dz *= s.y
        return [dz, np.sum(dz * s.x, axis=0)]

    gate = planted(lambda s, x, y: s.keep(x * y, x=x, y=y), backward)
    assert check_gate(gate, X, draw(3)).mistake == "CHANGED_INPUTS"
    report = check_gate(gate, X, np.ones(3))
    assert report.mistake == "CHANGED_INPUTS" and "changed in place" in report.text


def test_what_has_no_name_asks_for_the_forward():
    report = check_gate(tanh(lambda g, s, dz: g * (1 + s.x**2 + 0.1 * np.exp(s.x))), X)
    assert report.mistake is None and report.text.endswith(
        "Of which smaller gates could it be made? Each of them can be checked alone. "
        "If you are sure of backward, check_gate can compare forward with a reference."
    )


def test_which_gradient_accumulates_is_told():
    def backward(s, dz):
        s.dy = vars(s).get("dy", 0) + s.x * dz
        return [s.y * dz, s.dy]

    report = check_gate(planted(lambda s, x, y: s.keep(x * y, x=x, y=y, dy=0), backward), X, Y)
    assert report.mistake == "ACCUMULATES_OVER_CALLS"
    assert "the same question: a second call" in report.text
    assert "At the second call the gradient of y is twice as large." in report.text
