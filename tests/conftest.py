"""Settings for all tests."""

import os

from hypothesis import settings

# No time limit for one example: a busy machine is no bug. In CI the same examples every time.
settings.register_profile("qiki", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("qiki")
