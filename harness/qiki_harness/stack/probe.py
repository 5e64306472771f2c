"""One probe of a service's health."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

from qiki.runtime import probe as ours
from qiki.runtime.async_probe import ask
from qiki_harness.compose import Healthcheck
from qiki_harness.stack.guardian import Guardian
from qiki_harness.stack.process import kill_group


async def probe(
    check: Healthcheck, environment: Mapping[str, str], folder: Path, guardian: Guardian
) -> tuple[bool, str]:
    """Run a health check's test once; return whether it passed, and its last line.

    The services' own probe is not run but its question asked from here: the start of a process costs forty times as
    much, and for six services every other second that was a third of what the whole stack needs.
    """
    if question := _question_of_ours(check, folder):
        passed, words = await ask(*question)
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


def _question_of_ours(check: Healthcheck, folder: Path) -> tuple[str, ...]:
    """Return the arguments of `qiki.runtime.probe`; none for any other test."""
    match check.test:
        case ("python", "-IS", script, *question) if (folder / script).resolve() == Path(ours.__file__).resolve():
            return tuple(question)
    return ()


def _last(words: str) -> str:
    return words.strip().rpartition("\n")[2][-200:]
