"""Restarts of a service that ended: whether, and after which delay."""

from qiki_harness.compose import RestartKind, RestartPolicy

FIRST_DELAY_S = 0.1
LONGEST_DELAY_S = 60.0
SETTLED_S = 10.0


def wants_restart(policy: RestartPolicy, exit_code: int, restarts: int) -> bool:
    """Return whether the policy restarts a service that ended with this code after so many restarts."""
    match policy.kind:
        case RestartKind.NO:
            return False
        case RestartKind.ON_FAILURE:
            return exit_code != 0 and (policy.max_retries is None or restarts < policy.max_retries)
        case RestartKind.ALWAYS | RestartKind.UNLESS_STOPPED:
            return True


def restart_delay_s(in_a_row: int) -> float:
    """Return the delay of a restart, given the number of those before it without a settled life between [s].

    The engine's delays, doubling from 0.1 s to a minute, but the first restart is at once: a test or a person waits
    for it. (moby: restartmanager, backoffMultiplier 2, defaultTimeout 100 ms, maxRestartTimeout 1 min.)
    """
    if in_a_row == 0:
        return 0.0
    return float(min(FIRST_DELAY_S * 2 ** min(in_a_row - 1, 10), LONGEST_DELAY_S))


def settled(ran_s: float) -> bool:
    """Return whether a service ran long enough to forget its former restarts (moby: 10 s)."""
    return ran_s >= SETTLED_S
