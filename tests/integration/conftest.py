"""Worlds for the tests of this folder."""

import signal

import pytest

from qiki_harness.twin import start_twin

# A shell's background job ignores Ctrl-C, and so would everything that the tests start and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def world_stack(tmp_path_factory):
    """A native stack of this process whose simulator is reset again and again."""
    often = {"TELEMETRY_INTERVAL_SEC": "0.1"}
    twin = start_twin(tmp_path_factory.mktemp("worlds"), "empty", start=False, env=often)
    yield twin
    twin.close()


@pytest.fixture
def world(world_stack):
    """Begins a world, stopped: a new run on a stack that is up already, for tests that kill nothing.

    What an earlier run left on its way may still come in: ask for `run=` or `after=`.
    """

    def begin(scenario, **options):
        assert world_stack.command("sim.reset", scenario=scenario, **options).ok
        world_stack.forget()
        return world_stack

    return begin
