"""The reasons of an agent on a stack: every link is a message that the streams keep at the place that is told."""

from pathlib import Path
from uuid import UUID

import pytest

from qiki.contracts import topics
from qiki.contracts.events import PROPOSAL_ACCEPTED, Decision
from qiki_harness.recording.about import about
from qiki_harness.recording.check import summarise
from qiki_harness.recording.reader import Recording
from qiki_harness.recording.recorder import Recorder
from qiki_harness.recording.runs import chosen_run, recorded_run
from qiki_harness.recording.why.archive import Archive
from qiki_harness.recording.why.chain import chain_of
from qiki_harness.recording.why.whatif import Change, what_if
from qiki_harness.recording.writer import RecordingWriter
from qiki_harness.testing import ServiceProcess
from qiki_harness.twin import Twin
from qiki_harness.twin.backing import NATS_URL, TESTS_KEYS

AVOIDANCE = Path(__file__).parents[2] / "docs/examples/avoidance/avoidance.py"
RUN = UUID("5ca1ab1e-0000-4000-8000-000000000012")
FRAMES = 60
"""The example engine burns at 0.6 s and 5.4 s."""
DEADLINE_S = 120


@pytest.fixture
def recorded(own_twin, installed, tmp_path: Path) -> tuple[Twin, Path, Path]:
    """A stack that an agent with the example engine conducts, its recording, and the folder of the engine."""
    folder, path = installed(AVOIDANCE, avoidance="avoidance:Avoidance"), tmp_path / "run.mcap"
    twin: Twin = own_twin(
        "collision", run_id=RUN, start=False, env={"AGENT_LOCKSTEP_TICKS": "2"}, without=("qiki-dev",)
    )
    where = twin.backing.addresses
    with Recorder(RecordingWriter(path, about(where[NATS_URL], None)), where[NATS_URL], where[TESTS_KEYS]):
        assert twin.command("sim.rcs.fire", axis="port", pct=1.0, duration_s=0.1).ok
        settings = {"AGENT_LOCKSTEP_TICKS": 2, "AGENT_ENGINES": "avoidance", "PYTHONPATH": folder}
        settings["QIKI_DEV_KEYS_DIR"] = twin.stack.folder.keys("qiki-dev")
        agent = ServiceProcess("q_core_agent", tmp_path / "agent.log", **settings, **twin.stack.info.addresses)
        agent.start()
        try:
            twin.await_tracked_frame(frame=FRAMES, deadline_s=DEADLINE_S)
            twin.await_message(topics.AGENT_STATE)
        finally:
            agent.terminate()
    return twin, path, folder


@pytest.mark.timeout(300)
def test_the_chain_of_a_burn_names_the_places_in_the_streams(recorded, monkeypatch: pytest.MonkeyPatch):
    twin, path, folder = recorded
    archive = opened(path)
    fire, burn, *_ = (one for one in archive.orders if b"rcs.fire" in one.message.body)
    chain = chain_of(archive, burn)
    assert chain.remarks == ()
    assert [one.kind for one in chain.root.walk()][:6] == ["command", "decision", "proposal", "track", "frame", "plot"]
    stored = {
        (one.subject, one.sequence): one.message_id
        for topic in (topics.ORDERS, topics.EVENTS, topics.TRACKS, topics.ESTIMATES, topics.FRAMES)
        for one in twin.history(topic)
    }
    elements = [one for one in chain.root.walk() if one.subject]
    assert {one.subject for one in elements} >= {
        topics.ORDERS.subject,
        PROPOSAL_ACCEPTED.subject,
        topics.TRACKS.subject,
        topics.FRAMES.subject,
        topics.ESTIMATES.subject,
        topics.TELEMETRY.subject,
    }
    for one in elements:
        if one.subject != topics.TELEMETRY.subject:
            assert stored[one.subject, one.sequence] == one.message_id
    decision = Decision.model_validate(chain.root.causes[0].body)
    evidence = chain.root.causes[0].causes[0].causes
    assert [(each.subject, each.sequence) for each in decision.rests_on][:2] == [
        (each.subject, each.sequence) for each in evidence
    ][:2]
    assert evidence[2].t_s == pytest.approx(evidence[0].t_s)  # telemetry, by its time
    assert decision.justification.split()[1] == evidence[0].body["track_id"]

    assert [one.kind for one in chain_of(archive, fire).root.walk()] == ["command", "answer"]

    monkeypatch.syspath_prepend(folder)
    found = what_if(recorded_run(Recording(path)), Change(hidden=(evidence[0].body["track_id"],)))
    assert found.verdict.same
    assert "decisions" in found.verdict.groups
    assert [any("by avoidance" in act.text for act in each.decisions) for each in (found.unchanged, found.changed)] == [
        True,
        False,
    ]


def opened(path: Path) -> Archive:
    recording = Recording(path)
    return Archive(recording, chosen_run(recording, summarise(recording)))
