"""Runs checks side by side, each as soon as what it needs has passed."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import grpc
import nats.errors

from qiki_harness.errors import DeadlineError
from qiki_harness.smoke.check import Check, CheckFailedError, CheckResult, CheckVerdict, rpc_fault
from qiki_harness.twin import Twin, UnreadableError


def run(checks: Sequence[Check], twin: Twin, show: Callable[[CheckResult], None] = lambda _: None) -> list[CheckResult]:
    """Make the checks.

    An exception in the calling thread, as of Ctrl-C, interrupts them, and leaves when they have ended.

    Args:
        checks: in the table's order; what is needed but not among them is taken as passed
        twin: the stack
        show: is called with each result, in the same order, as early as that allows
    """
    futures: dict[str, Future[CheckResult]] = {}
    results = []
    with ThreadPoolExecutor(len(checks)) as pool:
        try:
            for check in checks:
                needed = [futures[name] for name in check.needs if name in futures]
                futures[check.name] = pool.submit(_judge, check, twin, needed)
            for future in futures.values():
                results.append(future.result())
                show(results[-1])
        except BaseException:
            twin.interrupt()
            raise
    return results


def _judge(check: Check, twin: Twin, needed: Sequence[Future[CheckResult]]) -> CheckResult:
    missing = [one.result().check.name for one in needed if one.result().verdict is not CheckVerdict.PASSED]
    if missing:
        return CheckResult(check, CheckVerdict.BLOCKED, 0.0, f"needs {' and '.join(missing)}")
    began_s = time.monotonic()
    try:
        verdict, text = CheckVerdict.PASSED, check.run(twin)
    except Exception as error:  # whatever it is, the other checks go on
        verdict, text = CheckVerdict.FAILED, _reason(error)
    return CheckResult(check, verdict, time.monotonic() - began_s, _line(text))


def _reason(error: Exception) -> str:
    if isinstance(error, AssertionError | CheckFailedError | UnreadableError | DeadlineError):
        return str(error)
    if isinstance(error, grpc.RpcError):
        return f"gRPC: {rpc_fault(error)}"
    if isinstance(error, nats.errors.Error | TimeoutError):
        return f"NATS: {str(error) or 'no answer in time'}"
    return f"{type(error).__name__}: {error}"


def _line(text: str) -> str:
    """Return it on one line, in characters that can be printed."""
    one_line = " ".join(text.split())
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in one_line)
