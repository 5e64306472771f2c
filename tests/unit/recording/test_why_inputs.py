"""Every input of a flight can be changed by its dotted name, and a wrong name is told with those near it."""

from uuid import UUID

import pytest

from qiki.agent.discovery import NONE
from qiki.botspec.planes import BotParameters
from qiki.flight.flight import LOCKSTEP
from qiki.radar.model import SR_THRESHOLD_M
from qiki.world.scenario import load_scenario, scenario_names
from qiki_harness.errors import HarnessError
from qiki_harness.recording.reflight import FlightPlan
from qiki_harness.recording.why.inputs import InputTree


def plan(scenario: str = "collision", seed: int = 1) -> FlightPlan:
    world = load_scenario(scenario)
    return FlightPlan(UUID(int=1), world, seed, BotParameters(), SR_THRESHOLD_M, None, LOCKSTEP, NONE)


@pytest.fixture
def inputs() -> InputTree:
    return InputTree.of(plan())


@pytest.mark.parametrize("scenario", scenario_names())
def test_unchanged_they_are_those_of_the_plan(scenario: str):
    before = plan(scenario, seed=7)
    after = InputTree.of(before).plan(before)
    assert (after.seed, after.parameters, after.agent, after.engines) == (7, before.parameters, before.agent, NONE)
    assert after.scenario == before.scenario.model_copy(update={"seed": 7})
    assert InputTree.model_validate(InputTree.of(before).model_dump(mode="json")) == InputTree.of(before)


@pytest.mark.parametrize(
    ("setting", "words", "read", "value"),
    [
        ("seed=9", "seed were 9 instead of 1", "seed", 9),
        ("scenario.seed = 9", "scenario.seed were 9 instead of 1", "seed", 9),
        ("radar.pulses=8", None, "scenario.radar.pulses", 8),
        (
            "contacts.boulder.motion.velocity_mps=[1, 2, 3]",
            "contacts.boulder.motion.velocity_mps were [1, 2, 3] instead of [-15.0, -20.0, 0.0]",
            "scenario.contacts.0.motion.velocity_mps",
            (1.0, 2.0, 3.0),
        ),
        ("contacts.0.motion.velocity_mps.1=-5", None, "scenario.contacts.0.motion.velocity_mps.1", -5.0),
        (
            "contacts.boulder.rcs_m2=3",
            "contacts.boulder.rcs_m2 were 3 instead of nothing",
            "scenario.contacts.0.rcs_m2",
            3,
        ),
        ("contacts.boulder.side=FOE", None, "scenario.contacts.0.side.name", "FOE"),
        ("contacts.heron.transponder.mode=OFF", None, "scenario.contacts.1.transponder.mode.name", "OFF"),
        ("vehicle.propulsion.thrust_n=40", None, "parameters.propulsion.thrust_n", 40.0),
        (
            "vehicle.sensors.mean_time_between_failures_s.RADAR=9",
            None,
            "parameters.sensors.mean_time_between_failures_s.RADAR",
            9.0,
        ),
        ("rules.UNKNOWN_CONTACT_CLOSE.max_range_m=90", None, "rules.rules.0.max_range_m", 90.0),
        ("rules.SPOOFING_DETECTED.transponder_modes=[ON, SPOOF]", None, "rules.rules.2.transponder_modes.0.name", "ON"),
        ("agent.confidence_threshold=0.9", None, "agent.confidence_threshold", 0.9),
        ("agent.lockstep_ticks=4", None, "agent.lockstep_ticks", 4),
    ],
)
def test_a_value_is_changed_and_nothing_else(inputs: InputTree, setting, words, read, value):
    before = plan()
    changed, said = inputs.changed(setting)
    assert words in {said, None}
    after = changed.plan(before)
    assert at(after, read) == value
    assert at(inputs.plan(before), read) != value
    unchanged = inputs.plan(before)
    parts = ("scenario", "parameters", "rules", "agent")
    differing = [name for name in parts if getattr(after, name) != getattr(unchanged, name)]
    assert differing == [read.partition(".")[0] if read != "seed" else "scenario"]


def at(value: object, dotted: str) -> object:
    """A value by its names; None for a key that is not there."""
    for name in dotted.split("."):
        if isinstance(value, dict):
            value = {getattr(key, "name", key): one for key, one in value.items()}.get(name)
        else:
            value = value[int(name)] if isinstance(value, tuple) else getattr(value, name, None)
    return value


@pytest.mark.parametrize(
    ("setting", "problem"),
    [
        ("seed", "--set seed: expected FIELD=VALUE"),
        ("=1", "--set =1: expected FIELD=VALUE"),
        ("seed=1", "--set seed=1: it is 1 already"),
        ("seed=many", "--set seed=many: scenario.seed: Input should be a valid integer"),
        ("radar.pulses=0", "--set radar.pulses=0: scenario.radar.pulses: Input should be greater than or equal to 1"),
        ("frame_rate_hz=3", "--set frame_rate_hz=3: scenario.frame_rate_hz: 3 Hz does not fall on ticks"),
        ("agent.confidence=1", "--set agent.confidence: there is no such field (near it: agent.confidence_threshold)"),
        ("rules.UNKNOWN_CONTACT.max_range_m=1", "near it: rules.UNKNOWN_CONTACT_CLOSE.max_range_m"),
        ("contacts.bolder.side=FOE", "near it: contacts.boulder.side"),
        ("contacts.7.side=FOE", "there is no such field (near it: contacts."),
        ("seed.low=1", "there is no such field (near it: seed"),
        ("zzz=1", "there is no such field (near it: scenario, vehicle, rules, agent, name, "),
        ("agent.conduct=live", "there is no such field"),
        ("contacts=[", "--set contacts=[: scenario.contacts: Input should be a valid tuple"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(inputs: InputTree, setting: str, problem: str):
    with pytest.raises(HarnessError) as caught:
        inputs.changed(setting)
    assert problem in str(caught.value)
    assert "\n" not in str(caught.value)
