"""The results of a sweep: one SQLite file, a row a run, written when it was flown."""

import fcntl
import hashlib
import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self

from qiki.tasks.criteria import Criteria
from qiki.tasks.criteria_judge import Verdict
from qiki_harness.errors import HarnessError
from qiki_harness.sweeps.plan import Sweep, SweepSpec
from qiki_harness.sweeps.work import Result, Run

FORMAT = "qiki sweep 1"
PRODUCT = version("qiki-dtmp")
_FIGURES = (
    *("outcome", "success", "steps", "score", "closest_m", "closest_s", "propellant_kg", "alarmed_steps"),
    *("held_steps", "safe_steps", "frame_s", "error", "digest", "wall_s"),
)
_JSON = ("verdicts", "faults")
_RUN = ("place", "task", "world", "seed", "engine", "settings")
_COLUMNS = ("key", *_RUN, *_FIGURES, *_JSON)
_SCHEMA = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE runs (
    key TEXT PRIMARY KEY, place INTEGER NOT NULL, task TEXT NOT NULL, world TEXT NOT NULL, seed INTEGER NOT NULL,
    engine TEXT NOT NULL, settings TEXT NOT NULL, outcome TEXT NOT NULL, success INTEGER NOT NULL,
    steps INTEGER NOT NULL, score REAL NOT NULL, closest_m REAL, closest_s REAL NOT NULL, propellant_kg REAL NOT NULL,
    alarmed_steps INTEGER NOT NULL, held_steps INTEGER NOT NULL, safe_steps INTEGER NOT NULL, frame_s REAL NOT NULL,
    error TEXT NOT NULL, digest TEXT, wall_s REAL NOT NULL, verdicts TEXT NOT NULL, faults TEXT NOT NULL, bundle TEXT
);
"""


@dataclass(frozen=True)
class Row:
    """A flown run of a file.

    Attributes:
        place: of the run in the sweep, from 0
        settings: names and values of parameters
        bundle: name of the bundle beside the file; None where there is none
    """

    place: int
    task: str
    world: str
    seed: int
    engine: str
    settings: dict[str, Any]
    result: Result
    bundle: str | None

    @property
    def group(self) -> tuple[str, str, str]:
        """World, parameters and engine: all but the seed."""
        return self.world, ", ".join(f"{name}={value}" for name, value in self.settings.items()), self.engine


class Results:
    """The file of a sweep's results. One process at a time may add to it."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path, self._connection = path, connection

    @classmethod
    @contextmanager
    def of_sweep(cls, path: Path, sweep: Sweep) -> Iterator[Self]:
        """Open the file of a sweep to go on, or begin it.

        Raises:
            HarnessError: it is another sweep's or another version's, no such file, or another process adds to it.
        """
        with _alone(path), _opened(path, write=True) as connection:
            results = cls(path, connection)
            if connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,):
                results._begin(sweep)
            results._check(sweep)
            connection.execute("PRAGMA journal_mode = WAL")
            yield results
            with suppress(sqlite3.OperationalError):  # somebody reads it now
                connection.execute("PRAGMA journal_mode = DELETE")  # all of it is in one file

    @classmethod
    @contextmanager
    def read(cls, path: Path) -> Iterator[Self]:
        """Open a file to read it.

        Raises:
            HarnessError: it is none.
        """
        if not path.is_file():
            raise HarnessError(f"{path}: there is no such file")
        with _opened(path, write=False) as connection:
            results = cls(path, connection)
            results._check_format()
            yield results

    @property
    def spec(self) -> SweepSpec:
        """The sweep's specification."""
        return SweepSpec.model_validate_json(self._meta("spec"))

    @property
    def criteria(self) -> Criteria:
        """The criteria by which the runs were judged."""
        return Criteria.model_validate_json(self._meta("criteria"))

    @property
    def hash(self) -> str:
        """Identity of the sweep."""
        return self._meta("sweep")

    @property
    def total(self) -> int:
        """Number of runs of the whole sweep."""
        return int(self._meta("runs"))

    @property
    def keys(self) -> set[str]:
        """Keys of the runs that are flown."""
        return {key for (key,) in self._connection.execute("SELECT key FROM runs")}

    def add(self, place: int, run: Run, result: Result) -> None:
        """Keep a result for good."""
        values = asdict(result)
        values |= {name: json.dumps(values[name]) for name in _JSON}
        values |= {"place": place, "task": run.task, "world": run.world, "seed": run.seed, "engine": run.source.label}
        values["settings"] = json.dumps(dict(run.settings))
        marks = ", ".join("?" * len(_COLUMNS))
        with self._connection:
            command = f"INSERT INTO runs ({', '.join(_COLUMNS)}) VALUES ({marks})"  # noqa: S608  # its own names
            self._connection.execute(command, [values[name] for name in _COLUMNS])

    def add_bundle(self, key: str, name: str) -> None:
        """Keep the name of a run's bundle."""
        with self._connection:
            self._connection.execute("UPDATE runs SET bundle = ? WHERE key = ?", (name, key))

    def rows(self) -> list[Row]:
        """Return the flown runs, in the order of the sweep."""
        query = f"SELECT bundle, {', '.join(_COLUMNS)} FROM runs ORDER BY place"  # noqa: S608  # its own names
        return [_row(dict(zip(("bundle", *_COLUMNS), values, strict=True))) for values in self._execute(query)]

    def row(self, beginning: str) -> Row:
        """Return the run whose key begins so; HarnessError if none or several do."""
        found = [row for row in self.rows() if row.result.key.startswith(beginning)]
        if len(found) != 1:
            raise HarnessError(f"{self.path}: {len(found) or 'no'} runs have a key that begins with {beginning!r}")
        return found[0]

    def digest(self) -> str:
        """Return SHA-256 of all keys and digests: the same for the same results, in whatever order they came."""
        lines = [f"{row.result.key} {row.result.digest or row.result.error}\n" for row in self.rows()]
        return hashlib.sha256("".join(lines).encode()).hexdigest()

    def _begin(self, sweep: Sweep) -> None:
        meta = {"format": FORMAT, "product": PRODUCT, "sweep": sweep.hash, "runs": str(len(sweep.runs))}
        meta |= {"spec": sweep.spec.model_dump_json(), "criteria": sweep.criteria.model_dump_json()}
        with self._connection:
            self._connection.executescript(f"BEGIN; {_SCHEMA}")
            self._connection.executemany("INSERT INTO meta VALUES (?, ?)", meta.items())

    def _check(self, sweep: Sweep) -> None:
        self._check_format()
        if (product := self._meta("product")) != PRODUCT:
            raise HarnessError(f"{self.path}: flown by qiki-dtmp {product} (this is {PRODUCT}): name another file")
        if self.hash != sweep.hash:
            raise HarnessError(f"{self.path}: holds another sweep, {_described(self.spec)}: name another file")

    def _check_format(self) -> None:
        try:
            found = self._meta("format")
        except (sqlite3.Error, HarnessError):
            found = ""
        if found != FORMAT:
            raise HarnessError(f"{self.path}: not the results of a sweep (expected {FORMAT!r}, found {found!r})")

    def _meta(self, name: str) -> str:
        for (value,) in self._execute("SELECT value FROM meta WHERE name = ?", name):
            return str(value)
        raise HarnessError(f"{self.path}: not the results of a sweep")

    def _execute(self, query: str, *values: str) -> sqlite3.Cursor:
        return self._connection.execute(query, values)


def _row(values: dict[str, Any]) -> Row:
    figures: dict[str, Any] = {name: values[name] for name in ("key", *_FIGURES)}
    verdicts = tuple(Verdict(**one) for one in json.loads(values["verdicts"]))
    result = Result(**figures, verdicts=verdicts, faults=json.loads(values["faults"]))
    result = replace(result, success=bool(result.success))
    run = {name: values[name] for name in _RUN if name != "settings"}
    return Row(**run, settings=json.loads(values["settings"]), result=result, bundle=values["bundle"])


def _described(spec: SweepSpec) -> str:
    worlds = ", ".join(spec.scenarios) or spec.task
    return f"{worlds}, {len(spec.seeds)} seeds, {', '.join(spec.engines)}"


@contextmanager
def _opened(path: Path, *, write: bool) -> Iterator[sqlite3.Connection]:
    address = f"{path.resolve().as_uri()}?mode={'rwc' if write else 'ro'}"
    try:
        connection = sqlite3.connect(address, uri=True)
    except sqlite3.Error as error:
        raise HarnessError(f"{path}: cannot be opened: {error}") from None
    try:
        yield connection
    except sqlite3.DatabaseError as error:
        raise HarnessError(f"{path}: {error}") from None
    finally:
        connection.close()


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold the right to add to a file; HarnessError if another process has it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise HarnessError(f"{path}: cannot be written: {error.strerror}") from None
    try:
        _lock(path, descriptor)
        yield
    finally:
        os.close(descriptor)


def _lock(path: Path, descriptor: int) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise HarnessError(f"{path}: another process flies this sweep") from None
