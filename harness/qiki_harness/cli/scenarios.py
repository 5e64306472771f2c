"""`qiki scenario`: list, check and draw scenarios, and show the range of their radars."""

from typing import TYPE_CHECKING, Annotated

import typer

from qiki.runtime.terminal import echo
from qiki_harness.cli.output import table

if TYPE_CHECKING:
    from qiki.world.scenario import Scenario

app = typer.Typer(help="List, check and draw scenarios, the worlds of the simulator.")

Named = Annotated[str, typer.Argument(metavar="NAME|FILE", help="A scenario of the project, or a file.")]


@app.command("list")
def list_scenarios() -> None:
    """List the scenarios of the project."""
    from qiki.world.scenario import load_scenario, scenario_names  # noqa: PLC0415  # numpy and pydantic

    worlds = [load_scenario(name) for name in scenario_names()]
    echo(*table(("SCENARIO", "CONTACTS", "WHAT"), [(w.name, str(_contacts(w)), w.description) for w in worlds]))


@app.command()
def check(scenario: Named) -> None:
    """Check a scenario: say what is wrong, or what is in it."""
    from qiki.world.scenario import load_scenario  # noqa: PLC0415

    world = load_scenario(scenario)
    echo(f"{world.name} is valid: {_contacts(world)} contacts, {world.frame_rate_hz:g} frames/s, seed {world.seed}.")


@app.command()
def radar(scenario: Named) -> None:
    """Show how far a scenario's radar detects each object type, with a probability of 50 % and 90 %."""
    from qiki.radar.detection import detection_range_m  # noqa: PLC0415
    from qiki.world.scenario import TYPICAL_RCS_M2, load_scenario  # noqa: PLC0415

    sensor = load_scenario(scenario).radar
    cell = f"{sensor.range_resolution_m:.4g} m, {sensor.beam_width_deg:g}°, {sensor.speed_resolution_mps:.3g} m/s"
    echo(f"A cell: {cell}. Range: {sensor.min_range_m:.4g} to {sensor.max_range_m:g} m.")
    echo(f"False alarms: {sensor.false_alarms_per_look:.2g} a frame. Echoes: Swerling {sensor.swerling}.", "")
    rows = [
        (kind.name, f"{rcs_m2:g} m²", *(f"{detection_range_m(sensor, rcs_m2, p):.0f} m" for p in (0.5, 0.9)))
        for kind, rcs_m2 in TYPICAL_RCS_M2.items()
    ]
    echo(*table(("WHAT", "CROSS-SECTION", "50 %", "90 %"), rows))


@app.command()
def draw(
    task: Annotated[str, typer.Argument(metavar="TASK", help="avoid, rendezvous or inspect.")],
    seed: Annotated[int, typer.Option(min=0, help="Of the world.")] = 0,
    difficulty: Annotated[float, typer.Option(min=0, max=1)] = 0.5,
) -> None:
    """Print the world that a task draws from a seed, as a scenario file."""
    import yaml  # noqa: PLC0415

    from qiki.tasks import find_task  # noqa: PLC0415

    world = find_task(task).world(seed, difficulty)
    content = world.model_dump(mode="json", exclude_unset=True)
    echo(*yaml.safe_dump(content, sort_keys=False, default_flow_style=None, width=120).splitlines())


def _contacts(world: "Scenario") -> int:
    return len(world.contacts) + sum(swarm.count for swarm in world.swarms)
