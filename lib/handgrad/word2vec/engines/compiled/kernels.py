"""word2vec, compiled: the arithmetic of the gates, in loops that stay in the cache and in the registers.

Source: Mikolov et al. (2013), Distributed Representations of Words and Phrases and their Compositionality. That
neighboring windows share their negatives is from Ji et al. (2016), Parallelizing Word2Vec in Shared and Distributed
Memory, and Rengasamy et al. (2017), Optimizing Word2Vec Performance on Multicore Systems.

The text is worked on in blocks. With the R input vectors of a block in the rows of A, and its Q output vectors in
the rows of B, skip-gram is three small matrix products:

    S = A Bᵀ                   (R, Q)  the scores
    E = η |M| (label - σ(S))   (R, Q)  as often as each pair counts
    U += Eᵀ A, V += E B                for the rows that are in the block

For CBOW, the rows of A are mixed first, H = W A, and what H should move by goes back the same way, Wᵀ E B. Only A is
copied: B, and A for CBOW, are read where they lie in the tables.

For negative sampling a block is a few neighboring targets and the words within reach of them; its outputs are these
targets, and K negatives that all of them share. For hierarchical softmax it is one target, the words around it, and
the nodes on the path to it. All scores are computed before anything is updated, so a block is exactly one step of the
gates ``SkipGram`` or ``CBOW`` and ``NegativeSampling`` or ``HierarchicalSoftmax``; tests compare them.
"""

from collections import namedtuple

import numpy as np
from numba import njit

from handgrad.word2vec.engines.compiled.draws import draw_outputs, draw_text, paths_to
from handgrad.word2vec.engines.compiled.logistic import errors
from handgrad.word2vec.engines.compiled.products import GROUP, add_product, clear, fetch, gather, scores
from handgrad.word2vec.engines.compiled.simd import (
    CACHE_LINE,
    FAST,
    INLINE,
    LANES,
    LOOP,
    counting,
    load,
    spread,
    store,
    up_to,
    where_positive,
)

TARGETS = 4  # in a block of negative sampling, at most GROUP; there is one in a block of hierarchical softmax
# What is done with the words of a window: whether each of them predicts, and whether a mean of them moves each by its
# share alone. numba leaves a branch out where an argument is None, so it compiles one of both steps, and not the other.
SKIP_GRAM, CBOW, CBOW_OF_WORD2VEC_C = (True, None), (None, True), (None, False)


# one step


Room = namedtuple("Room", "A H dH E L W M inputs outputs ahead order")


@njit(**FAST)
def room_for(G, R, Q, V):
    """Scratch for blocks of at most G windows, R inputs and Q outputs.

    Returns
    -------
    Room : A (R, D) input vectors; H and dH (G, D) the means of windows and what these move by; E (R, Q) or, for means,
        (G, Q) scores and errors; L (G, Q), W (G, R) and M (R, Q) which pairs count; inputs (R,) rows of V, outputs and
        ahead (Q,) of U; order 0, 1, 2, …. All have some more, since GROUP or LANES are worked on at a time.
    """
    D, wide, long = V.shape[1], up_to(LANES, Q), up_to(LANES, max(G, R))
    G, R, Q = up_to(GROUP, G), up_to(GROUP, max(G, R)), up_to(GROUP, Q)
    A, H, dH = lines(R, D, V), lines(G, D, V), lines(G, D, V)
    E, L, W, M = lines(R, wide, V), lines(G, wide, V), lines(G, long, V), lines(R, wide, V)
    inputs, outputs, ahead = np.zeros(R, np.intp), np.zeros(Q, np.intp), np.zeros(Q, np.intp)
    return Room(A, H, dH, E, L, W, M, inputs, outputs, ahead, np.arange(R))


@njit(**FAST)
def lines(rows, columns, V):
    """Zeros of the type of V, from the beginning of a line of the cache."""
    room = np.zeros(rows * columns + CACHE_LINE, V.dtype)
    start = (-room.ctypes.data) % CACHE_LINE // V.itemsize
    return room[start : start + rows * columns].reshape(rows, columns)


@njit(**INLINE)
def step_of_words(V, inputs, U, outputs, M, rate, ahead, room):
    """Skip-gram: each of the ``inputs`` (R,) predicts ``outputs`` (Q,), as often as M says: the loss."""
    A, E = room.A, room.E
    R, Q = len(inputs), len(outputs)
    gather(V, inputs, A)
    scores(A, U, outputs, E, R, Q)
    loss = errors(E, M, R, Q, rate)
    add_product(V, inputs, E, U, outputs, Q)
    add_product(U, outputs, E.T, A, room.order, R, ahead)
    return loss


@njit(**INLINE)
def step_of_means(V, inputs, U, outputs, G, rate, exact, ahead, room):
    """CBOW: the means of G windows, W (G, R) of them, predict ``outputs``, as often as L (G, Q) says: the loss."""
    H, dH, E, W, order = room.H, room.dH, room.E, room.W, room.order
    R, Q = len(inputs), len(outputs)
    add_product(H, order[:G], W, V, inputs, R, None, True)
    scores(H, U, outputs, E, G, Q)
    loss = errors(E, room.L, G, Q, rate)
    add_product(dH, order[:G], E, U, outputs, Q, None, True)
    add_product(U, outputs, E.T, H, order, G, ahead, None, None)  # of few windows
    if not exact:  # word2vec.c: each word moves by all of it, and not by its share
        mark_whole(W, G, R)
    add_product(V, inputs, W.T, dH, order, G, None, None, None)
    return loss


# Which rows they are. Behind the last of them, up to the next multiple of GROUP, it is there again.


@njit(**INLINE)
def find_rows(ids, rows):
    """rows : the ids, which are rows already, or for which ``use_copies`` will find some"""
    for x in range(up_to(GROUP, len(ids))):
        rows[x] = ids[min(x, len(ids) - 1)]


@njit(**INLINE)
def find_rows_beside(ids, i, rows):
    """The same without ids[i]."""
    for x in range(up_to(GROUP, len(ids) - 1)):
        j = min(x, len(ids) - 2)
        rows[x] = ids[j if j < i else j + 1]


# Which pairs count. W (G, R) has a row for each window: which words are in it. L (G, Q) has a row for each target: what
# it is scored against, each output with its weight, with a minus for a label of 0. For CBOW the means of windows
# meet L. For skip-gram a word meets what is scored in all windows that it is in, M = Wᵀ L. What is in no window or in
# no pair must be 0, up to GROUP rows and LANES columns more.


@njit(**INLINE)
def reach_of(begin, end, first, last):
    """From where to where the windows of some targets reach, how many words are in them, and how many have any."""
    left, right, pairs, means = begin[first], end[first], 0, 0
    for i in range(first, last):
        words = end[i] - begin[i] - 1
        left, right, pairs, means = min(left, begin[i]), max(right, end[i]), pairs + words, means + (words > 0)
    return left, right, pairs, means


@njit(**INLINE)
def mark_windows(begin, end, first, last, left, of_means, W):
    """W (G, R): 1 where a word is in a window or, for means, its share. Word left + x is the one of column x."""
    zero = spread(W.dtype.type(0), LANES)
    places = counting(zero)
    for c in range(up_to(GROUP, last - first)):
        i = min(first + c, last - 1)
        words = max(end[i] - begin[i] - 1, 1) if of_means else 1
        share = 1 / W.dtype.type(words) if first + c < last else W.dtype.type(0)
        for x in range(0, W.shape[1], LANES):
            j = places + (x + left - i)  # how far from the target
            inside = (j - (begin[i] - i) + 1) * (end[i] - i - j) * (j * j)
            store(W, c, x, where_positive(inside, share, 0))


@njit(**INLINE)
def mark_window(R, W):
    """W (1, R): the share of each word."""
    share = 1 / W.dtype.type(R)
    for x in range(up_to(GROUP, R)):
        W[0, x] = share if x < R else 0


@njit(**INLINE)
def mark_whole(W, G, R):
    """W: 1 in place of each share."""
    for c in range(G):
        for x in range(0, R, LANES):
            store(W, c, x, where_positive(load(W, c, x, LANES), 1, 0))


@njit(**INLINE)
def mark_pairs(W, L, G, R, Q, M):
    """M (R, Q) = Wᵀ L: how often each pair counts."""
    for x in range(up_to(GROUP, R)):
        for q in range(0, Q, LANES):
            m = W[0, x] * load(L, 0, q, LANES)
            for c in range(1, G):
                m = m + W[c, x] * load(L, c, q, LANES)
            store(M, x, q, m)


# copies of rows that are used often


NO_COPIES = ((0, 0, 0), (0, 0, 0)), 2**62  # of V and of U; and after how many words they are joined


@njit(**INLINE)
def row_of(id, copies):
    """The row of an id, or its copy. copies : from which row on there are some, to which, and how far behind them"""
    begin, end, behind = copies
    return id + (behind if begin <= id < end else 0)


@njit(**INLINE)
def use_copies(ids, copies):
    """In place of each id the row that is used for it. Before anything is fetched: it would fetch the other row."""
    for x in range(len(ids)):
        ids[x] = row_of(ids[x], copies)


@njit(**FAST)
def join(table, copies):
    """Add to rows what their copies have learned, and begin anew. Behind the copies is what they began as."""
    begin, end, behind = copies
    for row in range(begin, end):
        copy, old = row + behind, row + behind + (end - begin)
        for d in range(0, table.shape[1], LANES):
            now = load(table, row, d, LANES) + (load(table, copy, d, LANES) - load(table, old, d, LANES))
            store(table, row, d, now)
            store(table, copy, d, now)
            store(table, old, d, now)


@njit(**INLINE)
def join_both(V, U, copies):
    """The same for what has copies of V and of U."""
    join(V, copies[0])
    join(U, copies[1])


# negative sampling


@njit(**INLINE)
def mark_negatives(outputs, begin, end, first, last, weight, L):
    """L: a target meets itself and all negatives but the same word. If there is no word beside it, it meets nothing."""
    K = len(outputs) - (last - first)
    clear(L, up_to(GROUP, last - first))
    for c in range(last - first):
        if end[first + c] - begin[first + c] > 1:
            L[c, K + c] = 1
            for k in range(K):
                L[c, k] = 0 if outputs[k] == outputs[K + c] else -weight


@njit(**INLINE)
def negative_sampling_block(V, U, words, begin, end, first, last, outputs, weight, each, exact, rate, ahead, room):
    """One step for the targets first to last of a text, on the words around each and K negatives for all.

    Parameters
    ----------
    V, U : float arrays (rows, D in whole vectors), updated in place
    words : int32 array, rows of V for the words of the text
    begin, end : int32 arrays; the window of word i is from begin[i] to end[i], without i itself
    first, last : int, at most TARGETS apart
    outputs : int32 array (K + last - first,), rows of U: first the negatives, then the targets
    weight : float, how much a negative counts
    each, exact : SKIP_GRAM, CBOW or CBOW_OF_WORD2VEC_C
    rate : float, η
    ahead : rows of as many outputs, which will be needed next; or None
    room : from ``room_for``

    Returns
    -------
    float : the loss of the block, a sum over its predictions; int : how many these are
    """
    left, right, pairs, means = reach_of(begin, end, first, last)
    G, R, Q = last - first, right - left, len(outputs)
    find_rows(words[left:right], room.inputs)
    find_rows(outputs, room.outputs)
    mark_windows(begin, end, first, last, left, each is None, room.W)
    mark_negatives(outputs, begin, end, first, last, weight, room.L)
    if each is not None:
        mark_pairs(room.W, room.L, G, R, Q, room.M)
        return step_of_words(V, room.inputs[:R], U, room.outputs[:Q], room.M, rate, ahead, room), pairs
    if exact is not None:
        return step_of_means(V, room.inputs[:R], U, room.outputs[:Q], G, rate, exact, ahead, room), means
    return 0.0, 0


@njit(**LOOP)
def negative_sampling_blocks(
    V, U, words, begin, end, reach, outputs, K, weight, each, exact, rate, copies, apart, room
):
    """Block after block of a text. words and outputs : rows, of copies where there are some; the outputs of a block
    come after those of the one before
    """
    loss, predictions = 0.0, 0
    for first in range(0, len(words), TARGETS):
        if first % apart == 0:
            join_both(V, U, copies)
        last, q = min(first + TARGETS, len(words)), first // TARGETS * (K + TARGETS)
        Q = K + last - first
        soon = min(q + K + TARGETS, len(outputs) - Q)
        fetch(V, words[last + reach : last + reach + TARGETS])
        block = begin, end, first, last, outputs[q : q + Q], weight, each, exact, rate
        more, n = negative_sampling_block(V, U, words, *block, outputs[soon : soon + Q], room)
        loss, predictions = loss + more, predictions + n
    join_both(V, U, copies)
    return loss, predictions


def learn_negative_sampling(V, U, words, begin, end, reach, outputs, K, weight, mean, rate, copies, apart):
    """All blocks of a text, with scratch for them."""
    room = room_for(TARGETS, TARGETS + 2 * reach, K + TARGETS, V)
    return negative_sampling_blocks(
        V, U, words, begin, end, reach, outputs, K, weight, *mean, rate, copies, apart, room
    )


# hierarchical softmax


@njit(**INLINE)
def mark_path(codes, L):
    """L (1, Q): a word is scored against the path to the target."""
    clear(L, 1)
    for p in range(len(codes)):
        L[0, p] = 1 - 2 * codes[p]


@njit(**INLINE)
def hierarchical_softmax_block(V, U, words, begin, end, i, nodes, codes, copies, each, exact, rate, ahead, room):
    """As ``negative_sampling_block``, for target i alone, so that there is no other word which its path is not for.

    nodes, codes : int32 and int8 arrays (Q,), the path: ids of U, and 0 where it takes the branch that σ is for
    copies : which of the nodes have copies, see ``row_of``
    """
    R, Q = end[i] - begin[i] - 1, len(nodes)
    if R == 0:
        return 0.0, 0
    find_rows_beside(words[begin[i] : end[i]], i - begin[i], room.inputs)
    find_rows(nodes, room.outputs)
    use_copies(room.outputs, copies)
    mark_path(codes, room.L)
    if each is not None:
        return step_of_words(V, room.inputs[:R], U, room.outputs[:Q], room.L[:1], rate, ahead, room), R
    if exact is not None:
        mark_window(R, room.W)
        return step_of_means(V, room.inputs[:R], U, room.outputs[:Q], 1, rate, exact, ahead, room), 1
    return 0.0, 0


@njit(**LOOP)
def hierarchical_softmax_blocks(
    V, U, words, begin, end, reach, nodes, codes, paths, each, exact, rate, copies, apart, room
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
        find_rows(nodes[soon : soon + Q], room.ahead)
        use_copies(room.ahead, copies[1])
        fetch(V, words[i + reach + 1 : i + reach + 2])
        block = begin, end, i, nodes[path], codes[path], copies[1], each, exact, rate
        more, n = hierarchical_softmax_block(V, U, words, *block, room.ahead[:Q], room)
        loss, predictions = loss + more, predictions + n
    join_both(V, U, copies)
    return loss, predictions


def learn_hierarchical_softmax(V, U, words, begin, end, reach, nodes, codes, paths, longest, mean, rate, copies, apart):
    """All targets of a text, with scratch for them."""
    room = room_for(1, 2 * reach, longest, V)
    return hierarchical_softmax_blocks(
        V, U, words, begin, end, reach, nodes, codes, paths, *mean, rate, copies, apart, room
    )


# some sentences: in Python, since the compiler would go over all that is called here once more, for seconds


def train_negative_sampling(
    V, U, ids, starts, keep, windows, copies, apart, mean, noise, K, weight, rate, state, noise_state
):
    """Thin out, window and train some sentences, in order.

    Parameters
    ----------
    V, U : float arrays (vocabulary, D in whole vectors), updated in place
    ids, starts : int32 (N,) and int64 (S + 1,); sentence s is ids[starts[s] : starts[s + 1]]
    keep : uint32 array (vocabulary,), the chance that a word is kept, times 2³²
    windows : the pair (largest reach, whether each window draws its own)
    copies : for V and U, which rows have copies that are used instead: see ``row_of`` and ``join``
    apart : int, after so many words they are joined; whole blocks
    mean : SKIP_GRAM, CBOW or CBOW_OF_WORD2VEC_C
    noise : uint64 array (vocabulary,), the columns of an alias table: see ``columns_of_noise``
    K : int, negatives of a block
    weight : float, how much each counts
    rate : float, η
    state, noise_state : uint64, of two generators

    Returns
    -------
    float64 : the sum of the losses; int : the number of predictions
    """
    words, begin, end, reach = draw_text(ids, starts, keep, windows, state)
    outputs = draw_outputs(words, TARGETS, noise, K, noise_state)
    use_copies(words, copies[0])
    use_copies(outputs, copies[1])
    return learn_negative_sampling(V, U, words, begin, end, reach, outputs, K, weight, mean, rate, copies, apart)


def train_hierarchical_softmax(V, U, ids, starts, keep, windows, copies, apart, mean, tree, rate, state):
    """As ``train_negative_sampling``, with the tree (starts, nodes, codes) of ``HuffmanTree``."""
    words, begin, end, reach = draw_text(ids, starts, keep, windows, state)
    _, nodes, codes = tree
    paths, longest = paths_to(words, tree)
    use_copies(words, copies[0])
    return learn_hierarchical_softmax(
        V, U, words, begin, end, reach, nodes, codes, paths, longest, mean, rate, copies, apart
    )
