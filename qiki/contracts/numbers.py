"""Whole numbers in headers: a few decimal digits, within bounds."""

MAX_FRAME = 2**53 - 1
"""Greatest frame number: every reader of JSON has it exactly, and a run of twenty frames a second never gets there."""
MAX_SEQUENCE = 2**63 - 1
MAX_COUNT = 1_000_000
"""Greatest number of messages that belong to one frame."""
SHOWN = 40


def whole_number(text: str, name: str, most: int, least: int = 0) -> int:
    """Return the number that a header's value is.

    Python reads blanks, signs, underscores and other scripts' digits too, takes long over many digits, and refuses
    more than 4,300 of them.

    Raises:
        ValueError: it is not decimal digits from `least` to `most`; in one line that names the header.
    """
    if len(text) <= len(str(most)) and text.isascii() and text.isdecimal() and least <= (number := int(text)) <= most:
        return number
    raise ValueError(f"{name}: {shown(text)}: expected a whole number from {least} to {most}")


def shown(text: str) -> str:
    """Return a sender's text for a message, cut to a length that a person reads."""
    return repr(text) if len(text) <= SHOWN else f"{text[:SHOWN]!r}... ({len(text)} characters)"
