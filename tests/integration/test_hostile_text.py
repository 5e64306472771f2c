"""Text of others in events, tracks, logs and files: no command shows it to a terminal as it is."""

import contextlib
import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from uuid import uuid4

import pytest

from qiki.audit.files import audit_files
from qiki.contracts import headers, topics
from qiki_harness.stack import Stack
from qiki_harness.testing import until

QIKI = [sys.executable, "-c", "from qiki_harness.cli import main; main()"]
BAD = "\x1b[2J\x1b]52;c;aGk=\x07\x9b31m\u202e\u2066\r\nqiki: all is well\x00[/x][red]"
SHOWN = r"\x1b[2J\x1b]52;c;aGk=\x07\x9b31m\u202e\u2066\r\nqiki: all is well\x00[/x][red]"
WORD = BAD.replace("\0", "")  # as an argument
CHECK = {"test": "test -e up", "interval": "100ms", "start_period": "20s", "start_interval": "10ms"}
TRACK = {
    "track_id": str(uuid4()), "object_type": 1, "iff": 2, "status": 2, "quality": 0.5, "range_m": 1234.5,
    "bearing_deg": 45.0, "elev_deg": -3.0, "vr_mps": -12.0, "snr_db": 20.0, "rcs_dbsm": 0.0,
    "timestamp": "2026-01-01T00:00:00Z", "age_s": 7.0, "transponder_on": True,
}  # fmt: skip


def run(*words: str, folder: Path | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
    kept = {
        name: value for name, value in os.environ.items() if name not in {"NATS_URL", "QSIM_GRPC", "QIKI_WORKSPACE"}
    }
    return subprocess.run(
        [*QIKI, *words], cwd=folder, env=kept | variables, capture_output=True, text=True, timeout=120, check=False
    )


def harmless(text: str) -> list[str]:
    """Its lines, each of printable characters."""
    lines = text.split("\n")
    assert not [line for line in lines if not line.isprintable()]
    return lines


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Mapping[str, str]]]:
    """A folder whose compose file, own name and service's log are hostile, and its detached stack."""
    folder = tmp_path_factory.mktemp("a") / "p\x1b[2Jq"
    folder.mkdir()
    name = "evil\x1b[31m"
    (folder / "bad").write_text(BAD + "\n", encoding="utf-8", newline="")
    command = ["sh", "-c", "cat bad; touch up; exec sleep 600"]
    services = {name: {"command": command, "healthcheck": CHECK}}
    described = {"services": services, "x-addresses": {"A": BAD}}
    (folder / "docker-compose.phase1.yml").write_text(json.dumps(described), encoding="utf-8")
    yield folder, {"name": name}
    Stack(folder / ".qiki" / "default").stop()


def test_commands_on_a_hostile_project(stack):
    folder, names = stack
    up = run("up", "-d", folder=folder)
    assert up.returncode == 0, up.stderr
    assert r"evil\x1b[31m" in up.stdout
    assert SHOWN in up.stdout
    commands = (
        ["ps"],
        ["logs"],
        ["logs", names["name"]],
        ["logs", WORD],
        ["restart", WORD],
        ["up"],
        ["doctor"],
        ["down"],
    )
    said = [up, *(run(*words, folder=folder) for words in commands)]
    assert SHOWN.partition(r"\r\n")[0] in said[2].stdout
    for one in said:
        harmless(one.stdout)
        harmless(one.stderr)


def test_mistakes_in_hostile_words_and_files(tmp_path):
    file = tmp_path / "w\x1b[2J.yaml"
    file.write_text(f"name: w\ndescription: d\nidentities: {json.dumps({BAD: 1})}\n{json.dumps(BAD)}: 1\n")
    compose = tmp_path / "c.yml"
    compose.write_text(json.dumps({"services": {"a": {BAD: BAD}}}))
    mistakes = [
        ["scenario", "check", str(file)], ["scenario", "check", WORD], ["spec", "check", str(file)],
        ["score", str(file)], ["up", "--scenario", str(file)], ["up", "-f", str(compose)], ["up", "--port", "\x1b[2J"],
        ["\x1b[2J"], ["ps", "--\x1b[2J"], ["events", "tail", "--severity", "\x1b[2J"],
        ["score", "--tracker", "\x1b[2J"], ["manifest", "diff", str(file)], ["events", "tail", "--since", "\x1b[2J\n"],
        ["events", "verify", str(tmp_path), "--nats", "nats://\x1b[2J"],
    ]  # fmt: skip
    for words in mistakes:
        done = run(*words)
        assert done.returncode == 2, (words, done.stderr)
        (line, end) = harmless(done.stderr)
        assert line.startswith("qiki: ")
        assert (end, done.stdout) == ("", "")


def test_a_bug_keeps_its_traceback_and_drives_no_terminal():
    bug = f"def broken(**_): raise RuntimeError({BAD!r})\nfrom qiki_harness import cli\ncli.app = broken\ncli.main()"
    done = subprocess.run([sys.executable, "-c", bug], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    lines = harmless(done.stderr)
    assert lines[0] == "Traceback (most recent call last):"
    assert SHOWN[:20] in lines[-3]


def test_events_and_tracks_of_an_outsider(own_twin):
    twin = own_twin("empty", start=False, without=("qiki-dev",))
    audit = twin.stack.folder.data / "audit"
    encoded = {headers.MESSAGE_ID: str(uuid4()), "ce-specversion": "1.0", "ce-id": "x", "ce-source": "/evil%1B%5B2J",
               "ce-type": "com.example.evil%0A", "content-type": "application/json"}  # fmt: skip
    body = json.dumps({"message": BAD, BAD: [BAD], "nested": {BAD: BAD}}, ensure_ascii=False).encode()
    twin.store("qiki.events.v1.evil", body, encoded)

    def registered() -> bool:
        return any(b"nested" in path.read_bytes() for path in audit_files(audit))

    until("the event is registered", registered)
    for words in (["tail"], ["tail", "--long"], ["query"], ["query", "--long"]):
        done = run("events", *words, "--dir", str(audit))
        assert SHOWN[:20] in "".join(harmless(done.stdout)), done.stderr
    for words in (["tail", "--json"], ["query", "--json"]):
        lines = harmless(run("events", *words, "--dir", str(audit)).stdout)
        payloads = [json.loads(line)["payload"] for line in lines if line]
        assert {"message": BAD, BAD: [BAD], "nested": {BAD: BAD}} in payloads
    assert run("events", "verify", "--dir", str(audit)).returncode == 0
    url = twin.stack.info.addresses["NATS_URL"]
    run_folder = twin.stack.folder.path
    track = json.dumps(TRACK | {"transponder_id": BAD}, ensure_ascii=False).encode()
    for on_terminal in (False, True):
        watched = _watch(twin, track, url, run_folder, on_terminal=on_terminal)
        for evil in ("\x1b[2J\x1b", "\x1b]52", "\x07", "\x9b", "\u202e", "\0", "MarkupError"):
            assert evil not in watched
        if not on_terminal:
            harmless(watched)


def _watch(twin, hostile: bytes, url: str, run_folder: Path, *, on_terminal: bool) -> str:
    """The output of `qiki watch` until the track is shown."""
    reading, writing = pty.openpty() if on_terminal else os.pipe()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "120", "LINES": "30"}
    environment.pop("NATS_URL", None)
    words = ["watch", "--name", run_folder.name, "--run-dir", str(run_folder.parent)]
    process = subprocess.Popen([*QIKI, *words], stdout=writing, stderr=writing, env=environment)
    os.close(writing)
    os.set_blocking(reading, False)
    said = bytearray()

    def shown() -> bool:
        for body in (hostile, json.dumps(TRACK).encode()):  # no track bears such an identity: it counts as none
            twin.publish(topics.TRACKS.subject, body, {headers.RUN: "evil", headers.MESSAGE_ID: f"{uuid4()}:1"})
        with contextlib.suppress(BlockingIOError):
            said.extend(os.read(reading, 1 << 16))
        return b"1234.5" in said

    try:
        until("the track is shown", shown)
    finally:
        process.send_signal(signal.SIGINT)
        status = process.wait(60)
        os.close(reading)
    assert status == 0, said.decode()
    return said.decode().replace("\r\n", "\n") if on_terminal else said.decode()


@pytest.mark.parametrize("words", [[], ["--json"], ["--name", "\x1b[2J"]], ids=str)
def test_the_smoke_tests_own_line(words):
    environment = {**os.environ, "NATS_URL": f"nats://{BAD[:5]}\n:1", "QSIM_GRPC": "127.0.0.1:1"}
    command = [sys.executable, "-m", "qiki_harness.smoke", *words]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    (line, _) = harmless(done.stderr)
    assert line.startswith("qiki: wrong setting: NATS_URL")
