"""The commands of `qiki`. A command imports what is slow to import only when it runs."""

from importlib.metadata import version
from typing import Annotated

import typer

from qiki_harness.cli import doctor, events, manifest, scenarios, score, spec, stacks, up, watch

app = typer.Typer(
    invoke_without_command=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"qiki {version('qiki-dtmp')}")
        raise typer.Exit


@app.callback()
def qiki(
    context: typer.Context,
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Run, watch and check QIKI DTMP, the digital twin of a small space vehicle."""
    if context.invoked_subcommand is None:
        print(context.get_help())


app.command()(up.up)
app.command()(stacks.ps)
app.command()(stacks.logs)
app.command()(stacks.restart)
app.command()(stacks.down)
app.command()(watch.watch)
app.command()(score.score)
app.command()(doctor.doctor)
app.add_typer(scenarios.app, name="scenario")
app.add_typer(events.app, name="events")
app.add_typer(spec.app, name="spec")
app.add_typer(manifest.app, name="manifest")
