"""A card as one page: no script, nothing fetched, light and dark; every text of others is escaped."""

from collections.abc import Iterable, Iterator
from html import escape

from qiki_harness.cards.card import FIGURES, Card
from qiki_harness.cards.drawing import histogram, scatter, shares
from qiki_harness.cards.intervals import LEVELS

STYLE = """
:root { color-scheme: light dark; --ink: #1b2430; --paper: #fff; --soft: #e4e9ef; --bar: #3f78b5; --band: #d9822b; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #dfe6ee; --paper: #12171d; --soft: #2a333d; --bar: #5b9bdd; --band: #f0a35e; }
}
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 2rem auto;
  max-width: 64rem; padding: 0 1rem; }
table { border-collapse: collapse; margin: 0.5rem 0 1rem; }
th, td { text-align: left; padding: 0.15rem 0.8rem 0.15rem 0; border-bottom: 1px solid var(--soft); }
td.n { font-variant-numeric: tabular-nums; text-align: right; }
code, pre { font: 13px/1.4 ui-monospace, monospace; background: var(--soft); padding: 0.1rem 0.3rem; }
pre { overflow-x: auto; padding: 0.4rem; }
.drawings { display: flex; flex-wrap: wrap; gap: 1rem; }
figure { margin: 0; } figcaption { font-size: 13px; }
svg text { fill: var(--ink); font: 11px system-ui, sans-serif; }
svg .bar, svg circle { fill: var(--bar); } svg .band { fill: var(--band); } svg .empty { fill: var(--soft); }
svg circle { fill-opacity: 0.6; } svg line { stroke: var(--band); stroke-width: 2; } svg .thin { stroke-width: 1; }
"""
POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""The page loads nothing, and runs nothing."""


def page(card: Card) -> str:
    """Return the page of a card."""
    title = f"Score card: {card['results']}"
    return "\n".join(
        [
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
            '<meta name="viewport" content="width=device-width">',
            f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>",
            f"<h1>{escape(title)}</h1>",
            *_about(card),
            *(part for pair in card["pairs"] for part in _pair(card, pair)),
            *(part for group in card["groups"] for part in _group(card, group)),
            "</body>\n</html>\n",
        ]
    )


def _about(card: Card) -> Iterator[str]:
    yield (
        f"<p>{len(card['rows'])} of {card['runs']} runs, flown by qiki-dtmp {escape(card['product'])}. Digest of all:"
        f" <code>{card['digest']}</code></p>"
    )
    yield "<p>Intervals have 95 % confidence: Student's for means, Wilson's for shares.</p>"
    head = ("World", "Parameters", "Engine", "Runs", "Success", "Score", "Crashed")
    yield _table(head, [_overview(group) for group in card["groups"]])


def _overview(group: Card) -> tuple[str, ...]:
    score = group["figures"]["score"]
    cells = group["world"], group["parameters"], group["engine"], str(group["runs"])
    return *cells, _interval(group["success"], "{:.0%}"), _interval(score, "{:.2f}"), str(group["crashed"])


def _pair(card: Card, pair: Card) -> Iterator[str]:
    where = ", ".join(filter(None, (pair["world"], pair["parameters"])))
    yield f"<h2>{escape(pair['engine'])} beside {escape(pair['beside'])}: {escape(where)}</h2>"
    yield f"<p>{escape(pair['sentence'])}.</p>"
    one = pair["success"]
    yield (
        f"<p>Of {pair['seeds']} seeds both succeed in {one['both']}, {escape(pair['engine'])} alone in"
        f" {one['this_only']}, {escape(pair['beside'])} alone in {one['other_only']}, neither in {one['neither']}.</p>"
    )
    rows = [
        (FIGURES[name], _interval(figure, "{:.3g}"), str(figure["more"]), str(figure["less"]))
        for name, figure in pair["figures"].items()
    ]
    yield _table(("Difference on the same seed", "Mean", "More", "Less"), rows)
    scores = _scores(card, pair)
    if scores:
        label = f"score of each seed: {pair['beside']} to the right, {pair['engine']} upwards"
        yield _figure(scatter(scores, label), label)


def _scores(card: Card, pair: Card) -> list[tuple[float, float]]:
    """Return the scores of both engines on each seed."""

    def by_seed(engine: str) -> dict[int, float]:
        rows = (row for row in card["rows"] if (row["world"], row["parameters"]) == (pair["world"], pair["parameters"]))
        return {row["seed"]: row["score"] for row in rows if row["engine"] == engine and not row["error"]}

    one, base = by_seed(pair["engine"]), by_seed(pair["beside"])
    return [(one[seed], base[seed]) for seed in one if seed in base]


def _group(card: Card, group: Card) -> Iterator[str]:
    where = ", ".join(filter(None, (group["world"], group["parameters"], group["engine"])))
    yield f"<h2>{escape(where)}</h2>"
    outcomes = ", ".join(f"{count} {name}" for name, count in group["outcomes"].items())
    yield f"<p>{group['runs']} runs: {escape(outcomes)}. Success: {_interval(group['success'], '{:.0%}')}.</p>"
    rows = [(one["id"], one["description"], _interval(one, "{:.0%}")) for one in group["criteria"]]
    yield _table(("Criterion", "", "Holds"), rows)
    head = ("Figure", "Mean", *(f"{level:.0%}" for level in LEVELS))
    yield _table(head, [_figure_row(name, figure) for name, figure in group["figures"].items()])
    yield f'<div class="drawings">{"".join(_drawings(card, group))}</div>'
    yield "<h3>Worst runs</h3>"
    yield from (part for worst in group["worst"] for part in _worst(worst))


def _figure_row(name: str, figure: Card) -> tuple[str, ...]:
    return FIGURES[name], _interval(figure, "{:.3g}"), *(f"{value:.3g}" for value in figure["quantiles"])


def _drawings(card: Card, group: Card) -> Iterator[str]:
    yield _figure(shares(group["criteria"], "share of runs in which each criterion holds"), "criteria that hold")
    own = group["world"], group["parameters"], group["engine"]
    rows = [row for row in card["rows"] if (row["world"], row["parameters"], row["engine"]) == own]
    for name in ("score", "closest_m"):
        values = [row[name] for row in rows if row[name] is not None and not row["error"]]
        if values:
            drawing = histogram(values, group["figures"][name], f"distribution of {FIGURES[name]}")
            yield _figure(drawing, f"{FIGURES[name]}: runs, mean and its interval")


def _worst(worst: Card) -> Iterator[str]:
    yield (
        f"<p>Seed {worst['seed']}: {escape(worst['outcome'])}, score {worst['score']:.2f},"
        f" run <code>{escape(worst['key'][:12])}</code></p>"
    )
    if worst["sentences"]:
        yield f"<ul>{''.join(f'<li>{escape(one)}</li>' for one in worst['sentences'])}</ul>"
    yield f"<pre>{escape(worst['command'])}</pre>"


def _figure(drawing: str, caption: str) -> str:
    return f"<figure>{drawing}<figcaption>{escape(caption)}</figcaption></figure>"


def _interval(one: Card, shape: str) -> str:
    if one["mean"] is None:
        return "-"
    mean = shape.format(one["mean"])
    return mean if one["low"] is None else f"{mean} ({shape.format(one['low'])} to {shape.format(one['high'])})"


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    top = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><tr>{top}</tr>{body}</table>"
