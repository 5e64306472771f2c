"""Why a proposal is refused."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refusal:
    """One reason.

    Attributes:
        text: for people
        code: the same as long as it is the same reason, where the text changes with its figures or names
    """

    text: str
    code: str = ""

    @property
    def reason(self) -> str:
        """What it is told apart by."""
        return self.code or self.text
