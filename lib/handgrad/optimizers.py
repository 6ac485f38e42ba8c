"""Optimizers: how a gradient moves a parameter.

Each is an update rule with a memory for each parameter, found by the parameter's name. A row-sparse gradient
moves, and remembers, only the rows that were used: all others keep their bits.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from handgrad.embedding import RowSparseGradient
from handgrad.errors import InputError, require_numbers, require_setting
from handgrad.nodes import Parameter


class Optimizer:
    """What all optimizers share: finding each parameter's gradient, and its rows.

    Parameters
    ----------
    learning_rate : float
        η, at least 0; it may be changed between steps.

    Attributes
    ----------
    memory : dict
        By the name of a parameter: what the rule remembers of it.

    Raises
    ------
    InputError
        If a setting is no finite number in its range.

    Examples
    --------
    A rule of your own says in which direction a parameter moves:

    >>> import numpy as np
    >>> from handgrad.optimizers import Optimizer
    >>> class SignDescent(Optimizer):
    ...     def direction(self, memory, rows, dW, W):
    ...         return np.sign(dW)
    >>> W = np.array([1.0, 2.0])
    >>> SignDescent(learning_rate=0.5).update(W, dW=np.array([-3.0, 0.1]))
    >>> W
    array([1.5, 1.5])
    """

    def __init__(self, learning_rate: float) -> None:
        self.learning_rate = require_setting(learning_rate, type(self).__name__, "learning_rate")
        self.memory: dict[str, dict[str, Any]] = {}  # name of a parameter -> what the rule remembers of it

    def __repr__(self) -> str:
        settings = {name: value for name, value in vars(self).items() if name != "memory"}
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in settings.items())})"

    def step(self, parameters: Iterable[Parameter], gradients: Mapping[str, Any]) -> None:
        """Update each parameter's value in place by the gradient of its name, where there is one.

        Parameters
        ----------
        parameters : iterable of Parameter
        gradients : dict
            Name to array or RowSparseGradient, as ``graph.backward()`` returns it.

        Raises
        ------
        InputError
            If ``parameters`` is a single one, or as ``update`` does.
        ValueError
            As ``update`` does.
        """
        if isinstance(parameters, Parameter):
            raise InputError(f"step expects a list of parameters, but got {parameters}: write [{parameters.name}].")
        for parameter in parameters:
            if parameter.name in gradients:
                self.update(parameter.value, gradients[parameter.name], parameter.name)

    def update(self, W: np.ndarray, dW: Any, name: str = "W") -> None:
        """Move the array W in place against its gradient.

        Parameters
        ----------
        W : float array, of any shape
        dW : array or RowSparseGradient, in the shape of W
        name : str
            Where its memory is kept.

        Raises
        ------
        InputError
            If W is no array of floats, or dW no array of numbers.
        ValueError
            If their shapes differ.
        """
        require_setting(self.learning_rate, type(self).__name__, "learning_rate")  # it may have been changed
        if not isinstance(W, np.ndarray) or W.dtype.kind not in "fc":
            raise InputError(f"An optimizer moves arrays of floats in place, but {name} is {_said(W)}.")
        if not isinstance(dW, RowSparseGradient):
            dW = require_numbers(dW, f"The gradient of {name}")
        if np.shape(dW) != W.shape:
            raise ValueError(f"The gradient of {name} has shape {np.shape(dW)}, but {name} itself {W.shape}.")
        rows, dW = dW.coalesce() if isinstance(dW, RowSparseGradient) else (..., dW)
        memory = self.memory.setdefault(name, {})
        W[rows] -= self.learning_rate * self.direction(memory, rows, dW, W)

    def direction(self, memory: dict[str, Any], rows: Any, dW: Any, W: np.ndarray) -> Any:
        """What to subtract, times η, from ``W[rows]``, whose gradient is dW. This is the rule of a subclass.

        Parameters
        ----------
        memory : dict
            The arrays that the rule keeps of this parameter, as large as W; see `recall`.
        rows : int array (n,) or ...
            The rows of W that dW is about; all of them for a dense gradient.
        dW : array (n, D), or in the shape of W
        W : array

        Returns
        -------
        array, in the shape of dW
        """
        raise NotImplementedError(f"{type(self).__name__} has no rule: define direction(self, memory, rows, dW, W).")


class SGD(Optimizer):
    """Stochastic gradient descent: W ← W - η dW.

    Parameters
    ----------
    learning_rate : float
        η, at least 0.

    Examples
    --------
    >>> import numpy as np
    >>> from handgrad import SGD, Parameter
    >>> w = Parameter("w", np.array([1.0, 2.0]))
    >>> SGD(learning_rate=0.1).step([w], {"w": np.array([5.0, -5.0])})
    >>> w.value
    array([0.5, 2.5])
    """

    def direction(self, memory: dict[str, Any], rows: Any, dW: Any, W: np.ndarray) -> Any:
        return dW


class Momentum(Optimizer):
    """m ← μ m + dW; W ← W - η m (Polyak 1964), in torch's form.

    Row-sparse it is lazy: a row that is not used neither moves nor forgets.

    Parameters
    ----------
    learning_rate : float
        η, at least 0.
    momentum : float
        μ, from 0 to below 1.

    Examples
    --------
    >>> import numpy as np
    >>> from handgrad import Momentum
    >>> optimizer = Momentum(learning_rate=1.0, momentum=0.5)
    >>> W, dW = np.array([10.0]), np.array([2.0])
    >>> optimizer.update(W, dW)  # by 2
    >>> optimizer.update(W, dW)  # by 0.5 · 2 + 2
    >>> W
    array([5.])
    """

    def __init__(self, learning_rate: float, momentum: float = 0.9) -> None:
        super().__init__(learning_rate)
        self.momentum = require_setting(momentum, "Momentum", "momentum", below=1)

    def direction(self, memory: dict[str, Any], rows: Any, dW: Any, W: np.ndarray) -> Any:
        m = recall(memory, "m", W)
        m[rows] = self.momentum * m[rows] + dW
        return m[rows]


class Adagrad(Optimizer):
    """a ← a + dW²; W ← W - η dW / (√a + ε) (Duchi, Hazan and Singer 2011): steps shrink where gradients were large.

    Parameters
    ----------
    learning_rate : float
        η, at least 0.
    epsilon : float
        ε, at least 0: against a division by zero.

    Examples
    --------
    >>> import numpy as np
    >>> from handgrad import Adagrad
    >>> optimizer, W = Adagrad(learning_rate=1.0), np.array([10.0])
    >>> optimizer.update(W, np.array([3.0]))  # by 3 / √9
    >>> optimizer.update(W, np.array([4.0]))  # by 4 / √(9 + 16)
    >>> W.round(6)
    array([8.2])
    """

    def __init__(self, learning_rate: float, epsilon: float = 1e-10) -> None:
        super().__init__(learning_rate)
        self.epsilon = require_setting(epsilon, "Adagrad", "epsilon")

    def direction(self, memory: dict[str, Any], rows: Any, dW: Any, W: np.ndarray) -> Any:
        a = recall(memory, "a", W)
        a[rows] += dW**2
        return dW / (np.sqrt(a[rows]) + self.epsilon)


class Adam(Optimizer):
    """Running means m of dW and v of dW², corrected for their start at zero (Kingma and Ba 2015, algorithm 1).

    W ← W - η (m / (1 - β₁ᵗ)) / (√(v / (1 - β₂ᵗ)) + ε). Row-sparse it is torch's SparseAdam: rows that are
    not used keep their m and v, while the count t of steps runs for all, and ε is added before √v is corrected.

    Parameters
    ----------
    learning_rate : float
        η, at least 0.
    betas : (float, float)
        β₁ and β₂, each from 0 to below 1.
    epsilon : float
        ε, at least 0.

    Examples
    --------
    The first step has the size η, however large the gradient is:

    >>> import numpy as np
    >>> from handgrad import Adam
    >>> optimizer, W = Adam(learning_rate=0.1), np.array([1.0, 1.0])
    >>> optimizer.update(W, np.array([1000.0, -0.001]))
    >>> W.round(4)
    array([0.9, 1.1])
    """

    def __init__(
        self, learning_rate: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999), epsilon: float = 1e-8
    ) -> None:
        super().__init__(learning_rate)
        if not isinstance(betas, list | tuple) or len(betas) != 2:
            raise InputError(f"Adam expects betas to be a pair of numbers, such as (0.9, 0.999), but got {betas!r}.")
        beta1, beta2 = (require_setting(beta, "Adam", "betas", below=1) for beta in betas)
        self.betas, self.epsilon = (beta1, beta2), require_setting(epsilon, "Adam", "epsilon")

    def direction(self, memory: dict[str, Any], rows: Any, dW: Any, W: np.ndarray) -> Any:
        beta1, beta2 = self.betas
        m, v = recall(memory, "m", W), recall(memory, "v", W)
        memory["t"] = t = memory.get("t", 0) + 1
        m[rows] = beta1 * m[rows] + (1 - beta1) * dW
        v[rows] = beta2 * v[rows] + (1 - beta2) * dW**2
        correction = np.sqrt(1 - beta2**t)
        epsilon = self.epsilon if rows is ... else self.epsilon / correction  # where Adam and SparseAdam add it
        return m[rows] / (1 - beta1**t) / (np.sqrt(v[rows]) / correction + epsilon)


def _said(W: Any) -> str:
    return f"an array of {W.dtype}" if isinstance(W, np.ndarray) else f"a {type(W).__name__}"


def recall(memory: dict[str, Any], key: str, W: np.ndarray) -> np.ndarray:
    """The array of W's shape that is kept under ``key``, all zeros at first."""
    if key not in memory:
        memory[key] = np.zeros_like(W)
    return memory[key]
