"""The machine's own figures."""

from qiki_harness.budgets.calibration import calibrating, jitter_ms


def test_regular_times_have_no_jitter():
    assert jitter_ms([0.1 * number for number in range(50)]) < 1e-6


def test_one_interval_is_no_jitter():
    assert jitter_ms([0.0, 1.0]) == jitter_ms([]) == 0.0


def test_every_second_that_comes_late_is_jitter():
    times = [number + 0.2 * (number % 2) for number in range(50)]

    assert 199 < jitter_ms(times) < 401


def test_the_program_runs_beside_and_says_how_fast_the_machine_is():
    with calibrating() as machine:
        assert machine.loop_ms == 0

    assert machine.loop_ms > 0
