"""Ports: locked for a supervisor's life, and checked."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from qiki_harness.compose import StackPort
from qiki_harness.errors import PortInUseError
from qiki_harness.stack import ports
from qiki_harness.stack.ports import PortLocks, assign, free_range, is_free

MAIN = StackPort("MAIN_PORT", "db", 4222, published=True)
INNER = StackPort("INNER_PORT", "db", 9100, published=False)


@pytest.fixture
def locks(tmp_path: Path) -> Iterator[PortLocks]:
    held = PortLocks(tmp_path, "the first stack")
    yield held
    held.release()


@pytest.fixture
def busy() -> Iterator[int]:
    """A port on which somebody listens."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield listening.getsockname()[1]


@pytest.fixture
def free(locks: PortLocks) -> int:
    """A port that was free a moment ago, below those that others get by chance."""
    return assign([INNER], PortLocks(locks._folder, "a probe"), wanted={}, auto=True)["INNER_PORT"]


def test_a_wanted_number_is_given(locks: PortLocks, tmp_path: Path):
    number = next(n for n in free_range() if is_free(n))
    given = assign([MAIN, INNER], locks, wanted={"MAIN_PORT": number}, auto=False)
    assert given["MAIN_PORT"] == number
    assert given["INNER_PORT"] in free_range()


def test_published_ports_keep_their_default_unless_auto(locks: PortLocks, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ports, "is_free", lambda _: True)
    assert assign([MAIN], locks, wanted={}, auto=False) == {"MAIN_PORT": 4222}
    assert assign([MAIN], locks, wanted={}, auto=True)["MAIN_PORT"] in free_range()


def test_two_stacks_never_get_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ports, "free_range", lambda: range(20_000, 20_010))
    monkeypatch.setattr(ports, "is_free", lambda _: True)
    stacks = [PortLocks(tmp_path, str(i)) for i in range(2)]
    given = [
        number
        for held in stacks
        for number in assign(
            [StackPort(f"P{i}", "s", 1, published=False) for i in range(5)], held, wanted={}, auto=True
        ).values()
    ]
    assert sorted(given) == list(range(20_000, 20_010))
    for held in stacks:
        held.release()


def test_a_port_of_another_stack_is_refused_with_its_name(locks: PortLocks, tmp_path: Path):
    number = assign([INNER], locks, wanted={}, auto=True)["INNER_PORT"]
    with pytest.raises(PortInUseError) as caught:
        assign([MAIN], PortLocks(tmp_path, "the second"), wanted={"MAIN_PORT": number}, auto=False)
    assert str(caught.value) == (
        f"port {number}, which db needs, is in use by the first stack: "
        "stop that, or use --port MAIN_PORT=N, or --ports auto"
    )


def test_a_port_on_which_somebody_listens_is_refused_with_his_name(locks: PortLocks, busy: int):
    with pytest.raises(PortInUseError, match=rf"port {busy}, which db needs, is in use by \S+ \(pid \d+\)"):
        assign([MAIN], locks, wanted={"MAIN_PORT": busy}, auto=False)


def test_released_ports_can_be_had_again(locks: PortLocks, tmp_path: Path):
    number = assign([INNER], locks, wanted={}, auto=True)["INNER_PORT"]
    other = PortLocks(tmp_path, "the second")
    assert not other.take(number)
    assert other.owner(number) == "the first stack"
    locks.release()
    assert other.owner(number) is None
    assert other.take(number)
    other.release()


def test_one_port_is_not_given_twice(locks: PortLocks, free: int):
    with pytest.raises(PortInUseError):
        assign([MAIN, INNER], locks, wanted={"MAIN_PORT": free, "INNER_PORT": free}, auto=False)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("32768\t60999\n", range(10_000, 32_768)), ("1024 65535\n", range(20_000, 30_000))],
)
def test_free_ports_lie_below_the_systems_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, expected: range
):
    file = tmp_path / "ip_local_port_range"
    file.write_text(text)
    monkeypatch.setattr(ports, "_EPHEMERAL", file)
    assert free_range() == expected


def test_without_the_systems_word_its_default_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ports, "_EPHEMERAL", tmp_path / "none")
    assert free_range() == range(10_000, 32_768)
