"""`Twin`: a running stack in the words of its domain, for tests."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any
from uuid import uuid4

import grpc
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import ConsumerInfo

from generated.q_sim_api_pb2_grpc import QSimAPIServiceStub
from qiki.contracts import topics
from qiki.contracts.headers import FRAME, TICK
from qiki.contracts.models import CommandMessage, CommandMetadata, ControlAck, TrackedFrame
from qiki.runtime.grpc import CLIENT_OPTIONS
from qiki_harness.errors import DeadlineError
from qiki_harness.stack import Stack
from qiki_harness.twin.backing import NATS_URL, QSIM_GRPC, Backing, ForeignStack
from qiki_harness.twin.failure import AwaitedError
from qiki_harness.twin.history import Ledger
from qiki_harness.twin.metrics import read_metric
from qiki_harness.twin.records import Record
from qiki_harness.twin.watcher import DEADLINE_S, Watcher
from qiki_harness.twin.wire import Wire

_CONNECT_S = 20.0
_LOOK_BACK = timedelta(minutes=1)
_TICK = timedelta(milliseconds=50)


class Twin(Watcher):
    """Commands to a stack, its histories and waits for what is to come, its services.

    Histories hold all that was stored since the stack began; on a stack that was not started for this twin, of radar
    and tracker only the last minute. What the broker does not keep (telemetry, truth, acknowledgements) they hold since
    the twin is connected.

    Args:
        backing: the stack
        look_back: how much of radar and tracker is wanted, on a stack that was not started for this twin
    """

    def __init__(self, backing: Backing, look_back: timedelta = _LOOK_BACK) -> None:
        since = datetime.now(UTC) - look_back if isinstance(backing, ForeignStack) else None
        ledger = Ledger()
        wire = Wire(backing.addresses[NATS_URL], ledger, since)
        super().__init__(backing, ledger, wire)
        wire.open(_CONNECT_S)

    def command(self, name: str, /, *, deadline_s: float = DEADLINE_S, **parameters: Any) -> ControlAck:
        """Send a command, once the simulator listens; returns its acknowledgement, which may be a refusal."""
        __tracebackhide__ = True
        return self._commanded(name, parameters, deadline_s).data

    def step(self, ticks: int, deadline_s: float = DEADLINE_S) -> Record[TrackedFrame] | None:
        """Do ticks while time is held, and wait until their last frame is tracked.

        Returns:
            What the tracker said of that frame; None where the ticks brought none.

        Raises:
            AwaitedError: the step is refused, or something does not come in time.
        """
        __tracebackhide__ = True
        answer = self._commanded("sim.step", {"ticks": ticks}, deadline_s)
        if not answer.data.ok:
            raise AwaitedError(f"sim.step was refused: {answer.data.error_detail}")
        if FRAME not in answer.headers:
            return None
        tick = int(answer.headers[TICK])
        end = self.await_telemetry(sim_state__run_id=answer.run, sim_state__tick=tick, deadline_s=deadline_s).data
        tracked = self.await_tracked_frame(run=answer.run, frame=answer.frame, deadline_s=deadline_s)
        return tracked if tracked.data.timestamp > end.timestamp - ticks * _TICK else None

    def _commanded(self, name: str, parameters: Mapping[str, Any], deadline_s: float) -> Record[ControlAck]:
        __tracebackhide__ = True
        identity = uuid4()
        metadata = CommandMetadata(message_id=identity, message_type="command", source="twin")
        message = CommandMessage(command_name=name, parameters=dict(parameters), metadata=metadata)
        before = self.now()
        with suppress(DeadlineError):  # what did not come is told better below
            self._wire.ask(topics.COMMANDS.subject, message.to_json(), deadline_s)
        return self.await_acknowledgement(request_id=str(identity), after=before, deadline_s=deadline_s)

    def publish(self, subject: str, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        """Publish anything: input for the services."""
        self._wire.publish(subject, body, headers)

    def store(self, subject: str, body: bytes, headers: Mapping[str, str] | None = None) -> int:
        """Publish into the stream that keeps the subject; returns the sequence, once it is stored."""

        async def do(_: Client, jetstream: JetStreamContext) -> int:
            return (await jetstream.publish(subject, body, headers=dict(headers) if headers else None)).seq

        return self._wire.call(do)

    def consumer(self, stream: str, durable: str) -> ConsumerInfo:
        """How far a durable consumer is."""

        async def do(_: Client, jetstream: JetStreamContext) -> ConsumerInfo:
            info: ConsumerInfo = await jetstream.consumer_info(stream, durable)
            return info

        return self._wire.call(do)

    @cached_property
    def channel(self) -> grpc.Channel:
        """The gRPC channel to the simulator; it connects anew after a break."""
        return grpc.insecure_channel(self._backing.addresses[QSIM_GRPC], options=CLIENT_OPTIONS)

    @cached_property
    def sim(self) -> QSimAPIServiceStub:
        """The simulator's RPCs."""
        return QSimAPIServiceStub(self.channel)

    @property
    def stack(self) -> Stack:
        """The remote control of the stack: states, logs, ports.

        Raises:
            StackError: it was not started for this twin.
        """
        return self._backing.stack

    def kill(self, service: str) -> None:
        """SIGKILL a service; its restart policy brings it back, for which `await_ready` waits."""
        self.stack.kill(service)

    def restart(self, service: str) -> None:
        """Stop a service with its grace, start it, wait until it is ready."""
        self.stack.restart(service)

    def await_ready(self, deadline_s: float = DEADLINE_S) -> None:
        """Wait until every service is ready."""
        self.stack.wait_healthy(deadline_s)

    def metric(self, service: str, name: str, **labels: str) -> float:
        """A metric of a service, summed over the labels that are not given; 0 where it has no sample."""
        return read_metric(self.stack.info.http_url(service), name, labels)

    def situation(self, lines: int = 8) -> list[str]:
        """How the services are, and the last lines of their logs."""
        return self._backing.situation(lines)

    def close(self) -> None:
        """Disconnect; end the stack, if it was started for this twin."""
        if "channel" in self.__dict__:
            self.channel.close()
        self._wire.close()
        self._backing.close()
