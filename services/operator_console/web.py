"""The HTTP side: the page's files, `config.json`, and `session`, all under a strict policy."""

import json
import re
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from qiki.runtime.identities.pages import PageUser

STATIC = Path(__file__).parent / "static"
MAX_BODY = 1024
_HOST = re.compile(r"[A-Za-z0-9.-]{1,253}|[0-9A-Fa-f:.]{2,45}")
_FIXED = {
    "cache-control": "no-cache",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}

Exchange = Callable[[str], Awaitable[PageUser | None]]


def application(configuration: dict[str, Any], urls: Sequence[str], exchange: Exchange) -> ASGIApp:
    """Return the application.

    Args:
        configuration: what `config.json` says
        urls: of the brokers that the page connects to; a host `*` is the one that the page came from
        exchange: returns a user for a token; None for one that is of no use
    """

    async def config(_: Request) -> Response:
        return JSONResponse(configuration)

    async def session(request: Request) -> Response:
        token = await _token(request)
        user = await exchange(token) if token else None
        if user is None:
            reason = "this link was used already, or is too old: `qiki console` prints a new one"
            return JSONResponse({"reason": reason}, status_code=403)
        until_ms = round(user.until.timestamp() * 1000)
        return JSONResponse({"user": user.user, "password": user.password, "until": until_ms})

    routes = [
        Route("/config.json", config),
        Route("/session", session, methods=["POST"]),
        Mount("/", StaticFiles(directory=STATIC, html=True)),
    ]
    return _Guarded(Starlette(routes=routes), urls)


async def _token(request: Request) -> str:
    """Return the token of a request; empty where it is none."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MAX_BODY:
            return ""
    try:
        token = json.loads(body)["token"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return ""
    return token if isinstance(token, str) else ""


class _Guarded:
    """Adds the headers that bind a browser to what the page needs."""

    def __init__(self, application: ASGIApp, urls: Sequence[str]) -> None:
        self._application, self._urls = application, urls

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(_FIXED | {"content-security-policy": policy(_host(scope), self._urls)})
            await send(message)

        await self._application(scope, receive, guarded if scope["type"] == "http" else send)


def policy(host: str, urls: Sequence[str]) -> str:
    """Return the content security policy for a page from a host: own files, and the brokers' listeners."""
    connections = " ".join(["'self'", *(url.replace("*", host) for url in urls)])
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        f"connect-src {connections}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _host(scope: Scope) -> str:
    """Return the host that the browser asked for, as a URL has it; loopback for none that is well-formed."""
    name = Request(scope).url.hostname or ""
    if not _HOST.fullmatch(name):
        return "127.0.0.1"
    return f"[{name}]" if ":" in name else name
