"""`Twin`: a running stack, in the terms of its domain, for tests."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, TypeVar
from uuid import uuid4

import grpc
from nats.aio.client import Client
from nats.js import JetStreamContext
from prometheus_client.parser import text_string_to_metric_families

from generated.q_sim_api_pb2_grpc import QSimAPIServiceStub
from qiki.contracts import topics
from qiki.contracts.control import CommandMessage, CommandMetadata, ControlAck
from qiki.contracts.headers import FRAME, TICK
from qiki.contracts.radar import TrackedFrame
from qiki.contracts.topics import QIKI_STATE_V1, Topic
from qiki.runtime.grpc import open_channel
from qiki.runtime.stream import Begin
from qiki_harness.errors import DeadlineError
from qiki_harness.http import open_url
from qiki_harness.stack import Stack
from qiki_harness.twin.backing import NATS_URL, QSIM_GRPC, QSIM_TLS, Backing, ForeignStack, tests_keys
from qiki_harness.twin.history import AwaitedError, Ledger
from qiki_harness.twin.records import Record
from qiki_harness.twin.watcher import DEADLINE_S, Watcher
from qiki_harness.twin.wire import HISTORY_S, Wire, newest

P = TypeVar("P")
T = TypeVar("T")

_PAGE_S = 5.0
_LOOK_BACK = timedelta(minutes=1)
_TICK = timedelta(milliseconds=50)


class Twin(Watcher):
    """Commands to a stack, its histories and waits for what is to come, its services.

    Histories hold all that was stored since the stack began; on a stack that was not started for this twin, of radar,
    tracker and estimates only the last minute. What the broker does not keep (truth, acknowledgements) they hold since
    the twin is connected.

    Args:
        backing: the stack
        look_back: how much of radar, tracker and estimates is wanted, on a stack that was not started for this twin
        only_new: leave out all that was stored before
        connect_s: time to connect

    Raises:
        DeadlineError: NATS does not answer.
    """

    def __init__(
        self, backing: Backing, look_back: timedelta = _LOOK_BACK, *, only_new: bool = False, connect_s: float = 20.0
    ) -> None:
        ledger = Ledger()
        since = datetime.now(UTC) - look_back if isinstance(backing, ForeignStack) else None
        slow = {None, QIKI_STATE_V1}  # the inputs of a run may be older
        fast = {str(topic.stream) for topic in ledger.topics if topic.rate_hz is not None and topic.stream not in slow}
        begin_of = {} if only_new or since is None else dict.fromkeys(fast, since)
        begin = Begin.NEW if only_new else Begin.OLDEST
        wire = Wire(backing.addresses[NATS_URL], ledger, begin, tests_keys(backing.addresses), begin_of)
        super().__init__(backing, ledger, wire)
        self._wire.open(connect_s, connect_s if only_new else HISTORY_S)

    def command(self, name: str, /, *, deadline_s: float = DEADLINE_S, **parameters: Any) -> ControlAck:
        """Send a command, once the simulator listens; return its acknowledgement, which may be a refusal."""
        __tracebackhide__ = True
        return self._command(name, parameters, deadline_s).data

    def step(self, ticks: int, deadline_s: float = DEADLINE_S) -> Record[TrackedFrame] | None:
        """Run ticks while time is held, and wait until their last frame is tracked.

        Returns:
            The tracked frame; None where the ticks brought no frame.

        Raises:
            AwaitedError: the step is refused, or something does not come in time.
        """
        __tracebackhide__ = True
        answer = self._command("sim.step", {"ticks": ticks}, deadline_s)
        if not answer.data.ok:
            raise AwaitedError(f"sim.step was refused: {answer.data.error_detail}")
        if FRAME not in answer.headers:
            return None
        tick = int(answer.headers[TICK])
        end = self.await_telemetry(sim_state__run_id=answer.run, sim_state__tick=tick, deadline_s=deadline_s).data
        tracked = self.await_tracked_frame(run=answer.run, frame=answer.frame, deadline_s=deadline_s)
        return tracked if tracked.data.timestamp > end.timestamp - ticks * _TICK else None

    def _command(self, name: str, parameters: Mapping[str, Any], deadline_s: float) -> Record[ControlAck]:
        __tracebackhide__ = True
        identity = uuid4()
        metadata = CommandMetadata(message_id=identity, message_type="command", source="twin")
        message = CommandMessage(command_name=name, parameters=dict(parameters), metadata=metadata)
        before = self.now()
        with suppress(DeadlineError):  # the wait below says more of what did not come
            self._wire.ask(topics.COMMANDS.subject, message.to_json(), deadline_s)
        return self.await_acknowledgement(request_id=str(identity), after=before, deadline_s=deadline_s)

    def publish(self, subject: str, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        """Publish anything: input for the services."""

        async def do(client: Client, _: JetStreamContext) -> None:
            await client.publish(subject, body, headers=dict(headers) if headers else None)
            await client.flush()

        self._wire.call(do)

    def store(self, subject: str, body: bytes, headers: Mapping[str, str] | None = None) -> int:
        """Publish into the stream that keeps the subject; return the sequence, once it is stored."""
        given = dict(headers) if headers else None
        return self.jetstream(lambda jetstream: jetstream.publish(subject, body, headers=given)).seq

    def newest(self, topic: Topic[P], count: int) -> list[Record[P]]:
        """Return those of the newest `count` messages in a topic's stream that belong to it, oldest first."""
        return self.jetstream(lambda jetstream: newest(jetstream, topic, count))

    def jetstream(self, work: Callable[[JetStreamContext], Awaitable[T]]) -> T:
        """Return the answer of JetStream to a request, as `lambda jetstream: jetstream.stream_info(name)`.

        Raises:
            DeadlineError: it does not answer.
        """
        return self._wire.call(lambda _, jetstream: work(jetstream))

    @cached_property
    def channel(self) -> grpc.Channel:
        """The gRPC channel to the simulator; it reconnects after a break."""
        where = self.backing.addresses
        return open_channel(where[QSIM_GRPC], tests_keys(where), tls=bool(where.get(QSIM_TLS)))

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
        return self.backing.stack

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
        """Return a metric of a service, summed over the labels that are not given; 0 where it has no sample."""
        families = text_string_to_metric_families(self.metrics_page(service))
        samples = (sample for family in families for sample in family.samples)
        return sum(one.value for one in samples if one.name == name and labels.items() <= one.labels.items())

    def metrics_page(self, service: str) -> str:
        """Return the text of a service's metrics.

        Raises:
            StackError: its address is not known on a stack that was not started for this twin.
        """
        with open_url(f"{self.backing.http_url(service)}/metrics", timeout=_PAGE_S) as page:
            text: str = page.read().decode()
        return text

    def close(self) -> None:
        """Disconnect; end the stack, if it was started for this twin."""
        if "channel" in self.__dict__:
            self.channel.close()
        self._wire.close()
        self.backing.close()
