"""What the tracker is told about its radar and its targets."""

from dataclasses import dataclass, replace
from math import exp, log, pi, radians
from typing import Self

from qiki.contracts.radar_figures import RadarFigures


@dataclass(frozen=True, kw_only=True)
class TrackerParameters:
    """Tuning of the tracker; the defaults suit the platform's own radar.

    Probabilities of existence stand for thresholds of the track's log-likelihood ratio, L = ln(p / (1 - p)).

    Attributes:
        max_range_m: far end of the volume that false alarms are spread over
        solid_angle_sr: its opening
        doppler_span_mps: width of its range rates
        expected_false_alarms: least mean number a scan; more are learnt from plots that are no confirmed track's
        false_alarm_probability: of the detector, in one resolution cell: how strong its false alarms are
        clutter_memory: weight of the newest scan in that mean
        expected_new_contacts: mean number a scan
        detection_probability: of a contact of which nothing is known yet
        detection_memory: weight of the newest scan in a track's own detection probability
        unresolved_debit: share of a miss that a track is debited with while another's plot may hide its contact
        gate_threshold: squared Mahalanobis distance, 4 degrees of freedom
        range_resolution_m: one resolution cell; noise follows from it and the SNR
        beam_width_rad: likewise, across the line of sight in either direction
        doppler_resolution_mps: likewise
        range_floor_m: standard deviation that no SNR can better
        angle_floor_rad: likewise
        doppler_floor_mps: likewise
        sigma_speed_mps: of each component of an unknown contact's world velocity
        quiet_psd: power spectral density of the acceleration of a contact that flies on [m²/s³]
        sigma_acceleration_mps2: of each component of the acceleration of one that turns or burns
        acceleration_memory_s: time in which such an acceleration changes
        quiet_sojourn_s: mean time between manoeuvres
        manoeuvre_sojourn_s: mean time of a manoeuvre
        confirm_existence: a tentative track is confirmed at this probability of existence
        delete_existence: a track is deleted below it
        max_existence: evidence beyond it is not kept, so that a vanished contact is lost in time
        longest_gap_s: after a longer silence no track is carried on
        reattach_threshold: squared distance of states, 6 degrees of freedom, at which a new track is an old one's
        exchange_m: two tracks this near that claim each other's identity have taken each other's contact
        sigma_impulse_mps: of each component of the sudden change of velocity that made an old track miss
        smoothing: weight of the newest plot in a track's SNR and cross-section
        identity_claims: equal claims after which an identity is a track's
        identity_bonus: what an equal or unequal claim adds to or takes from an assignment's log likelihood
        spoof_scans: scans of contradiction after which it is spoofing
        spoof_threshold: squared distance of positions, 3 degrees of freedom, at which two tracks are two places
        first_claim_lead_s: who claimed an identity earlier by more than this owns it
        short_range_m: range within which replies are read
        max_detections: in one scan
        max_pairs: of tracks and plots that are compared in one scan
        max_tracks: the strongest plots start new ones until there are so many
    """

    max_range_m: float = 16_000.0
    solid_angle_sr: float = 4 * pi
    doppler_span_mps: float = 400.0
    expected_false_alarms: float = 1.0
    false_alarm_probability: float = 1e-10
    clutter_memory: float = 0.05
    expected_new_contacts: float = 0.1
    detection_probability: float = 0.9
    detection_memory: float = 0.05
    unresolved_debit: float = 0.05
    gate_threshold: float = 23.5
    range_resolution_m: float = 15.0
    beam_width_rad: float = radians(4.0)
    doppler_resolution_mps: float = 1.6
    range_floor_m: float = 1.0
    angle_floor_rad: float = radians(0.05)
    doppler_floor_mps: float = 0.05
    sigma_speed_mps: float = 120.0
    quiet_psd: float = 0.0002
    sigma_acceleration_mps2: float = 4.0
    acceleration_memory_s: float = 16.0
    quiet_sojourn_s: float = 60.0
    manoeuvre_sojourn_s: float = 20.0
    confirm_existence: float = 0.99
    delete_existence: float = 0.002
    max_existence: float = 0.9999
    longest_gap_s: float = 30.0
    reattach_threshold: float = 22.5
    exchange_m: float = 500.0
    sigma_impulse_mps: float = 30.0
    smoothing: float = 0.2
    identity_claims: int = 2
    identity_bonus: float = 2.0
    spoof_scans: int = 3
    spoof_threshold: float = 25.0
    first_claim_lead_s: float = 1.0
    short_range_m: float = 5_000.0
    max_detections: int = 4_000
    max_pairs: int = 50_000
    max_tracks: int = 4_000

    def of_radar(self, figures: RadarFigures | None) -> Self:
        """The same for another radar; None is one of which nothing is known."""
        return self if figures is None else replace(self, **figures.model_dump())

    @property
    def gate_probability(self) -> float:
        """Share of a contact's plots that the gate lets in: chi-square distribution, 4 degrees of freedom."""
        return 1 - exp(-self.gate_threshold / 2) * (1 + self.gate_threshold / 2)

    def log_clutter_density(self, false_alarms: float) -> float:
        """Natural logarithm of false alarms a scan in a unit of range, solid angle and range rate."""
        return log(false_alarms / (self.max_range_m * self.solid_angle_sr * self.doppler_span_mps))

    def initial_llr(self, false_alarms: float) -> float:
        """Score of a first plot: new contacts against false alarms (Blackman & Popoli 1999, section 6.2)."""
        return log(self.expected_new_contacts / false_alarms)


def log_odds(probability: float) -> float:
    """Log-likelihood ratio that stands for a probability of existence."""
    return log(probability / (1 - probability))
