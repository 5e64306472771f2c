"""`docs/observability.md`: its parts that are made from the code and the compose file."""

from pathlib import Path

from metrics import table, targets

PAGE = Path(__file__).parents[2] / "docs/observability.md"
BEGIN, END = "<!-- {}: made by scripts/dashboards -->\n", "\n<!-- end -->"


class PageError(Exception):
    """The page lacks a mark of a part."""


def page() -> str:
    """Return the page with its parts renewed."""
    text = PAGE.read_text(encoding="utf-8")
    for name, part in (("targets", targets()), ("metrics", table())):
        head, begin, rest = text.partition(BEGIN.format(name))
        _, end, tail = rest.partition(END)
        if not (begin and end):
            raise PageError(f"docs/{PAGE.name}: the mark of the part {name}, or its end, is missing")
        text = f"{head}{begin}{part}{end}{tail}"
    return text
