"""Text of others on its way to people: no character of it drives the terminal, hides, reorders or ends a line."""


def printable(text: str) -> str:
    r"""Return a text in one line; a visible escape stands for each character that is not printed.

    Escaped are controls (C0, C1), line and paragraph separators, format characters such as bidi overrides, surrogates,
    private and unassigned characters, and blanks other than the space: `\x1b`, `\n`, `\u202e`.
    """
    return text if text.isprintable() else "".join(one if one.isprintable() else _escape(one) for one in text)


def printable_json(text: str) -> str:
    r"""Return the same JSON document with the same line breaks; such characters in its strings become `\u` escapes."""
    lines = text.split("\n")
    return "\n".join(line if line.isprintable() else "".join(map(_json_character, line)) for line in lines)


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def _json_character(character: str) -> str:
    if character.isprintable() or character in "\t\r":  # outside of strings; within them JSON has escapes already
        return character
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i] << 8 | units[i + 1]:04x}" for i in range(0, len(units), 2))
