"""For any content of a message its reader gives a value or raises what it says, in little more memory than the message.

The readers stand in `table.py`.
"""

import contextlib
import importlib.util
import itertools
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qiki.contracts import topics

TABLE = Path(__file__).with_name("table.py")


def table() -> Any:
    """The module: tests are no package."""
    specification = importlib.util.spec_from_file_location("readers_table", TABLE)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules[specification.name] = module  # for its data classes
    specification.loader.exec_module(module)
    return module


READERS, BODIES, OF_FRAME, OF_EVENT = (getattr(table(), name) for name in ("READERS", "BODIES", "OF_FRAME", "OF_EVENT"))
ODD = [
    "", " ", "-1", "+1", "0", "007", "abc", "1e400", "nan", "9" * 5000, "²", "٣", "1_0", "%", "%ff", "a=b=c", "=",
    "x=9", "1 2", "1 2 3 4", "1e308 1 1", "inf 0 0", "\x00", "\x1b[2J", "é∞", "F-1=99999999999999999999", "a" * 70_000,
    "2026-13-01T00:00:00Z", "0001-01-01T00:00:00+05:00", "application/cloudevents+json", "text/plain", "None",
]  # fmt: skip
TEXT = st.sampled_from(ODD) | st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
NAMES = st.sampled_from(sorted({*OF_FRAME, *OF_EVENT, "ce-data", "ce-datacontenttype", "x-qiki-alerts", "x-qiki-seq"}))
HEADERS = st.none() | st.dictionaries(NAMES | st.text(max_size=8), TEXT, max_size=6)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from([10**400, -(10**30), 2**63, 1e308, "1", "9" * 5000, "2026-01-01T00:00:00Z", "\ud800"])
)
VALUES = st.recursive(
    LEAVES, lambda one: st.lists(one, max_size=3) | st.dictionaries(st.text(max_size=5), one), max_leaves=5
)
WHERE = st.lists(st.integers(0, 30), min_size=1, max_size=4)


def changed(value: Any, where: list[int], new: Any) -> Any:
    """The value with another one somewhere in it."""
    if not where or not value or not isinstance(value, dict | list):
        return new
    at, *rest = where
    key = list(value)[at % len(value)] if isinstance(value, dict) else at % len(value)
    copy = value.copy()
    copy[key] = changed(value[key], rest, new)
    return copy


def cut(body: bytes, at: int, junk: bytes) -> bytes:
    """The bytes with others in the place of some of them."""
    at %= len(body) + 1
    return body[:at] + junk + body[at + len(junk) :]


@st.composite
def messages(draw: st.DrawFn, reader: Any) -> tuple[bytes, Any]:
    """Anything; or a sound message with something else in its place, or in its bytes, or in its headers."""
    body, headers = reader.message()
    match draw(st.integers(0, 3)):
        case 0:
            body = draw(st.binary(max_size=40))
        case 1:
            body = json.dumps(draw(VALUES)).encode()
        case 2:
            body = json.dumps(changed(reader.body, draw(WHERE), draw(VALUES))).encode()
        case _:
            body = cut(body, draw(st.integers(0, 4000)), draw(st.binary(min_size=1, max_size=6)))
    if draw(st.booleans()):
        return body, draw(HEADERS)
    return body, {**(headers or {}), **(draw(HEADERS) or {})}


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.name)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_anything_gives_a_value_or_the_readers_own_error(reader: Any, data: st.DataObject):
    body, headers = data.draw(messages(reader))
    try:
        value = reader.read(body, headers)
    except reader.raises:
        return
    assert reader.returns is object or isinstance(value, reader.returns)


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.name)
def test_a_sound_message_is_read(reader: Any):
    if reader.body:
        reader.read(*reader.message())


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.name)
def test_any_header_of_a_sound_message_may_be_odd(reader: Any):
    body, headers = reader.message()
    for name, text in itertools.product(headers, ODD):
        with contextlib.suppress(*reader.raises):
            reader.read(body, {**headers, name: text})


def test_every_topic_with_a_model_is_read_here():
    assert set(BODIES) >= {topic.subject for topic in topics.TOPICS if topic.model is not None}


MEMORY = 120
"""Times a message's size that its reading may take."""
HOSTILE = """
import json, resource, sys
from qiki.runtime.dead_letters import reason_text
sys.path.insert(0, sys.argv[1])
import table
READERS = table.READERS
size, result = 300_000, {}

def of(body, unit):
    def filled(value):
        if isinstance(value, dict):
            for key in value:
                yield from ({**value, key: one} for one in filled(value[key]))
        if isinstance(value, list):
            yield ["FILL"]
    for one in filled(body):
        yield json.dumps(one).replace('"FILL"', ",".join([unit] * (size // (len(unit) + 1)))).encode()

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

for reader in READERS:
    try:
        reader.read(*reader.message())
    except reader.raises:
        pass
before = highest = peak()
for reader in READERS:
    for unit in ("{}", '"a"', "1.5"):
        top = b"[" + b",".join([unit.encode()] * (size // (len(unit) + 1))) + b"]"
        for body in (top, b'{"a":%b}' % top, *of(reader.body, unit)):
            try:
                reader.read(body, reader.headers)
            except reader.raises as error:
                reason_text(error)
            if (now := peak()) > highest + 1_000_000:
                highest = now
                result[f"{reader.name}, {unit}"] = round((now - before) / len(body), 1)
print(json.dumps([round((peak() - before) / size, 1), result]))
"""


def test_a_hostile_body_takes_a_bounded_multiple_of_its_size():
    """The peak of all readers, one after the other, for bodies of 0.3 MB."""
    command = [sys.executable, "-c", HOSTILE, str(TABLE.parent)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=280)
    assert done.returncode == 0, done.stderr[-3000:]
    times, grown = json.loads(done.stdout.splitlines()[-1])
    assert times < MEMORY, grown
