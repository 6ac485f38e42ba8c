"""How near training comes to what the cores can do: its flops per second over those of a matrix product, in one run.

    python bench/roofline.py text.gz

The peak is what NumPy's product of two float32 matrices of 2,048 x 2,048 reaches with as many threads. The flops
of the kernel are counted from the text, not measured. A block of skip-gram with negative sampling is TARGETS
neighboring targets, the words in their windows, and K negatives that all of them share. Its products S = B Aᵀ,
U += E A and V += Eᵀ B take 2 D flops each for each entry of E. Counted are only the entries that are wanted: a target
with a word of its window, and a negative with a word that is in some window of the block. Not counted: entries that
are computed because the block is a rectangle, numbers that fill up registers, σ, and drawing. They take time, and so
lower the fraction.
"""

import argparse
import time

from sides import Figure, Ratio, add_results_option, measured, plain_text, publish, start, take_turns

SIZE, PRODUCTS = 2048, 10
PRODUCTS_OF_A_BLOCK, FLOPS = 3, 2  # S, U and V; a multiplication and an addition
GOAL = 0.4
SAMPLE = 1_000_000  # words, from which the entries for a word are counted


def kernel_side(text, threads, dimension, negatives):
    from handgrad.corpora import open_corpus
    from handgrad.word2vec import Trainer, TrainingConfig

    config = TrainingConfig(dimension=dimension, negatives=negatives, epochs=1, threads=threads, engine="compiled")
    trainer = Trainer(config)
    trainer.fit(open_corpus(text))
    words = trainer.text.vocabulary.raw_words
    flops = PRODUCTS_OF_A_BLOCK * FLOPS * dimension * entries(trainer.text, config) / words
    return {"flops": flops * trainer.words_per_second, "of_a_word": flops, "words": trainer.words_per_second}


def entries(text, config):
    """How many entries of E an epoch wants, from those of the first words of the text."""
    from handgrad.word2vec import keep_probabilities, window_batches
    from handgrad.word2vec.engines.compiled.kernels import TARGETS

    keep, wanted, behind = keep_probabilities(text.vocabulary.counts, text.vocabulary.raw_words, config.subsample), 0, 1
    for inputs, _, behind in window_batches(text, TARGETS, config.window, config.seed, keep, config.dynamic_window):
        wanted += wanted_entries(inputs, config.negatives)
        if behind >= SAMPLE:
            break
    return wanted / behind * len(text)


def wanted_entries(inputs, negatives):
    """Of a block: windows (G, C), -1 for none, left to right, so that row c, column j is the word c + offset of j."""
    import numpy as np

    seen = inputs >= 0
    reach = inputs.shape[1] // 2
    offsets = np.array([j for j in range(-reach, reach + 1) if j])
    places = np.arange(len(inputs))[:, None] + offsets
    return np.count_nonzero(seen) + negatives * len(np.unique(places[seen]))


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
        speeds = [[result["flops"] / 1e9 for result in results[side]] for side in ("kernel", "peak")]
        what = f"useful flops, D {arguments.dimension}, K {arguments.negatives}, {arguments.threads} threads"
        lines = [
            Ratio(what, f"NumPy's product of {SIZE:,} x {SIZE:,}", *speeds, "GFLOP/s", GOAL),
            Figure("useful flops for a raw word", results["kernel"][0]["of_a_word"], "flops"),
        ]
    publish(lines + failures, arguments.results)


if __name__ == "__main__":
    start(main, measure)
