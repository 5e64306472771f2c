"""The declared durability of the streams, held against a running broker and the folders that keep what is promised."""

import json
import shutil
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from qiki.contracts.topics import STREAMS, Durability, Stream
from qiki_harness.errors import HarnessError
from qiki_harness.http import open_url

_ANSWER_S = 5.0
_LOCAL = {"127.0.0.1", "localhost", "::1"}
_VOLATILE = {"tmpfs", "ramfs"}
_KEEP_NAMES = {"ext4", "xfs", "btrfs"}
"""File systems on which the sync of a new file keeps its name too, as the broker relies on."""
_WATCHER = b"services/nats/server.py"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: a stream, the broker or a folder, what was seen of it, what does not hold, and what cannot be seen."""

    name: str
    declared: str
    seen: str
    broken: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """All findings about one broker."""

    broker: str
    findings: tuple[Finding, ...]

    @property
    def holds(self) -> bool:
        """True if nothing was found that breaks what is declared."""
        return not any(finding.broken for finding in self.findings)

    def to_json(self) -> str:
        """Return it as one JSON object."""
        findings = [asdict(finding) for finding in self.findings]
        return json.dumps({"broker": self.broker, "holds": self.holds, "findings": findings}, indent=1)


@dataclass(frozen=True, slots=True)
class Place:
    """A folder: its file system, and the space that is free; None: cannot be seen from here."""

    folder: str
    file_system: str | None = None
    free_bytes: int | None = None

    @classmethod
    def of(cls, folder: Path) -> "Place":
        """Look at a folder of this machine."""
        try:
            return cls(str(folder), _file_system(folder.resolve()), shutil.disk_usage(folder).free)
        except OSError:
            return cls(str(folder))

    def __str__(self) -> str:
        free = "" if self.free_bytes is None else f", {self.free_bytes / 2**30:.1f} GiB free"
        return f"{self.folder}{f' on {self.file_system}' if self.file_system else ''}{free}"

    @property
    def broken(self) -> tuple[str, ...]:
        """Reasons why nothing in it survives a power failure."""
        return (f"{self.file_system} is gone after a power failure",) if self.file_system in _VOLATILE else ()

    @property
    def unseen(self) -> tuple[str, ...]:
        """Facts about it that cannot be seen."""
        if self.file_system is None:
            return ("its file system: it is not on this machine, or in a container",)
        if self.file_system in _KEEP_NAMES | _VOLATILE:
            return ()
        return (f"whether {self.file_system} keeps the name of a new file that is synced: else the last second may go",)


def _file_system(folder: Path) -> str | None:
    """Return the type of the file system of a folder; None where the system does not say."""
    try:
        lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    mounts = [(Path(line.split()[4].replace("\\040", " ")), line.partition(" - ")[2].split()[0]) for line in lines]
    return max(
        ((len(point.parts), at, kind) for at, (point, kind) in enumerate(mounts) if folder.is_relative_to(point)),
        default=(0, 0, None),
    )[2]


@dataclass(frozen=True, slots=True)
class Broker:
    """Settings and streams of a broker, from its monitoring and its machine; `watched` None: unknown."""

    sync_always: bool
    sync_s: float
    store: Place
    reserved_bytes: int
    streams: Mapping[str, Mapping[str, Any]]
    watched: bool | None = None

    @classmethod
    def ask(cls, url: str, pid: int | None = None) -> "Broker":
        """Ask its monitoring; `pid` is its process where that is one of this machine's."""
        try:
            with open_url(f"{url.rstrip('/')}/jsz?accounts=true&streams=true&config=true", timeout=_ANSWER_S) as answer:
                page = json.loads(answer.read())
            settings = page["config"]
            streams = {one["name"]: one for account in page["account_details"] for one in account["stream_detail"]}
        except (OSError, ValueError):
            raise HarnessError(f"no NATS server with monitoring answers at {url}: NATS_HTTP names it") from None
        except (KeyError, TypeError):
            raise HarnessError(f"{url}: the server has no JetStream") from None
        folder = Path(settings["store_dir"])
        near = urlsplit(url).hostname in _LOCAL and folder.exists()
        return cls(
            bool(settings.get("sync_always")),
            settings.get("sync_interval", 0) / 1e9,
            Place.of(folder) if near else Place(str(folder)),
            page["reserved_storage"] - page["storage"],
            streams,
            None if pid is None else _is_watched(pid),
        )

    @property
    def worst_s(self) -> float | None:
        """Time before a power failure of which an unsynced stream loses all; None: cannot be seen."""
        return 1.0 if self.watched else None if self.watched is None else self.sync_s

    def finding(self) -> Finding:
        """Return the line about the server itself."""
        sync = "syncs always" if self.sync_always else f"syncs every {self.sync_s:g} s"
        watched = {True: ", with its watcher", False: ", without its watcher", None: ""}[self.watched]
        broken, unseen = list(self.store.broken), list(self.store.unseen)
        if self.store.free_bytes is not None and self.store.free_bytes < self.reserved_bytes:
            broken.append(f"the streams may still grow by {self.reserved_bytes / 2**30:.1f} GiB")
        if self.watched is None:
            unseen.append("its watcher, which syncs async streams within a second")
        return Finding("broker", "", f"{sync}{watched}; {self.store}", tuple(broken), tuple(unseen))


def _is_watched(pid: int) -> bool | None:
    """Return whether a server has its watcher; None where the system does not say."""
    if sys.platform != "linux":
        return None
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return any(_WATCHER in Path(f"/proc/{child}/cmdline").read_bytes() for child in children)
    except OSError:
        return None


def judge(broker: Broker, stream: Stream) -> Finding:
    """Hold one stream's declaration against the broker."""
    found = broker.streams.get(stream.name)
    if found is None:
        return Finding(stream.name, stream.durability.name, "", ("the stream is not there",))
    config = found["config"]
    mode, storage = config.get("persist_mode", "default"), config["storage"]
    broken = []
    if storage != "file":
        broken.append(f"kept in {storage}: a killed broker takes all")
    if stream.durability is Durability.POWER and mode != "default":
        broken.append(f"persist_mode {mode}: acknowledged before it is written; `python -m nats_js_init --migrate`")
    synced = mode == "default" and broker.sync_always
    if not synced and stream.durability is Durability.POWER and mode == "default":
        broken.append(f"not synced: a power failure takes the last {broker.sync_s:g} s")
    if not synced and stream.durability is Durability.PROCESS and (broker.worst_s or 0.0) > 1.0:
        broken.append(f"a power failure takes the last {broker.worst_s:g} s")
    if broker.store.broken:
        broken.append("a power failure takes all")
    replicas = config["num_replicas"]
    seen = f"{storage}, persist_mode {mode}, {replicas} replica{'s' if replicas > 1 else ''}"
    return Finding(stream.name, stream.durability.name, seen, tuple(broken))


def report(url: str, pid: int | None = None, folders: Mapping[str, Path] | None = None) -> Report:
    """Ask a broker, and look at the folders of the services beside it."""
    broker = Broker.ask(url, pid)
    findings = [judge(broker, stream) for stream in STREAMS]
    for name, folder in (folders or {}).items():
        place = Place.of(folder)
        findings.append(Finding(name, "POWER", str(place), place.broken, place.unseen))
    return Report(url, (broker.finding(), *findings))
