"""The checked-gradient line of the book: a formula against the numerical Jacobian and against torch."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from handgrad.gradient_check import TOLERANCE, verdict_line
from handgrad.numerical import numerical_jacobian

NOT_FOR_TENSORS = (
    "verify also calls the function with torch's tensors, so it must be arithmetic, @ and handgrad's own functions, "
    "or torch_function= must say the same for tensors"
)


@dataclass(frozen=True)
class Verification:
    """Whether the gradients of one labelled equation agree with both oracles, and with what error."""

    label: str
    ok: bool
    text: str
    error: float  # the largest difference from either oracle; it varies with the processor, so text leaves it out

    def __bool__(self) -> bool:
        return self.ok

    def __repr__(self) -> str:
        return f"{'verified' if self.ok else 'failed'} {self.label}: {self.text}"

    def _repr_html_(self) -> str:
        return verdict_line(self.ok, self.label, f"{self.text} (error {self.error:.0g})")


def verify(
    label: str,
    gradients: Mapping[str, ArrayLike],
    function: Callable[..., Any],
    at: Mapping[str, Any],
    upstream: ArrayLike | None = None,
    torch_function: Callable[..., Any] | None = None,
) -> Verification:
    """Compare gradients that were worked out by hand with measured slopes and with torch.autograd.

    Parameters
    ----------
    label : str
        Of the equation that states the gradients, ``grad-...``.
    gradients : dict
        By the name of an argument of ``function``: the gradient, in the argument's shape, or, where the
        output is not one number and there is no upstream, the whole Jacobian (m, n).
    function : callable
        Of the values of ``at``, in that order; its output is a number, an array, or a tuple of numbers. It is
        called with NumPy's numbers and arrays, and with torch's tensors: arithmetic, @ and handgrad's own functions
        (``sigmoid``, ``log_softmax``, ...) take both.
    at : dict
        The point: every argument's name and value, in order. Integers (ids) stay as they are.
    upstream : array, optional
        The upstream gradient, in the shape of the output.
    torch_function : callable, optional
        The same function for torch tensors, where ``function`` itself cannot take them.

    Returns
    -------
    Verification
        Shown as one line, verified or failed.

    Raises
    ------
    ValueError
        If a gradient is of no argument, or if the function cannot take torch's tensors.
    """
    if not gradients or not gradients.keys() <= at.keys():
        got = ", ".join(gradients) or "none"
        raise ValueError(f"verify expects gradients of some of {', '.join(at)}, but got {got}.")
    gradients = {name: np.asarray(gradient) for name, gradient in gradients.items()}
    expected = {name: _expected(name, function, at, upstream) for name in gradients}
    _, from_torch = by_torch(torch_function or function, at, list(gradients), upstream)
    worst, disagreements = 0.0, []
    for name, given in gradients.items():
        for oracle, value in (("the numerical Jacobian", expected[name]), ("torch", from_torch[name])):
            if np.shape(given) != np.shape(value):
                disagreements.append(f"{name} has shape {np.shape(given)}, but {oracle} {np.shape(value)}")
                worst = np.inf
                continue
            difference = float(np.abs(given - value).max(initial=0.0))
            worst = max(worst, difference) if difference == difference else np.nan
            if not difference <= TOLERANCE * (1 + np.abs(value).max(initial=0.0)):
                disagreements.append(f"{name} differs from {oracle} by up to {difference:.2g}")
    agree = "agrees" if len(gradients) == 1 else "agree"
    text = "; ".join(disagreements) or f"{', '.join(gradients)} {agree} with the numerical Jacobian and torch"
    return Verification(label, not disagreements, text, worst)


def _expected(name, function, at, upstream):
    jacobian = numerical_jacobian(lambda value: function(*{**at, name: value}.values()), at[name])
    if upstream is None and len(jacobian) != 1:
        return jacobian
    return (np.ravel(1.0 if upstream is None else upstream) @ jacobian).reshape(np.shape(at[name]))


def by_torch(function, at, names, upstream):
    """The output, and by name its gradients, or without an upstream gradient its whole Jacobians."""
    import torch

    def tensor(value):
        is_float = np.issubdtype(np.result_type(value), np.inexact)
        return torch.tensor(value, dtype=torch.float64 if is_float else None)

    tensors = {name: tensor(value) for name, value in at.items()}

    def of_tensors(*values):
        arguments = {**tensors, **dict(zip(names, values, strict=True))}.values()
        try:
            output = function(*arguments)
            output = torch.stack(output) if isinstance(output, tuple) else output
        except (AttributeError, RuntimeError, TypeError) as error:
            raise ValueError(f"{NOT_FOR_TENSORS}: it raised {error!r}.") from error
        if not isinstance(output, torch.Tensor):
            raise ValueError(f"{NOT_FOR_TENSORS}: of tensors it made a {type(output).__name__}.")
        return output

    inputs = tuple(tensors[name] for name in names)
    output = of_tensors(*inputs)
    if upstream is None and output.numel() != 1:
        jacobians = torch.autograd.functional.jacobian(of_tensors, inputs)
        return output.numpy(), {n: j.numpy().reshape(output.numel(), -1) for n, j in zip(names, jacobians, strict=True)}
    v = None if upstream is None else tensor(np.asarray(upstream, dtype=np.float64))
    _, gradients = torch.autograd.functional.vjp(of_tensors, inputs, v)
    return output.numpy(), {n: g.numpy() for n, g in zip(names, gradients, strict=True)}
