"""The part of the broker's configuration that says who may do what: accounts, users, exports, imports."""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qiki.contracts.identities import VIEWER, Account
from qiki.contracts.rights import Rights, commanded, outside_acks, rights_of, watched
from qiki.files import write_atomically
from qiki.runtime.identities.credentials import CA, CERTIFICATE, CERTIFICATE_KEY, PRIVATE
from qiki.runtime.identities.nkey import public_text

HANDSHAKE_S = 5
ANSWERED_WITHIN = "24h"
"""Time in which a service may answer: a step takes as long as its ticks, and several may be asked on one subject."""
RIGHTS, MAIN = "rights.conf", "server.conf"
INCLUDE = "include"
API = "$JS.API.>"
"""Into the guests' account as a whole, or the server would answer there itself. Each guest's rights say what of it."""
ANYBODY = public_text(hashlib.sha256(VIEWER.encode()).digest())
"""The viewer's public key. Nobody has its seed: `no_auth_user` names it for a client without a key."""


@dataclass(frozen=True)
class PageAccess:
    """The way of browsers to the broker.

    Attributes:
        users: the part of the configuration with the operators' pages
        origins: addresses of pages that may connect, as browsers send them
        encrypted: with TLS only
    """

    users: Path
    origins: Sequence[str]
    encrypted: bool = False


def write_configuration(folder: Path, base: Path, users: Iterable[tuple[str, Rights]], pages: PageAccess) -> None:
    """Write the rights, and the main file, which includes them and the broker's own configuration."""
    # The server takes an included path for one beside the including file.
    included = os.path.relpath(pages.users, folder)
    write_atomically(folder / RIGHTS, _text(accounts(users, included)).encode(), PRIVATE)
    lines = [f"include {json.dumps(name)}" for name in (os.path.relpath(base, folder), RIGHTS)]
    tls = json.dumps(_tls(folder.resolve()))
    if (folder / CERTIFICATE).exists():
        lines += [f"tls: {tls}", "allow_non_tls: true"]
    lines += [
        "websocket: {",
        "  host: $NATS_LISTEN_HOST",
        "  port: $NATS_WS_PORT",
        f"  allowed_origins: {json.dumps(list(pages.origins))}",
        f"  tls: {tls}" if pages.encrypted else "  no_tls: true",
        "}",
    ]
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


def accounts(users: Iterable[tuple[str, Rights]], pages: str) -> dict[str, Any]:
    """Return the configuration's values for users by public key; `pages` is the file of the pages' users."""
    by_account: dict[Account, list[dict[str, Any]]] = {account: [] for account in Account}
    for public, rights in users:
        by_account[rights.account].append({"nkey": public, "permissions": permissions(rights)})
    viewer = {"nkey": ANYBODY, "permissions": permissions(rights_of(VIEWER))}
    by_account[Account.GUESTS].append(viewer)
    streams = [{"stream": subject} for subject in watched()]
    services = [{"service": subject} for subject in outside_acks()]
    api = {"service": API, "response_type": "stream"}
    commands = [{"service": subject} for subject in commanded()]
    watchers = {"accounts": [Account.GUESTS, Account.PAGES]}
    operators = {"accounts": [Account.PAGES]}
    imported = (*streams, *services, {"service": API})
    return {
        "accounts": {
            Account.TWIN: {
                "jetstream": "enabled",
                "users": by_account[Account.TWIN],
                "exports": [
                    *({**one, **watchers} for one in (*streams, *services, api)),
                    *({**one, **operators} for one in commands),
                ],
            },
            Account.GUESTS: {
                "users": by_account[Account.GUESTS],
                "imports": [_import(one) for one in imported],
            },
            # Whatever stands in the file, this account can do no more than the twin's exports to it allow.
            Account.PAGES: {"imports": [_import(one) for one in (*imported, *commands)], INCLUDE: pages},
            Account.SYSTEM: {"users": by_account[Account.SYSTEM]},
        },
        "system_account": Account.SYSTEM,
        "no_auth_user": ANYBODY,
    }


def _import(export: Mapping[str, str]) -> dict[str, Any]:
    return {kind: {"account": Account.TWIN, "subject": subject} for kind, subject in export.items()}


def permissions(rights: Rights) -> dict[str, Any]:
    """Return rights as the configuration has them."""
    publish: dict[str, Any] = {"allow": list(rights.publish)}
    if rights.refused:
        publish["deny"] = list(rights.refused)
    answers = {"allow_responses": {"max": -1, "expires": ANSWERED_WITHIN}} if rights.answers else {}
    return {"publish": publish, "subscribe": {"allow": list(rights.subscribe)}, **answers}


def _text(values: Mapping[str, Any]) -> str:
    """Return values as configuration: its syntax takes JSON for each."""
    lines = ["# Made from the tables of topics and events, and from the keys; the next start makes it again."]
    lines += [f"{name}: {json.dumps(value, indent=1)}" for name, value in values.items()]
    return "\n".join([*lines, ""]).replace(f'"{INCLUDE}": ', f"{INCLUDE} ")  # a statement, no key
