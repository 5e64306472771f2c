"""The rule engine: the vehicle's mode, and what deserves a look."""

from typing import Any

import pytest

from qiki.agent.mode import rules
from qiki.agent.mode.bios import examine, status
from qiki.agent.proposals import Proposal
from qiki.agent.sim_instant import SimInstant
from qiki.agent.vehicle import ActuatorReport
from qiki.agent.world import ActiveAlert, World
from qiki.botspec import BotConfig
from qiki.contracts.enums import CommandType, FSMState, ProposalType
from qiki.contracts.events import Evidence

BOOTING, IDLE, ACTIVE, ERROR, SHUTDOWN = list(FSMState)[1:]


@pytest.fixture
def propose(config: BotConfig) -> Any:
    def proposed(world: World, state: FSMState = IDLE, vehicle: FSMState | None = IDLE) -> tuple[Proposal, ...]:
        return rules.propose(world, state, vehicle, config.hardware_profile.power_plane)

    return proposed


@pytest.mark.parametrize(
    ("state", "vehicle", "wanted"),
    [
        (BOOTING, None, None),
        (IDLE, None, IDLE),
        (IDLE, IDLE, None),
        (ACTIVE, IDLE, None),
        (ACTIVE, None, IDLE),
        (IDLE, ERROR, IDLE),
        (ERROR, None, ERROR),
        (ERROR, IDLE, ERROR),
        (ERROR, ERROR, None),
        (SHUTDOWN, ERROR, None),
    ],
)
def test_mode(propose: Any, make: Any, state: FSMState, vehicle: FSMState | None, wanted: FSMState | None):
    assert [rules.mode_of(one) for one in propose(make.world(), state, vehicle)] == ([wanted] if wanted else [])


def test_mode_is_a_matter_of_safety(propose: Any, make: Any):
    (proposal,) = propose(make.world(), ERROR)
    (action,) = proposal.actions
    assert (action.actuator, action.command, action.value) == ("system_controller", CommandType.SET_MODE, 4.0)
    assert (proposal.type, proposal.priority, proposal.confidence) == (ProposalType.SAFETY, 0.99, 1.0)
    assert [one.subject for one in proposal.rests_on] == ["qiki.telemetry"]


def test_mode_has_the_evidence_of_safe_mode(config: BotConfig, make: Any):
    alert = Evidence(subject="qiki.events.v1.radar.guard", sequence=3, age_s=0.1)
    (proposal,) = rules.propose(make.world(), ERROR, IDLE, config.hardware_profile.power_plane, (alert,))
    assert proposal.rests_on == (alert,)


def concerns(proposals: tuple[Proposal, ...]) -> list[str]:
    assert all((one.type, one.actions, one.confidence) == (ProposalType.DIAGNOSTICS, (), 0.6) for one in proposals)
    return [one.justification for one in proposals]


def test_guard_warning_only(propose: Any, make: Any):
    evidence = Evidence(subject="qiki.events.v1.radar.guard", sequence=3, age_s=0.1)
    alerts = tuple(
        ActiveAlert(make.alert(number, severity=severity), evidence)
        for number, severity in enumerate(("warning", "critical", "info"))
    )
    (proposal,) = propose(make.world(alerts=alerts))
    assert concerns((proposal,)) == ["an unknown contact is close: 60 m"]
    assert proposal.rests_on == (evidence,)


@pytest.mark.parametrize(("soc_pct", "expected"), [(30.0, []), (29.9, ["the battery is under 30 %"])])
def test_low_power(propose: Any, make: Any, soc_pct: float, expected: list[str]):
    assert concerns(propose(make.world(own=make.telemetry(power={"soc_pct": soc_pct})))) == expected


def test_heat(propose: Any, make: Any):
    own = make.telemetry(nodes={"core": (80.0, False), "pdu": (80.1, False), "battery": (95.0, True)})
    assert concerns(propose(make.world(own=own))) == ["pdu is within 10 K of its trip at 90 °C"]


def test_devices_with_the_same_message_are_one_concern(propose: Any, config: BotConfig, make: Any):
    last_two = config.hardware_profile.actuators[-2:]
    reports = {one.id: ActuatorReport(one.role, ready=False, message="no propellant") for one in last_two}
    barred = make.answers(config, actuators=reports)
    own = make.telemetry(power={"faults": ("SUPPLY_LIMIT",)})
    bios = status(examine(config, barred, own), SimInstant(make.RUN, make.START_S, 1), 0.0)
    assert concerns(propose(make.world(bios=bios))) == ["rcs_up, rcs_down: no propellant", "power: SUPPLY_LIMIT"]


def test_known_mode_is_the_last_accepted_one():
    vehicle = rules.VehicleMode()
    assert vehicle.known is None
    vehicle.commanded(ERROR, True)
    assert vehicle.known is ERROR
    vehicle.commanded(IDLE, False)
    assert vehicle.known is ERROR
    vehicle.commanded(IDLE, None)
    assert vehicle.known is None


@pytest.mark.parametrize(
    ("run", "t_s", "known"), [(1, 11.0, True), (1, 10.0, True), (1, 0.05, False), (2, 11.0, False)]
)
def test_mode_of_another_vehicle_is_not_known(make: Any, run: int, t_s: float, known: bool):
    vehicle = rules.VehicleMode()
    vehicle.update(make.world(run_id=make.run(1), own=make.telemetry(10.0)))
    vehicle.commanded(ERROR, True)
    vehicle.update(make.world(run_id=make.run(run), own=make.telemetry(t_s)))
    assert (vehicle.known is ERROR) is known


@pytest.mark.parametrize(
    ("commanded", "reported", "after_s", "known"),
    [
        (ERROR, True, 0.1, True),
        (ERROR, None, 0.1, True),
        (ERROR, False, 0.1, False),
        (IDLE, False, 0.1, True),
        (IDLE, True, 0.1, False),
        (IDLE, True, 0.0, True),
    ],
    ids=["obeyed", "not-known", "left-it", "left", "still-in-it", "no-tick-yet"],
)
def test_report_of_the_vehicle_counts_after_its_next_tick(
    make: Any, commanded: FSMState, reported: bool | None, after_s: float, known: bool
):
    vehicle = rules.VehicleMode()
    vehicle.update(make.world(own=make.telemetry(10.0)))
    vehicle.commanded(commanded, True)
    vehicle.update(make.world(own=make.telemetry(10.0 + after_s)))
    vehicle.observed(reported)
    assert vehicle.known is (commanded if known else None)
