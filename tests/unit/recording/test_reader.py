"""A recording holds what was put into it; whatever becomes of the file, it is read or refused in one line."""

import random
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mcap.reader import make_reader
from mcap.writer import CompressionType, Writer

from qiki.contracts import topics
from qiki.contracts.headers import MESSAGE_ID, Message
from qiki_harness.errors import RecordingError
from qiki_harness.recording.check import summarise
from qiki_harness.recording.layout import ABOUT, About, Note, pack_headers, unpack_headers
from qiki_harness.recording.reader import Recording
from qiki_harness.recording.writer import RecordingWriter
from qiki_harness.testing.files import largest_file

ORIGIN = About(product="0", source="a test", begun="", python="3")
Change = Callable[[Callable[[bytes], bytes]], Path]
TOO_LARGE = "File too large: the recording ends here"


def message(number: int, subject: str = topics.TRACKS.subject) -> Message:
    body = b'{"timestamp":"2026-01-01T00:%02d:%02d.000000Z","number":%d}' % (*divmod(number, 60), number)
    return Message(subject, body, {MESSAGE_ID: f"m-{number}", "x-odd": "a: b  c", "x-empty": ""})


def read_all(path: Path) -> list[Message]:
    return [one.message for one in Recording(path).messages()]


def test_bodies_headers_places_and_times_come_back_as_they_were(tmp_path: Path):
    path = tmp_path / "a.mcap"
    with RecordingWriter(path, ORIGIN) as writer:
        for number in range(5):
            writer.put(message(number), sequence=number * 7, came_ns=1000 + number)
        writer.put(Message("qiki.truth.v1.contacts", b"\x00 no JSON", {}), came_ns=2000)
    recording = Recording(path)
    assert recording.about == ORIGIN
    found = list(recording.messages())
    assert [one.message for one in found[:5]] == [message(number) for number in range(5)]
    assert [(one.sequence, one.came_ns) for one in found[:5]] == [(number * 7, 1000 + number) for number in range(5)]
    assert [one.event_ns for one in found[:2]] == [1767225600 * 10**9, 1767225601 * 10**9]
    assert (found[5].message.body, found[5].event_ns, found[5].sequence) == (b"\x00 no JSON", 2000, 0)
    assert recording.problem == ""


def test_only_wanted_subjects_and_times_come(flown: Path):
    recording = Recording(flown)
    wanted = {topics.TRACKED.subject, topics.FRAMES.subject}
    some = list(recording.messages(wanted))
    assert {one.message.subject for one in some} == wanted
    middle = some[len(some) // 2].came_ns
    assert list(recording.messages(wanted, from_ns=middle)) == [one for one in some if one.came_ns >= middle]


def test_other_readers_of_mcap_find_channels_with_schemas(flown: Path):
    with flown.open("rb") as file:
        reader = make_reader(file)
        seen = {channel.topic: (schema and schema.name, channel.message_encoding, len(one.data))
                for schema, channel, one in reader.iter_messages()}  # fmt: skip
        attached = {one.name for one in reader.iter_attachments()}
    assert seen[topics.TRACKS.subject][:2] == ("RadarTrack", "json")
    assert seen["qiki.events.v1.agent.decision"][0] == "Decision"
    assert seen["qiki/headers"][:2] == (None, "nats")
    assert {"manifest.json", "guard_rules.yaml", "contents.json"} < attached


def test_the_writer_counts_what_reading_it_finds(flown: Path):
    recording = Recording(flown)
    summary = summarise(recording)
    assert summary == summarise(recording, again=True)
    (run,) = summary.runs
    assert (run.scenario, run.seed, run.first, run.last, run.faults) == ("collision", 5, 0, 29, ())
    assert run.orders >= 1


def test_what_a_killed_broker_lost_is_withdrawn_and_may_come_again(tmp_path: Path):
    path = tmp_path / "a.mcap"
    with RecordingWriter(path, ORIGIN) as writer:
        for number in range(6):
            writer.put(message(number), sequence=number + 1)
        writer.put(message(50, "qiki.events.v1.nats"), sequence=5)
        writer.note(Note(kind="lost", stream=topics.QIKI_RADAR_V1, behind=4), 0)
        writer.put(message(70), sequence=5)
        writer.note(Note(kind="break"), 0)
    found = [(one.message.headers[MESSAGE_ID], one.sequence) for one in Recording(path).messages()]
    assert found == [("m-0", 1), ("m-1", 2), ("m-2", 3), ("m-3", 4), ("m-50", 5), ("m-70", 5)]
    assert summarise(Recording(path)).breaks == 1


@pytest.mark.parametrize("time", ["1066-10-14T00:00:00.000000Z", "9999-01-01T00:00:00.000000Z", "soon"])
def test_a_time_that_the_file_cannot_hold_is_that_of_arrival(tmp_path: Path, time: str):
    odd = Message("qiki.dlq.v1.x", b'{"timestamp":"%s"}' % time.encode(), {})
    path = tmp_path / "a.mcap"
    with RecordingWriter(path, ORIGIN) as writer:
        for one in (message(1), odd, message(2)):
            writer.put(one, came_ns=5)
    assert read_all(path) == [message(1), odd, message(2)]
    assert [one.event_ns for one in Recording(path).messages({odd.subject})] == [5]


def test_the_broker_s_losses_show_in_the_check(tmp_path: Path):
    path = tmp_path / "a.mcap"
    with RecordingWriter(path, ORIGIN) as writer:
        for number in range(6):
            writer.put(frame(number), sequence=number + 1, came_ns=number)
        writer.note(Note(kind="lost", stream=topics.QIKI_RADAR_V1, behind=3), 6)
        writer.put(frame(5), sequence=4, came_ns=7)
    (run,) = summarise(Recording(path)).runs
    assert run.faults[0] == "frames missing: 3 to 4"


def frame(number: int) -> Message:
    return Message(topics.FRAMES.subject, b"{}", {"x-qiki-run": "r", "x-qiki-frame": str(number)})


def test_a_forged_number_costs_no_memory(tmp_path: Path):
    path = tmp_path / "a.mcap"
    order = b'{"run_id":"6f1c3d1e-0000-4000-8000-000000000001","tick":0,"number":1099511627776,"order":"rcs.stop",'
    order += b'"parameters":{},"origin":"control"}'
    with RecordingWriter(path, ORIGIN) as writer:
        writer.put(frame(0))
        writer.put(frame(2**53 - 1))
        writer.put(Message(topics.ORDERS.subject, order, {}))
    (run,) = summarise(Recording(path)).runs
    assert run.faults[0] == f"frames missing: 1 to {2**53 - 2}"


def test_a_file_of_a_killed_writer_is_readable(tmp_path: Path):
    path = tmp_path / "a.mcap"
    writer = RecordingWriter(path, ORIGIN)
    for number in range(100):
        writer.put(message(number))
    writer.flush()
    writer.put(message(100))
    assert read_all(path) == [message(number) for number in range(100)]
    writer.close()
    assert len(read_all(path)) == 101


def test_a_file_that_is_there_is_not_overwritten(tmp_path: Path):
    path = tmp_path / "a.mcap"
    path.write_text("precious")
    with pytest.raises(RecordingError, match="is there already"):
        RecordingWriter(path, ORIGIN)
    assert path.read_text() == "precious"


def test_a_disk_that_takes_no_more_ends_the_recording_and_what_was_written_is_readable(tmp_path: Path):
    """A limit of the file's size stands for the disk's: the write fails likewise."""
    path = tmp_path / "a.mcap"
    writer = RecordingWriter(path, ORIGIN)
    for number in range(50):
        writer.put(message(number))
    writer.flush()
    with largest_file(path.stat().st_size + 100), pytest.raises(RecordingError, match=TOO_LARGE):
        fill(writer, 50, 5000)
    with pytest.raises(RecordingError, match="is closed"):
        writer.put(message(51))
    writer.close()
    found = read_all(path)
    assert found == [message(number) for number in range(len(found))]
    assert len(found) >= 50


def test_a_disk_that_takes_no_more_at_the_end_is_told(tmp_path: Path):
    path = tmp_path / "a.mcap"
    writer = RecordingWriter(path, ORIGIN)
    fill(writer, 0, 50)
    with largest_file(path.stat().st_size + 10), pytest.raises(RecordingError, match=TOO_LARGE):
        writer.close()
    assert read_all(path) == [message(number) for number in range(50)]


def test_a_chunk_that_another_compressed_is_refused(tmp_path: Path):
    path = tmp_path / "a.mcap"
    with path.open("wb") as file:
        writer = Writer(file, compression=CompressionType.LZ4)
        writer.start("qiki", "somebody 1.0")
        writer.add_metadata(ABOUT, {name: str(value) for name, value in ORIGIN.model_dump().items()})
        writer.add_message(writer.register_channel("a", "json", 0), 1, b"{}", 1)
        writer.finish()
    with pytest.raises(RecordingError, match=r"a chunk compressed by 'lz4' \(expected zstd\)"):
        read_all(path)


def fill(writer: RecordingWriter, first: int, last: int) -> None:
    for number in range(first, last):
        writer.put(message(number))
        writer.flush()


def attempt(path: Path) -> tuple[list[Message] | None, str]:
    """The messages, or None where they are refused, in one line; and the problem."""
    try:
        recording = Recording(path)
        found = [one.message for one in recording.messages()]
    except RecordingError as error:
        text = str(error)
    else:
        return found, recording.problem
    assert "\n" not in text
    return None, text


def test_a_file_cut_anywhere_is_read_up_to_there_or_refused(flown: Path, tmp_path: Path):
    whole, content = read_all(flown), flown.read_bytes()
    path = tmp_path / "cut.mcap"
    lengths = random.Random(3).sample(range(len(content)), 60)
    with flown.open("rb") as file:
        summary = make_reader(file).get_summary()
    assert summary is not None
    chunk = summary.chunk_indexes[-1].chunk_start_offset
    readable = 0
    for length in [0, 1, 8, 100, *range(chunk, chunk + 60), *lengths]:
        path.write_bytes(content[:length])
        found, problem = attempt(path)
        if found is None:
            continue
        assert found == whole[: len(found)]
        readable += 1
        if len(found) < len(whole):
            assert "in the middle" in problem
    assert readable > 50


def test_a_flipped_byte_is_found_or_harmless(flown: Path, tmp_path: Path):
    whole, content = read_all(flown), flown.read_bytes()
    chance = random.Random(4)
    path = tmp_path / "flipped.mcap"
    refused = 0
    index = content.rfind(b"qiki.radar.v1.frames.lr")
    for place in [*range(index, index + 10), *chance.sample(range(len(content)), 60)]:
        path.write_bytes(content[:place] + bytes([content[place] ^ (1 << chance.randrange(8))]) + content[place + 1 :])
        found, _ = attempt(path)
        if found is None:
            refused += 1
        else:
            assert found == whole
    assert refused > 15


@pytest.mark.parametrize(
    ("content", "fault"),
    [(b"", "no MCAP file"), (b"hello world, hello", "no MCAP file"), (b"\x89MCAP0\r\n", "no MCAP file")],
)
def test_what_is_no_recording_is_refused_in_one_line(tmp_path: Path, content: bytes, fault: str):
    path = tmp_path / "a.mcap"
    path.write_bytes(content)
    with pytest.raises(RecordingError, match=fault):
        Recording(path)


def foreign(path: Path, profile: str, about: dict[str, str] | None) -> Path:
    with path.open("wb") as file:
        writer = Writer(file)
        writer.start(profile, "somebody 1.0")
        if about:
            writer.add_metadata(ABOUT, about)
        writer.finish()
    return path


def test_foreign_files_and_later_versions_are_refused(tmp_path: Path):
    with pytest.raises(RecordingError, match=r"no recording of this platform \(profile 'ros2', written by 'somebody"):
        Recording(foreign(tmp_path / "a.mcap", "ros2", None))
    with pytest.raises(RecordingError, match="does not say what it is a recording of"):
        Recording(foreign(tmp_path / "b.mcap", "qiki", None))
    fields = {name: str(value) for name, value in ORIGIN.model_dump().items()}
    with pytest.raises(RecordingError, match=r"version 9, written by 7\.0"):
        Recording(foreign(tmp_path / "c.mcap", "qiki", fields | {"version": "9", "product": "7.0"}))
    with pytest.raises(RecordingError, match="its metadata is malformed"):
        Recording(foreign(tmp_path / "d.mcap", "qiki", {"version": "x"}))


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_behind_the_magic_are_read_or_refused(data: bytes):
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.mcap"
        path.write_bytes(b"\x89MCAP0\r\n" + data)
        with pytest.raises(RecordingError) as refused:
            list(Recording(path).messages())
    assert "\n" not in str(refused.value)


@given(st.binary(max_size=200))
def test_any_header_block_is_read_or_refused(data: bytes):
    try:
        unpack_headers(data)
    except ValueError:
        return


def test_headers_come_back():
    headers = {"Nats-Msg-Id": "a", "x-qiki-own-position": "1.0 2.0 -3.5", "x-empty": ""}
    assert unpack_headers(pack_headers(headers, 17)) == (headers, 17)
    assert unpack_headers(pack_headers({}, 0)) == ({}, 0)
