"""The Jacobian as a table to walk in: which output moves with which input, and how far the slope can be trusted."""

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from handgrad.errors import InputError
from handgrad.nodes import Gate
from handgrad.numerical import numerical_jacobian
from handgrad.show.explorers.parts.digits import as_text, rounded
from handgrad.show.explorers.parts.host import Explorer
from handgrad.show.tables import table_as_html, table_as_text

MAX_ENTRIES = 100
MOVES = 41  # places of the slider, an odd number: the middle one moves nothing


class JacobianExplorer(Explorer):
    """A Jacobian (m, n): a row for each output, a column for each input, and a slider that moves one input."""

    module = "jacobian"

    def __init__(self, jacobian, outputs, inputs, moves, moved, entry, title):
        state = {
            "jacobian": rounded(jacobian),
            "outputs": outputs,  # [{"name", "value"}], m of them
            "inputs": inputs,  # [{"name", "value"}], n of them
            "moves": rounded(moves),
            "moved": moved,  # (n, moves, m): every output, with each input moved by each of `moves`
            "entry": entry,
            "place": len(moves) // 2 + len(moves) // 4,
        }
        super().__init__(state, title)

    def rows(self):
        """The table as text, with its headings."""
        yield ["", *(f"{i['name']} = {i['value']:.4g}" for i in self.state["inputs"])]
        for output, row in zip(self.state["outputs"], self.state["jacobian"], strict=True):
            yield [f"{output['name']} = {as_text(output['value'])}", *map(as_text, row)]

    def __repr__(self):
        return "\n".join([super().__repr__(), *table_as_text(self.rows())])

    def still(self):
        return table_as_html(self.rows())


def jacobian_explorer(
    function: Gate | Callable[..., Any],
    /,
    *inputs: Any,
    output: str | Sequence[str] = "z",
    title: str = "",
    reach: float = 1.0,
    entry: tuple[int, int] = (0, 0),
) -> JacobianExplorer:
    """Walk through a Jacobian: row i, column j is the slope of output i as input j moves.

    Parameters
    ----------
    function : Gate or callable
        Of ``inputs``; it gives an array or a number.
    *inputs : arrays or numbers
        Those of integers (ids, labels) have no slope and stay fixed.
    output : str, or list of str
        What the output is called, or each of its entries.
    title : str, optional
        The caption.
    reach : float
        How far the slider moves an input to either side.
    entry : (int, int)
        The row and the column of the entry that is chosen first.

    Returns
    -------
    JacobianExplorer
        Rows are the outputs and columns the inputs in C order, as in ``numerical_jacobian``; the columns of several
        inputs stand side by side.

    Raises
    ------
    InputError
        If no input has floats, the Jacobian has too many entries for a page, or is not finite, or lacks ``entry``.

    Notes
    -----
    A gate's Jacobian is what its backward says, one row for each output; a function's is measured. The slider shows
    what ``function`` really gives when the input moves, beside what the slope predicts.

    Examples
    --------
    >>> import numpy as np
    >>> from handgrad import Multiply, show
    >>> x, y = np.array([2.0, 3.0]), np.array([5.0, 7.0])
    >>> show.jacobian_explorer(Multiply(), x, y)
    JacobianExplorer: The Jacobian: choose an entry, then move its input.
               x[0] = 2  x[1] = 3  y[0] = 5  y[1] = 7
    z[0] = 10         5         0         2         0
    z[1] = 21         0         7         0         3
    """
    names = _names(function, inputs)
    inputs = tuple(np.asarray(x) for x in inputs)
    smooth = [k for k, x in enumerate(inputs) if np.issubdtype(x.dtype, np.floating)]
    if not smooth:
        raise InputError(
            "jacobian_explorer expects at least one input of floats, which can move, but got "
            f"{', '.join(str(x.dtype) for x in inputs) or 'none'}: write 3.0 for a number that may."
        )
    if not 0 < reach < np.inf:
        raise InputError(f"jacobian_explorer moves inputs by up to reach, a positive number, but got {reach}.")
    forward = function.forward if isinstance(function, Gate) else function
    value = np.asarray(forward(*(x[()] for x in inputs)), dtype=np.float64)
    entries = value.size * sum(inputs[k].size for k in smooth)
    if not 0 < entries <= MAX_ENTRIES:
        raise InputError(
            f"jacobian_explorer shows up to {MAX_ENTRIES} entries, but this Jacobian has {value.size} × "
            f"{entries // max(value.size, 1)} = {entries}: give smaller inputs."
        )
    jacobian = np.concatenate([_jacobian(function, inputs, k, value.shape) for k in smooth], axis=1)
    if not np.isfinite(jacobian).all():
        raise InputError("This Jacobian is not finite: give inputs at which the function is smooth.")
    row, column = entry
    if not (0 <= row < len(jacobian) and 0 <= column < jacobian.shape[1]):
        rows, columns = jacobian.shape
        raise InputError(
            f"This Jacobian is ({rows} × {columns}), and has no entry ({row}, {column}): both count from 0."
        )
    moves = np.linspace(-reach, reach, MOVES)
    moved = [m for k in smooth for m in _moved(forward, inputs, k, moves)]
    columns = [entry for k in smooth for entry in _entries(names[k], inputs[k])]
    return JacobianExplorer(
        jacobian,
        _named_outputs(output, value),
        columns,
        moves,
        moved,
        [int(row), int(column)],
        title or "The Jacobian: choose an entry, then move its input.",
    )


def _named_outputs(names, value):
    if isinstance(names, str):
        return _entries(names, value)
    if len(names) != value.size:
        raise InputError(f"The output has {value.size} entries, but got {len(names)} names: give one for each.")
    return [{"name": name, "value": rounded(v)} for name, v in zip(names, value.flat, strict=True)]


def _jacobian(function, inputs, k, shape):
    """∂output/∂inputs[k], (m, n)."""
    if not isinstance(function, Gate):
        measured = numerical_jacobian(_of_one(function, inputs, k), inputs[k])
        return np.where(np.abs(measured) < 1e-8 * np.abs(measured).max(initial=0.0), 0.0, measured)  # rounding
    function.forward(*(x[()] for x in inputs))
    rows = []
    for i in range(np.prod(shape, dtype=int)):
        dz = np.zeros(shape)
        dz.flat[i] = 1.0  # picks row i
        gradient = function.backward(dz[()])[k]
        rows.append(np.ravel(gradient.to_dense() if hasattr(gradient, "to_dense") else gradient))
    return np.stack(rows)


def _moved(forward, inputs, k, moves):
    """For each entry of inputs[k]: all outputs, after each move of that entry."""
    of_one = _of_one(forward, inputs, k)
    for j in range(inputs[k].size):
        outputs = []
        for move in moves:
            x = np.array(inputs[k], dtype=np.float64)
            x.flat[j] += move
            with np.errstate(all="ignore"):  # a move may leave the domain; the page says so
                outputs.append(rounded(np.ravel(of_one(x[()]))))
        yield outputs


def _of_one(function, inputs, k):
    """The function of inputs[k] alone."""
    return lambda x: function(*(x if i == k else other[()] for i, other in enumerate(inputs)))


def _names(function, inputs):
    """What the function itself calls its inputs."""
    parameters = inspect.signature(function.forward if isinstance(function, Gate) else function).parameters.values()
    plain = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return [plain[k] if k < len(plain) else f"x{k + 1}" for k in range(len(inputs))]


def _entries(name, array):
    """Name and value of each entry: ``x``, ``x[0]`` or ``W[0, 1]``."""
    return [
        {"name": name + (str(list(index)) if index else ""), "value": rounded(array[index])}
        for index in np.ndindex(array.shape)
    ]
