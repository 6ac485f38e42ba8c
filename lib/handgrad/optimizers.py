"""Optimizers: how a gradient moves a parameter.

Each is an update rule with a memory for each parameter, found by the parameter's name. A row-sparse gradient
moves, and remembers, only the rows that were used: all others keep their bits.
"""

import numpy as np

from handgrad.embedding import RowSparseGradient


class Optimizer:
    """What all optimizers share: finding each parameter's gradient, and its rows.

    Parameters
    ----------
    learning_rate : float, η; may be changed between steps
    """

    def __init__(self, learning_rate):
        self.learning_rate = learning_rate
        self.memory = {}  # name of a parameter -> what the rule remembers of it

    def step(self, parameters, gradients):
        """Update each parameter's value in place by the gradient of its name, where there is one.

        Parameters
        ----------
        parameters : iterable of Parameter
        gradients : dict, name to array or RowSparseGradient, as ``graph.backward()`` returns it
        """
        for parameter in parameters:
            if parameter.name in gradients:
                self.update(parameter.value, gradients[parameter.name], parameter.name)

    def update(self, W, dW, name="W"):
        """Move the array W in place against its gradient; ``name`` is where its memory is kept."""
        if np.shape(dW) != W.shape:
            raise ValueError(f"The gradient of {name} has shape {np.shape(dW)}, but {name} itself {W.shape}.")
        rows, dW = dW.coalesce() if isinstance(dW, RowSparseGradient) else (..., dW)
        memory = self.memory.setdefault(name, {})
        W[rows] -= self.learning_rate * self.direction(memory, rows, dW, W)

    def direction(self, memory, rows, dW, W):
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

    def __init__(self, learning_rate, momentum=0.9):
        super().__init__(learning_rate)
        self.momentum = momentum

    def direction(self, memory, rows, dW, W):
        m = recall(memory, "m", W)
        m[rows] = self.momentum * m[rows] + dW
        return m[rows]


class Adagrad(Optimizer):
    """a ← a + dW²; W ← W - η dW / (√a + ε) (Duchi, Hazan and Singer 2011): steps shrink where gradients were large."""

    def __init__(self, learning_rate, epsilon=1e-10):
        super().__init__(learning_rate)
        self.epsilon = epsilon

    def direction(self, memory, rows, dW, W):
        a = recall(memory, "a", W)
        a[rows] += dW**2
        return dW / (np.sqrt(a[rows]) + self.epsilon)


class Adam(Optimizer):
    """Running means m of dW and v of dW², corrected for their start at zero (Kingma and Ba 2015, algorithm 1).

    W ← W - η (m / (1 - β₁ᵗ)) / (√(v / (1 - β₂ᵗ)) + ε). Row-sparse it is torch's SparseAdam: rows that are
    not used keep their m and v, while the count t of steps runs for all, and ε is added before √v is corrected.
    """

    def __init__(self, learning_rate=1e-3, betas=(0.9, 0.999), epsilon=1e-8):
        super().__init__(learning_rate)
        self.betas, self.epsilon = betas, epsilon

    def direction(self, memory, rows, dW, W):
        beta1, beta2 = self.betas
        m, v = recall(memory, "m", W), recall(memory, "v", W)
        memory["t"] = t = memory.get("t", 0) + 1
        m[rows] = beta1 * m[rows] + (1 - beta1) * dW
        v[rows] = beta2 * v[rows] + (1 - beta2) * dW**2
        correction = np.sqrt(1 - beta2**t)
        epsilon = self.epsilon if rows is ... else self.epsilon / correction  # where Adam and SparseAdam add it
        return m[rows] / (1 - beta1**t) / (np.sqrt(v[rows]) / correction + epsilon)


def recall(memory, key, W):
    """The array of W's shape that is kept under ``key``, all zeros at first."""
    if key not in memory:
        memory[key] = np.zeros_like(W)
    return memory[key]
