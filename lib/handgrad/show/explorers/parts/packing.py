"""Thousands of small whole numbers as text: coordinates, ids, cosines, in a third of the bytes that a list takes.

What training has measured differs in its last digits from one processor to another. So a state keeps such numbers
under a key that begins with ``packed``, and a test of a chapter can leave these texts out of the comparison.
"""

import string

import numpy as np

from handgrad.errors import InputError

LETTERS = string.ascii_uppercase + string.ascii_lowercase + string.digits + "+/"  # base64's
LIMIT = len(LETTERS) ** 2


def pack(numbers):
    """Write whole numbers from 0 to 4095 as two letters each, as packing.js reads them.

    Parameters
    ----------
    numbers : int array of any shape
        Written in C order.

    Returns
    -------
    str
        Of twice as many letters as there are numbers.

    Raises
    ------
    InputError
        If a number is outside the range.
    """
    numbers = np.ravel(numbers)
    if numbers.size and not (0 <= numbers.min() and numbers.max() < LIMIT):
        raise InputError(f"pack expects whole numbers from 0 to {LIMIT - 1}, but got {numbers.min()}…{numbers.max()}.")
    letters = np.array(list(LETTERS))
    return "".join(letters[np.stack(np.divmod(numbers, len(LETTERS)), axis=-1)].ravel())


def fit(points):
    """Move points of the plane into the square from 0 to 4095, all by one scale: shapes stay as they are.

    Parameters
    ----------
    points : float array (..., 2)

    Returns
    -------
    int array (..., 2)
    """
    flat = points.reshape(-1, 2)
    low, high = flat.min(axis=0), flat.max(axis=0)
    scale = (LIMIT - 1) / (max(high - low) or 1.0)
    return np.rint((points - (low + high) / 2) * scale + (LIMIT - 1) / 2).astype(int).clip(0, LIMIT - 1)
