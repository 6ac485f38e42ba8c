import numpy as np
import pytest

from handgrad import EmbeddingLookup, RowDot, RowSparseGradient


def sparse(ids, values, V=4):
    return RowSparseGradient(np.array(ids, dtype=int), np.array(values, dtype=float).reshape(-1, 1), (V, 1))


def test_coalesce_sums_repeated_ids_and_sorts():
    ids, rows = sparse([3, 1, 3], [1.0, 2.0, 4.0]).coalesce()
    assert ids.tolist() == [1, 3] and rows.tolist() == [[2.0], [5.0]]


def test_repeated_ids_are_summed_in_the_order_in_which_they_came():
    """To the last bit of float32, so that a step is the same on each machine, however its sort treats equal ids."""
    rng = np.random.default_rng(0)
    ids = rng.integers(0, 4, 600)
    rows = (10.0 ** rng.integers(-3, 4, (600, 1)) * rng.standard_normal((600, 5))).astype(np.float32)
    expected = np.concatenate([np.add.reduceat(rows[ids == i], [0], axis=0) for i in range(4)])
    whole, *parts = (
        RowSparseGradient(ids[of], rows[of], (4, 5)) for of in map(slice, [0, 0, 7, 300], [600, 7, 300, 600])
    )
    for gradient in (whole, sum(parts[1:], parts[0])):
        np.testing.assert_array_equal(gradient.to_dense(), expected)


def test_sums_keep_parts_and_leave_their_terms_alone():
    a, b, c = sparse([0], [1.0]), sparse([0, 2], [2.0, 3.0]), sparse([2], [4.0])
    total = a + b + c
    assert [ids.tolist() for ids, _ in total.parts()] == [[0], [0, 2], [2]]
    assert total.to_dense().ravel().tolist() == [3.0, 0.0, 7.0, 0.0]
    assert a.to_dense().ravel().tolist() == [1.0, 0.0, 0.0, 0.0]


def test_dense_plus_sparse_is_dense_from_either_side():
    dense = np.ones((4, 1))
    for total in (dense + sparse([1], [5.0]), sparse([1], [5.0]) + dense):
        assert isinstance(total, np.ndarray) and total.ravel().tolist() == [1.0, 6.0, 1.0, 1.0]


def test_a_gradient_of_no_rows():
    nothing = sparse([], [])
    assert len(nothing.coalesce()[0]) == 0
    assert not nothing.to_dense().any()
    assert (nothing + sparse([1], [2.0])).to_dense().ravel().tolist() == [0.0, 2.0, 0.0, 0.0]


def test_tables_of_two_shapes_do_not_add():
    with pytest.raises(ValueError, match=r"\(4, 1\) and \(5, 1\)"):
        sparse([0], [1.0]) + sparse([0], [1.0], V=5)


def test_it_can_be_printed():
    assert repr(sparse([2, 0, 2], [1.0, 1.0, 1.0])) == "RowSparseGradient(rows [0, 2] of a table (4, 1))"


def test_a_sum_of_very_many_parts_is_joined_without_recursion():
    total = sparse([0], [1.0])
    for _ in range(20_000):
        total = total + sparse([1], [1.0])
    assert total.to_dense().ravel().tolist() == [1.0, 20_000.0, 0.0, 0.0]


def test_a_lookup_equals_the_product_with_one_hot_rows():
    table = np.random.default_rng(0).standard_normal((5, 3))
    ids = np.array([[4, 0], [0, 2]])
    np.testing.assert_array_equal(EmbeddingLookup().forward(table, ids), np.eye(5)[ids] @ table)


def test_a_lookup_never_makes_an_array_of_the_size_of_its_table():
    table = np.lib.stride_tricks.as_strided(np.zeros(2), shape=(10**9, 2), strides=(0, 8))  # 16 GB, if it were copied
    gate = EmbeddingLookup()
    gate.forward(table, np.array([7, 999_999_999]))
    gradient, none = gate.backward(np.ones((2, 2)))
    assert gradient.coalesce()[0].tolist() == [7, 999_999_999] and none is None


@pytest.mark.parametrize(
    "table, ids, sentence",
    [
        (np.ones((3, 2)), np.array([0, 3]), "ids from 0 to 2, but got 0 to 3"),
        (np.ones((3, 2)), np.array([-1, 1]), "ids from 0 to 2, but got -1 to 1"),
        (np.ones((3, 2)), np.array([0.0]), "integer ids from 0 to 2, but got values of type float64"),
        (np.ones(3), np.array([0]), r"a table \(V, D\), but got one of shape \(3,\)"),
    ],
)
def test_ids_that_are_not_in_the_table_are_refused(table, ids, sentence):
    with pytest.raises(ValueError, match=sentence):
        EmbeddingLookup().forward(table, ids)


@pytest.mark.parametrize("x, y", [(np.ones((2, 3)), np.ones((2, 4))), (1.0, np.ones(3))])
def test_row_dot_names_shapes_that_do_not_fit(x, y):
    with pytest.raises(ValueError, match=r"RowDot expects x \(\.\.\., D\)"):
        RowDot().forward(x, y)
