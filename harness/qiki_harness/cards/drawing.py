"""Drawings of a card, as inline SVG that takes its colours from the page's style."""

from collections.abc import Iterator, Sequence
from html import escape

import numpy as np

from qiki_harness.cards.card import Card

WIDTH, HEIGHT, MARGIN = 360, 120, 24
BINS = 24


def histogram(values: Sequence[float], figure: Card, label: str) -> str:
    """Return the distribution of a figure, with its mean and the interval of that."""
    low, high = min(values), max(values)
    if low == high:
        low, high = low - 0.5, high + 0.5
    counts, _ = np.histogram(np.array(values, np.float64), BINS, (low, high))
    most, width = int(counts.max()), (WIDTH - 2 * MARGIN) / BINS

    def x(value: float) -> float:
        return MARGIN + (value - low) / (high - low) * (WIDTH - 2 * MARGIN)

    bars = (
        _rect(MARGIN + n * width, HEIGHT - MARGIN, width - 1, -count / most * (HEIGHT - 2 * MARGIN), "bar")
        for n, count in enumerate(counts.tolist())
        if count
    )
    band = ""
    if figure["low"] is not None:
        left, right = max(x(figure["low"]), MARGIN), min(x(figure["high"]), WIDTH - MARGIN)
        band = _rect(left, HEIGHT - MARGIN + 3, max(right - left, 1.0), 4, "band")
    mean = f'<line x1="{x(figure["mean"]):.1f}" x2="{x(figure["mean"]):.1f}" y1="8" y2="{HEIGHT - MARGIN + 8}"/>'
    ends = _text(MARGIN, HEIGHT - 4, f"{low:.3g}", "start") + _text(WIDTH - MARGIN, HEIGHT - 4, f"{high:.3g}", "end")
    return _svg(HEIGHT, label, [*bars, band, mean, ends])


def shares(criteria: Sequence[Card], label: str) -> str:
    """Return a bar for each criterion: how often it holds, with its interval."""
    return _svg(26 * len(criteria) + 8, label, _share_rows(criteria))


def scatter(pairs: Sequence[tuple[float, float]], label: str) -> str:
    """Return a point for each seed: the base to the right, the other engine upwards; on the line both are equal."""
    values = [value for pair in pairs for value in pair]
    low, high = min(values), max(values)
    span = (high - low) or 1.0
    size = 240

    def at(value: float) -> float:
        return MARGIN + (value - low) / span * (size - 2 * MARGIN)

    line = f'<line class="thin" x1="{MARGIN}" y1="{size - MARGIN}" x2="{size - MARGIN}" y2="{MARGIN}"/>'
    points = (f'<circle cx="{at(base):.1f}" cy="{size - at(one):.1f}" r="3"/>' for one, base in pairs)
    ends = _text(MARGIN, size - 6, f"{low:.3g}", "start") + _text(size - MARGIN, size - 6, f"{high:.3g}", "end")
    return _svg(size, label, [line, *points, ends], size)


def _share_rows(criteria: Sequence[Card]) -> Iterator[str]:
    left = 150.0
    length = WIDTH - left - 50
    for number, one in enumerate(criteria):
        top = 26 * number + 8
        yield _text(0, top + 12, one["id"], "start")
        yield _rect(left, top, length, 14, "empty")
        if one["mean"] is None:
            continue
        yield _rect(left, top, one["mean"] * length, 14, "bar")
        yield _rect(left + one["low"] * length, top + 5, (one["high"] - one["low"]) * length, 4, "band")
        yield _text(WIDTH, top + 12, f"{one['mean']:.0%}", "end")


def _svg(height: float, label: str, parts: Sequence[str] | Iterator[str], width: float = WIDTH) -> str:
    head = f'<svg viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}" role="img">'
    return f"{head}<title>{escape(label)}</title>{''.join(parts)}</svg>"


def _rect(x: float, y: float, width: float, height: float, kind: str) -> str:
    top, tall = (y + height, -height) if height < 0 else (y, height)
    return f'<rect class="{kind}" x="{x:.1f}" y="{top:.1f}" width="{width:.1f}" height="{tall:.1f}"/>'


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}">{escape(text)}</text>'
