"""The cosine of the angle between vectors, within [-1, 1] whatever rounding does: all of KeyedVectors come from here.

A vector of zeros has no direction. Its cosine with any vector, itself included, is 0.
"""

import math

import numpy as np

COSMUL_EPSILON = 1e-6  # keeps 3CosMul from dividing by zero; gensim's value, Levy and Goldberg have 0.001


def lengths_of(rows: np.ndarray) -> np.ndarray:
    """√(a · a) of each row (n, D), in their own type; NaN or infinite where a number is, or where a square overflows.

    Rows whose squares vanish, in float32 those below 1e-15 or so, are divided by their largest number first.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        lengths = np.sqrt(np.vecdot(rows, rows))
    small = lengths <= np.sqrt(np.finfo(rows.dtype).smallest_normal / np.finfo(rows.dtype).eps)
    if small.any():
        largest = np.abs(rows[small]).max(axis=1, initial=0)
        scaled = rows[small] / np.where(largest > 0, largest, 1)[:, None]
        lengths[small] = largest * np.sqrt(np.vecdot(scaled, scaled))
    return lengths


def length(vector: np.ndarray) -> float:
    return float(lengths_of(vector.astype(np.float64)[None])[0])


def unit(vector: np.ndarray) -> np.ndarray:
    """The vector with length 1, in its own type; a vector of zeros stays one."""
    norm = length(vector)
    return vector / vector.dtype.type(norm) if norm else vector.copy()


def cosine(x: np.ndarray, y: np.ndarray) -> float:
    """The cosine between two vectors (D,), exactly 1 if they are equal, as √(a · a) is a; NaN if a number is none."""
    x, y = _as_float64(x), _as_float64(y)
    squares = float(x @ x) * float(y @ y)
    if squares == 0:
        return 0.0
    return min(max(float(x @ y) / math.sqrt(squares), -1.0), 1.0)  # in this order NaN stays NaN


def cosines_of_rows(rows: np.ndarray, lengths: np.ndarray, query: np.ndarray, out: np.ndarray) -> None:
    """Put the cosines between rows (n, D) of these lengths (n,) and a query of length 1 (D,) into ``out`` (n,).

    Row by row, not as one matrix product: so the same vector has the same cosine wherever it stands.
    """
    np.divide(np.vecdot(rows, query), lengths, out=out, where=lengths > 0)
    np.clip(out, -1, 1, out=out)


def _as_float64(x: np.ndarray) -> np.ndarray:
    """The numbers of float32 as they are; others with 1 as the largest, so that squares neither overflow nor vanish."""
    if x.dtype.itemsize <= 4:
        return x.astype(np.float64)
    largest = np.abs(x).max(initial=0)
    with np.errstate(invalid="ignore"):
        return (x / largest if largest else x).astype(np.float64)
