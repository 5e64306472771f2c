"""One run on a stack in lockstep and in one process: the same bytes, but for wall time and the places in streams."""

import importlib.util
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from qiki.botspec import BotConfig, generate, load_spec
from qiki.contracts import topics
from qiki.contracts.enums import RadarRangeBand
from qiki.contracts.events import (
    BIOS_OK,
    GUARD_ALERT,
    GUARD_CLEARED,
    GUARD_RESUMED,
    IDENTITY_SPOOFED,
    PROPOSAL_ACCEPTED,
    PROPOSAL_REFUSED,
    SAFE_MODE_ENTERED,
)
from qiki.flight import Flight
from qiki.world.scenario import load_scenario
from qiki_harness.testing import ServiceProcess

RUN = UUID("5ca1ab1e-0000-4000-8000-000000000004")
AVOIDANCE = Path(__file__).parents[2] / "docs/examples/avoidance/avoidance.py"
TICKS = 2
INGEST = datetime(2026, 1, 1, tzinfo=UTC)
TS_INGEST = re.compile(rb'"ts_ingest":"[^"]*"')
GUARD = (GUARD_ALERT.subject, GUARD_RESUMED.subject, GUARD_CLEARED.subject, IDENTITY_SPOOFED.subject)
AGENT = tuple(kind.subject for kind in (SAFE_MODE_ENTERED, PROPOSAL_ACCEPTED, PROPOSAL_REFUSED, BIOS_OK))
SLOW_MACHINE_S = 150.0
ORDERS = (
    ("sim.rcs.fire", {"axis": "port", "pct": 40.0, "duration_s": 2.0}),
    ("sim.xpdr.mode", {"mode": "SILENT"}),
)


def avoidance(bot: BotConfig) -> dict[str, object]:
    """The example engine, made as the agent of the stack makes it."""
    spec = importlib.util.spec_from_file_location("avoidance", AVOIDANCE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return {"avoidance": module.Avoidance(bot)}


@pytest.mark.timeout(400)
@pytest.mark.parametrize(
    ("scenario", "engines", "seconds"), [("collision", True, 43.0), ("mixed-traffic", False, 60.0)]
)
def test_a_stack_and_one_process_fly_the_same_run(own_twin, installed, tmp_path, scenario, engines, seconds):
    bot = generate(load_spec())
    flight = Flight(load_scenario(scenario), run_id=RUN, engines=avoidance(bot) if engines else {}, agent_ticks=TICKS)
    for name, parameters in ORDERS:
        flight.command(name, **parameters)
    flown = in_process(flight, seconds)
    last = len(flown[topics.FRAMES.subject]) - 1

    conducting = {"AGENT_LOCKSTEP_TICKS": str(TICKS)}
    twin = own_twin(scenario, run_id=RUN, start=False, env=conducting, without=("qiki-dev",))
    assert all(twin.command(name, **parameters).ok for name, parameters in ORDERS)
    folder = installed(AVOIDANCE, avoidance="avoidance:Avoidance")
    settings = {"QIKI_DEV_KEYS_DIR": twin.stack.folder.keys("qiki-dev"), "PYTHONPATH": folder}
    settings |= {"AGENT_LOCKSTEP_TICKS": TICKS, "AGENT_ENGINES": "all" if engines else "none"}
    agent = ServiceProcess("q_core_agent", tmp_path / "agent.log", **settings, **twin.stack.info.addresses)
    agent.start()
    try:
        twin.await_tracked_frame(frame=last + 1, deadline_s=SLOW_MACHINE_S)
        assert agent.terminate() == 0
    finally:
        agent.kill()

    stored = on_the_stack(twin, last)
    assert stored.keys() == flown.keys()
    for subject, bodies in flown.items():
        for number, (one, other) in enumerate(zip(stored[subject], bodies, strict=False)):
            assert one == other, f"{subject} {number}"
        assert len(stored[subject]) == len(bodies) > 0, subject


def in_process(flight: Flight, seconds: float) -> dict[str, list[object]]:
    """Canonical bodies by subject."""
    said: dict[str, list[object]] = {}
    for moment in flight.fly(seconds):
        messages = list(moment.frame.messages(INGEST)) if moment.frame else []
        messages += [event.message for event in moment.events if event.kind.subject in AGENT]
        for message in messages:
            said.setdefault(message.subject, []).append(canonical(message.subject, message.body))
    return said


def on_the_stack(twin, last: int) -> dict[str, list[object]]:
    """The same of what the stack published, up to the frame `last`."""
    end_s = twin.tracked_frames(frame=last + 1)[0].data.timestamp.timestamp()
    records = [one for band in RadarRangeBand for one in twin.frames(band=band) if one.frame <= last]
    records += [one for one in twin.tracks() if one.frame <= last]
    records += [one for one in twin.estimates() if one.frame <= last]
    records += [one for one in twin.tracked_frames() if one.frame <= last]
    records += [one for one in twin.truth() if one.data.frame <= last]
    events = [one for one in twin.events() if one.subject in (*GUARD, *AGENT)]
    records += [one for one in events if one.data.fields["ts_epoch"] < end_s and one.data.code != 901]
    said: dict[str, list[object]] = {}
    for record in records:
        said.setdefault(record.subject, []).append(canonical(record.subject, record.body))
    return said


def canonical(subject: str, body: bytes) -> object:
    """A body without wall time, and without the places of the messages that it rests on."""
    if subject not in AGENT:
        return TS_INGEST.sub(b'"ts_ingest":null', body)
    fields = json.loads(body)
    return fields | {"rests_on": [{**one, "sequence": None} for one in fields.get("rests_on", ())]}
