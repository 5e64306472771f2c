"""What the agent says of its own state."""

from collections.abc import Iterable
from datetime import datetime

from qiki.agent.engines.results import EngineResult
from qiki.agent.world import Input, World
from qiki.contracts.agent import AgentState, EngineState, FsmSnapshot, InputState


def state_of(
    timestamp: datetime,
    conduct: str,
    world: World,
    fsm: FsmSnapshot,
    causes: tuple[str, ...],
    good_checks: int,
    turns: Iterable[EngineResult],
) -> AgentState:
    """The state as it goes out.

    Args:
        causes: of SAFE_MODE, those that there are now
        turns: what the engines did in the last tick
    """
    return AgentState(
        timestamp=timestamp,
        conduct=conduct,
        tick=world.tick,
        run_id=world.run_id,
        fsm=fsm,
        causes=causes,
        good_checks=good_checks,
        inputs={name: _input_state(one) for name, one in world.inputs.items()},
        bios_ok=world.bios.all_systems_go if world.bios else None,
        engines={turn.name: _engine_state(turn) for turn in turns},
        tracks=len(world.tracks),
        alerts=len(world.alerts),
    )


def _input_state(one: Input) -> InputState:
    return InputState(subject=one.subject, sequence=one.sequence, age_s=one.age_s, alive=one.alive)


def _engine_state(turn: EngineResult) -> EngineState:
    return EngineState(
        proposals=len(turn.proposals),
        duration_s=max(0.0, turn.duration_s),
        fault=f"{turn.fault.kind}: {turn.fault.text}" if turn.fault else None,
    )
