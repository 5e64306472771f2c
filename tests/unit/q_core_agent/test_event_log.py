"""Events as log lines."""

from datetime import UTC, datetime

import pytest
from structlog.testing import capture_logs

from q_core_agent.event_log import LoggingEmitter
from qiki.contracts.enums import FSMState
from qiki.contracts.events import AGENT_BOOTED, SAFE_MODE_ENTERED, SystemMode
from qiki.runtime.events import Events

MOMENT = datetime(2025, 9, 1, tzinfo=UTC)


@pytest.mark.parametrize(("kind", "level"), [(SAFE_MODE_ENTERED, "warning"), (AGENT_BOOTED, "info")])
def test_a_mode_is_raised_and_said(kind, level):
    events = Events("q-core-agent")
    body = SystemMode(
        ts_epoch=1.0, run_id="r", mode="SAFE_MODE", previous="NORMAL", state=FSMState.ERROR_STATE, trigger="BIOS_LOST",
        reasons=("BIOS_LOST: nobody",), rests_on=(),
    )  # fmt: skip

    with capture_logs() as said:
        LoggingEmitter(events).emit(kind, body, "an id", MOMENT)

    assert len(events) == 1
    assert said == [
        {
            "event": kind.name,
            "log_level": level,
            "mode": "SAFE_MODE",
            "trigger": "BIOS_LOST",
            "reasons": ["BIOS_LOST: nobody"],
        }
    ]
