"""A run on disk, for a simulator that is killed: two states, what came after them, and the tick that was reached.

`run-N.json` is a state, and `run-N.jsonl` the journal of orders and answers behind it. Two states are kept, the older
one at least a second old: what was published just before a kill may not have left the process, so the next one goes on
from the older state and publishes it again. `run.mark` has the number of the newest state, the tick that was reached,
and how often a process has tried to go on. All of it outlives the process, not the machine: after a power failure a
journal may lack what was acted on, so a state that another boot of the machine wrote is of no use.
"""

import mmap
import re
import struct
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from qiki.contracts.fields import first_fault
from qiki.contracts.sim import SimOrder, SimRun
from qiki.world.simulator import RunState

MOST_TRIES = 4
"""Processes that try to go on from one place; the next one begins another run, for this one may be what ends them."""
PRODUCT = version("qiki-dtmp")
_MARK = struct.Struct("<QQQ")
_BOOT = Path("/proc/sys/kernel/random/boot_id")
_NAME = re.compile(r"run-(\d{1,18})\.jsonl?")


class KeptAnswer(BaseModel):
    """The answer that a command got, or for a step that is not done, the tick up to which it goes."""

    model_config = ConfigDict(frozen=True, ser_json_bytes="base64", val_json_bytes="base64")

    message_id: UUID
    digest: bytes = b""
    body: bytes = b""
    headers: dict[str, str] = Field(default_factory=dict)
    goal: int | None = None


class Entry(BaseModel):
    """A line of a journal: an order, with the tick at which it was given, or an answer."""

    order: SimOrder | None = None
    answer: KeptAnswer | None = None


class KeptState(BaseModel):
    """The state of a run, and of the simulator around it.

    Attributes:
        settings: those of the simulator's process that a run begins with; None: a run for any
        answers: the last ones
    """

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")

    format: Literal[1] = 1
    product: str = PRODUCT
    boot: str
    number: int
    run: SimRun
    settings: dict[str, Any] | None
    state: RunState
    speed: float
    default_speed: float
    world: dict[str, Any]
    answers: tuple[KeptAnswer, ...] = ()


class KeptRunError(Exception):
    """There is no run to go on with; the text says why, and is empty where there never was one."""


class RunFiles:
    """The files of a run in a folder; it is made, or an OSError raised."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        mark = folder / "run.mark"
        if not mark.exists() or mark.stat().st_size != _MARK.size:
            mark.write_bytes(_MARK.pack(0, 0, 0))
        with mark.open("r+b") as file:
            self._mark = mmap.mmap(file.fileno(), _MARK.size)

    def set_mark(self, number: int, tick: int, tries: int) -> None:
        """Note the newest state, the tick that is reached and the tries; they are there when the process is killed."""
        _MARK.pack_into(self._mark, 0, number, tick, tries)

    def mark_of(self, number: int) -> tuple[int, int]:
        """Return the tick that was reached behind a state, and the tries; zeros where the mark is another state's."""
        marked, tick, tries = _MARK.unpack(self._mark)
        return (tick, tries) if marked == number else (0, 0)

    def read(self) -> tuple[KeptState, KeptState, list[Entry]]:
        """Return the state to go on from, the newest one, which is of the same run, and the journal behind the first.

        Raises:
            KeptRunError: there is none, or none that this version reads.
        """
        numbers = sorted(number for number in self._numbers() if self._state(number).exists())
        if not numbers:
            raise KeptRunError("")
        newest = self._read(numbers[-1])
        first = newest
        with suppress(KeptRunError):
            older = self._read(numbers[0])
            first = older if older.run.run_id == newest.run.run_id else newest
        entries = [entry for number in range(first.number, newest.number + 1) for entry in self._entries(number)]
        return first, newest, entries

    def write(self, state: KeptState, entries: tuple[Entry, ...] = ()) -> "Journal":
        """Add a state, and begin its journal with these entries."""
        journal = Journal(self._journal(state.number))
        try:
            for entry in entries:
                journal.add(entry)
            part = self._state(state.number).with_suffix(".part")
            part.write_bytes(state.model_dump_json().encode())
            part.replace(self._state(state.number))
        except OSError:
            journal.close()
            raise
        return journal

    def drop(self, before: int, between: int = 0) -> None:
        """Remove the states and journals before a number; and the states from there up to another, without journals."""
        for number in self._numbers():
            if number < before:
                self._state(number).unlink(missing_ok=True)
                self._journal(number).unlink(missing_ok=True)
            elif before < number < between:
                self._state(number).unlink(missing_ok=True)

    def forget(self) -> None:
        """Remove all: nobody goes on with the run."""
        self.drop(max(self._numbers(), default=0) + 1)

    def _read(self, number: int) -> KeptState:
        path = self._state(number)
        try:
            state = KeptState.model_validate_json(path.read_bytes())
        except ValidationError as error:
            raise KeptRunError(f"{path}: {first_fault(error)}") from None
        except OSError as error:
            raise KeptRunError(f"{path}: {error.strerror}") from None
        if state.product != PRODUCT:
            raise KeptRunError(f"{path}: of qiki-dtmp {state.product} (expected {PRODUCT})")
        if state.boot != boot_id():
            raise KeptRunError("the machine was started since")
        return state

    def _entries(self, number: int) -> Iterator[Entry]:
        path = self._journal(number)
        try:
            lines = path.read_bytes().splitlines(keepends=True) if path.exists() else []
            yield from (Entry.model_validate_json(line) for line in lines if line.endswith(b"\n"))
        except ValidationError as error:
            raise KeptRunError(f"{path}: {first_fault(error)}") from None
        except OSError as error:
            raise KeptRunError(f"{path}: {error.strerror}") from None

    def _numbers(self) -> set[int]:
        found = (_NAME.fullmatch(path.name) for path in self._folder.iterdir())
        return {int(match[1]) for match in found if match}

    def _state(self, number: int) -> Path:
        return self._folder / f"run-{number}.json"

    def _journal(self, number: int) -> Path:
        return self._folder / f"run-{number}.jsonl"


class Journal:
    """The orders and answers after a state, line by line; a line is in the file when `add` returns."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb", buffering=0)

    def add(self, entry: Entry) -> None:
        """Append an entry.

        Raises:
            OSError: the disk has no room for all of it.
        """
        line = entry.model_dump_json(exclude_none=True).encode() + b"\n"
        if self._file.write(line) != len(line):
            raise OSError("a line was cut short")

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def boot_id() -> str:
    """Return an id of the machine's present start; empty where the system tells none."""
    try:
        return _BOOT.read_text().strip()
    except OSError:
        return ""
