"""Acknowledgements of commands, and the memory of those that were given."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from q_sim_service.kept_run import KeptAnswer
from q_sim_service.requests import Received, Request
from qiki.contracts.control import AckPayload, ControlAck, ErrorDetail
from qiki.runtime.clock import now

REMEMBERED = 1024  # commands; an acknowledgement takes up to some 4 KB
APPLIED, REJECTED, ENDED = "applied", "rejected", "ended"


@dataclass(frozen=True)
class Answer:
    """An acknowledgement as it is sent: the same bytes and headers to the same command that is sent again."""

    digest: bytes
    body: bytes
    headers: Mapping[str, str]


class Answers:
    """The last answers, by the ids of their commands.

    Args:
        kept: those of a process before this one
        obeyed: ids of orders that it had accepted, perhaps without having answered
    """

    def __init__(self, kept: Iterable[KeptAnswer] = (), obeyed: Iterable[str] = ()) -> None:
        self._answers: OrderedDict[UUID, Answer] = OrderedDict()
        self._goals: dict[UUID, int] = {}
        self._obeyed = frozenset(obeyed)
        for one in kept:
            if one.goal is None:
                self._answers[one.message_id] = Answer(one.digest, one.body, one.headers)
            else:
                self._goals[one.message_id] = one.goal

    def find(self, received: Received) -> Answer | None:
        """Return the answer that the command's id got, which may have been another command's."""
        return self._answers.get(UUID(received.request.message_id)) if received.request.message_id else None

    def goal(self, message_id: str | None) -> int | None:
        """Return the tick up to which a step goes that a process before this one had begun; None for any other."""
        return self._goals.get(UUID(message_id)) if message_id else None

    def has_obeyed(self, message_id: str | None) -> bool:
        """Return whether a process before this one had accepted the order of a command."""
        return message_id in self._obeyed

    def keep(self, received: Received, answer: Answer) -> KeptAnswer | None:
        """Remember an answer, for which the oldest makes room; return it with its id, None without one."""
        message_id = received.request.message_id
        if not message_id or not received.digest:
            return None
        self._answers[UUID(message_id)] = answer
        if len(self._answers) > REMEMBERED:
            self._answers.popitem(last=False)
        return KeptAnswer(
            message_id=UUID(message_id), digest=answer.digest, body=answer.body, headers=dict(answer.headers)
        )


def acknowledge(request: Request, reason: str | None = None, progress: Mapping[str, int] | None = None) -> ControlAck:
    """Acknowledge a command that was executed or will be at the next tick, or with a reason one that was not.

    Without `progress`, numbers for its sender, the command was refused; with it, it was ended before it was done.
    """
    status = APPLIED if reason is None else REJECTED if progress is None else ENDED
    details = {"command_name": request.command_name, **(progress or {})}
    error = None if reason is None else ErrorDetail(code=status, message=reason, details=details)
    return ControlAck(
        kind=request.command_name,
        timestamp=now(),
        requestId=request.message_id,
        request_id=request.message_id,
        success=error is None,
        ok=error is None,
        payload=AckPayload(command_name=request.command_name, status=status),
        error=error and error.code,
        error_detail=error,
    )
