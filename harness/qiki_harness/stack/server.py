"""The supervisor's side of requests (control.py): a unix socket that only its user can open."""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

from qiki_harness.errors import StackError

Request = dict[str, str]


async def serve(path: Path, handle: Callable[[Request], Awaitable[None]]) -> asyncio.Server:
    """Answer requests: `handle` does what they ask, or raises a StackError that the asker gets."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handle(json.loads(await reader.readline()))
            writer.write(b"{}\n")
        except StackError as error:
            writer.write(json.dumps({"error": str(error)}).encode() + b"\n")
        finally:
            writer.close()

    path.unlink(missing_ok=True)  # noqa: ASYNC240  # one system call, before anything is served
    mask = os.umask(0o177)
    try:
        return await asyncio.start_unix_server(answer, path)
    finally:
        os.umask(mask)
