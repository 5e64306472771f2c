"""One run on a stack in lockstep and in one process: the same bytes, but for wall time and the places in streams."""

import importlib.util
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from qiki.botspec import BotConfig, generate, load_spec
from qiki.contracts import topics
from qiki.contracts.enums import RadarRangeBand
from qiki.contracts.headers import Message
from qiki.contracts.sim import SimOrder
from qiki.flight import Flight
from qiki.flight.digest import GROUP_OF, Link, RunDigest, canonical
from qiki.world.scenario import load_scenario
from qiki_harness.testing import ServiceProcess

RUN = UUID("5ca1ab1e-0000-4000-8000-000000000004")
AVOIDANCE = Path(__file__).parents[2] / "docs/examples/avoidance/avoidance.py"
TICKS = 2
INGEST = datetime(2026, 1, 1, tzinfo=UTC)
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
    flown, ordered = in_process(flight, seconds)
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
    for subject, messages in flown.items():
        for number, (one, other) in enumerate(zip(stored[subject], messages, strict=False)):
            assert canonical(one) == canonical(other), f"{subject} {number}"
        assert len(stored[subject]) == len(messages) > 0, subject
    assert digest(stored) == digest(flown)
    assert digest(flown).frame == last
    assert [ordered_by(record.body) for record in twin.history(topics.ORDERS)] == ordered


def digest(said: dict[str, list[Message]]) -> Link | None:
    """The last link over all messages."""
    chains = RunDigest(str(RUN))
    for messages in said.values():
        for message in messages:
            chains.add(message)
    return chains.finish()


def in_process(flight: Flight, seconds: float) -> tuple[dict[str, list[Message]], list[object]]:
    """Messages by subject, and the orders."""
    said: dict[str, list[Message]] = {}
    ordered: list[object] = []
    for moment in flight.fly(seconds):
        ordered += [ordered_by(order.body) for order in moment.orders]
        for message in moment.messages(INGEST):
            if message.subject in GROUP_OF:
                said.setdefault(message.subject, []).append(message)
    return said, ordered


def ordered_by(body: bytes) -> object:
    """An order, without the sender of a command and its id, which tell commands apart."""
    return SimOrder.from_json(body).model_copy(update={"sender": "", "message_id": None})


def on_the_stack(twin, last: int) -> dict[str, list[Message]]:
    """The same of what the stack published, up to the frame `last`."""
    end_s = twin.tracked_frames(frame=last + 1)[0].data.timestamp.timestamp()
    records = [one for band in RadarRangeBand for one in twin.frames(band=band) if one.frame <= last]
    records += [one for one in twin.tracks() if one.frame <= last]
    records += [one for one in twin.estimates() if one.frame <= last]
    records += [one for one in twin.tracked_frames() if one.frame <= last]
    records += [one for one in twin.truth() if one.data.frame <= last]
    events = [one for one in twin.events() if one.subject in GROUP_OF]
    records += [one for one in events if one.data.fields["ts_epoch"] < end_s and one.data.code != 901]
    said: dict[str, list[Message]] = {}
    for record in records:
        said.setdefault(record.subject, []).append(Message(record.subject, record.body, record.headers))
    return said
