"""Published figures of a scenario's radar."""

from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from q_sim_service.runs import run_ids
from q_sim_service.ticker import RADARS_KEPT, Ticker
from qiki.botspec.planes import BotParameters
from qiki.contracts.radar_figures import RadarFigures
from qiki.radar import RadarParameters
from qiki.world.scenario import Scenario
from qiki.world.simulator import Setup, Simulator

RUN = UUID("11111111-2222-4333-8444-555555555555")
PLAIN = Scenario(name="plain", description="the default radar")
WIDE = Scenario(name="wide", description="another radar", radar=RadarParameters(beam_width_deg=12))


def test_the_default_radar_needs_no_words():
    assert RadarParameters().unlike_default is None
    assert RadarParameters(peak_power_w=5.0, swerling=0).unlike_default is None


def test_another_radars_figures_are_in_the_trackers_units():
    figures = RadarParameters(bandwidth_hz=1e6, beam_width_deg=18, pulses=64, speed_floor_mps=2).unlike_default
    assert figures is not None
    assert (round(figures.range_resolution_m, 3), round(figures.beam_width_rad, 4)) == (149.896, 0.3142)
    assert (figures.doppler_resolution_mps, figures.doppler_span_mps, figures.doppler_floor_mps) == (6.25, 400.0, 2.0)
    assert (figures.max_range_m, figures.range_floor_m) == (16_000.0, 1.0)


@settings(max_examples=50)
@given(
    st.builds(
        RadarParameters,
        wavelength_m=st.floats(1e-4, 100),
        bandwidth_hz=st.floats(1e6, 1e10),
        pulse_repetition_hz=st.floats(1, 9e3),
        pulses=st.integers(1, 1_000_000),
        beam_width_deg=st.floats(1e-9, 90),
        false_alarm_probability=st.just(1e-300) | st.just(5e-324),
        range_floor_m=st.floats(0, 1e4),
        angle_floor_deg=st.floats(0, 10),
        speed_floor_mps=st.floats(0, 1e3),
    )
)
def test_whatever_a_scenario_may_say_fits_the_header(radar: RadarParameters):
    assert RadarFigures.of_text(radar.figures.text()) == radar.figures


class Nowhere:
    """Takes what the ticker hands on."""

    def take_run(self, world: object, speed: float) -> None:
        """Unused here."""


def test_the_stream_names_the_radars_of_the_last_runs():
    scenarios = {"plain": PLAIN, "wide": WIDE}
    simulator = Simulator(Setup(BotParameters(), 5000.0, None, scenarios.__getitem__), PLAIN, run_ids(RUN))
    ticker = Ticker(simulator, lambda: 0.0, Nowhere())  # type: ignore[arg-type]
    ticker.simulator.reset("wide", None, None)
    ticker.follow()
    assert ticker.radars == [f"{RUN} ", f"{ticker.world.run_id} {WIDE.radar.figures.text()}"]
    for _ in range(RADARS_KEPT):
        ticker.simulator.reset("plain", None, None)
        ticker.follow()
    assert len(ticker.radars) == RADARS_KEPT
    assert ticker.radars[-1] == f"{ticker.world.run_id} "
