"""The operator's page as a browser meets it: files, policy, links, and the rights that a link gives."""

import asyncio
import http.client
import json
import re
import socket
import subprocess
import time
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit
from uuid import uuid4

import nats.errors
import pytest

from qiki.contracts import topics
from qiki.runtime.identities.pages import LINK, Pages, new_link
from qiki.runtime.nats import new_client
from qiki_harness.cli.options import QIKI
from qiki_harness.cli.played import ADDRESS, CONSOLE, PAGES
from qiki_harness.testing import until

SESSION_S = 10


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    from qiki_harness.twin import start_twin  # noqa: PLC0415

    folder = tmp_path_factory.mktemp("console") / "stack"
    twin = start_twin(folder, "crossing", env={"CONSOLE_SESSION_SEC": str(SESSION_S)}, without=("qiki-dev",))
    yield twin
    twin.close()


def ask(twin, path, method="GET", body=None, host=None):
    address = urlsplit(twin.backing.addresses[ADDRESS])
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=10)
    connection.request(method, path, body=body, headers={"Host": host} if host else {})
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}, content


def exchange(twin, token):
    status, _, body = ask(twin, "/session", "POST", json.dumps({"token": token}))
    return status, json.loads(body)


def pages(twin):
    return twin.stack.folder.data / PAGES


@asynccontextmanager
async def connected(twin, given, failed=None):
    client = new_client()

    async def on_error(error):
        if failed is not None:
            failed.append(str(error))

    url = twin.backing.addresses["NATS_URL"]
    options = {"allow_reconnect": False, "error_cb": on_error, "connect_timeout": 5}
    try:
        await client.connect(url, user=given["user"], password=given["password"], **options)
        yield client
    finally:
        await client.close()


async def command(client, name, **parameters):
    metadata = {"message_id": str(uuid4()), "source": "a page"}
    body = json.dumps({"command_name": name, "parameters": parameters, "metadata": metadata}).encode()
    return json.loads((await client.request(topics.COMMANDS.subject, body, timeout=10)).data)


def test_the_page_is_served_with_its_configuration_under_a_strict_policy(stack):
    status, headers, body = ask(stack, "/")
    assert status == 200
    assert b'<script type="module"' in body
    assert b"style=" not in body
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    listener = stack.backing.addresses["NATS_WS"]
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == "'self'"
    assert policy["connect-src"] == f"'self' {listener}"
    assert headers["x-content-type-options"] == "nosniff"

    configuration = json.loads(ask(stack, "/config.json")[2])
    assert configuration["sources"] == [{"name": "", "url": listener.replace("127.0.0.1", "*"), "played": False}]
    assert {rule["id"] for rule in configuration["guard_rules"]} >= {"UNKNOWN_CONTACT_CLOSE"}
    assert {"mixed-traffic", "crossing"} <= set(configuration["scenarios"])
    for name in re.findall(rb'(?:src|href)="\./?([^"]+)"', body):
        assert ask(stack, f"/{name.decode()}")[0] == 200


@pytest.mark.parametrize(
    "path", ["/../settings.py", "/%2e%2e/settings.py", "/static/../app.py", "/nothing", "/session"]
)
def test_nothing_else_is_served(stack, path):
    status, headers, _ = ask(stack, path)
    assert status in {404, 405}
    assert "default-src 'none'" in headers["content-security-policy"]


def test_a_strange_host_comes_into_no_policy(stack):
    for host in ("evil; script-src *", "a b", "x" * 300):
        _, headers, _ = ask(stack, "/", host=host)
        assert headers["content-security-policy"].count(";") == 7
        assert "evil" not in headers["content-security-policy"]
    assert "ws://twin.example:" in ask(stack, "/", host="twin.example:8088")[1]["content-security-policy"]


def test_a_link_makes_one_operator_once_and_its_right_ends(stack):
    token = new_link(pages(stack), datetime.now(UTC))
    status, given = exchange(stack, token)
    assert status == 200
    assert 0 < given["until"] / 1000 - time.time() <= SESSION_S
    assert exchange(stack, token) == (
        403,
        {"reason": "this link was used already, or is too old: `qiki console` prints a new one"},
    )

    async def operate():
        refused = []
        async with connected(stack, given, refused) as client:
            assert (await command(client, "sim.pause"))["ok"]
            assert "sim.dance" in (await command(client, "sim.dance"))["error_detail"]["message"]
            assert (await command(client, "sim.start"))["ok"]
            await client.publish(topics.FRAMES.subject, b"{}")
            await client.flush()
            while client.is_connected:
                await asyncio.sleep(0.05)
            ended_s = time.time()
        with pytest.raises(nats.errors.Error, match="Authorization Violation"):
            async with connected(stack, given):
                pass
        return ended_s, refused

    ended_s, refused = asyncio.run(operate())
    assert ended_s - given["until"] / 1000 >= 0
    assert any(f'publish to "{topics.FRAMES.subject}"' in reason for reason in refused)


def test_operators_outlive_the_console_and_other_users_stay_connected(stack):
    _, given = exchange(stack, new_link(pages(stack), datetime.now(UTC)))

    async def operate():
        async with connected(stack, given) as client:
            stack.kill(CONSOLE)
            stack.await_ready()
            assert exchange(stack, new_link(pages(stack), datetime.now(UTC)))[0] == 200
            assert (await command(client, "sim.start"))["ok"]

    asyncio.run(operate())
    restored = [line for line in stack.stack.logs("q-sim-service", 1000) if "connection lost" in line]
    assert restored == []


@pytest.mark.parametrize(
    "body",
    ["", "{}", '{"token": 7}', '{"token": "../users"}', "[" * 2000, '{"token": "' + "A" * 43 + '"}', "\x00" * 99],
)
def test_rubbish_is_no_link(stack, body):
    status, _, answer = ask(stack, "/session", "POST", body)
    assert status == 403
    assert json.loads(answer)["reason"].startswith("this link was used already")


def test_a_link_that_is_too_old_is_refused_and_removed(stack):
    token = new_link(pages(stack), datetime.now(UTC) - timedelta(hours=1))
    assert exchange(stack, token)[0] == 403
    new_link(pages(stack), datetime.now(UTC) - timedelta(hours=1))
    until("old links to be removed", lambda: not list(pages(stack).glob(f"*{LINK}")))


def test_an_unreadable_list_of_users_is_no_obstacle(tmp_path):
    (tmp_path / "users.json").write_text("{")
    assert Pages(tmp_path).users == []


def test_the_command_prints_the_page_and_a_link_that_works(stack):
    folder = stack.stack.folder.path
    where = ("--run-dir", str(folder.parent), "--name", folder.name)
    said = subprocess.run([*QIKI, "console", *where], capture_output=True, text=True, timeout=60, check=True).stdout
    page, link = said.splitlines()
    assert page.split()[-1] == f"{stack.backing.addresses[ADDRESS]}/"
    assert exchange(stack, link.partition("#token=")[2].split()[0])[0] == 200
    none = subprocess.run(
        [*QIKI, "console", *where[:2], "--name", "none"], capture_output=True, text=True, timeout=60, check=False
    )
    assert (none.returncode, len(none.stderr.splitlines())) == (2, 1)


def test_a_port_that_is_taken_is_one_line(stack):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = subprocess.run(
            [QIKI[0], "-m", "operator_console"],
            env={"CONSOLE_LISTEN": f"127.0.0.1:{port}", "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 2
    assert f"CONSOLE_LISTEN: cannot listen on 127.0.0.1:{port}: Address already in use" in done.stderr
