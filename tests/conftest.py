"""Property tests try the same inputs in each run: a failure is of the code, never of the day.

A shell's background job ignores Ctrl-C, and so would what the tests start: they listen to it again.
"""

import functools
import signal

import hypothesis
import pytest

hypothesis.settings.register_profile("handgrad", derandomize=True, deadline=None, database=None)
hypothesis.settings.load_profile("handgrad")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def documentation_read_once():
    """The five packages are the same for all tests of a process, and reading them takes seconds."""
    from handgrad.corpora import docstrings

    read, every = docstrings._documentation_lines, set(docstrings.DOCUMENTATION_VERSIONS)

    @functools.cache
    def of_installed(*packages):
        return read(dict(packages))

    def lines(packages):
        return of_installed(*packages.items()) if set(packages) == every else read(packages)  # which a test has made up

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(docstrings, "_documentation_lines", lines)
        yield
