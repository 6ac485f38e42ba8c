"""The formulas that gates share, each exact where the obvious one overflows or rounds to nothing."""

import sys
from typing import Any

import numpy as np
from numpy.typing import ArrayLike


def as_floats(x: Any, like: tuple = ()) -> Any:
    """Integers and booleans as floats, so that -x and x * y do not wrap around; floats and complex numbers as they are.

    Parameters
    ----------
    x : number, array or list
    like : tuple of floats
        What x will meet: an array of small integers takes their precision. Without any, it becomes float64.
    """
    if isinstance(x, float) and not like:
        return x
    x = x if hasattr(x, "dtype") else np.asarray(x)[()]
    if x.dtype.kind not in "iub":
        return x
    return x.astype(np.result_type(x, *like) if like else np.float64)


def is_float(x: Any) -> bool:
    """Whether x is a number that can be differentiated, or an array of them: real or complex, and no integer."""
    return x.dtype.kind in "fc" if type(x) is np.ndarray else isinstance(x, float | complex | np.inexact)


def is_complex(x: Any) -> bool:
    """Whether x is a complex number, or an array of them."""
    return x.dtype.kind == "c" if hasattr(x, "dtype") else isinstance(x, complex)


def magnitude(x: ArrayLike) -> Any:
    """|x|; where x is complex, x or -x, whichever lies to the right: smooth as |x| is on either side of 0.

    With it, a formula that has |x| in it takes a complex step: Im f(x + ih) / h is its slope (Squire and Trapp 1998).
    """
    return np.where(np.real(x) < 0, np.negative(x), x) if is_complex(x) else np.abs(x)


def positive_part(x: ArrayLike) -> Any:
    """max(x, 0); where x is complex, x if it lies to the right, else 0."""
    return np.where(np.real(x) > 0, x, 0) if is_complex(x) else np.maximum(x, 0)


def sigmoid(x: ArrayLike) -> Any:
    """σ(x) = 1 / (1 + e^-x), which is also e^x / (1 + e^x): with e = e^-|x| in either form, nothing overflows.

    Parameters
    ----------
    x : number, array or torch tensor, of any shape

    Returns
    -------
    number, array or torch tensor, in the shape of x
        From 0 to 1.

    Examples
    --------
    >>> import numpy as np
    >>> from handgrad import sigmoid
    >>> sigmoid(np.array([-1000.0, 0.0, 1000.0]))
    array([0. , 0.5, 1. ])
    """
    if torch := torch_of(x):
        return torch.sigmoid(tensor_of_floats(x))
    x = as_floats(x)
    return sigmoid_from(np.exp(-magnitude(x)), x)


def sigmoid_from(e: Any, x: Any) -> Any:
    """σ(x), where e = e^-|x| is known already."""
    if is_complex(x):
        return np.where(np.real(x) < 0, e, 1) / (1 + e)
    return np.maximum(e, np.greater_equal(x, 0)) / (1 + e)  # 1 above the line where x >= 0, else e, from 0 to 1


def log_sigmoid(x: Any) -> Any:
    """log σ(x) = min(x, 0) - log(1 + e^-|x|): no logarithm of a σ that was rounded to 0.

    Parameters
    ----------
    x : number, array or torch tensor, of any shape

    Returns
    -------
    number, array or torch tensor, in the shape of x
        At most 0.

    Examples
    --------
    >>> import numpy as np
    >>> from handgrad import log_sigmoid
    >>> log_sigmoid(np.array([-1000.0, 0.0, 1000.0])).round(4)
    array([-1.000e+03, -6.931e-01,  0.000e+00])
    """
    if torch := torch_of(x):
        return torch.nn.functional.logsigmoid(tensor_of_floats(x))
    x = as_floats(x)
    least = -positive_part(-x) if is_complex(x) else np.minimum(x, 0)
    return least - np.log1p(np.exp(-magnitude(x)))


def sigmoid_cross_entropy(x: Any, label: Any) -> Any:
    """-label log σ(x) - (1 - label) log σ(-x) = (1 - label) x + max(-x, 0) + log(1 + e^-|x|), elementwise.

    In this order nothing cancels: for a label of 0 the first two terms are max(x, 0), without rounding. The slope is
    σ(x) - label.

    Parameters
    ----------
    x : number, array or torch tensor, of any shape
        Scores.
    label : float, array of floats or torch tensor, in the shape of x
        From 0 to 1; an array may also broadcast to it.

    Returns
    -------
    number, array or torch tensor, in the shape of x
        In nats.

    Examples
    --------
    >>> import numpy as np
    >>> from handgrad.functional import sigmoid_cross_entropy
    >>> x, label = np.array([0.0, -1000.0, -1000.0]), np.array([0.5, 0.0, 1.0])
    >>> sigmoid_cross_entropy(x, label).round(4)
    array([6.931e-01, 0.000e+00, 1.000e+03])
    """
    if torch := torch_of(x):
        x = tensor_of_floats(x)
        label = torch.as_tensor(label, dtype=x.dtype, device=x.device).expand(x.shape)
        return torch.nn.functional.binary_cross_entropy_with_logits(x, label, reduction="none")
    x = as_floats(x)
    return sigmoid_cross_entropy_from(np.exp(-magnitude(x)), x, label)


def sigmoid_cross_entropy_from(e: Any, x: Any, label: Any) -> Any:
    """The same, where e = e^-|x| is known already."""
    return (1 - label) * x + positive_part(-x) + np.log1p(e)


def log_softmax(x: ArrayLike) -> Any:
    """x - log Σ e^x along the last axis. Subtracting the largest score first changes nothing but the range.

    Parameters
    ----------
    x : array or torch tensor (..., V)
        Scores.

    Returns
    -------
    array or torch tensor (..., V)
        Logarithms of probabilities.

    Examples
    --------
    >>> import numpy as np
    >>> from handgrad import log_softmax
    >>> log_softmax(np.array([0.0, 0.0, 1000.0]))
    array([-1000., -1000.,     0.])
    """
    if torch := torch_of(x):
        return torch.log_softmax(tensor_of_floats(x), -1)
    x = as_floats(x)
    if np.size(x) == 0:
        return np.array(x)  # of no scores, none is the largest
    shifted = x - np.max(x, axis=-1, keepdims=True)
    return shifted - np.log(np.sum(np.exp(shifted), axis=-1, keepdims=True))


def softmax(x: ArrayLike) -> Any:
    """e^x / Σ e^x along the last axis.

    Parameters
    ----------
    x : array or torch tensor (..., V)
        Scores.

    Returns
    -------
    array or torch tensor (..., V)
        Probabilities: each row adds up to 1.

    Examples
    --------
    >>> import numpy as np
    >>> from handgrad import softmax
    >>> softmax(np.log([[1.0, 3.0], [4.0, 1.0]])).round(2)
    array([[0.25, 0.75],
           [0.8 , 0.2 ]])
    """
    if torch := torch_of(x):
        return torch.softmax(tensor_of_floats(x), -1)
    x = as_floats(x)
    if np.size(x) == 0:
        return np.array(x)
    e = np.exp(x - np.max(x, axis=-1, keepdims=True))
    return e / np.sum(e, axis=-1, keepdims=True)


def sum_to_shape(gradient: Any, like: ArrayLike) -> Any:
    """Undo broadcasting: sum ``gradient`` over every axis along which ``like`` was repeated.

    Copying is fan-out, and the gradients of copies add.

    Parameters
    ----------
    gradient : array or number
        In the shape that ``like`` was broadcast to.
    like : array or number
        Its shape is that of the result.

    Returns
    -------
    array or number, in the shape of like

    Examples
    --------
    A bias (M,) was added to each of the B rows of a batch:

    >>> import numpy as np
    >>> from handgrad import sum_to_shape
    >>> dz, b = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), np.zeros(2)
    >>> sum_to_shape(dz, b)
    array([ 9., 12.])
    """
    shape = np.shape(like)
    if np.shape(gradient) == shape:
        return gradient
    added = np.ndim(gradient) - len(shape)
    stretched = [added + axis for axis, size in enumerate(shape) if size == 1]
    summed = np.sum(gradient, axis=(*range(added), *stretched), keepdims=True)
    return summed.reshape(shape)[()]  # [()] makes a number of an array with no axes


def torch_of(x: Any) -> Any:
    """torch where ``x`` is a tensor, else None. A tensor takes torch's own functions: torch differentiates those."""
    torch = sys.modules.get("torch")
    return torch if torch and isinstance(x, torch.Tensor) else None


def tensor_of_floats(x: Any) -> Any:
    """A tensor of integers as one of floats, in double precision as `as_floats` has it; others as they are."""
    return x if x.is_floating_point() or x.is_complex() else x.double()
