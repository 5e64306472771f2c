"""Readers of the scalar values of a compose file: durations, numbers, signals, commands, restart policies."""

import re
import shlex
from signal import Signals

from qiki_harness.compose.model import RestartKind, RestartPolicy
from qiki_harness.compose.nodes import YamlNode

_UNITS_S = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)(us|ms|s|m|h)")


def duration_s(node: YamlNode) -> float:
    """A duration such as `1m30s` or `100ms`, in seconds."""
    text = node.text()
    parts = _DURATION_PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        node.fail(f"{text!r} is no duration: expected such as 500ms, 5s, 1m30s")
    return sum(float(number) * _UNITS_S[unit] for number, unit in parts)


def count(node: YamlNode) -> int:
    """A whole number from 0."""
    text = node.text()
    if not text.isdecimal():
        node.fail(f"{text!r} is no whole number")
    return int(text)


def flag(node: YamlNode) -> bool:
    """True or false."""
    text = node.text().lower()
    if text not in {"true", "false"}:
        node.fail(f"{text!r} is neither true nor false")
    return text == "true"


def stop_signal(node: YamlNode) -> Signals:
    """A signal by name (SIGINT, INT) or number."""
    text = node.text().upper()
    try:
        return Signals(int(text)) if text.isdecimal() else Signals["SIG" + text.removeprefix("SIG")]
    except (KeyError, ValueError):
        node.fail(f"{text!r} is no signal: expected such as SIGTERM")


def words(node: YamlNode) -> tuple[str, ...]:
    """A command: a list of words, or one text that is split as a shell would."""
    if node.is_list:
        return tuple(item.text() for item in node.items())
    try:
        return tuple(shlex.split(node.text()))
    except ValueError as error:
        node.fail(f"cannot be split into words: {error}")


def restart_policy(node: YamlNode) -> RestartPolicy:
    """A restart policy: no, always, unless-stopped, on-failure or on-failure:N."""
    kind, _, limit = node.text().partition(":")
    known = kind in list(RestartKind) and (not limit or (kind == RestartKind.ON_FAILURE and limit.isdecimal()))
    if not known:
        node.fail(f"{node.text()!r} is no restart policy: expected no, always, unless-stopped or on-failure[:N]")
    return RestartPolicy(RestartKind(kind), int(limit) if limit else None)
