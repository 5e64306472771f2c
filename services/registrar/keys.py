"""The registrar's signing key: read at the start, waited for if the log was signed before."""

from pathlib import Path

from qiki.audit.files import PUBLIC_KEYS
from qiki.audit.signing import (
    KEY_FILE,
    PublicKey,
    SigningKey,
    SigningKeyError,
    load_key,
    read_public,
    write_public,
)
from qiki.runtime.retry import patiently
from qiki.runtime.service import Service
from registrar.settings import RegistrarSettings

CONDITION = "signing key"


async def signing_key(service: Service[RegistrarSettings], signed_by: PublicKey | None) -> SigningKey | None:
    """Return the key of QIKI_KEYS_DIR; None without one.

    If the log is signed, by whatever key, a missing key is waited for: the service is unready, and events wait in the
    stream.

    Raises:
        SigningKeyError: the file holds no signing key.
        StoppingError: the service stops first.
    """
    folder = service.settings.qiki_keys_dir
    path = folder / KEY_FILE if folder else None

    async def load() -> SigningKey:
        if path is None:
            raise FileNotFoundError
        return load_key(path)

    if signed_by is None:
        try:
            return await load()
        except FileNotFoundError:
            if path:
                service.log.warning("audit log is not signed: there is no signing key", missing=str(path))
            return None
    where = f"{path}: there is no such file" if path else "QIKI_KEYS_DIR: is not set"
    problem = f"{where}, but the audit log is signed, with key {signed_by.fingerprint}"

    def missing(_: Exception) -> None:
        if CONDITION not in service.health.problems:
            service.log.error("signing key is missing", problem=problem)
        service.health.wait_for(CONDITION, f"{problem}; events wait in the stream")

    key = await patiently(load, service.stopping, retry_on=(FileNotFoundError,), answers=(), failed=missing)
    service.health.met(CONDITION)
    return key


def keep_public(folder: Path, key: PublicKey) -> None:
    """Add the key to the public keys beside the log, one a line, the newest last."""
    path = folder / PUBLIC_KEYS
    try:
        keys = read_public(str(path)) if path.exists() else ()
    except SigningKeyError:
        keys = ()
    if keys[-1:] != (key,):
        write_public(path, (*keys, key))
