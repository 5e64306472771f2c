"""Entry point: `python -m key_maker`."""

import qiki.runtime.lean  # noqa: F401 - for its effect

import socket
import sys
from pathlib import Path
from urllib.parse import urlsplit

from key_maker.settings import KeySettings
from qiki.audit.signing import KEY_FILE, PUBLIC_SUFFIX, make_key
from qiki.contracts.identities import REGISTRAR
from qiki.errors import UserError
from qiki.runtime.clock import now
from qiki.runtime.identities.keyring import Keyring
from qiki.runtime.settings import load_settings
from qiki.runtime.terminal import echo

NAME = "keys"
LOOK_S = 1.0


def main() -> int:
    """Return exit status 0 when all is there, 2 after one line of error."""
    try:
        settings = load_settings(KeySettings)
        where = settings.keyring_dir, settings.broker_keys_dir, settings.nats_configuration.resolve()
        lockstep, hosts = settings.agent_lockstep_ticks > 0, settings.qiki_tls_names
        with Keyring.open(*where, lockstep=lockstep, hosts=hosts, pages=settings.pages) as ring:
            changed = ring.prepare(settings.folders, now())
            ring.write_ca(settings.qiki_tls_ca_dir)
            if make_signing_key(settings.folders[REGISTRAR] / KEY_FILE):
                changed.append("the audit log's signing key")
            count = len(ring.entries)
        told = have_read_again(settings)
        echo(f"{count} identities, made now: {', '.join(changed) or 'none'}{told}")
    except UserError as error:
        echo(f"{NAME}: {error}", stream=sys.stderr)
        return 2
    except OSError as error:
        echo(f"{NAME}: {error.filename}: {error.strerror}", stream=sys.stderr)
        return 2
    return 0


def have_read_again(settings: KeySettings) -> str:
    """Have a broker that runs already read keys and rights again; return that it did, as text."""
    address = urlsplit(settings.nats_url or "")
    try:
        socket.create_connection((address.hostname or "", address.port or 4222), LOOK_S).close()
    except OSError:  # it comes next
        return ""
    from qiki.runtime.identities.reload import reload  # noqa: PLC0415 - a first start needs no NATS

    reload(str(settings.nats_url), settings.keyring_dir / "system")
    return "; the broker that runs has read them"


def make_signing_key(path: Path) -> bool:
    """Make the key unless there is, or was, one: a lost key is for its owner to put back, or to give up."""
    if path.exists() or path.with_suffix(PUBLIC_SUFFIX).exists():
        return False
    make_key(path)
    return True


if __name__ == "__main__":
    sys.exit(main())
