"""The bot's configuration: the contract's shape, made from the specification and from nothing else."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from qiki.botspec import BotConfig, BotSpec, generate, load_spec, profile_hash
from qiki.botspec.planes import SensorKind, sensor_id
from qiki.contracts.enums import TransponderMode

Changed = Callable[[Callable[[dict[str, Any]], object]], BotSpec]

ACTUATORS = {
    "motor_left": ("37dcb32c-ae13-5156-ae80-0f4c663824de", ["SET_VELOCITY", "ROTATE"]),
    "motor_right": ("2b2c711f-0e36-5e6b-85fc-d8737fd5e1da", ["SET_VELOCITY", "ROTATE"]),
    "system_controller": ("c0648061-af84-5c8a-a383-71218ba92082", ["SET_MODE"]),
    "rcs_forward": ("e6b718f2-769c-527c-a931-d2d7bb2cad82", ["SET_VELOCITY"]),
    "rcs_aft": ("aad7ce7d-9ee6-5949-9c45-c3baf309ca44", ["SET_VELOCITY"]),
    "rcs_port": ("e03efa3e-5735-5a82-8f5c-9a9d9dfff351", ["SET_VELOCITY"]),
    "rcs_starboard": ("3ceca74a-2a9e-5aec-a308-4c24c9102324", ["SET_VELOCITY"]),
    "rcs_up": ("6c880f45-ec7b-5762-aacd-4b5e2aca2a1b", ["SET_VELOCITY"]),
    "rcs_down": ("e85d5fc3-7dbb-5530-a767-282a16d14e25", ["SET_VELOCITY"]),
}


def test_its_shape_is_the_contracts():
    config = json.loads(generate(load_spec()).model_dump_json())
    assert config.keys() == {"schema_version", "bot_id", "bot_type", "mode", "hardware_profile", "runtime_profile"}
    assert (config["schema_version"], config["bot_id"]) == ("1.0", "QIKI-DODECA-01")
    planes = {"power_plane", "thermal_plane", "propulsion_plane", "docking_plane", "sensor_plane", "comms_plane"}
    assert planes | {"actuators", "sensors"} <= config["hardware_profile"].keys()
    assert config["runtime_profile"]["navigation"] == {
        "provides": ["nav_state", "motion_command"],
        "consumes": ["sensor_frame", "computing"],
    }


def test_actuators_are_those_that_the_wire_knows():
    config = json.loads(generate(load_spec()).model_dump_json())
    listed = {one["role"]: (one["id"], one["commands"]) for one in config["hardware_profile"]["actuators"]}
    assert listed == ACTUATORS


def test_sensors_are_those_that_are_fitted(changed: Changed):
    spec = changed(lambda content: content["components"]["sensors"]["parameters"].update(fitted=["RADAR", "IMU"]))
    config = json.loads(generate(spec).model_dump_json())
    assert config["hardware_profile"]["sensors"] == [
        {"id": str(sensor_id(SensorKind.RADAR)), "type": "RADAR"},
        {"id": str(sensor_id(SensorKind.IMU)), "type": "IMU"},
    ]


def test_a_change_in_the_spec_is_that_change_in_the_config(changed: Changed):
    def stronger(content: dict[str, Any]) -> None:
        parts = content["components"]
        parts["power"]["parameters"]["battery"]["capacity_wh"] = 40.0
        parts["propulsion"]["parameters"]["thrust_n"] = 35.0
        parts["comms"]["parameters"]["xpdr_mode"] = "SPOOF"

    before, after = generate(load_spec()), generate(changed(stronger))
    assert after.hardware_profile.power_plane.battery.capacity_wh == 40.0
    assert after.hardware_profile.propulsion_plane.thrust_n == 35.0
    assert after.hardware_profile.comms_plane.xpdr_mode is TransponderMode.SPOOF
    assert after.hardware_profile.thermal_plane == before.hardware_profile.thermal_plane
    assert profile_hash(after) != profile_hash(before)


def test_the_hash_is_of_the_hardware_however_it_was_written_down(
    changed: Changed, default_content: dict[str, Any], tmp_path: Path
):
    plain = profile_hash(generate(load_spec()))
    assert plain.startswith("sha256:")
    assert len(plain) == len("sha256:") + 64
    path = tmp_path / "sorted.yaml"
    path.write_text(yaml.safe_dump(_reversed(default_content), sort_keys=False))
    assert profile_hash(generate(load_spec(path))) == plain
    assert profile_hash(generate(changed(lambda content: content["metadata"].update(id="OTHER")))) == plain


def test_the_order_of_writing_does_not_reach_the_planes(default_content: dict[str, Any], tmp_path: Path):
    path = tmp_path / "reversed.yaml"
    path.write_text(yaml.safe_dump(_reversed(default_content), sort_keys=False))
    assert generate(load_spec(path)).model_dump_json() == generate(load_spec()).model_dump_json()


def _reversed(value: Any) -> Any:
    """The same mappings with their keys the other way round."""
    if isinstance(value, dict):
        return {key: _reversed(value[key]) for key in reversed(value)}
    return value


def test_it_cannot_be_changed_nor_hold_what_nobody_knows():
    config = generate(load_spec())
    with pytest.raises(ValidationError):
        config.bot_id = "other"  # type: ignore[misc]
    with pytest.raises(ValidationError):
        BotConfig.model_validate(config.model_dump() | {"colour": "red"})


def scaled(value: Any, draw: Callable[[st.SearchStrategy[float]], float]) -> Any:
    """The same content with other numbers, all of them possible: percents and shares only shrink."""
    if isinstance(value, dict):
        return {key: scaled(inner, draw) for key, inner in value.items()}
    if isinstance(value, list):
        return [scaled(inner, draw) for inner in value]
    return value * draw(st.floats(0.01, 1.0)) if isinstance(value, float) else value


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(data=st.data())
def test_the_same_spec_gives_the_same_config_which_survives_json(
    default_content: dict[str, Any], tmp_path: Path, data: st.DataObject
):
    content = scaled(copy.deepcopy(default_content), data.draw)
    power = content["components"]["power"]["parameters"]
    power["soc_shed_high_pct"] = max(power["soc_shed_low_pct"], power["soc_shed_high_pct"])
    path = tmp_path / "bot.yaml"
    path.write_text(yaml.safe_dump(content))
    config = generate(load_spec(path))
    again = generate(load_spec(path))
    assert config.model_dump_json() == again.model_dump_json()
    back = BotConfig.model_validate_json(config.model_dump_json())
    assert back == config
    assert profile_hash(back) == profile_hash(again)
    assert config.hardware_profile.power_plane.battery.capacity_wh == power["battery"]["capacity_wh"]
