"""Meetings of contacts, flown through the simulator's radar: a friend stays a friend, and a spoofer is found."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from qiki.arrays import Array
from qiki.contracts.enums import FriendFoe, RadarTrackStatus, TransponderMode
from qiki.flight import Flight
from qiki.geometry import unit_vectors
from qiki.tracking import TrackReports
from qiki.world.scenario import Scenario

MEETING_S, END_S = 10.0, 22.0
APART_M = 180.0
NEAR_M = 40.0
"""A track this near to a contact stands for it, once the contacts are twice as far apart."""
FRIEND, FOE, UNKNOWN = FriendFoe.FRIEND, FriendFoe.FOE, FriendFoe.UNKNOWN
SPOOF = TransponderMode.SPOOF
SEEDS = range(12)
RATES = pytest.mark.parametrize("rate_hz", [10.0, pytest.param(1.0, marks=pytest.mark.long)])


@dataclass(frozen=True)
class Meeting:
    """Two courses that cross within 30 m at `MEETING_S`, drawn from a seed; with `turn` each takes the other's.

    The contacts begin as two echoes: they are drawn again until they are `APART_M` from one another at first.
    """

    rng: np.random.Generator
    place: Array  # (2, 3) [m]
    velocity: Array  # (2, 3) [m/s]
    turn: bool

    @classmethod
    def drawn(cls, seed: int, turn: bool = False) -> "Meeting":
        rng = np.random.default_rng(seed)
        sight = unit_vectors(rng.uniform(0, 2 * np.pi, 1), rng.uniform(-0.3, 0.3, 1))[0]
        velocity = np.zeros((2, 3))
        while np.linalg.norm(velocity[1] - velocity[0]) * MEETING_S < APART_M:
            heading, angle = rng.uniform(0, 2 * np.pi), np.radians(rng.uniform(10, 90))
            velocity = rng.uniform(20, 60, (2, 1)) * unit_vectors(np.array([heading, heading + angle]), np.zeros(2))
        aside = np.cross(velocity[1] - velocity[0], rng.normal(size=3))
        place = np.tile(rng.uniform(500, 2_500) * sight, (2, 1))
        place[1] += rng.uniform(0, 30) * aside / np.linalg.norm(aside)
        return cls(rng, place, velocity, turn)

    def motion(self, number: int) -> dict[str, Any]:
        """Return the motion of one of the two contacts."""
        place, velocity, other = self.place[number], self.velocity[number], self.velocity[1 - number]
        start = (place - MEETING_S * velocity).tolist()
        if not self.turn:
            return {"kind": "constant_velocity", "position_m": start, "velocity_mps": velocity.tolist()}
        legs = [
            {"to_m": place.tolist(), "speed_mps": float(np.linalg.norm(velocity))},
            {"to_m": (place + 60 * other).tolist(), "speed_mps": float(np.linalg.norm(other))},
        ]
        acceleration = max(4.0, float(np.linalg.norm(velocity - other)) / 10)
        return {"kind": "waypoints", "position_m": start, "legs": legs, "turn_acceleration_mps2": acceleration}


def contact(name: str, side: FriendFoe, motion: dict[str, Any], **transponder: Any) -> dict[str, Any]:
    return {"id": name, "object_type": "DRONE", "side": side.name, "transponder": transponder, "motion": motion}


def scenario(seed: int, rate_hz: float, *contacts: dict[str, Any]) -> Scenario:
    """Return the scenario of some contacts; each transponder's own identity is known, with its contact's side."""
    known = {one["transponder"]["id"]: one["side"] for one in contacts if "id" in one["transponder"]}
    return Scenario.model_validate(
        {"name": "meeting", "description": "Contacts meet", "seed": seed, "frame_rate_hz": rate_hz}
        | {"identities": known, "contacts": contacts}
    )


@dataclass(frozen=True)
class Sight:
    """The tracks that stand for a contact, scan by scan, while no other contact is near."""

    track_id: list[str]
    iff: list[int]
    mode: list[int]


def fly(flown: Scenario) -> dict[str, Sight]:
    """Fly a scenario, and return what the tracker said of each contact."""
    flight = Flight(flown, agent=None)
    sights = {name: Sight([], [], []) for name in flight.world.contacts.names}
    for moment in flight.fly(END_S):
        if moment.frame is not None:
            positions = moment.frame.states.positions - np.array(moment.frame.measured.own_position_m)
            _look(moment.frame.tracked.reports, dict(zip(sights, positions, strict=True)), sights)
    return sights


def _look(reports: TrackReports, positions: dict[str, Array], sights: dict[str, Sight]) -> None:
    for name, position in positions.items():
        others = [np.linalg.norm(other - position) for key, other in positions.items() if key != name]
        distance = np.linalg.norm(reports.position - position, axis=1)
        distance[reports.status == RadarTrackStatus.LOST] = np.inf
        row = int(np.argmin(distance))
        if min(others) > 2 * NEAR_M and distance[row] < NEAR_M:
            sights[name].track_id.append(reports.track_id[row])
            sights[name].iff.append(int(reports.iff[row]))
            sights[name].mode.append(int(reports.transponder_mode[row]))


def silent_from(at_s: float, identity: str) -> dict[str, Any]:
    return {"mode": "ON", "id": identity, "schedule": [{"at_s": at_s, "mode": "SILENT"}]}


FRIEND_ON, OTHER_ON = {"mode": "ON", "id": "F-1"}, {"mode": "ON", "id": "N-1"}
REPLIES = {
    "the other is silent": (FRIEND_ON, {"mode": "OFF"}),
    "both reply": (FRIEND_ON, OTHER_ON),
    "the other falls silent": (FRIEND_ON, silent_from(MEETING_S, "N-1")),
    "the friend falls silent": (silent_from(MEETING_S, "F-1"), OTHER_ON),
}


@RATES
@pytest.mark.parametrize("turn", [False, True])
@pytest.mark.parametrize("replies", REPLIES)
def test_who_meets_another_keeps_track_and_identity(replies: str, turn: bool, rate_hz: float):
    """Of two that turn while they are one echo the silent one's track may be lost: the friend is asked for alone."""
    for seed in SEEDS:
        meeting = Meeting.drawn(seed, turn)
        mine, others = REPLIES[replies]
        side = FOE if "id" in others else UNKNOWN
        seen = fly(
            scenario(
                seed,
                rate_hz,
                contact("friend", FRIEND, meeting.motion(0), **mine),
                contact("other", side, meeting.motion(1), **others),
            )
        )
        assert SPOOF not in seen["friend"].mode + seen["other"].mode, f"seed {seed}: one is called a spoofer"
        for name, expected in (("friend", FRIEND), ("other", side))[: 1 if turn else 2]:
            found = seen[name]
            assert found.iff[-1] == expected, f"seed {seed}: {name}"
            assert found.track_id[-1] == found.track_id[0], f"seed {seed}: {name} has another track"


CLAIM_S = {"before they meet": MEETING_S - 5, "when they meet": MEETING_S, "after they met": MEETING_S + 3}


def spoofing_from(at_s: float, seed: int) -> dict[str, Any]:
    """Return a transponder that claims the friend's identity; before, every other one has claims of its own."""
    first = {"mode": "ON", "id": "S-1"} if seed % 2 else {"mode": "SILENT"}
    return first | {"spoof_id": "F-1", "schedule": [{"at_s": at_s, "mode": "SPOOF"}]}


@RATES
@pytest.mark.parametrize("claim", CLAIM_S)
def test_a_spoofer_that_meets_the_friend_whose_identity_it_claims_is_found(claim: str, rate_hz: float):
    for seed in SEEDS:
        meeting = Meeting.drawn(seed)
        seen = fly(
            scenario(
                seed,
                rate_hz,
                contact("friend", FRIEND, meeting.motion(0), **FRIEND_ON),
                contact("spoofer", FOE, meeting.motion(1), **spoofing_from(CLAIM_S[claim], seed)),
            )
        )
        assert (seen["spoofer"].mode[-1], seen["spoofer"].iff[-1]) == (SPOOF, UNKNOWN), f"seed {seed}"
        assert FRIEND not in seen["spoofer"].iff, f"seed {seed}: believed"
        assert SPOOF not in seen["friend"].mode, f"seed {seed}: the friend is called a spoofer"
        assert seen["friend"].iff[-1] == FRIEND, f"seed {seed}"


@RATES
def test_a_spoofer_that_meets_another_is_found_while_the_friend_is_elsewhere(rate_hz: float):
    for seed in SEEDS:
        meeting = Meeting.drawn(seed)
        away = {"kind": "constant_velocity", "position_m": (meeting.place[0] * [-1, -1, 1]).tolist()}
        seen = fly(
            scenario(
                seed,
                rate_hz,
                contact("friend", FRIEND, away, **FRIEND_ON),
                contact("silent", UNKNOWN, meeting.motion(0), mode="OFF"),
                contact("spoofer", FOE, meeting.motion(1), **spoofing_from(MEETING_S, seed)),
            )
        )
        assert (seen["spoofer"].mode[-1], seen["spoofer"].iff[-1]) == (SPOOF, UNKNOWN), f"seed {seed}"
        assert SPOOF not in seen["friend"].mode + seen["silent"].mode, f"seed {seed}"
        assert seen["friend"].iff[-1] == FRIEND, f"seed {seed}"
