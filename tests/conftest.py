"""Property tests try the same inputs in each run: a failure is of the code, never of the day.

A shell's background job ignores Ctrl-C, and so would what the tests start: they listen to it again.
"""

import signal

import hypothesis

hypothesis.settings.register_profile("handgrad", derandomize=True, deadline=None, database=None)
hypothesis.settings.load_profile("handgrad")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
