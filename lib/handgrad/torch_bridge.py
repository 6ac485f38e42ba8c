"""A gate as a torch function: the same forward and backward rules, called by torch.autograd."""

import numpy as np

from handgrad.embedding import RowSparseGradient


def as_torch_function(make_gate):
    """Turn a gate into a function of torch tensors that torch.autograd differentiates by the gate's own rule.

    Parameters
    ----------
    make_gate : callable without arguments that returns a new gate, such as the class ``Multiply`` or
        ``lambda: Sum(axis=0)``; each call of the function gets a gate of its own, since a gate keeps its inputs

    Returns
    -------
    callable, of tensors on the CPU; ``torch.autograd.gradcheck`` passes on it

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
    import torch

    class GateFunction(torch.autograd.Function):
        @staticmethod
        def forward(ctx, *tensors):
            ctx.gate = make_gate()
            ctx.save_for_backward(*tensors)
            z = np.asarray(ctx.gate.forward(*(_array(t) for t in tensors)))
            return torch.from_numpy(z.copy())

        @staticmethod
        @torch.autograd.function.once_differentiable
        def backward(ctx, dz):
            _ = ctx.saved_tensors  # torch complains here if an input was changed in place since forward
            gradients = ctx.gate.backward(_array(dz))
            return tuple(None if g is None else torch.from_numpy(np.array(_dense(g))) for g in gradients)

    return GateFunction.apply


def _array(tensor):
    return tensor.detach().numpy()[()]  # [()]: a tensor of no axes becomes a number, which gates take


def _dense(gradient):
    return gradient.to_dense() if isinstance(gradient, RowSparseGradient) else gradient
