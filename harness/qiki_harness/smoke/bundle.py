"""The bundle of a smoke test that failed: what the stack's streams keep, and which checks failed."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from qiki_harness.errors import HarnessError
from qiki_harness.recording.bundle import Exhibit, record_kept, write_bundle
from qiki_harness.smoke.check import CheckResult, CheckVerdict
from qiki_harness.smoke.target import Target
from qiki_harness.twin.backing import NATS_URL, tests_keys

FOLDER = ".qiki/bundles"


def leave_bundle(results: Sequence[CheckResult], target: Target, folder: Path) -> str:
    """Write the bundle, and return the command that shows it again; or say why there is none."""
    failed = (f"{one.check.name}: {one.text}" for one in results if one.verdict is CheckVerdict.FAILED)
    addresses = target.stack.addresses
    kept = Exhibit(partial(record_kept, addresses[NATS_URL], tests_keys(addresses)), {})
    try:
        path = write_bundle(folder, "smoke::checks", "\n".join((target.name, *failed)), [kept])
    except (OSError, HarnessError) as error:
        return f"no bundle was written: {error}"
    return f"to see it again: qiki verify {path}"
