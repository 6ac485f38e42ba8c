"""Counting and encoding a text, beside gensim's build_vocab on the same file: ratio of times, and memory, in one run.

    python bench/vocabulary.py text.gz

The text is UTF-8, plain or .gz, one sentence a line. handgrad reads it once, counts, and writes all ids and sentences;
gensim reads it once and counts, and will split the text into words again in each epoch. Each measurement is a
process of its own; the two sides take turns. A ratio above 1 means that handgrad is faster.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time

MIN_COUNT = 5


def handgrad_side(path):
    from handgrad.corpora import text_file
    from handgrad.word2vec.text.encoding import encode_text

    text = text_file(path)
    started = time.perf_counter()
    vocabulary = encode_text(text, MIN_COUNT).vocabulary
    return time.perf_counter() - started, vocabulary.raw_words, vocabulary.index_to_key, vocabulary.counts.tolist()


def gensim_side(path):
    from gensim.models.word2vec import LineSentence, Word2Vec

    model = Word2Vec(min_count=MIN_COUNT, vector_size=1)  # build_vocab makes the vectors too: next to none
    started = time.perf_counter()
    model.build_vocab(LineSentence(path))
    seconds = time.perf_counter() - started
    words = model.wv.index_to_key
    return seconds, model.corpus_total_words, words, [model.wv.get_vecattr(word, "count") for word in words]


SIDES = {"handgrad": handgrad_side, "gensim": gensim_side}


def measure(side, path):
    """Run this file for one side alone: its seconds, its peak memory, and what it counted."""
    done = subprocess.run([sys.executable, __file__, path, "--side", side], stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("text", help="a UTF-8 text, plain or .gz, one sentence a line")
    parser.add_argument("--repeats", type=int, default=5, help="measurements of each side")
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.side:
        seconds, raw_words, words, counts = SIDES[arguments.side](arguments.text)
        unit = 2**20 if sys.platform == "darwin" else 2**10  # bytes there, kilobytes elsewhere
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit  # MB, imports included
        counted = sorted(zip(words, map(int, counts), strict=True))  # the order of equal counts may differ
        print(json.dumps({"seconds": seconds, "peak": peak, "words": raw_words, "counted": counted}))
        return
    results = {side: [] for side in SIDES}
    for _ in range(arguments.repeats):
        for side, measured in results.items():
            measured.append(measure(side, arguments.text))
    ours, theirs = results["handgrad"][0], results["gensim"][0]
    assert (ours["words"], ours["counted"]) == (theirs["words"], theirs["counted"]), "the two count differently"
    print(f"{ours['words']:,} words, of which {len(ours['counted']):,} different ones occur {MIN_COUNT} times or more")
    medians = {side: statistics.median(run["seconds"] for run in runs) for side, runs in results.items()}
    for side, runs in results.items():
        seconds, peak = [run["seconds"] for run in runs], max(run["peak"] for run in runs)
        span = f"{min(seconds):.2f} to {max(seconds):.2f}"
        print(f"{side:10} {medians[side]:6.2f} s ({span})   peak memory {peak:5.0f} MB")
    print(f"ratio      {medians['gensim'] / medians['handgrad']:6.2f}")


if __name__ == "__main__":
    main()
