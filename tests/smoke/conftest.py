"""The stack under test: the running one that NATS_URL and QSIM_GRPC name, else a native one with the default world."""

import asyncio

import pytest

from nats_js_init.settings import InitSettings
from qiki.runtime.settings import load_settings
from qiki_harness.smoke.check import Result
from qiki_harness.smoke.checks import CHECKS
from qiki_harness.smoke.runner import run
from qiki_harness.smoke.session import connected
from qiki_harness.smoke.target import SmokeSettings, Target, find_target, native_target
from qiki_harness.twin import ForeignStack, start_twin


@pytest.fixture(scope="module")
def target(tmp_path_factory):
    if ForeignStack.of_environment():
        yield find_target(load_settings(SmokeSettings))
        return
    with pytest.MonkeyPatch.context() as patch:
        for name in InitSettings.model_fields:  # the tester's own do not count in a twin
            patch.delenv(name.upper(), raising=False)
        twin = start_twin(tmp_path_factory.mktemp("smoke"))
        yield native_target(twin.stack.info)
        twin.close()


@pytest.fixture(scope="module")
def results(target: Target) -> dict[str, Result]:
    """All checks, made once, side by side."""

    async def make():
        async with connected(target) as session:
            return await run(CHECKS, session)

    return {result.check.name: result for result in asyncio.run(make())}
