"""Control commands: parameters, and one acknowledgement for whatever comes."""

import json
from typing import Any

import pytest

from q_sim_service.answers import acknowledge
from q_sim_service.requests import Request, read_message, salvage
from qiki.botspec.planes import Port
from qiki.contracts.enums import TransponderMode
from qiki.world.commands import COMMANDS, Pause, Reset, Start, Step, Stop, VehicleCommand, read_command
from qiki.world.errors import OrderError
from qiki.world.vehicle.axes import Axis
from qiki.world.vehicle.orders import (
    EngageDock,
    FireThruster,
    LimitNbl,
    Order,
    ReleaseDock,
    SetTransponder,
    StopThrusters,
    SwitchDockPower,
    SwitchNbl,
)

MESSAGE_ID = "6f2f5b4e-6f5e-4d9e-8a39-0c6f3a1c2b4d"


def test_the_contracts_commands_are_all_there():
    assert set(COMMANDS) == {
        "sim.start",
        "sim.pause",
        "sim.stop",
        "sim.reset",
        "sim.step",
        "sim.xpdr.mode",
        "sim.rcs.fire",
        "sim.rcs.stop",
        "sim.dock.engage",
        "sim.dock.release",
        "power.dock.on",
        "power.dock.off",
        "power.nbl.on",
        "power.nbl.off",
        "power.nbl.set_max",
    }


@pytest.mark.parametrize(
    ("name", "parameters", "order"),
    [
        ("sim.xpdr.mode", {"mode": "SPOOF"}, SetTransponder(TransponderMode.SPOOF)),
        ("sim.rcs.fire", {"axis": "aft", "pct": 50, "duration_s": 1.5}, FireThruster(Axis.AFT, 0.5, 1.5)),
        ("sim.rcs.stop", {}, StopThrusters()),
        ("sim.dock.engage", {}, EngageDock(Port.A)),
        ("sim.dock.engage", {"port": "B"}, EngageDock(Port.B)),
        ("sim.dock.release", {}, ReleaseDock()),
        ("power.dock.on", {}, SwitchDockPower(on=True)),
        ("power.dock.off", {}, SwitchDockPower(on=False)),
        ("power.nbl.on", {}, SwitchNbl(on=True)),
        ("power.nbl.off", {"nobody": "knows this"}, SwitchNbl(on=False)),
        ("power.nbl.set_max", {"max_power_w": 0}, LimitNbl(0.0)),
    ],
)
def test_commands_to_the_vehicle(name: str, parameters: dict[str, Any], order: Order):
    command = read_command(name, parameters)
    assert isinstance(command, VehicleCommand)
    assert command.order() == order


def test_commands_to_the_simulation():
    assert read_command("sim.start", {}) == Start(speed=None)
    assert read_command("sim.start", {"speed": 2}) == Start(speed=2.0)
    assert read_command("sim.pause", {}) == Pause()
    assert read_command("sim.stop", {}) == Stop()
    assert read_command("sim.step", {"ticks": 7}) == Step(ticks=7)
    assert read_command("sim.reset", {"scenario": "empty", "seed": 3, "speed": 0.5}) == Reset(
        scenario="empty", seed=3, speed=0.5
    )


@pytest.mark.parametrize(
    ("name", "parameters", "reason"),
    [
        ("sim.resume", {}, "unknown command 'sim.resume'"),
        ("sim.start", {"speed": 0}, "speed: input should be greater than 0, got 0"),
        ("sim.start", {"speed": "fast"}, "speed: input should be a valid number"),
        ("sim.start", {"speed": True}, "speed: input should be a valid number"),
        ("sim.start", {"speed": float("inf")}, "speed: input should be a finite number"),
        ("sim.start", {"speed": 1e308}, "speed: input should be less than or equal to 1000000"),
        ("sim.step", {}, "ticks is missing"),
        ("sim.step", {"ticks": 0}, "ticks: input should be greater than or equal to 1"),
        ("sim.step", {"ticks": 1.5}, "ticks: input should be a valid integer"),
        ("sim.step", {"ticks": 10**9}, "ticks: input should be less than or equal to"),
        ("sim.reset", {"seed": -1}, "seed: input should be greater than or equal to 0"),
        ("sim.reset", {"scenario": 5}, "scenario: input should be a valid string"),
        ("sim.xpdr.mode", {"mode": "LOUD"}, "mode: input should be 'ON', 'OFF', 'SILENT' or 'SPOOF'"),
        ("sim.rcs.fire", {"pct": 5, "duration_s": 1}, "axis is missing"),
        ("sim.rcs.fire", {"axis": "left", "pct": 5, "duration_s": 1}, "axis: input should be 'forward'"),
        ("sim.rcs.fire", {"axis": "up", "pct": 101, "duration_s": 1}, "pct: input should be less than or equal to 100"),
        ("sim.rcs.fire", {"axis": "up", "pct": 5, "duration_s": float("nan")}, "duration_s: input should be"),
        (
            "sim.rcs.fire",
            {"axis": "up", "pct": 5, "duration_s": 601},
            "duration_s: input should be less than or equal to 600",
        ),
        ("power.nbl.set_max", {"max_power_w": 1e300}, "max_power_w: input should be less than or equal to 1000000"),
        ("sim.reset", {"scenario": "x" * 64}, "scenario: string should have at most 63 characters"),
        ("sim.rcs.fire", {}, "axis is missing; pct is missing; duration_s is missing"),
        ("sim.dock.engage", {"port": "C"}, "port: input should be 'A' or 'B', got 'C'"),
        ("power.nbl.set_max", {"max_power_w": -1}, "max_power_w: input should be greater than or equal to 0"),
    ],
)
def test_wrong_commands_are_refused_in_one_line(name: str, parameters: dict[str, Any], reason: str):
    with pytest.raises(OrderError) as refusal:
        read_command(name, parameters)
    assert reason in str(refusal.value)
    assert "\n" not in str(refusal.value)


def body(**fields: Any) -> bytes:
    message = {"command_name": "sim.pause", "parameters": {}, "metadata": {"message_id": MESSAGE_ID}} | fields
    return json.dumps(message).encode()


def test_a_message_is_read_with_its_parameters():
    message = read_message(body(command_name="sim.step", parameters={"ticks": 2}, unknown="ignored"))
    assert (message.command_name, message.parameters) == ("sim.step", {"ticks": 2})


@pytest.mark.parametrize(
    ("content", "command_name", "message_id"),
    [
        (b"", None, None),
        (b"\xff\xfe", None, None),
        (b"[1, 2]", None, None),
        (b"null", None, None),
        (b'{"command_name": 5, "metadata": 6}', None, None),
        (b'{"command_name": "sim.pause"}', "sim.pause", None),
        (body(parameters=[1]), "sim.pause", MESSAGE_ID),
        (body(metadata={"message_id": "no uuid"}), "sim.pause", None),
        (body(command_name=""), "", MESSAGE_ID),
    ],
)
def test_of_a_malformed_message_as_much_is_known_as_can_be_read(
    content: bytes, command_name: str | None, message_id: str | None
):
    with pytest.raises(ValueError, match="not a command") as fault:
        read_message(content)
    assert "\n" not in str(fault.value)
    assert salvage(content) == Request(command_name, message_id)


def test_an_id_that_was_not_given_is_not_invented():
    assert read_message(body(metadata={})).command_name == "sim.pause"
    assert salvage(body(metadata={})) == Request("sim.pause", None)


def test_the_acknowledgement_of_an_applied_command():
    fields = json.loads(acknowledge(Request("sim.pause", MESSAGE_ID)).to_json())
    timestamp = fields.pop("timestamp")
    assert timestamp.endswith("Z")
    assert fields == {
        "version": 1,
        "kind": "sim.pause",
        "requestId": MESSAGE_ID,
        "request_id": MESSAGE_ID,
        "success": True,
        "ok": True,
        "payload": {"command_name": "sim.pause", "status": "applied"},
        "error": None,
        "error_detail": None,
    }


def test_the_acknowledgement_of_a_refused_command():
    fields = json.loads(acknowledge(Request(None, None), "because").to_json())
    assert (fields["success"], fields["ok"], fields["error"]) == (False, False, "rejected")
    assert fields["request_id"] is None
    assert fields["error_detail"] == {"code": "rejected", "message": "because", "details": {"command_name": None}}
