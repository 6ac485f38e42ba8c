"""What each idea of the compiled engine brings: skip-gram with negative sampling, from the plain kernel to the fast.

    python bench/kernels.py text.gz

The sides, in the order in which the package ``engines/compiled`` is read. Each has what the one before it has, and one
idea more, and the ratio is that of the two; the last lines compare the whole way.

    pairs          ``plain.py``: pair after pair, each with K negatives of its own, one thread
    shared         a block is a target with its window, which share K negatives; its products are simple loops
    blocks         four neighboring targets in a block, with more negatives that count less
    registers      products whose sums, or rows, stay in registers: the engine with one thread
    threads        the engine with several threads, which all use the same rows
    copies         each thread has copies of frequent rows: the engine with several threads (Hogwild)
    deterministic  pieces of the text that do not depend on each other: the same bits with any number of threads

All are trained by the same trainer, an epoch of the same text; drawing words and negatives is part of it, reading the
text and the compiler are not.
"""

import argparse
import itertools
import math
from pathlib import Path
from tempfile import TemporaryDirectory

from numba import njit
from sides import Ratio, add_results_option, measured, plain_text, publish, start, take_turns

from handgrad.corpora import open_corpus
from handgrad.word2vec import Trainer, TrainingConfig
from handgrad.word2vec.engines.compiled import negative_sampling, plain, steps
from handgrad.word2vec.engines.compiled.compiling import INLINE
from handgrad.word2vec.engines.compiled.draws import draw_text
from handgrad.word2vec.engines.compiled.hogwild import HogwildEngine

IDEAS = {
    "pairs": "the plain kernel",
    "shared": "a window shares its negatives",
    "blocks": "four targets in a block",
    "registers": "products in registers",
    "threads": "several threads",
    "copies": "copies of frequent rows",
    "deterministic": "deterministic pieces",
}
ONE_THREAD = {"pairs", "shared", "blocks", "registers"}
COMPILED_APART = {"shared", "blocks"}  # of the engine's functions, with other ones in their place


# products as a reader would write them


@njit(**INLINE)
def scores(A, B, rows, E, R, Q):
    """As ``products.scores``: E = A B[rows]ᵀ"""
    for x in range(R):
        for q in range(Q):
            s, row = A.dtype.type(0), rows[q]
            for d in range(A.shape[1]):
                s += A[x, d] * B[row, d]
            E[x, q] = s


@njit(**INLINE)
def add_product(table, rows, E, A, places, R, ahead=None, fresh=None, many=True):
    """As ``products.add_product`` for skip-gram: table[rows] += E A[places], R columns of E"""
    for q in range(len(rows)):
        for x in range(R):
            row, error, place = rows[q], E[q, x], places[x]  # in the inner loop numba would read them again and again
            for d in range(table.shape[1]):
                table[row, d] += error * A[place, d]


# the sides


def train_pairs(V, U, ids, starts, keep, windows, copies, apart, model, noise, rate, state, noise_state):
    """As ``negative_sampling.train``, by the plain kernel: 0.0 for the loss, which it does not know, and 1."""
    words, begin, end, _ = draw_text(ids, starts, keep, windows, state)
    plain.train_pairs(V, U, words, begin, end, noise.columns, noise.K, rate, noise_state)
    return 0.0, 1


def leave_out(side, negatives):
    """Take from the engine what comes after an idea."""
    if side in ("pairs", "shared"):
        negative_sampling.NEGATIVES = {"skipgram": negatives}  # no more than were asked for
    if side == "pairs":
        negative_sampling.train = train_pairs
    if side == "shared":
        negative_sampling.TARGETS = 1
    if side in ("shared", "blocks"):
        steps.scores, steps.add_product = scores, add_product


class WithoutCopies(HogwildEngine):
    """All threads use the same rows."""

    OFTEN = math.inf


def measure(side, text, threads, dimension, negatives):
    """Raw words per second."""
    leave_out(side, negatives)
    config = TrainingConfig(
        dimension=dimension, negatives=negatives, epochs=1, engine="compiled", deterministic=side == "deterministic",
        threads=1 if side in ONE_THREAD else threads,
    )  # fmt: skip
    trainer = Trainer(config, engine_class=WithoutCopies if side == "threads" else None)
    trainer.fit(open_corpus(text))
    return {"words": trainer.words_per_second}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", nargs="?", help="UTF-8, plain or .gz, one sentence a line; else the documentation")
    parser.add_argument("--threads", type=int, default=2, help="where there are several")
    parser.add_argument("--dimension", type=int, default=100)
    parser.add_argument("--negatives", type=int, default=5)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--sides", nargs="+", choices=IDEAS, default=list(IDEAS))
    add_results_option(parser)
    arguments = parser.parse_args()
    sides = [side for side in IDEAS if side in arguments.sides]
    names = ("threads", "dimension", "negatives")
    with plain_text(arguments.text) as text, TemporaryDirectory() as folder:
        job = {"text": text, **{name: getattr(arguments, name) for name in names}}

        def run(side, turn):
            cache = {"NUMBA_CACHE_DIR": str(Path(folder) / side)} if side in COMPILED_APART else {}
            return measured({"side": side, **job}, cache)["words"] / 1e6

        results, failures = take_turns(sides, arguments.turns, run)
    steps_of_way = [(later, earlier) for earlier, later in itertools.pairwise(results)]
    whole_way = [(later, "pairs") for later in ("registers", "copies", "deterministic")]
    compared = dict.fromkeys(steps_of_way + [pair for pair in whole_way if set(pair) <= set(results)])
    lines = [
        Ratio(described(side, arguments), described(peer, arguments), results[side], results[peer], "million words/s")
        for side, peer in compared
    ]
    publish(lines + failures, arguments.results)


def described(side, arguments):
    threads = "one thread" if side in ONE_THREAD else f"{arguments.threads} threads"
    return f"{side}: {IDEAS[side]}, {threads}"


if __name__ == "__main__":
    start(main, measure)
