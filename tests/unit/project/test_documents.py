"""Documents that are written by hand, beside what they describe."""

import re
from pathlib import Path

import pytest

from qiki_harness.smoke.checks import CHECKS

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs"


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_every_check_of_the_smoke_test_is_described(check):
    needs = ", ".join(f"`{name}`" for name in check.needs)
    row = f"| `{check.name}` | {needs} |".replace("|  |", "| |")
    assert row in (DOCS / "smoke.md").read_text(), f"docs/smoke.md: add a row that begins with {row}"


@pytest.mark.parametrize(
    "page",
    [
        "README.md",
        "SECURITY.md",
        "docs/README.ru.md",
        "docs/containers.md",
        "docs/environments.md",
        "docs/extending.md",
        "docs/identities.md",
        "docs/limits.md",
        "CHANGELOG.md",
        "docs/sweeps.md",
        "docs/training.md",
        "docs/tls.md",
    ],
)
def test_links_lead_somewhere(page):
    text = (ROOT / page).read_text()
    targets = {target.partition("#")[0] for target in re.findall(r"\]\(([^)]+)\)", text) if "://" not in target}
    missing = [target for target in targets if target and not (ROOT / page).parent.joinpath(target).exists()]
    assert missing == []
