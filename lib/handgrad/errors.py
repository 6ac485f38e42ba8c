"""Errors that tell their reader what to do, and the check that most of them begin with."""

from numbers import Integral


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
