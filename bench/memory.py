"""Peak memory of a training run, and what a large vocabulary costs: made-up texts, in one run.

    python bench/memory.py

The texts are words drawn by Zipf's law (the word of rank r with a chance in proportion to 1 / r), and each word of the
vocabulary once, so that it is as large as it should be. Both texts have the same number of words, and there is no
min_count. Memory is the peak of the whole process: Python, NumPy, numba, the vocabulary's words and the text's ids
among it. Beside it stands what Python and the imported libraries have before anything is read, and, on Linux, how
much memory are pages of the libraries' files at the end: the system shares them between processes, and takes them back.
"""

import argparse
import resource
import statistics
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from sides import Figure, Ratio, add_results_option, measured, publish, start, take_turns

SMALL, LARGE = 10**4, 10**6  # different words
SENTENCE = 20  # words
MB = 10**6
ROOM = 100  # MB, beside model and text
MOST_SLOWDOWN = 2


def write_text(path, words, different):
    """Words by Zipf's law, one sentence a line, written a million at a time."""
    import numpy as np

    rng = np.random.default_rng(different)
    shares = 1 / np.arange(1, different + 1)
    edges = np.cumsum(shares / shares.sum())
    with open(path, "w", encoding="ascii") as file:
        drawn = max(words - different, 0)
        for n in [10**6] * (drawn // 10**6) + [drawn % 10**6]:
            _write_sentences(file, np.searchsorted(edges, rng.random(n)).clip(max=different - 1))
        _write_sentences(file, rng.permutation(different))  # each word once


def _write_sentences(file, ids):
    names = [f"w{i}" for i in ids]
    file.writelines(" ".join(names[i : i + SENTENCE]) + "\n" for i in range(0, len(names), SENTENCE))


def peak_memory():
    """Of this process so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / MB


def pages_of_files():
    """Of this process now, in MB; 0 where the system does not say."""
    status = Path("/proc/self/status")
    lines = status.read_text(encoding="utf-8").splitlines() if status.exists() else []
    return sum(int(line.split()[1]) * 1024 / MB for line in lines if line.startswith("RssFile:"))


def measure(side, text, words, different, threads, dimension):
    """Writing the text is a measurement too, in a process of its own: a peak is never forgotten."""
    if side == "write":
        write_text(text, words, different)
        return {}
    from handgrad.corpora import open_corpus
    from handgrad.word2vec import Trainer, TrainingConfig
    from handgrad.word2vec.engines.compiled import hogwild  # noqa: F401

    libraries = peak_memory()
    config = TrainingConfig(dimension=dimension, min_count=1, epochs=1, threads=threads, engine="compiled")
    trainer = Trainer(config)
    trainer.fit(open_corpus(text))
    assert len(trainer.vocabulary) == different
    model = sum(parameter.value.nbytes for parameter in trainer.network.parameters)
    found = {
        "speed": trainer.words_per_second,
        "peak": peak_memory(),
        "libraries": libraries,
        "model": model / MB,
        "text": 4 * len(trainer.text) / MB,
    }
    del trainer  # and with it the map of the ids
    return found | {"files": pages_of_files()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--words", type=int, default=5_000_000, help="of each text")
    parser.add_argument("--vocabularies", type=int, nargs=2, default=(SMALL, LARGE), metavar="V")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--dimension", type=int, default=100)
    parser.add_argument("--turns", type=int, default=3)
    add_results_option(parser)
    arguments = parser.parse_args()
    if max(arguments.vocabularies) > arguments.words:
        parser.error("--words is at least as large as both vocabularies, since each word is there once")
    with TemporaryDirectory() as folder:
        jobs = {
            V: {"text": str(Path(folder) / f"{V}.txt"), "different": V, "words": arguments.words}
            | {"threads": arguments.threads, "dimension": arguments.dimension}
            for V in arguments.vocabularies
        }
        for job in jobs.values():
            measured({"side": "write", **job})
        results, failures = take_turns(jobs, arguments.turns, lambda V, turn: measured({"side": f"V {V:,}", **jobs[V]}))
    lines = [line for V, runs in results.items() for line in memory_lines(V, runs)]
    if not failures:
        small, large = ([run["speed"] / 1e6 for run in results[V]] for V in arguments.vocabularies)
        names = [f"V = {V:,}" for V in arguments.vocabularies]
        lines.append(Ratio(f"speed with {names[1]}", names[0], large, small, "million words/s", 1 / MOST_SLOWDOWN))
    publish(lines + failures, arguments.results)


def memory_lines(V, runs):
    peak, libraries, model, text, files = (
        statistics.median(run[name] for run in runs) for name in ("peak", "libraries", "model", "text", "files")
    )
    more = peak - model - text
    limit = f"asked for: at most {ROOM} MB"
    return [
        Figure(f"V = {V:,}: peak memory, of which model {model:.0f} MB, ids {text:.0f} MB", peak, "MB"),
        Figure(f"V = {V:,}: beside model and ids, libraries included", more, "MB", limit, more <= ROOM),
        Figure(f"V = {V:,}: the same without Python and libraries ({libraries:.0f} MB)", more - libraries, "MB"),
        Figure(f"V = {V:,}: pages of libraries' files, at the end", files, "MB"),
    ]


if __name__ == "__main__":
    start(main, measure)
