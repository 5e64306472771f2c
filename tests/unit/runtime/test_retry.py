"""Calls that are made again until they succeed, are answered, or nobody waits."""

import asyncio

import nats.errors
import pytest
from nats.js.errors import NotFoundError

from qiki.runtime.health import Health
from qiki.runtime.retry import (
    RETRY_S,
    StoppingError,
    listening,
    patiently,
    pause_s,
    unless_stopping,
    until_there,
)
from qiki.runtime.service import Service
from qiki.runtime.settings import ServiceSettings


class Call:
    """Fails with these errors, one after the other, and then gives 7."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)

    async def __call__(self) -> int:
        if self.errors:
            raise self.errors.pop(0)
        return 7


def service() -> Service[ServiceSettings]:
    return Service("example", ServiceSettings(), Health("example"))


def test_a_call_is_made_until_it_succeeds():
    failed: list[Exception] = []
    errors = [nats.errors.TimeoutError(), nats.errors.NoRespondersError()]
    assert asyncio.run(patiently(Call(*errors), failed=failed.append)) == 7
    assert failed == errors


@pytest.mark.parametrize("error", [NotFoundError(), IndexError("a bug of ours")])
def test_an_answer_and_a_bug_are_raised(error: Exception):
    with pytest.raises(type(error)):
        asyncio.run(patiently(Call(error)))


def test_only_the_failures_named_are_repeated():
    assert asyncio.run(patiently(Call(OSError(), OSError()), retry_on=(OSError,))) == 7
    with pytest.raises(nats.errors.TimeoutError):
        asyncio.run(patiently(Call(nats.errors.TimeoutError()), retry_on=(ConnectionError,)))


def test_the_failure_after_the_stop_is_the_last():
    async def run() -> None:
        stopping = asyncio.Event()
        stopping.set()
        assert await patiently(Call(), stopping) == 7
        call = Call(nats.errors.TimeoutError(), nats.errors.TimeoutError())
        with pytest.raises(StoppingError):
            await patiently(call, stopping)
        assert len(call.errors) == 1

    asyncio.run(run())


def test_it_ends_though_the_call_swallows_the_cancellation():
    async def swallowing() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise nats.errors.TimeoutError from None

    async def run() -> None:
        task = asyncio.create_task(patiently(swallowing))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()

    asyncio.run(run())


def test_a_service_is_unready_until_what_it_needs_is_there():
    async def run() -> None:
        one, call = service(), Call(NotFoundError(), nats.errors.TimeoutError())
        waiting = asyncio.create_task(until_there(one, "the stream is not there yet", call))
        await asyncio.sleep(0)
        assert one.health.problems == {"stream": "the stream is not there yet"}
        assert await waiting == 7
        assert one.health.problems == {}

    asyncio.run(run())


def test_a_service_that_stops_asks_for_nothing():
    async def run() -> None:
        one, call = service(), Call()
        one.stopping.set()
        with pytest.raises(StoppingError):
            await until_there(one, "the stream is not there yet", call)

    asyncio.run(run())


def test_pauses_grow_from_some_milliseconds_to_their_limit():
    pauses = [pause_s(failures) for failures in range(20)]
    assert pauses[0] == 0
    assert pauses[1] <= 0.01
    assert pauses == sorted(pauses)
    assert pauses[-1] == RETRY_S
    assert pause_s(10_000_000) == RETRY_S


def test_a_server_is_waited_for_until_it_listens_or_the_service_stops():
    async def run() -> None:
        stopping = asyncio.Event()
        server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        server.close()
        await server.wait_closed()
        waiting = asyncio.create_task(listening("127.0.0.1", port, stopping))
        await asyncio.wait([waiting], timeout=0.02)
        assert not waiting.done()
        async with await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", port):
            await waiting
        stopping.set()
        await listening("127.0.0.1", port, stopping)

    asyncio.run(asyncio.wait_for(run(), 30))


def test_work_ends_when_the_service_stops():
    async def run() -> None:
        stopping = asyncio.Event()
        assert await unless_stopping(stopping, Call()()) == 7
        with pytest.raises(IndexError):
            await unless_stopping(stopping, Call(IndexError())())
        for_ever = asyncio.create_task(unless_stopping(stopping, asyncio.Event().wait()))
        await asyncio.sleep(0)
        stopping.set()
        with pytest.raises(StoppingError):
            await for_ever

    asyncio.run(asyncio.wait_for(run(), 30))
