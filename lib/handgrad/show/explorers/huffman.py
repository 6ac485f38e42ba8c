"""The Huffman path: a word is found by turns at inner nodes, and its probability is the product of the turns."""

from collections.abc import Sequence
from html import escape

import numpy as np
from numpy.typing import ArrayLike

from handgrad.errors import InputError
from handgrad.show.explorers.parts.digits import as_text, rounded
from handgrad.show.explorers.parts.host import Explorer
from handgrad.word2vec.objectives.hierarchical_softmax import HierarchicalSoftmax
from handgrad.word2vec.objectives.huffman import HuffmanTree

MAX_WORDS = 16
STEP, LINE, RADIUS = 52, 30, 12  # of the drawing: right by one turn, down by one word, an inner node
LEFT, TEXT = 20, 220  # left of the root, and room for a word beside its leaf


class HuffmanExplorer(Explorer):
    """A tree to find words in: choose a word, follow its path, change its count."""

    module = "huffman"

    def __init__(self, words, counts, scores, probabilities, word, title):
        state = {
            "words": words,
            "counts": counts,
            "scores": rounded(scores),  # (V - 1,), by inner node
            "word": words.index(word),
        }
        super().__init__(state, title)
        self.tree, self.probabilities = HuffmanTree(np.array(counts)), probabilities

    def __repr__(self):
        rows = [["word", "count", "P", "code"]]
        for i, (word, count) in enumerate(zip(self.state["words"], self.state["counts"], strict=True)):
            rows.append([word, f"{count:,}", as_text(self.probabilities[i]), self.tree.code(i)])
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join([*(c.rjust(w) for c, w in zip(r[:3], widths, strict=False)), r[3]]) for r in rows]
        return "\n".join([super().__repr__(), *lines])

    def still(self):
        """The whole tree: its codes, and the probability of every word."""
        height, middle, depth = self._heights()
        drawn = {}  # what words share is drawn once; wires first, then nodes over them
        for i, (word, count) in enumerate(zip(self.state["words"], self.state["counts"], strict=True)):
            nodes, codes = self._path(i)
            ys = [*(middle[node] for node in nodes), height[i]]
            for turn, (node, code) in enumerate(zip(nodes, codes, strict=True)):
                x, y, y_next = LEFT + STEP * turn, ys[turn], ys[turn + 1]
                drawn[0, node, code] = (
                    f'<path d="M{x} {y}C{x + 26} {y} {x + 22} {y_next} {x + STEP} {y_next}"/>'
                    f'<text class="hg-code" x="{x + 24.5}" y="{(y + y_next) / 2 + 4}">{code}</text>'
                )
                drawn[1, node] = f'<circle cx="{x}" cy="{y}" r="{RADIUS}"/><text x="{x}" y="{y + 4}">{node}</text>'
            text = escape(f"{word} ({count:,}): P = {as_text(self.probabilities[i])}")
            x = LEFT + STEP * len(nodes) + 6
            drawn[2, i] = f'<text class="hg-leaf" x="{x}" y="{height[i] + 5}">{text}</text>'
        width, tall = LEFT + STEP * depth + TEXT, LINE * len(height)
        return (
            f'<svg class="hg-tree" role="img" aria-label="{escape(self.description())}" '
            f'viewBox="0 0 {width} {tall}" width="{width}">{"".join(drawn[key] for key in sorted(drawn))}</svg>'
        )

    def _path(self, i):
        """The inner nodes from the root to word i, and the turn at each."""
        steps = slice(*self.tree.starts[i : i + 2])
        return self.tree.nodes[steps].tolist(), self.tree.codes[steps].tolist()

    def _heights(self):
        """y of each word, branch 1 above branch 0; y of each inner node, amid its words; the longest path's length."""
        paths = [self._path(i) for i in range(len(self.state["words"]))]
        order = sorted(range(len(paths)), key=lambda i: [1 - code for code in paths[i][1]])
        height = {i: LINE * (line + 0.5) for line, i in enumerate(order)}
        below = {}
        for i, (nodes, _) in enumerate(paths):
            for node in nodes:
                below.setdefault(node, []).append(height[i])
        middle = {node: (min(heights) + max(heights)) / 2 for node, heights in below.items()}
        return height, middle, max(len(nodes) for nodes, _ in paths)

    def description(self):
        codes = ", ".join(f"{word} {self.tree.code(i)}" for i, word in enumerate(self.state["words"]))
        return f"Huffman tree of {len(self.state['words'])} words with their codes: {codes}"


def huffman_explorer(
    words: Sequence[str], counts: ArrayLike, h: ArrayLike, U: ArrayLike, word: str | None = None, title: str = ""
) -> HuffmanExplorer:
    """Follow a word's path down a Huffman tree: each turn has a probability, and their product is the word's.

    The reader chooses a word, and may change its count, which builds the tree anew, and the score of a node.

    Parameters
    ----------
    words : list of str
        V of them, from 2 to 16.
    counts : int array (V,)
    h : float array (D,)
        The vector that predicts.
    U : float array (V - 1, D)
        Of the inner nodes; the score of node n is h·U[n].
    word : str, optional
        The one chosen at first; by default the rarest.
    title : str, optional
        The caption.

    Returns
    -------
    HuffmanExplorer
        Codes are those of ``HuffmanTree``, and probabilities e^-loss of ``HierarchicalSoftmax``.

    Raises
    ------
    InputError
        If words, counts, h and U do not fit together, or a number is not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from handgrad import show
    >>> h, U = np.array([1.0]), np.array([[0.0], [1.0]])
    >>> show.huffman_explorer(["to", "be", "or"], [2, 2, 1], h, U)
    HuffmanExplorer: Choose a word: each turn on its path has a probability, and their product is the word's.
    word  count       P  code
      to      2  0.7311  0
      be      2  0.1345  11
      or      1  0.1345  10
    """
    words, counts = list(words), np.asarray(counts)
    h, U = np.asarray(h, dtype=np.float64), np.asarray(U, dtype=np.float64)
    V = len(words)
    if not 2 <= V <= MAX_WORDS or len(set(words)) < V:
        raise InputError(f"huffman_explorer expects 2 to {MAX_WORDS} different words, but got {words}.")
    if counts.shape != (V,) or not np.issubdtype(counts.dtype, np.integer) or counts.min() < 0:
        raise InputError(f"counts are {V} integers of 0 or more, one for each word, but got {counts.tolist()}.")
    if h.ndim != 1 or U.shape != (V - 1, len(h)):
        raise InputError(
            f"huffman_explorer expects h (D,) and U ({V - 1}, D), a row for each inner node, but got {h.shape} and "
            f"{U.shape}."
        )
    if not np.isfinite(U @ h).all():
        raise InputError("huffman_explorer expects finite scores, but one is not: look for nan or inf in h and U.")
    word = words[int(np.argmin(counts))] if word is None else word
    if word not in words:
        raise InputError(f"word is one of {', '.join(words)}, but got {word!r}.")
    nodes, codes = HuffmanTree(counts).paths(np.arange(V))
    losses = HierarchicalSoftmax().forward(np.tile(h, (V, 1, 1)), U, nodes, codes)[:, 0]
    return HuffmanExplorer(
        words,
        counts.tolist(),
        U @ h,
        np.exp(-losses),
        word,
        title or "Choose a word: each turn on its path has a probability, and their product is the word's.",
    )
