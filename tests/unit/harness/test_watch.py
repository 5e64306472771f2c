"""The tracks and the agent as `qiki watch` shows them."""

import asyncio
from datetime import UTC, datetime
from uuid import UUID

import pytest
from nats.aio.msg import Msg

from qiki.contracts.agent import AgentState, FsmSnapshot
from qiki.contracts.enums import FriendFoe, FSMState, ObjectType, RadarTrackStatus, TransponderMode
from qiki.contracts.radar import RadarTrack
from qiki_harness.cli.feed import Feed, TrackTable
from qiki_harness.cli.screen import COLUMNS, agent_line, cells

EPOCH = datetime(2025, 9, 1, tzinfo=UTC)


def track(number: int, range_m: float = 100.0, **values: object) -> RadarTrack:
    base = {
        "track_id": UUID(int=number), "status": RadarTrackStatus.TRACKED, "range_m": range_m, "bearing_deg": 45.25,
        "elev_deg": -3.0, "vr_mps": -12.34, "snr_db": 20.0, "rcs_dbsm": 0.0,
        "timestamp": datetime(2026, 1, 1, tzinfo=UTC),
        "quality": 0.987, "age_s": 7.9,
    }  # fmt: skip
    return RadarTrack.model_validate({**base, **values})


def ranges(table: TrackTable) -> list[float]:
    return [shown.range_m for shown in table.tracks]


def test_nearest_first_and_newest_state_of_each():
    table = TrackTable()
    table.take(track(1, 300.0), "run", 0.0)
    table.take(track(2, 200.0), "run", 0.0)
    table.take(track(1, 100.0), "run", 0.1)
    assert ranges(table) == [100.0, 200.0]


def test_what_is_no_longer_reported_goes():
    table = TrackTable()
    table.take(track(1, 1.0), "run", 0.0)
    table.take(track(2, 2.0), "run", 1.9)
    assert ranges(table) == [1.0, 2.0]
    table.take(track(2, 3.0), "run", 2.1)
    assert ranges(table) == [3.0]


def test_a_new_run_begins_with_an_empty_table():
    table = TrackTable()
    table.take(track(1, 1.0), "run", 0.0)
    table.take(track(2, 2.0), "another", 0.1)
    assert ranges(table) == [2.0]


def test_a_row():
    row = cells(track(1, 1234.56, object_type=ObjectType.DRONE, iff=FriendFoe.FOE, transponder_id="ALLY-1"))
    assert row == ("ALLY-1", "drone", "foe", "tracked", "1234.6", "45.2", "-3.0", "-12.3", "0.99", "8")


def test_an_impostor_is_marked_and_the_nameless_have_their_id():
    assert cells(track(1, transponder_mode=TransponderMode.SPOOF, transponder_id="ALLY-1"))[0] == "!ALLY-1"
    assert cells(track(0xABCDEF01 << 96))[0] == "abcdef01"


def test_the_widest_row_fits_80_columns():
    widest = cells(
        track(
            1, 99_999.9, object_type=ObjectType.ASTEROID, iff=FriendFoe.UNKNOWN, status=RadarTrackStatus.COASTING,
            bearing_deg=359.9, elev_deg=-89.9, vr_mps=-9999.9, age_s=9999.0, transponder_id="x" * 12,
            transponder_mode=TransponderMode.SPOOF,
        )
    )  # fmt: skip
    for cell, column in zip(widest, COLUMNS, strict=True):
        assert max(len(cell), len(column.head)) <= column.width
    assert sum(column.width + 1 for column in COLUMNS) <= 80


def told(state, causes=()):
    feed = Feed("nats://127.0.0.1:1")
    snapshot = FsmSnapshot(
        snapshot_id=UUID(int=1),
        timestamp=EPOCH,
        current_state=state,
        history=(),
        fsm_instance_id=UUID(int=2),
        attempt_count=1,
    )
    said = AgentState(
        timestamp=EPOCH, conduct="live", tick=7, run_id="r", fsm=snapshot, causes=causes, good_checks=0, inputs={},
        bios_ok=True, engines={}, tracks=0, alerts=0,
    )  # fmt: skip
    asyncio.run(feed.take_agent(Msg(None, data=said.to_json())))
    return feed


@pytest.mark.parametrize(
    ("state", "causes", "line"),
    [
        (FSMState.IDLE, (), "agent: IDLE"),
        (
            FSMState.ERROR_STATE,
            ("BIOS_LOST: nobody", "INPUT_STALE: it"),
            "agent: SAFE_MODE BIOS_LOST: nobody; INPUT_STALE: it",
        ),
    ],
)
def test_it_names_the_state_and_the_causes(state, causes, line):
    assert agent_line(told(state, causes)) == line


def test_an_agent_without_a_valid_state_is_silent():
    feed = Feed("nats://127.0.0.1:1")
    assert agent_line(feed) == "agent: silent"
    asyncio.run(feed.take_agent(Msg(None, data=b"{}")))
    assert agent_line(feed) == "agent: silent"


def test_an_agent_whose_state_is_stale_is_silent(monkeypatch):
    feed = told(FSMState.IDLE)
    later_s = feed._agent_at_s + 5.1
    monkeypatch.setattr("qiki_harness.cli.feed.time.monotonic", lambda: later_s)
    assert agent_line(feed) == "agent: silent"
