"""A run on disk, for a simulator that is killed: its state, what came after it, and the tick that was reached.

`run.json` has the state, and is replaced as a whole. The state's number names the journal of orders and answers after
it, `run-NUMBER.jsonl`. `run.mark` has the tick that was reached, and how often a simulator has gone on from this state.
All of it outlives the process, not the machine: after a power failure the journal may lack what was acted on, so a
state that another boot of the machine wrote is of no use.
"""

import mmap
import struct
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from qiki.contracts.fields import first_fault
from qiki.contracts.sim import SimOrder, SimRun
from qiki.world.simulator import RunState

MOST_RESUMES = 3
"""Simulators that go on from one state; the next one begins another run, for this one may be what ends them."""
PRODUCT = version("qiki-dtmp")
_MARK = struct.Struct("<QQ")
_BOOT = Path("/proc/sys/kernel/random/boot_id")


class KeptAnswer(BaseModel):
    """The answer that a command got, or for a step that is not done, the tick up to which it goes."""

    model_config = ConfigDict(frozen=True, ser_json_bytes="base64", val_json_bytes="base64")

    message_id: str
    digest: bytes = b""
    body: bytes = b""
    headers: dict[str, str] = {}
    goal: int | None = None


class Entry(BaseModel):
    """A line of the journal: an order, with the tick at which it was given, or an answer."""

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
    number: int = 0
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
        self._folder, self._state = folder, folder / "run.json"
        folder.mkdir(parents=True, exist_ok=True)
        mark = folder / "run.mark"
        if not mark.exists() or mark.stat().st_size != _MARK.size:
            mark.write_bytes(_MARK.pack(0, 0))
        with mark.open("r+b") as file:
            self._mark = mmap.mmap(file.fileno(), _MARK.size)

    @property
    def mark(self) -> tuple[int, int]:
        """The tick that is reached, and how often a simulator has gone on from the state."""
        tick, resumes = _MARK.unpack(self._mark)
        return tick, resumes

    def set_mark(self, tick: int, resumes: int) -> None:
        """Note both; they are there when the process is killed right afterwards."""
        _MARK.pack_into(self._mark, 0, tick, resumes)

    def read(self) -> tuple[KeptState, list[Entry]]:
        """Return the state, and the journal behind it.

        Raises:
            KeptRunError: there is none, or none that this version reads.
        """
        try:
            state = KeptState.model_validate_json(self._state.read_bytes())
            lines = self._journal(state.number).read_bytes().splitlines(keepends=True)
            entries = [Entry.model_validate_json(line) for line in lines if line.endswith(b"\n")]
        except FileNotFoundError:
            raise KeptRunError("") from None
        except ValidationError as error:
            raise KeptRunError(f"{self._state}: {first_fault(error)}") from None
        except OSError as error:
            raise KeptRunError(f"{self._state}: {error.strerror}") from None
        if state.product != PRODUCT:
            raise KeptRunError(f"{self._state}: of qiki-dtmp {state.product} (expected {PRODUCT})")
        if state.boot != boot_id():
            raise KeptRunError("the machine was started since")
        return state, entries

    def write(self, state: KeptState, tick: int) -> "Journal":
        """Replace the state, and begin its journal; `tick` is the one that is reached."""
        part = self._state.with_suffix(".part")
        part.write_bytes(state.model_dump_json().encode())
        journal = Journal(self._journal(state.number))
        try:
            part.replace(self._state)
        except OSError:
            journal.close()
            raise
        self.set_mark(tick, 0)
        self._journal(state.number - 1).unlink(missing_ok=True)
        return journal

    def forget(self) -> None:
        """Remove the state: nobody goes on with the run."""
        with suppress(FileNotFoundError):
            self._state.unlink()
        for journal in self._folder.glob("run-*.jsonl"):
            journal.unlink()

    def _journal(self, number: int) -> Path:
        return self._folder / f"run-{number}.jsonl"


class Journal:
    """What came after a state, line by line; a line is in the file when `add` returns."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb", buffering=0)

    def add(self, entry: Entry) -> None:
        """Append an entry."""
        self._file.write(entry.model_dump_json(exclude_none=True).encode() + b"\n")

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def boot_id() -> str:
    """Return an id of the machine's present start; empty where there is none."""
    try:
        return _BOOT.read_text().strip()
    except OSError:
        return ""
