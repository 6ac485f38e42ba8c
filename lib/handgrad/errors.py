"""Errors that tell their reader what to do, and the checks that most of them begin with."""

from numbers import Integral

import numpy as np


class InputError(ValueError):
    """What a user gave cannot be used: one sentence that says what was expected, what came and what to do.

    The command line prints the sentence and exits with status 2. Any other error is a mistake in the
    library, and shows where it happened.
    """


class ForwardFirstError(ValueError, AttributeError):
    """A gate was asked for what forward has not stored. (An AttributeError too, so that hasattr works.)"""


def is_whole(value):
    """Whether a setting is a whole number, Python's or NumPy's; True and False are not."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def require_ids(ids, n, who, what="ids"):
    """The ids as an array, integers from 0 to n - 1, or a sentence says what came instead. No id counts from the end.

    who, what : str, which gate expects them, and what it calls them
    """
    ids = np.asarray(ids)
    whole = np.issubdtype(ids.dtype, np.integer)
    if not whole or (ids.size and not 0 <= ids.min() <= ids.max() < n):
        came = f"{ids.min()} to {ids.max()}" if whole else f"values of type {ids.dtype}"
        raise InputError(f"{who} expects integer {what} from 0 to {n - 1}, but got {came}.")
    return ids
