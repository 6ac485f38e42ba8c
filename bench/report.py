"""Run all benchmarks and write down what they found: bench/results.md, with a plot in bench/results.svg.

    make bench TEXT=text.gz SIMILARITY=wordsim353.tsv ANALOGIES=questions-words.txt
    python bench/report.py text.gz --similarity wordsim353.tsv --analogies questions-words.txt

Without a text it is the documentation of the installed libraries. The results are written anew after each script,
so that what is measured is not lost when a later one takes too long. A script that fails is among the results.
"""

import argparse
import importlib.metadata
import json
import os
import platform
import shlex
import subprocess
import sys
import time
from datetime import date
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from sides import plain_text

HERE = Path(__file__).resolve().parent
PACKAGES = "handgrad numpy numba gensim torch tensorflow-cpu word2vec".split()
OTHERS = "gensim-file", "word2vec.c", "torch", "handgrad-torch"
WITHOUT_RESULTS = {"graphs.py", "vectors.py", "vocabulary.py", "nce_curve.py"}  # they print a table of their own
ALT = "Bars, one for each comparison of the table above: how many times as fast handgrad is, on a logarithmic axis."


def commands(arguments, plain):
    """What is run, each a script and its options. What was asked for is measured on all of the text, and the quality of
    vectors, which comes first, with more epochs; other comparisons on some words."""
    text = [arguments.text] if arguments.text else []
    questions = [part for file in arguments.similarity for part in ("--similarity", file)]
    questions += ["--analogies", arguments.analogies] if arguments.analogies else []
    words = ["--words", str(arguments.words)]
    yield "training.py", [*text, *questions, "--sides", "deterministic", "gensim", "--epochs", "5"]
    yield "training.py", [*text, "--all", "--sides", "gensim"]
    yield "training.py", [*text, *words, "--all", "--torch-seconds", "10", "--sides", *OTHERS]
    yield "text_to_vectors.py", text
    yield "nce_speed.py", text
    yield "kernels.py", text
    yield "roofline.py", text
    yield "memory.py", []
    yield "vocabulary.py", [plain]
    yield "vectors.py", []
    yield "graphs.py", []
    yield "entities.py", []
    if text:
        yield "nce_curve.py", text


def run(script, options):
    """Run a script. Returns what it is called in the results, what it found, what it printed, and its exit status."""
    with TemporaryDirectory() as folder:
        results = Path(folder) / "results.json"
        more = [] if script in WITHOUT_RESULTS else ["--results", str(results)]
        command = [sys.executable, str(HERE / script), *options, *more]
        print(f"\n{script} {' '.join(options)}", file=sys.stderr, flush=True)
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, encoding="utf-8") as process:
            printed = []
            for line in process.stdout:
                print(line, end="", flush=True)
                printed.append(line)
        found = json.loads(results.read_text(encoding="utf-8")) if results.exists() else []
    names = [Path(option).name if os.path.sep in option else option for option in options]  # no paths of this machine
    return {"name": shlex.join([script, *names]), "found": found, "printed": "".join(printed), "rc": process.returncode}


# results.md


def page(done, words, seconds):
    found = [line for script in done for line in script["found"]]
    parts = [
        "# Results of the benchmarks",
        f"{date.today()}, {processor()}, {os.cpu_count()} cores, {platform.system()}; "
        f"Python {platform.python_version()}, {', '.join(versions())}. "
        f"A text of {words:,} words. {seconds / 60:.0f} minutes.",
        "Written by `make bench`. Both sides of a line were measured in one run, in turns; figures are medians, and a "
        "ratio above 1 means that handgrad is faster. What was asked for, where something was, is for an idle machine "
        "of two cores and 17 million words of Wikipedia.",
        ratios([line for line in found if line["kind"] == "Ratio"]),
        f"![{ALT}](results.svg)",
        quality([line for line in found if line.get("quality")]),
        figures([line for line in found if line["kind"] == "Figure"]),
        failures(done),
        "## What each script printed",
        *(f"`{script['name']}`\n\n```text\n{script['printed'].rstrip()}\n```" for script in done),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def ratios(lines):
    rows = [
        [
            line["what"],
            line["peer"],
            f"{median(line['ours']):.3g}",
            f"{median(line['theirs']):.3g}",
            line["unit"],
            f"{line['ratio']:.2f}",
            asked(line),
        ]
        for line in lines
    ]
    return table(["what", "beside", "handgrad", "peer", "unit", "ratio", "asked for"], rows)


def quality(lines):
    """What the vectors and losses of both sides were worth, handgrad's first."""
    items = "\n".join(
        f"- {line['what']}, beside {line['peer']}: {'; '.join(line['quality'].splitlines())}" for line in lines
    )
    return f"Quality, handgrad's and the peer's:\n\n{items}" if items else ""


def asked(line):
    if not line["least"]:
        return ""
    return f"{line['least']:.2g}, {'held' if line['ratio'] >= line['least'] else '**missed**'}"


def figures(lines):
    rows = [
        [line["what"], f"{line['value']:.4g} {line['unit']}", line["limit"] and f"{line['limit']}, {held(line)}"]
        for line in lines
    ]
    return table(["what", "figure", ""], rows)


def held(line):
    return "held" if line["held"] else "**missed**"


def failures(done):
    """Scripts and sides that could not be measured."""
    sentences = [f"- {line['what']}" for script in done for line in script["found"] if line["kind"] == "Failure"]
    sentences += [
        f"- `{script['name']}` ended with status {script['rc']} and measured nothing."
        for script in done
        if script["rc"] and not script["found"]
    ]
    return "## Not measured\n\n" + "\n".join(sentences) if sentences else ""


def table(names, rows):
    lines = [names, ["---"] * len(names), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) if rows else ""


def processor():
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def versions():
    for package in PACKAGES:
        try:
            yield f"{package} {importlib.metadata.version(package)}"
        except importlib.metadata.PackageNotFoundError:
            yield f"no {package}"


# results.svg


def plot(lines, path):
    """A bar for each ratio, in the order of the table."""
    from matplotlib import pyplot as plt

    from handgrad.show import figures as style

    style.use_book_style()
    # A picture of its own has no page whose text color it could take: black on white, in dark mode too.
    text = dict.fromkeys(["text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"], "#222222")
    with plt.rc_context({**text, "savefig.facecolor": "white", "svg.hashsalt": "bench"}):
        fig, ax = plt.subplots(figsize=(9, 1 + 0.3 * len(lines)))
        names = [f"{line['what']}, beside {line['peer']}" for line in lines]
        values = [line["ratio"] for line in lines]
        colors = [style.PALETTE["blue" if value >= 1 else "orange"] for value in values]
        bars = ax.barh(range(len(lines)), [value - 1 for value in values], left=1, color=colors, height=0.7)
        ax.bar_label(bars, [f"{value:.3g}" for value in values], padding=3)
        ax.set(xscale="log", xlabel="times as fast as the peer", yticks=range(len(lines)), yticklabels=names)
        ax.set_xlim(min(0.5, *values) * 0.2, max(2, *values) * 2.5)  # with room for the numbers
        ax.xaxis.set_major_formatter("{x:g}")
        ax.axvline(1, color=style.PALETTE["grey"], linewidth=1)
        ax.invert_yaxis()
        partial = path.with_name(path.name + ".partial")
        fig.savefig(partial, format="svg", metadata={"Date": None})
        plt.close(fig)
    os.replace(partial, path)


def write(folder, done, words, seconds):
    lines = [line for script in done for line in script["found"] if line["kind"] == "Ratio"]
    if lines:
        plot(lines, folder / "results.svg")
    partial = folder / "results.md.partial"
    partial.write_text(page(done, words, seconds), encoding="utf-8")
    os.replace(partial, folder / "results.md")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", nargs="?", help="UTF-8, plain or .gz, one sentence a line")
    parser.add_argument("--similarity", action="append", default=[], metavar="FILE")
    parser.add_argument("--analogies", metavar="FILE")
    parser.add_argument("--words", type=int, default=4_000_000, help="of the text, beside others than gensim; 0: all")
    parser.add_argument("--output", type=Path, default=HERE, metavar="FOLDER", help="where the results are written")
    arguments = parser.parse_args()
    done, started = [], time.monotonic()
    with plain_text(arguments.text) as plain:
        with open(plain, encoding="utf-8") as file:
            words = sum(len(line.split()) for line in file)
        for script, options in commands(arguments, plain):
            done.append(run(script, options))
            write(arguments.output, done, words, time.monotonic() - started)
    print(f"\nWritten: {arguments.output / 'results.md'}", file=sys.stderr)
    sys.exit(any(script["rc"] for script in done))


if __name__ == "__main__":
    main()
