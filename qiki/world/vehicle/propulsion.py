"""Propulsion: the thrusters and the cruise drive."""

import math
from dataclasses import dataclass

from qiki.botspec.planes import DriveParameters, PropulsionParameters
from qiki.state import State, Stateful
from qiki.world.vehicle.axes import BODY_AXES, Axis, Vector3, to_world

STANDARD_GRAVITY_MPS2 = 9.80665
COASTING: Vector3 = (0.0, 0.0, 0.0)
TIME_GRAIN_S = 1e-9  # a remainder of a pulse below this is a rounding error


@dataclass(slots=True)
class _Pulse:
    fraction: float
    left_s: float


class Thrusters(Stateful):
    """The reaction control system: cold-gas thrusters, one for each direction of the body, that fire pulses."""

    STATE = State(_pulses=dict[Axis, _Pulse], propellant_kg=float)

    def __init__(self, parameters: PropulsionParameters) -> None:
        self._parameters = parameters
        self._pulses: dict[Axis, _Pulse] = {}
        self._exhaust_mps = parameters.specific_impulse_s * STANDARD_GRAVITY_MPS2
        self.propellant_kg = parameters.propellant_kg

    @property
    def mass_kg(self) -> float:
        """Mass of the vehicle with the remaining propellant."""
        return self._parameters.dry_mass_kg + self.propellant_kg

    @property
    def throttle(self) -> float:
        """Sum of the thrusters' commanded fractions, to which their power is proportional; 0 without a pulse."""
        return sum([pulse.fraction for pulse in self._pulses.values()])

    def fire(self, axis: Axis, fraction: float, duration_s: float) -> None:
        """Replace the pulse on an axis; without thrust or duration only end it."""
        self._pulses.pop(axis, None)
        if fraction > 0 and duration_s > 0:
            self._pulses[axis] = _Pulse(fraction, duration_s)

    def stop(self) -> None:
        """End all pulses."""
        self._pulses.clear()

    def step(self, dt_s: float, power_share: float) -> Vector3:
        """Burn for `dt_s` with a share of the power wanted, and return the change of velocity in body axes [m/s].

        It is F/ṁ · ln(m₀/m₁) (Tsiolkovsky), exact for constant thrust.
        """
        if not self._pulses:
            return COASTING
        impulse, spent_ns = self._impulse(dt_s, power_share)
        wanted_kg = spent_ns / self._exhaust_mps
        if wanted_kg <= 0:
            return COASTING
        burnt_kg = min(wanted_kg, self.propellant_kg)
        before_kg = self.mass_kg
        self.propellant_kg -= burnt_kg
        if self.propellant_kg <= 0:
            self.stop()
        gain = math.log(before_kg / self.mass_kg) / wanted_kg
        return impulse[0] * gain, impulse[1] * gain, impulse[2] * gain

    def _impulse(self, dt_s: float, power_share: float) -> tuple[Vector3, float]:
        """Return the impulse in body axes, and its sum over the thrusters, which consumes propellant [N s]."""
        forward = starboard = up = total = 0.0
        for axis, pulse in tuple(self._pulses.items()):
            x, y, z = BODY_AXES[axis]
            impulse = self._parameters.thrust_n * pulse.fraction * power_share * min(dt_s, pulse.left_s)
            forward += x * impulse
            starboard += y * impulse
            up += z * impulse
            total += impulse
            pulse.left_s -= dt_s
            if pulse.left_s <= TIME_GRAIN_S:
                del self._pulses[axis]
        return (forward, starboard, up), total


class Drive(Stateful):
    """Cruise drive: brings the velocity to a commanded speed along the heading, and turns the heading.

    The two motors act as one: a command to either sets the drive. While the drive is engaged, the velocity approaches
    the commanded speed along the heading with at most `acceleration_mps2`; 0 % brings the vehicle to rest in the world.
    Before the first command, and after a thruster has fired, the vehicle coasts.
    """

    STATE = State(_speed_mps=float | None, _turn_left_deg=float, heading_deg=float)

    def __init__(self, parameters: DriveParameters, heading_deg: float) -> None:
        self._parameters = parameters
        self._speed_mps: float | None = None
        self._turn_left_deg = 0.0
        self.heading_deg = heading_deg % 360.0

    @property
    def speed_mps(self) -> float:
        """Commanded speed; 0 while the drive is disengaged."""
        return self._speed_mps or 0.0

    def cruise(self, fraction: float) -> None:
        """Engage at a fraction of the maximum speed."""
        self._speed_mps = fraction * self._parameters.max_speed_mps

    def turn(self, degrees: float) -> None:
        """Add a turn to those in progress, clockwise when positive."""
        self._turn_left_deg += degrees

    def release(self) -> None:
        """Disengage: the vehicle coasts."""
        self._speed_mps = None

    def stop(self) -> None:
        """Disengage and end all turns."""
        self.release()
        self._turn_left_deg = 0.0

    def step(self, dt_s: float, velocity_mps: Vector3, power_share: float) -> Vector3:
        """Turn and accelerate for `dt_s`, and return the change of velocity, world axes [m/s].

        `power_share` is the power granted over the power wanted; without power the drive is released.
        """
        limit_deg = self._parameters.turn_rate_dps * dt_s
        turned_deg = min(max(self._turn_left_deg, -limit_deg), limit_deg)
        self._turn_left_deg -= turned_deg
        self.heading_deg = (self.heading_deg + turned_deg) % 360.0
        if self._speed_mps is None:
            return COASTING
        if power_share <= 0:
            self.release()
            return COASTING
        target = to_world((self._speed_mps * power_share, 0.0, 0.0), self.heading_deg)
        dx, dy, dz = target[0] - velocity_mps[0], target[1] - velocity_mps[1], target[2] - velocity_mps[2]
        size, limit = math.sqrt(dx * dx + dy * dy + dz * dz), self._parameters.acceleration_mps2 * dt_s
        scale = 1.0 if size <= limit else limit / size
        return dx * scale, dy * scale, dz * scale
