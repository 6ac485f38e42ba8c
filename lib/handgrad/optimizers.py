"""Optimizers: how a gradient moves a parameter.

Each is an update rule with a memory for each parameter, found by the parameter's name. A row-sparse gradient
moves, and remembers, only the rows that were used: all others keep their bits.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from handgrad.embedding import RowSparseGradient
from handgrad.errors import InputError, require_numbers, require_setting
from handgrad.graph import Parameter


class Optimizer:
    """What all optimizers share: finding each parameter's gradient, and its rows.

    Parameters
    ----------
    learning_rate : float of at least 0, η; may be changed between steps
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
        gradients : dict, name to array or RowSparseGradient, as ``graph.backward()`` returns it
        """
        if isinstance(parameters, Parameter):
            raise InputError(f"step expects a list of parameters, but got {parameters}: write [{parameters.name}].")
        for parameter in parameters:
            if parameter.name in gradients:
                self.update(parameter.value, gradients[parameter.name], parameter.name)

    def update(self, W: np.ndarray, dW: Any, name: str = "W") -> None:
        """Move the array W in place against its gradient; ``name`` is where its memory is kept."""
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
        """What to subtract, times η, from ``W[rows]``, whose gradient is dW. Arrays in memory are as large as W."""
        raise NotImplementedError(f"{type(self).__name__} has no rule: define direction(self, memory, rows, dW, W).")


class SGD(Optimizer):
    """Stochastic gradient descent: W ← W - η dW."""

    def direction(self, memory, rows, dW, W):
        return dW


class Momentum(Optimizer):
    """m ← μ m + dW; W ← W - η m (Polyak 1964), in torch's form.

    Row-sparse it is lazy: a row that is not used neither moves nor forgets.
    """

    def __init__(self, learning_rate: float, momentum: float = 0.9) -> None:
        super().__init__(learning_rate)
        self.momentum = require_setting(momentum, "Momentum", "momentum", below=1)

    def direction(self, memory, rows, dW, W):
        m = recall(memory, "m", W)
        m[rows] = self.momentum * m[rows] + dW
        return m[rows]


class Adagrad(Optimizer):
    """a ← a + dW²; W ← W - η dW / (√a + ε) (Duchi, Hazan and Singer 2011): steps shrink where gradients were large."""

    def __init__(self, learning_rate: float, epsilon: float = 1e-10) -> None:
        super().__init__(learning_rate)
        self.epsilon = require_setting(epsilon, "Adagrad", "epsilon")

    def direction(self, memory, rows, dW, W):
        a = recall(memory, "a", W)
        a[rows] += dW**2
        return dW / (np.sqrt(a[rows]) + self.epsilon)


class Adam(Optimizer):
    """Running means m of dW and v of dW², corrected for their start at zero (Kingma and Ba 2015, algorithm 1).

    W ← W - η (m / (1 - β₁ᵗ)) / (√(v / (1 - β₂ᵗ)) + ε). Row-sparse it is torch's SparseAdam: rows that are
    not used keep their m and v, while the count t of steps runs for all, and ε is added before √v is corrected.
    """

    def __init__(
        self, learning_rate: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999), epsilon: float = 1e-8
    ) -> None:
        super().__init__(learning_rate)
        if not isinstance(betas, list | tuple) or len(betas) != 2:
            raise InputError(f"Adam expects betas to be a pair of numbers, such as (0.9, 0.999), but got {betas!r}.")
        beta1, beta2 = (require_setting(beta, "Adam", "betas", below=1) for beta in betas)
        self.betas, self.epsilon = (beta1, beta2), require_setting(epsilon, "Adam", "epsilon")

    def direction(self, memory, rows, dW, W):
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
