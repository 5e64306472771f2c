"""Files of `KEY=value` lines: compose's `.env` and `env_file`."""

from pathlib import Path

from qiki_harness.errors import ComposeError, HarnessError


def read_env_file(file: Path) -> dict[str, str]:
    """Read such a file; blank lines and comments are passed over, quotes around a value taken off."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise HarnessError(f"{file}: cannot be read: {error.strerror}") from error
    found: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        text = line.strip().removeprefix("export ")
        if not text or text.startswith("#"):
            continue
        key, equals, value = text.partition("=")
        if not equals:
            raise ComposeError(file, number, key, "expected KEY=value")
        found[key.strip()] = _unquoted(value.strip())
    return found


def _unquoted(value: str) -> str:
    if len(value) >= 2 and value[0] in "'\"" and value[-1] == value[0]:
        return value[1:-1]
    return value.partition(" #")[0].rstrip()
