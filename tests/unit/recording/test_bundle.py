"""Bundles: made, opened, refused, and the oldest removed."""

import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from mcap.reader import make_reader

from qiki.contracts import topics
from qiki_harness.errors import RecordingError
from qiki_harness.recording.bundle import SUFFIX, exhibit_of, prune, recordings, write_bundle
from qiki_harness.recording.layout import DERIVED
from qiki_harness.recording.reader import Recording
from qiki_harness.recording.runs import recorded_run
from qiki_harness.recording.verify import verify
from qiki_harness.twin.backing import ForeignStack
from qiki_harness.twin.history import Ledger
from qiki_harness.twin.watcher import Watcher
from qiki_harness.twin.wire import Wire

NOWHERE = "nats://127.0.0.1:1"


@pytest.fixture
def twin(flown: Path) -> Watcher:
    """A twin whose histories hold what was flown."""
    ledger = Ledger(topics.TOPICS)
    for one in Recording(flown).messages():
        ledger.add(one.message.subject, one.message.body, one.message.headers, one.number)
    return Watcher(ForeignStack({"NATS_URL": NOWHERE}), ledger, Wire(NOWHERE, ledger))


def test_a_bundle_holds_the_run_and_how_the_test_failed(twin: Watcher, flown: Path, tmp_path: Path):
    path = write_bundle(tmp_path, "tests/a/test_b.py::test_it[x/y 1]", "waited for a track", [exhibit_of(twin)])
    assert path.name.endswith(f"Z-test-b-py-test-it-x-y-1{SUFFIX}")
    with zipfile.ZipFile(path) as bundle:
        assert bundle.read("failure.txt") == b"tests/a/test_b.py::test_it[x/y 1]\n\nwaited for a track\n"
    (recording,) = recordings(path)
    before = [one.message for one in Recording(flown).messages()]
    after = [one.message for one in recording.messages()]
    assert sorted(after, key=repr) == sorted(before, key=repr)
    verdict = verify(recorded_run(recording))
    assert verdict.same
    assert verdict.frames == 30
    with zipfile.ZipFile(path) as bundle, bundle.open("0/recording.mcap") as file:
        found = [one.data for *_, one in make_reader(file).iter_messages([f"{DERIVED}tracks"])]
    assert len(found) == 30


def test_several_twins_are_several_recordings(twin: Watcher, tmp_path: Path):
    assert len(recordings(write_bundle(tmp_path, "t", "f", [exhibit_of(twin)] * 2))) == 2


def test_a_recording_is_opened_as_it_is(flown: Path):
    (recording,) = recordings(flown)
    assert recording.path == flown


def damaged(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    empty = tmp_path / f"empty{SUFFIX}"
    with zipfile.ZipFile(empty, "w") as bundle:
        bundle.writestr("../recording.mcap", b"x")
    yield empty, "it has no recording"
    rubbish = tmp_path / f"rubbish{SUFFIX}"
    with zipfile.ZipFile(rubbish, "w") as bundle:
        bundle.writestr("0/recording.mcap", b"some bytes")
    yield rubbish, "it is no MCAP file"
    spoilt = tmp_path / f"spoilt{SUFFIX}"
    spoilt.write_bytes(rubbish.read_bytes().replace(b"some", b"many", 1))
    yield spoilt, "it is damaged: Bad CRC-32"
    yield tmp_path / "none", "No such file"


def test_what_is_no_bundle_is_refused_in_one_line(tmp_path: Path):
    for path, fault in damaged(tmp_path):
        with pytest.raises(RecordingError, match=fault) as refused:
            recordings(path)
        assert "\n" not in str(refused.value)


def test_the_oldest_make_room(tmp_path: Path):
    names = [f"2026010{number}T000000Z-a{SUFFIX if number % 2 else '.mcap'}" for number in range(1, 7)]
    for name in names:
        (tmp_path / name).write_bytes(bytes(100))
    others = ["20250101T000000Z-notes.txt", "run.mcap", "mine.qiki.zip"]
    for name in others:
        (tmp_path / name).write_text("mine")
    (tmp_path / "20250101T000000Z-folder.mcap").mkdir()
    (tmp_path / "20250101T000000Z-link.mcap").symlink_to("nowhere")
    others += ["20250101T000000Z-folder.mcap", "20250101T000000Z-link.mcap"]
    assert prune(tmp_path, kept=1, suffixes=(".json",)) == []
    assert {one.name for one in prune(tmp_path, kept=4)} == set(names[:2])
    assert {one.name for one in prune(tmp_path, kept_bytes=250)} == set(names[2:4])
    assert prune(tmp_path, kept_bytes=0) == [tmp_path / names[4]]
    assert {one.name for one in tmp_path.iterdir()} == {names[5], *others}
