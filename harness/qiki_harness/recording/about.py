"""The origin of a recording that is made here, and what is attached to it."""

import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from qiki.clock import rfc3339
from qiki.guard import DEFAULT_RULES
from qiki_harness.manifest.collect import OURS, collect, digest_of
from qiki_harness.recording.layout import MANIFEST, RULES, About

_GIT_S = 5


def about(source: str, checkout: Path | None) -> About:
    """Return the origin of a recording of `source`, made in this environment.

    Args:
        checkout: the project's folder; None where there is none
    """
    locks = checkout / "locks" if checkout else None
    return About(
        product=version(OURS),
        source=source,
        begun=rfc3339(datetime.now(UTC)),
        python=platform.python_version(),
        commit=_commit(checkout) if checkout else "",
        locks=digest_of(locks) if locks and locks.is_dir() else "",
    )


def attachments(checkout: Path | None) -> dict[str, bytes]:
    """Return the manifest of this environment, and the guard rules that come with the platform."""
    locks = checkout / "locks" if checkout and (checkout / "locks").is_dir() else None
    manifest = collect(locks, verify=False).model_dump_json(indent=1).encode()
    return {MANIFEST: manifest, RULES: DEFAULT_RULES.read_bytes()}


def _commit(checkout: Path) -> str:
    """Return the commit of a checkout, with a mark where it was changed; empty where git does not tell."""
    command = ("git", "-C", str(checkout), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*")
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_GIT_S, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()
