"""Numbers for a page: few digits, and the same on every processor."""

import numpy as np

DIGITS = 6  # of a number in the state; the page shows 4


def rounded(values, digits=DIGITS):
    """As plain numbers with so many digits, in lists as the array has axes; None for what is not finite."""
    if np.ndim(values):
        return [rounded(value, digits) for value in values]
    return float(f"{float(values):.{digits}g}") if np.isfinite(values) else None


def as_text(value):
    """For reading, with four digits."""
    return "undefined" if value is None else f"{value + 0.0:.4g}"  # -0.0 + 0.0 is 0.0
