"""Optimizers: how a gradient moves a parameter."""

from handgrad.embedding import RowSparseGradient


class SGD:
    """Stochastic gradient descent: W ← W - η dW. A row-sparse gradient touches only its rows.

    Parameters
    ----------
    learning_rate : float, η; may be changed between steps
    """

    def __init__(self, learning_rate):
        self.learning_rate = learning_rate

    def step(self, parameters, gradients):
        """Update each parameter's value in place by the gradient of its name, where there is one.

        Parameters
        ----------
        parameters : iterable of Parameter
        gradients : dict, name to array or RowSparseGradient, as ``graph.backward()`` returns it
        """
        for parameter in parameters:
            if parameter.name in gradients:
                self.update(parameter.value, gradients[parameter.name])

    def update(self, W, dW):
        """W ← W - η dW, in place."""
        if isinstance(dW, RowSparseGradient):
            ids, rows = dW.coalesce()
            W[ids] -= self.learning_rate * rows
        else:
            W -= self.learning_rate * dW
