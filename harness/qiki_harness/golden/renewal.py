"""Renew golden references, and say in words how the new ones differ from the old ones."""

import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from qiki.contracts import topics
from qiki_harness.cli.options import QIKI
from qiki_harness.cli.recordings import SUFFIX
from qiki_harness.errors import RecordingError
from qiki_harness.golden.comparison import Timeline, first_of, sentence
from qiki_harness.golden.reference import read_whole
from qiki_harness.golden.run import GoldenRun


def renew(runs: Mapping[str, GoldenRun], folder: Path, tell: Callable[[str], object]) -> None:
    """Fly the runs, and replace the references that have changed; `tell` gets the difference line by line."""
    for name, run in runs.items():
        path = folder / f"{name}{SUFFIX}"
        with TemporaryDirectory() as temporary:
            fresh = Path(temporary) / path.name
            run.record(fresh)
            changes = _changes(path, fresh) if path.exists() else ["new"]
            if changes:
                shutil.copyfile(fresh, path)
        head, *rest = changes or ["unchanged"]
        tell(f"{path.name}: {head}")
        for line in rest:
            tell(line)


def _changes(old: Path, new: Path) -> list[str]:
    """Return lines about how a new reference differs from the old one; none if it does not."""
    try:
        before, rules_before = read_whole(old)
    except RecordingError as error:
        return [f"new, as the one before cannot be read: {error}"]
    after, rules = read_whole(new)
    timeline = Timeline([message for message in before if message.subject == topics.FRAMES.subject])
    found = first_of(timeline, before, after)
    if found is None and rules_before == rules:
        return []
    said = subprocess.run([*QIKI, "diff", str(old), str(new)], capture_output=True, text=True, check=False)
    lines = ["changed, from A to B", *(said.stdout or said.stderr).strip().splitlines()]
    if said.returncode == 0:  # it is in what `qiki diff` does not look at
        lines += sentence("B", "A", found).splitlines() if found else ["B has other rules of the guard"]
    return lines
