"""Files of `KEY=value` lines: compose's `.env` and `env_file`."""

from pathlib import Path

from dotenv.parser import parse_stream

from qiki_harness.errors import ComposeError, HarnessError


def read_env_file(file: Path) -> dict[str, str]:
    """Read the variables of a file.

    Raises:
        HarnessError: it cannot be read.
        ComposeError: a line is not KEY=value.
    """
    try:
        with file.open(encoding="utf-8") as stream:
            bindings = [one for one in parse_stream(stream) if one.key or one.error]
    except OSError as error:
        raise HarnessError(f"{file}: cannot be read: {error.strerror}") from error
    found: dict[str, str] = {}
    for one in bindings:
        if one.key is None or one.value is None:
            raise ComposeError(file, one.original.line, one.key or one.original.string.strip(), "expected KEY=value")
        found[one.key] = one.value
    return found
