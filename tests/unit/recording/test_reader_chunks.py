"""Reading what is wanted of a recording gives what reading all of it gives, wherever its chunks end."""

from pathlib import Path

import pytest

from qiki.contracts import topics
from qiki.flight import Flight
from qiki.world.scenario import load_scenario
from qiki_harness.recording import writer
from qiki_harness.recording.flown import record_flight
from qiki_harness.recording.reader import Recording

WANTED = [{topics.ORDERS.subject}, {topics.AGENT_STATE.subject}, {topics.FRAMES.subject, topics.RUNS.subject}]


@pytest.fixture(scope="module", params=[700, 4000, 50_000])
def chunked(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording with chunks of so many bytes, so that headers and their message part company."""
    path = tmp_path_factory.mktemp("chunks") / "run.mcap"
    flight = Flight(load_scenario("mixed-traffic"))
    flight.command("sim.rcs.fire", axis="port", pct=40.0, duration_s=1.0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writer, "CHUNK_BYTES", request.param)
        record_flight(flight, 5.0, path)
    return path


@pytest.mark.parametrize("wanted", WANTED)
@pytest.mark.parametrize("share", [0.0, 0.3, 0.7])
def test_what_is_wanted_is_what_all_have_of_it(chunked: Path, wanted: set[str], share: float):
    recording = Recording(chunked)
    assert recording.summary is not None
    everything = list(recording.messages())
    begin, end = everything[0].came_ns, everything[-1].came_ns
    from_ns = round(begin + share * (end - begin))
    expected = [one for one in everything if one.message.subject in wanted and one.came_ns >= from_ns]
    assert list(recording.messages(wanted, from_ns)) == expected
