"""What a long run owes to whoever is waiting: a bar that moves, and a clean end when they have waited enough."""

import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager, nullcontext


class Stopwatch:
    """Runs from ``start`` on; what it read before is added.

    Attributes
    ----------
    seconds : float, as it was read last
    """

    def __init__(self):
        self.seconds = self.started = 0.0

    def start(self):
        self.started = time.perf_counter() - self.seconds

    def read(self):
        self.seconds = time.perf_counter() - self.started


def no_bar(words, note=""):
    """Shows nothing."""


@contextmanager
def bar(show, name, total=None, done=0):
    """A progress bar in words, in a terminal or a notebook: ``with bar(...) as advance: advance(words, note)``."""
    if not show:
        yield no_bar
        return
    from tqdm.auto import tqdm  # needed only to show something

    options = {"unit": " words", "unit_scale": True, "dynamic_ncols": True, "desc": name}
    with tqdm(total=total, initial=done, **options) as progress:

        def advance(words, note=""):
            progress.set_postfix_str(note, refresh=False)
            progress.update(words)

        yield advance


def say(show: bool, worded: Callable[[str], str], sentence: str) -> None:
    """One line beside the bars, where there are any."""
    if show:
        print(f"training: {worded(sentence)}", file=sys.stderr)


def threads_limited(threads):
    """Matrix products use so many threads: the more there are, the more they wait where the matrices are small.

    New ones are made at once, and wait by computing for a tenth of a second.
    """
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:  # without the extra they use what NumPy was built to use
        return nullcontext()
    return threadpool_limits(limits=threads, user_api="blas")


@contextmanager
def signals_noted():
    """Ctrl-C and SIGTERM become entries of a list; whoever is inside looks at it when nothing is half done.

    A second Ctrl-C is not waited for. A signal that the process ignores, as a script's background job does with Ctrl-C,
    stays ignored. Outside the main thread Python cannot listen, and the list stays empty.
    """
    noted = []
    if threading.current_thread() is not threading.main_thread():
        yield noted
        return

    def note(number, frame):
        if noted and number == signal.SIGTERM:
            raise SystemExit(128 + number)
        if noted:
            raise KeyboardInterrupt
        noted.append(signal.Signals(number))

    not_ours = (None, signal.SIG_IGN)  # None, one that is not Python's, could not be put back
    ours = [n for n in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(n) not in not_ours]
    before = {number: signal.signal(number, note) for number in ours}
    try:
        yield noted
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
