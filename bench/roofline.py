"""How near training comes to what the cores can do: its flops per second over those of a matrix product, in one run.

    python bench/roofline.py text.gz

The peak is what NumPy's product of two float32 matrices of 2,048 x 2,048 reaches with as many threads. The flops
of the kernel are counted from the text, not measured. A block of skip-gram with negative sampling is TARGETS
neighboring targets, the words from the leftmost to the rightmost of their windows, and negatives that all of them
share. Its products S = A Bᵀ, U += Eᵀ A and V += E B take 2 D flops each for each entry of E. Entries are counted in
three ways:

    done      all that the kernel computes: each word of a block with each of its outputs
    gensim's  those that a loop over pairs computes for the same windows: 1 + K for each pair of words
    wanted    a target with each word of its window, and K negatives that the block shares with each word that is in
              some window of it

Not counted in any of them: numbers that fill up registers, σ, and drawing. They take time, and so lower the fraction.
"""

import argparse
import time

from sides import Figure, Ratio, add_results_option, measured, plain_text, publish, start, take_turns

SIZE, PRODUCTS = 2048, 10
PRODUCTS_OF_A_BLOCK, FLOPS = 3, 2  # S, U and V; a multiplication and an addition
GOAL = 0.4
SAMPLE = 1_000_000  # words, from which the entries for a word are counted
COUNTED = ("done", "gensim's", "wanted")


def kernel_side(text, threads, dimension, negatives):
    from handgrad.corpora import open_corpus
    from handgrad.word2vec import Trainer, TrainingConfig

    config = TrainingConfig(dimension=dimension, negatives=negatives, epochs=1, threads=threads, engine="compiled")
    trainer = Trainer(config)
    trainer.fit(open_corpus(text))
    flops = PRODUCTS_OF_A_BLOCK * FLOPS * dimension * entries(trainer) / trainer.vocabulary.raw_words
    return {"of_a_word": flops.tolist(), "words": trainer.words_per_second}


def entries(trainer):
    """How many entries of E an epoch has, counted in each way, from the first words of the text."""
    import numpy as np

    from handgrad.word2vec.engines.compiled.draws import draw_text
    from handgrad.word2vec.engines.compiled.negative_sampling import TARGETS

    text, engine = trainer.text, trainer.engine
    starts = text.starts[: np.searchsorted(text.starts, SAMPLE, side="right")]
    ids = np.asarray(text.ids[: starts[-1]])
    _, begin, end, _ = draw_text(ids, starts, engine.keep, engine.windows, np.uint64(1))
    counted = np.zeros(len(COUNTED))
    for first in range(0, len(begin), TARGETS):
        block = slice(first, first + TARGETS)
        counted += entries_of(first, begin[block], end[block], engine.noise_or_tree.K, trainer.config.negatives)
    return counted / len(ids) * len(text)


def entries_of(first, begin, end, drawn, negatives):
    """Of a block whose targets are the words ``first`` and after it, with windows from ``begin`` to ``end``."""
    windows = [set(range(a, b)) - {i} for i, (a, b) in enumerate(zip(begin, end, strict=True), first)]
    pairs = sum(map(len, windows))
    done = (max(end) - min(begin)) * (drawn + len(windows))
    return done, pairs * (1 + negatives), pairs + negatives * len(set.union(*windows))


def peak_side(threads):
    """The best of some products: what disturbs one of them does not lower the peak."""
    import numpy as np

    a, b = (np.random.default_rng(i).standard_normal((SIZE, SIZE), dtype=np.float32) for i in range(2))
    c, times = a @ b, []
    for _ in range(PRODUCTS):
        started = time.perf_counter()
        np.matmul(a, b, out=c)
        times.append(time.perf_counter() - started)
    return {"flops": FLOPS * SIZE**3 / min(times)}


def measure(side, **job):
    return kernel_side(**job) if side == "kernel" else peak_side(job["threads"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", nargs="?", help="UTF-8, plain or .gz, one sentence a line; else the documentation")
    parser.add_argument("--threads", type=int, default=2, help="of both")
    parser.add_argument("--dimension", type=int, default=100)
    parser.add_argument("--negatives", type=int, default=5)
    parser.add_argument("--turns", type=int, default=3)
    add_results_option(parser)
    arguments = parser.parse_args()
    names = ("threads", "dimension", "negatives")
    with plain_text(arguments.text) as text:
        job = {"text": text, **{name: getattr(arguments, name) for name in names}}

        def run(side, turn):
            return measured({"side": side, **job}, {"OMP_NUM_THREADS": str(arguments.threads)})

        results, failures = take_turns(("kernel", "peak"), arguments.turns, run)
    lines = []
    if not failures:
        peaks, kernel = [result["flops"] / 1e9 for result in results["peak"]], results["kernel"]
        setting = f"D {arguments.dimension}, K {arguments.negatives}, {arguments.threads} threads"
        for i, counted in enumerate(COUNTED):
            speeds = [result["of_a_word"][i] * result["words"] / 1e9 for result in kernel]
            peer = f"NumPy's product of {SIZE:,} x {SIZE:,}"
            lines.append(Ratio(f"flops that are {counted}, {setting}", peer, speeds, peaks, "GFLOP/s", GOAL))
            lines.append(Figure(f"flops that are {counted}, for a raw word", kernel[0]["of_a_word"][i], "flops"))
    publish(lines + failures, arguments.results)


if __name__ == "__main__":
    start(main, measure)
