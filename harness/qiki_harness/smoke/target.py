"""The stack that is tested: the one that the environment names, else the native one of a name."""

from dataclasses import dataclass
from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict

from qiki.runtime.settings import Address, Url
from qiki_harness.cli.options import running_stack
from qiki_harness.errors import HarnessError
from qiki_harness.stack import StackInfo
from qiki_harness.twin import ForeignStack, Twin
from qiki_harness.twin.wire import check_listening

CONNECT_S = 5.0


class SmokeSettings(BaseSettings):
    """Settings of the environment: the first two together name the stack."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    nats_url: Url | None = None
    qsim_grpc: Address | None = None
    bridge_http: str | None = None
    tests_keys_dir: str | None = None
    qiki_keys_dir: str | None = None
    qsim_tls: str | None = None
    qiki_bot_spec: Path | None = None
    qiki_run_dir: Path | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """A stack, and its name for the report."""

    name: str
    stack: ForeignStack

    def connect(self) -> Twin:
        """Return a twin on the stack, for what comes from now on.

        Raises:
            HarnessError: NATS does not answer, so there is no stack.
        """
        try:
            check_listening(self.stack.addresses["NATS_URL"], CONNECT_S)
            return Twin(self.stack, only_new=True, connect_s=CONNECT_S)
        except HarnessError as error:
            raise HarnessError(f"no stack found: {error}") from None


def find_target(settings: SmokeSettings, name: str = "default", run_dir: Path | None = None) -> Target:
    """Return the stack of NATS_URL and QSIM_GRPC, else the native stack of that name.

    Raises:
        HarnessError: there is none.
    """
    given = {"NATS_URL": settings.nats_url, "QSIM_GRPC": settings.qsim_grpc, "BRIDGE_HTTP": settings.bridge_http}
    given |= {"TESTS_KEYS_DIR": settings.tests_keys_dir, "QIKI_KEYS_DIR": settings.qiki_keys_dir}
    given |= {"QSIM_TLS": settings.qsim_tls}
    addresses = {variable: address for variable, address in given.items() if address}
    if settings.nats_url and settings.qsim_grpc:
        return Target(f"the stack of NATS_URL={settings.nats_url}", ForeignStack(addresses))
    if settings.nats_url or settings.qsim_grpc:
        missing = "QSIM_GRPC" if settings.nats_url else "NATS_URL"
        raise HarnessError(f"{missing} is not set: NATS_URL and QSIM_GRPC together name a running stack")
    return native_target(running_stack(name, run_dir or settings.qiki_run_dir).info)


def native_target(info: StackInfo) -> Target:
    """Return a stack that `qiki up`, or a test, has started."""
    return Target(f"the native stack {info.name!r}", ForeignStack(info.addresses))
