"""Put a run into the folder of a simulator that is not started yet: it goes on with it as with a killed one's."""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from q_sim_service.kept_run import Entry, KeptRunError, KeptState, RunFiles, boot_id
from qiki.contracts.sim import SimOrder
from qiki.world.inputs import describe
from qiki.world.simulator import RunState
from qiki.world.world import SimWorld
from qiki_harness.errors import RecordingError


def plant(
    world: SimWorld, orders: Iterable[SimOrder], folder: Path, *, reached: int = 0, speed: float, state: RunState
) -> None:
    """Write the files of a run.

    Args:
        world: at its begin
        orders: with their ticks; those behind `reached` wait for theirs
        folder: QIKI_STATE_DIR of the simulator
        reached: tick up to which it computes the run before it serves
        state: of the simulation from there on

    Raises:
        RecordingError: the folder cannot be written.
    """
    kept = KeptState(
        boot=boot_id(),
        number=1,
        run=describe(world, speed),
        settings=None,
        state=state,
        speed=speed,
        default_speed=speed,
        world=world.save_state(),
    )
    try:
        files = RunFiles(folder)
        files.forget()
        files.set_mark(kept.number, reached, 0)
        files.write(kept, tuple(Entry(order=order) for order in orders)).close()
    except OSError as error:
        raise RecordingError(f"{folder}: {error.strerror}") from None


def unplant(folder: Path) -> None:
    """Remove a run that was put there, and that no simulator has taken up."""
    if not any(folder.glob("run-*.json")):
        return
    files = RunFiles(folder)
    with suppress(KeptRunError):
        if files.read()[0].settings is None:
            files.forget()
