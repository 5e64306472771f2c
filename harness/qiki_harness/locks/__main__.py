"""What scripts/lock does beside resolving: `python -m qiki_harness.locks wheels FOLDER PYLOCK`."""

import sys
import tomllib
from pathlib import Path

from packaging.pylock import Pylock

from qiki_harness.errors import LockError
from qiki_harness.locks.pins import read_pins
from qiki_harness.locks.wheels import choose_wheels, wheels_text


def write_wheels(folder: Path, listed: Path) -> None:
    """Write wheels.json into the folder of the locks, from the files that a pylock lists."""
    locks = {path.stem: read_pins(path.read_text()) for path in folder.glob("*.txt")}
    wheels = choose_wheels(locks, Pylock.from_dict(tomllib.loads(listed.read_text())))
    (folder / "wheels.json").write_text(wheels_text(wheels))


if __name__ == "__main__":
    try:
        write_wheels(*map(Path, sys.argv[2:]))
    except LockError as error:
        sys.exit(f"lock: {error}")
