"""The Huffman tree: frequent words near the root, so that the average path is as short as it can be.

Source: Huffman (1952), A Method for the Construction of Minimum-Redundancy Codes. With the counts sorted, two
queues find the two smallest nodes in constant time, as in word2vec.c: the words, rarest first, and the inner
nodes, which come into being in order of their counts.
"""

import numpy as np

from handgrad.errors import InputError

NO_NODE = -1  # fills a row of paths where a word's path is shorter than the longest


class HuffmanTree:
    """A binary tree with the words as leaves, built from their counts (Huffman 1952).

    Parameters
    ----------
    counts : int array (V,)
        At least two of them.

    Attributes
    ----------
    inner_nodes : int
        V - 1; the root is the last of them.
    starts : int64 array (V + 1,)
        The path of word w is ``nodes[starts[w] : starts[w + 1]]``.
    nodes : int32 array
        The inner nodes on the paths of all words, each from the root down.
    codes : int8 array
        Beside nodes, 0 or 1: which of its two branches the path takes there.

    Raises
    ------
    InputError
        If there are fewer than two counts, or one is negative.

    Examples
    --------
    >>> import numpy as np
    >>> from handgrad.word2vec import HuffmanTree
    >>> tree = HuffmanTree(np.array([8, 4, 2, 1]))
    >>> [tree.code(word) for word in range(4)]
    ['1', '01', '001', '000']
    """

    def __init__(self, counts: np.ndarray):
        counts = np.asarray(counts)
        if counts.ndim != 1 or len(counts) < 2:
            raise InputError(f"A Huffman tree expects the counts of at least 2 words, but got shape {counts.shape}.")
        if counts.min() < 0:
            raise InputError(f"A Huffman tree expects counts of 0 or more, but got {counts.min()}.")
        order = np.argsort(-counts, kind="stable")  # UNK may be first and yet not the most frequent
        parent, code = (np.array(x) for x in _merge(counts[order].tolist()))
        parent[order], code[order] = parent[: len(counts)].copy(), code[: len(counts)].copy()
        self.inner_nodes = len(counts) - 1
        self._write_paths(parent, code)

    def _write_paths(self, parent, code):
        """All words climb to the root at once; each writes its path from the end to the beginning."""
        V = self.inner_nodes + 1
        depth, parents = [0] * len(parent), parent.tolist()
        for node in range(len(parent) - 2, -1, -1):  # a parent comes after its children
            depth[node] = depth[parents[node]] + 1
        depth = np.array(depth)
        self.starts = np.concatenate([[0], np.cumsum(depth[:V])])
        self.nodes = np.empty(self.starts[-1], np.int32)
        self.codes = np.empty(self.starts[-1], np.int8)
        words, here = np.arange(V), np.arange(V)
        while len(words):
            place = self.starts[words] + depth[here] - 1
            self.codes[place] = code[here]
            here = parent[here]
            self.nodes[place] = here - V
            climbing = here < len(parent) - 1
            words, here = words[climbing], here[climbing]

    def paths(self, words: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The paths to some words, as the objective wants them.

        Parameters
        ----------
        words : int array (B,)
            Ids.

        Returns
        -------
        nodes : int32 array (B, L)
            L is the longest path among them, and NO_NODE stands past the end of a shorter one.
        codes : int8 array (B, L)
            0 past the end.
        """
        length = self.starts[words + 1] - self.starts[words]  # (B,)
        step = np.arange(length.max(initial=0))  # (L,)
        on_path = step < length[:, None]  # (B, L)
        place = np.where(on_path, self.starts[words][:, None] + step, 0)
        return np.where(on_path, self.nodes[place], NO_NODE), np.where(on_path, self.codes[place], 0)

    def code(self, word: int) -> str:
        """The code of one word, as a string of 0 and 1, for reading.

        Parameters
        ----------
        word : int
            Its id.

        Returns
        -------
        str
        """
        return "".join(map(str, self.codes[self.starts[word] : self.starts[word + 1]]))


def _merge(counts):
    """Join the two smallest nodes until one is left.

    Nodes are numbered words first, in their order, then inner nodes as they come into being.

    Returns
    -------
    parent : list (2 V - 1), of each node; the root, which is last, is its own
    code : list (2 V - 1), 0 for the smaller child, 1 for the larger
    """
    V = len(counts)
    counts = counts + [0] * (V - 1)
    parent, code = list(range(2 * V - 1)), [0] * (2 * V - 1)
    word, inner = V - 1, V  # the heads of the two queues

    def smallest(new):
        nonlocal word, inner
        if word >= 0 and (inner == new or counts[word] < counts[inner]):
            word -= 1
            return word + 1
        inner += 1
        return inner - 1

    for new in range(V, 2 * V - 1):
        first, second = smallest(new), smallest(new)
        counts[new] = counts[first] + counts[second]
        parent[first] = parent[second] = new
        code[second] = 1
    return parent, code
