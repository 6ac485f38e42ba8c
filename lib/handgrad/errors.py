"""Errors that tell their reader what to do, and the checks that most of them begin with."""

from decimal import Decimal
from numbers import Integral, Real
from typing import Any

import numpy as np


class InputError(ValueError):
    """What a user gave cannot be used: one sentence that says what was expected, what came and what to do.

    The command line prints the sentence and exits with status 2. Any other error is a mistake in the
    library, and shows where it happened.

    Examples
    --------
    >>> from handgrad import SGD
    >>> from handgrad.errors import InputError
    >>> try:
    ...     SGD(learning_rate=-1.0)
    ... except InputError as error:
    ...     print(error)
    SGD expects learning_rate to be a finite number of at least 0, but got -1.0.
    """


class ForwardFirstError(ValueError, AttributeError):
    """A gate was asked for what forward has not stored. (An AttributeError too, so that hasattr works.)

    Examples
    --------
    >>> from handgrad import Tanh
    >>> tanh = Tanh()
    >>> hasattr(tanh, "z"), tanh.forward(0.0), hasattr(tanh, "z")
    (False, np.float64(0.0), True)
    """


def is_whole(value: Any) -> bool:
    """Whether a setting is a whole number, Python's or NumPy's; True and False are not."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def require_setting(value: Any, who: str, name: str, *, least: float = 0.0, below: float = np.inf) -> float:
    """A setting as it is: a finite number from ``least`` to below ``below``, or a sentence says what came instead."""
    try:
        number = float(value) if isinstance(value, Real) and not isinstance(value, bool) else np.nan
    except OverflowError:
        number = np.inf
    if not least <= number < below:
        limits = f"of at least {least:g}" + (f" and below {below:g}" if below < np.inf else "")
        raise InputError(f"{who} expects {name} to be a finite number {limits}, but got {value!r}.")
    return value


def require_ids(ids: Any, n: int, who: str, what: str = "ids") -> np.ndarray:
    """The ids as an array, integers from 0 to n - 1, or a sentence says what came instead. No id counts from the end.

    who, what : str, which gate expects them, and what it calls them
    """
    ids = np.asarray(ids)
    if not ids.size:
        return ids.astype(np.intp)  # an empty list would be one of floats
    whole = ids.dtype.kind in "iu"
    if not whole or not 0 <= ids.min() <= ids.max() < n:
        came = f"{ids.min()} to {ids.max()}" if whole else f"values of type {ids.dtype}"
        raise InputError(f"{who} expects integer {what} from 0 to {n - 1}, but got {came}.")
    return ids


def require_numbers(value: Any, what: str = "The value") -> Any:
    """A number as it is, anything else as an array of numbers, or a sentence says what came instead.

    what : str, how the sentence begins: which value it is
    """
    if type(value) in (float, int, bool, complex) and abs(value) < 2**63:  # NumPy's own integers end there
        return value
    if (type(value) is np.ndarray or isinstance(value, np.generic)) and value.dtype.kind in "fiubc":
        return value
    expected = f"{what} should be a number or an array of numbers, but it is"
    if isinstance(value, np.ma.MaskedArray) and np.ma.is_masked(value):
        raise InputError(f"{expected} a masked array, and gates would count what is masked: fill it, x.filled(0.0).")
    try:
        array = np.asarray(value)
    except Exception as error:
        if isinstance(value, list | tuple) and "inhomogeneous" in str(error):
            raise InputError(f"{expected} a list whose rows differ in length: give them one length.") from None
        reason = str(error).splitlines()[0].rstrip(".")
        raise InputError(f"{expected} a {type(value).__name__} that NumPy cannot read: {reason}.") from error
    if array.dtype.kind == "O" and all(isinstance(x, Real | Decimal) for x in array.flat):
        try:
            return array.astype(np.float64)[()]  # Python's large integers and fractions
        except OverflowError:
            raise InputError(f"{expected} too large for a float: give numbers below 1.8e308.") from None
    if array.dtype.kind not in "fiubc":
        came = {"U": "text", "S": "bytes", "O": type(value).__name__}.get(array.dtype.kind, str(array.dtype))
        raise InputError(f"{expected} {came}: convert it to numbers first.")
    return array[()]
