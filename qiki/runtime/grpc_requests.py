"""gRPC requests that are no messages: INVALID_ARGUMENT for the sender, a count, and a log line now and then.

The library answers UNKNOWN, and logs a traceback for each.
"""

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Any

import grpc
from google.protobuf.message import DecodeError
from grpc.aio import ServerInterceptor
from prometheus_client import Counter

from qiki.runtime.seldom import SeldomLog

MALFORMED = Counter("qiki_grpc_malformed_total", "Requests that are no messages of their method", ["method"])
Read = Callable[[bytes, Any], Awaitable[Any]]


class RequestReader(ServerInterceptor):
    """Reads the requests of every method in place of the library."""

    def __init__(self) -> None:
        self._log = SeldomLog("malformed gRPC request")

    async def intercept_service(self, continuation: Callable[[Any], Awaitable[Any]], handler_call_details: Any) -> Any:
        """Return the method's handler, for requests in bytes."""
        handler = await continuation(handler_call_details)
        if handler is None or handler.request_deserializer is None:
            return handler
        parse, method = handler.request_deserializer, handler_call_details.method

        async def read(body: bytes, context: Any) -> Any:
            try:
                return parse(body)
            except DecodeError:
                MALFORMED.labels(method).inc()
                self._log.warn(method=method, bytes=len(body))
                await context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"{len(body)} bytes are no request of {method}")

        return handler._replace(request_deserializer=None, **_of_bytes(handler, read))


def _of_bytes(handler: Any, read: Read) -> dict[str, Any]:
    if handler.unary_unary:
        return {"unary_unary": _answer(handler.unary_unary, read)}
    if handler.unary_stream:
        generates = inspect.isasyncgenfunction(handler.unary_stream)
        return {"unary_stream": (_stream if generates else _answer)(handler.unary_stream, read)}
    if handler.stream_unary:
        return {"stream_unary": _answer(handler.stream_unary, _one_by_one(read))}
    return {"stream_stream": _stream(handler.stream_stream, _one_by_one(read))}


def _answer(method: Callable[..., Any], read: Read) -> Callable[..., Any]:
    async def answer(body: bytes, context: Any) -> Any:
        return await method(await read(body, context), context)

    return answer


def _stream(method: Callable[..., Any], read: Read) -> Callable[..., Any]:
    async def stream(body: bytes, context: Any) -> AsyncIterator[Any]:
        async with aclosing(method(await read(body, context), context)) as answers:
            async for answer in answers:
                yield answer

    return stream


def _one_by_one(read: Read) -> Callable[..., Any]:
    async def requests(bodies: AsyncIterator[bytes], context: Any) -> AsyncIterator[Any]:
        async for body in bodies:
            yield await read(body, context)

    async def begin(bodies: AsyncIterator[bytes], context: Any) -> AsyncIterator[Any]:
        return requests(bodies, context)

    return begin
