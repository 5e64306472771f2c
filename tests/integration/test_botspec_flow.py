"""A change in the specification is a change of the twin; a broken one is one line wherever it is read."""

import json
import math
import os
import subprocess
import sys

import grpc
import pytest

from generated.common_types_pb2 import GPS, IMU
from generated.q_sim_api_pb2 import GetSensorDataRequest
from qiki.botspec import BotConfig, generate, load_spec

DEADLINE_S = 60.0
PULSE_S = 2.0
TICKS = 80


def fire(twin):
    """A pulse upwards, and the telemetry before and after it."""
    before = twin.await_telemetry(sim_state__tick=0, after=twin.now()).data
    assert twin.command("sim.rcs.fire", axis="up", pct=100, duration_s=PULSE_S).ok
    assert twin.command("sim.step", ticks=TICKS).ok
    run = before.sim_state.run_id
    after = twin.await_telemetry(sim_state__run_id=run, sim_state__tick=TICKS).data
    return before, after, twin.await_truth(run_id=run, frame=TICKS // 2 - 1).data


def gained_mps(thrust_n):
    """Tsiolkovsky, with the default masses and specific impulse."""
    exhaust_mps = 60.0 * 9.80665
    return exhaust_mps * math.log(62.0 / (62.0 - thrust_n * PULSE_S / exhaust_mps))


def test_battery_and_thruster_of_the_spec_are_those_of_the_twin(own_twin, world, spec_file):
    path = spec_file(("capacity_wh: 500.0", "capacity_wh: 50.0"), ("thrust_n: 20.0", "thrust_n: 40.0"))
    changed = own_twin("empty", start=False, env={"QIKI_BOT_SPEC": str(path), "TELEMETRY_INTERVAL_SEC": "0.1"})

    usual_before, usual, usual_truth = fire(world("empty"))
    before, after, truth = fire(changed)

    assert usual_truth.bot.velocity.z == pytest.approx(gained_mps(20.0), rel=1e-9)
    assert truth.bot.velocity.z == pytest.approx(gained_mps(40.0), rel=1e-9)
    assert after.velocity == truth.bot.velocity.z
    # The same pulse takes the same energy: ten times the share of a battery of a tenth.
    spent_wh = (usual_before.battery - usual.battery) / 100.0 * 500.0
    assert spent_wh > 0.01
    assert (before.battery - after.battery) / 100.0 * 50.0 == pytest.approx(spent_wh, rel=1e-6)
    assert after.power.power_out_w == pytest.approx(usual.power.power_out_w, rel=1e-6)


def test_the_sensors_of_the_spec_are_those_that_can_be_read(own_twin, spec_file):
    path = spec_file(("fitted: [LIDAR, IMU, GPS, THERMAL, RADAR]", "fitted: [IMU, RADAR]"))
    twin = own_twin("empty", start=False, env={"QIKI_BOT_SPEC": str(path)})

    assert twin.sim.GetSensorData(GetSensorDataRequest(sensor_type=IMU)).reading.is_valid
    with pytest.raises(grpc.RpcError) as refused:
        twin.sim.GetSensorData(GetSensorDataRequest(sensor_type=GPS))

    assert "expected one of: IMU (2), RADAR (6)" in refused.value.details()
    assert set(twin.await_telemetry().data.sensors) == {"imu", "radar"}


BROKEN = (("thrust_n: 20.0", "thrust_n: -20.0"),)
COMPLAINT = (
    ":101: components.propulsion.parameters.thrust_n: Input should be greater than or equal to 0.000001, got -20.0"
)


def run(*command, **environment):
    return subprocess.run(
        [sys.executable, *command],
        env=os.environ | {"NO_COLOR": "1"} | environment,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )


def qiki(*words, **environment):
    return run("-c", "from qiki_harness.cli import main; main()", "spec", *words, **environment)


def test_a_broken_spec_ends_the_simulators_start_with_one_line(spec_file):
    path = spec_file(*BROKEN)
    ended = run("-m", "q_sim_service", QIKI_BOT_SPEC=str(path), QSIM_LISTEN="127.0.0.1:0")
    assert ended.returncode == 2
    assert ended.stderr.splitlines()[-1] == f"q-sim-service: {path}{COMPLAINT}"
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("command", ["check", "generate", "show"])
def test_a_broken_spec_is_one_line_of_the_command_too(spec_file, command):
    path = spec_file(*BROKEN)
    ended = qiki(command, str(path))
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == f"qiki: {path}{COMPLAINT}\n"


def test_the_command_generates_what_the_simulator_runs_on(spec_file, tmp_path):
    path = spec_file(("capacity_wh: 500.0", "capacity_wh: 50.0"))
    out = tmp_path / "bot.json"
    config = generate(load_spec(path))

    assert qiki("generate", str(path), "--out", str(out)).stdout == f"Wrote {out}.\n"

    assert BotConfig.model_validate_json(out.read_text()) == config
    named = qiki("generate", QIKI_BOT_SPEC=str(path))
    assert json.loads(named.stdout) == json.loads(out.read_text())
    assert qiki("generate", str(path), "--out", str(tmp_path / "none" / "x")).returncode == 2


def test_the_command_shows_and_checks_the_spec_that_comes_with_it():
    said = qiki("check", QIKI_BOT_SPEC="").stdout
    assert said.startswith("QIKI-DODECA-01 is valid: 14 components, 9 channels, sha256:")
    shown = qiki("show", QIKI_BOT_SPEC="").stdout
    rows = {line.split()[0]: line.split()[1:3] for line in shown.splitlines() if line}
    assert rows["propulsion"] == ["cold_gas_thrusters", "4"]
    assert rows["shields"] == ["defensive", "-"]
    assert "Channels: SensorFrame, " in shown
    assert said.split()[-1].rstrip(".") in shown
