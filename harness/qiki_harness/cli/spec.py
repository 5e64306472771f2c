"""`qiki spec`: check and show the bot's specification, and generate its configuration."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from qiki.runtime.terminal import echo, echo_json
from qiki_harness.cli.output import table
from qiki_harness.errors import HarnessError

if TYPE_CHECKING:
    from qiki.botspec import BotSpec

app = typer.Typer(help="Check and show the bot's specification, and generate its configuration.")

SpecFile = Annotated[
    Path | None, typer.Argument(metavar="FILE", envvar="QIKI_BOT_SPEC", help="A BotSpec; default: the platform's own.")
]


@app.command()
def check(file: SpecFile = None) -> None:
    """Check a specification: say what is wrong, or what is in it."""
    from qiki.botspec import generate, load_spec, profile_hash  # noqa: PLC0415  # pydantic and yaml

    spec = load_spec(file)
    count = f"{len(spec.components.fitted)} components, {len(spec.event_bus.channels)} channels"
    echo(f"{spec.metadata.id} is valid: {count}, {profile_hash(generate(spec))}.")


@app.command()
def generate(
    file: SpecFile = None, out: Annotated[Path | None, typer.Option(help="Write into this file, not to stdout.")] = None
) -> None:
    """Generate the bot's configuration as JSON, as the simulator and the agent use it."""
    from qiki import botspec  # noqa: PLC0415

    text = botspec.generate(botspec.load_spec(file)).model_dump_json(indent=2)
    if out is None:
        echo_json(text)
        return
    try:
        out.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise HarnessError(f"{out}: cannot be written: {error.strerror}") from None
    echo(f"Wrote {out}.")


@app.command()
def show(file: SpecFile = None) -> None:
    """Show the components, what they provide and consume, and the channels."""
    from qiki.botspec import generate, load_spec, profile_hash  # noqa: PLC0415

    spec = load_spec(file)
    echo(f"{spec.metadata.id} {profile_hash(generate(spec))}", "")
    echo(*table(("COMPONENT", "TYPE", "NUMBERS", "PROVIDES", "CONSUMES"), _rows(spec)), "")
    echo(f"Channels: {', '.join(spec.event_bus.channels)}")


def _rows(spec: "BotSpec") -> Iterator[tuple[str, ...]]:
    for name, component in spec.components.fitted.items():
        numbers = sum(1 for _ in _numbers(component.parameters.model_dump(mode="json")))
        signals = (", ".join(names) or "-" for names in (component.provides, component.consumes))
        yield name, component.type, str(numbers or "-"), *signals


def _numbers(value: Any) -> Iterator[float]:
    """Yield every number in a plane's parameters, at any depth."""
    if isinstance(value, float):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _numbers(inner)
