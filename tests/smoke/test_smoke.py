"""Every part of the stack does its work: the checks of `scripts/smoke_test.sh`, one test each."""

import pytest

from qiki_harness.smoke.check import CheckVerdict
from qiki_harness.smoke.checks import CHECKS


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_stage_0(check, results, target):
    result = results[check.name]
    if result.verdict is CheckVerdict.BLOCKED:
        pytest.skip(result.text)
    assert result.verdict is CheckVerdict.PASSED, f"{target.name}: {result.text}"
