"""Which variables of a compose file are filled natively, and with what."""

from collections.abc import Callable
from pathlib import Path

import pytest

from qiki_harness.compose import ComposeFile, StackPort
from qiki_harness.errors import ComposeError

Write = Callable[[str], ComposeFile]


TEXT = """
services:
  db:
    command: x
    working_dir: ${PROJECT_DIR:-/workspace}
    environment: {LISTEN: "${LISTEN_HOST:-0.0.0.0}:${DB_PORT:-5000}", MODE: "${MODE:-db-like}"}
    ports: ["127.0.0.1:${DB_PORT:-5000}:${DB_PORT:-5000}"]
    expose: ["${DB_HTTP_PORT:-9100}"]
    volumes: ["store:${DB_DIR:-/data}", "./local:${LOCAL_DIR:-/local}"]
  web:
    command: [x, "${DB_HOST:-db}:${DB_PORT:-5000}"]
x-addresses: {DB_URL: "db://${DB_HOST:-db}:${DB_PORT:-5000}"}
"""


def test_ports_are_what_ports_and_expose_name(compose: Write):
    assert compose(TEXT).ports == [
        StackPort("DB_PORT", "db", 5000, published=True),
        StackPort("DB_HTTP_PORT", "db", 9100, published=False),
    ]


def test_hosts_and_paths_and_ports_are_filled(compose: Write, tmp_path: Path):
    file = compose(TEXT)
    assert file.native_variables(tmp_path / "data", {"DB_PORT": 7}) == {
        "DB_HOST": "127.0.0.1",
        "LISTEN_HOST": "127.0.0.1",
        "PROJECT_DIR": str(tmp_path),
        "DB_DIR": str(tmp_path / "data" / "store"),
        "LOCAL_DIR": str(tmp_path / "local"),
        "DB_PORT": "7",
    }


def test_the_project_is_filled_with_them(compose: Write, tmp_path: Path):
    file = compose(TEXT)
    project = file.project(file.native_variables(tmp_path, {"DB_PORT": 7, "DB_HTTP_PORT": 8}), environ={})
    assert project.services["db"].environment["LISTEN"] == "127.0.0.1:7"
    assert project.services["web"].command == ("x", "127.0.0.1:7")
    assert project.services["db"].working_dir == tmp_path
    assert project.addresses == {"DB_URL": "db://127.0.0.1:7"}
    assert [port.variable for port in project.services["db"].ports] == ["DB_PORT", "DB_HTTP_PORT"]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('ports: ["4222:4222"]', "services.a.ports[0]: expected a variable"),
        ('expose: ["${P}"]', "variable P needs a port as its default"),
        ('volumes: ["store:/data"]', "services.a.volumes[0]: expected NAME:${VARIABLE:-/container/path}"),
        ("volumes: [{type: volume}]", "expected the short form"),
    ],
)
def test_what_could_not_be_side_by_side_is_refused(compose: Write, tmp_path: Path, line: str, words: str):
    file = compose(f"services:\n  a:\n    command: x\n    {line}\n")
    with pytest.raises(ComposeError) as caught:
        file.native_variables(tmp_path, {port.variable: 1 for port in file.ports})
    assert words in str(caught.value)


def test_dotenv_is_read_where_it_is(compose: Write, tmp_path: Path):
    assert compose(TEXT).dotenv() == {}
    (tmp_path / ".env").write_text("A=1\n")
    assert compose(TEXT).dotenv() == {"A": "1"}
