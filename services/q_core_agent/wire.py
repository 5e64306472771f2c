"""Between the agent's records and the protobuf messages that define them."""

from datetime import timedelta
from uuid import UUID

from google.protobuf.duration_pb2 import Duration

from generated import fsm_state_pb2 as fsm
from generated import proposal_pb2 as mind
from q_core_agent.decisions import commands, proposal_id
from q_core_agent.evaluator import Candidate
from q_core_agent.limits import Limits
from q_core_agent.stamp import Stamp
from qiki.contracts.agent import FsmSnapshot, TransitionRecord
from qiki.contracts.enums import FSMState, FSMTransitionStatus, ProposalStatus
from qiki.contracts.protobuf import proto_enum, timestamp_from_proto, timestamp_to_proto, uuid_to_proto


def snapshot_to_proto(snapshot: FsmSnapshot) -> fsm.FsmStateSnapshot:
    """The state machine's snapshot."""
    return fsm.FsmStateSnapshot(
        snapshot_id=uuid_to_proto(snapshot.snapshot_id),
        timestamp=timestamp_to_proto(snapshot.timestamp),
        current_state=proto_enum(snapshot.current_state),
        history=map(_transition_to_proto, snapshot.history),
        context_data=snapshot.context_data,
        fsm_instance_id=uuid_to_proto(snapshot.fsm_instance_id),
        state_metadata=snapshot.state_metadata,
        source_module=snapshot.source_module,
        attempt_count=snapshot.attempt_count,
    )


def snapshot_from_proto(message: fsm.FsmStateSnapshot) -> FsmSnapshot:
    """The state machine's snapshot.

    Raises:
        ValueError: a missing or broken id, a state that does not exist.
    """
    return FsmSnapshot(
        snapshot_id=UUID(message.snapshot_id.value),
        timestamp=timestamp_from_proto(message.timestamp),
        current_state=FSMState(message.current_state),
        history=tuple(map(_transition_from_proto, message.history)),
        context_data=dict(message.context_data),
        fsm_instance_id=UUID(message.fsm_instance_id.value),
        state_metadata=dict(message.state_metadata),
        source_module=message.source_module,
        attempt_count=message.attempt_count,
    )


def proposal_to_proto(candidate: Candidate, status: ProposalStatus, limits: Limits, stamp: Stamp) -> mind.Proposal:
    """A proposal whose actions are within the limits; what it names by key is named by identity there."""
    proposal = candidate.proposal
    duration = Duration()
    duration.FromTimedelta(timedelta(seconds=float(proposal.expected_duration_s)))
    return mind.Proposal(
        proposal_id=uuid_to_proto(proposal_id(candidate.engine, candidate.key, stamp)),
        source_module_id=candidate.engine,
        timestamp=timestamp_to_proto(stamp.moment),
        proposed_actions=commands(candidate, limits, stamp),
        justification=proposal.justification,
        priority=float(proposal.priority),
        expected_duration=duration,
        type=proto_enum(proposal.type),
        metadata=proposal.metadata,
        confidence=float(proposal.confidence),
        status=proto_enum(status),
        depends_on=[uuid_to_proto(proposal_id(*name, stamp)) for name in candidate.names(proposal.depends_on)],
        conflicts_with=[uuid_to_proto(proposal_id(*name, stamp)) for name in candidate.names(proposal.conflicts_with)],
    )


def _transition_to_proto(record: TransitionRecord) -> fsm.StateTransition:
    return fsm.StateTransition(
        timestamp=timestamp_to_proto(record.timestamp),
        from_state=proto_enum(record.from_state),
        to_state=proto_enum(record.to_state),
        trigger_event=record.trigger_event,
        status=proto_enum(record.status),
        error_message=record.error_message,
    )


def _transition_from_proto(message: fsm.StateTransition) -> TransitionRecord:
    return TransitionRecord(
        timestamp=timestamp_from_proto(message.timestamp),
        from_state=FSMState(message.from_state),
        to_state=FSMState(message.to_state),
        trigger_event=message.trigger_event,
        status=FSMTransitionStatus(message.status),
        error_message=message.error_message,
    )
