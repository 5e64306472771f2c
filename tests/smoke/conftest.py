"""The stack under test: the running one that NATS_URL and QSIM_GRPC name, else a native one with the default world."""

from contextlib import closing

import pytest

from nats_js_init.settings import InitSettings
from qiki.runtime.settings import load_settings
from qiki_harness.smoke.bundle import leave_bundle
from qiki_harness.smoke.check import CheckResult, run
from qiki_harness.smoke.checks import CHECKS
from qiki_harness.smoke.report import all_passed
from qiki_harness.smoke.target import SmokeSettings, Target, find_target, native_target
from qiki_harness.twin import SharedStack


@pytest.fixture(scope="module")
def target(watched_stack):
    if not isinstance(watched_stack, SharedStack):
        yield find_target(load_settings(SmokeSettings))
        return
    with pytest.MonkeyPatch.context() as patch:
        for name in (*InitSettings.model_fields, "qiki_bot_spec"):  # the tester's own do not count in this stack
            patch.delenv(name.upper(), raising=False)
        yield native_target(watched_stack.shared.info)


@pytest.fixture(scope="module")
def results(target: Target, request: pytest.FixtureRequest) -> dict[str, CheckResult]:
    """All checks, made once, side by side."""
    with closing(target.connect()) as twin:
        made = run(CHECKS, twin)
    folder = request.config.getoption("bundles")
    if folder and not all_passed(made):
        print(leave_bundle(made, target, request.config.rootpath / folder))  # the setup of the first test shows it
    return {result.check.name: result for result in made}
