"""Lockstep: the agent conducts, and the same run gives the same bytes and the same decisions, whatever is killed."""

import json
import math
import re
from pathlib import Path
from uuid import UUID

import pytest

from qiki.contracts import topics
from qiki.contracts.enums import RadarRangeBand
from qiki.contracts.events import PROPOSAL_ACCEPTED, SAFE_MODE_ENTERED
from qiki.contracts.headers import SEQUENCE
from qiki_harness.testing import ServiceProcess, until

RUN = UUID("5ca1ab1e-0000-4000-8000-000000000002")
AVOIDANCE = Path(__file__).parents[2] / "docs/examples/avoidance/avoidance.py"
FRAMES = 430  # the boulder would strike at frame 400
TICKS = 2
TS_INGEST = re.compile(rb'"ts_ingest":"[^"]*"')
SLOW_MACHINE_S = 100.0
SAID = (SAFE_MODE_ENTERED.subject, PROPOSAL_ACCEPTED.subject, "qiki.events.v1.bios_status")


@pytest.fixture
def conducted(own_twin, installed, tmp_path):
    """Starts a stack, and an agent that conducts it; both end with the test."""
    folder = installed(AVOIDANCE, avoidance="avoidance:Avoidance")
    agents = []

    def start():
        conducting = {"AGENT_LOCKSTEP_TICKS": str(TICKS)}  # so that the agent's identity may command
        twin = own_twin("collision", run_id=RUN, start=False, env=conducting, without=("qiki-dev",))
        chosen = {"PYTHONPATH": folder, "AGENT_ENGINES": "avoidance", "AGENT_LOCKSTEP_TICKS": TICKS}
        settings = chosen | dict(twin.stack.info.addresses)
        settings["QIKI_DEV_KEYS_DIR"] = twin.stack.folder.keys("qiki-dev")
        agent = ServiceProcess("q_core_agent", tmp_path / f"agent-{len(agents)}.log", **settings)
        agents.append(agent)
        agent.start()
        return twin, agent

    yield start
    for agent in agents:
        agent.kill()


@pytest.mark.timeout(400)
def test_the_same_run_gives_the_same_decisions_whatever_is_killed(conducted):
    quiet, again = undisturbed(conducted), undisturbed(conducted)
    disturbed, agent = conducted()
    for frame, killed in ((60, "q-sim-radar"), (120, "faststream-bridge"), (180, "nats")):
        disturbed.await_tracked_frame(frame=frame, deadline_s=SLOW_MACHINE_S)
        disturbed.kill(killed)
    disturbed.await_tracked_frame(frame=FRAMES, deadline_s=SLOW_MACHINE_S)
    assert agent.terminate() == 0

    assert truth(quiet) == truth(again)
    assert len(truth(quiet)) == FRAMES
    assert_same_truth(truth(quiet), truth(disturbed))
    for other in (again, disturbed):
        assert_same(stored(quiet), stored(other))
        assert_same({"said": said(quiet)}, {"said": said(other)})
    assert min(distances_m(quiet)) > 80
    assert [record.code for record in events(quiet, SAFE_MODE_ENTERED.subject)] == [110, 111]


def test_a_simulation_that_runs_is_waited_for(conducted):
    twin, agent = conducted()
    agent.ready()
    twin.await_tracked_frame(frame=5, deadline_s=SLOW_MACHINE_S)

    assert twin.command("sim.start").ok
    unready = until(
        "the agent to be unready", lambda: (page := agent.get("/readyz"))[0] == 503 and page, SLOW_MACHINE_S
    )
    assert "pause" in json.loads(unready[1])["waiting_for"]["lockstep"]
    assert twin.command("sim.pause").ok
    agent.ready()

    newest = twin.tracked_frames()[-1].frame
    twin.await_tracked_frame(frame=newest + 5, deadline_s=SLOW_MACHINE_S)


def test_a_frame_whose_estimates_are_no_longer_kept_is_not_waited_for(own_twin, tmp_path):
    """Its tracks are kept longer. The first step of one tick brings no other frame."""
    conducting = {"AGENT_LOCKSTEP_TICKS": "1"}
    twin = own_twin("mixed-traffic", run_id=RUN, start=False, env=conducting, without=("qiki-dev",))
    newest = twin.step(40)
    twin.jetstream(lambda jetstream: jetstream.purge_stream(topics.QIKI_ESTIMATES_V1))
    agent = ServiceProcess(
        "q_core_agent",
        tmp_path / "agent.log",
        AGENT_LOCKSTEP_TICKS=1,
        QIKI_DEV_KEYS_DIR=twin.stack.folder.keys("qiki-dev"),
        AGENT_ENGINES="none",
        **twin.stack.info.addresses,
    )
    agent.start()
    try:
        agent.ready()
        twin.await_tracked_frame(frame=newest.frame + 5, deadline_s=SLOW_MACHINE_S)
    finally:
        agent.kill()


def undisturbed(conducted):
    """A run from its begin to behind the last frame that is looked at."""
    twin, agent = conducted()
    twin.await_tracked_frame(frame=FRAMES, deadline_s=SLOW_MACHINE_S)
    assert agent.terminate() == 0
    return twin


def assert_same(one, other):
    """Show the first difference, not all that follows from it."""
    assert one.keys() == other.keys()
    for name in one:
        for number, (a, b) in enumerate(zip(one[name], other[name], strict=False)):
            assert a == b, f"{name} {number}"
        assert len(one[name]) == len(other[name]) > 0, name


def assert_same_truth(one, other):
    """Of the frames that both were told of: truth is not kept, and is lost while the broker is away."""
    common = one.keys() & other.keys()
    assert len(common) > FRAMES / 2
    for frame in sorted(common):
        assert one[frame] == other[frame], f"truth {frame}"


def stored(twin):
    """What the broker keeps of the first frames."""
    records = {band.name: twin.frames(band=band) for band in RadarRangeBand}
    records |= {"tracks": twin.tracks(), "tracked": twin.tracked_frames()}
    return {
        name: [_same_but_ingest(record) for record in several if record.frame < FRAMES]
        for name, several in records.items()
    }


def _same_but_ingest(record):
    headers = {name: value for name, value in record.headers.items() if name != SEQUENCE}
    return record.subject, headers, TS_INGEST.sub(b'"ts_ingest":null', record.body)


def truth(twin):
    return {record.data.frame: record.body for record in twin.truth() if record.data.frame < FRAMES}


def events(twin, *subjects):
    """What the agent said of the first frames, and not of its end."""
    end_s = twin.tracked_frames(frame=FRAMES)[0].data.timestamp.timestamp()
    return [
        record.data
        for record in twin.events()
        if record.subject in subjects and record.data.fields["ts_epoch"] < end_s and record.data.code != 901
    ]


def said(twin):
    """Its events but for the places of messages in their streams, where several writers take turns."""
    return [(event.id, event.code, event.subject, [_without_sequences(event.fields)]) for event in events(twin, *SAID)]


def _without_sequences(fields):
    rests_on = [{**evidence, "sequence": None} for evidence in fields.get("rests_on", ())]
    return {**fields, "rests_on": rests_on}


def distances_m(twin):
    """Between the bot and the contacts, as they really were."""
    for record in twin.truth():
        bot = record.data.bot.position
        for contact in record.data.contacts:
            there = contact.position
            yield math.dist((bot.x, bot.y, bot.z), (there.x, there.y, there.z))
