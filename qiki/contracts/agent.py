"""The agent's state; field names are those of `fsm_state.proto`."""

from uuid import UUID

from pydantic import Field

from qiki.contracts.enums import FSMState, FSMTransitionStatus
from qiki.contracts.fields import Finite, NonNegative, Payload, Several, Timestamp


class TransitionRecord(Payload):
    """One step of the state machine."""

    timestamp: Timestamp
    from_state: FSMState
    to_state: FSMState
    trigger_event: str
    status: FSMTransitionStatus
    error_message: str = ""


class FsmSnapshot(Payload):
    """State and transitions of the state machine, newest last."""

    snapshot_id: UUID
    timestamp: Timestamp
    current_state: FSMState
    history: Several[TransitionRecord]
    context_data: dict[str, str] = Field(default_factory=dict)
    fsm_instance_id: UUID
    state_metadata: dict[str, str] = Field(default_factory=dict)
    source_module: str = "q_core_agent"
    attempt_count: int


class InputState(Payload):
    """One input of the agent: its newest message, and its liveness."""

    subject: str
    sequence: int | None
    age_s: Finite | None
    alive: bool


class EngineState(Payload):
    """Result of an engine's last call."""

    proposals: int
    duration_s: NonNegative
    fault: str | None


class AgentState(Payload):
    """On `qiki.agent.v1.state`, once a second and at every transition."""

    schema_version: int = 1
    timestamp: Timestamp
    conduct: str
    lockstep_ticks: int = 0
    tick: int
    run_id: str
    fsm: FsmSnapshot
    causes: Several[str]
    good_checks: int
    inputs: dict[str, InputState]
    bios_ok: bool | None
    engines: dict[str, EngineState]
    tracks: int
    alerts: int
