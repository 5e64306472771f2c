"""When and how soon a service is started again."""

import pytest

from qiki_harness.compose import RestartKind, RestartPolicy
from qiki_harness.stack.service import restart_delay_s, settled, wants_restart

NO, ALWAYS, UNLESS_STOPPED = (
    RestartPolicy(kind) for kind in (RestartKind.NO, RestartKind.ALWAYS, RestartKind.UNLESS_STOPPED)
)
ON_FAILURE, THRICE = RestartPolicy(RestartKind.ON_FAILURE), RestartPolicy(RestartKind.ON_FAILURE, 3)


@pytest.mark.parametrize(
    ("policy", "exit_code", "restarts", "expected"),
    [
        (NO, 0, 0, False),
        (NO, 1, 0, False),
        (ALWAYS, 0, 99, True),
        (ALWAYS, 137, 99, True),
        (UNLESS_STOPPED, 0, 0, True),
        (ON_FAILURE, 0, 0, False),
        (ON_FAILURE, 1, 99, True),
        (THRICE, 1, 2, True),
        (THRICE, 1, 3, False),
        (THRICE, 0, 0, False),
    ],
)
def test_policies(policy: RestartPolicy, exit_code: int, restarts: int, expected: bool):
    assert wants_restart(policy, exit_code, restarts) is expected


def test_the_first_restart_is_at_once_and_the_rest_double_from_100_ms():
    assert [restart_delay_s(n) for n in range(6)] == [0.0, 0.1, 0.2, 0.4, 0.8, 1.6]


@pytest.mark.parametrize("in_a_row", [11, 12, 1000])
def test_no_delay_is_longer_than_a_minute(in_a_row: int):
    assert restart_delay_s(in_a_row) == 60.0


def test_ten_seconds_of_life_are_settled():
    assert not settled(9.9)
    assert settled(10.0)
