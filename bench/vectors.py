"""Word vectors beside gensim's: neighbors, files and analogies, the ratio of their times in one run.

    python bench/vectors.py

A ratio above 1 means that handgrad is faster. Both take turns, in one process, on the same random vectors; each figure
is the median. That both sides give the same results is checked first.
"""

import argparse
import logging
import statistics
import tempfile
import time
import tracemalloc
from pathlib import Path

import numpy as np
from gensim.models import KeyedVectors as GensimVectors

from handgrad.word2vec import KeyedVectors

D = 100


def both(V):
    """The same random vectors in handgrad and in gensim, which has not computed their lengths yet."""
    rng = np.random.default_rng(0)
    words = [f"word{i}" for i in range(V)]
    vectors = rng.standard_normal((V, D), dtype=np.float32)
    vectors[V // 2 :] += 2 * vectors[: V - V // 2]  # so that analogies have answers
    ours, theirs = KeyedVectors(words, vectors), GensimVectors(D)
    theirs.vectors, theirs.index_to_key, theirs.key_to_index = vectors, words, ours.key_to_index
    return ours, theirs


def seconds(call):
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def compare(name, ours, theirs, times):
    """Print the median seconds of both, in turns."""
    measured = [(seconds(ours), seconds(theirs)) for _ in range(times)]
    a, b = (statistics.median(column) for column in zip(*measured, strict=True))
    print(f"{name:42} {a:9.3f} s {b:9.3f} s {b / a:7.2f}")


def neighbors(V, times):
    ours, theirs = both(V)
    compare(f"first call of most_similar, V = {V:,}", lambda: ours.most_similar(0), lambda: theirs.most_similar(0), 1)
    found, expected = ours.most_similar("word7"), theirs.most_similar("word7")
    assert [word for word, _ in found] == [word for word, _ in expected]
    compare("the calls after it", lambda: ours.most_similar("word7"), lambda: theirs.most_similar("word7"), times)
    tracemalloc.start()
    ours.most_similar("word7")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    print(f"memory for a call: {peak / 1e6:.0f} MB, beside vectors of {ours.vectors.nbytes / 1e6:.0f} MB")


def files(V, times):
    ours, theirs = both(V)
    with tempfile.TemporaryDirectory() as folder:
        a, b = (str(Path(folder) / name) for name in ("ours", "theirs"))
        for binary in (True, False):
            kind = "binary" if binary else "text"
            compare(
                f"write {V:,} words, {kind}",
                lambda binary=binary: ours.save_word2vec_format(a, binary=binary),
                lambda binary=binary: theirs.save_word2vec_format(b, binary=binary),
                times,
            )
            assert Path(a).read_bytes() == Path(b).read_bytes()
            compare(
                f"read {V:,} words, {kind}",
                lambda: KeyedVectors.load_word2vec_format(a),
                lambda binary=binary: GensimVectors.load_word2vec_format(b, binary=binary),
                times,
            )


def analogies(V, questions):
    """Questions about pairs of words that are near each other; Google's test has ten times as many."""
    ours, theirs = both(V)
    pairs = np.random.default_rng(1).integers(0, V // 2, (questions, 2))
    asked = [(f"word{a}", f"word{V // 2 + a}", f"word{c}", f"word{V // 2 + c}") for a, c in pairs]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "questions.txt"
        path.write_text(": pairs\n" + "".join(" ".join(q) + "\n" for q in asked), encoding="utf-8")
        scores = {}
        compare(
            f"{questions:,} analogies, V = {V:,}",
            lambda: scores.update(ours=ours.evaluate_word_analogies(path)[0]),
            lambda: scores.update(theirs=theirs.evaluate_word_analogies(str(path))[0]),
            1,
        )
        assert abs(scores["ours"] - scores["theirs"]) < 2e-3  # rounding decides where two words are equally near


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=5, help="for each comparison")
    times = parser.parse_args().times
    logging.getLogger("gensim").setLevel(logging.ERROR)
    print(f"{'':42} {'handgrad':>11} {'gensim':>11} {'ratio':>7}")
    neighbors(1_000_000, times)
    files(100_000, times)
    analogies(82_000, 2_000)


if __name__ == "__main__":
    main()
