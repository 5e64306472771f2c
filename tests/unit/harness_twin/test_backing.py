"""Which stack a twin is on."""

import pytest

from qiki_harness.errors import DeadlineError, StackError
from qiki_harness.twin import ForeignStack
from qiki_harness.twin.history import Ledger
from qiki_harness.twin.wire import Wire

BOTH = {"NATS_URL": "nats://host:1", "QSIM_GRPC": "host:2", "HOME": "/"}


@pytest.mark.parametrize("missing", ["NATS_URL", "QSIM_GRPC"])
def test_both_addresses_name_a_running_stack(missing):
    assert ForeignStack.of_environment(BOTH) == ForeignStack({"NATS_URL": "nats://host:1", "QSIM_GRPC": "host:2"})
    assert ForeignStack.of_environment({**BOTH, missing: ""}) is None
    assert ForeignStack.of_environment({}) is None


def test_a_foreign_stack_is_not_to_be_touched():
    with pytest.raises(StackError, match=r"nats://host:1 was not started by this test: .* `own_twin`"):
        _ = ForeignStack(BOTH).stack


def test_a_foreign_stack_knows_its_bridge_and_no_other_http_server():
    assert ForeignStack(BOTH).http_url("faststream-bridge") == "http://faststream-bridge:9102"
    named = ForeignStack.of_environment({**BOTH, "BRIDGE_HTTP": "http://host:3"})
    assert named
    assert named.http_url("faststream-bridge") == "http://host:3"
    with pytest.raises(StackError, match="says only where the HTTP server of faststream-bridge is"):
        named.http_url("registrar")


def test_a_broker_that_is_not_there_is_named():
    with pytest.raises(DeadlineError, match=r"NATS does not answer at NATS_URL=nats://127\.0\.0\.1:1 within 0\.05 s"):
        Wire("nats://127.0.0.1:1", Ledger()).open(deadline_s=0.05)
