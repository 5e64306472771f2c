"""Parameters of the tracker: its radar and its targets."""

from dataclasses import dataclass, replace
from math import exp, log, pi, radians
from typing import Self

from qiki.contracts.radar_figures import RadarFigures


@dataclass(frozen=True, kw_only=True)
class TrackerParameters:
    """Tuning of the tracker; the defaults suit the platform's own radar.

    A probability of existence p stands for a threshold of the track's log-likelihood ratio, L = ln(p / (1 - p)).

    Attributes:
        max_range_m: far end of the volume of false alarms
        solid_angle_sr: its solid angle
        doppler_span_mps: width of its range rates
        expected_false_alarms: least mean number a scan; the mean is estimated from plots without a confirmed track
        false_alarm_probability: of the detector, in one resolution cell; the strength of false alarms follows from it
        clutter_memory: weight of the newest scan in that mean
        expected_new_contacts: mean number a scan
        detection_probability: of a new contact
        detection_memory: weight of the newest scan in a track's own detection probability
        unresolved_debit: share of a miss that counts while another track's plot may hide the contact
        gate_threshold: squared Mahalanobis distance, 4 degrees of freedom
        range_resolution_m: one resolution cell; noise follows from it and the SNR
        beam_width_rad: likewise, across the line of sight in either direction
        doppler_resolution_mps: likewise
        range_floor_m: standard deviation at infinite SNR
        angle_floor_rad: likewise
        doppler_floor_mps: likewise
        sigma_speed_mps: of each component of an unknown contact's world velocity
        quiet_psd: power spectral density of the acceleration in quiet flight [m²/s³]
        sigma_acceleration_mps2: of each component of the acceleration in a manoeuvre
        acceleration_memory_s: correlation time of such an acceleration
        quiet_sojourn_s: mean time between manoeuvres
        manoeuvre_sojourn_s: mean time of a manoeuvre
        confirm_existence: a tentative track is confirmed at this probability of existence
        delete_existence: a track is deleted below it
        max_existence: evidence is capped here, so that a vanished contact is lost soon
        longest_gap_s: after a longer gap all tracks are deleted
        reattach_threshold: squared distance of states, 6 degrees of freedom, up to which two tracks are of one contact
        exchange_m: distance up to which two tracks that claim each other's identity are exchanged
        sigma_impulse_mps: of each component of the sudden change of velocity by which a contact left its gate
        smoothing: weight of the newest plot in a track's SNR and cross-section
        identity_claims: equal claims after which a track's identity is settled
        identity_bonus: added to an assignment's log-likelihood for an equal claim, subtracted for an unequal one
        spoof_scans: scans of contradiction that prove spoofing
        spoof_threshold: squared distance of positions, 3 degrees of freedom, beyond which two tracks are at two places
        first_claim_lead_s: a claim earlier by more than this owns the identity
        short_range_m: range within which replies are read
        max_detections: in one scan
        max_pairs: of tracks and plots in the gate in one scan
        max_tracks: at this number no plot starts a track
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
        """Return the parameters for another radar; None: the default radar."""
        return self if figures is None else replace(self, **figures.model_dump())

    @property
    def gate_probability(self) -> float:
        """Probability that a contact's plot lies in the gate: chi-square distribution, 4 degrees of freedom."""
        return 1 - exp(-self.gate_threshold / 2) * (1 + self.gate_threshold / 2)

    def log_clutter_density(self, false_alarms: float) -> float:
        """Return ln(false alarms a scan per m · sr · m/s)."""
        return log(false_alarms / (self.max_range_m * self.solid_angle_sr * self.doppler_span_mps))

    def initial_llr(self, false_alarms: float) -> float:
        """Return the score of a first plot: new contacts against false alarms (Blackman & Popoli 1999, section 6.2)."""
        return log(self.expected_new_contacts / false_alarms)


def log_odds(probability: float) -> float:
    """Return the log-likelihood ratio of a probability of existence."""
    return log(probability / (1 - probability))
