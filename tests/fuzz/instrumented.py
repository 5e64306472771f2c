"""One target under atheris; the imports are instrumented: `python instrumented.py TARGET [libFuzzer's options]`."""

import logging
import sys
from pathlib import Path

import atheris

OURS = ["qiki", "qiki_harness.recording", "faststream_bridge", "q_sim_service", "registrar"]

with atheris.instrument_imports(include=[*OURS, "mcap", "nats.protocol", "yaml"]):
    sys.path.insert(0, str(Path(__file__).parent))
    import structlog
    import targets


def main() -> None:
    """Fuzz until the options' limit."""
    target = targets.TARGETS[sys.argv.pop(1)]
    logging.disable()
    structlog.configure(processors=[_dropped])
    atheris.Setup([*sys.argv, *seeds(target)], target.holds)
    atheris.Fuzz()


def _dropped(*_: object) -> None:
    raise structlog.DropEvent


def seeds(target: targets.Target) -> list[str]:
    """Write a target's seeds into a folder of the corpus."""
    folder = targets.FOLDER / "seeds"
    folder.mkdir()
    for number, seed in enumerate(target.seeds):
        (folder / str(number)).write_bytes(seed)
    return [str(folder)]


if __name__ == "__main__":
    main()
