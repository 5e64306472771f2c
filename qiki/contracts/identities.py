"""The table of identities: who connects to a stack, with a key of his own or, as the viewer, without one."""

from dataclasses import dataclass
from enum import StrEnum

VIEWER = "viewer"
OPERATOR = "operator"
TESTS = "tests"
JS_INIT = "nats-js-init"
SIMULATOR = "q-sim-service"
RADAR = "q-sim-radar"
BRIDGE = "faststream-bridge"
REGISTRAR = "registrar"
AGENT = "qiki-dev"
CONSOLE = "operator-console"
SERVICES = (JS_INIT, SIMULATOR, RADAR, BRIDGE, REGISTRAR, AGENT, CONSOLE)


class Account(StrEnum):
    """Accounts of the broker. A subject of one is another's only where that exports it.

    Whoever may ask for a stored message chooses the subject to which the server sends it, and the server checks no
    right for that. So a reader who may not publish has an account of his own, into which the twin's subjects come.
    """

    TWIN = "TWIN"
    GUESTS = "GUESTS"
    PAGES = "PAGES"  # operators' pages: the users that the console makes for an hour or two
    SYSTEM = "SYS"


@dataclass(frozen=True)
class Identity:
    """An identity that every stack has."""

    name: str
    about: str
    account: Account = Account.TWIN


IDENTITIES = (
    Identity(JS_INIT, "makes streams and durables"),
    Identity(SIMULATOR, "the simulator"),
    Identity(RADAR, "the radar"),
    Identity(BRIDGE, "the tracker"),
    Identity(REGISTRAR, "the audit log"),
    Identity(AGENT, "the agent; it commands the simulator in lockstep only"),
    Identity(CONSOLE, "the operator's page"),
    Identity(TESTS, "the tests and the smoke test: everything"),
    Identity(OPERATOR, "the `qiki` command: watches everything, and commands"),
    Identity("system", "has the broker read its rights again", Account.SYSTEM),
)
