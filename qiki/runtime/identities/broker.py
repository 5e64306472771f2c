"""The part of the broker's configuration that says who may do what: accounts, users, exports, imports."""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from qiki.contracts.identities import VIEWER, Account
from qiki.contracts.rights import Rights, outside_acks, rights_of, watched
from qiki.files import write_atomically
from qiki.runtime.identities.credentials import CA, CERTIFICATE, CERTIFICATE_KEY, PRIVATE
from qiki.runtime.identities.nkey import public_text

HANDSHAKE_S = 5
ANSWERED_WITHIN = "24h"
"""Time in which a service may answer: a step takes as long as its ticks, and several may be asked on one subject."""
RIGHTS, MAIN = "rights.conf", "server.conf"
API = "$JS.API.>"
"""Into the guests' account as a whole, or the server would answer there itself. Each guest's rights say what of it."""
ANYBODY = public_text(hashlib.sha256(VIEWER.encode()).digest())
"""The viewer's public key. Nobody has its seed: `no_auth_user` names it for a client without a key."""


def write_configuration(folder: Path, base: Path, users: Iterable[tuple[str, Rights]]) -> None:
    """Write the rights, and the main file, which includes them and the broker's own configuration."""
    write_atomically(folder / RIGHTS, _text(accounts(users)).encode(), PRIVATE)
    # The server takes an included path for one beside the including file.
    lines = [f"include {json.dumps(name)}" for name in (os.path.relpath(base, folder), RIGHTS)]
    if (folder / CERTIFICATE).exists():
        lines += [f"tls: {json.dumps(_tls(folder.resolve()))}", "allow_non_tls: true"]
    write_atomically(folder / MAIN, "\n".join([*lines, ""]).encode(), PRIVATE)


def _tls(folder: Path) -> dict[str, Any]:
    """Return how the server proves who it is. Its clients do so by their nkeys, and the viewer by nothing."""
    return {
        "cert_file": str(folder / CERTIFICATE),
        "key_file": str(folder / CERTIFICATE_KEY),
        "ca_file": str(folder / CA),
        "verify": False,
        "timeout": HANDSHAKE_S,
    }


def accounts(users: Iterable[tuple[str, Rights]]) -> dict[str, Any]:
    """Return the configuration's values for users by public key."""
    by_account: dict[Account, list[dict[str, Any]]] = {account: [] for account in Account}
    for public, rights in users:
        by_account[rights.account].append({"nkey": public, "permissions": _permissions(rights)})
    viewer = {"nkey": ANYBODY, "permissions": _permissions(rights_of(VIEWER))}
    by_account[Account.GUESTS].append(viewer)
    streams = [{"stream": subject} for subject in watched()]
    services = [{"service": subject} for subject in outside_acks()]
    api = {"service": API, "response_type": "stream"}
    guests = {"accounts": [Account.GUESTS]}
    return {
        "accounts": {
            Account.TWIN: {
                "jetstream": "enabled",
                "users": by_account[Account.TWIN],
                "exports": [{**one, **guests} for one in (*streams, *services, api)],
            },
            Account.GUESTS: {
                "users": by_account[Account.GUESTS],
                "imports": [_import(one) for one in (*streams, *services, {"service": API})],
            },
            Account.SYSTEM: {"users": by_account[Account.SYSTEM]},
        },
        "system_account": Account.SYSTEM,
        "no_auth_user": ANYBODY,
    }


def _import(export: Mapping[str, str]) -> dict[str, Any]:
    return {kind: {"account": Account.TWIN, "subject": subject} for kind, subject in export.items()}


def _permissions(rights: Rights) -> dict[str, Any]:
    publish: dict[str, Any] = {"allow": list(rights.publish)}
    if rights.refused:
        publish["deny"] = list(rights.refused)
    answers = {"allow_responses": {"max": -1, "expires": ANSWERED_WITHIN}} if rights.answers else {}
    return {"publish": publish, "subscribe": {"allow": list(rights.subscribe)}, **answers}


def _text(values: Mapping[str, Any]) -> str:
    """Return values as configuration: its syntax takes JSON for each."""
    lines = ["# Made from the tables of topics and events, and from the keys; the next start makes it again."]
    lines += [f"{name}: {json.dumps(value, indent=1)}" for name, value in values.items()]
    return "\n".join([*lines, ""])
