"""Known vulnerabilities of what the locks pin, asked by pip-audit: one line for each, or that nobody answered."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOUND = 1
UNANSWERED = 3
_COMMAND = ["--disable-pip", "--require-hashes", "--progress-spinner", "off", "--format", "json"]


@dataclass(frozen=True)
class Report:
    """The answers for all pins, or why there are none."""

    dependencies: list[dict[str, Any]]
    fault: str = ""

    @property
    def status(self) -> int:
        """The exit status: 0 nothing is known, 1 something is, 3 nobody answered for any pin."""
        if any(each.get("vulns") for each in self.dependencies):
            return FOUND
        return 0 if any("vulns" in each for each in self.dependencies) else UNANSWERED

    def lines(self) -> Iterator[str]:
        """Yield a line for each vulnerability, and one on what was answered."""
        for each in self.dependencies:
            for one in each.get("vulns", ()):
                mended = ", ".join(one["fix_versions"]) or "no version yet"
                yield f"{each['name']} {each['version']}: {one['id']}, mended in {mended}"
        answered = [each for each in self.dependencies if "vulns" in each]
        if not answered:
            yield f"the service of known vulnerabilities does not answer{self.fault and f': {self.fault}'}"
            return
        open_ones = [each["name"] for each in self.dependencies if "vulns" not in each]
        rest = f"; none for {', '.join(open_ones)}" if open_ones else ""
        yield f"there are answers for {len(answered)} distributions{rest}"


def misfits(bill: Path) -> Iterator[str]:
    """Yield a line where a bill of materials is not as CycloneDX 1.6 says."""
    from cyclonedx.schema import SchemaVersion  # noqa: PLC0415  # of audit.txt, with what validates
    from cyclonedx.validation.json import JsonStrictValidator  # noqa: PLC0415

    error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(bill.read_text(encoding="utf-8"))
    if error is not None:
        yield f"{bill}: {str(error).splitlines()[0]}"


def ask(root: Path) -> Report:
    """Ask for every pin of every lock."""
    locks = sorted((root / "locks").glob("*.txt"))
    names = [word for lock in locks for word in ("--requirement", str(lock))]
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "report.json"
        command = [sys.executable, "-m", "pip_audit", *_COMMAND, "--output", str(output), *names]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if not output.exists():
            return Report([], (done.stderr.strip().splitlines() or ["it said nothing"])[-1][:200])
        return Report(json.loads(output.read_text(encoding="utf-8"))["dependencies"])
