"""A table of gates: what each does to a gradient, and whether measured slopes and torch agree with its backward."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from handgrad.embedding import RowSparseGradient
from handgrad.gradient_check import TOLERANCE, check_gate
from handgrad.nodes import Gate
from handgrad.show.tables import table_as_html
from handgrad.show.verification import by_torch

HEADINGS = ("gate", "to a gradient", "measured", "torch")


class GateTable:
    """A row for each gate that was added, with the verdicts of two checks that were made when it was added.

    Attributes
    ----------
    gates : list of classes
        In the order of the rows.
    ok : bool
        Whether all checks agreed.

    Examples
    --------
    >>> import numpy as np, torch
    >>> from handgrad import Exp, Multiply
    >>> from handgrad.show import GateTable
    >>> table, x = GateTable(), np.array([1.0, -2.0])
    >>> table.add(Multiply(), "switches", torch.mul, x, np.array([3.0, 0.5]))
    >>> table.add(Exp(), "scales by z", torch.exp, x)
    >>> table
    gate      to a gradient  measured  torch
    Multiply  switches       agrees    agrees
    Exp       scales by z    agrees    agrees
    """

    def __init__(self) -> None:
        self.gates: list[type[Gate]] = []
        self._rows: list[tuple[str, str, bool, bool]] = []  # name, words, and the verdicts of both checks

    @property
    def ok(self) -> bool:
        return all(measured and same for *_, measured, same in self._rows)

    def add(self, gate: Gate, does: str, torch_function: Callable[..., Any], *inputs: ArrayLike, seed: int = 0) -> None:
        """Check a gate at ``inputs``, under random upstream gradients, and add its row.

        Parameters
        ----------
        gate : Gate
        does : str
            What it does to a gradient, in words or as a formula.
        torch_function : callable
            The same function of torch tensors, which torch.autograd differentiates.
        *inputs : arrays or numbers
            As for ``gate.forward``. Integers (ids, labels) stay fixed.
        seed : int
            Of the random upstream gradients.
        """
        measured = check_gate(gate, *inputs, seed=seed).ok
        same = agrees_with_torch(gate, torch_function, *inputs, seed=seed)
        self.gates.append(type(gate))
        self._rows.append((type(gate).__name__, does, measured, same))

    def _told(self, right, wrong):
        return [(name, does, *(right if ok else wrong for ok in checks)) for name, does, *checks in self._rows]

    def __repr__(self) -> str:
        rows = [HEADINGS, *self._told("agrees", "differs")]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) for row in rows)
        return "\n".join(line.rstrip() for line in lines)

    def _repr_html_(self) -> str:
        table = table_as_html([HEADINGS, *self._told("✓", "✗ differs")]).replace(
            "<td></td>", f'<th scope="col">{HEADINGS[0]}</th>', 1
        )
        table = re.sub("(?<=[a-z])(?=[A-Z][a-z]+[^<]*</th>)", "<wbr>", table)  # where a long name may be broken
        return table.replace("<table>", '<table class="hg-gates">', 1)


def agrees_with_torch(gate: Gate, torch_function: Callable[..., Any], *inputs: ArrayLike, seed: int = 0) -> bool:
    """Whether a gate's value and its gradients are torch's, under a random upstream gradient.

    Parameters
    ----------
    gate : Gate
    torch_function : callable
        The same function of torch tensors.
    *inputs : arrays or numbers
        As for ``gate.forward``. Integers stay fixed.
    seed : int
        Of the random upstream gradient.

    Examples
    --------
    >>> import numpy as np, torch
    >>> from handgrad import Max
    >>> from handgrad.show.gate_table import agrees_with_torch
    >>> x = np.array([1.0, 2.0])  # and twice: half to each
    >>> agrees_with_torch(Max(), torch.maximum, x, x)
    True
    """
    z = gate.forward(*inputs)
    dz = np.random.default_rng(seed).standard_normal(np.shape(z))[()]
    given = [g.to_dense() if isinstance(g, RowSparseGradient) else g for g in gate.backward(dz)]
    at = {str(i): x for i, x in enumerate(inputs)}
    names = [name for name, x in at.items() if np.result_type(x).kind == "f"]
    value, expected = by_torch(torch_function, at, names, dz)
    pairs = [(z, value), *((given[int(name)], expected[name]) for name in names)]
    none_for_ids = all(given[int(name)] is None for name in at.keys() - set(names))
    return none_for_ids and all(np.shape(a) == np.shape(b) and _close(a, b) for a, b in pairs)


def _close(a, b):
    return bool(np.max(np.abs(a - b), initial=0.0) <= TOLERANCE * (1 + np.max(np.abs(b), initial=0.0)))
