"""Specification files: the contract's parts have to be there, and a broken one gets one line with file, line, field."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from qiki.botspec import generate, load_spec
from qiki.botspec.planes import BotParameters
from qiki.errors import UserError

COMPONENTS = (
    "hull",
    "power",
    "propulsion",
    "docking",
    "antenna_xpdr",
    "sensors",
    "comms",
    "shields",
    "navigation",
    "sensor_mounts",
    "protocols",
)
CHANNELS = (
    "SensorFrame",
    "TrackSet",
    "ThrusterCmd",
    "ModeCmd",
    "ProtocolCmd",
    "EnergyStatus",
    "ShieldStatus",
    "NavState",
    "RegistrarEvent",
)

GOOD = """\
version: 1
kind: BotSpec
metadata: {id: SMALL-1}
components:
  hull: {type: structure, provides: [hardpoints]}
  power:
    type: dc_bus
    provides: [dc_out]
    consumes: [hardpoints]
    parameters:
      max_bus_a: 9
      battery:
        capacity_wh: 40
        start_pct: 50
        charge_limit_w: 10
        discharge_limit_w: 20
  propulsion:
    type: propulsors
    parameters:
      thrust_n: 5
  docking: {type: ports, parameters: {docked_at: A}}
  antenna_xpdr: {type: antenna}
  sensors:
    type: suite
    parameters:
      fitted: [IMU, RADAR]
      mean_time_between_failures_s: {IMU: 100}
  comms: {type: datalink, parameters: {xpdr_mode: SILENT}}
  shields: {type: defensive}
  navigation: {type: stack, consumes: [dc_out]}
  sensor_mounts: {type: mounts}
  protocols: {type: executor}
  thermal:
    type: network
    parameters:
      couplings:
        - {nodes: [core, pdu], conductance_w_per_k: 1}
  galley: {type: kitchen, provides: [tea]}
event_bus:
  channels: [SensorFrame, TrackSet, ThrusterCmd, ModeCmd, ProtocolCmd, EnergyStatus, ShieldStatus, NavState,
             RegistrarEvent, TeaTime]
"""
NODE = "{capacity_j_per_k: 1, cooling_w_per_k: 1, start_c: 20, trip_c: 50, hysteresis_k: 1}"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "bot.yaml"
    path.write_text(GOOD)
    return path


def complaint(path: Path, content: str) -> tuple[int, str]:
    """Line and words of what is said about a file."""
    path.write_text(content)
    with pytest.raises(UserError) as caught:
        load_spec(path)
    text = str(caught.value)
    assert "\n" not in text
    place, _, words = text.partition(": ")
    name, _, line = place.rpartition(":")
    assert name == str(path)
    return int(line), words


def test_reads_what_was_written(file: Path):
    spec = load_spec(file)
    assert spec.metadata.id == "SMALL-1"
    assert spec.components.power.parameters.battery.capacity_wh == 40.0
    assert spec.components.power.parameters.base_load_w == BotParameters().power.base_load_w
    assert spec.components.fitted["galley"].provides == ("tea",)
    assert set(spec.components.fitted) == {*COMPONENTS, "thermal", "galley"}
    assert spec.event_bus.channels[-1] == "TeaTime"


def bare(components: Iterable[str] = COMPONENTS, channels: Iterable[str] = CHANNELS) -> str:
    parts = "".join(f"  {name}: {{type: some}}\n" for name in components)
    head = "version: 1\nkind: BotSpec\nmetadata: {id: BARE}\n"
    return f"{head}components:\n{parts}event_bus:\n  channels: [{', '.join(channels)}]\n"


def test_the_contracts_parts_alone_are_enough_and_stand_for_the_default_numbers(file: Path):
    file.write_text(bare())
    spec = load_spec(file)
    assert tuple(spec.components.fitted) == COMPONENTS
    assert generate(spec).hardware_profile.parameters == BotParameters()


@pytest.mark.parametrize("name", COMPONENTS)
def test_no_component_of_the_contract_may_be_missing(file: Path, name: str):
    said = complaint(file, bare(components=[other for other in COMPONENTS if other != name]))
    assert said == (5, f"components.{name}: is missing")


@pytest.mark.parametrize("channel", CHANNELS)
def test_no_channel_of_the_contract_may_be_missing(file: Path, channel: str):
    line, words = complaint(file, bare(channels=[other for other in CHANNELS if other != channel]))
    assert (line, words.partition(" (")[0]) == (17, f"event_bus.channels: missing: {channel}")


BROKEN = {
    "nobody provides it": (
        "consumes: [dc_out]", "consumes: [tea, dc_out, coffee]", 30,
        "components.navigation.consumes.2: no component provides coffee (expected one of: dc_out, hardpoints, tea)",
    ),
    "consumed by one that comes first": (
        "provides: [hardpoints]", "consumes: [coffee]", 5, "components.hull.consumes.0: no component provides coffee",
    ),
    "provided twice by one": (
        "provides: [tea]", "provides: [tea, tea]", 38, "components.galley.provides.1: tea is given twice",
    ),
    "two channels missing": (
        "SensorFrame, TrackSet, ", "", 40, "event_bus.channels: missing: SensorFrame, TrackSet (expected SensorFrame,",
    ),
    "channel twice": ("TeaTime", "NavState", 41, "event_bus.channels.9: NavState is given twice"),
    "no channels": ("event_bus:\n  channels", "event_bus:\n  canals", 40, "event_bus.channels: is missing"),
    "no type": ("hull: {type: structure, ", "hull: {", 5, "components.hull.type: is missing"),
    "empty type": ("type: structure", "type: ''", 5, "components.hull.type: String should have at least 1"),
    "unknown key": ("version: 1", "version: 1\nauthor: me", 2, "author: is not a known key"),
    "unknown key of a component": (
        "antenna_xpdr: {type", "antenna_xpdr: {colour: red, type", 22, "components.antenna_xpdr.colour: is not a known",
    ),
    "unknown number": (
        "max_bus_a: 9", "max_bus_amps: 9", 11, "components.power.parameters.max_bus_amps: is not a known key",
    ),
    "numbers of a component without a plane": (
        "shields: {type: defensive", "shields: {type: defensive, parameters: {strength_pct: 5}", 29,
        "components.shields.parameters.strength_pct: is not a known key",
    ),
    "numbers of a component that nobody knows": (
        "provides: [tea]", "parameters: {kettle_w: 5}", 38, "components.galley.parameters.kettle_w: is not a known key",
    ),
    "no capacity": ("capacity_wh: 40", "capacity_wh: 0", 13, "components.power.parameters.battery.capacity_wh: "),
    "negative": ("capacity_wh: 40", "capacity_wh: -40", 13, "components.power.parameters.battery.capacity_wh: "),
    "not a number": ("thrust_n: 5", "thrust_n: strong", 20, "components.propulsion.parameters.thrust_n: "),
    "truth for a number": ("thrust_n: 5", "thrust_n: true", 20, "components.propulsion.parameters.thrust_n: input"),
    "not finite": ("thrust_n: 5", "thrust_n: .inf", 20, "components.propulsion.parameters.thrust_n: "),
    "no number at all": ("thrust_n: 5", "thrust_n: .nan", 20, "components.propulsion.parameters.thrust_n: "),
    "beyond any vehicle": ("thrust_n: 5", "thrust_n: 1.0e+300", 20, "components.propulsion.parameters.thrust_n: "),
    "more than full": ("start_pct: 50", "start_pct: 101", 14, "components.power.parameters.battery.start_pct: "),
    "part of a battery": (
        "        start_pct: 50\n", "", 13, "components.power.parameters.battery.start_pct: is missing",
    ),
    "thresholds turned round": (
        "max_bus_a: 9", "soc_shed_high_pct: 10", 11,
        "components.power.parameters.soc_shed_high_pct: 10 % is below soc_shed_low_pct, 20 %",
    ),
    "a share of more than all": (
        "couplings:\n        - {nodes: [core, pdu], conductance_w_per_k: 1}", "nbl_share: 1.1", 36,
        "components.thermal.parameters.nbl_share: ",
    ),
    "below absolute zero": (
        "couplings:\n        - {nodes: [core, pdu], conductance_w_per_k: 1}", "ambient_c: -274", 36,
        "components.thermal.parameters.ambient_c: ",
    ),
    "a node without the others": (
        "couplings:\n        - {nodes: [core, pdu], conductance_w_per_k: 1}", f"nodes:\n        core: {NODE}", 37,
        "components.thermal.parameters.nodes: pdu is missing (expected core, pdu, supercap, battery,",
    ),
    "no such node": (
        "[core, pdu]", "[core, sun]", 37, "components.thermal.parameters.couplings.0.nodes.1: Input should be 'core', ",
    ),
    "joined with itself": (
        "[core, pdu]", "[core, core]", 37, "components.thermal.parameters.couplings.0.nodes: core is coupled with",
    ),
    "no such sensor": (
        "[IMU, RADAR]", "[IMU, NOSE]", 26,
        "components.sensors.parameters.fitted.1: input should be LIDAR, IMU, GPS, THERMAL or RADAR, got 'NOSE'",
    ),
    "sensor twice": (
        "[IMU, RADAR]", "[IMU, IMU]", 26, "components.sensors.parameters.fitted.1: IMU is given twice",
    ),
    "no sensors": ("[IMU, RADAR]", "[]", 26, "components.sensors.parameters.fitted: "),
    "a sensor that is not fitted fails": (
        "{IMU: 100}", "{GPS: 100}", 27, "components.sensors.parameters.mean_time_between_failures_s.GPS: is not fitted",
    ),
    "an unknown sensor fails": (
        "{IMU: 100}", "{NOSE: 100}", 27, "components.sensors.parameters.mean_time_between_failures_s.NOSE: input",
    ),
    "no such mode": (
        "xpdr_mode: SILENT", "xpdr_mode: LOUD", 28,
        "components.comms.parameters.xpdr_mode: input should be ON, OFF, SILENT or SPOOF, got 'LOUD'",
    ),
    "no such port": ("docked_at: A", "docked_at: C", 21, "components.docking.parameters.docked_at: Input should be"),
    "another kind of file": ("kind: BotSpec", "kind: Scenario", 2, "kind: Input should be 'BotSpec', got 'Scenario'"),
    "a version to come": ("version: 1", "version: 2", 1, "version: Input should be 1, got 2"),
    "no version": ("version: 1", "version: true", 1, "version: input should be a number, not true or false"),
    "no id": ("{id: SMALL-1}", "{}", 3, "metadata.id: is missing"),
    "an id of two words": ("id: SMALL-1", "id: small one", 3, "metadata.id: String should match pattern"),
    "a component's name of two words": ("galley:", "my galley:", 38, "components.my galley: "),
    "a component's name that is a number": ("galley:", "7:", 38, "components.7: "),
    "a component twice": ("galley:", "thermal:", 38, "not valid YAML: key 'thermal' is given twice"),
    "a component that is a word": ("shields: {type: defensive}", "shields: strong", 29, "components.shields: "),
    "not YAML": ("{type: mounts}", "{type: mounts", 32, "not valid YAML: "),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "line", "says"), BROKEN.values(), ids=BROKEN)
def test_a_broken_file_gets_one_line(file: Path, old: str, new: str, line: int, says: str):
    assert old in GOOD
    at, words = complaint(file, GOOD.replace(old, new, 1))
    assert (at, words[: len(says)]) == (line, says)


def test_a_file_that_is_not_there(tmp_path: Path):
    with pytest.raises(UserError, match=r"nowhere.yaml: cannot be read: No such file or directory$"):
        load_spec(tmp_path / "nowhere.yaml")
