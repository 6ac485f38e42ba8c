"""Skip-gram with negative sampling beside gensim: raw words per second and quality, in one run.

    python bench/training.py text.gz --similarity wordsim353.tsv --analogies questions-words.txt

Both train with D 100, window 5, K 5, t 1e-3, min_count 5. The two sides take turns, each time in a process of its own,
and each figure is the median. Timed is the training loop alone: reading, the vocabulary and the compiler are
not in it. gensim counts words after thinning out; here both count raw words. A ratio above 1 means that handgrad
is faster. The first turn's vectors are evaluated.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"


def handgrad_side(arguments):
    from handgrad.corpora import open_corpus
    from handgrad.word2vec import Trainer, TrainingConfig

    config = TrainingConfig(
        dimension=arguments.dimension,
        negatives=arguments.negatives,
        epochs=arguments.epochs,
        threads=arguments.threads,
        seed=arguments.seed,
        engine="compiled",
    )
    trainer = Trainer(config)
    return trainer.fit(open_corpus(arguments.text)), trainer.words_per_second


def gensim_side(arguments):
    from gensim.models.word2vec import LineSentence, Word2Vec

    from handgrad.word2vec import KeyedVectors

    sentences = list(LineSentence(arguments.text))  # a list, which gensim reads fastest
    model = Word2Vec(
        vector_size=arguments.dimension, window=5, negative=arguments.negatives, sg=1, sample=1e-3, min_count=5,
        workers=arguments.threads, seed=arguments.seed,
    )  # fmt: skip
    model.build_vocab(sentences)
    started = time.perf_counter()
    model.train(sentences, total_examples=model.corpus_count, epochs=arguments.epochs)
    seconds = time.perf_counter() - started
    words = arguments.epochs * model.corpus_total_words
    return KeyedVectors(model.wv.index_to_key, model.wv.vectors), words / seconds


SIDES = {"handgrad": handgrad_side, "gensim": gensim_side}


def quality(vectors, arguments):
    from handgrad.word2vec import word_analogies, word_similarity

    found = {Path(file).stem: word_similarity(vectors, file).spearman[0] for file in arguments.similarity}
    if arguments.analogies:
        found["analogies, 30k"] = word_analogies(vectors, arguments.analogies, restrict_vocab=30_000).total.accuracy
    return found


def measure(side, arguments, turn):
    """One side in a process of its own: raw words per second and, in the first turn, the quality."""
    command = [sys.executable, __file__, *sys.argv[1:], "--side", side, "--turn", str(turn)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("text", help="UTF-8, plain or .gz, one sentence a line")
    parser.add_argument("--similarity", action="append", default=[])
    parser.add_argument("--analogies")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--dimension", type=int, default=100)
    parser.add_argument("--negatives", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    parser.add_argument("--turn", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.side:
        vectors, speed = SIDES[arguments.side](arguments)
        print(json.dumps({"speed": speed, "quality": quality(vectors, arguments) if not arguments.turn else {}}))
        return
    speeds, qualities = {side: [] for side in SIDES}, {}
    for turn in range(arguments.turns):
        for side in SIDES:
            result = measure(side, arguments, turn)
            speeds[side].append(result["speed"])
            qualities.setdefault(side, result["quality"])
            print(f"{side:>9} {result['speed'] / 1e6:.3f} million raw words/s", flush=True)
    medians = {side: statistics.median(values) for side, values in speeds.items()}
    print(f"\n{arguments.threads} threads, D {arguments.dimension}, K {arguments.negatives}, {arguments.epochs} epochs")
    for side, median in medians.items():
        found = ", ".join(f"{name} {value:.3f}" for name, value in qualities[side].items())
        print(f"{side:>9} {median / 1e6:.3f} million raw words/s; {found}")
    print(f"    ratio {medians['handgrad'] / medians['gensim']:.2f}")


if __name__ == "__main__":
    main()
