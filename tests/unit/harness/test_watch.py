"""The tracks and the agent as `qiki watch` shows them."""

import asyncio
import io
import os
from datetime import UTC, datetime
from uuid import UUID

import pytest
from nats.aio.msg import Msg
from rich.console import Console
from rich.screen import Screen
from rich.text import Text

from qiki.contracts.agent import AgentState, FsmSnapshot
from qiki.contracts.enums import FriendFoe, FSMState, ObjectType, RadarTrackStatus, TransponderMode
from qiki.contracts.headers import MESSAGE_ID, RUN
from qiki.contracts.ids import track_message_id
from qiki.contracts.radar import RadarTrack
from qiki_harness.cli.columns import COLUMNS, cells, fitting, head, row
from qiki_harness.cli.feed import Feed, TrackTable
from qiki_harness.cli.screen import Page, agent_line, headline, make_page
from qiki_harness.cli.statuses import Statuses
from qiki_harness.stack import ServiceStatus, Stack, StackInfo

EPOCH = datetime(2025, 9, 1, tzinfo=UTC)


def track(number: int, range_m: float = 100.0, **values: object) -> RadarTrack:
    base = {
        "track_id": UUID(int=number), "status": RadarTrackStatus.TRACKED, "range_m": range_m, "bearing_deg": 45.25,
        "elev_deg": -3.0, "vr_mps": -12.34, "snr_db": 20.0, "rcs_dbsm": 0.0,
        "timestamp": datetime(2026, 1, 1, tzinfo=UTC),
        "quality": 0.987, "age_s": 7.9,
    }  # fmt: skip
    return RadarTrack.model_validate({**base, **values})


def take(table: TrackTable, taken: RadarTrack, at_s: float, run: str = "run", frame: int = 0) -> None:
    table.take(taken.to_json(), {RUN: run, MESSAGE_ID: track_message_id(run, frame, str(taken.track_id))}, at_s)


def ranges(table: TrackTable) -> list[float]:
    return [shown.range_m for shown in table.newest()]


def test_nearest_first_and_newest_state_of_each():
    table = TrackTable()
    take(table, track(1, 300.0), 0.0)
    take(table, track(2, 200.0), 0.0)
    take(table, track(1, 100.0), 0.1)
    assert ranges(table) == [100.0, 200.0]


def test_only_what_is_shown_is_read_and_once(monkeypatch):
    read = []
    original = RadarTrack.model_validate_json
    monkeypatch.setattr(RadarTrack, "model_validate_json", lambda body: read.append(body) or original(body))
    table = TrackTable()
    for number in range(10):
        take(table, track(1, float(number)), 0.0, frame=number)

    assert ranges(table) == ranges(table) == [9.0]
    assert len(read) == 1


@pytest.mark.parametrize("identity", [{}, {MESSAGE_ID: "mine"}, {MESSAGE_ID: "a:b:"}])
def test_messages_of_other_trackers_need_no_id_of_ours(identity):
    table = TrackTable()
    for number, range_m in ((1, 300.0), (2, 200.0), (1, 100.0)):
        table.take(track(number, range_m).to_json(), {RUN: "run", **(identity and {MESSAGE_ID: f"{range_m}"})}, 0.0)
    assert ranges(table) == [100.0, 200.0]


def test_what_is_no_track_is_counted_once():
    table = TrackTable()
    take(table, track(1, 1.0), 0.0)
    table.take(b"no track", {RUN: "run"}, 0.0)
    table.take(b"{}", {}, 0.0)  # nor does it begin a run
    assert ranges(table) == ranges(table) == [1.0]
    assert table.refused == 2


def test_what_is_no_longer_reported_goes():
    table = TrackTable()
    take(table, track(1, 1.0), 0.0)
    take(table, track(2, 2.0), 1.9)
    assert ranges(table) == [1.0, 2.0]
    take(table, track(2, 3.0), 2.1)
    assert ranges(table) == [3.0]


def test_a_new_run_begins_with_an_empty_table():
    table = TrackTable()
    take(table, track(1, 1.0), 0.0)
    take(table, track(2, 2.0), 0.1, run="another")
    assert ranges(table) == [2.0]


def test_lost_tracks_are_not_counted_and_new_ones_apart():
    feed = Feed("nats://127.0.0.1:1")
    states = RadarTrackStatus
    for number, status in enumerate((states.TRACKED, states.COASTING, states.NEW, states.NEW, states.LOST)):
        take(feed.table, track(number, status=status), 0.0)

    assert headline(feed, feed.table.newest()).startswith("2 tracks, 2 new, waiting for NATS")


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


@pytest.mark.parametrize(
    ("width", "kept"),
    [
        (80, [column.head for column in COLUMNS]),
        (79, [column.head for column in COLUMNS]),
        (40, ["CONTACT", "RANGE m", "BRG °", "VR m/s"]),
        (42, ["CONTACT", "SIDE", "RANGE m", "BRG °", "VR m/s"]),
        (20, ["CONTACT", "RANGE m"]),
    ],
)
def test_a_narrow_terminal_keeps_what_counts_most(width, kept):
    columns = fitting(width)
    assert [column.head for column in columns] == kept
    text, _ = row(columns, track(1, 99_999.9))
    assert len(head(columns)) == len(text) <= width


def test_what_a_transponder_claims_drives_no_terminal():
    hostile = track(1).model_copy(update={"transponder_id": "A\x1b[2J\nBCD"})  # no message can bear it
    shown = cells(hostile)[0]
    assert shown == r"A\x1b[2J\nB"


def drawn(page: Page) -> list[str]:
    console = Console(file=io.StringIO(), width=page.size[0], height=page.size[1], force_terminal=True, no_color=True)
    with console.capture() as capture:
        console.print(Screen(page), end="")
    return [line.rstrip() for line in Text.from_ansi(capture.get()).plain.splitlines()]


def crowd(feed: Feed, size: int) -> None:
    for number in range(size):
        take(feed.table, track(number, 100.0 + number, transponder_id=f"BEE-{number}"), 0.0)


def test_a_page_with_more_tracks_than_lines_says_so():
    feed = Feed("nats://127.0.0.1:1")
    crowd(feed, 20)

    lines = drawn(make_page(feed, [], (80, 12)))

    assert lines[0].startswith("20 tracks, waiting")
    assert lines[-2].startswith("BEE-5 ")
    assert lines[-1] == "and 14 more, further away"
    assert len(lines) == 12


def test_a_page_with_as_many_tracks_as_lines_shows_all():
    feed = Feed("nats://127.0.0.1:1")
    crowd(feed, 7)

    lines = drawn(make_page(feed, [], (80, 12)))

    assert len(lines) == 12
    assert lines[-1].startswith("BEE-6 ")


def test_a_page_in_which_nothing_has_changed_is_not_drawn_again():
    feed = Feed("nats://127.0.0.1:1")
    crowd(feed, 2)
    page = make_page(feed, [], (80, 12))

    crowd(feed, 2)
    assert make_page(feed, [], (80, 12)) == page
    take(feed.table, track(0, 50.0), 0.1)
    assert make_page(feed, [], (80, 12)) != page
    assert make_page(feed, [], (81, 12)) != page


def test_the_services_are_read_again_when_the_stack_has_written_them(tmp_path):
    stack = Stack(tmp_path)
    lock = stack.folder.lock()  # as its supervisor would
    statuses = Statuses(stack)
    assert statuses.read() == []

    for names in (["nats"], ["nats", "registrar"]):
        services = {name: ServiceStatus(name, f"{name}.log") for name in names}
        stack.folder.write(StackInfo("default", tmp_path, tmp_path, 1, tmp_path, 0.0, services=services))
        assert [status.name for status in statuses.read()] == names
        assert statuses.read() is statuses.read()
    os.close(lock)
    assert statuses.read() == []


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
