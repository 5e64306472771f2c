"""Coverage-guided fuzzing by atheris: `python tests/fuzz [TARGET ...] [--seconds N | --runs N] [--keep FOLDER]`.

Inputs that reach something new are kept beside the corpus in the folder; what breaks a target is printed, and kept as
a case of `tests/fuzz/cases`, which the unit tests run from then on.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
LONGEST_BYTES = 4096


def main() -> int:
    """Fuzz each target in a process of its own, as it may end or hang; return 1 if one broke."""
    parser = argparse.ArgumentParser(prog="fuzz", description="Fuzz each boundary.")
    parser.add_argument("targets", nargs="*")
    parser.add_argument("--seconds", type=int, default=10, help="for each target")
    parser.add_argument("--runs", type=int, default=0, help="instead of seconds: inputs for each target")
    parser.add_argument("--keep", type=Path, help="a folder for the inputs that reached something new")
    arguments = parser.parse_args()
    sys.path.insert(0, str(HERE))
    from targets import TARGETS  # noqa: PLC0415 - not instrumented here

    unknown = [name for name in arguments.targets if name not in TARGETS]
    if unknown:
        print(f"fuzz: no target {unknown[0]}: there are {', '.join(TARGETS)}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as scratch:
        folder = arguments.keep or Path(scratch)
        broken = [name for name in arguments.targets or TARGETS if not fuzz(name, arguments, folder / name)]
    print(f"broken: {', '.join(broken)}" if broken else "nothing broke")
    return 1 if broken else 0


def fuzz(name: str, arguments: argparse.Namespace, found: Path) -> bool:
    """Fuzz one target; return whether it held."""
    corpus, cases = HERE / "corpus" / name, HERE / "cases" / name
    for folder in (found, corpus):
        folder.mkdir(parents=True, exist_ok=True)
    limit = f"-runs={arguments.runs}" if arguments.runs else f"-max_total_time={arguments.seconds}"
    began_s = time.monotonic()
    with tempfile.TemporaryDirectory() as crashes:
        options = [
            limit,
            f"-max_len={LONGEST_BYTES}",
            f"-artifact_prefix={crashes}/",
            "-print_final_stats=1",
            "-timeout=20",
        ]
        command = [sys.executable, str(HERE / "instrumented.py"), name, *options, str(found), str(corpus)]
        run = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
        words = run.stderr.splitlines()
        count = next((line.split()[-1] for line in words if "number_of_executed_units" in line), "?")
        held = run.returncode == 0
        print(
            f"{name:12} {count:>9} inputs, {time.monotonic() - began_s:4.0f} s: {'held' if held else 'BROKE'}",
            flush=True,
        )
        if not held:
            cases.mkdir(parents=True, exist_ok=True)
            for crash in Path(crashes).iterdir():
                shutil.copy(crash, cases / crash.name)
            print("\n".join([*run.stdout.splitlines()[-15:], *words[-25:]]))
    return held


if __name__ == "__main__":
    sys.exit(main())
