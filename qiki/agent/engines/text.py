"""Text from elsewhere as one line that can be shown and sent."""

from traceback import format_exception, format_exception_only

MAX_TEXT = 1000
"""Characters."""
MAX_TRACE = 10_000


def one_line(text: str) -> str:
    """Any text as one printable line, cut to `MAX_TEXT`; a character that cannot be shown stands as its escape."""
    words = " ".join(text[:MAX_TEXT].split())
    return "".join(map(_shown, words))[:MAX_TEXT]


def describe(error: BaseException) -> str:
    """An exception in one line; also one that cannot say what it is about."""
    return one_line("".join(format_exception_only(error)))


def trace(error: BaseException) -> str:
    """An exception with where it was raised, for the log."""
    return "".join(format_exception(error))[:MAX_TRACE]


def _shown(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode()
