"""The harness's error tree: errors that the user can mend.

UserError
└── HarnessError
    ├── ComposeError            the compose file is wrong, or asks for what the native runner cannot do
    ├── PortInUseError          another program listens on a port of the stack
    ├── EngineError             no container engine answers
    ├── LockError               a dependency has no wheel, or another one than the locks pin
    ├── RecordingError          a recording cannot be written or read
    ├── StackError              the stack runs already, or does not run, or refuses a request
    │   ├── NoStackError        no stack of this name runs
    │   └── StartFailedError    a service did not come up; has its last log lines and the exit status
    └── DeadlineError           a condition did not come true in time; lists the state
"""

from pathlib import Path

from qiki.errors import UserError
from qiki.textfile import shortened


class HarnessError(UserError):
    """Root of the harness's errors."""


class ComposeError(HarnessError):
    """A value or key of a compose file is wrong or unknown."""

    def __init__(self, file: Path, line: int, where: str, problem: str) -> None:
        super().__init__(f"{file}:{line}: {shortened(where)}: {shortened(problem)}")
        self.line, self.where = line, where


class PortInUseError(HarnessError):
    """A port that the stack needs is taken."""

    def __init__(self, port: int, variable: str, service: str, holder: str) -> None:
        super().__init__(
            f"port {port}, which {service} needs, is in use by {holder}: "
            f"stop that, or use --port {variable}=N, or --ports auto"
        )


class EngineError(HarnessError):
    """No container engine answers."""


class LockError(HarnessError):
    """The index does not have what the locks pin."""


class RecordingError(HarnessError):
    """A recording cannot be written or read."""


class StackError(HarnessError):
    """The stack is not in the state that a request needs."""


class NoStackError(StackError):
    """No stack of this name runs."""


class StartFailedError(StackError):
    """The stack did not come up."""

    def __init__(self, message: str, exit_status: int = 1, last_words: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.exit_status = exit_status
        self.last_words = last_words


class DeadlineError(HarnessError):
    """A condition did not come true in time.

    Attributes:
        message: one line
        details: lines about the state
    """

    def __init__(self, message: str = "", *details: str) -> None:
        super().__init__("\n".join((message, *details)))
        self.message, self.details = message, details
