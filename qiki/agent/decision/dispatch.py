"""Sends the commands of accepted proposals, in their order."""

from collections.abc import Sequence

from qiki.agent.decision.evaluator import Verdict
from qiki.agent.decision.limits import Limits
from qiki.agent.decision.records import DONE, Result, commands, refused, result_of
from qiki.agent.decision.refusal import Refusal
from qiki.agent.sim_instant import SimInstant
from qiki.agent.vehicle import Outcome, VehicleLink


async def dispatch(
    verdicts: Sequence[Verdict], vehicle: VehicleLink, limits: Limits, stamp: SimInstant
) -> tuple[Result, ...]:
    """Do what was accepted; what depends on something that the vehicle did not do is not sent."""
    results: list[Result] = []
    done: set[tuple[str, str]] = set()
    for verdict in verdicts:
        refusal = verdict.refusal or _undone(verdict, done)
        if refusal is not None:
            results.append(refused(verdict, refusal))
            continue
        results.append(result_of(verdict, await _send(verdict, vehicle, limits, stamp)))
        if results[-1].status in DONE:
            done.add(verdict.candidate.name)
    return tuple(results)


def _undone(verdict: Verdict, done: set[tuple[str, str]]) -> Refusal | None:
    candidate = verdict.candidate
    missing = [key for engine, key in candidate.names(candidate.proposal.depends_on) if (engine, key) not in done]
    return Refusal(f"depends on {missing[0]}, which the vehicle has not done") if missing else None


async def _send(verdict: Verdict, vehicle: VehicleLink, limits: Limits, stamp: SimInstant) -> tuple[Outcome, ...]:
    """One command after the other, up to the first that is not obeyed."""
    outcomes: list[Outcome] = []
    for command in commands(verdict.candidate, limits, stamp):
        outcomes.append(await vehicle.send(command))
        if not outcomes[-1].accepted:
            break
    return tuple(outcomes)
