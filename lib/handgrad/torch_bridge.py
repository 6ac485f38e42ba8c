"""A gate as a torch function: the same forward and backward rules, called by torch.autograd."""

from collections.abc import Callable
from typing import Any

import numpy as np

from handgrad.embedding import RowSparseGradient
from handgrad.errors import InputError
from handgrad.nodes import Gate
from handgrad.passes import as_fed


def as_torch_function(make_gate: Callable[[], Gate]) -> Callable[..., Any]:
    """Turn a gate into a function of torch tensors that torch.autograd differentiates by the gate's own rule.

    Parameters
    ----------
    make_gate : callable
        Without arguments, it returns a new gate, as the class ``Multiply`` does or ``lambda: Sum(axis=0)``. Each call
        of the function gets a gate of its own, since a gate keeps its inputs.

    Returns
    -------
    callable
        Of tensors on the CPU; integers become floats, as in a graph. ``torch.autograd.gradcheck`` passes on it.

    Raises
    ------
    InputError
        If torch is not installed, ``make_gate`` makes no gate, or the function is called on what is no tensor.

    Examples
    --------
    >>> import torch
    >>> from handgrad import Multiply, as_torch_function
    >>> multiply = as_torch_function(Multiply)
    >>> x = torch.tensor(3.0, requires_grad=True)
    >>> multiply(x, torch.tensor(2.0)).backward()
    >>> x.grad
    tensor(2.)
    """
    if isinstance(make_gate, Gate) or not callable(make_gate):
        name = type(make_gate).__name__
        raise InputError(f"as_torch_function expects what makes a gate, such as the class {name}, but got {make_gate}.")
    try:
        import torch
    except ModuleNotFoundError as error:
        raise InputError("as_torch_function needs torch, which is not installed: pip install torch.") from error

    class GateFunction(torch.autograd.Function):
        @staticmethod
        def forward(ctx, *tensors):
            ctx.gate = make_gate()
            ctx.save_for_backward(*tensors)
            z = np.asarray(ctx.gate.forward(*as_fed(ctx.gate, [_array(t) for t in tensors])))
            return torch.from_numpy(z.copy())

        @staticmethod
        @torch.autograd.function.once_differentiable
        def backward(ctx, dz):
            _ = ctx.saved_tensors  # torch complains here if an input was changed in place since forward
            gradients = ctx.gate.backward(_array(dz))
            return tuple(None if g is None else torch.from_numpy(np.array(_dense(g))) for g in gradients)

    return GateFunction.apply


def _array(tensor: Any) -> Any:
    if not hasattr(tensor, "detach"):
        raise InputError(f"This function expects torch tensors, but got {tensor!r}: wrap it, torch.tensor(...).")
    return tensor.detach().numpy()[()]  # [()]: a tensor of no axes becomes a number, which gates take


def _dense(gradient: Any) -> Any:
    return gradient.to_dense() if isinstance(gradient, RowSparseGradient) else gradient
