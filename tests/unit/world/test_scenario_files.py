"""Scenario files: how they are found, and that a broken one gets one line with file, line and field."""

from pathlib import Path

import pytest

from qiki.contracts.enums import FriendFoe, ObjectType, RadarRangeBand, TransponderMode
from qiki.contracts.headers import (
    MAX_HEADER_BYTES,
    MAX_IDENTITIES_BYTES,
    RADAR,
    FrameOrigin,
    encoded,
    identities_text,
)
from qiki.contracts.numbers import MAX_FRAME
from qiki.errors import UserError
from qiki.radar import RadarParameters
from qiki.world.scenario import load_named_scenario, load_scenario, scenario_names

GOOD = """\
name: sample
description: Two ships
epoch: 2026-03-01T12:00:00Z
seed: 3
frame_rate_hz: 5
identities:
  SHP-ALBA: FRIEND
contacts:
  - id: alba
    object_type: SHIP
    side: FRIEND
    transponder: {mode: ON, id: SHP-ALBA, schedule: [{at_s: 5, mode: OFF}, {at_s: 9, mode: ON}]}
    motion:
      kind: waypoints
      position_m: [0, 1000, 0]
      legs:
        - {to_m: [500, 1000, 0], speed_mps: 10}
  - id: other
    object_type: SHIP
    transponder: {mode: SPOOF, spoof_id: SHP-ALBA}
    motion:
      kind: orbit
      centre_m: [0, 0, 0]
      radius_m: 300
      period_s: 60
swarms:
  - id: bee
    count: 2
    radius_m: [100, 200]
    speed_mps: [1, 2]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sample.yaml").write_text(GOOD)
    return tmp_path


def test_reads_what_was_written(folder: Path):
    scenario = load_scenario("sample", folder)
    assert (scenario.name, scenario.seed, scenario.frame_rate_hz) == ("sample", 3, 5.0)
    assert scenario.epoch.isoformat() == "2026-03-01T12:00:00+00:00"
    assert scenario.identities == {"SHP-ALBA": FriendFoe.FRIEND}
    alba, other = scenario.contacts
    assert (alba.object_type, alba.side, other.side) == (ObjectType.SHIP, FriendFoe.FRIEND, FriendFoe.UNKNOWN)
    assert alba.transponder.modes == (TransponderMode.ON, TransponderMode.OFF, TransponderMode.ON)
    assert other.motion.kind == "orbit"


def test_by_name_or_by_path(folder: Path):
    path = folder / "sample.yaml"
    assert load_scenario("sample", folder) == load_scenario(path) == load_scenario(str(path))
    assert scenario_names(folder) == ["sample"]


def test_an_unknown_name_is_answered_with_the_known_ones(folder: Path):
    with pytest.raises(UserError, match=r"^no scenario is called 'simple' \(expected one of: sample\)$"):
        load_scenario("simple", folder)


@pytest.mark.parametrize("name", ["../sample", "/etc/passwd", "sample.yaml", "", "sample\x00"])
def test_a_name_never_leads_out_of_the_folder(folder: Path, name: str):
    (folder / "inner").mkdir()
    with pytest.raises(UserError, match="no scenario is called"):
        load_named_scenario(name, folder / "inner")


BROKEN = {
    "no name": ("name: sample\n", "", 1, "name: is missing"),
    "unknown key": ("seed: 3", "sede: 3", 4, "sede: is not a known key"),
    "unknown key of a motion": ("period_s: 60", "period_s: 60\n      speed: 3", 26, "contacts.1.motion.speed: is not"),
    "key twice": ("seed: 3", "seed: 3\nseed: 4", 5, "seed"),
    "not YAML": ("seed: 3", "seed: [3", 5, ""),
    "not a number": ("seed: 3", "seed: many", 4, "seed: "),
    "truth for a number": ("radius_m: 300", "radius_m: yes", 24, "contacts.1.motion.radius_m: "),
    "not finite": ("period_s: 60", "period_s: .inf", 25, "contacts.1.motion.period_s: "),
    "no speed": ("speed_mps: 10", "speed_mps: 0", 17, "contacts.0.motion.legs.0.speed_mps: "),
    "negative speed": ("speed_mps: 10", "speed_mps: -1", 17, "contacts.0.motion.legs.0.speed_mps: "),
    "epoch at the end of time": ("2026-03-01T12:00:00Z", "9999-12-31T00:00:00Z", 3, "epoch: 9999-12-31 is too far"),
    "epoch before time": ("2026-03-01T12:00:00Z", "1969-12-31T23:59:59Z", 3, "(expected 1970-01-01 to 2200-01-01)"),
    "epoch at the edge of its zone": ("2026-03-01T12:00:00Z", "9999-12-31T23:59:59-12:00", 3, "epoch: "),
    "no zone": ("12:00:00Z", "12:00:00", 3, "epoch: "),
    "two coordinates": ("position_m: [0, 1000, 0]", "position_m: [0, 1000]", 15, "contacts.0.motion.position_m"),
    "unknown type": (
        "object_type: SHIP\n    side",
        "object_type: BOAT\n    side",
        10,
        "contacts.0.object_type: input should be DRONE, SHIP, STATION, ASTEROID or DEBRIS",
    ),
    "unknown side": ("side: FRIEND", "side: ALLY", 11, "contacts.0.side: input should be FRIEND, FOE or UNKNOWN"),
    "unknown mode": ("mode: SPOOF", "mode: FAKE", 20, "contacts.1.transponder.mode: input should be ON, OFF, SILENT"),
    "unknown motion": ("kind: orbit", "kind: spiral", 22, "contacts.1.motion"),
    "frames between ticks": ("frame_rate_hz: 5", "frame_rate_hz: 3", 5, "frame_rate_hz: 3 Hz does not fall on ticks"),
    "frames above ticks": ("frame_rate_hz: 5", "frame_rate_hz: 40", 5, "frame_rate_hz: "),
    "no such fluctuation": (
        "id: other",
        "id: other\n    swerling: 2",
        19,
        "contacts.1.swerling: Input should be 0, 1 or 3, got 2",
    ),
    "look too long": (
        "seed: 3",
        "seed: 3\nradar: {pulses: 4000}",
        5,
        "radar.pulses: one look takes 0.5 s (expected at most a frame's 0.2 s)",
    ),
    "id twice": ("id: other", "id: alba", 18, "contacts.1.id: contact id alba is taken"),
    "id of a swarm's member": ("id: other", "id: bee-001", 27, "swarms.0.id: contact id bee-001 is taken"),
    "nobody spoofed": ("spoof_id: SHP-ALBA", "spoof_id: SHP-ALBI", 20, "contacts.1.transponder.spoof_id: unknown"),
    "spoofs itself": (
        "spoof_id: SHP-ALBA",
        "spoof_id: SHP-X, id: SHP-X",
        20,
        "contacts.1.transponder.spoof_id: SHP-X is its own id",
    ),
    "nothing to spoof": (
        "{mode: SPOOF, spoof_id: SHP-ALBA}",
        "{mode: SPOOF}",
        20,
        "contacts.1.transponder: mode SPOOF",
    ),
    "nothing to say": ("id: SHP-ALBA, schedule", "schedule", 12, "contacts.0.transponder: mode ON needs an id"),
    "transponder twice": (
        "{mode: SPOOF, spoof_id: SHP-ALBA}",
        "{mode: ON, id: SHP-ALBA}",
        20,
        "contacts.1.transponder.id: transponder id SHP-ALBA is taken",
    ),
    "unused identity": (
        "  SHP-ALBA: FRIEND",
        "  SHP-ALBA: FRIEND\n  SHP-MOTH: FOE",
        8,
        "identities.SHP-MOTH: no contact",
    ),
    "identity of no side": ("  SHP-ALBA: FRIEND", "  SHP-ALBA: UNKNOWN", 7, "identities.SHP-ALBA: input should be"),
    "identity disagrees": ("  SHP-ALBA: FRIEND", "  SHP-ALBA: FOE", 11, "contacts.0.side: is FRIEND, but identities"),
    "schedule goes back": ("at_s: 9", "at_s: 4", 12, "contacts.0.transponder.schedule.1.at_s: 4 s is not after 5 s"),
    "gone before it came": (
        "id: other",
        "id: other\n    appears_at_s: 9\n    disappears_at_s: 8",
        20,
        "contacts.1.disappears_at_s: 8 s is not after appears_at_s, 9 s",
    ),
    "two rates": (
        "period_s: 60",
        "period_s: 60\n      speed_mps: 5",
        25,
        "contacts.1.motion.period_s: expected either",
    ),
    "no rate": ("      period_s: 60\n", "", 22, "contacts.1.motion: expected either"),
    "leg of no length": ("to_m: [500, 1000, 0]", "to_m: [0, 1000, 0]", 17, "contacts.0.motion.legs.0.to_m: leg ends"),
    "bounds turned round": ("radius_m: [100, 200]", "radius_m: [200, 100]", 29, "swarms.0.radius_m: 200 to 100"),
    "negative bounds": ("speed_mps: [1, 2]", "speed_mps: [-1, 2]", 30, "swarms.0.speed_mps.0: "),
    "a crowd": (
        "    count: 2\n",
        "    count: 1500\n"
        + "".join(f"    radius_m: [1, 2]\n    speed_mps: [0, 1]\n  - id: wasp{i}\n    count: 1500\n" for i in range(2)),
        27,
        "swarms: 4502 contacts in all (expected at most 4000)",
    ),
    "spoofing swarm": (
        "count: 2",
        "count: 2\n    transponder_mode: SPOOF",
        29,
        "swarms.0.transponder_mode: input should",
    ),
    "range beyond the ambiguity": (
        "seed: 3",
        "seed: 3\nradar: {max_range_m: 20000}",
        5,
        "radar.max_range_m: 20000 m is",
    ),
}


@pytest.mark.parametrize(("old", "new", "line", "says"), BROKEN.values(), ids=BROKEN)
def test_a_broken_file_gets_one_line(folder: Path, old: str, new: str, line: int, says: str):
    assert old in GOOD
    path = folder / "sample.yaml"
    path.write_text(GOOD.replace(old, new, 1))
    with pytest.raises(UserError) as caught:
        load_scenario("sample", folder)
    text = str(caught.value)
    assert "\n" not in text
    place, _, rest = text.partition(": ")
    assert place == f"{path}:{line}", text
    assert says in rest


def test_a_loop_does_not_end_where_it_began(folder: Path):
    path = folder / "sample.yaml"
    leg = "        - {to_m: [500, 1000, 0], speed_mps: 10}\n"
    back = "        - {to_m: [0, 1000, 0], speed_mps: 10}\n      then: loop\n"
    path.write_text(GOOD.replace(leg, leg + back))
    with pytest.raises(UserError, match=r"yaml:18: contacts\.0\.motion\.legs\.1\.to_m: a loop closes by itself"):
        load_scenario("sample", folder)


def crowd(letters: int, count: int) -> str:
    """Two swarms, all of whose members have an identity."""
    swarms = [f"{end * (letters - 5)}s" for end in "ab"]
    members = [f"{swarm}-{number:03d}" for swarm in swarms for number in range(count)]
    return (
        "name: crowd\ndescription: many\nidentities:\n"
        + "".join(f"  {member}: FRIEND\n" for member in members)
        + "swarms:\n"
        + "".join(
            f"  - {{id: {swarm}, count: {count}, side: FRIEND, transponder_mode: ON, "
            "radius_m: [100, 200], speed_mps: [1, 2]}\n"
            for swarm in swarms
        )
    )


def test_identities_that_the_frames_headers_have_no_room_for_are_refused(tmp_path: Path):
    path = tmp_path / "crowd.yaml"
    path.write_text(crowd(letters=14, count=2000))
    with pytest.raises(UserError, match=r"crowd.yaml:4: identities: 4000 identities take 69999 bytes in every frame's"):
        load_scenario(path)


def test_as_many_identities_as_a_scenario_may_have_fit_into_the_headers_of_a_frame(tmp_path: Path):
    path = tmp_path / "crowd.yaml"
    path.write_text(crowd(letters=12, count=1937))
    identities = load_scenario(path).identities
    origin = FrameOrigin("6f1c3d1e-0000-4000-8000-000000000001", MAX_FRAME, (-1e-300,) * 3, (-1e-300,) * 3, identities)
    figures = RadarParameters().figures.text()
    head = encoded(origin.headers(RadarRangeBand.RR_UNSPECIFIED, "2026-01-01T00:00:00.000000Z") | {RADAR: figures})
    assert MAX_IDENTITIES_BYTES - 200 < len(identities_text(identities)) <= MAX_IDENTITIES_BYTES
    assert len(head) + 2000 < MAX_HEADER_BYTES
