"""The first import of a service's entry point: it makes the other imports quick.

Modules and models stay for good, so collecting garbage among them is in vain; it took a sixth of a start. structlog
imports rich where it is installed, for tracebacks that no service shows; that took a tenth.
"""

import gc
import sys
from typing import Any

gc.disable()  # run_service enables it

_modules: dict[str, Any] = sys.modules
_modules["rich"] = None
import structlog  # noqa: E402, F401

del _modules["rich"]
