"""Embedding tables: a lookup copies rows, so its gradient has rows too, and only those that were looked up."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from handgrad.errors import require_ids
from handgrad.functional import sum_to_shape
from handgrad.nodes import Gate


class RowSparseGradient:
    """The gradient of a (V, D) table of which only some rows were used: their ids and their gradients.

    An id may occur more than once: a word that is met twice has two gradients, and they add. Sums are kept
    as parts and joined by ``coalesce``, so that adding up ten thousand of them costs no copies.

    Parameters
    ----------
    ids : int array (n,)
    rows : array (n, D)
        The gradient of row ids[i] of the table.
    shape : tuple (V, D)
        The shape of the table.

    Raises
    ------
    ValueError
        If rows and ids do not fit together, or an id is not from 0 to V - 1.

    Examples
    --------
    >>> import numpy as np
    >>> from handgrad import RowSparseGradient
    >>> rows = np.array([[1.0], [2.0], [3.0]])
    >>> gradient = RowSparseGradient([2, 0, 2], rows, (4, 1))
    >>> ids, rows = gradient.coalesce()
    >>> ids, rows.ravel()
    (array([0, 2]), array([2., 4.]))
    >>> (gradient + gradient).to_dense().ravel()
    array([4., 0., 8., 0.])
    """

    __array_ufunc__ = None  # array + RowSparseGradient is ours to define, not NumPy's to guess

    def __init__(self, ids: Any, rows: Any, shape: Iterable[int]) -> None:
        self.ids, self.rows, self.shape = ids, rows, tuple(shape)
        self.summands = ()

    def __repr__(self):
        return f"RowSparseGradient(rows {self.coalesce()[0].tolist()} of a table {self.shape})"

    def __add__(self, other):
        if not isinstance(other, RowSparseGradient):
            return self.to_dense() + other  # dense + sparse is dense: a tied weight matrix
        if other.shape != self.shape:
            raise ValueError(f"Gradients of one table have one shape, but got {self.shape} and {other.shape}.")
        total = RowSparseGradient(None, None, self.shape)
        total.summands = (self, other)
        return total

    __radd__ = __add__

    def parts(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """The pairs (ids, rows) that were added up, in order.

        Yields
        ------
        ids : int array (n,)
        rows : array (n, D)
        """
        stack = [self]
        while stack:
            gradient = stack.pop()
            if gradient.summands:
                stack.extend(reversed(gradient.summands))
            else:
                yield gradient.ids, gradient.rows

    def coalesce(self) -> tuple[np.ndarray, np.ndarray]:
        """Join the parts and sum repeated ids: what a non-linear update (Adagrad, Adam) must see.

        Returns
        -------
        ids : int array (n,)
            Each id once, ascending.
        rows : array (n, D)
        """
        ids, rows = (np.concatenate(part) for part in zip(*self.parts(), strict=True))
        order = np.argsort(ids, kind="stable")
        ids, rows = ids[order], rows[order]
        first = np.flatnonzero(np.diff(ids, prepend=-1))  # where a new id begins
        return ids[first], np.add.reduceat(rows, first, axis=0) if len(first) else rows

    def to_dense(self) -> np.ndarray:
        """The same gradient as a dense array, zero in the rows that were not used.

        Returns
        -------
        array (V, D)
        """
        ids, rows = self.coalesce()
        dense = np.zeros(self.shape, rows.dtype)
        dense[ids] = rows
        return dense


class EmbeddingLookup(Gate):
    """z = table[ids]: what a product of one-hot rows with the table computes, without the product.

    table (V, D), ids of any shape (...) -> z (..., D)
    """

    ids_at = (1,)

    def forward(self, table, ids):
        self.table, self.ids = table, require_lookup(table, ids)
        return table[self.ids]

    def backward(self, dz):
        V, D = np.shape(self.table)
        return [RowSparseGradient(self.ids.reshape(-1), dz.reshape(self.ids.size, D), (V, D)), None]

    def jvp(self, ttable, _):
        return ttable[self.ids]


class RowDot(Gate):
    """z_i = x_i · y_i, the dot product along the last axis.

    x (..., D), y (..., D) -> z (...), broadcasting over the axes before the last
    """

    def forward(self, x, y):
        if not np.ndim(x) or not np.ndim(y) or np.shape(x)[-1] != np.shape(y)[-1]:
            raise ValueError(f"RowDot expects x (..., D) and y (..., D), but got x {np.shape(x)} and y {np.shape(y)}.")
        self.x, self.y = x, y
        return np.einsum("...d,...d->...", x, y)

    def backward(self, dz):
        dz = np.expand_dims(dz, -1)
        return [sum_to_shape(self.y * dz, self.x), sum_to_shape(self.x * dz, self.y)]

    def jvp(self, tx, ty):
        return (tx * self.y + self.x * ty).sum(axis=-1)


def require_lookup(table: Any, ids: ArrayLike) -> np.ndarray:
    """The ids as an array, each of a row of a table (V, D), or a sentence says what is wrong."""
    if np.ndim(table) != 2:
        raise ValueError(f"A lookup expects a table (V, D), but got one of shape {np.shape(table)}.")
    return require_ids(ids, len(table), f"A lookup in a table of {len(table)} rows")
