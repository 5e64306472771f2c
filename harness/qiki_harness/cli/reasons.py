"""`qiki why`: the reasons of what an agent did in a recorded run, and what it would have done otherwise."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from qiki.runtime.terminal import echo, echo_json
from qiki_harness.cli.options import Rules, Run
from qiki_harness.cli.output import table
from qiki_harness.cli.recordings import File
from qiki_harness.errors import HarnessError, RecordingError

if TYPE_CHECKING:
    from qiki.guard.rules import GuardRules
    from qiki_harness.recording.why.archive import Archive
    from qiki_harness.recording.why.chain import Chain
    from qiki_harness.recording.why.course import Act, Course
    from qiki_harness.recording.why.targets import Target, Targets
    from qiki_harness.recording.why.whatif import WhatIf

_LISTED = ("command", "decision", "mode", "alert")
_SHOWN = 5
_ID = "ID"


def why(
    file: File,
    identity: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="Of anything, or its beginning. Default: list what there is.")
    ] = None,
    *,
    event: Annotated[str | None, typer.Option(metavar=_ID, help="An event of any kind.")] = None,
    decision: Annotated[str | None, typer.Option(metavar=_ID, help="A decision of the agent.")] = None,
    alert: Annotated[str | None, typer.Option(metavar=_ID, help="An alert of the guard.")] = None,
    track: Annotated[str | None, typer.Option(metavar=_ID, help="A track: its plots, and what followed.")] = None,
    command: Annotated[str | None, typer.Option(metavar=_ID, help="A command, of the agent or of others.")] = None,
    without: Annotated[
        list[str] | None, typer.Option(metavar="TRACK", help="Fly again with this track hidden from the agent.")
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="FIELD=VALUE", help="Fly again with another value of an input.")
    ] = None,
    seconds: Annotated[
        float | None, typer.Option(min=0.05, max=1e6, help="How long to fly. Default: to the recording's end.")
    ] = None,
    run: Run = None,
    rules: Rules = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say why an agent acted: the chain from a command back to the plots; and what it would have done otherwise."""
    from qiki.guard import load_rules  # noqa: PLC0415

    given = {"event": event, "decision": decision, "alert": alert, "track": track, "command": command}
    asked = [(kind, text) for kind, text in [*given.items(), (None, identity)] if text is not None]
    if len(asked) > 1:
        raise HarnessError("why takes one id at a time")
    if seconds is not None and not without and not settings:
        raise HarnessError("--seconds is for --without and --set: nothing else is flown to an end")
    guard, found = load_rules(rules) if rules else None, _opened(file, run)
    values: dict[str, Any] = {}
    for kind, text in asked:
        target, targets = _found(found, text, kind)
        found = [targets]
        chain = _chain(targets.archive, target, guard)
        values["chain"], values["remarks"] = chain.root.values(), list(chain.remarks)
        echo(*(() if as_json else _chain_lines(chain)))
    if without or settings:
        answer = _what_if(found, without or [], settings or [], guard, seconds)
        values["what_if"] = answer.values()
        echo(*(() if as_json else _what_if_lines(answer)))
    elif not asked:
        values["listed"] = [row for targets in found for row in _listed(targets)]
        echo(*(() if as_json else _list_lines(found)))
    if as_json:
        from pydantic_core import to_json  # noqa: PLC0415

        echo_json(to_json(values, inf_nan_mode="null").decode())


def _opened(file: Path, run: str | None) -> "list[Targets]":
    """Return what can be asked about in each recording of a file."""
    from qiki_harness.recording.bundle import recordings  # noqa: PLC0415
    from qiki_harness.recording.check import summarise  # noqa: PLC0415
    from qiki_harness.recording.runs import chosen_run  # noqa: PLC0415
    from qiki_harness.recording.why.archive import Archive  # noqa: PLC0415
    from qiki_harness.recording.why.targets import Targets  # noqa: PLC0415

    opened = recordings(file)
    found, faults = [], []
    for recording in opened:
        try:
            found.append(Targets(Archive(recording, chosen_run(recording, summarise(recording), run))))
        except RecordingError as error:
            faults.append(error)
    if not found:
        raise faults[0]
    return found


def _found(opened: "list[Targets]", text: str, kind: str | None) -> "tuple[Target, Targets]":
    """Return the thing of an id, and the recording that has it."""
    faults = []
    for targets in opened:
        try:
            return targets.find(text, kind), targets
        except RecordingError as error:
            faults.append(error)
    raise faults[0]


def _chain(archive: "Archive", target: "Target", rules: "GuardRules | None") -> "Chain":
    from qiki_harness.recording.why.chain import chain_of, track_chain  # noqa: PLC0415

    if target.message is None:
        return track_chain(archive, target.ids[0], rules)
    return chain_of(archive, target.message, rules)


def _what_if(
    opened: "list[Targets]",
    without: Sequence[str],
    settings: Sequence[str],
    rules: "GuardRules | None",
    seconds: float | None,
) -> "WhatIf":
    from qiki_harness.recording.runs import recorded_run  # noqa: PLC0415
    from qiki_harness.recording.why.whatif import Change, what_if  # noqa: PLC0415

    targets, hidden = opened[0], []
    for text in without:
        target, targets = _found(opened, text, "track")
        hidden.append(target.ids[0])
    run = recorded_run(targets.archive.recording, targets.archive.run_id)
    return what_if(run, Change(tuple(hidden), tuple(settings)), rules, seconds)


def _chain_lines(chain: "Chain") -> Iterator[str]:
    yield from chain.root.lines()
    if any(one.computed for one in chain.root.walk()):
        yield "computed: which plot a track was corrected by is not published; the run was flown again to find it"
    yield from chain.remarks


def _listed(targets: "Targets") -> list[dict[str, Any]]:
    """Return what a run has that can be asked about, but for its tracks."""
    from qiki_harness.recording.why.descriptions import element_of  # noqa: PLC0415

    rows = []
    for target in targets.all:
        if target.kind in _LISTED and target.message is not None and target.took_effect:
            element = element_of(targets.archive, target.message)
            row = {"kind": target.kind, "id": target.ids[0], "text": element.text, "t_s": element.t_s}
            rows.append(row | {"short_id": targets.short_id(target)})
    return sorted(rows, key=lambda row: (row["t_s"], -_LISTED.index(row["kind"])))


def _list_lines(opened: "list[Targets]") -> Iterator[str]:
    for targets in opened:
        rows = [(f"{row['t_s']:.2f} s", row["kind"], row["short_id"], row["text"]) for row in _listed(targets)]
        yield from table(("TIME", "KIND", "ID", "WHAT"), rows) if rows else ["the agent did nothing, and no alert came"]
        yield f"run {targets.archive.run_id}: {targets.counts}"


def _what_if_lines(answer: "WhatIf") -> Iterator[str]:
    from qiki.flight.digest import DECISIONS  # noqa: PLC0415

    yield f"what if {' and '.join(answer.changes)}:"
    verdict, differing = answer.verdict, answer.parts_at
    flown = "the unchanged flight" if DECISIONS in verdict.groups else "with its recorded orders, the run flown again"
    same = "the same as the recording" if verdict.same else "not the same as the recording (qiki verify)"
    yield f"  {flown} is {same}"
    yield from (f"  {remark}" for remark in answer.remarks)
    if differing is None:
        yield "  every decision is the same"
    else:
        yield f"  first decision that differs, at {(differing[0] or differing[1])[0].t_s:.2f} s:"
        for name, acts in zip(("unchanged:", "changed:  "), differing, strict=True):
            yield from (f"    {name} {text}" for text in [act.text for act in acts] or ["none"])
    columns = zip(_figures(answer.unchanged), _figures(answer.changed), strict=True)
    rows = [(name, one, other) for (name, one), (_, other) in columns]
    yield from (f"  {line}" for line in table(("", "UNCHANGED", "CHANGED"), rows))
    for what in ("modes", "commands"):
        for name, acts in zip(("unchanged", "changed"), answer.only(what), strict=True):
            yield from _acts(f"{what} only {name}", acts)


def _figures(course: "Course") -> Iterator[tuple[str, str]]:
    yield "decisions", str(len(course.decisions))
    yield "commands", str(len(course.commands))
    yield "guard alerts", str(course.alerts)
    near = f"{course.nearest_m:.1f} m, {course.nearest} at {course.nearest_s:.2f} s" if course.nearest else "none"
    yield "closest approach", near
    yield "hull", f"{course.hull_pct:.0f} %"


def _acts(title: str, acts: "Sequence[Act]") -> Iterator[str]:
    if acts:
        yield f"  {title}:"
        yield from (f"    {act.t_s:.2f} s  {act.text}" for act in acts[:_SHOWN])
    if len(acts) > _SHOWN:
        yield f"    … {len(acts) - _SHOWN} more (--json has them)"
