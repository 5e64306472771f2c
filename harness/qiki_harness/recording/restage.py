"""Fly a recorded run again on a native stack of its own: real services, the recorded orders at their ticks."""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from qiki.agent.discovery import NONE, POLICY_FILE
from qiki.botspec import generate, load_spec
from qiki.flight.digest import FrameCollector
from qiki.guard import load_rules
from qiki.world.simulator import RunState
from qiki_harness.recording.about import about
from qiki_harness.recording.plant import plant
from qiki_harness.recording.reader import Recording
from qiki_harness.recording.recorder import Recorder
from qiki_harness.recording.reflight import FlightPlan, last_tick, of_agent, world_of
from qiki_harness.recording.runs import LATE_RECORDED, RecordedRun, recorded_frames, recorded_run
from qiki_harness.recording.verify import Verdict, comparable, judge, plan_and_remarks
from qiki_harness.recording.writer import RecordingWriter
from qiki_harness.stack import Stack
from qiki_harness.testing import until
from qiki_harness.twin import Twin
from qiki_harness.twin.backing import NATS_URL, OwnStack, tests_keys
from qiki_harness.twin.native import options_for

_AGENT = "qiki-dev"
_SLOWLY = 1e-6
"""Speed until all listen: no tick is due, and an agent that conducts waits until time is held."""
_STEP_TICKS = 2000
_START_S, _LEAST_S, _TICK_S = 60.0, 60.0, 0.1


def verify_on_stack(run: RecordedRun, folder: Path, rules: Path | None = None) -> Verdict:
    """Fly a run again on a native stack, and compare.

    Args:
        folder: a fresh one, for the stack and its recording
        rules: the guard's, if the bridge had other ones than the platform's own

    Raises:
        HarnessError: this version cannot fly it, or the stack does not start or come to the end.
    """
    plan, remarks = plan_and_remarks(run, load_rules(rules) if rules else None)
    if plan.has_agent and (problem := _cannot_run(plan)):
        plan, remarks = plan.without_agent, (f"the agent's decisions are taken as given: {problem}",)
    groups = comparable(run, with_agent=plan.has_agent)
    restaged = restage(run, plan, folder, rules)
    frames = FrameCollector(run.summary.run_id, groups, LATE_RECORDED)
    return judge(run, groups, recorded_frames(restaged, frames, groups), remarks)


def _cannot_run(plan: FlightPlan) -> str:
    """Return why the agent of a plan cannot run on a stack; empty where it can."""
    if plan.later:
        return "it begins in the middle of the run"
    usual = generate(load_spec()).hardware_profile.parameters
    return "" if plan.parameters == usual else "its vehicle is not the platform's own"


def restage(run: RecordedRun, plan: FlightPlan, folder: Path, rules: Path | None) -> RecordedRun:
    """Fly a run on a stack, which ends with its last frame, and return what it published.

    Args:
        plan: without an agent, none runs on the stack, and its recorded orders are given like all others
        folder: a fresh one, for the stack and its recording
        rules: of the guard; None: the platform's own

    Raises:
        HarnessError: the stack does not start, or does not come to the end in time.
    """
    path, end = folder / "restaged.mcap", last_tick(run)
    orders = [
        order for tick in sorted(run.orders) for order in run.orders[tick] if not (plan.agent and of_agent(order))
    ]
    plant(world_of(plan), orders, folder / "stack/data/sim", speed=_SLOWLY, state=RunState.RUNNING)
    with _stack(plan, folder / "stack", rules) as stack, closing(Twin(OwnStack(stack))) as twin:
        addresses = stack.info.addresses
        writer = RecordingWriter(path, about(addresses[NATS_URL], None))
        with Recorder(writer, addresses[NATS_URL], tests_keys(addresses), everything=True) as recorder:
            twin.command("sim.stop")
            for done in range(0, end if plan.agent is None else 0, _STEP_TICKS):
                twin.command("sim.step", ticks=min(_STEP_TICKS, end - done), deadline_s=_LEAST_S)
            last = run.summary.last
            twin.await_tracked_frame(run=run.summary.run_id, frame=last, deadline_s=_LEAST_S + end * _TICK_S)
            recorder.catch_up(_LEAST_S)
    return recorded_run(Recording(path), run.summary.run_id)


@contextmanager
def _stack(plan: FlightPlan, folder: Path, rules: Path | None) -> Iterator[Stack]:
    variables = {"RADAR_SR_THRESHOLD_M": str(plan.sr_threshold_m), "QIKI_AUTOSTART": "false"}
    variables |= {"QIKI_GUARD_RULES": str(rules.resolve())} if rules else {}
    if plan.agent is not None:
        variables |= {"AGENT_LOCKSTEP_TICKS": str(plan.agent.lockstep_ticks), "AGENT_ENGINES": plan.engines or NONE}
        variables[POLICY_FILE] = os.environ.get(POLICY_FILE, "")
    with Stack.start(options_for(folder, variables, () if plan.agent else (_AGENT,))) as stack:
        until("the stack listens", lambda: _listens(stack), _START_S)
        yield stack


def _listens(stack: Stack) -> bool:
    """Return whether all services are ready but the agent, which conducts once it may."""
    services = stack.info.services.values()
    return bool(services) and all(one.ready for one in services if one.name != _AGENT)
