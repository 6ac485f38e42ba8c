"""The training loop beside gensim, word2vec.c and torch: raw words per second and quality, in one run.

    python bench/training.py text.gz --similarity wordsim353.tsv --analogies questions-words.txt
    python bench/training.py text.gz ... --all --seeds 3 --epochs 5

The first compares one setting, skip-gram with negative sampling unless options say otherwise; the second, in hours, all
that the course's claims are about. Without a text it is the documentation of the installed libraries, whose own
analogies are asked.

All sides have the same window 5, t 1e-3, min_count 5, learning rates, and as many raw words. They take turns, each time
in a process of its own; each turn has a seed of its own, but for word2vec.c, which takes none. Timed is the training
loop alone: reading, the vocabulary and the compiler are not in it. The sides, of which --sides chooses some:

    handgrad        the compiled engine, threads that do not wait for each other (Hogwild)
    deterministic   the same with deterministic=True
    gensim          a list of sentences, all in memory
    gensim-file     corpus_file, which gensim's threads read themselves
    word2vec.c      the program of the PyPI package word2vec, built as it comes (gcc -Ofast -march=native)
    torch           skip-gram with negative sampling as a user writes it: sparse embeddings, 256 windows in a batch
    handgrad-torch  engine="torch", batches as large

The two last are stopped after --torch-seconds, and their vectors are not evaluated. For CBOW all have word2vec.c's
gradient, the only one that gensim has.
"""

import argparse
import shutil
import statistics
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from sides import Ratio, SideFailed, add_results_option, measured, plain_text, publish, start, take_turns

WINDOW, SUBSAMPLE, MIN_COUNT, RATE, LAST_RATE = 5, 1e-3, 5, 0.025, 1e-4
TORCH_WINDOWS = 256  # in a batch
COST_OF_DETERMINISM = 1.5  # at most so many times as long was asked for


@dataclass(frozen=True)
class Setting:
    """What all sides train; ``least`` is the ratio to gensim, with two workers and a list, that was asked for."""

    model: str = "skipgram"
    objective: str = "negative-sampling"
    dimension: int = 100
    negatives: int = 5
    threads: int = 2
    least: float = 0.0

    def __str__(self):
        noise = f", K {self.negatives}" if self.objective == "negative-sampling" else ""
        threads = f"{self.threads} thread{'s' * (self.threads > 1)}"
        return f"{self.model}, {self.objective}, D {self.dimension}{noise}, {threads}"


BOTH = ("handgrad", "gensim")
EVERY = ("handgrad", "deterministic", "gensim", "gensim-file", "word2vec.c", "torch", "handgrad-torch")
ALL = [
    (Setting(least=9), EVERY),
    (Setting(threads=1), ("handgrad", "gensim", "gensim-file", "word2vec.c")),
    (Setting(dimension=300, least=8), BOTH),
    (Setting(negatives=15, least=8), BOTH),
    (Setting("cbow", least=6), (*BOTH, "word2vec.c")),
    (Setting(objective="hierarchical-softmax", least=5), (*BOTH, "word2vec.c")),
    (Setting("cbow", "hierarchical-softmax", least=5), BOTH),
]


# one measurement: (vectors or None, raw words per second)


def handgrad_side(job, setting, **more):
    from handgrad.corpora import open_corpus
    from handgrad.word2vec import Trainer

    trainer = Trainer(configuration(job, setting, engine="compiled", **more))
    return trainer.fit(open_corpus(job.text)), trainer.words_per_second


def configuration(job, setting, **more):
    from handgrad.word2vec import TrainingConfig

    return TrainingConfig(
        model=setting.model, objective=setting.objective, dimension=setting.dimension, negatives=setting.negatives,
        cbow_gradient="word2vec.c", min_count=MIN_COUNT, subsample=SUBSAMPLE, window=WINDOW, learning_rate=RATE,
        min_learning_rate=LAST_RATE, epochs=job.epochs, threads=setting.threads, seed=job.seed, **more,
    )  # fmt: skip


def deterministic_side(job, setting):
    return handgrad_side(job, setting, deterministic=True)


def gensim_side(job, setting, from_file=False):
    from gensim.models.word2vec import LineSentence, Word2Vec

    from handgrad.word2vec import KeyedVectors

    tree = setting.objective == "hierarchical-softmax"
    model = Word2Vec(
        vector_size=setting.dimension, window=WINDOW, sample=SUBSAMPLE, min_count=MIN_COUNT, alpha=RATE,
        min_alpha=LAST_RATE, sg=int(setting.model == "skipgram"), hs=int(tree),
        negative=0 if tree else setting.negatives, workers=setting.threads, seed=job.seed,
    )  # fmt: skip
    text = {"corpus_file": job.text} if from_file else {"corpus_iterable": list(LineSentence(job.text))}
    model.build_vocab(**text)
    size = {"total_words": model.corpus_total_words} if from_file else {"total_examples": model.corpus_count}
    started = time.perf_counter()
    model.train(**text, **size, epochs=job.epochs)
    seconds = time.perf_counter() - started  # gensim's own figure counts words after thinning out
    return KeyedVectors(model.wv.index_to_key, model.wv.vectors), job.epochs * model.corpus_total_words / seconds


def gensim_file_side(job, setting):
    return gensim_side(job, setting, from_file=True)


def word2vec_c_side(job, setting):
    """Timed by what the program prints: which share of its run is behind, from the first such line to the last."""
    from handgrad.word2vec import KeyedVectors

    with TemporaryDirectory() as folder:
        vectors = Path(folder) / "vectors.bin"
        (began, first), *_, (ended, last) = word2vec_c_progress(job, setting, vectors)
        with open(job.text, encoding="utf-8") as file:
            words = sum(len(line.split()) for line in file)
        speed = job.epochs * words * (last - first) / (ended - began)
        return KeyedVectors.load_word2vec_format(vectors, binary=True), speed


def word2vec_c_progress(job, setting, vectors):
    """Run the program: a list of (time, share of the run that is behind)."""
    program = shutil.which("word2vec", path=Path(sys.executable).parent)
    if program is None:
        raise SideFailed("There is no word2vec.c here: pip install -r bench/requirements.txt, or run make bench.")
    tree = setting.objective == "hierarchical-softmax"
    options = {
        "train": job.text, "output": vectors, "binary": 1, "size": setting.dimension, "window": WINDOW,
        "sample": SUBSAMPLE, "min-count": MIN_COUNT, "alpha": RATE, "cbow": int(setting.model == "cbow"),
        "hs": int(tree), "negative": 0 if tree else setting.negatives, "threads": setting.threads,
        "iter": job.epochs,
    }  # fmt: skip
    command, seen = [program, *(str(part) for name, value in options.items() for part in (f"-{name}", value))], []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, bufsize=1) as process:
        for line in process.stdout:  # universal newlines: the program's carriage returns end lines too
            if "Progress:" in line:
                seen.append((time.perf_counter(), float(line.split("Progress:")[1].split("%")[0]) / 100))
    if process.returncode or len(seen) < 2:
        raise SideFailed(
            f"word2vec.c ended with status {process.returncode} and showed its progress {len(seen)} times, where 2 "
            "are needed: give a text of 100,000 words or more."
        )
    return seen


def torch_side(job, setting):
    """Batches of pairs and their negatives, two tables with sparse gradients, autograd, SGD."""
    import numpy as np
    import torch
    from torch.nn.functional import logsigmoid

    from handgrad.corpora import open_corpus
    from handgrad.word2vec import UnigramNoise, encode_text, keep_probabilities, pairs, window_batches

    if (setting.model, setting.objective) != ("skipgram", "negative-sampling"):
        raise SideFailed("The torch side does skip-gram with negative sampling alone: leave it out of --sides.")
    torch.set_num_threads(setting.threads)
    text, rng = encode_text(open_corpus(job.text), MIN_COUNT), np.random.default_rng(job.seed)
    counts, raw_words = text.vocabulary.counts, text.vocabulary.raw_words
    V, U = (torch.nn.Embedding(len(counts), setting.dimension, sparse=True) for _ in range(2))
    torch.nn.init.uniform_(V.weight, -0.5 / setting.dimension, 0.5 / setting.dimension)
    torch.nn.init.zeros_(U.weight)
    optimizer, noise = torch.optim.SGD([V.weight, U.weight], RATE), UnigramNoise(counts)
    keep, started, epoch = keep_probabilities(counts, raw_words, SUBSAMPLE), time.perf_counter(), 0
    while True:
        for inputs, targets, position in window_batches(text, TORCH_WINDOWS, WINDOW, (job.seed, epoch), keep):
            centers, contexts = pairs(inputs, targets)
            negatives = noise.draw(rng, (len(centers), setting.negatives))
            v = V(torch.from_numpy(centers))[:, :, None]  # (P, D, 1)
            positive = (U(torch.from_numpy(contexts))[:, None] @ v).squeeze()  # (P,)
            negative = (U(torch.from_numpy(negatives)) @ v).squeeze(2)  # (P, K)
            loss = -logsigmoid(positive).sum() - logsigmoid(-negative).sum()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if (seconds := time.perf_counter() - started) >= job.torch_seconds:
                return None, (epoch + position / len(text)) * raw_words / seconds
        epoch += 1


def handgrad_torch_side(job, setting):
    from handgrad.corpora import open_corpus
    from handgrad.word2vec import Callback, Trainer

    class Stop(Callback):
        def on_report(self, trainer):
            if trainer.seconds >= job.torch_seconds:
                trainer.stop("measured for long enough")

    config = configuration(
        job, setting, engine="torch", device="cpu", batch_size=TORCH_WINDOWS, report_every_words=20 * TORCH_WINDOWS
    )
    trainer = Trainer(config, [Stop()])
    trainer.fit(open_corpus(job.text))
    return None, trainer.words_per_second


SIDES = {
    "handgrad": handgrad_side,
    "deterministic": deterministic_side,
    "gensim": gensim_side,
    "gensim-file": gensim_file_side,
    "word2vec.c": word2vec_c_side,
    "torch": torch_side,
    "handgrad-torch": handgrad_torch_side,
}


def measure(side, setting, **job):
    job = argparse.Namespace(**job)
    vectors, speed = SIDES[side](job, Setting(**setting))
    return {"speed": speed, "quality": quality(vectors, job) if vectors else {}}


def quality(vectors, job):
    from handgrad.word2vec import documentation_analogies, word_analogies, word_similarity

    found = {Path(file).stem: word_similarity(vectors, file).spearman[0] for file in job.similarity}
    if job.analogies or job.documentation:
        questions = job.analogies or documentation_analogies()
        found["analogies, 30k"] = word_analogies(vectors, questions, restrict_vocab=30_000).total.accuracy
    return found


# comparisons


def compare(setting, sides, arguments, job):
    """The lines of one setting: handgrad beside each other side, and the deterministic mode beside the other."""
    sides, epochs = dict.fromkeys(["handgrad", *sides]), f"{arguments.epochs} epoch{'s' * (arguments.epochs > 1)}"
    length = f", {epochs} of {f'{arguments.words:,} words' if arguments.words else 'all'}"
    print(f"{setting}: {', '.join(sides)}", file=sys.stderr, flush=True)

    def run(side, turn):
        return measured({"side": side, "setting": asdict(setting), "seed": arguments.seed + turn, **job})

    results, failures = take_turns(sides, arguments.seeds, run)
    ours, lines = results.pop("handgrad", None), []
    for side, theirs in results.items() if ours else ():
        a, b, what, peer = ours, theirs, f"{setting}{length}", side
        least = setting.least if side == "gensim" else 0
        if side in ("torch", "handgrad-torch"):
            peer = f"{side}, for {arguments.torch_seconds:g} s"
        if side == "deterministic":
            a, b, what, peer, least = theirs, ours, f"{what}, deterministic", "Hogwild", 1 / COST_OF_DETERMINISM
        lines.append(Ratio(what, peer, speeds(a), speeds(b), "million raw words/s", least, beside(a, b)))
    return lines + failures


def speeds(results):
    return [result["speed"] / 1e6 for result in results]


def beside(ours, theirs):
    """What both sides' vectors are worth: mean and standard deviation over the seeds, a test a line."""
    return "\n".join(
        f"{name} {_spread(a)} and {_spread(b)}: {_judged(a, b)}"
        for name in ours[0]["quality"]
        if name in theirs[0]["quality"]
        for a, b in [[[result["quality"][name] for result in side] for side in (ours, theirs)]]
    )


def _spread(values):
    return f"{statistics.mean(values):.3f}" + (f" ± {statistics.stdev(values):.3f}" if len(values) > 1 else "")


def _judged(ours, theirs):
    if len(theirs) < 2:
        return "one seed says little"
    least = statistics.mean(theirs) - statistics.stdev(theirs)
    return f"{'no lower' if statistics.mean(ours) >= least else 'LOWER'} than theirs less one deviation"


def options():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("text", nargs="?", help="UTF-8, plain or .gz, one sentence a line")
    parser.add_argument("--similarity", action="append", default=[], metavar="FILE", help="may be given several times")
    parser.add_argument("--analogies", metavar="FILE")
    parser.add_argument("--all", action="store_true", help="all settings, instead of the one that the options name")
    parser.add_argument("--sides", nargs="+", choices=SIDES, help="default: gensim; with --all every side, or these")
    parser.add_argument("--model", choices=("skipgram", "cbow"), default="skipgram")
    parser.add_argument(
        "--objective", choices=("negative-sampling", "hierarchical-softmax"), default="negative-sampling"
    )
    parser.add_argument("--dimension", type=int, default=100)
    parser.add_argument("--negatives", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2, help="of each side; gensim calls them workers")
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=3, help="how many; each is one turn of each side")
    parser.add_argument("--seed", type=int, default=1, help="the first of them")
    parser.add_argument("--words", type=int, default=0, help="only so many words of the text, the first ones; 0: all")
    parser.add_argument("--torch-seconds", type=float, default=15)
    add_results_option(parser)
    return parser


def comparisons(arguments):
    """What is compared: (Setting, sides) each."""
    names = ("model", "objective", "dimension", "negatives", "threads")
    one = Setting(**{name: getattr(arguments, name) for name in names})
    asked = {_without_goal(setting): setting for setting, _ in ALL}
    if not arguments.all:
        return [(asked.get(one, one), arguments.sides or BOTH)]
    chosen = [(setting, [side for side in sides if side in (arguments.sides or sides)]) for setting, sides in ALL]
    return [(setting, sides) for setting, sides in chosen if sides]


def main():
    arguments = options().parse_args()
    job = {name: getattr(arguments, name) for name in ("similarity", "analogies", "epochs", "torch_seconds")}
    with plain_text(arguments.text, arguments.words) as text:
        job |= {"text": text, "documentation": not arguments.text}
        lines = [line for setting, sides in comparisons(arguments) for line in compare(setting, sides, arguments, job)]
    publish(lines, arguments.results)


def _without_goal(setting):
    return Setting(**{**asdict(setting), "least": 0.0})


if __name__ == "__main__":
    start(main, measure)
