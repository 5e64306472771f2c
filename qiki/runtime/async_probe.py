"""Health checks (`probe`) in an event loop."""

import asyncio

from qiki.runtime import probe


async def ask(url: str, tolerated: str = "") -> tuple[bool, str]:
    """Return whether a URL answers 200, and the answer's body or the fault; see `probe.ask`."""
    host, port, question = probe.request(url)
    try:
        async with asyncio.timeout(probe.ANSWER_S):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                writer.write(question)
                passed, _, body = probe.judge(await reader.read(), tolerated)
            finally:
                writer.close()
    except TimeoutError:
        return False, f"{url}: no answer within {probe.ANSWER_S:g} s"
    except OSError as error:
        return False, f"{url}: {error.strerror}"
    return passed, body
