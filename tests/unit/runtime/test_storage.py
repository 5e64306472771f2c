"""What the broker's health page says of its store."""

from pathlib import Path

import pytest

from qiki.runtime.probe import ask, health_page, write_error
from qiki_harness.testing import Broker

LOST = "JetStream stream '$G > A' could not be recovered"
FULL = "JetStream stream '$G > B' write error: write /data/jetstream/B/msgs/1.blk: no space left on device"
CRITICAL = "JetStream consumer '$G > B > c' critical write error: write o.dat: input/output error"


@pytest.mark.parametrize(
    ("errors", "said"),
    [
        ([FULL], "no space left on device"),
        ([LOST, FULL], "no space left on device"),
        ([CRITICAL], "input/output error"),
        ([LOST], ""),
    ],
)
def test_finds_the_write_error_among_others(errors: list[str], said: str):
    # As nats-server 2.15.1 answers on a full file system.
    entries = ",".join(f'{{"type":"STREAM","account":"$G","stream":"A","error":"{error}"}}' for error in errors)
    assert write_error(f'{{"status":"error","errors":[{entries}]}}') == said


@pytest.mark.parametrize("page", ["", "not found", "[]", '{"errors":[1]}', '{"errors":[{}]}', '{"errors":null}'])
def test_a_page_of_another_server_says_nothing(page: str):
    assert write_error(page) is None


def test_a_broker_that_is_well_can_write_and_one_that_is_away_says_nothing(tmp_path: Path):
    with Broker(tmp_path) as broker:
        page = health_page(broker.http_url)
        assert write_error(ask(page)[2]) == ""
        broker.kill()
        assert write_error(ask(page)[2]) is None
