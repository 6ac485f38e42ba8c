"""A map of word vectors: each word a point, near to its neighbors, to move in, to search and to ask who is near."""

from html import escape
from typing import Literal

import numpy as np

from handgrad.errors import InputError
from handgrad.show.explorers.parts.host import Explorer
from handgrad.show.explorers.parts.packing import LIMIT, fit, pack
from handgrad.show.explorers.parts.plane import nearest, neighbor_layout, principal_axes
from handgrad.word2vec.vectors.keyed_vectors import KeyedVectors

NEIGHBORS = 8
LAYOUT_NEIGHBORS = 10
POINTS_OF_THE_STILL, LABELS_OF_THE_STILL = 600, 120  # the most frequent words
SIZE = 640  # of the still, in the units of its SVG


class EmbeddingMap(Explorer):
    """Words in the plane. Nearest are those with the largest cosine in all dimensions, not on the map."""

    module = "embedding_map"

    def __init__(self, words, points, ids, cosines, chosen, title):
        self.points = fit(points)
        hundredths = np.rint(100 * cosines).astype(int) + 100  # from 0 to 200
        state = {
            "words": "\n".join(words),
            "neighbors": ids.shape[1],
            "packed": pack(np.concatenate([self.points.ravel(), ids.ravel(), hundredths.ravel()])),
            "chosen": chosen,
        }
        super().__init__(state, title)

    def __repr__(self):
        words = self.state["words"].split("\n")
        return f"{super().__repr__()}\n{len(words):,} words, from {words[0]} to {words[-1]}"

    def still(self):
        words = self.state["words"].split("\n")
        points = self.points * [1, -1] * (SIZE - 20) / LIMIT + [10, SIZE - 10]
        dots = "".join(f"M{x:.0f} {y:.0f}h0" for x, y in points[:POINTS_OF_THE_STILL])
        labels = "".join(
            f'<text x="{points[i, 0]:.0f}" y="{points[i, 1] - 4:.0f}">{escape(words[i])}</text>'
            for i in _apart(points, words)
        )
        label = f"A map of {len(words):,} words; words that are used alike stand together"
        return (
            f'<svg class="hg-map-still" role="img" aria-label="{label}" viewBox="0 0 {SIZE} {SIZE}">'
            f'<path d="{dots}"/>{labels}</svg>'
        )


def embedding_map(
    vectors: KeyedVectors,
    /,
    limit: int = 3000,
    neighbors: int = NEIGHBORS,
    layout: Literal["neighbors", "pca"] = "neighbors",
    chosen: str | None = None,
    title: str = "",
) -> EmbeddingMap:
    """A map of the most frequent words, to move in, to search, and to ask each word for its nearest ones.

    Parameters
    ----------
    vectors : KeyedVectors
    limit : int
        How many words, most frequent first; up to 4096.
    neighbors : int
        How many of the nearest words are shown for each, by cosine, among the words of the map.
    layout : str
        "neighbors": near words near, by ``neighbor_layout``; "pca": the two principal components.
    chosen : str, optional
        The word that is chosen at first.
    title : str, optional
        The caption.

    Returns
    -------
    EmbeddingMap
        An explorer in a notebook and on a page.

    Raises
    ------
    InputError
        If there are too few or too many words, a word has no vector or a line break in it, or a vector is not
        finite or all zeros.

    Examples
    --------
    >>> import numpy as np
    >>> from handgrad import show
    >>> from handgrad.word2vec import KeyedVectors
    >>> angles = np.linspace(0.0, 2.0, 12)
    >>> circle = np.column_stack([np.cos(angles), np.sin(angles)])
    >>> vectors = KeyedVectors(list("abcdefghijkl"), circle)
    >>> show.embedding_map(vectors, neighbors=2, layout="pca", chosen="c")
    EmbeddingMap: Words that are used alike stand together. Choose one, or search; + and − zoom, arrow keys move.
    12 words, from a to l
    """
    words = list(map(str, vectors.index_to_key[:limit]))
    if layout not in ("neighbors", "pca"):
        raise InputError(f'embedding_map expects the layout "neighbors" or "pca", but got {layout!r}.')
    if not 1 <= neighbors < len(words) <= LIMIT or len(words) <= LAYOUT_NEIGHBORS:
        raise InputError(
            f"embedding_map shows {LAYOUT_NEIGHBORS + 1} to {LIMIT} words, with fewer neighbors than words, but got "
            f"{len(words)} words and {neighbors} neighbors: set limit, or give more vectors."
        )
    if broken := [word for word in words if "\n" in word]:
        raise InputError(f"embedding_map expects words without line breaks, but got {broken[0]!r}.")
    if chosen is not None and chosen not in words:
        raise InputError(
            f"The word {chosen!r} is not among the first {len(words):,}: choose another, or a larger limit."
        )
    rows = np.asarray(vectors.vectors[: len(words)], dtype=np.float64)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    if not (np.isfinite(lengths) & (lengths > 0)).all():
        wrong = words[int(np.argmin(np.isfinite(lengths) & (lengths > 0)))]
        raise InputError(
            f"The vector of {wrong!r} has no direction: leave out words whose vectors are zero or infinite."
        )
    units = rows / lengths  # the map, as the cosine, asks for directions alone
    ids, cosines = nearest(units, max(neighbors, LAYOUT_NEIGHBORS))
    if layout == "pca":
        center, axes = principal_axes(units)
        points = (units - center) @ axes.T
    else:
        points = neighbor_layout(units, ids[:, :LAYOUT_NEIGHBORS])
    title = title or "Words that are used alike stand together. Choose one, or search; + and − zoom, arrow keys move."
    place = words.index(chosen) if chosen is not None else None
    return EmbeddingMap(words, points, ids[:, :neighbors], cosines[:, :neighbors], place, title)


def _apart(points, words):
    """Which labels the still has: the most frequent words, as far as they do not overlap."""
    taken, chosen = [], []
    for i, word in enumerate(words[:POINTS_OF_THE_STILL]):
        (x, y), half = points[i], 3.6 * len(word)
        free = all(abs(x - a) > half + other + 4 or abs(y - b) > 15 for a, b, other in taken)
        if free and half < x < SIZE - half and len(chosen) < LABELS_OF_THE_STILL:
            taken.append((x, y, half))
            chosen.append(i)
    return chosen
