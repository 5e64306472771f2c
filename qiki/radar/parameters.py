"""Parameters of the radar, and the figures that follow from them."""

import math
from enum import IntEnum
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, model_validator

from qiki.contracts.radar_figures import RadarFigures
from qiki.fields import Length, Number, Spec, Whole, field_error, not_bool

SPEED_OF_LIGHT_MPS = 299_792_458.0
MAX_FALSE_ALARMS = 1000

Positive = Annotated[Number, Field(gt=0, le=1e12)]
Decibels = Annotated[Number, Field(ge=-100, le=100)]


class Swerling(IntEnum):
    """Fluctuation from look to look: steady, many equal scatterers, or one large among many small ones."""

    STEADY = 0
    I = 1  # noqa: E741  Swerling's own numbering
    III = 3


SwerlingCase = Annotated[Swerling, BeforeValidator(not_bool)]


class TransmitPattern(Spec):
    """Pattern of the transmitting antenna, fixed to the vehicle: a main lobe and side lobes; see `illumination`."""

    width_deg: Annotated[Number, Field(gt=0, le=180)]  # θ₃, between the directions of half power
    side_lobe_db: Annotated[Number, Field(ge=-100, le=0)] = -20.0  # relative to the maximum
    bearing_deg: Annotated[Number, Field(ge=-360, le=360)] = 0.0
    """Of the boresight, clockwise from the vehicle's heading."""
    elev_deg: Annotated[Number, Field(ge=-90, le=90)] = 0.0


class ReplyLink(Spec):
    """Link from a transponder to the radar, with the antenna, wavelength and noise figure of the echoes."""

    power_w: Positive = 100.0
    gain_db: Decibels = 0.0
    bandwidth_hz: Annotated[Number, Field(ge=1e3, le=1e10)] = 1e6
    losses_db: Decibels = 3.0
    threshold_db: Annotated[Number, Field(ge=0, le=25)] = 12.0  # SNR at which a reply is decoded
    loss_probability: Annotated[Number, Field(ge=0, le=1)] = 0.0  # of a reply at any strength


class RadarParameters(Spec):
    """A ubiquitous pulse-Doppler radar: it illuminates the whole sphere and receives in all beams at once.

    Skolnik, Systems Aspects of Digital Beam Forming Ubiquitous Radar, NRL 2002. The pulses of one look are integrated
    coherently (Richards, Fundamentals of Radar Signal Processing, 2nd ed., ch. 5). With the defaults a contact of
    1 m² at 12 km gives 13 dB. A transmit gain of 3 dB is that of half a sphere: two transmitters cover the sphere.
    """

    peak_power_w: Positive = 20_000.0
    transmit_gain_db: Decibels = 3.0
    receive_gain_db: Decibels = 32.0
    wavelength_m: Annotated[Number, Field(ge=1e-4, le=100)] = 0.1
    bandwidth_hz: Annotated[Number, Field(ge=1e4, le=1e10)] = 10e6
    pulse_repetition_hz: Annotated[Number, Field(ge=1, le=1e7)] = 8_000.0
    pulses: Annotated[Whole, Field(ge=1, le=1_000_000)] = 256
    noise_figure_db: Decibels = 3.0
    losses_db: Decibels = 4.0
    beam_width_deg: Annotated[Number, Field(gt=0, le=90)] = 4.0
    false_alarm_probability: Annotated[Number, Field(gt=0, le=0.1)] = 1e-10
    """In one resolution cell of range, angles and Doppler, and one look. At 0.1 and less every plot is above 0 dB."""
    swerling: SwerlingCase = Swerling.I  # of contacts without a case of their own
    transmit_pattern: TransmitPattern | None = None  # None: uniform over the sphere
    replies: ReplyLink | None = None  # None: every reply from short range is read
    max_range_m: Length = 16_000.0
    range_floor_m: Annotated[Number, Field(ge=0, le=1e4)] = 1.0
    """Standard deviation at infinite SNR; likewise the next two."""
    angle_floor_deg: Annotated[Number, Field(ge=0, le=10)] = 0.05
    speed_floor_mps: Annotated[Number, Field(ge=0, le=1e3)] = 0.05

    @property
    def range_resolution_m(self) -> float:
        """One range bin: c / 2B (Richards, ch. 4)."""
        return SPEED_OF_LIGHT_MPS / (2 * self.bandwidth_hz)

    @property
    def min_range_m(self) -> float:
        """A simple pulse of width 1/B blinds one resolution cell: no echo is received while it is sent."""
        return self.range_resolution_m

    @property
    def unambiguous_range_m(self) -> float:
        """C / 2·PRF (Richards, ch. 5): echoes from beyond would seem near."""
        return SPEED_OF_LIGHT_MPS / (2 * self.pulse_repetition_hz)

    @property
    def unambiguous_speed_mps(self) -> float:
        """λ·PRF / 4 (Richards, ch. 5). Faster contacts are assumed to be resolved by staggered repetition."""
        return self.wavelength_m * self.pulse_repetition_hz / 4

    @property
    def dwell_s(self) -> float:
        """Duration of one look."""
        return self.pulses / self.pulse_repetition_hz

    @property
    def speed_resolution_mps(self) -> float:
        """λ / 2T (Richards, ch. 5)."""
        return self.wavelength_m / (2 * self.dwell_s)

    @property
    def cells(self) -> float:
        """Number of resolution cells in one look: range bins, Doppler bins, and beams over the sphere."""
        range_bins = (self.max_range_m - self.min_range_m) / self.range_resolution_m
        beams = 4 * math.pi / math.radians(self.beam_width_deg) ** 2
        return range_bins * beams * self.pulses

    @property
    def false_alarms_per_look(self) -> float:
        """Expected number of false alarms."""
        return self.false_alarm_probability * self.cells

    @property
    def figures(self) -> RadarFigures:
        """Figures that a tracker needs."""
        return RadarFigures.nearest(
            max_range_m=self.max_range_m,
            doppler_span_mps=2 * self.unambiguous_speed_mps,
            false_alarm_probability=self.false_alarm_probability,
            range_resolution_m=self.range_resolution_m,
            beam_width_rad=math.radians(self.beam_width_deg),
            doppler_resolution_mps=self.speed_resolution_mps,
            range_floor_m=self.range_floor_m,
            angle_floor_rad=math.radians(self.angle_floor_deg),
            doppler_floor_mps=self.speed_floor_mps,
        )

    @property
    def unlike_default(self) -> RadarFigures | None:
        """Figures to be published with the frames: None for the default radar, which trackers assume."""
        return None if self.figures == RadarParameters().figures else self.figures

    @model_validator(mode="after")
    def _range_and_false_alarms_are_limited(self) -> Self:
        if not self.min_range_m < self.max_range_m <= self.unambiguous_range_m:
            raise field_error(
                ("max_range_m",),
                f"{self.max_range_m:g} m is out of bounds (expected more than {self.min_range_m:.4g} m, "
                f"c / 2·bandwidth_hz, and at most {self.unambiguous_range_m:.5g} m, c / 2·pulse_repetition_hz)",
            )
        if self.false_alarms_per_look > MAX_FALSE_ALARMS:
            reason = (
                f"gives {self.false_alarms_per_look:.3g} false alarms a frame (expected at most {MAX_FALSE_ALARMS})"
            )
            raise field_error(("false_alarm_probability",), reason)
        return self
