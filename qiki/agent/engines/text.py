"""Foreign text as one printable line."""

from traceback import format_exception, format_exception_only

MAX_TEXT = 1000
"""Characters."""
MAX_TRACE = 10_000


def one_line(text: str) -> str:
    """Return text as one line of at most `MAX_TEXT`; a character that is not printable becomes its escape."""
    line = " ".join(text[:MAX_TEXT].split())
    return "".join(map(_printable, line))[:MAX_TEXT]


def describe(error: BaseException) -> str:
    """Return an exception in one line, also one whose own text fails."""
    return one_line("".join(format_exception_only(error)))


def trace(error: BaseException) -> str:
    """Return an exception with its traceback."""
    return "".join(format_exception(error))[:MAX_TRACE]


def _printable(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode()
