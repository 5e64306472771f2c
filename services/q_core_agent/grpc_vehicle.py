"""The vehicle over gRPC: its self test, and commands to it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple, Self, TypeVar
from uuid import UUID

import grpc
import grpc.aio
from google.protobuf.message import Message

from generated import q_sim_api_pb2 as api
from generated.common_types_pb2 import SensorType
from generated.q_sim_api_pb2_grpc import QSimAPIServiceStub
from qiki.agent.vehicle import ActuatorReport, Answers, Outcome, Reading
from qiki.contracts.actuators import ActuatorCommand
from qiki.contracts.methods import SEND_ACTUATOR_COMMAND
from qiki.contracts.protobuf import command_to_proto
from qiki.runtime.grpc import open_aio_channel, to_remote
from qiki.runtime.health import Health
from qiki.runtime.identities.credentials import Credentials, file_version
from qiki.runtime.identities.tokens import Signer
from qiki.runtime.tasks import background

CONDITION = "simulator"
OK = "OK"
LOOK_S = 2.0
SILENCE = frozenset({grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.UNAVAILABLE})
"""Statuses without an answer of the simulator."""

T = TypeVar("T")


class Patience(NamedTuple):
    """Wall time for an answer, and whether a command also waits for a simulator that is not reachable."""

    answer_s: float
    commands_wait: bool


LIVE = Patience(1.0, commands_wait=False)
LOCKSTEP = Patience(60.0, commands_wait=True)
"""Decisions must not depend on the speed of answers."""


class NoAnswer(NamedTuple):
    """A failed call: whether the simulator was silent, and the reason in one line."""

    silent: bool
    reason: str


class GrpcVehicle:
    """The simulator's API, as the agent uses it: a `qiki.agent.vehicle.VehicleLink`.

    `address` is HOST:PORT, `sensors` are the numbers (SensorType) of the declared ones; health shows the connection.
    Without credentials of its `own` it may only read, where the simulator checks its callers.
    """

    def __init__(
        self,
        address: str,
        sensors: Iterable[int],
        health: Health,
        patience: Patience = LIVE,
        own: Credentials | None = None,
    ) -> None:
        self._address, self._own = address, own
        self._signer = Signer(own) if own else None
        self._sensors, self._health, self._patience = tuple(sensors), health, patience
        self._connect()
        self._open = AsyncExitStack()
        health.wait_for(CONDITION, "not connected yet")

    def _connect(self) -> None:
        self._certificate = file_version(self._own.certificate) if self._own else None
        self._channel = open_aio_channel(self._address, self._own)
        self._stub = QSimAPIServiceStub(self._channel)

    async def _disconnect(self) -> None:
        await self._channel.close()

    async def __aenter__(self) -> Self:
        self._open.push_async_callback(self._disconnect)
        await self._open.enter_async_context(background(self._watch_connection()))
        return self

    async def __aexit__(self, *failure: Any) -> None:
        await self._open.__aexit__(*failure)

    async def self_test(self) -> Answers:
        """Read every declared sensor, list the actuators, check the controller, all at once."""
        health, actuators, readings = await asyncio.gather(
            self._ask(self._stub.HealthCheck, api.HealthCheckRequest()),
            self._ask(self._stub.ListActuators, api.ListActuatorsRequest()),
            asyncio.gather(*map(self._read, self._sensors)),
        )
        silent = any(map(_silent, (health, actuators)))
        if not silent and any(map(_silent, readings)):  # perhaps since the first answers: then no sensor is at fault
            silent = _silent(await self._ask(self._stub.HealthCheck, api.HealthCheckRequest()))
        if silent:
            return Answers(timed_out=True)
        failed = [one.reason for one in (health, actuators) if isinstance(one, NoAnswer)]
        if not failed and not isinstance(health, NoAnswer) and health.status != OK:
            failed = [f"{health.status}: {health.message}"]
        answers = Answers("; ".join(failed), dict(zip(self._sensors, map(_reading, readings), strict=True)))
        if isinstance(actuators, NoAnswer):
            return answers
        safe_mode = actuators.safe_mode if actuators.HasField("safe_mode") else None  # absent from older simulators
        return replace(answers, actuators=dict(_by_id(actuators)), safe_mode=safe_mode)

    async def send(self, command: ActuatorCommand) -> Outcome:
        """Send one command, and return the vehicle's answer."""
        request = api.SendActuatorCommandRequest(command=command_to_proto(command))
        token = self._signer.metadata(SEND_ACTUATOR_COMMAND.path) if self._signer else None
        call = partial(self._stub.SendActuatorCommand, metadata=token)
        answer = await self._ask(call, request, self._patience.commands_wait)
        return (
            Outcome(None, answer.reason) if isinstance(answer, NoAnswer) else Outcome(answer.accepted, answer.message)
        )

    async def _read(self, sensor: int) -> api.GetSensorDataResponse | NoAnswer:
        request = api.GetSensorDataRequest(sensor_type=SensorType.ValueType(sensor))
        return await self._ask(self._stub.GetSensorData, request)

    async def _ask(self, call: Callable[..., Awaitable[T]], request: Message, waits: bool = True) -> T | NoAnswer:
        """Call, and by default wait for a simulator that is not reachable."""
        try:
            return await call(request, wait_for_ready=waits, timeout=self._patience.answer_s)
        except grpc.aio.AioRpcError as error:
            reason = " ".join(str(error.details()).split())
            return NoAnswer(error.code() in SILENCE, f"{error.code().name}: {reason}")

    async def _watch_connection(self) -> None:
        """Keep the connection up, and show its state in the health."""
        while True:
            state = self._channel.get_state(try_to_connect=True)
            if state is grpc.ChannelConnectivity.READY:
                self._health.met(CONDITION)
            elif state is not grpc.ChannelConnectivity.IDLE:  # idle: nothing was sent for long
                self._health.wait_for(CONDITION, f"not connected: {state.name}")
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self._channel.wait_for_state_change(state)
            await self._take_renewed_certificate()

    async def _take_renewed_certificate(self) -> None:
        """Connect again where the certificate was renewed: a channel keeps the one that it was made with."""
        if self._own and to_remote(self._address) and file_version(self._own.certificate) != self._certificate:
            former = self._channel
            self._connect()
            await former.close(self._patience.answer_s)


def _silent(answer: object) -> bool:
    return isinstance(answer, NoAnswer) and answer.silent


def _reading(answer: api.GetSensorDataResponse | NoAnswer) -> Reading | str:
    if isinstance(answer, NoAnswer):
        return answer.reason
    one = answer.reading
    return Reading(one.sensor_id.value, one.is_valid, has_data=one.WhichOneof("sensor_data") is not None)


def _by_id(answer: api.ListActuatorsResponse) -> Iterator[tuple[UUID, ActuatorReport]]:
    for one in answer.actuators:
        with suppress(ValueError):  # an actuator without an id is not a declared one
            yield UUID(one.actuator_id.value), ActuatorReport(one.role, one.ready, one.message)
