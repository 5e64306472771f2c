"""Structured logs on stderr: lines for a person on a terminal, JSON elsewhere."""

import logging
import sys
import traceback
from typing import Any, TextIO

import structlog

from qiki.text import printable


def configure_logging(service: str, level: str) -> None:
    """Send every log, ours and the libraries', through one formatter; every line carries the service's name."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        structlog.processors.StackInfoRenderer(),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(level),
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=_render()))
    logging.basicConfig(handlers=[handler], level=level, force=True)
    logging.captureWarnings(True)
    structlog.contextvars.bind_contextvars(service=service)


def _render() -> list[Any]:
    drop = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    if sys.stderr.isatty():
        return [drop, _printable_values, structlog.dev.ConsoleRenderer(exception_formatter=_printable_traceback)]
    return [drop, structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]


def _printable_values(_: Any, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Keep texts of others from driving the terminal; the renderer shows other values by `repr`."""
    return {printable(key): printable(value) if isinstance(value, str) else value for key, value in event.items()}


def _printable_traceback(out: TextIO, error: structlog.typing.ExcInfo) -> None:
    lines = "".join(traceback.format_exception(*error)).rstrip("\n").split("\n")
    out.write("\n".join(["", *map(printable, lines)]))
