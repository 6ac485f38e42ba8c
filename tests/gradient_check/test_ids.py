"""Rows that ids read have no order of their own: a mistake is told by the ids that read the wrong ones."""

import numpy as np
import pytest
from planted import column, draw, planted

from handgrad import check_gate

PAIRS = np.array([[0, 3], [2, 1], [3, 0], [0, 2], [1, 4], [2, 3]])


def distances(*, counts=None, first=1.0, second=-1.0, add=np.add.at, mean=len, forward_margin=0.5):
    """Mean of max(0, |E_a - E_b| - ½) over the pairs (a, b): E (N, D), ids (B, 2) -> ()."""

    def forward(s, E, ids):
        u = E[ids[:, 0]] - E[ids[:, 1]]
        s.keep(None, E=E, ids=ids, u=u, n=np.linalg.norm(u, axis=1))
        return np.mean(np.maximum(0, s.n - forward_margin))

    def backward(s, dz):
        counted = counts(s.n) if counts else s.n > 0.5
        g = dz * column(counted / s.n) * s.u / mean(s.ids)
        dE = np.zeros(s.E.shape)
        add(dE, s.ids[:, 0], first * g)
        add(dE, s.ids[:, 1], second * g)
        return [dE, None]

    return planted(forward, backward)


def table(seed):
    """Rows that are far from each other, but for 2 and 3, which are within the margin, and 1 and 4, a bit beyond it."""
    E = 5 * draw(5, 3, seed=seed)
    for row, of, distance in ((2, 3, 0.3), (4, 1, 0.8)):
        step = draw(3, seed=seed + row)
        E[row] = E[of] + distance * step / np.linalg.norm(step)
    return E


def assign(d, ids, rows):
    d[ids] += rows


@pytest.mark.parametrize("seed", range(3))
class TestWhatTheWrongRowsShare:
    def test_nothing_is_said_of_what_is_right(self, seed):
        assert check_gate(distances(), table(seed), PAIRS)
        assert check_gate(distances(), table(seed), PAIRS[:1])

    @pytest.mark.parametrize("wrong, where", [({"first": 2.0}, 0), ({"second": 1.0}, 1), ({"second": -0.5}, 1)])
    def test_a_column(self, seed, wrong, where):
        report = check_gate(distances(**wrong), table(seed), PAIRS)
        assert f"the wrong rows are those that are read by column {where} of ids." in report.text, report.text
        assert report.text.endswith("In which terms of the formula do they stand?")

    def test_ids_that_come_twice(self, seed):
        report = check_gate(distances(add=assign), table(seed), PAIRS)
        assert report.mistake == "REPEATED_IDS" and "With ids that each occur once" in report.text, report.text

    @pytest.mark.parametrize(
        "counts, what",
        [
            (lambda n: n > 0, "for row 5 the output does not move, and backward returns numbers"),
            (lambda n: n > 0.9, "for row 4 the output moves, and backward returns zeros"),
            (
                lambda n: (n > 0.9) | (n < 0.5),
                "for row 5 the output does not move, and backward returns numbers; "
                "for row 4 the output moves, and backward returns zeros",
            ),
        ],
    )
    def test_a_condition_that_is_not_that_of_forward(self, seed, counts, what):
        report = check_gate(distances(counts=counts), table(seed), PAIRS)
        assert report.mistake == "INDICATOR_WRONG" and f"; {what}." in report.text, report.text
        assert "Given one row of ids at a time, the gradient of E is right for rows 0–" in report.text
        assert report.text.endswith("When does forward let an example count?")

    def test_a_forward_that_counts_others(self, seed):
        report = check_gate(distances(forward_margin=0.9), table(seed), PAIRS)
        assert report.mistake == "INDICATOR_WRONG" and "for row 4 the output does not move" in report.text, report.text

    def test_a_division_by_0_is_no_number(self, seed):
        """Given one row alone that does not count, 0/0 comes back: that is not what is wrong with the others."""
        by_count = distances(mean=lambda ids: 0)  # by those that count
        report = check_gate(by_count, table(seed), PAIRS)
        assert not report.ok and "returns numbers" not in report.text, report.text


def scores(du):
    """u_w · h of each row, as in negative sampling: h (B, D), U (V, D), targets (B,), noise (B, K) -> (B,)."""

    def forward(s, h, U, targets, noise):
        s.keep(None, h=h, U=U, targets=targets, noise=noise)
        return np.sum(U[targets] * h, axis=1) - np.sum(np.tanh(np.einsum("bkd,bd->bk", U[noise], h)), axis=1)

    def backward(s, dz):
        slope = 1 - np.tanh(np.einsum("bkd,bd->bk", s.U[s.noise], s.h)) ** 2
        dh = column(dz) * s.U[s.targets] - np.einsum("bk,bkd->bd", column(dz) * slope, s.U[s.noise])
        return [dh, du(s, dz, slope), None, None]

    return planted(forward, backward)


def of_scores(target=1.0, noise=1.0, power=1):
    def du(s, dz, slope):
        dU = np.zeros(s.U.shape)
        np.add.at(dU, s.targets, target * column(dz) * s.h)
        np.add.at(dU, s.noise, -noise * (column(dz) * slope**power)[:, :, None] * s.h[:, None, :])
        return dU

    return du


NOISE = np.array([[1, 3], [0, 4], [5, 1], [4, 2]])


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    "wrong, where", [({"target": 2.0}, "targets"), ({"noise": -1.0}, "noise"), ({"power": 2}, "noise")]
)
def test_one_of_two_inputs_that_hold_ids(seed, wrong, where):
    inputs = draw(4, 3, seed=seed), draw(6, 3, seed=seed + 9), np.array([2, 5, 3, 0]), NOISE
    assert check_gate(scores(of_scores()), *inputs)
    report = check_gate(scores(of_scores(**wrong)), *inputs)
    assert f"those that are read by {where}." in report.text or report.mistake != "PART_RIGHT", report.text
    assert "What is different there" not in report.text


def bags(change):
    """The sum of each bag's tanh: E (N, D), ids (B, C), -1 for no word -> (B, D)."""

    def forward(s, E, ids):
        there = (ids >= 0)[:, :, None]
        return s.keep(np.sum(there * np.tanh(E[ids]), axis=1), E=E, ids=ids, there=there)

    def backward(s, dz):
        dE = np.zeros(s.E.shape)
        rows = s.there * (1 - np.tanh(s.E[s.ids]) ** 2) * dz[:, None, :]
        np.add.at(dE, s.ids, change(rows, s.there.sum(axis=(1, 2))[:, None], s.E[s.ids]))
        return [dE, None]

    return planted(forward, backward)


def test_rows_of_ids_alone():
    E, ids = draw(6, 3), np.array([[0, 1, -1], [2, -1, -1], [3, 4, 1]])
    assert check_gate(bags(lambda rows, n, x: rows), E, ids)
    text = check_gate(bags(lambda rows, n, x: rows + (n > 1)[:, :, None] * rows * np.cos(x)), E, ids).text
    assert "Given one row of ids at a time, the gradient of E is right for row 1, and wrong for rows 0, 2." in text
    assert "What is different there?" in text and "are right and" not in text


class TestATableOfOneLength:
    """Where a table may have no other length, ids that do not repeat are found among the rows that are there."""

    def gate(self, add):
        def forward(s, E, ids):
            if len(E) != 5:
                raise ValueError
            return s.keep(np.sum(np.tanh(np.sum(E[ids[:, 0]] * E[ids[:, 1]], axis=1))), E=E, ids=ids)

        def backward(s, dz):
            a, b = s.ids.T
            g = column(dz * (1 - np.tanh(np.sum(s.E[a] * s.E[b], axis=1)) ** 2))
            dE = np.zeros(s.E.shape)
            add(dE, a, g * s.E[b])
            add(dE, b, g * s.E[a])
            return [dE, None]

        return planted(forward, backward)

    @pytest.mark.parametrize("seed", range(3))
    def test_pairs_of_rows(self, seed):
        assert check_gate(self.gate(np.add.at), draw(5, 3, seed=seed), PAIRS)
        report = check_gate(self.gate(assign), draw(5, 3, seed=seed), PAIRS)
        says = "Given two rows of ids that have no id in common, the gradient of E is right; given two that have, it"
        assert report.mistake == "REPEATED_IDS" and says in report.text, report.text


def test_rows_that_are_alike_say_nothing_where_ids_read_them():
    """Where all rows are the same, differences vanish, and so does what is wrong with them."""
    for wrong in ({"first": 2.0}, {"counts": lambda n: n > 0}, {"mean": lambda ids: 2}):
        for seed in range(3):
            text = check_gate(distances(**wrong), table(seed), PAIRS).text
            assert "alike" not in text, text


def test_labels_read_no_rows_of_a_matrix():
    """Those of W are told by their numbers, as without labels: x (B, D), W (D, C), labels (B,) -> (B,)."""

    def forward(s, x, W, labels):
        return s.keep((x @ W)[np.arange(len(x)), labels], x=x, W=W, labels=labels)

    def backward(s, dz):
        d = np.zeros((len(s.x), s.W.shape[1]))
        d[np.arange(len(s.x)), s.labels] = dz
        dW = s.x.T @ d
        dW[2:] += np.exp(dW[2:]) - 1
        return [d @ s.W.T, dW, None]

    text = check_gate(planted(forward, backward), draw(3, 6), draw(6, 3), np.array([0, 2, 1])).text
    assert "of labels" not in text and "by labels" not in text, text


def test_ids_of_no_columns_are_no_examples():
    gate = planted(lambda s, E, ids: s.keep(np.tanh(E), E=E, n=len(ids)), lambda s, dz: [-dz * s.E, None])
    assert not check_gate(gate, draw(4, 3), np.zeros((3, 0), int))


USERS, ITEMS = np.array([0, 1, 1, 3, 0, 2]), np.array([2, 0, 3, 3, 1, 2])


def penalized(*, slope=lambda p: p * (1 - p), read=lambda u, v: u, weight=lambda s: s.decay):
    """Σ of σ(u·v) and of ¼ |u|² over the pairs: U, V (N, D), users, items (B,) -> ()."""

    def forward(s, U, V, users, items):
        u, v = U[users], V[items]
        s.keep(None, U=U, V=V, users=users, items=items, p=1 / (1 + np.exp(-np.sum(u * v, axis=1))), decay=0.5)
        return np.sum(s.p) + s.decay / 2 * np.sum(u**2)

    def backward(s, dz):
        u, v = s.U[s.users], s.V[s.items]
        dots = dz * column(slope(s.p))
        dU, dV = np.zeros(s.U.shape), np.zeros(s.V.shape)
        np.add.at(dU, s.users, dots * v + dz * weight(s) * u)
        np.add.at(dV, s.items, dots * read(u, v))
        return [dU, dV, None, None]

    return planted(forward, backward)


@pytest.mark.parametrize("seed", range(3))
class TestTermsOfTables:
    def check(self, seed, **wrong):
        return check_gate(penalized(**wrong), draw(4, 3, seed=seed), draw(4, 3, seed=seed + 9), USERS, ITEMS)

    def test_nothing_is_said_of_what_is_right(self, seed):
        assert self.check(seed)

    @pytest.mark.parametrize("slope", [lambda p: 1 - p**2, lambda p: p, lambda p: p * (1 - p) ** 2])
    def test_a_term_whose_factor_is_another_for_each_pair(self, seed, slope):
        text = self.check(seed, slope=slope).text
        assert "Given one entry of users at a time, the gradient of U is off by a multiple of a row of V." in text, text
        assert text.endswith("Which term is that? Is it missing, or is its factor wrong?")

    @pytest.mark.parametrize("weight", [lambda s: 0, lambda s: 1, lambda s: 3])
    def test_a_term_that_is_there_as_often_as_a_row_is_read(self, seed, weight):
        text = self.check(seed, weight=weight).text
        assert "off by a multiple of U, in each row as many times as users names it." in text, text

    def test_a_term_of_another_size_in_each_pair_is_not_counted(self, seed):
        text = self.check(seed, weight=lambda s: s.decay * (1 + column(s.p))).text
        assert "off by a multiple of U, another in each row." in text, text

    def test_one_table_that_is_read_for_another(self, seed):
        report = self.check(seed, read=lambda u, v: v)
        assert report.mistake == "READ_FOR_ANOTHER"
        assert "With V equal to U and items equal to users, the gradient of V is right." in report.text, report.text
