"""The commands of scripts/lock.

python -m qiki_harness.locks wheels FOLDER PYLOCK     write wheels.json into the folder of the locks
python -m qiki_harness.locks changes BEFORE AFTER     print how two folders of locks differ
"""

import sys
import tomllib
from pathlib import Path

from packaging.pylock import Pylock

from qiki.runtime.terminal import echo
from qiki_harness.errors import LockError
from qiki_harness.locks.pins import changes, read_locks
from qiki_harness.locks.wheels import choose_wheels, wheels_text

WHEELS = "wheels.json"
CHOSEN = ("build", "dev", "runtime")
"""The locks that environments are installed from."""


def write_wheels(folder: Path, listed: Path) -> None:
    """Choose the wheels from the files that a pylock lists."""
    locks = read_locks(folder)
    wheels = choose_wheels({name: locks[name] for name in CHOSEN}, Pylock.from_dict(tomllib.loads(listed.read_text())))
    (folder / WHEELS).write_text(wheels_text(wheels))


def say_changes(before: Path, after: Path) -> None:
    """Print the changes, a line each."""
    lines = list(changes(read_locks(before), read_locks(after)))
    old, new = ((folder / WHEELS).read_text() if (folder / WHEELS).exists() else "" for folder in (before, after))
    if not lines and old != new:
        lines = [f"{WHEELS}: other files of the same versions"]
    echo(*(lines or ["lock: nothing changed"]))


if __name__ == "__main__":
    do = {"wheels": write_wheels, "changes": say_changes}[sys.argv[1]]
    try:
        do(*map(Path, sys.argv[2:]))
    except LockError as error:
        sys.exit(f"lock: {error}")
