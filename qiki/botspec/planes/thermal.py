"""Thermal plane: the nodes of the heat network, their couplings and their heat."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from qiki.botspec.planes.plane import Celsius, NonNegative, PlaneParameters, Share
from qiki.fields import Number, field_error

Conductance = Annotated[Number, Field(ge=0, le=1e4)]
Kelvins = Annotated[Number, Field(gt=0, le=1e6)]


class Node(StrEnum):
    """The nodes of the network."""

    CORE = "core"
    PDU = "pdu"
    SUPERCAP = "supercap"
    BATTERY = "battery"
    DOCK_BRIDGE = "dock_bridge"
    HULL = "hull"


class NodeParameters(PlaneParameters):
    """Parameters of one node."""

    capacity_j_per_k: Annotated[Number, Field(ge=1e-3, le=1e9)]
    cooling_w_per_k: Conductance
    start_c: Celsius
    trip_c: Celsius
    hysteresis_k: Kelvins


class Coupling(PlaneParameters):
    """Heat conducted between two nodes."""

    nodes: tuple[Node, Node]
    conductance_w_per_k: Conductance

    @model_validator(mode="after")
    def _joins_two(self) -> Self:
        if self.nodes[0] is self.nodes[1]:
            raise field_error(("nodes",), f"{self.nodes[0]} is coupled with itself (expected two nodes)")
        return self


def _node(capacity: float, cooling: float, start: float, trip: float, hysteresis: float) -> NodeParameters:
    return NodeParameters(
        capacity_j_per_k=capacity, cooling_w_per_k=cooling, start_c=start, trip_c=trip, hysteresis_k=hysteresis
    )


def _coupling(one: Node, other: Node, conductance_w_per_k: float) -> Coupling:
    return Coupling(nodes=(one, other), conductance_w_per_k=conductance_w_per_k)


def _nodes() -> dict[Node, NodeParameters]:
    return {
        Node.CORE: _node(800.0, 1.2, 25.0, 90.0, 5.0),
        Node.PDU: _node(650.0, 0.9, 25.0, 95.0, 5.0),
        Node.SUPERCAP: _node(400.0, 0.7, 20.0, 85.0, 5.0),
        Node.BATTERY: _node(1200.0, 0.3, 20.0, 70.0, 3.0),
        Node.DOCK_BRIDGE: _node(500.0, 0.9, -60.0, 120.0, 5.0),
        Node.HULL: _node(3000.0, 1.5, -50.0, 140.0, 10.0),
    }


def _all_nodes(nodes: dict[Node, NodeParameters]) -> dict[Node, NodeParameters]:
    """Return all nodes in one order: results must not depend on the order in the file."""
    for node in Node:
        if node not in nodes:
            raise field_error((), f"{node} is missing (expected {', '.join(Node)})")
    return {node: nodes[node] for node in Node}


class ThermalParameters(PlaneParameters):
    """The network, and the shares of electric power that heat its nodes."""

    ambient_c: Celsius = -60.0
    leak_w_per_k: Annotated[Number, Field(ge=1e-6, le=1e4)] = 0.2
    """Loss of every node to space in addition to its own cooling; without it there might be no steady state."""
    nodes: Annotated[dict[Node, NodeParameters], AfterValidator(_all_nodes)] = Field(default_factory=_nodes)
    couplings: tuple[Coupling, ...] = (
        _coupling(Node.CORE, Node.PDU, 0.4),
        _coupling(Node.PDU, Node.SUPERCAP, 0.3),
        _coupling(Node.PDU, Node.BATTERY, 0.15),
        _coupling(Node.DOCK_BRIDGE, Node.HULL, 0.4),
        _coupling(Node.CORE, Node.HULL, 0.2),
    )
    mcqpu_share: Share = 0.8
    nbl_share: Share = 0.7
    pdu_share: Share = 0.02
    pdu_resistance_ohm: NonNegative = 0.4
    supercap_share: Share = 0.03
    battery_share: Share = 0.01
    dock_resistance_ohm: NonNegative = 0.25
    rcs_share: Share = 0.35
