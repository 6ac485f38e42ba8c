"""What most functions check first: settings, ids and numbers, each as it came or in a sentence."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from handgrad.errors import ForwardFirstError, InputError, is_whole, require_ids, require_numbers, require_setting


def test_errors_can_be_caught_as_python_and_hasattr_catch_them():
    assert issubclass(InputError, ValueError)
    assert issubclass(ForwardFirstError, ValueError) and issubclass(ForwardFirstError, AttributeError)


def test_whole_numbers():
    assert all(map(is_whole, [0, -3, 10**30, np.int64(2), np.uint8(2)]))
    assert not any(map(is_whole, [True, np.True_, 1.0, np.float64(1), "1", None, Fraction(2), np.array([1])]))


@pytest.mark.parametrize("value", [0, 0.5, np.float32(0.25), 1e308, Fraction(1, 3), 10**300])
def test_a_setting_comes_back_as_it_is(value):
    assert require_setting(value, "SGD", "learning_rate") is value


@pytest.mark.parametrize("value", [-1e-300, -1, np.nan, np.inf, True, "0.1", None, 10**400, 1j, [1], Decimal(1)])
def test_what_is_no_setting_is_a_sentence(value):
    with pytest.raises(InputError) as error:
        require_setting(value, "SGD", "learning_rate")
    assert str(error.value) == (f"SGD expects learning_rate to be a finite number of at least 0, but got {value!r}.")


def test_the_limits_of_a_setting():
    assert require_setting(2, "Gate", "p", least=2, below=3) == 2
    for value in (1.999, 3, 3.5, np.inf):
        with pytest.raises(
            InputError, match=r"^Gate expects p to be a finite number of at least 2 and below 3, but got"
        ):
            require_setting(value, "Gate", "p", least=2, below=3)


@pytest.mark.parametrize("ids", [[0, 4], (4,), np.array([[0], [4]], np.uint8), 3, np.int64(0)])
def test_ids_come_back_as_an_array_of_integers(ids):
    array = require_ids(ids, 5, "A gate")
    assert isinstance(array, np.ndarray) and array.dtype.kind in "iu"
    np.testing.assert_array_equal(array, ids)


def test_no_ids_are_ids():
    for nothing in ([], np.empty((0, 3)), np.empty((2, 0), np.int32)):
        array = require_ids(nothing, 5, "A gate")
        assert array.dtype == np.intp and array.shape == np.shape(nothing)


@pytest.mark.parametrize(
    "ids, came",
    [
        ([0, 5], "0 to 5"),
        ([-1, 0], "-1 to 0"),
        ([[2, 9], [7, -4]], "-4 to 9"),
        ([1.0], "values of type float64"),
        ([True], "values of type bool"),
        (["a"], "values of type <U1"),
    ],
)
def test_what_are_no_ids_is_a_sentence(ids, came):
    with pytest.raises(InputError) as error:
        require_ids(ids, 5, "A lookup", "words")
    assert str(error.value) == f"A lookup expects integer words from 0 to 4, but got {came}."
    with pytest.raises(InputError, match=r"^A lookup expects integer ids from 0 to 4"):
        require_ids(ids, 5, "A lookup")


@pytest.mark.parametrize(
    "value", [1.5, 3, True, 2j, -(2**62), np.float32(1), np.arange(3), np.eye(2, dtype=bool), np.ones(2, complex)]
)
def test_numbers_and_their_arrays_come_back_as_they_are(value):
    assert require_numbers(value) is value


@pytest.mark.parametrize(
    "value, expected",
    [
        ([1, 2], np.array([1, 2])),
        ([[1.5, 2], [3, 4]], np.array([[1.5, 2], [3, 4]])),
        (2**70, 2.0**70),
        (-(2**63), -(2.0**63)),
        ([2**70, 1], np.array([2.0**70, 1])),
        (Fraction(1, 4), 0.25),
        ([Decimal("0.5"), 1], np.array([0.5, 1])),
        (np.array([Fraction(1, 2), 3], dtype=object), np.array([0.5, 3])),
        (np.ma.array([1.0, 2.0], mask=[False, False]), np.array([1.0, 2.0])),
    ],
)
def test_other_numbers_become_arrays_of_numpys(value, expected):
    number = require_numbers(value)
    assert np.asarray(number).dtype.kind in "if" and np.ndim(number) == np.ndim(expected)
    assert isinstance(number, np.ndarray) == bool(np.ndim(expected))  # of one number, a number
    np.testing.assert_array_equal(number, expected)


class Unreadable:
    def __array__(self, *args, **kwargs):
        raise RuntimeError("no array here.\nnor here")


@pytest.mark.parametrize(
    "value, came",
    [
        ("1", "text: convert it to numbers first."),
        ([b"1"], "bytes: convert it to numbers first."),
        (None, "NoneType: convert it to numbers first."),
        ({1: 2}, "dict: convert it to numbers first."),
        ([1, None], "list: convert it to numbers first."),
        (
            np.array(["2020-01-01"], dtype="datetime64[D]"),
            "datetime64[D]: convert it to numbers first.",
        ),
        (
            [[1, 2], [3]],
            "a list whose rows differ in length: give them one length.",
        ),
        (
            10**400,
            "too large for a float: give numbers below 1.8e308.",
        ),
        (
            np.ma.array([1.0, 2.0], mask=[True, False]),
            "a masked array, and gates would count what is masked: fill it, x.filled(0.0).",
        ),
        (
            Unreadable(),
            "a Unreadable that NumPy cannot read: no array here.",
        ),
    ],
)
def test_what_holds_no_numbers_is_a_sentence(value, came):
    with pytest.raises(InputError) as error:
        require_numbers(value, "x")
    assert str(error.value) == f"x should be a number or an array of numbers, but it is {came}"
