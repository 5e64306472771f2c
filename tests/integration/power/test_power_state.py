"""The simulator's and the bridge's folders lose their power: a file that is replaced is the old or the new one."""

import json
import threading
from collections.abc import Callable
from pathlib import Path
from random import Random
from uuid import UUID

import pytest

from faststream_bridge.snapshot import Snapshot, SnapshotFile
from q_sim_service.runs import RunCounter, run_ids
from qiki.errors import UserError
from qiki.files import write_atomically
from qiki_harness.power import Drive, Names

GIVEN = UUID("5ca1ab1e-0000-4000-8000-000000000003")
Mount = Callable[..., Drive]


def until_the_power_fails(disk: Drive, chance: Random, work: Callable[[], None]) -> None:
    """Do something again and again, until the power fails at a random moment."""

    def go_on() -> None:
        try:
            while True:
                work()
        except (OSError, UserError):
            return

    worker = threading.Thread(target=go_on)
    worker.start()
    worker.join(chance.uniform(0, 0.05))
    disk.cut(chance.randrange(2**32))
    worker.join()
    disk.restore()


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("names", Names)
def test_a_replaced_file_is_the_old_or_the_new_one(
    drive: Mount, names: Names, cuts: int, chance: Random, figure: Callable[[str], None]
):
    disk = drive(names=names)
    path, written = disk.folder / "state.json", [0]

    def replace() -> None:
        number = written[-1] + 1
        write_atomically(path, json.dumps([number] * chance.choice((1, 5000))).encode())
        written.append(number)

    replace()
    for _ in range(cuts):
        until_the_power_fails(disk, chance, replace)
        numbers = json.loads(path.read_bytes())
        assert set(numbers) in ({written[-1]}, {written[-1] + 1})
        written.append(numbers[0])
    figure(f"state files, {names} names: {written[-1]} times replaced, never torn, never an older one")


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("names", Names)
def test_no_run_id_is_given_twice(drive: Mount, names: Names, cuts: int, chance: Random):
    disk = drive(names=names)
    used: list[UUID] = []
    for _ in range(cuts):
        ids = run_ids(GIVEN, RunCounter(disk.folder / "data" / "sim"))
        until_the_power_fails(disk, chance, lambda: used.append(next(ids)))  # noqa: B023
        assert len(set(used)) == len(used)


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("names", Names)
def test_the_trackers_snapshot_is_the_last_one_or_the_one_before(drive: Mount, names: Names, cuts: int, chance: Random):
    disk = drive(names=names)
    folder: Path = disk.folder / "data" / "bridge"
    sequence = 0

    def write() -> None:
        nonlocal sequence
        files.write(Snapshot("now", sequence + 1, None, [{"text": "x" * 20_000}]).to_bytes())
        if files._fails:
            raise OSError("no power")
        sequence += 1

    for _ in range(cuts):
        files = SnapshotFile(folder)
        until_the_power_fails(disk, chance, write)
        snapshot = SnapshotFile(folder).read("now", 10**9)
        assert (snapshot.sequence if snapshot else 0) in {sequence, sequence + 1}
        sequence = snapshot.sequence if snapshot else 0
