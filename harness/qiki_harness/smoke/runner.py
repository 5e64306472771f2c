"""Runs checks side by side, each as soon as what it needs has passed."""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence

import grpc.aio
import nats.errors

from qiki.runtime.cancellation import end_if_cancelled
from qiki_harness.smoke.check import Check, CheckFailedError, Result, Verdict
from qiki_harness.smoke.session import Session


async def run(
    checks: Iterable[Check], session: Session, tell: Callable[[Result], None] = lambda _: None
) -> list[Result]:
    """Make the checks.

    Args:
        checks: in the table's order; what is needed but not among them is taken as passed
        session: the stack
        tell: is called with each result, in the same order, as early as that allows
    """
    tasks: dict[str, asyncio.Task[Result]] = {}
    results = []
    async with asyncio.TaskGroup() as group:
        for check in checks:
            needed = [tasks[name] for name in check.needs if name in tasks]
            tasks[check.name] = group.create_task(_judge(check, session, needed), name=check.name)
        for task in tasks.values():
            results.append(await task)
            end_if_cancelled()  # the check may have swallowed it
            tell(results[-1])
    return results


async def _judge(check: Check, session: Session, needed: Sequence[asyncio.Task[Result]]) -> Result:
    missing = [result.check.name for task in needed if (result := await task).verdict is not Verdict.PASSED]
    if missing:
        return Result(check, Verdict.BLOCKED, 0.0, f"needs {' and '.join(missing)}")
    began_s = time.monotonic()
    try:
        verdict, text = Verdict.PASSED, await check.run(session)
    except CheckFailedError as error:
        verdict, text = Verdict.FAILED, str(error)
    except grpc.aio.AioRpcError as error:
        verdict, text = Verdict.FAILED, f"gRPC: {error.code().name}: {error.details()}"
    except (nats.errors.Error, TimeoutError) as error:
        verdict, text = Verdict.FAILED, f"NATS: {str(error) or 'no answer in time'}"
    except Exception as error:  # whatever it is, the other checks have their say
        verdict, text = Verdict.FAILED, f"{type(error).__name__}: {error}"
    return Result(check, verdict, time.monotonic() - began_s, _line(text))


def _line(text: str) -> str:
    """On one line, in characters that can be printed."""
    words = " ".join(text.split())
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in words)
