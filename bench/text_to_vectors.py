"""From a text file to word vectors beside gensim, everything included: seconds of the whole process, in one run.

    python bench/text_to_vectors.py text.gz

A process starts Python, imports the library, reads the text, counts and encodes its words, trains an epoch of skip-gram
with negative sampling (D 100, window 5, K 5), and has the vectors. handgrad is measured twice, with the compiled
functions in their cache, as from the second run on, and with an empty cache, as in the very first run. gensim
reads corpus_file, its quickest way, and a list of sentences. Last comes what the compiler takes by itself: a run on a
few words with an empty cache, less the same with a full one, for each kind of compiled run.
"""

import argparse
import statistics
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from sides import Figure, Ratio, add_results_option, measured, plain_text, publish, start, take_turns

GOAL, MOST_COMPILE_SECONDS = 4, 15
SETTINGS = {"dimension": 100, "window": 5, "negatives": 5, "epochs": 1, "seed": 1}
COMPILED = {
    "negative sampling": {},
    "hierarchical softmax": {"objective": "hierarchical-softmax"},
    "negative sampling, deterministic": {"deterministic": True},
}


def handgrad_side(text, threads, **more):
    from handgrad.corpora import open_corpus
    from handgrad.word2vec import Trainer, TrainingConfig

    config = TrainingConfig(**{**SETTINGS, **more}, threads=threads, engine="compiled")
    return Trainer(config).fit(open_corpus(text))


def gensim_side(text, threads, from_file=True):
    from gensim.models.word2vec import LineSentence, Word2Vec

    source = {"corpus_file": text} if from_file else {"sentences": list(LineSentence(text))}
    return Word2Vec(**source, vector_size=100, window=5, negative=5, sg=1, epochs=1, seed=1, workers=threads).wv


def measure(side, began, **job):
    """Seconds from the moment in which the other process started this one."""
    vectors = gensim_side(**job) if side.startswith("gensim") else handgrad_side(**job)
    seconds = time.time() - began
    return {"seconds": seconds, "words": len(vectors)}


def timed(job, cache=None):
    return measured({**job, "began": time.time()}, {"NUMBA_CACHE_DIR": cache} if cache else {})


def compile_seconds(text, more):
    """What the first call takes longer than the second one."""
    with TemporaryDirectory() as cache:
        job = {"side": "handgrad", "text": text, "threads": 1, "min_count": 1, "subsample": 0, **more}
        first, second = (timed(job, cache)["seconds"] for _ in range(2))
    return first - second


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", nargs="?", help="UTF-8, plain or .gz, one sentence a line; else the documentation")
    parser.add_argument("--threads", type=int, default=2, help="of each side")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--compiled", nargs="*", choices=COMPILED, default=list(COMPILED), help="kinds to be compiled")
    add_results_option(parser)
    arguments = parser.parse_args()
    with plain_text(arguments.text) as text, TemporaryDirectory() as folder:
        jobs = {
            "handgrad": {},
            "handgrad, nothing compiled yet": {},
            "gensim, corpus_file": {"from_file": True},
            "gensim, a list of sentences": {"from_file": False},
        }

        def run(side, turn):
            job = {"side": side, "text": text, "threads": arguments.threads, **jobs[side]}
            if side != "handgrad, nothing compiled yet":
                return timed(job)
            with TemporaryDirectory() as empty:
                return timed(job, empty)

        timed({"side": "handgrad", "text": text, "threads": arguments.threads})  # fills the cache
        results, failures = take_turns(jobs, arguments.turns, run)
        lines = comparisons(results, f"text file to vectors, {arguments.threads} threads")
        few = Path(folder) / "few.txt"
        few.write_text("a few words that are here twice a few words that are here twice\n", encoding="utf-8")
        for what in arguments.compiled:
            seconds = compile_seconds(str(few), COMPILED[what])
            limit = f"asked for: under {MOST_COMPILE_SECONDS}"
            held = seconds < MOST_COMPILE_SECONDS
            lines.append(Figure(f"first call compiles, {what}", seconds, "s", limit, held))
    publish(lines + failures, arguments.results)


def comparisons(results, what):
    """handgrad, warm and cold, beside the quicker of gensim's two ways."""
    theirs = min(
        (side for side in results if side.startswith("gensim")),
        key=lambda side: statistics.median(result["seconds"] for result in results[side]),
        default=None,
    )
    lines = []
    for ours in results:
        if ours.startswith("handgrad") and theirs:
            words = {results[side][0]["words"] for side in (ours, theirs)}
            assert len(words) == 1, f"the sides have different vocabularies: {words} words"
            least = GOAL if ours == "handgrad" else 0
            label = what + ours.removeprefix("handgrad")
            lines.append(Ratio(label, theirs, runs(results[ours]), runs(results[theirs]), "runs/min", least))
    return lines


def runs(results):
    """More is better in a Ratio, so not seconds, but how many such runs a minute has."""
    return [60 / result["seconds"] for result in results]


if __name__ == "__main__":
    start(main, measure)
