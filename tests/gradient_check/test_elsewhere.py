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
    assert check_gate(single, X)


@pytest.mark.parametrize("symmetric", [[[2.0, 1.0], [1.0, -3.0]], [[0.5, -1.5], [-1.5, 0.25]]])
def test_a_symmetric_matrix_does_not_hide_a_transpose_that_is_missing(symmetric):
    untransposed = planted(lambda s, x, W: s.keep(x @ W, x=x, W=W), lambda s, dz: [dz @ s.W, s.x.T @ dz])
    assert check_gate(untransposed, draw(3, 2), np.array(symmetric)).mistake == "RIGHT_HERE_ALONE"
