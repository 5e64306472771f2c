"""A score card: a pure value of a sweep's results, with no time and no chance of its own."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from qiki_harness.cards.intervals import mean_of, quantiles_of, share_of
from qiki_harness.errors import HarnessError
from qiki_harness.sweeps.store import PRODUCT, Results, Row

FORMAT = "qiki card 1"
FIGURES = {
    "score": "score",
    "closest_m": "least distance [m]",
    "propellant_kg": "propellant [kg]",
    "flown_s": "time [s]",
    "alarmed_s": "time of alerts [s]",
    "safe_s": "time in SAFE_MODE [s]",
}
"""Figures of a run, and their names on the page."""
WORST = 5
Card = dict[str, Any]
Members = Sequence[Card]


def make(results: Results, beside: str | None = None) -> Card:
    """Return the card of a file of results.

    Args:
        beside: engine that the others are compared with; None: the first one where there are several

    Raises:
        HarnessError: there are no results, or no such engine.
    """
    rows = [_plain(row) for row in results.rows()]
    if not rows:
        raise HarnessError(f"{results.path}: no run is flown yet")
    about = {
        "format": FORMAT,
        "product": PRODUCT,
        "results": results.path.name,
        "sweep": results.hash,
        "digest": results.digest(),
        "runs": results.total,
        "spec": results.spec.model_dump(mode="json"),
        "criteria": [one.model_dump(mode="json", exclude_none=True) for one in results.criteria.criteria],
        "beside": _base(rows, beside),
    }
    return computed(about, rows)


def computed(about: Card, rows: Members) -> Card:
    """Return the card of runs: all of it follows from `about` and `rows`, which it holds."""
    groups = _grouped(rows)
    return {
        **about,
        "groups": [_group(about, members) for members in groups.values()],
        "pairs": list(_pairs(about["beside"], groups)),
        "rows": rows,
    }


def read_card(path: Path) -> Card:
    """Read a card's JSON.

    Raises:
        HarnessError: it is none.
    """
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise HarnessError(f"{path}: cannot be read: {error.strerror}") from None
    except ValueError:
        raise HarnessError(f"{path}: not a card: not JSON") from None
    found = card.get("format") if isinstance(card, dict) else None
    if found != FORMAT:
        raise HarnessError(f"{path}: not a card (expected the format {FORMAT!r}, found {found!r})")
    return dict(card)


def about_of(card: Card) -> Card:
    """Return what a card does not compute."""
    return {name: value for name, value in card.items() if name not in {"groups", "pairs", "rows"}}


def _plain(row: Row) -> Card:
    one = row.result
    world, parameters, engine = row.group
    return {
        "place": row.place,
        "key": one.key,
        "world": world,
        "parameters": parameters,
        "engine": engine,
        "seed": row.seed,
        "digest": one.digest,
        "outcome": one.outcome,
        "success": one.success,
        "score": one.score,
        "closest_m": one.closest_m,
        "propellant_kg": one.propellant_kg,
        "flown_s": one.steps * one.frame_s,
        "alarmed_s": one.alarmed_steps * one.frame_s,
        "safe_s": one.safe_steps * one.frame_s,
        "problems": [*([one.error] if one.error else []), *(f"{name} {text}" for name, text in one.faults.items())],
        "error": one.error,
        "verdicts": [{"id": v.id, "holds": v.holds, "sentence": v.sentence} for v in one.verdicts],
    }


def _grouped(rows: Members) -> dict[tuple[str, str, str], list[Card]]:
    groups: dict[tuple[str, str, str], list[Card]] = {}
    for row in rows:
        groups.setdefault((row["world"], row["parameters"], row["engine"]), []).append(row)
    return groups


def _group(about: Card, rows: Members) -> Card:
    flown = [row for row in rows if not row["error"]]
    first = rows[0]
    return {
        **{name: first[name] for name in ("world", "parameters", "engine")},
        "runs": len(rows),
        "crashed": sum(bool(row["problems"]) for row in rows),
        "outcomes": dict(sorted(Counter(row["outcome"] for row in rows).items())),
        "success": share_of(sum(row["success"] for row in rows), len(rows)),
        "figures": {name: _figure(flown, name) for name in FIGURES},
        "criteria": [_criterion(one, flown) for one in about["criteria"]],
        "worst": [_worst(about["results"], row) for row in sorted(rows, key=_badness)[:WORST]],
    }


def _figure(rows: Members, name: str) -> Card:
    values = [row[name] for row in rows if row[name] is not None]
    return {**mean_of(values), "quantiles": quantiles_of(values)}


def _criterion(criterion: Card, rows: Members) -> Card:
    """Return how often a criterion holds; a run without a flight answers nothing."""
    answers = [one["holds"] for row in rows for one in row["verdicts"] if one["id"] == criterion["id"]]
    return {"id": criterion["id"], "description": criterion["description"], **share_of(sum(answers), len(answers))}


def _badness(row: Card) -> tuple[bool, int, float, int]:
    """Return what the worst runs are sorted by: crashes, criteria that failed, the score."""
    failed = sum(not one["holds"] for one in row["verdicts"])
    return not row["problems"], -failed, row["score"], row["place"]


def _worst(results: str, row: Card) -> Card:
    name = f"{row['key'][:12]}.mcap"
    failed = [one["sentence"] for one in row["verdicts"] if not one["holds"]]
    return {
        **{one: row[one] for one in ("key", "seed", "outcome", "score", "digest")},
        "sentences": [*row["problems"], *failed],
        "command": f"qiki sweep show {results} {row['key'][:12]} --record {name} && qiki play {name}",
    }


def _base(rows: Members, beside: str | None) -> str | None:
    """Return the engine that the others are compared with."""
    engines = list(dict.fromkeys(row["engine"] for row in rows))
    if beside is None:
        return engines[0] if len(engines) > 1 else None
    if beside not in engines:
        raise HarnessError(f"no run was flown by the engine {beside!r} (expected one of: {', '.join(engines)})")
    return beside


def _pairs(base: str | None, groups: dict[tuple[str, str, str], list[Card]]) -> Iterator[Card]:
    """Yield the comparison of each engine with the base, on the same seeds."""
    for (world, parameters, engine), members in groups.items():
        others = {row["seed"]: row for row in groups.get((world, parameters, base or ""), [])}
        pairs = [(row, others[row["seed"]]) for row in members if row["seed"] in others]
        flown = [(row, other) for row, other in pairs if not row["error"] and not other["error"]]
        if engine == base or not flown:
            continue
        yield {
            "world": world,
            "parameters": parameters,
            "engine": engine,
            "beside": base,
            "seeds": len(flown),
            "success": _matched(flown),
            "figures": {name: _difference(flown, name) for name in FIGURES},
            "sentence": _sentence(engine, base or "", flown),
        }


def _matched(pairs: Sequence[tuple[Card, Card]]) -> Card:
    """Return how many pairs succeed in both, in one or in none."""
    count = Counter((one["success"], other["success"]) for one, other in pairs)
    return {
        "both": count[True, True],
        "this_only": count[True, False],
        "other_only": count[False, True],
        "neither": count[False, False],
    }


def _difference(pairs: Sequence[tuple[Card, Card]], name: str) -> Card:
    """Return the mean of the differences of a figure, and how many are above and below zero."""
    both = [(one[name], other[name]) for one, other in pairs if one[name] is not None and other[name] is not None]
    differences = [one - other for one, other in both]
    more, less = sum(one > 0 for one in differences), sum(one < 0 for one in differences)
    return {**mean_of(differences), "more": more, "less": less}


def _sentence(engine: str, base: str, pairs: Sequence[tuple[Card, Card]]) -> str:
    one = _difference(pairs, "score")
    if one["low"] is None:
        return f"{engine} beside {base}: one seed shows no difference"
    shown = f"{one['low']:.3g} to {one['high']:.3g} with 95 % confidence, on {one['count']} seeds"
    if one["low"] <= 0.0 <= one["high"]:
        return f"{engine} beside {base}: no difference of the score is shown ({shown})"
    more = "more" if one["mean"] > 0 else "less"
    return f"{engine} scores {abs(one['mean']):.3g} {more} than {base} ({shown})"
