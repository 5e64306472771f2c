"""Thermal plane: a network of lumped nodes with losses to space and trip temperatures."""

from collections.abc import Mapping
from typing import Annotated

import numpy as np

from qiki.arrays import FLOATS, Array
from qiki.botspec.planes import Node, ThermalParameters
from qiki.state import IN_ORDER, State, Stateful
from qiki.world.vehicle.hysteresis import Hysteresis


class ThermalPlane(Stateful):
    """Temperatures of the nodes; a step, always of length `dt_s`, is exact for constant heat.

    With temperatures T, capacities C and conductances G: C dT/dt = q - G T + g T_ambient. Scaled by the root of C the
    system is symmetric, so its matrix exponential follows from the eigenvalues (Golub and Van Loan, Matrix
    Computations, 4th ed., section 9.3).

    Attributes:
        tripped: nodes that have reached their trip temperature and not yet cooled by their hysteresis
    """

    STATE = State(temperatures_c=FLOATS, tripped=Annotated[frozenset[Node], IN_ORDER], _trips=list[Hysteresis])

    def __init__(self, parameters: ThermalParameters, dt_s: float) -> None:
        self._parameters = parameters
        self._names = tuple(parameters.nodes)
        nodes = [parameters.nodes[name] for name in self._names]
        capacity = np.array([node.capacity_j_per_k for node in nodes])
        loss = np.array([node.cooling_w_per_k for node in nodes]) + parameters.leak_w_per_k
        conductance = np.diag(loss)
        for coupling in parameters.couplings:
            one, other = (self._names.index(name) for name in coupling.nodes)
            conductance[one, one] += coupling.conductance_w_per_k
            conductance[other, other] += coupling.conductance_w_per_k
            conductance[one, other] -= coupling.conductance_w_per_k
            conductance[other, one] -= coupling.conductance_w_per_k
        self._decay = _decay(conductance, capacity, dt_s)
        self._resistance = np.linalg.inv(conductance)
        self._ambient_w = loss * parameters.ambient_c
        self._trips = [Hysteresis(node.trip_c - node.hysteresis_k, node.trip_c) for node in nodes]
        self._lowest_trip_c = min(node.trip_c for node in nodes)
        self.temperatures_c: Array = np.array([node.start_c for node in nodes])
        self.tripped: frozenset[Node] = frozenset()

    def step(self, heat_w: Mapping[Node, float]) -> None:
        """Advance by one step with this heat in each node [W]."""
        heat = np.array([heat_w.get(name, 0.0) for name in self._names])
        steady = self._resistance.dot(heat + self._ambient_w)
        self.temperatures_c = steady + self._decay.dot(self.temperatures_c - steady)
        self._trip(self.temperatures_c.tolist())

    def temperature_c(self, node: Node) -> float:
        """Return the temperature of a node."""
        return float(self.temperatures_c[self._names.index(node)])

    def trip_c(self, node: Node) -> float:
        """Return the temperature at which a node trips."""
        return self._parameters.nodes[node].trip_c

    def _trip(self, temperatures_c: list[float]) -> None:
        if not self.tripped and max(temperatures_c) < self._lowest_trip_c:
            return
        nodes = zip(self._names, self._trips, temperatures_c, strict=True)
        self.tripped = frozenset(name for name, trip, celsius in nodes if trip.update(celsius))


def _decay(conductance: Array, capacity: Array, dt_s: float) -> Array:
    """Return exp(-C⁻¹ G dt): (n, n)."""
    root = np.sqrt(capacity)
    rates, modes = np.linalg.eigh(conductance / np.outer(root, root))
    decay: Array = (modes * np.exp(-rates * dt_s)) @ modes.T * np.outer(1.0 / root, root)
    return decay
