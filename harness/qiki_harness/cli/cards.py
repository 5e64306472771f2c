"""`qiki card`: make a score card of a sweep's results, and fly a sample of it again."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qiki.files import write_atomically
from qiki.runtime.terminal import echo
from qiki_harness.cli.sweeps import ResultsFile
from qiki_harness.errors import HarnessError

if TYPE_CHECKING:
    from qiki_harness.cards.card import Card

app = typer.Typer(help="Make and check score cards of sweeps.", no_args_is_help=True)
_DIFFERENT = 1
_SHORT = 12
CardFile = Annotated[Path, typer.Argument(metavar="CARD", help="A card's JSON.")]


@app.command()
def make(
    file: ResultsFile,
    beside: Annotated[
        str | None, typer.Option(metavar="ENGINE", help="Compare the others with this one; default: the first.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="CARD", help="Default: beside the results."),
    ] = None,
) -> None:
    """Make a score card: one JSON, and one page that a browser shows without a network."""
    from qiki_harness.cards.card import make as make_card  # noqa: PLC0415
    from qiki_harness.cards.page import page  # noqa: PLC0415
    from qiki_harness.sweeps.store import Results  # noqa: PLC0415

    with Results.read(file) as results:
        card = make_card(results, beside)
    path = output or file.with_name(f"{file.stem}.card.json")
    if path.suffix != ".json":
        raise HarnessError(f"{path}: a card's name ends in .json")
    shown = path.with_suffix(".html")
    _write(path, json.dumps(card, indent=1, ensure_ascii=False, allow_nan=False) + "\n")
    _write(shown, page(card))
    echo(*_lines(card), f"{path}, {shown}", f"next: qiki card verify {path}")


@app.command()
def verify(
    file: CardFile,
    sample: Annotated[int, typer.Option(min=1, help="Runs to fly again: the worst ones, others by chance.")] = 5,
    seed: Annotated[int, typer.Option(min=0, help="Of the choice.")] = 0,
    workers: Annotated[int | None, typer.Option(min=1, max=1024, help="Processes; default: the processors.")] = None,
) -> None:
    """Compute a card again from its runs, and fly a sample of these; status 1 if anything is another."""
    from qiki_harness.cards.again import fly_sample, follows  # noqa: PLC0415
    from qiki_harness.cards.card import read_card  # noqa: PLC0415
    from qiki_harness.sweeps.local import LocalCrew  # noqa: PLC0415

    card = read_card(file)
    if not follows(card):
        echo(f"{file}: its figures do not follow from its runs")
        raise typer.Exit(_DIFFERENT)
    flown = list(fly_sample(card, sample, seed, LocalCrew(workers or len(os.sched_getaffinity(0)))))
    for one in flown:
        if not one.same:
            echo(f"seed {one.seed}, run {one.key[:_SHORT]}: {one.then} then, {one.now} now")
    same = sum(one.same for one in flown)
    echo(
        f"{file}: its figures follow from its {len(card['rows'])} runs; {same} of {len(flown)} flown again are the same"
    )
    if same < len(flown):
        raise typer.Exit(_DIFFERENT)


def _write(path: Path, text: str) -> None:
    try:
        write_atomically(path, text.encode())
    except OSError as error:
        raise HarnessError(f"{path}: cannot be written: {error.strerror}") from None


def _lines(card: "Card") -> list[str]:
    lines = []
    for group in card["groups"]:
        lines.append(f"{', '.join(filter(None, (group['world'], group['parameters'], group['engine'])))}:")
        score = group["figures"]["score"]
        if score["low"] is not None:
            lines.append(f"  score {score['mean']:.2f} ({score['low']:.2f} to {score['high']:.2f})")
        lines += [f"  {one['description']}: {_held(one)}" for one in group["criteria"]]
    return [*lines, *(pair["sentence"] for pair in card["pairs"])]


def _held(one: "Card") -> str:
    if one["mean"] is None:
        return "no answer"
    return f"{one['mean']:.0%} of {one['count']} ({one['low']:.0%} to {one['high']:.0%})"
