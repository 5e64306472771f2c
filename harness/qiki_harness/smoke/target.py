"""Which stack is tested: the one that the environment names, else the native one of a name."""

from dataclasses import dataclass
from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict

from qiki.runtime.settings import Address, Url
from qiki_harness.cli.options import running_stack
from qiki_harness.errors import HarnessError
from qiki_harness.stack import StackInfo

BRIDGE = "faststream-bridge"


class SmokeSettings(BaseSettings):
    """What the environment says: the first two together name the stack."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    nats_url: Url | None = None
    qsim_grpc: Address | None = None
    bridge_http: str = f"http://{BRIDGE}:9102"
    qiki_bot_spec: Path | None = None
    qiki_run_dir: Path | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """A stack.

    Attributes:
        name: in words, for the report
        bridge_http: where the bridge serves its metrics
        bot_spec: the specification that its bot should run on; None: the platform's own
    """

    name: str
    nats_url: str
    qsim_grpc: str
    bridge_http: str
    bot_spec: Path | None = None


def find_target(settings: SmokeSettings, name: str = "default", run_dir: Path | None = None) -> Target:
    """The stack of NATS_URL and QSIM_GRPC, else the native stack of that name.

    Raises:
        HarnessError: there is none.
    """
    if settings.nats_url and settings.qsim_grpc:
        name = f"the stack of NATS_URL={settings.nats_url}"
        return Target(name, settings.nats_url, settings.qsim_grpc, settings.bridge_http, settings.qiki_bot_spec)
    if settings.nats_url or settings.qsim_grpc:
        missing = "QSIM_GRPC" if settings.nats_url else "NATS_URL"
        raise HarnessError(f"{missing} is not set: NATS_URL and QSIM_GRPC together name a running stack")
    return native_target(running_stack(name, run_dir or settings.qiki_run_dir).info, settings.qiki_bot_spec)


def native_target(info: StackInfo, bot_spec: Path | None = None) -> Target:
    """A stack that `qiki up`, or a test, has started."""
    addresses = info.addresses
    name = f"the native stack {info.name!r}"
    return Target(name, addresses["NATS_URL"], addresses["QSIM_GRPC"], info.http_url(BRIDGE), bot_spec)
