"""Migration: a stream that is there is copied, removed, and restored with what the server cannot change on it.

Sequences, times of storage, durables and their places stay as they are; the time when the stream was made is new, and
the server reads the message ids that it must know at its next start. While the stream is away publishers wait. The copy
lies in a file until the stream is back, also when that fails.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from shutil import copyfileobj
from tempfile import NamedTemporaryFile, TemporaryFile
from typing import Any, BinaryIO

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import StreamConfig
from nats.js.errors import APIError, NotFoundError

from nats_js_init.streams import ApplyReport, StreamPlan, unchangeable
from qiki.errors import UserError

CHUNK_BYTES = 1 << 19
ADVICE = "start the broker again, so that it knows the last message ids"
FAULTS = (nats.errors.Error, OSError)
ANSWER_S = 10.0  # the server gives up a copy that stalls for half of that


class MigrationError(UserError):
    """A stream that could not be migrated; its text says where its messages are."""


async def migrate(
    jetstream: JetStreamContext, plans: tuple[StreamPlan, ...], folder: Path
) -> AsyncIterator[ApplyReport]:
    """Migrate the streams that need it, one after the other; their copies lie in `folder`."""
    for plan in plans:
        name = str(plan.config.name)
        try:
            existing = (await jetstream.stream_info(name)).config
        except NotFoundError:
            continue
        if changes := unchangeable(existing, plan.config):
            with _spool(folder) as file:
                await _migrate(jetstream, existing, replace(existing, persist_mode=plan.config.persist_mode), file)
            yield ApplyReport(name, "migrated", f"{changes}; {ADVICE}")


async def _migrate(jetstream: JetStreamContext, existing: StreamConfig, wanted: StreamConfig, file: BinaryIO) -> None:
    client: Client = jetstream._nc
    name = str(existing.name)
    try:
        await jetstream.update_stream(replace(existing, subjects=[f"{name}.migrating"]))  # nothing new comes in
        state = (await _copy(client, name, file))["state"]
        await jetstream.delete_stream(name)
    except FAULTS as error:
        await jetstream.update_stream(existing)
        raise MigrationError(f"{name}: cannot be copied: {reason(error)}; it is as it was") from None
    try:
        await _restore(client, {"config": wanted.as_dict(), "state": state}, file)
    except FAULTS as error:
        with _kept(file, name):
            await _restore(client, {"config": existing.as_dict(), "state": state}, file)
        raise MigrationError(f"{name}: cannot be migrated: {reason(error)}; it is as it was") from None


def _spool(folder: Path) -> BinaryIO:
    try:
        return TemporaryFile(dir=folder)
    except OSError as error:
        raise MigrationError(f"--migrate: {folder}: {error.strerror}") from None


@contextmanager
def _kept(file: BinaryIO, name: str) -> Iterator[None]:
    """Keep the copy if the stream cannot even be made again as it was."""
    try:
        yield
    except FAULTS as error:
        file.seek(0)
        with NamedTemporaryFile(prefix=f"{name}-", suffix=".copy", delete=False) as kept:
            copyfileobj(file, kept)
        where = f"its messages are in {kept.name}"
        raise MigrationError(f"{name}: cannot be made again: {reason(error)}; {where}") from None


def reason(error: Exception) -> str:
    """Return what went wrong."""
    return str(error) or type(error).__name__


async def _copy(client: Client, name: str, file: BinaryIO) -> dict[str, Any]:
    """Write a snapshot into a file; return configuration and state."""
    inbox = client.new_inbox()
    chunks = await client.subscribe(inbox, pending_bytes_limit=1 << 28)
    request = {"deliver_subject": inbox, "chunk_size": CHUNK_BYTES}
    copied = await _request(client, f"$JS.API.STREAM.SNAPSHOT.{name}", request)
    while (chunk := await chunks.next_msg(ANSWER_S)).data:
        await asyncio.to_thread(file.write, chunk.data)
        if chunk.reply:
            await client.publish(chunk.reply)
    await chunks.unsubscribe()
    headers = chunk.headers or {}
    if headers.get("Status", "204") != "204":
        raise nats.errors.Error(f"{headers['Status']} {headers.get('Description', '')}")
    file.flush()
    return copied


async def _restore(client: Client, request: dict[str, Any], file: BinaryIO) -> None:
    """Make the stream from a snapshot."""
    begin = f"$JS.API.STREAM.RESTORE.{request['config']['name']}"
    subject = (await _request(client, begin, request))["deliver_subject"]
    file.seek(0)
    while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
        _checked(await client.request(subject, chunk, timeout=ANSWER_S))
    made = _checked(await client.request(subject, b"", timeout=ANSWER_S))
    for count in ("messages", "last_seq"):
        if made["state"][count] != request["state"][count]:
            raise nats.errors.Error(f"{count} is {made['state'][count]}, was {request['state'][count]}")


async def _request(client: Client, subject: str, body: dict[str, Any]) -> dict[str, Any]:
    return _checked(await client.request(subject, json.dumps(body).encode(), timeout=ANSWER_S))


def _checked(answer: Msg) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(answer.data) if answer.data else {}
    if "error" in body:
        raise APIError.from_error(body["error"])
    return body
