"""`qiki scenario`: list and check the worlds that the simulator plays."""

from typing import TYPE_CHECKING, Annotated

import typer

from qiki_harness.cli.output import table

if TYPE_CHECKING:
    from q_sim_service.scenario import Scenario

app = typer.Typer(help="List and check scenarios: the worlds that the simulator plays.")


@app.command("list")
def list_scenarios() -> None:
    """Show the scenarios that come with the project."""
    from q_sim_service.scenario import load_scenario, scenario_names  # noqa: PLC0415  # numpy and pydantic

    worlds = [load_scenario(name) for name in scenario_names()]
    print(table(("SCENARIO", "CONTACTS", "WHAT"), [(w.name, str(_contacts(w)), w.description) for w in worlds]))


@app.command()
def check(
    scenario: Annotated[str, typer.Argument(metavar="NAME|FILE", help="One that comes with the project, or a file.")],
) -> None:
    """Read a scenario and say what is wrong with it, or what is in it."""
    from q_sim_service.scenario import load_scenario  # noqa: PLC0415

    world = load_scenario(scenario)
    print(f"{world.name} is right: {_contacts(world)} contacts, {world.frame_rate_hz:g} frames/s, seed {world.seed}.")


def _contacts(world: "Scenario") -> int:
    return len(world.contacts) + sum(swarm.count for swarm in world.swarms)
