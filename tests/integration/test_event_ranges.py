"""Every range of codes has an event that the running system raises when the thing happens; the registrar keeps it."""

from generated.actuator_raw_out_pb2 import ActuatorCommand
from generated.common_types_pb2 import UUID
from generated.q_sim_api_pb2 import SendActuatorCommandRequest
from qiki.contracts.audit import AUDIT_TYPE
from qiki.contracts.events import RANGES

RAISED = {  # range: what is raised, by whom, when nothing more is done than below
    1: {(100, "urn:qiki:q-core-agent:life"), (101, "urn:qiki:q-core-agent:life"), (110, "urn:qiki:q-core-agent:fsm")},
    2: {(202, "urn:qiki:q-sim-service:sensors"), (210, "urn:qiki:registrar:radar"), (211, "urn:qiki:registrar:radar")},
    3: {(301, "urn:qiki:q-sim-service:actuators"), (302, "urn:qiki:q-sim-service:actuators")},
    4: {(410, "urn:qiki:q-sim-service:nats"), (411, "urn:qiki:q-sim-service:nats")},
    5: {(500, "urn:qiki:q-sim-service:world"), (502, "urn:qiki:q-sim-service:sensors")},
    6: {(602, "urn:qiki:q-sim-service:power")},
    7: {(702, "urn:qiki:q-core-agent:bios")},
    8: {(802, "urn:qiki:q-sim-service:control")},
    9: {(900, "urn:qiki:q-core-agent:fsm")},
}


def test_every_range_has_an_event_that_happens_and_is_registered(own_twin, spec_file):
    ailing = spec_file(
        ("mean_time_between_failures_s: {}", "mean_time_between_failures_s: {GPS: 0.2, LIDAR: 0.2}"),
        ("repair_s: 30.0", "repair_s: 3600.0"),
        ("start_pct: 80.0", "start_pct: 10.0"),
    )
    twin = own_twin("single-pass", env={"QIKI_BOT_SPEC": str(ailing)})
    for role in ("system_controller", "warp_drive"):
        command = ActuatorCommand(actuator_id=UUID(value=role), command_type=5, int_value=2)
        twin.sim.SendActuatorCommand(SendActuatorCommandRequest(command=command))
    assert not twin.command("sim.rewind").ok
    twin.kill("nats")
    twin.await_ready()

    assert RAISED.keys() == RANGES.keys()
    for wanted in (one for several in RAISED.values() for one in several):
        record = twin.await_event(lambda event, wanted=wanted: registered(event) == wanted)
        assert record.data.fields["sequence"] >= 1


def registered(event):
    """Code and source of what an audit record tells of."""
    return (event.fields["code"], event.fields["source"]) if event.type == AUDIT_TYPE else None
