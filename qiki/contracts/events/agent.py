"""Payloads of the agent's events: mode, self test, decisions.

Field names are those of `bios_status.proto` and `proposal.proto` where these have them.
"""

from uuid import UUID

from qiki.contracts.enums import DeviceCode, DeviceStatus, DeviceType, FSMState, ProposalStatus, ProposalType
from qiki.contracts.events.payloads import EventPayload
from qiki.contracts.fields import Finite, Payload, Timestamp


class Evidence(Payload):
    """A message that a decision rests on: its subject, its stream sequence and its age."""

    subject: str
    sequence: int | None
    age_s: Finite


class SystemMode(EventPayload):
    """The agent's mode changes. SAFE_MODE is the state ERROR_STATE.

    `mode` and `previous` are BOOTING, NORMAL, SAFE_MODE or SHUTDOWN; `trigger` is the state machine's.
    """

    category: str = "mode"
    source: str = "q_core_agent"
    run_id: str
    mode: str
    previous: str
    state: FSMState
    trigger: str
    reasons: tuple[str, ...]
    rests_on: tuple[Evidence, ...]


class DeviceReport(Payload):
    """The result of the self test for one device."""

    device_id: UUID
    device_name: str
    status: DeviceStatus
    error_message: str = ""
    device_type: DeviceType
    status_code: DeviceCode = DeviceCode.STATUS_CODE_UNSPECIFIED


class BiosStatus(EventPayload):
    """The power-on self test: the devices that the specification declares against those that answer.

    `health_score` is the share of devices that are OK.
    """

    category: str = "health"
    source: str = "bios"
    run_id: str
    bios_uuid: UUID
    firmware_version: str
    all_systems_go: bool
    health_score: Finite
    last_checked: Timestamp
    uptime_sec: int
    post_results: tuple[DeviceReport, ...]


class ActionTaken(Payload):
    """One actuator command of a proposal; `accepted` is None if it was not sent."""

    actuator: str
    command: str
    value: Finite
    timeout_ms: int = 0
    accepted: bool | None = None
    message: str = ""


class Decision(EventPayload):
    """The outcome of one proposal."""

    category: str = "decision"
    run_id: str
    tick: int
    state: FSMState
    proposal_id: UUID
    type: ProposalType
    status: ProposalStatus
    justification: str
    reason: str = ""
    priority: Finite
    confidence: Finite
    actions: tuple[ActionTaken, ...]
    rests_on: tuple[Evidence, ...]
