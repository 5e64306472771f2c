"""A stack that several processes share: it outlives each of them, and ends with the last."""

import subprocess
import sys
from contextlib import ExitStack

import pytest

from qiki_harness.stack import Stack, StackState
from qiki_harness.testing.wait import until

MEMBER = """
import sys
from pathlib import Path
from qiki_harness.twin import SharedStack, Twin, start_stack

def start(folder):
    print("starts it", flush=True)
    return start_stack(folder, "empty", env={"QIKI_AUTOSTART": "true"}, without=("qiki-dev", "registrar"))

share = SharedStack.join(Path(sys.argv[1]), start)
print("holds it", flush=True)
sys.stdin.readline()
share.leave()
print("has left", flush=True)
"""


class Member:
    """A process that holds the stack."""

    def __init__(self, folder):
        self._process = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", MEMBER, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.said = []

    def await_word(self, word):
        while word not in self.said:
            line = self._process.stdout.readline()
            assert line, f"ended after {self.said}"
            self.said.append(line.strip())

    def leave(self):
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        self.await_word("has left")
        assert self._process.wait(60) == 0

    def kill(self):
        self._process.kill()
        self._process.wait()

    def close(self):
        self.kill()
        self._process.stdin.close()
        self._process.stdout.close()


@pytest.fixture
def member(tmp_path):
    with ExitStack() as ends:

        def join():
            one = Member(tmp_path)
            ends.callback(one.close)
            one.await_word("holds it")
            return one

        yield join


@pytest.fixture
def stack(tmp_path):
    return Stack(tmp_path / "stack")


def is_up(stack):
    return stack.alive and stack.info.state is StackState.UP


@pytest.mark.parametrize("leave", [Member.leave, Member.kill], ids=["leaves", "killed"])
def test_it_outlives_its_starter_and_ends_with_the_last(member, stack, leave):
    starter, other = member(), member()
    assert "starts it" in starter.said
    assert "starts it" not in other.said

    leave(starter)
    third = member()
    assert "starts it" not in third.said
    assert is_up(stack)

    leave(other)
    assert is_up(stack)
    leave(third)
    until("the stack has ended", lambda: not stack.alive)


def test_the_last_to_leave_waits_until_nothing_is_left(member, stack):
    member().leave()

    assert not stack.alive
    assert "starts it" in member().said


def test_two_that_come_at_once_start_one(tmp_path):
    with ExitStack() as ends:
        members = [Member(tmp_path) for _ in range(2)]
        for one in members:
            ends.callback(one.close)
        for one in members:
            one.await_word("holds it")

        assert ["starts it" in one.said for one in members].count(True) == 1
        for one in members:
            one.leave()
