"""Reasons to refuse a proposal."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RefusalReason:
    """One reason.

    Attributes:
        text: for people
        code: the same for the same reason, where the text has figures or names that change
    """

    text: str
    code: str = ""

    @property
    def cause(self) -> str:
        """What identifies the reason."""
        return self.code or self.text
