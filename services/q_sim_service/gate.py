"""The gate: checks the identity of each caller, method by method, against the table of methods."""

import inspect
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

import grpc
import structlog

from q_sim_service.metrics import CALLS_REFUSED
from qiki.contracts.events import COMMAND_REFUSED, Refusal
from qiki.contracts.identities import VIEWER
from qiki.contracts.methods import Method, find_method
from qiki.contracts.rights import Grant
from qiki.runtime.clock import now
from qiki.runtime.events import Events
from qiki.runtime.identities.credentials import fingerprint
from qiki.runtime.identities.roster import Roster
from qiki.runtime.identities.tokens import KEY, TokenCheck, TokenError

CALLER: ContextVar[str | None] = ContextVar("caller", default=None)
"""The checked identity of the present call; None where nobody checks, or a read needs none."""
REPORTED_PER_S, REPORTED_AT_ONCE = 1.0, 10.0
LOOK_AGAIN_S = 1.0
TRANSPORT, PLAIN = "transport_security_type", [b"insecure"]
UNKNOWN = "unknown"
ADVICE = "`qiki keys`, docs/identities.md"
log = structlog.get_logger()

Check = Callable[..., Awaitable[None]]
Handler = Any  # grpc.RpcMethodHandler, whose attributes have no types


@dataclass
class Refused(Exception):  # noqa: N818 - an answer, not a fault
    """A refused call, with the sender as far as he is known."""

    status: grpc.StatusCode
    reason: str
    sender: str = UNKNOWN


class Gate(grpc.aio.ServerInterceptor):
    """Refuses calls of those who may not make them, and reports each refusal, at a bounded rate."""

    def __init__(self, roster: Roster, events: Events) -> None:
        self._roster = roster
        self._tokens = TokenCheck(roster)
        self._events = events
        self._checked: dict[str, Handler] = {}
        self._room, self._filled_s = REPORTED_AT_ONCE, time.monotonic()

    async def intercept_service(
        self, continuation: Callable[[Any], Awaitable[Handler]], handler_call_details: Any
    ) -> Handler:
        """Return the handler of a method, behind the check."""
        path = handler_call_details.method
        if path not in self._checked:
            handler = await continuation(handler_call_details)
            if handler is None:  # not ours
                return None
            self._checked[path] = _behind(handler, self._check_of(path))
        return self._checked[path]

    def _check_of(self, path: str) -> Check:
        method = find_method(path)

        async def check(request: Any, context: Any, *, again: bool = False) -> None:
            if again and context.auth_context().get(TRANSPORT) == PLAIN:  # a token is good once
                return
            try:
                CALLER.set(self._caller(path, method, context))
            except Refused as refused:
                self._report(path, request, context, refused)
                await context.abort(refused.status, refused.reason)

        return check

    def _caller(self, path: str, method: Method | None, context: Any) -> str | None:
        """Return the name of a caller; None where nobody needs one."""
        short = path.rpartition("/")[2]
        if method is None:
            raise Refused(grpc.StatusCode.PERMISSION_DENIED, f"{short} has no row in qiki/contracts/methods.py")
        transport = context.auth_context()
        secure = transport.get(TRANSPORT) != PLAIN
        if not secure and method.allows(VIEWER, None):
            return None
        name, grant = self._certified(transport) if secure else self._proven(path, context)
        if not method.allows(name, grant):
            reason = f"{name} may not call {short} ({ADVICE})"
            raise Refused(grpc.StatusCode.PERMISSION_DENIED, reason, name)
        return name

    def _certified(self, transport: Mapping[str, Sequence[bytes]]) -> tuple[str, Grant | None]:
        """Return whose certificate a connection has; the server has checked that our authority signed it."""
        pem = b"".join(transport.get("x509_pem_cert", ()))
        member = self._roster.with_certificate(_fingerprint(pem))
        if member is None:
            shown = b"".join(transport.get("x509_common_name", ())).decode(errors="replace")
            reason = f"the certificate of {shown} is no longer good: revoked, replaced or expired ({ADVICE})"
            raise Refused(grpc.StatusCode.UNAUTHENTICATED, reason)
        return member.name, member.grant

    def _proven(self, path: str, context: Any) -> tuple[str, Grant | None]:
        token = dict(context.invocation_metadata()).get(KEY)
        if token is None:
            ways = f"a token in the metadata, {KEY}, or TLS with a client certificate"
            reason = f"{path.rpartition('/')[2]} needs an identity: {ways} ({ADVICE})"
            raise Refused(grpc.StatusCode.UNAUTHENTICATED, reason)
        try:
            member = self._tokens.member(token if isinstance(token, str) else "", path, time.time())
        except TokenError as error:
            raise Refused(grpc.StatusCode.UNAUTHENTICATED, f"{error} ({ADVICE})") from None
        return member.name, member.grant

    def _report(self, path: str, request: Any, context: Any, refused: Refused) -> None:
        short = path.rpartition("/")[2]
        CALLS_REFUSED.labels(short, refused.status.name).inc()
        moment_s = time.monotonic()
        self._room = min(REPORTED_AT_ONCE, self._room + (moment_s - self._filled_s) * REPORTED_PER_S)
        self._filled_s = moment_s
        if self._room < 1:
            return
        self._room -= 1
        log.warning("call refused", method=short, sender=refused.sender, peer=context.peer(), reason=refused.reason)
        refusal = Refusal(
            source="grpc",
            command=short,
            sender=refused.sender,
            request_id=_command_id(request),
            reason=refused.reason,
            ts_epoch=now().timestamp(),
        )
        self._events.emit(COMMAND_REFUSED, refusal)


def _behind(handler: Handler, check: Check) -> Handler:
    """Return a handler that checks first."""
    behaviour = handler.unary_unary or handler.unary_stream or handler.stream_unary or handler.stream_stream

    async def one(request: Any, context: Any) -> Any:
        await check(request, context)
        return await behaviour(request, context)

    async def many(request: Any, context: Any) -> AsyncIterator[Any]:
        await check(request, context)
        due_s = time.monotonic() + LOOK_AGAIN_S
        async for answer in behaviour(request, context):
            if time.monotonic() > due_s:  # revoked meanwhile, perhaps
                await check(request, context, again=True)
                due_s = time.monotonic() + LOOK_AGAIN_S
            yield answer

    kinds = {
        (False, False): grpc.unary_unary_rpc_method_handler,
        (False, True): grpc.unary_stream_rpc_method_handler,
        (True, False): grpc.stream_unary_rpc_method_handler,
        (True, True): grpc.stream_stream_rpc_method_handler,
    }
    make = kinds[handler.request_streaming, handler.response_streaming]
    checked: Callable[..., Any] = many if inspect.isasyncgenfunction(behaviour) else one
    return make(checked, handler.request_deserializer, handler.response_serializer)


@lru_cache(maxsize=256)
def _fingerprint(pem: bytes) -> str:
    return fingerprint(pem) if pem else ""


def _command_id(request: Any) -> str | None:
    """Return the id of an actuator command, if it is one."""
    try:
        return str(UUID(request.command.command_id.value))
    except (AttributeError, ValueError):
        return None
