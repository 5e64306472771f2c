"""Settings of the registrar."""

from pathlib import Path

from qiki.runtime.settings import ServiceSettings, number, whole


class RegistrarSettings(ServiceSettings):
    """Beyond every service's: where the audit log lies, when a new file begins, how many are kept (0: all).

    `broker_log`: the broker's log, which alone names the clients that it refused; None: they are not registered.
    QIKI_KEYS_DIR has the signing key too; without it the log is not signed.
    """

    broker_log: Path | None = None
    audit_dir: Path = Path(".qiki/audit")
    audit_max_bytes: int = whole(16 << 20, 1024, 1 << 30)
    audit_max_age_sec: float = number(86_400, 1, 366 * 86_400)
    audit_keep_files: int = whole(0, 0, 1_000_000)
