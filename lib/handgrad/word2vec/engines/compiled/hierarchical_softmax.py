"""Hierarchical softmax, compiled: skip-gram and CBOW on a text.

Source: Morin and Bengio (2005), Hierarchical Probabilistic Neural Network Language Model; with the Huffman tree of
Mikolov et al. (2013), Distributed Representations of Words and Phrases and their Compositionality, equation 3.

A block is one target, the words around it, and the nodes on the path to it.
"""

import numpy as np
from numba import njit

from handgrad.word2vec.engines.compiled.aligned import up_to
from handgrad.word2vec.engines.compiled.compiling import INLINE, UNCOUNTED
from handgrad.word2vec.engines.compiled.draws import copied_paths, draw_text, paths_to
from handgrad.word2vec.engines.compiled.products import GROUP, clear, prefetch_rows
from handgrad.word2vec.engines.compiled.steps import find_rows, step_of_means, step_of_words, workspace_for
from handgrad.word2vec.engines.compiled.thread_copies import join_both, use_copies


def outputs_of(objective):
    """What the outputs of this objective are read from: its tree, as (starts, nodes, codes)."""
    return objective.tree.starts, objective.tree.nodes, objective.tree.codes


@njit(**INLINE)
def find_rows_beside(ids, i, rows):
    """As ``find_rows``, without ids[i]."""
    for x in range(up_to(GROUP, len(ids) - 1)):
        j = min(x, len(ids) - 2)
        rows[x] = ids[j if j < i else j + 1]


@njit(**INLINE)
def mark_window(R, W):
    """W (1, R): the share of each word."""
    share = 1 / W.dtype.type(R)
    for x in range(up_to(GROUP, R)):
        W[0, x] = share if x < R else 0


@njit(**INLINE)
def mark_path(codes, L):
    """L (1, Q): a word is scored against the path to the target."""
    clear(L, 1)
    for p in range(len(codes)):
        L[0, p] = 1 - 2 * codes[p]


@njit(**INLINE)
def learn_block(V, U, words, begin, end, i, nodes, codes, copies, by_word, by_share, rate, ahead, workspace):
    """One step for target i alone, so that there is no other word which its path is not for.

    The arguments are those of ``negative_sampling.learn_block``, but for

    nodes, codes : int32 and int8 arrays (Q,), the path: ids of U, and 0 where it takes the branch that σ is for
    copies : which of the nodes have copies, see ``row_of``
    """
    R, Q = end[i] - begin[i] - 1, len(nodes)
    if R == 0:
        return 0.0, 0
    find_rows_beside(words[begin[i] : end[i]], i - begin[i], workspace.inputs)
    find_rows(nodes, workspace.outputs)
    use_copies(workspace.outputs, copies)
    mark_path(codes, workspace.L)
    if by_word is not None:
        return step_of_words(
            V, workspace.inputs[:R], U, workspace.outputs[:Q], workspace.L[:1], rate, ahead, workspace
        ), R
    if by_share is not None:
        mark_window(R, workspace.W)
        return step_of_means(V, workspace.inputs[:R], U, workspace.outputs[:Q], 1, rate, by_share, ahead, workspace), 1
    return 0.0, 0


@njit(**UNCOUNTED)
def learn_blocks(
    V, U, words, begin, end, reach, nodes, codes, paths, by_word, by_share, rate, copies, apart, workspace
):
    """Target after target of a text. words : rows, of copies where there are some; nodes and codes : of all paths;
    paths : where the path to each target begins, and where it ends
    """
    loss, predictions = 0.0, 0
    for i in range(len(words)):
        if i % apart == 0:
            join_both(V, U, copies)
        path, Q = slice(paths[0][i], paths[1][i]), paths[1][i] - paths[0][i]
        soon = max(paths[1][min(i + 1, len(words) - 1)] - Q, 0)  # the lower end, whose nodes are rarely used
        find_rows(nodes[soon : soon + Q], workspace.ahead)
        use_copies(workspace.ahead, copies[1])
        prefetch_rows(V, words[i + reach + 1 : i + reach + 2])
        block = begin, end, i, nodes[path], codes[path], copies[1], by_word, by_share, rate
        more, n = learn_block(V, U, words, *block, workspace.ahead[:Q], workspace)
        loss, predictions = loss + more, predictions + n
    join_both(V, U, copies)
    return loss, predictions


# From here on in Python, as in negative sampling. Of a tree nothing is drawn: ``noise_state`` and ``state`` are for
# the sake of negative sampling.


def learn(V, U, words, begin, end, reach, nodes, codes, paths, longest, model, rate, copies, apart):
    """All targets of a text, with a workspace for them."""
    workspace = workspace_for(1, 2 * reach, longest, V)
    return learn_blocks(V, U, words, begin, end, reach, nodes, codes, paths, *model, rate, copies, apart, workspace)


def train(V, U, ids, starts, keep, windows, copies, apart, model, tree, rate, state, noise_state):
    """As ``negative_sampling.train``, with the tree (starts, nodes, codes) of ``HuffmanTree`` in place of noise."""
    words, begin, end, reach = draw_text(ids, starts, keep, windows, state)
    _, nodes, codes = tree
    paths, longest = paths_to(words, tree)
    use_copies(words, copies[0])
    return learn(V, U, words, begin, end, reach, nodes, codes, paths, longest, model, rate, copies, apart)


def drawn_outputs(words, tree, state):
    """As ``negative_sampling.drawn_outputs``: the nodes of the paths, and what else ``learn`` takes of them.

    They are copied, for pieces that put other rows in their place; ``train`` reads the paths where they lie.
    """
    nodes, *more = copied_paths(words, tree)
    return nodes, more


def often_used(counts, often, tree):
    """As ``negative_sampling.often_used``: the last nodes, of which the root is the very last."""
    starts, nodes, _ = tree
    uses = np.bincount(nodes, np.repeat(counts, np.diff(starts)))
    return len(uses) - np.count_nonzero(uses >= often), len(uses)


def most_outputs(words, tree):
    """As ``negative_sampling.most_outputs``."""
    return words * int(np.diff(tree[0]).max())
