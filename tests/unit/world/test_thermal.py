"""The thermal network."""

import numpy as np
import pytest
from scipy.linalg import expm

from qiki.botspec.planes import Coupling, Node, NodeParameters, ThermalParameters
from qiki.world.vehicle.thermal import ThermalPlane


def one_node(**others: float) -> ThermalParameters:
    values = {"capacity_j_per_k": 100.0, "cooling_w_per_k": 0.8, "start_c": 20.0, "trip_c": 50.0, "hysteresis_k": 5.0}
    nodes = ThermalParameters().nodes | {Node.CORE: NodeParameters(**(values | others))}  # joined with no other
    return ThermalParameters(nodes=nodes, couplings=(), ambient_c=0.0)


def run(plane: ThermalPlane, heat_w: dict[Node, float], steps: int) -> None:
    for _ in range(steps):
        plane.step(heat_w)


def test_a_single_node_decays_exponentially():
    plane = ThermalPlane(one_node(), dt_s=0.05)
    run(plane, {}, 2000)  # 100 s at a time constant of 100 J/K / 1 W/K
    assert plane.temperature_c(Node.CORE) == pytest.approx(20.0 * np.exp(-1.0))


def test_heat_over_conductance_is_the_steady_state():
    plane = ThermalPlane(one_node(), dt_s=100.0)
    run(plane, {Node.CORE: 30.0}, 50)
    assert plane.temperature_c(Node.CORE) == pytest.approx(30.0)


def test_a_step_of_any_length_is_as_exact_as_many_short_ones():
    long, short = ThermalPlane(ThermalParameters(), 50.0), ThermalPlane(ThermalParameters(), 0.05)
    heat = {Node.CORE: 12.0, Node.PDU: 5.0, Node.HULL: 28.0}
    long.step(heat)
    run(short, heat, 1000)
    np.testing.assert_allclose(long.temperatures_c, short.temperatures_c, atol=1e-9)


def test_the_table_against_the_matrix_exponential():
    """The same network written out by hand: C dT/dt = q - G T, with T over ambient."""
    capacity = np.array([800.0, 650.0, 400.0, 1200.0, 500.0, 3000.0])
    conductance = np.diag(np.array([1.2, 0.9, 0.7, 0.3, 0.9, 1.5]) + 0.2)
    for one, other, watts in ((0, 1, 0.4), (1, 2, 0.3), (1, 3, 0.15), (4, 5, 0.4), (0, 5, 0.2)):
        conductance[[one, other], [one, other]] += watts
        conductance[[one, other], [other, one]] -= watts
    excess = np.array([25.0, 25.0, 20.0, 20.0, -60.0, -50.0]) + 60.0
    expected = expm(-conductance / capacity[:, None] * 300.0) @ excess - 60.0
    plane = ThermalPlane(ThermalParameters(), 300.0)
    plane.step({})
    np.testing.assert_allclose(plane.temperatures_c, expected, atol=1e-9)


def test_heat_flows_from_warm_to_cold_through_a_coupling():
    node = NodeParameters(capacity_j_per_k=100.0, cooling_w_per_k=0.0, start_c=0.0, trip_c=90.0, hysteresis_k=5.0)
    nodes = ThermalParameters().nodes | {Node.CORE: node.model_copy(update={"start_c": 50.0}), Node.PDU: node}
    couplings = (Coupling(nodes=(Node.CORE, Node.PDU), conductance_w_per_k=1.0),)
    plane = ThermalPlane(
        ThermalParameters(nodes=nodes, couplings=couplings, ambient_c=0.0, leak_w_per_k=1e-6), dt_s=1000.0
    )
    plane.step({})
    assert plane.temperature_c(Node.CORE) == pytest.approx(25.0, abs=1e-3)
    assert plane.temperature_c(Node.PDU) == pytest.approx(25.0, abs=1e-3)


def test_a_trip_holds_until_the_node_has_cooled_by_its_hysteresis():
    plane = ThermalPlane(one_node(), dt_s=10.0)
    tripped = {}
    while plane.temperature_c(Node.CORE) < 55.0:
        plane.step({Node.CORE: 100.0})
        tripped[plane.temperature_c(Node.CORE)] = Node.CORE in plane.tripped
    assert all(on == (celsius >= 50.0) for celsius, on in tripped.items())
    while plane.temperature_c(Node.CORE) > 40.0:
        plane.step({})
        assert (Node.CORE in plane.tripped) == (plane.temperature_c(Node.CORE) > 45.0)


def test_more_heat_is_never_colder():
    plain, heated = ThermalPlane(ThermalParameters(), 0.05), ThermalPlane(ThermalParameters(), 0.05)
    run(plain, {}, 500)
    run(heated, {Node.BATTERY: 10.0}, 500)
    assert (heated.temperatures_c >= plain.temperatures_c).all()
    gained_k = heated.temperature_c(Node.BATTERY) - plain.temperature_c(Node.BATTERY)
    assert gained_k == pytest.approx(10.0 * 25.0 / 1200.0, rel=0.02)
