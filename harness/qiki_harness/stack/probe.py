"""One probe of a service's health."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

from qiki.runtime import probe as ours
from qiki_harness.compose import Healthcheck
from qiki_harness.stack.guardian import Guardian
from qiki_harness.stack.process import kill_group


async def probe(
    check: Healthcheck, environment: Mapping[str, str], folder: Path, guardian: Guardian
) -> tuple[bool, str]:
    """Run a health check's test once: whether it passed, and its last words.

    The services' own probe is not run but its question asked from here: the start of a process costs forty times as
    much, and for six services every other second that was a third of what the whole stack needs.
    """
    if url := _url_of_ours(check, folder):
        passed, words = await _ask(url)
        return passed, _last(words)
    try:
        process = await asyncio.create_subprocess_exec(
            *check.test,
            cwd=folder,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        return False, f"{check.test[0]}: {error.strerror}"
    guardian.watch(process.pid)
    try:
        # Not wait_for, which in Python 3.11 can swallow a cancellation that comes as the process ends.
        async with asyncio.timeout(check.timeout_s):
            output, _ = await process.communicate()
    except TimeoutError:
        return False, f"no answer within {check.timeout_s:g} s"
    finally:
        kill_group(process.pid)
        await process.wait()
        guardian.forget(process.pid)
    words = _last(output.decode(errors="replace"))
    return process.returncode == 0, words or f"the probe said nothing, exit status {process.returncode}"


def _url_of_ours(check: Healthcheck, folder: Path) -> str:
    """The URL that `qiki.runtime.probe` is to ask; empty for any other test."""
    match check.test:
        case ("python", "-IS", script, url) if (folder / script).resolve() == Path(ours.__file__).resolve():
            return url
    return ""


async def _ask(url: str) -> tuple[bool, str]:
    host, port, question = ours.request(url)
    try:
        async with asyncio.timeout(ours.ANSWER_S):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                writer.write(question)
                passed, _, words = ours.judge(await reader.read())
            finally:
                writer.close()
    except TimeoutError:
        return False, f"{url}: no answer within {ours.ANSWER_S:g} s"
    except OSError as error:
        return False, f"{url}: {error.strerror}"
    return passed, words


def _last(words: str) -> str:
    return words.strip().rpartition("\n")[2][-200:]
