"""Collisions of contacts with the vehicle's hull."""

import math

import numpy as np

from qiki.state import State, Stateful
from qiki.world.contacts import Contacts, ContactStates
from qiki.world.vehicle.axes import Vector3
from qiki.world.vehicle.vehicle import Vehicle

EXCESS = 1 + 1e-6  # of a way over the one computed, for rounding errors
GRAIN_M = 1e-3  # of a distance, likewise


class Collisions(Stateful):
    """Contacts that strike the hull.

    Conservative advancement (Mirtich, Impulse-based Dynamic Simulation of Rigid Body Systems, 1996, ch. 2): from the
    distance of the nearest contact follows a way that can be flown without a collision. Until the vehicle and the
    fastest contact have used it up, nothing is looked at.
    """

    STATE = State(_clear_m=float)

    def __init__(self, vehicle: Vehicle, contacts: Contacts) -> None:
        self._vehicle, self._contacts = vehicle, contacts
        self._clear_m = 0.0  # way, of the vehicle's and a contact's together, that is free of collisions

    def strike(self, own_before_m: Vector3, before: ContactStates, dt_s: float) -> int:
        """Damage the hull by the contacts that entered it in a step from these states; return their number."""
        flown_m = math.dist(own_before_m, self._vehicle.position_m) + self._contacts.fastest_mps * dt_s
        self._clear_m -= EXCESS * flown_m
        if self._clear_m >= 0 or not len(self._contacts):
            return 0
        vehicle, now = self._vehicle, self._contacts.now
        apart_before, apart = before.positions - np.array(own_before_m), now.positions - np.array(vehicle.position_m)
        nearest_m = math.sqrt(np.einsum("ij,ij->i", apart, apart).min())
        self._clear_m = nearest_m - vehicle.hull.radius_m - GRAIN_M
        met = before.present & now.present
        return vehicle.hull.meet(apart_before[met], apart[met], vehicle.thrusters.mass_kg, dt_s)
