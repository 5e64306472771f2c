"""Settings for all tests."""

import os
import signal

from hypothesis import settings

# No time limit for one example: a busy machine is no bug. In CI the same examples every time.
settings.register_profile("qiki", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("qiki")

# A shell's background job ignores Ctrl-C, and so would everything that the tests start and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
