"""The formulas that gates share, each exact where the obvious one overflows or rounds to nothing."""

import sys

import numpy as np


def sigmoid(x):
    """σ(x) = 1 / (1 + e^-x), which is also e^x / (1 + e^x): with e = e^-|x| in either form, nothing overflows."""
    if torch := torch_of(x):
        return torch.sigmoid(x)
    e = np.exp(-np.abs(x))  # from 0 to 1
    return np.maximum(e, np.greater_equal(x, 0)) / (1 + e)  # 1 above the line where x >= 0, else e


def log_sigmoid(x):
    """log σ(x) = min(x, 0) - log(1 + e^-|x|): no logarithm of a σ that was rounded to 0."""
    if torch := torch_of(x):
        return torch.nn.functional.logsigmoid(x)
    return np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x)))


def log_softmax(x):
    """x - log Σ e^x along the last axis. Subtracting the largest score first changes nothing but the range."""
    if torch := torch_of(x):
        return torch.log_softmax(x, -1)
    if np.size(x) == 0:
        return np.array(x)  # of no scores, none is the largest
    shifted = x - np.max(x, axis=-1, keepdims=True)
    return shifted - np.log(np.sum(np.exp(shifted), axis=-1, keepdims=True))


def softmax(x):
    """e^x / Σ e^x along the last axis."""
    if torch := torch_of(x):
        return torch.softmax(x, -1)
    if np.size(x) == 0:
        return np.array(x)
    e = np.exp(x - np.max(x, axis=-1, keepdims=True))
    return e / np.sum(e, axis=-1, keepdims=True)


def sum_to_shape(gradient, like):
    """Undo broadcasting: sum `gradient` over every axis along which `like` was repeated.

    Copying is fan-out, and the gradients of copies add.

    Parameters
    ----------
    gradient : array or number, the shape that `like` was broadcast to
    like : array or number, whose shape the result gets
    """
    shape = np.shape(like)
    if np.shape(gradient) == shape:
        return gradient
    added = np.ndim(gradient) - len(shape)
    stretched = [added + axis for axis, size in enumerate(shape) if size == 1]
    summed = np.sum(gradient, axis=(*range(added), *stretched), keepdims=True)
    return summed.reshape(shape)[()]  # [()] makes a number of an array with no axes


def torch_of(x):
    """torch where ``x`` is a tensor, else None. A tensor takes torch's own functions: torch differentiates those."""
    torch = sys.modules.get("torch")
    return torch if torch and isinstance(x, torch.Tensor) else None
