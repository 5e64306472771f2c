"""Settings of the registrar."""

from pathlib import Path

from pydantic import Field

from qiki.runtime.settings import ServiceSettings


class RegistrarSettings(ServiceSettings):
    """Beyond every service's: where the audit log lies, when a new file begins, how many are kept (0: all).

    `broker_log`: the broker's log, which alone names the clients that it refused; None: they are not registered.
    """

    broker_log: Path | None = None
    audit_dir: Path = Path(".qiki/audit")
    audit_max_bytes: int = Field(default=16 << 20, gt=0)
    audit_max_age_sec: float = Field(default=86_400, gt=0)
    audit_keep_files: int = Field(default=0, ge=0)
