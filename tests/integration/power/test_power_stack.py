"""The disk of a native stack loses its power: under all of it, or under its broker alone."""

import time
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from qiki.audit.files import audit_files
from qiki.audit.query import Query, find
from qiki.contracts.events import RADAR_GAP, RadarGap
from qiki.contracts.topics import FRAMES_BY_BAND, LAST_S
from qiki_harness.cli.auditcheck import check
from qiki_harness.errors import StackError
from qiki_harness.power import Drive, Names
from qiki_harness.testing import until
from qiki_harness.twin import ForeignStack, Twin, start_twin
from qiki_harness.twin.checks import check_frames, check_tracks, settle

AUTOSTART = {"QIKI_AUTOSTART": "true"}
LATE_S = 3.0
"""By which a machine that does much else may sync later than declared."""
SPEED = 5.0
STORE = timedelta(hours=1)


def registered(audit: Path) -> set[str]:
    return {record["event_id"] for _, record in find(audit, Query())} if audit_files(audit) else set()


def check_whole(twin: Twin, audit: Path, events: set[str]) -> None:
    """Check that all events are registered, and that the log is whole and ends as the broker says."""
    until("all events to be registered", lambda: events <= registered(audit))
    twin.stack.stop_service("registrar")
    addresses = twin.stack.info.addresses
    assert check(audit, (), addresses["NATS_URL"], addresses["QIKI_KEYS_DIR"]).faults == []
    twin.stack.start_service("registrar")


@pytest.mark.timeout(3600)
def test_a_stack_goes_on_after_power_failures_with_all_that_is_declared(
    drive: Callable[..., Drive], tmp_path: Path, cuts: int, chance: Random, figure: Callable[[str], None]
):
    folder = tmp_path / "stack"
    disk = drive(folder / "data", Names.JOURNAL)
    events, runs = set[str](), set[str]()
    failures = max(1, cuts // 10)
    for _ in range(failures):
        with closing(start_twin(folder, speed=SPEED, env=AUTOSTART)) as twin:
            begin = twin.await_tracked_frame(after=twin.now())
            assert begin.run not in runs
            runs.add(begin.run)
            twin.await_tracked_frame(run=begin.run, frame=begin.frame + chance.randint(1, 200))
            disk.cut(chance.randrange(2**32))
            cut_s = time.monotonic()
            frames = {record.message_id for record in twin.frames() if record.came_s < cut_s - LAST_S - LATE_S}
            events |= {record.message_id for record in twin.events() if not record.subject.endswith(".audit")}
            twin.stack.request_kill()
            with suppress(StackError):
                twin.stack.wait_ended(30)
        disk.restore()

        with closing(start_twin(folder, "empty")) as twin:
            with closing(Twin(ForeignStack(twin.stack.info.addresses), look_back=STORE)) as reader:
                stored = {record.message_id for record in reader.frames()}
                assert frames <= stored
                assert events <= {record.message_id for record in reader.events()}
            check_whole(twin, folder / "data" / "audit", events)
            assert twin.command("sim.pause").ok
            run, last = settle(twin)
            check_frames(twin, run, last)
            check_tracks(twin, run, last)
    figure(f"whole stack: {failures} power failures, {len(events)} events, all stored and registered once")


@pytest.mark.timeout(3600)
def test_after_a_power_failure_of_the_broker_alone_no_frame_is_doubled_or_missing_untold(
    drive: Callable[..., Drive], tmp_path: Path, cuts: int, chance: Random, figure: Callable[[str], None]
):
    folder = tmp_path / "stack"
    disk = drive(folder / "data" / "jetstream", Names.JOURNAL)
    failures = max(1, cuts // 10)
    with closing(start_twin(folder, speed=SPEED)) as twin:
        run = twin.await_tracked_frame(after=twin.now()).run
        for _ in range(failures):
            newest = twin.await_tracked_frame(after=twin.now(), run=run)
            twin.await_tracked_frame(run=run, frame=newest.frame + chance.randint(1, 100))
            disk.cut(chance.randrange(2**32))
            twin.stack.stop_service("nats")
            disk.restore()
            twin.stack.start_service("nats")
            twin.await_ready()
        assert twin.command("sim.pause").ok
        with closing(Twin(ForeignStack(twin.stack.info.addresses), look_back=STORE)) as reader:
            _, last = settle(reader)
            told = {frame for gap in gaps(reader, run) for frame in range(gap.first_frame, gap.last_frame + 1)}
            for band in FRAMES_BY_BAND:
                check_told([record.frame for record in reader.frames(run=run, band=band)], last, told)
            check_told([record.frame for record in reader.tracked_frames(run=run)], last, told)
            tracks = [record.message_id for record in reader.tracks(run=run)]
            assert len(set(tracks)) == len(tracks)
    lost = f"{len(told)} lost and told as gaps" if told else "none lost"
    figure(f"broker alone: {failures} power failures, frames 0 to {last} stored once each, {lost}")


def gaps(twin: Twin, run: str) -> list[RadarGap]:
    """The gaps of a run that the radar has told."""
    found = (record.data.fields for record in twin.events(code=RADAR_GAP.code))
    return [RadarGap(**fields) for fields in found if fields["run_id"] == run]


def check_told(numbers: list[int], last: int, told: set[int]) -> None:
    """Check that each frame is stored once, in order, or was told to be lost."""
    assert len(set(numbers)) == len(numbers)
    assert set(range(last + 1)) - set(numbers) <= told
