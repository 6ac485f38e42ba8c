"""The same mistakes in every gate of the library: each is caught, and called the same everywhere."""

import copy

import numpy as np
import pytest
from gate_cases import GATE_CASES

from handgrad import check_gate

FLAT = {"power of zero", "concat nothing to something"}  # where the first gradient is rightly 0, or empty


def dense(gradient):
    return np.array(gradient.to_dense() if hasattr(gradient, "to_dense") else gradient)


def mistaken(gate, change):
    """The gate with its first gradient changed."""
    cls = type(gate)

    class Mistaken(cls):
        def backward(self, dz):
            given = [None if g is None else dense(g) for g in cls.backward(self, dz)]
            first = next(i for i, g in enumerate(given) if g is not None)
            return [change(g) if i == first else g for i, g in enumerate(given)]

    gate = copy.deepcopy(gate)
    gate.__class__ = Mistaken
    return gate


@pytest.mark.parametrize("case", [c for c in GATE_CASES if c.name not in FLAT], ids=lambda case: case.name)
def test_a_mistake_has_the_same_name_in_every_gate(case):
    for change, code in (
        (lambda g: -g, "WRONG_SIGN"),
        (lambda g: g + 0.1, "NOT_LINEAR"),
        (lambda g: g * (1 + 3e-7), "INEXACT"),
    ):
        report = check_gate(mistaken(case.make_gate(), change), *case.inputs(1))
        assert report.mistake == code, report.text
