"""Registrations of modules for the whole process when they are imported: metrics, and filters of warnings.

A fork server has imported the modules of all services. Each service keeps what its own modules have registered.
"""

import importlib
import sys
import time
import warnings
from collections.abc import Callable, Set
from typing import Any

from qiki_harness.forks.patches import Patches


class Registries:
    """A record of what was registered, and by which module.

    Metrics are kept back, since two services may have one of the same name; filters are in force, for the imports that
    need them.
    """

    def __init__(self, importing: Callable[[], str]) -> None:
        self._importing = importing
        self._patches = Patches()
        self._first_filters = list(warnings.filters)
        self._filters: list[tuple[str, Any]] = []
        self._collectors: list[tuple[str, Any]] = []

    def record(self) -> None:
        """Begin with the filters."""
        add_filter = vars(warnings)["_add_filter"]

        def note(*item: Any, append: bool) -> None:
            self._filters.append((self._importing(), item))
            add_filter(*item, append=append)

        self._patches.replace(warnings, "_add_filter", note)

    def record_metrics(self) -> None:
        """Record metrics too, once their library is imported."""
        registry: Any = importlib.import_module("prometheus_client").REGISTRY
        register = type(registry).register

        def note(one: Any, collector: Any) -> None:
            if one is registry:
                self._collectors.append((self._importing(), collector))
            else:
                register(one, collector)

        self._patches.replace(type(registry), "register", note)

    def keep(self, modules: Set[str]) -> None:
        """End the record, and leave in force what these modules have registered."""
        self._patches.undo()
        self._keep_filters(modules)
        if "prometheus_client" in sys.modules:
            self._register_metrics(modules)

    def _keep_filters(self, modules: Set[str]) -> None:
        own = [*self._first_filters, *(item for module, item in self._filters if module in modules)]
        kept = [item for item in warnings.filters if item in own]
        warnings.resetwarnings()
        for item in reversed(kept):
            vars(warnings)["_add_filter"](*item, append=False)

    def _register_metrics(self, modules: Set[str]) -> None:
        """Register metrics as if they had been made now."""
        from prometheus_client import REGISTRY  # noqa: PLC0415

        now_s = time.time()
        for module, collector in self._collectors:
            if module in modules:
                for one in (collector, *getattr(collector, "_metrics", {}).values()):
                    if hasattr(one, "_created"):
                        one._created = now_s
                REGISTRY.register(collector)
