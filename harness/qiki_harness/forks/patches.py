"""Attributes replaced for a while."""

from collections.abc import Callable
from typing import Any


class Patches:
    """Replaced attributes of modules and classes, to be put back."""

    def __init__(self) -> None:
        self._undo: list[Callable[[], None]] = []

    def replace(self, owner: Any, name: str, value: Any) -> None:
        """Replace an attribute."""
        own = name in vars(owner)
        former = getattr(owner, name)
        self._undo.append(lambda: setattr(owner, name, former) if own else delattr(owner, name))
        setattr(owner, name, value)

    def undo(self) -> None:
        """Put all of them back."""
        while self._undo:
            self._undo.pop()()
