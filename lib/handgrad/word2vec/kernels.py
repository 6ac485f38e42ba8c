"""word2vec, compiled: the arithmetic of the gates, in loops that stay in the cache and in the registers.

Source: Mikolov et al. (2013), Distributed Representations of Words and Phrases and their Compositionality. That
neighboring windows share their negatives is from Ji et al. (2016), Parallelizing Word2Vec in Shared and Distributed
Memory, and Rengasamy et al. (2017), Optimizing Word2Vec Performance on Multicore Systems.

The text is worked on in blocks. With the R input vectors of a block in the rows of A, and the Q output vectors in
the rows of B, skip-gram is three small matrix products:

    S = B Aᵀ               (Q, R)  the scores
    E = η (label - σ(S))   (Q, R)  as often as the pair counts
    U += E A, V += Eᵀ B            for the rows that are in the block

For CBOW, the rows of A are mixed first, H = W A, and what H should move by goes back the same way, Wᵀ Eᵀ B.

For negative sampling, a block is G neighboring targets, the words within reach of them, and K negatives that all of
them share. For hierarchical softmax it is one target, and the nodes on the path to it. All scores are computed before
anything is updated, so a block is exactly one step of the gates ``SkipGram`` or ``CBOW`` and ``NegativeSampling`` or
``HierarchicalSoftmax``; tests compare them.
"""

import numpy as np
from numba import njit, types
from numba.extending import overload

from handgrad.word2vec.simd import CACHE_LINE, LANES, fma, load, spread, store, total

TARGETS = 5  # G: targets in a block of negative sampling
GROUP = 5  # rows whose sums are in registers at a time
# Sums may be taken in any order, so that the compiler can use vector instructions; what is no number stays no number.
ANY_ORDER = {"reassoc", "contract", "nsz", "arcp"}
FAST = {"fastmath": ANY_ORDER, "nogil": True, "cache": True, "error_model": "numpy"}
# What is done with the words of a window. For None numba compiles skip-gram alone, and not the other branch.
SKIP_GRAM, CBOW, CBOW_OF_WORD2VEC_C = None, True, False


# σ and its logarithm


def polynomial(f, begin, end, degree):
    """Coefficients, the constant first, of a polynomial that is close to f between begin and end."""
    x = begin + (end - begin) * (np.cos(np.linspace(0, np.pi, 1000)) + 1) / 2
    series = np.polynomial.Chebyshev.fit(x, f(x), degree, domain=[begin, end])
    return tuple(np.float32(c) for c in series.convert(kind=np.polynomial.Polynomial).coef)


LOG_2 = np.float32(np.log(2))
EXP = polynomial(np.exp, -np.log(2) / 2, np.log(2) / 2, 5)
LOG1P = polynomial(lambda e: np.log1p(e) / e, 1e-9, 1, 6)  # of log(1 + e) / e
LOWEST = np.float32(-80)  # e to this is still a normal number of 32 bits, and nothing beside 1


def exp_and_log1p(a):
    """e = exp(a) and log(1 + e), for a of at most 0. In 32 bits, each is wrong by less than 2 millionths of it."""
    raise NotImplementedError("For compiled code.")


@overload(exp_and_log1p, jit_options={"fastmath": ANY_ORDER})
def _exp_and_log1p(a):
    def exact(a):
        e = np.exp(a)
        return e, np.log1p(e)

    def close(a):
        """exp(k log 2 + r) = 2ᵏ exp(r): the bits of 2ᵏ are put together, the rest is a polynomial."""
        a = max(a, LOWEST)
        k = np.floor(a / LOG_2 + np.float32(0.5))
        r = a - k * LOG_2
        p0, p1, p2, p3, p4, p5 = EXP
        power_of_2 = np.int32((np.int32(k) + np.int32(127)) << np.int32(23)).view(np.float32)
        e = (p0 + r * (p1 + r * (p2 + r * (p3 + r * (p4 + r * p5))))) * power_of_2
        q0, q1, q2, q3, q4, q5, q6 = LOG1P
        return e, e * (q0 + e * (q1 + e * (q2 + e * (q3 + e * (q4 + e * (q5 + e * q6))))))

    return close if a == types.float32 else exact


@njit(**FAST)
def errors(E, M, Q, rate):
    """Turn the scores in the first Q rows of E into what each pair moves by, E = η |M| (label - σ(S)).

    M says how often a pair counts, with a minus for those whose label is 0. Returns the loss, -Σ |M| log σ(±S).
    """
    Q = up_to(GROUP, Q)
    e, m = E[:Q].reshape(-1), M[:Q].reshape(-1)  # one long loop is quicker than Q short ones
    zero, one = E.dtype.type(0), E.dtype.type(1)
    loss = zero
    for i in range(len(e)):
        s = e[i] if m[i] > 0 else -e[i]
        small, log = exp_and_log1p(-abs(s))
        loss += abs(m[i]) * (max(-s, zero) + log)  # -log σ(s)
        e[i] = rate * m[i] * ((small if s > 0 else one) / (one + small))  # 1 - σ(s)
    return np.float64(loss)


# matrix products


@njit(**FAST)
def gather(table, rows, A):
    """A = table[rows]"""
    for x in range(len(rows)):
        for d in range(0, A.shape[1], LANES):
            store(A, x, d, load(table, rows[x], d))


@njit(**FAST)
def scores(B, A, E, Q, R):
    """E = B Aᵀ, Q rows of B and R of A: five times two at a time."""
    zero = spread(A.dtype.type(0))
    for q in range(0, Q, GROUP):
        for x in range(0, R, 2):
            s0 = s1 = s2 = s3 = s4 = t0 = t1 = t2 = t3 = t4 = zero
            for d in range(0, A.shape[1], LANES):
                a, b = load(A, x, d), load(A, x + 1, d)
                y = load(B, q, d)
                s0, t0 = fma(y, a, s0), fma(y, b, t0)
                y = load(B, q + 1, d)
                s1, t1 = fma(y, a, s1), fma(y, b, t1)
                y = load(B, q + 2, d)
                s2, t2 = fma(y, a, s2), fma(y, b, t2)
                y = load(B, q + 3, d)
                s3, t3 = fma(y, a, s3), fma(y, b, t3)
                y = load(B, q + 4, d)
                s4, t4 = fma(y, a, s4), fma(y, b, t4)
            E[q, x], E[q + 1, x], E[q + 2, x], E[q + 3, x], E[q + 4, x] = (
                total(s0), total(s1), total(s2), total(s3), total(s4)
            )  # fmt: skip
            E[q, x + 1], E[q + 1, x + 1], E[q + 2, x + 1], E[q + 3, x + 1], E[q + 4, x + 1] = (
                total(t0), total(t1), total(t2), total(t3), total(t4)
            )  # fmt: skip


@njit(**FAST)
def add_product(table, rows, E, A, R):
    """table[rows] += E A, R columns of E: five rows at a time. A row that is there twice is added to twice.

    If the rows are not a multiple of five, those of E that are too many must be 0: they are added to the last one.
    """
    zero, one, last = spread(A.dtype.type(0)), spread(A.dtype.type(1)), len(rows) - 1
    for q in range(0, len(rows), GROUP):
        for d in range(0, A.shape[1], LANES):
            y0 = y1 = y2 = y3 = y4 = zero
            for x in range(R):
                a = load(A, x, d)
                y0, y1 = fma(spread(E[q, x]), a, y0), fma(spread(E[q + 1, x]), a, y1)
                y2, y3 = fma(spread(E[q + 2, x]), a, y2), fma(spread(E[q + 3, x]), a, y3)
                y4 = fma(spread(E[q + 4, x]), a, y4)
            row = rows[q]
            store(table, row, d, fma(one, y0, load(table, row, d)))
            row = rows[min(q + 1, last)]
            store(table, row, d, fma(one, y1, load(table, row, d)))
            row = rows[min(q + 2, last)]
            store(table, row, d, fma(one, y2, load(table, row, d)))
            row = rows[min(q + 3, last)]
            store(table, row, d, fma(one, y3, load(table, row, d)))
            row = rows[min(q + 4, last)]
            store(table, row, d, fma(one, y4, load(table, row, d)))


# one step


@njit(**FAST)
def room_for(G, R, Q, V):
    """Scratch for blocks of at most G windows, R inputs and Q outputs; for means, R must be Q or more.

    Returns
    -------
    A (R, D) input vectors, B (Q, D) output vectors, H and dH (G, D) the means of windows and what these move by, E and
    M (Q, R) or, for means, (G, Q), W (G, R) which input is in which window, order: 0, 1, 2, …

    All have some rows and columns more, since GROUP or LANES are worked on at a time.
    """
    D, wide = V.shape[1], up_to(LANES, max(up_to(GROUP, R), up_to(GROUP, G), R + 1, G + 1))
    G, Q = up_to(GROUP, G), up_to(GROUP, max(G, Q))
    A, B, H, dH = lines(R + 1, D, V), lines(Q + 1, D, V), lines(G, D, V), lines(G, D, V)
    return A, B, H, dH, lines(Q, wide, V), lines(Q, wide, V), lines(G, wide, V), np.arange(G)


@njit(**FAST)
def up_to(multiple, n):
    return (n + multiple - 1) // multiple * multiple


@njit(**FAST)
def lines(rows, columns, V):
    """Zeros of the type of V, from the beginning of a line of the cache."""
    room = np.zeros(rows * columns + CACHE_LINE, V.dtype)
    start = (-room.ctypes.data) % CACHE_LINE // V.itemsize
    return room[start : start + rows * columns].reshape(rows, columns)


@njit(**FAST)
def step(V, inputs, U, outputs, rate, room):
    """One step of skip-gram: ``inputs`` (R,) predict ``outputs`` (Q,), as often as M (Q, R) says. Returns the loss."""
    A, B, _, _, E, M, _, _ = room
    R, Q = len(inputs), len(outputs)
    gather(V, inputs, A)
    gather(U, outputs, B)
    scores(B, A, E, Q, R)
    loss = errors(E, M, Q, rate)
    add_product(U, outputs, E, A, R)
    add_product(V, inputs, E.T, B, Q)
    return loss


@njit(**FAST)
def step_of_means(V, inputs, U, outputs, G, rate, exact, room):
    """One step of CBOW: the means of G windows, marked in W (G, R), predict ``outputs``, as often as M (G, Q) says."""
    A, B, H, dH, E, M, W, order = room
    R, Q = len(inputs), len(outputs)
    gather(V, inputs, A)
    gather(U, outputs, B)
    for c in range(G):
        words = max(W[c, :R].sum(), W.dtype.type(1))
        for x in range(R):
            W[c, x] /= words
    H[:G], dH[:G] = 0, 0
    add_product(H, order[:G], W, A, R)
    scores(H, B, E, G, Q)
    loss = errors(E, M, G, rate)
    add_product(U, outputs, E.T, H, G)
    add_product(dH, order[:G], E, B, Q)
    if not exact:  # word2vec.c: each word moves by all of it
        for c in range(G):
            for x in range(R):
                W[c, x] = W[c, x] > 0
    add_product(V, inputs, W.T, dH, G)
    return loss


# Where M and W have rows and columns that nothing is in, they must be 0; so the marks fill them up to GROUP and LANES.


@njit(**FAST)
def mark_windows(begin, end, first, last, left, W):
    """W[c, x] = 1 where the word left + x is in the window of first + c, else 0. Returns how many there are."""
    pairs = 0
    for c in range(up_to(GROUP, last - first)):
        i = first + c
        since = until = here = np.int32(0)
        if i < last:
            since, until, here = np.int32(begin[i] - left), np.int32(end[i] - left), np.int32(i - left)
            pairs += until - since - 1
        for x in range(W.shape[1]):
            place = np.int32(x)
            W[c, x] = (place >= since) & (place < until) & (place != here)
    return pairs


# negative sampling


@njit(**FAST)
def mark_pairs(outputs, K, weight, W, M):
    """M (Q, R) for skip-gram: a target meets its window, a negative all windows but those of the same word."""
    Q, X = len(outputs), M.shape[1]
    for q in range(K, up_to(GROUP, Q)):
        for x in range(X):
            M[q, x] = W[q - K, x] if q < Q else 0
    if K == 0:
        return
    for x in range(X):
        M[0, x] = 0
    for q in range(K, Q):
        for x in range(X):
            M[0, x] -= weight * M[q, x]
    for k in range(1, K):
        for x in range(X):
            M[k, x] = M[0, x]
    for q in range(K, Q):
        hits = 0
        for k in range(K):
            hits += outputs[k] == outputs[q]
        for k in range(K if hits else 0):
            if outputs[k] == outputs[q]:  # an accidental hit does not count
                for x in range(X):
                    M[k, x] += weight * M[q, x]


@njit(**FAST)
def mark_means(outputs, K, weight, W, M):
    """M (G, Q) for CBOW: a mean meets its target, and all negatives but the same word. Returns how many means."""
    G, means = len(outputs) - K, 0
    for c in range(up_to(GROUP, G)):
        for q in range(M.shape[1]):
            M[c, q] = 0
        if c < G and W[c].sum() > 0:  # else there is no other word, and no mean
            means += 1
            M[c, K + c] = 1
            for k in range(K):
                M[c, k] = 0 if outputs[k] == outputs[K + c] else -weight
    return means


@njit(**FAST)
def negative_sampling_block(V, U, words, begin, end, first, last, outputs, weight, mean, rate, room):
    """One step for the targets first to last of a text, on the words around each and K negatives for all.

    Parameters
    ----------
    V, U : float arrays (rows, D in whole vectors), updated in place
    words : int32 array, the rows of V of the text
    begin, end : int32 arrays; the window of word i is from begin[i] to end[i], without i itself
    first, last : int, at most TARGETS apart
    outputs : int32 array (K + last - first,), rows of U: first the negatives, then the targets
    weight : float, how much a negative counts
    mean : SKIP_GRAM, CBOW or CBOW_OF_WORD2VEC_C
    rate : float, η
    room : from ``room_for``

    Returns
    -------
    float : the loss of the block, a sum over its predictions; int : how many these are
    """
    M, W = room[5:7]
    K, left, right = len(outputs) - (last - first), begin[first], end[first]
    for i in range(first + 1, last):
        left, right = min(left, begin[i]), max(right, end[i])
    pairs = mark_windows(begin, end, first, last, left, W)
    if mean is None:
        mark_pairs(outputs, K, weight, W, M)
        return step(V, words[left:right], U, outputs, rate, room), pairs
    means = mark_means(outputs, K, weight, W, M)
    return step_of_means(V, words[left:right], U, outputs, last - first, rate, mean, room), means


@njit(**FAST)
def learn_negative_sampling(V, U, words, begin, end, reach, outputs, K, weight, mean, rate):
    """Block after block of a text: its outputs are those of the blocks, one after another."""
    room = room_for(TARGETS, max(TARGETS + 2 * reach, K + TARGETS), K + TARGETS, V)
    loss, predictions = 0.0, 0
    for first in range(0, len(words), TARGETS):
        last, q = min(first + TARGETS, len(words)), first // TARGETS * (K + TARGETS)
        more, n = negative_sampling_block(
            V, U, words, begin, end, first, last, outputs[q : q + K + last - first], weight, mean, rate, room
        )
        loss, predictions = loss + more, predictions + n
    return loss, predictions


# hierarchical softmax


@njit(**FAST)
def mark_path(codes, R, M):
    """M (R, L): a code of 0 is the branch that σ is the probability of."""
    for x in range(up_to(GROUP, R)):
        for q in range(M.shape[1]):
            M[x, q] = 0
        if x < R:
            for q in range(len(codes)):
                M[x, q] = 1 - 2 * codes[q]


@njit(**FAST)
def hierarchical_softmax_block(V, U, words, begin, end, i, nodes, codes, mean, rate, room):
    """One step for target i: as ``negative_sampling_block``, with the nodes (rows of U) and codes of its path.

    Most paths are longer than most windows are wide, so they change places: ``step`` takes A from U and B from V.
    """
    M, W, inputs = room[5], room[6], np.empty(end[i] - begin[i] - 1, words.dtype)
    R = len(inputs)
    for x in range(R):
        j = begin[i] + x
        inputs[x] = words[j if j < i else j + 1]
    if R == 0:
        return 0.0, 0
    if mean is None:
        mark_path(codes, R, M)
        return step(U, nodes, V, inputs, rate, room), R
    mark_path(codes, 1, M)
    for c in range(GROUP):
        for x in range(W.shape[1]):
            W[c, x] = c == 0 and x < R
    return step_of_means(V, inputs, U, nodes, 1, rate, mean, room), 1


@njit(**FAST)
def learn_hierarchical_softmax(V, U, words, begin, end, reach, nodes, codes, starts, mean, rate):
    """Target after target of a text: the path to target i is nodes and codes from starts[i] to starts[i + 1]."""
    longest = max(2 * reach, np.max(np.diff(starts)) if len(words) else 0)
    room = room_for(1, longest, longest, V)
    loss, predictions = 0.0, 0
    for i in range(len(words)):
        path = slice(starts[i], starts[i + 1])
        more, n = hierarchical_softmax_block(V, U, words, begin, end, i, nodes[path], codes[path], mean, rate, room)
        loss, predictions = loss + more, predictions + n
    return loss, predictions


# what chance decides


@njit(**FAST)
def next_random(state):
    """A linear congruential generator (Knuth's MMIX); its upper 32 bits are good enough for noise."""
    return state * np.uint64(6364136223846793005) + np.uint64(1442695040888963407)


@njit(**FAST)
def draw_words(ids, starts, keep, windows, state, words, begin, end):
    """Keep some words of some sentences, and draw how far the window of each reaches.

    Fills ``words``, ``begin`` and ``end`` from the start; returns how many there are, and the generator's new state.
    """
    window, dynamic = windows
    n = 0
    for s in range(len(starts) - 1):
        start = n
        for word in ids[starts[s] : starts[s + 1]]:
            state = next_random(state)
            if state >> np.uint64(32) <= keep[word]:
                reach = np.int64(window)
                if dynamic:  # 1 + ⌊u · window⌋, with a u from bits that the first draw did not use
                    reach = 1 + np.int64((state & np.uint64(0xFFFFFFFF)) * np.uint64(window) >> np.uint64(32))
                words[n], begin[n], end[n] = word, max(n - reach, start), min(n + reach + 1, np.int64(len(words)))
                n += 1
        for i in range(max(n - window, start), n):
            end[i] = min(end[i], n)  # now it is known where the sentence ends
    return n, state


@njit(**FAST)
def draw_negatives(noise, state, negatives):
    """Fill ``negatives`` by the alias method: one draw for the column, one for which of its two words."""
    own, alias = noise
    for k in range(len(negatives)):
        state = next_random(state)
        column = np.int64((state >> np.uint64(32)) * np.uint64(len(own)) >> np.uint64(32))
        state = next_random(state)
        negatives[k] = column if state >> np.uint64(32) < own[column] else alias[column]
    return state


@njit(**FAST)
def draw_text(ids, starts, keep, windows, state):
    """The words that are kept, where their windows begin and end, and how far the farthest of these can reach."""
    words, begin, end = np.empty(len(ids), np.int32), np.empty(len(ids), np.int32), np.empty(len(ids), np.int32)
    n, _ = draw_words(ids, starts, keep, windows, state, words, begin, end)
    return words[:n], begin[:n], end[:n], min(windows[0], np.max(np.diff(starts)))


@njit(**FAST)
def draw_outputs(words, noise, K, state):
    """For each block of TARGETS words its K negatives, then these words."""
    blocks = up_to(TARGETS, len(words)) // TARGETS
    outputs = np.empty(len(words) + blocks * K, np.int32)
    for block in range(blocks):
        q = block * (K + TARGETS)
        state = draw_negatives(noise, state, outputs[q : q + K])
        targets = words[block * TARGETS : (block + 1) * TARGETS]
        for c in range(len(targets)):
            outputs[q + K + c] = targets[c]
    return outputs


@njit(**FAST)
def paths_to(words, tree):
    """The paths to some words, one after another: nodes, codes, where each begins, and where the last one ends."""
    starts = np.zeros(len(words) + 1, np.int64)
    for i in range(len(words)):
        starts[i + 1] = starts[i] + tree[0][words[i] + 1] - tree[0][words[i]]
    nodes, codes = np.empty(starts[-1], np.int32), np.empty(starts[-1], np.int8)
    for i in range(len(words)):
        for j in range(starts[i + 1] - starts[i]):
            nodes[starts[i] + j] = tree[1][tree[0][words[i]] + j]
            codes[starts[i] + j] = tree[2][tree[0][words[i]] + j]
    return nodes, codes, starts


# some sentences


@njit(**FAST)
def train_negative_sampling(V, U, ids, starts, keep, windows, mean, noise, K, weight, rate, state, noise_state):
    """Thin out, window and train some sentences, in order.

    Parameters
    ----------
    V, U : float arrays (vocabulary, D in whole vectors), updated in place
    ids, starts : int32 (N,) and int64 (S + 1,); sentence s is ids[starts[s] : starts[s + 1]]
    keep : uint32 array (vocabulary,), the chance that a word is kept, times 2³²
    windows : the pair (largest reach, whether each window draws its own)
    mean : SKIP_GRAM, CBOW or CBOW_OF_WORD2VEC_C
    noise : the pair (uint32 chance of a column's own word, times 2³²; int32 alias), each (vocabulary,)
    K : int, negatives of a block
    weight : float, how much each counts
    rate : float, η
    state, noise_state : uint64, of two generators

    Returns
    -------
    float64 : the sum of the losses; int : the number of predictions
    """
    words, begin, end, reach = draw_text(ids, starts, keep, windows, state)
    outputs = draw_outputs(words, noise, K, noise_state)
    return learn_negative_sampling(V, U, words, begin, end, reach, outputs, K, weight, mean, rate)


@njit(**FAST)
def train_hierarchical_softmax(V, U, ids, starts, keep, windows, mean, tree, rate, state):
    """As ``train_negative_sampling``, with the tree (starts, nodes, codes) of ``HuffmanTree``."""
    words, begin, end, reach = draw_text(ids, starts, keep, windows, state)
    nodes, codes, paths = paths_to(words, tree)
    return learn_hierarchical_softmax(V, U, words, begin, end, reach, nodes, codes, paths, mean, rate)


# Several pieces of a text, learned as if the others were not there: a row that two of them use is copied for each. The
# copies lie in the table itself, behind its rows.


@njit(**FAST)
def different(ids, place):
    """The different ids as they come, and how often each is there. place : int32 array with -1 for each id, scratch"""
    known, uses, n = np.empty(len(ids), np.int32), np.zeros(len(ids), np.int32), 0
    for id in ids:
        if place[id] < 0:
            place[id], known[n] = n, id
            n += 1
        uses[place[id]] += 1
    for id in known[:n]:
        place[id] = -1  # as it was
    return known[:n], uses[:n]


@njit(**FAST)
def note_users(rows, uses, way, noted):
    """Note for each row how many pieces use it, how often, and how far they will go together. See ``add_changes``."""
    pieces, times, ways = noted
    for x in range(len(rows)):
        pieces[rows[x]] += 1
        times[rows[x]] += uses[x]
        ways[rows[x]] += way[min(uses[x], len(way) - 1)]


@njit(**FAST)
def copy_shared(table, rows, pieces, behind, ids, place):
    """Copy those rows that other pieces use too, to ``behind`` and after it, and put the copies into ``ids``."""
    copies = 0
    for row in rows:
        if pieces[row] > 1:
            place[row] = behind + copies
            for d in range(0, table.shape[1], LANES):
                store(table, behind + copies, d, load(table, row, d))
            copies += 1
    for i in range(len(ids)):
        if place[ids[i]] >= 0:
            ids[i] = place[ids[i]]
    for row in rows:
        place[row] = -1  # as it was


@njit(**FAST)
def keep_changes(table, rows, pieces, behind):
    """In place of each copy, by what it differs from the row."""
    minus = spread(table.dtype.type(-1))
    for row in rows:
        if pieces[row] > 1:
            for d in range(0, table.shape[1], LANES):
                store(table, behind, d, fma(minus, load(table, row, d), load(table, behind, d)))
            behind += 1


@njit(**FAST)
def add_changes(table, rows, way, noted, behind, share, shares):
    """Change the rows that are this share's, as far as steps one after another would have gone.

    A copy that is used n times goes a part of the way to where it wants the row, way[n]. What several copies want is
    much the same for a row that all use often, and their sum would go far beyond it.
    """
    pieces, times, ways = noted
    for row in rows:
        if pieces[row] > 1:
            if row % shares == share:
                part = spread(table.dtype.type(way[min(times[row], len(way) - 1)] / ways[row]))
                for d in range(0, table.shape[1], LANES):
                    store(table, row, d, fma(part, load(table, behind, d), load(table, row, d)))
            behind += 1


@njit(**FAST)
def forget_users(rows, noted):
    pieces, times, ways = noted
    for row in rows:
        pieces[row], times[row], ways[row] = 0, 0, 0
