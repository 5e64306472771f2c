"""The commands of scripts/pins, scripts/sbom and tox's audit, on the checkout that is the working folder.

python -m qiki_harness.supply pins [--check]            look up and apply locks/pins.toml, or only compare
python -m qiki_harness.supply licences                  renew locks/licences.json from what is installed
python -m qiki_harness.supply sbom FOLDER [SYSTEM]      write a bill of materials of each image and of the wheel
python -m qiki_harness.supply audit [BILL ...]          ask for known vulnerabilities; check bills against the schema
"""

import sys
from collections.abc import Callable
from pathlib import Path

from qiki.runtime.terminal import echo
from qiki_harness.errors import LockError

ROOT = Path()
UNANSWERED = 3


def renew_pins(*words: str) -> int:
    """Look up the pins and apply them; with --check, compare."""
    from qiki_harness.supply import pins  # noqa: PLC0415  # each command needs other libraries

    found = pins.read(ROOT)
    silent: list[str] = []
    if "--check" not in words:
        found, silent = pins.looked_up(found)
        pins.write(ROOT, found)
        for file, text in pins.pinned(ROOT, found).items():
            (ROOT / file).write_text(text, encoding="utf-8")
    wrong = list(pins.differences(ROOT, found))
    for line in [*silent, *wrong]:
        echo(f"pins: {line}", stream=sys.stderr)
    return 1 if wrong else UNANSWERED if silent else 0


def renew_licences() -> int:
    """Renew the licences."""
    from qiki_harness.supply import licences  # noqa: PLC0415

    (ROOT / licences.FILE).write_text(licences.text(licences.renewed(ROOT, licences.read(ROOT))), encoding="utf-8")
    return 0


def write_bills(folder: str, *system: str) -> int:
    """Write the bills of materials, and name them."""
    from qiki_harness.supply.sbom import Materials  # noqa: PLC0415

    bills = Materials(ROOT, *system).bills()
    Path(folder).mkdir(parents=True, exist_ok=True)
    for name, text in bills.items():
        (Path(folder) / name).write_text(text, encoding="utf-8")
        echo(str(Path(folder) / name))
    return 0


def audit(*bills: str) -> int:
    """Check bills against the schema, then ask for known vulnerabilities."""
    from qiki_harness.supply.audit import ask, misfits  # noqa: PLC0415

    wrong = [line for bill in bills for line in misfits(Path(bill))]
    report = ask(ROOT)
    for line in [*wrong, *report.lines()]:
        echo(f"audit: {line}")
    return 1 if wrong else report.status


COMMANDS: dict[str, Callable[..., int]] = {
    "pins": renew_pins,
    "licences": renew_licences,
    "sbom": write_bills,
    "audit": audit,
}

if __name__ == "__main__":
    try:
        sys.exit(COMMANDS[sys.argv[1]](*sys.argv[2:]))
    except LockError as error:
        sys.exit(f"{sys.argv[1]}: {error}")
