"""The harness's error tree: every one is the user's to mend.

UserError
└── HarnessError
    ├── ComposeError            the compose file says what we cannot do
    ├── PortInUseError          somebody else listens there
    ├── EngineError             no container engine answers, or not to us
    ├── LockError               a dependency has no wheel, or another one than the locks pin
    ├── StackError              the stack runs already, or does not run, or refuses a request
    │   └── StartFailedError    a service did not come up; has its last words and the exit status
    └── DeadlineError           a condition did not come true in time; says how things stand, in lines
"""

from pathlib import Path

from qiki.errors import UserError


class HarnessError(UserError):
    """Root of what the harness raises on purpose."""


class ComposeError(HarnessError):
    """A compose file holds what is wrong or what the runner does not know."""

    def __init__(self, file: Path, line: int, where: str, problem: str) -> None:
        super().__init__(f"{file}:{line}: {where}: {problem}")
        self.file = file
        self.line = line
        self.where = where
        self.problem = problem


class PortInUseError(HarnessError):
    """A port that the stack needs is taken."""

    def __init__(self, port: int, variable: str, service: str, holder: str) -> None:
        super().__init__(
            f"port {port}, which {service} needs, is in use by {holder}: "
            f"stop that, or use --port {variable}=N, or --ports auto"
        )
        self.port = port
        self.variable = variable
        self.service = service
        self.holder = holder


class EngineError(HarnessError):
    """There is no container engine to be had."""


class LockError(HarnessError):
    """The locks cannot be kept to."""


class StackError(HarnessError):
    """The stack is not in the state that a request needs."""


class StartFailedError(StackError):
    """The stack did not come up."""

    def __init__(self, message: str, exit_status: int = 1, last_words: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.exit_status = exit_status
        self.last_words = last_words


class DeadlineError(HarnessError):
    """A condition did not come true in time."""
