"""`qiki score`: measure the tracker against the truth."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from importlib.util import find_spec
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from qiki.runtime.terminal import echo, echo_json, overwrite, wipe
from qiki_harness.cli.options import Name, NatsUrl, RunDir, keys_for, running_stack
from qiki_harness.cli.output import table
from qiki_harness.errors import HarnessError

if TYPE_CHECKING:
    from qiki_harness.scoring import Coverage, OverTime, ScanRecord, Score

_DEFAULT = "mixed-traffic"
_REACH_M = 16_000.0
Scenario = Annotated[
    str | None, typer.Argument(metavar="NAME|FILE", help=f"The scenario to run offline; {_DEFAULT} if none is named.")
]
Picture = Annotated[
    Path | None, typer.Option(help="Draw truth, detections, tracks and GOSPA over time into this file.")
]
Tracker = Annotated[
    str | None, typer.Option(metavar="MODULE[:NAME]", help="Put this tracker in the place of the platform's own.")
]
_ERRORS = {
    "scans": ("scans", "{}"),
    "contacts": ("contacts", "{}"),
    "gospa_m": ("GOSPA (c = 200 m, p = 2, alpha = 2)", "{:.2f} m"),
    "localisation_m": ("  localisation", "{:.2f} m"),
    "missed": ("  missed, a scan", "{:.3f}"),
    "false": ("  false, a scan", "{:.3f}"),
    "ospa_m": ("OSPA (c = 200 m, p = 2)", "{:.2f} m"),
    "probabilistic_gospa_m": ("P-GOSPA of all tracks, with covariance and quality", "{:.2f} m"),
}
_LABELS = {
    "identity_switches": ("identity switches", "{}"),
    "fragments": ("fragments", "{}"),
    "never_tracked": ("never tracked", "{}"),
    "confirm_s": ("time to confirm", "{:.2f} s"),
    "nees_position": ("NEES, position (3 if consistent)", "{:.2f}"),
    "nees_velocity": ("NEES, velocity (3 if consistent)", "{:.2f}"),
    "nees_position_inside": ("  position, scans in the 95 % bounds", "{:.0%}"),
    "nees_velocity_inside": ("  velocity, scans in the 95 % bounds", "{:.0%}"),
}
_TRAJECTORY = {
    "distance_m": ("trajectory metric (c = 200 m, p = 2, 200 m a switch), a scan", "{:.2f} m"),
    "localisation_m": ("  localisation", "{:.2f} m"),
    "missed": ("  missed, a scan", "{:.3f}"),
    "false": ("  false, a scan", "{:.3f}"),
    "track_switches": ("  track switches", "{:.1f}"),
}
_BOUND = "  an upper bound: scans of one assignment"
_NO_SCIPY = "not there: it takes scipy, pip install 'qiki-dtmp[score]'"
_TAILS = {
    "median": ("  {}, median (2.37 if consistent)", "{:.2f}"),
    "low": ("  {}, pairs in the lower 2.5 %", "{:.1%}"),
    "high": ("  {}, pairs in the upper 2.5 %", "{:.1%}"),
}
_SHARES = {"within_50": "50 %", "within_90": "90 %", "within_95": "95 %", "within_99": "99 %"}


def score(  # noqa: PLR0917  # each an option of the command line
    scenario: Scenario = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Default: the scenario's own.")] = None,
    seconds: Annotated[float, typer.Option(min=0.05, max=86_400, help="Simulated seconds.")] = 60.0,
    live: Annotated[bool, typer.Option("--live", help="Score the running stack instead.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON: the score, also over time.")] = False,
    picture: Picture = None,
    tracker: Tracker = None,
    reach_m: Annotated[float, typer.Option(min=1, help="Live: ignore contacts beyond this range.")] = _REACH_M,
    nats: NatsUrl = None,
    name: Name = "default",
    run_dir: RunDir = None,
) -> None:
    """Score the tracker against the truth: a scenario run offline, as fast as it goes, or the running stack.

    For identity switches a track stands for a contact within 50 m, from 5.2 km on within 0.55° of its range.
    """
    from qiki_harness.scoring import score as score_run  # noqa: PLC0415  # numpy, and with it the cores

    if live and (scenario is not None or seed is not None):
        raise HarnessError("--live scores what the stack plays: leave the scenario and --seed out")
    if live and tracker is not None:
        raise HarnessError("--live scores the stack's own tracker: leave --tracker out")
    if picture is not None and find_spec("matplotlib") is None:
        raise HarnessError("--picture takes matplotlib, which is not installed: pip install 'qiki-dtmp[score]'")
    if live:
        from qiki_harness.scoring.live import listen  # noqa: PLC0415

        stack = None if nats else running_stack(name, run_dir)
        url = nats or (stack.info.addresses["NATS_URL"] if stack else "")
        with measuring(seconds, sys.stderr) as progress:
            scans = listen(url, seconds, reach_m, progress, keys_for(stack))
        title = f"{url}, {scans[-1].t_s:g} s"
    else:
        title, scans = _fly(scenario or _DEFAULT, seed, seconds, tracker)
    summary, course = score_run(scans)
    if picture is not None:
        from qiki_harness.scoring.picture import save_picture  # noqa: PLC0415

        save_picture(picture, title, scans, course)
    if as_json:
        echo_json(_as_json(title, summary, course))
    else:
        echo(title, *_as_table(summary))


@contextmanager
def measuring(seconds: float, stream: TextIO) -> Iterator[Callable[[float], None]]:
    """Show what is told of the progress: on a terminal a line that is gone at the end, elsewhere that it has begun."""

    def show(done_s: float) -> None:
        overwrite(f"measured {done_s:.0f} of {seconds:g} s", stream)

    if not stream.isatty():
        echo(f"measuring {seconds:g} s of the simulation", stream=stream)
    try:
        yield show
    finally:
        wipe(stream)


def _fly(scenario: str, seed: int | None, seconds: float, tracker: str | None) -> "tuple[str, list[ScanRecord]]":
    from qiki.world.scenario import load_scenario  # noqa: PLC0415
    from qiki_harness.scoring.offline import fly  # noqa: PLC0415
    from qiki_harness.scoring.rivals import fly_rival, load_rival  # noqa: PLC0415

    world = load_scenario(scenario)
    chosen = world.seed if seed is None else seed
    scans = list(fly_rival(world, chosen, seconds, load_rival(tracker)) if tracker else fly(world, chosen, seconds))
    if not scans:
        least = 1 / world.frame_rate_hz
        raise HarnessError(f"--seconds {seconds:g}: no frame comes in it (expected {least:g} at least)")
    by = f", tracked by {tracker}" if tracker else ""
    return f"{world.name}, seed {chosen}, {seconds:g} s at {world.frame_rate_hz:g} frames/s{by}", scans


def _as_table(summary: "Score") -> list[str]:
    values = asdict(summary)
    rows = [(label, shape.format(values[key])) for key, (label, shape) in _ERRORS.items()]
    rows += _trajectory_rows(values["trajectory"])
    rows += [(label, _shown(values[key], shape)) for key, (label, shape) in _LABELS.items()]
    for name in ("position", "velocity"):
        tails = values[f"tails_{name}"]
        rows += [(label.format(name), _shown(tails[key], shape)) for key, (label, shape) in _TAILS.items()]
    rows.append(("quality, calibration error (0 if calibrated)", _shown(summary.reliability.error, "{:.3f}")))
    return [*table(("METRIC", "VALUE"), rows), "", *_ellipsoids(summary.coverage)]


def _trajectory_rows(values: dict[str, float] | None) -> list[tuple[str, str]]:
    if values is None:
        return [(_TRAJECTORY["distance_m"][0], _NO_SCIPY)]
    rows = [(label, shape.format(values[key])) for key, (label, shape) in _TRAJECTORY.items()]
    return [*rows, (_BOUND, f"{values['block_scans']}")] if values["block_scans"] > 1 else rows


def _ellipsoids(coverage: "Iterable[Coverage]") -> list[str]:
    """Return the table of the shares of true positions in the tracks' ellipsoids."""
    rows = []
    for one in coverage:
        shares = (_shown(getattr(one, key), "{:.0%}") for key in _SHARES)
        rows.append((f"{one.ahead_s:g} s ahead" if one.ahead_s else "now", *shares, str(one.pairs)))
    return table(("IN THE ELLIPSOID OF", *_SHARES.values(), "PAIRS"), rows)


def _shown(value: object, shape: str) -> str:
    return "-" if value is None else shape.format(value)


def _as_json(title: str, summary: "Score", course: "OverTime") -> str:
    """Return plain values; null where there was nothing to average."""
    columns = {name: getattr(course, name).tolist() for name in course.__dataclass_fields__}
    values = {name: [None if isnan(value) else value for value in column] for name, column in columns.items()}
    return json.dumps({"run": title, "score": asdict(summary), "over_time": values}, indent=2)
