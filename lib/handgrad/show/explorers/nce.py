"""The NCE matrix: a row for each example, a column for each true and each noise word, from scores to gradients."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from handgrad.errors import InputError
from handgrad.show.explorers.parts.digits import as_text, rounded
from handgrad.show.explorers.parts.host import Explorer
from handgrad.show.tables import table_as_html, table_as_text
from handgrad.word2vec.objectives.nce import NCE, nce_loss
from handgrad.word2vec.objectives.noise import SampledValues

MAX_CELLS = 100


class NCEExplorer(Explorer):
    """B × (T + m) cells, to be looked at as scores, as losses, as gradients."""

    module = "nce"

    def __init__(self, dots, biases, expected, hits, cells, columns, rows, remove, corrected, losses, title):
        state = {
            "dots": rounded(dots),  # (B, T + m), h·u
            "biases": rounded(biases),
            "expected": rounded(expected),
            "hits": hits,  # (B, m)
            "cells": cells,  # (B, T), what each true cell's word is called
            "columns": columns,  # (m,), what each noise column's word is called
            "rows": rows,  # (B,)
            "remove": remove,
            "correct": True,
            "mode": 0,  # of those in nce_matrix.js
            "entry": [0, 0],
        }
        super().__init__(state, title)
        self.corrected, self.losses = corrected, losses

    def lines(self):
        """The corrected scores and the losses as text, with headings."""
        T = len(self.state["cells"][0])
        yield ["", *["true"] * T, *self.state["columns"], "loss"]
        for name, words, scores, loss in zip(
            self.state["rows"], self.state["cells"], self.corrected, self.losses, strict=True
        ):
            true = [f"{word} {as_text(x)}" for word, x in zip(words, scores, strict=False)]
            yield [name, *true, *map(as_text, scores[T:]), as_text(loss)]

    def __repr__(self):
        return "\n".join([super().__repr__(), *table_as_text(self.lines()), f"mean loss {as_text(self.losses.mean())}"])

    def still(self):
        note = f"Scores less log E, and the loss of each row; their mean is {as_text(self.losses.mean())}."
        return f'{table_as_html(self.lines())}<p class="hg-note">{note}</p>'


def nce_explorer(
    weights: ArrayLike,
    biases: ArrayLike,
    labels: ArrayLike,
    inputs: ArrayLike,
    sampled_values: SampledValues,
    words: Sequence[str] | None = None,
    rows: Sequence[str] | None = None,
    remove_accidental_hits: bool = False,
    title: str = "",
) -> NCEExplorer:
    """Look into every cell of an NCE loss: its score, log E, label, loss and gradient, and how each comes about.

    The reader chooses what the cells show, walks from cell to cell, and may switch two things: whether accidental
    hits are removed, and whether log E is subtracted. Where it is not, and the biases are zero, this is negative
    sampling.

    Parameters
    ----------
    weights, biases, labels, inputs, sampled_values, remove_accidental_hits
        As for ``nce_loss``.
    words : list of str, optional
        What each id is called, such as ``vocabulary.index_to_key``.
    rows : list of str, optional
        What each of the B examples is called: its center word.
    title : str, optional
        The caption.

    Returns
    -------
    NCEExplorer
        The numbers are those of ``nce_loss`` and ``nce_gradients``.

    Raises
    ------
    InputError
        As ``nce_loss`` does; or there are too many cells for a page, names that do not fit, inf or nan.

    Examples
    --------
    >>> import numpy as np
    >>> from handgrad import show
    >>> from handgrad.word2vec import SampledValues
    >>> noise = SampledValues(np.array([1, 2]), np.ones((1, 1)), np.ones(2))
    >>> U, b, h = np.zeros((3, 2)), np.zeros(3), np.zeros((1, 2))
    >>> show.nce_explorer(U, b, [[0]], h, noise, words=["to", "be", "or"])
    NCEExplorer: The NCE matrix: choose what its cells show, then walk from cell to cell.
       true  be  or   loss
    0  to 0   0   0  2.079
    mean loss 2.079
    """
    h, U, b = (np.asarray(x, dtype=np.float64) for x in (inputs, weights, biases))
    for name, array in [("weights", U), ("biases", b), ("inputs", h)]:
        if not np.isfinite(array).all():
            raise InputError(f"nce_explorer shows finite numbers, but the {name} have inf or nan among them.")
    losses = nce_loss(weights, biases, labels, inputs, sampled_values, remove_accidental_hits)
    ids, true_expected, sampled_expected = (np.asarray(x) for x in sampled_values)
    B, m = len(losses), len(ids)
    labels, true_expected = np.asarray(labels).reshape(B, -1), np.asarray(true_expected).reshape(B, -1)
    if not 0 < B * (labels.shape[1] + m) <= MAX_CELLS:
        raise InputError(
            f"nce_explorer shows up to {MAX_CELLS} cells, but got {B} × ({labels.shape[1]} + {m}): give a smaller "
            "batch."
        )
    columns = np.concatenate([labels, np.tile(ids, (B, 1))], axis=1)  # (B, T+m)
    dots = np.einsum("bd,bjd->bj", h, U[columns])
    words = _names(words, range(len(U)), "id {}", "words", len(U))
    rows = _names(rows, range(B), "{}", "rows", B)
    gate = NCE(remove_accidental_hits)
    corrected = gate.corrected_scores(h[:, None], U, b, labels, ids, true_expected, sampled_expected)[:, 0]
    return NCEExplorer(
        dots,
        b[columns],
        np.concatenate([true_expected, np.tile(sampled_expected, (B, 1))], axis=1),
        (labels[:, :, None] == ids).any(axis=1).tolist(),
        [[words[i] for i in row] for row in labels],
        [words[i] for i in ids],
        rows,
        bool(remove_accidental_hits),
        corrected,
        losses,
        title or "The NCE matrix: choose what its cells show, then walk from cell to cell.",
    )


def _names(names, ids, pattern, what, expected):
    """The names that were given, or made from numbers."""
    if names is None:
        return [pattern.format(i) for i in ids]
    names = list(names)
    if len(names) != expected:
        raise InputError(f"{what} are {expected} names here, one for each, but got {len(names)}.")
    return names
