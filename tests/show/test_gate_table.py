import numpy as np
import pytest
import torch
from gate_cases import GATE_CASES

from handgrad import EmbeddingLookup, Exp, Gate, Multiply, ReLU
from handgrad.show import GateTable
from handgrad.show.gate_table import agrees_with_torch

X = np.array([0.5, -2.0])


class ExpWithoutUpstream(Exp):
    def backward(self, dz):
        return [self.z]


class Sign(Gate):
    """Right by measured slopes at X, where torch has another forward."""

    def forward(self, x):
        self.x = x
        return np.abs(x)

    def backward(self, dz):
        return [np.sign(self.x) * dz]


def test_a_row_says_what_both_checks_found():
    table = GateTable()
    table.add(Multiply(), "switches", torch.mul, X, 3.0)
    assert table.ok and table.gates == [Multiply]
    table.add(ExpWithoutUpstream(), "forgets dz", torch.exp, X)
    table.add(Sign(), "scales", torch.relu, X)
    assert not table.ok
    assert [row.split()[-2:] for row in repr(table).splitlines()] == [
        ["measured", "torch"],
        ["agrees", "agrees"],
        ["differs", "differs"],
        ["agrees", "differs"],
    ]


def test_its_html_is_a_table_with_headings_and_escapes_what_it_is_told():
    table = GateTable()
    table.add(ReLU(), "dz where x > 0", torch.relu, X)
    html = table._repr_html_()
    assert '<th scope="col">gate</th>' in html and '<th scope="row">ReLU</th>' in html
    assert "x &gt; 0" in html and html.count("✓") == 2


def test_long_names_may_be_broken_between_words():
    table = GateTable()
    table.add(ExpWithoutUpstream(), "scales by LogSoftmax", torch.exp, X)
    html = table._repr_html_()
    assert "Exp<wbr>Without<wbr>Upstream</th>" in html and "LogSoftmax" in html


def test_ids_stay_fixed_and_their_gradient_must_be_none():
    class IdsWithGradient(EmbeddingLookup):
        def backward(self, dz):
            return [super().backward(dz)[0], np.zeros(3)]

    table, ids = np.arange(8.0).reshape(4, 2), np.array([2, 0, 2])
    assert agrees_with_torch(EmbeddingLookup(), lambda E, i: E[i], table, ids)
    assert not agrees_with_torch(IdsWithGradient(), lambda E, i: E[i], table, ids)


@pytest.mark.parametrize("case", GATE_CASES, ids=lambda case: case.name)
def test_every_gate_of_the_library_agrees_with_torch(case):
    assert agrees_with_torch(case.make_gate(), case.torch_function, *case.inputs(3))
