"""σ and its logarithm, for vectors of numbers, and what they make of scores: for the kernels."""

import numpy as np
from numba import njit, types
from numba.extending import overload

from handgrad.word2vec.engines.compiled.aligned import up_to
from handgrad.word2vec.engines.compiled.compiling import INLINE, LANES
from handgrad.word2vec.engines.compiled.products import GROUP
from handgrad.word2vec.engines.compiled.simd import (
    absolute,
    copysign,
    exp,
    floor,
    horizontal_sum,
    load,
    log,
    power_of_2,
    select,
    splat,
    store,
)


def polynomial(f, begin, end, degree):
    """Coefficients, the constant first, of a polynomial that is close to f between begin and end."""
    x = begin + (end - begin) * (np.cos(np.linspace(0, np.pi, 1000)) + 1) / 2
    series = np.polynomial.Chebyshev.fit(x, f(x), degree, domain=[begin, end])
    return tuple(np.float32(c) for c in series.convert(kind=np.polynomial.Polynomial).coef)


LOG_2 = np.float32(np.log(2))
EXP = polynomial(np.exp, -np.log(2) / 2, np.log(2) / 2, 5)
LOG1P = polynomial(lambda e: np.log1p(e) / e, 1e-9, 1, 6)  # of log(1 + e) / e
HALF = np.float32(0.5)
LOWEST = np.float32(-80)  # e to this is still a normal number of 32 bits, and nothing beside 1


def exp_and_log1p(a):
    """e = exp(a) and log(1 + e), for a of at most 0. In 32 bits, each is wrong by less than 2 millionths of it.

    a : a number or a vector of them
    """
    raise NotImplementedError("For compiled code.")


@overload(exp_and_log1p, jit_options={"fastmath": {"contract"}})
def _exp_and_log1p(a):
    def exact(a):
        """Also where 1 + e is rounded, to u, this is log(1 + e): log(u) / (u - 1) hardly differs for the u beside."""
        e = exp(a)
        u = e + 1
        return e, select(u - 1, log(u) * e / (u - 1), e)

    def close(a):
        """exp(k log 2 + r) = 2ᵏ exp(r), and exp(r) is a polynomial."""
        a = select(LOWEST - a, LOWEST, a)
        k = floor(a / LOG_2 + HALF)
        r = a - k * LOG_2
        p0, p1, p2, p3, p4, p5 = EXP
        e = (p0 + r * (p1 + r * (p2 + r * (p3 + r * (p4 + r * p5))))) * power_of_2(k)
        q0, q1, q2, q3, q4, q5, q6 = LOG1P
        return e, e * (q0 + e * (q1 + e * (q2 + e * (q3 + e * (q4 + e * (q5 + e * q6))))))

    return close if getattr(a, "dtype", a) == types.float32 else exact


@njit(**INLINE)
def errors(E, M, R, Q, rate):
    """Turn scores, Q in each of the first R rows of E, into what each pair moves by, E = η |M| (label - σ(S)).

    M says how often a pair counts, with a minus for those whose label is 0; one row of it is for all.
    Returns the loss, -Σ |M| log σ(±S).
    """
    zero = splat(E.dtype.type(0), LANES)
    one, loss = zero + 1, zero
    for x in range(R):
        for q in range(0, Q, LANES):
            m = load(M, min(x, len(M) - 1), q, zero)
            s = copysign(one, m) * load(E, x, q, zero)
            small, log = exp_and_log1p(zero - absolute(s))
            loss = loss + absolute(m) * (select(s, zero, zero - s) + log)  # -log σ(s)
            store(E, x, q, rate * m * (select(s, small, 1) / (small + 1)))  # 1 - σ(s)
    for x in range(R, up_to(GROUP, R)):
        for q in range(0, Q, LANES):
            store(E, x, q, zero)
    return np.float64(horizontal_sum(loss))
