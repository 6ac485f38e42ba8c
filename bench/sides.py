"""What the benchmarks share: measurements in processes of their own, the sides taking turns, and ratios of medians.

A script calls ``start(main, measure)``. Its ``main`` asks ``take_turns`` for measurements; each is one call of
``measure`` in a fresh process, so no side finds caches, threads or memory that another has left.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory


class SideFailed(Exception):
    """A measurement that ended with an error; the sentence says which, and why."""


def start(main, measure):
    """Begin a script: its ``main()``, or in a process that ``measured`` has started, one measurement."""
    try:
        if sys.argv[1:2] == ["--measure"]:
            print(json.dumps(measure(**json.loads(sys.argv[2]))))
        else:
            main()
    except SideFailed as failed:
        sys.exit(str(failed))


def measured(job, environment=()):
    """What ``measure(**job)`` of the running script returns in a process of its own.

    NumPy's products there have one thread, unless ``environment`` says otherwise: threads are the sides' affair.
    """
    command = [sys.executable, sys.argv[0], "--measure", json.dumps(job)]
    variables = {**os.environ, "OMP_NUM_THREADS": "1", **dict(environment)}
    done = subprocess.run(command, capture_output=True, text=True, env=variables)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"ended with status {done.returncode}"]
        raise SideFailed(f"{job.get('side', 'The measurement')} failed: {lines[-1]}")
    return json.loads(done.stdout.splitlines()[-1])


def take_turns(sides, turns, run):
    """Measure each side ``turns`` times, one after another; a side that fails has no more turns.

    Says on stderr how far it is, since a long comparison takes hours.

    Returns
    -------
    results : dict, side to the list of what run(side, turn) returned; without those that failed
    failures : list of Failure
    """
    results, failures, started, number = {side: [] for side in sides}, [], time.monotonic(), 0
    for turn in range(turns):
        for side in list(results):
            try:
                results[side].append(run(side, turn))
            except SideFailed as failed:
                failures.append(Failure(str(failed)))
                del results[side]
            number += 1
            note = f"{number} of {turns * len(sides)} measurements, {time.monotonic() - started:.0f} s: {side}"
            print(note, file=sys.stderr, flush=True)
    return results, failures


@dataclass
class Ratio:
    """One line of the results: how many times as fast handgrad is as a peer.

    Parameters
    ----------
    what : str, the task
    peer : str, what stands beside handgrad
    ours, theirs : lists of float, the measurements of each turn; more is better
    unit : str
    least : float, the ratio that was asked for, 0 where nothing was
    quality : str, what the vectors of both sides are worth, where that was measured
    """

    what: str
    peer: str
    ours: list
    theirs: list
    unit: str
    least: float = 0.0
    quality: str = ""
    ratio: float = field(init=False)

    def __post_init__(self):
        self.ratio = statistics.median(self.ours) / statistics.median(self.theirs)

    def __str__(self):
        pairs = [a / b for a, b in zip(self.ours, self.theirs, strict=True)]
        asked = f"; asked for: {self.least:g}, {'held' if self.ratio >= self.least else 'MISSED'}" if self.least else ""
        lines = [
            f"{self.what}, beside {self.peer}",
            f"    {statistics.median(self.ours):.4g} and {statistics.median(self.theirs):.4g} {self.unit}",
            f"    ratio {self.ratio:.2f} (of the {len(pairs)} pairs {min(pairs):.2f} to {max(pairs):.2f}){asked}",
        ]
        return "\n".join(lines + ["    " + line for line in self.quality.splitlines()])


@dataclass
class Figure:
    """One line of the results that is no ratio of two programs: a number, and what was asked for.

    Parameters
    ----------
    what : str
    value : float
    unit : str
    limit : str, what was asked for, in words; "" where nothing was
    held : bool, whether it is so
    """

    what: str
    value: float
    unit: str
    limit: str = ""
    held: bool = True

    def __str__(self):
        asked = f" ({self.limit}: {'held' if self.held else 'MISSED'})" if self.limit else ""
        return f"{self.what}: {self.value:.4g} {self.unit}{asked}"


@dataclass
class Failure:
    """A side that could not be measured, and why."""

    what: str

    def __str__(self):
        return f"NOT MEASURED: {self.what}"


def add_results_option(parser):
    parser.add_argument("--results", metavar="FILE", help="write the figures to this file too, as JSON")


def publish(lines, path):
    """Print what a script has found, write it down where ``--results`` asked for it, and end: 1 if a side failed."""
    for line in lines:
        print(line, flush=True)
    if path:
        records = [{"kind": type(line).__name__, **asdict(line)} for line in lines]
        Path(path).write_text(json.dumps(records, indent=1), encoding="utf-8")
    sys.exit(any(isinstance(line, Failure) for line in lines))


@contextmanager
def plain_text(path=None, words=0):
    """A plain text file, one sentence a line, for programs that read nothing else.

    Parameters
    ----------
    path : str or None, a text or .gz; None is the documentation of the installed libraries
    words : int, the text ends after the sentence in which it has so many; 0: all of it

    Yields
    ------
    str : the path of a temporary file
    """
    from handgrad import corpora

    corpus, written = corpora.open_corpus(path) if path else corpora.documentation(), 0
    with TemporaryDirectory() as folder:
        plain = Path(folder) / "text.txt"
        with open(plain, "w", encoding="utf-8") as file:
            for sentence in corpus:
                file.write(" ".join(sentence) + "\n")
                written += len(sentence)
                if words and written >= words:
                    break
        yield str(plain)
