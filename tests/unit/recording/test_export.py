"""Recordings as JSON Lines and as a table."""

import csv
import io
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from qiki.contracts import topics
from qiki.contracts.headers import Message
from qiki_harness.cli import app
from qiki_harness.errors import RecordingError
from qiki_harness.recording.export import json_lines, tracks_csv
from qiki_harness.recording.layout import About
from qiki_harness.recording.reader import Recording
from qiki_harness.recording.writer import RecordingWriter

KEYS = ["schema_version", "type", "ts_epoch", "ts_ingest_epoch", "subject", "data"]


def test_each_message_is_a_line_of_the_contract(flown: Path):
    lines = [json.loads(line) for line in json_lines(Recording(flown))]
    messages = [one.message for one in Recording(flown).messages()]
    assert [list(line) for line in lines] == [KEYS] * len(messages)
    assert [line["data"] for line in lines] == [json.loads(message.body) for message in messages]
    kinds = {line["subject"]: line["type"] for line in lines}
    assert kinds[topics.TRACKS.subject] == "radar_track"
    assert kinds["qiki.events.v1.system_mode"] == "event"
    assert kinds[topics.TRUTH.subject] == "unknown"
    frame = next(line for line in lines if line["subject"] == topics.FRAMES.subject)
    assert frame["ts_epoch"] == 1767225600.1
    assert frame["ts_ingest_epoch"] > frame["ts_epoch"]


def test_tracks_are_a_table(flown: Path):
    out = io.StringIO()
    tracks_csv(Recording(flown), out)
    rows = list(csv.DictReader(io.StringIO(out.getvalue())))
    tracks = [json.loads(one.message.body) for one in Recording(flown).messages({topics.TRACKS.subject})]
    assert [row["track_id"] for row in rows] == [track["track_id"] for track in tracks]
    assert [float(row["velocity_z"]) for row in rows] == [track["velocity"]["z"] for track in tracks]


def spoilt(path: Path, *messages: Message) -> Recording:
    with RecordingWriter(path, About(product="0", source="a test", begun="", python="3")) as writer:
        for message in messages:
            writer.put(message)
    return Recording(path)


def test_what_is_malformed_is_exported_as_it_is_or_refused_in_one_line(tmp_path: Path):
    odd = [Message("qiki.dlq.v1.x", body, {}) for body in (b"\xff", b'{"ts_ingest":"x"}', b'{"ts_ingest":7}', b"[1]")]
    lines = [json.loads(line) for line in json_lines(spoilt(tmp_path / "a.mcap", *odd))]
    assert [line["data"] for line in lines] == ["\ufffd", {"ts_ingest": "x"}, {"ts_ingest": 7}, [1]]
    recording = spoilt(tmp_path / "b.mcap", Message(topics.TRACKS.subject, b"\xff", {}))
    with pytest.raises(RecordingError, match=r"b.mcap: message 1 is no track"):
        tracks_csv(recording, io.StringIO())


def test_an_export_does_not_overwrite_what_is_there(flown: Path, tmp_path: Path):
    path = tmp_path / "a.mcap"
    path.write_bytes(flown.read_bytes())
    result = CliRunner().invoke(app, ["recording", "export", str(path), "-o", str(path)])
    assert isinstance(result.exception, RecordingError)
    assert path.read_bytes() == flown.read_bytes()
    done = CliRunner().invoke(app, ["recording", "export", str(path), "--tracks", "-o", str(tmp_path / "a.csv")])
    assert done.exit_code == 0
    assert (tmp_path / "a.csv").read_text().startswith("run_id,frame,timestamp,track_id,")
