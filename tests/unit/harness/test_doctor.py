"""What `qiki doctor` finds."""

import socket
from importlib.metadata import version
from pathlib import Path

import pytest

from qiki_harness.cli.doctor import (
    Grade,
    differing,
    disk,
    engine,
    nats_server,
    packages,
    port_free,
    python_version,
    stubs,
)
from qiki_harness.compose import StackPort


@pytest.mark.parametrize(
    ("running", "grade"),
    [((3, 10), Grade.BAD), ((3, 11), Grade.GOOD), ((3, 13), Grade.GOOD), ((3, 14), Grade.BAD)],
)
def test_python(running: tuple[int, int], grade: Grade):
    assert python_version(running).grade is grade


def test_packages_that_differ_are_named():
    same = f"pytest=={version('pytest')} \\\n    --hash=sha256:00\n"
    lock = f"{same}pyyaml==0.1\nno-such-thing==1.0\nno-such-other==1.0 ; sys_platform == 'x'\n"
    assert differing(lock) == [
        f"pyyaml {version('pyyaml')}, pinned 0.1",
        "no-such-thing not installed, pinned 1.0",
    ]


def test_a_checkout_without_locks_is_not_whole(tmp_path: Path):
    assert packages(tmp_path).grade is Grade.BAD


def test_a_stale_lock_says_how_to_mend_it(tmp_path: Path):
    (tmp_path / "dev.txt").write_text("pyyaml==0.1\n")
    finding = packages(tmp_path)
    assert finding.grade is Grade.BAD
    assert finding.remedy == "scripts/setup dev"


def test_the_nats_server_is_there_and_says_its_version():
    finding = nats_server()
    assert finding.grade is Grade.GOOD
    assert "nats-server: v2" in finding.text


def test_stubs_without_their_script_are_not_judged(tmp_path: Path):
    assert stubs(tmp_path).grade is Grade.NOTE


def test_stale_stubs_are_found(tmp_path: Path):
    script = tmp_path / "scripts" / "gen_protos.py"
    script.parent.mkdir()
    script.write_text("import sys; sys.exit('stale')")
    assert stubs(tmp_path).grade is Grade.BAD
    script.write_text("")
    assert stubs(tmp_path).grade is Grade.GOOD


def test_a_taken_port_is_told_with_its_holder():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        number = listening.getsockname()[1]
        finding = port_free(StackPort("DB_PORT", "db", number, published=True))
    assert finding.grade is Grade.BAD
    assert f"port {number} (DB_PORT, db) is taken by" in finding.text
    assert "(pid " in finding.text
    assert port_free(StackPort("DB_PORT", "db", number, published=True)).grade is Grade.GOOD


def test_disk(tmp_path: Path):
    assert "GiB free on the disk of" in disk(tmp_path).text


def test_a_workspace_without_the_engine_says_what_works_where(monkeypatch):
    monkeypatch.setenv("QIKI_WORKSPACE", "1")
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    if Path("/var/run/docker.sock").exists():
        pytest.skip("an engine's socket is here")
    finding = engine()
    assert finding.grade is Grade.NOTE
    assert "work on the host" in finding.text
    assert "QIKI_DOCKER_SOCKET=auto" in finding.remedy
