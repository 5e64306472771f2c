"""Bands, transponders, range rate, and what is published."""

from uuid import UUID

import numpy as np
import pytest

from qiki.contracts.enums import RadarRangeBand, TransponderMode
from qiki.radar import Detections, Radar, RadarParameters
from qiki.world.contacts import Contacts
from qiki.world.scenario import Scenario, load_scenario

PARAMETERS = RadarParameters(swerling=0, false_alarm_probability=1e-16)
LONG_M, SHORT_M = 6000.0, 3000.0
Vector = tuple[float, float, float]

AT_REST = (0.0, 0.0, 0.0)

ON = {"mode": "ON", "id": "SHP-HERON"}
SPOOF = {"mode": "SPOOF", "id": "SHP-VIPER", "spoof_id": "SHP-ALBA"}
SILENT = {"mode": "SILENT", "id": "SHP-MOTH"}
OFF = {"mode": "OFF", "id": "SHP-WRECK"}


def world(*contacts: dict) -> Contacts:
    spoofed = {"SHP-ALBA": "FRIEND"} if any("spoof_id" in one["transponder"] for one in contacts) else {}
    scenario = {"name": "t", "description": "t", "contacts": contacts, "identities": spoofed}
    return Contacts(Scenario.model_validate(scenario), UUID(int=1), np.random.default_rng(1))


def look(
    contacts: Contacts, own_position: Vector = AT_REST, own_velocity: Vector = AT_REST, threshold_m: float = 5000.0
) -> Detections:
    return Radar(PARAMETERS, np.random.default_rng(1), threshold_m).measure(contacts, own_position, own_velocity)


def ship(transponder: dict, y_m: float = SHORT_M, velocity_mps: Vector = AT_REST) -> dict:
    motion = {"kind": "constant_velocity", "position_m": [0, y_m, 0], "velocity_mps": velocity_mps}
    return {"id": f"at-{y_m:g}", "object_type": "SHIP", "transponder": transponder, "motion": motion}


@pytest.mark.parametrize(
    ("transponder", "claimed"),
    [(ON, "SHP-HERON"), (SPOOF, "SHP-ALBA"), (SILENT, None), (OFF, None)],
    ids=["on", "spoof", "silent", "off"],
)
def test_short_range_hears_what_the_reply_claims(transponder: dict[str, str], claimed: str | None):
    """A spoofer looks like whom it claims to be, and a silent one like one that is off."""
    (detection,) = look(world(ship(transponder))).to_models()
    assert detection.range_band == RadarRangeBand.RR_SR
    assert detection.transponder_on == (claimed is not None)
    assert detection.transponder_mode == (TransponderMode.ON if claimed else TransponderMode.OFF)
    assert detection.transponder_id == claimed
    assert detection.id_present == (claimed is not None)


@pytest.mark.parametrize("transponder", [ON, SPOOF, SILENT, OFF], ids=["on", "spoof", "silent", "off"])
def test_long_range_hears_nothing(transponder: dict[str, str]):
    (detection,) = look(world(ship(transponder, y_m=LONG_M))).to_models()
    assert detection.range_band == RadarRangeBand.RR_LR
    assert not detection.transponder_on
    assert detection.transponder_mode == TransponderMode.OFF
    assert detection.transponder_id is None
    assert detection.id_present is False


@pytest.mark.parametrize(("threshold_m", "band"), [(2900.0, RadarRangeBand.RR_LR), (3100.0, RadarRangeBand.RR_SR)])
def test_threshold_is_a_setting(threshold_m: float, band: RadarRangeBand):
    assert look(world(ship(ON)), threshold_m=threshold_m).range_band.tolist() == [band]


def test_band_goes_by_the_measured_range():
    contacts, radar = world(ship(ON, y_m=5000.0)), Radar(PARAMETERS, np.random.default_rng(1))
    looks = [radar.measure(contacts, AT_REST, AT_REST) for _ in range(100)]
    bands = {(bool(one.range_m[0] <= 5000.0), int(one.range_band[0])) for one in looks}
    assert bands == {(True, RadarRangeBand.RR_SR), (False, RadarRangeBand.RR_LR)}


@pytest.mark.parametrize(
    ("contact_mps", "own_mps", "expected_mps"),
    [
        ((0, -30, 0), (0, 0, 0), -30),
        ((0, 30, 0), (0, 0, 0), 30),
        ((30, 0, 0), (0, 0, 0), 0),
        ((0, 0, 0), (0, 10, 0), -10),
        ((0, 10, 0), (0, 10, 0), 0),
    ],
    ids=["closing", "leaving", "across", "approached", "abreast"],
)
def test_range_rate_is_relative_and_negative_when_closing(contact_mps: Vector, own_mps: Vector, expected_mps: float):
    detections = look(world(ship(ON, velocity_mps=contact_mps)), own_velocity=own_mps)
    assert detections.vr_mps[0] == pytest.approx(expected_mps, abs=0.5)


def test_is_relative_to_the_own_position():
    detections = look(world(ship(ON)), own_position=(-3000.0, 0.0, 0.0))
    assert detections.range_m[0] == pytest.approx(3000 * np.sqrt(2), abs=8)
    assert detections.bearing_deg[0] == pytest.approx(45, abs=1)


def test_nearest_first_whatever_the_order_in_the_file():
    ranges = [4000.0, 1000.0, 9000.0, 2500.0]
    detections = look(world(*(ship({"mode": "OFF"}, y_m=y_m) for y_m in ranges)))
    np.testing.assert_allclose(detections.range_m, sorted(ranges), atol=8)


def test_rows_models_and_arrays_say_the_same():
    contacts = Contacts(load_scenario("mixed-traffic"), UUID(int=1), np.random.default_rng(1))
    detections = look(contacts)
    models = detections.to_models()
    assert [one.model_dump() for one in models] == detections.rows()
    assert len(models) == len(detections) > 6
    assert [one.range_m for one in models] == detections.range_m.tolist()
    assert [one.transponder_id for one in models] == detections.transponder_id.tolist()
