"""What a frame's header says of its radar."""

import re
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qiki.contracts.headers import RADAR
from qiki.contracts.radar_figures import RadarFigures

GOOD = {
    "max_range_m": 9_000.5,
    "doppler_span_mps": 400.0,
    "false_alarm_probability": 1e-7,
    "range_resolution_m": 150.0,
    "beam_width_rad": 1 / 3,
    "doppler_resolution_mps": 1.6,
    "range_floor_m": 20.0,
    "angle_floor_rad": 0.005,
    "doppler_floor_mps": 0.05,
}


@st.composite
def figures(draw: st.DrawFn) -> RadarFigures:
    """Any that are within their bounds."""
    schema = RadarFigures.model_json_schema()["properties"]
    bounds = {name: (one.get("minimum", 1e-300), one["maximum"]) for name, one in schema.items()}
    return RadarFigures(**{name: draw(st.floats(*both)) for name, both in bounds.items()})


@given(figures())
def test_figures_are_the_same_after_their_header(told: RadarFigures):
    assert told.text().isascii()
    assert RadarFigures.read({RADAR: told.text()}) == told


@pytest.mark.parametrize("headers", [None, {}, {"x-qiki-run": "r"}])
def test_a_frame_need_not_say_anything(headers: dict[str, str] | None):
    assert RadarFigures.read(headers) is None


def test_what_a_later_version_adds_is_passed_over():
    assert RadarFigures.of_text(urlencode(GOOD | {"later": "x"})) == RadarFigures(**GOOD)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, value) for name in GOOD for value in ("nan", "inf", "-1", "0", "1e12", "", "wide")),
        ("false_alarm_probability", "0.2"),
        ("beam_width_rad", "4"),
        ("range_floor_m", "1e-3"),
    ],
)
def test_a_figure_that_no_radar_has_is_named_in_one_line(name: str, value: str):
    with pytest.raises(ValueError, match=rf"^{RADAR}: {name}: .+$") as caught:
        RadarFigures.of_text(urlencode(GOOD | {name: value}))
    assert "\n" not in str(caught.value)


def test_half_of_the_figures_are_refused():
    with pytest.raises(ValueError, match=re.escape(f"{RADAR}: max_range_m: Field required")):
        RadarFigures.of_text("beam_width_rad=0.1")
