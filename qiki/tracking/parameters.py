"""The tracker's numbers: size of the gate, thresholds of confirmation and deletion, the radar, the targets."""

from dataclasses import dataclass, replace
from math import exp, log, pi, radians
from typing import Self

from qiki.contracts.radar_figures import RadarFigures


@dataclass(frozen=True, kw_only=True)
class TrackerParameters:
    """Tuning of the tracker; the defaults suit the platform's own radar.

    A probability of existence p stands for a threshold of the track's log-likelihood ratio, L = ln(p / (1 - p)).
    """

    max_range_m: float = 16_000.0  # far end of the volume of false alarms
    solid_angle_sr: float = 4 * pi  # of that volume
    doppler_span_mps: float = 400.0  # width of the range rates of false alarms
    expected_false_alarms: float = 1.0  # least mean number a scan; the mean itself is estimated
    false_alarm_probability: float = 1e-10  # of the detector, in one resolution cell
    clutter_memory: float = 0.05  # weight of the newest scan in the mean number of false alarms
    expected_new_contacts: float = 0.1  # mean number a scan, at first; the mean itself is estimated
    fewest_new_contacts: float = 0.003  # least that is estimated
    new_contact_memory: float = 0.02  # weight of the newest scan in that mean
    detection_probability: float = 0.9  # of a new contact
    first_looks: float = 5.0  # looks that this expectation is worth
    most_looks: float = 80.0  # looks that a track's own detection probability is the mean of, at most
    blind_lifetime_s: float = 10.0  # mean time that a contact is expected to be there unseen, in the blind range
    unresolved_debit: float = 0.05  # share of a miss that counts while another track's plot may hide the contact
    gate_threshold: float = 23.5  # squared Mahalanobis distance, 4 degrees of freedom
    range_resolution_m: float = 15.0  # one resolution cell; noise follows from it and the SNR
    beam_width_rad: float = radians(4.0)  # likewise, across the line of sight in either direction
    doppler_resolution_mps: float = 1.6  # likewise
    range_floor_m: float = 1.0  # standard deviation at infinite SNR
    angle_floor_rad: float = radians(0.05)  # likewise
    doppler_floor_mps: float = 0.05  # likewise
    sigma_speed_mps: float = 120.0  # of each component of an unknown contact's world velocity
    quiet_psd: float = 0.0002  # power spectral density of the acceleration in quiet flight [m²/s³]
    gentle_acceleration_mps2: float = 1.0  # sigma of each component of the acceleration in a gentle manoeuvre
    sigma_acceleration_mps2: float = 15.0  # likewise, in a hard one
    acceleration_memory_s: float = 16.0  # correlation time of such an acceleration
    quiet_sojourn_s: float = 30.0  # mean time between manoeuvres
    manoeuvre_sojourn_s: float = 20.0  # mean time of a manoeuvre
    confirm_existence: float = 0.99  # a tentative track is confirmed at this probability of existence
    delete_existence: float = 0.002  # a track is deleted below it
    max_existence: float = 0.9999  # evidence is capped here, so that a vanished contact is lost soon
    longest_gap_s: float = 30.0  # after a longer gap all tracks are deleted
    reattach_threshold: float = 22.5  # squared distance of two states of one contact, 6 degrees of freedom
    exchange_m: float = 500.0  # distance up to which two tracks that claim each other's identity are exchanged
    exchange_s: float = 1.5  # time of contradiction after which two tracks are exchanged where only one side replies
    meeting_m: float = 100.0  # distance at which two contacts may have taken each other's tracks
    meeting_s: float = 30.0  # time since then after which nobody can tell
    sigma_impulse_mps: float = 30.0  # of each component of a velocity change by which a contact left its gate
    jump_rate_hz: float = 0.01  # of such changes, of one contact
    longest_silence_s: float = 10.0  # within which such a change is looked for
    smoothing: float = 0.2  # weight of the newest plot in a track's SNR and cross-section
    identity_claims: int = 2  # equal claims after which a track's identity is settled
    identity_bonus: float = 2.0  # gain of an assignment with an equal claim, loss with an unequal one
    spoof_s: float = 3.0  # time of contradiction that proves spoofing
    spoof_threshold: float = 25.0  # squared distance of two places, 3 degrees of freedom
    first_claim_lead_s: float = 1.0  # a claim earlier by more than this owns the identity
    short_range_m: float = 5_000.0  # range within which replies are read
    max_detections: int = 4_000  # in one scan
    max_pairs: int = 50_000  # of tracks and plots in the gate in one scan
    max_tracks: int = 4_000  # at this number no plot starts a track

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


def log_odds(probability: float) -> float:
    """Return the log-likelihood ratio of a probability of existence."""
    return log(probability / (1 - probability))
