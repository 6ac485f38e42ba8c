"""NCE and sampled softmax, compiled: one step for a batch whose rows all share the same noise.

Source: Gutmann and Hyvärinen (2010), Noise-Contrastive Estimation; Jean et al. (2015), On Using Very Large Target
Vocabulary for Neural Machine Translation.

With the P input vectors of the batch in the rows of A, and those of the m noise words in the rows of S, the work is
three matrix products, A Sᵀ, E S and Eᵀ A. They are large enough for BLAS, which numba calls. What is left is done
in one pass each: NumPy would go over the (P, m) scores a dozen times.
"""

import numpy as np
from numba import njit

from handgrad.word2vec.engines.compiled.compiling import FAST
from handgrad.word2vec.engines.compiled.logistic import exp_and_log1p


@njit(**FAST)
def sampled_step(V, U, b, inputs, labels, sampled, true_expected, sampled_expected, softmax, remove_hits, mean, rate):
    """One step of plain SGD on the loss of the gates ``NCE`` or ``SampledSoftmax``, for one label a row.

    Parameters
    ----------
    V, U : float arrays (vocabulary, D), updated in place
    b : float array (vocabulary,), updated in place
    inputs, labels : int arrays (P,)
    sampled : int array (m,)
    true_expected, sampled_expected : float arrays (P,) and (m,), expected counts
    softmax : bool, sampled softmax, otherwise NCE
    remove_hits : bool, pass over noise that is the label of a row, in that row
    mean : bool, the loss is the mean over the rows, otherwise their sum
    rate : float, η

    Returns
    -------
    float64 : the sum of the losses
    """
    P, m = len(inputs), len(sampled)
    A, S, T = taken(V, inputs), taken(U, sampled), taken(U, labels)  # (P, D), (m, D), (P, D)
    E = A @ S.T  # (P, m)  the scores, then what they move by
    true = true_scores(A, T, b, labels) - np.log(true_expected)  # (P,)
    corrections = b[sampled] - np.log(sampled_expected)  # (m,)
    for p in range(P):
        add(E[p], 1, corrections)
        if remove_hits:
            for q in range(m):
                if sampled[q] == labels[p]:
                    E[p, q] = -np.inf
    rate = rate / P if mean else rate
    loss = softmax_errors(E, true, rate) if softmax else logistic_errors(E, true, rate)

    dA, dS, db = E @ S, E.T @ A, np.zeros(m, E.dtype)  # (P, D), (m, D), (m,)
    for p in range(P):  # a row that is there twice is added to twice
        add(dA[p], true[p], T[p])
        add(V[inputs[p]], 1, dA[p])
        add(U[labels[p]], true[p], A[p])
        b[labels[p]] += true[p]
        add(db, 1, E[p])
    for q in range(m):
        add(U[sampled[q]], 1, dS[q])
        b[sampled[q]] += db[q]
    return loss


@njit(**FAST)
def sampled_steps(
    V, U, b, inputs, labels, true_expected, ends, sampled, sampled_expected, softmax, remove_hits, mean, rates
):
    """Step after step for n batches, whose rows lie one after another: the losses, a float64 array (n,).

    ends : int array (n + 1,); batch i has the rows from ends[i] to ends[i + 1] of inputs, labels and true_expected,
        and the row i of sampled and sampled_expected, (n, m)
    rates : float array (n,)
    """
    losses = np.empty(len(rates), np.float64)
    for i in range(len(rates)):
        rows = slice(ends[i], ends[i + 1])
        expected = true_expected[rows], sampled_expected[i]
        losses[i] = sampled_step(
            V, U, b, inputs[rows], labels[rows], sampled[i], *expected, softmax, remove_hits, mean, rates[i]
        )
    return losses


@njit(**FAST)
def add(y, e, x):
    """y += e x"""
    for d in range(len(y)):
        y[d] += e * x[d]


@njit(**FAST)
def taken(table, rows):
    """table[rows]"""
    A = np.zeros((len(rows), table.shape[1]), table.dtype)
    for x in range(len(rows)):
        add(A[x], 1, table[rows[x]])
    return A


@njit(**FAST)
def true_scores(A, T, b, labels):
    """a_p · t_p + b_label of each row"""
    scores = np.empty(len(A), A.dtype)
    for p in range(len(A)):
        score = A.dtype.type(0)
        for d in range(A.shape[1]):
            score += A[p, d] * T[p, d]
        scores[p] = score + b[labels[p]]
    return scores


@njit(**FAST)
def logistic_errors(E, true, rate):
    """Turn the scores into η (label - σ), in place, and return the sum of -log σ(±score)."""
    zero, one = E.dtype.type(0), E.dtype.type(1)
    total = 0.0
    for p in range(len(E)):
        small, log = exp_and_log1p(-abs(true[p]))
        total += max(-true[p], zero) + log
        true[p] = rate * ((small if true[p] > 0 else one) / (one + small))
        loss = zero
        for q in range(E.shape[1]):
            s = E[p, q]
            small, log = exp_and_log1p(-abs(s))
            loss += max(s, zero) + log
            E[p, q] = -rate * ((one if s > 0 else small) / (one + small))
        total += loss
    return total


@njit(**FAST)
def softmax_errors(E, true, rate):
    """Turn the scores into η (label - softmax), in place, and return the sum of -log softmax of the labels."""
    loss = 0.0
    for p in range(len(E)):
        highest = true[p]
        for q in range(E.shape[1]):
            highest = max(highest, E[p, q])
        right, _ = exp_and_log1p(true[p] - highest)
        sum_ = right
        for q in range(E.shape[1]):
            E[p, q], _ = exp_and_log1p(E[p, q] - highest)
            sum_ += E[p, q]
        loss += highest + np.log(sum_) - true[p]
        true[p] = rate * (1 - right / sum_)
        for q in range(E.shape[1]):
            E[p, q] *= -rate / sum_
    return loss
