"""Messages that are nobody's frames: the agent goes on seeing its run, and its memory stays small."""

import gc
import tracemalloc
from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from q_core_agent.inputs import Inputs
from qiki.agent.perception.frames import FALSE_JUMP, KEPT_FRAMES, Assembly
from qiki.agent.perception.observer import Observer
from qiki.contracts import topics
from qiki.contracts.events import GUARD_CLEARED
from qiki.contracts.headers import FRAME, RUN
from qiki.runtime.health import Health

OTHERS_BYTES = 600_000
"""Memory that other threads of the process may take meanwhile; a flood that is kept takes 2 MB and more."""


def shown(observer: Observer) -> int | None:
    return observer.world(1, 0.0, None).frame


def test_a_notice_too_far_ahead_of_its_time_is_refused(observer: Observer, bridge: Any, make: Any):
    bridge.frame(0, (1,), 0.0)
    forged = make.tracked(10, 0).model_copy(update={"frame": 999_999_999})
    with pytest.raises(ValueError, match=r"frame: 999999999 is 999999999 frames and 1 s after the newest"):
        observer.take_tracked(forged, 0, 0, 2, 0.0)
    bridge.frame(1, (1,), 0.1)
    assert shown(observer) == 1


def test_after_a_forged_notice_that_fits_its_time_the_run_is_seen_again(observer: Observer, bridge: Any, make: Any):
    for number in range(30):
        bridge.frame(number, (1, 2), 0.0)
    observer.take_tracked(make.tracked(999_999, 0), 0, 0, 99, 0.0)
    seen = [shown(observer)]
    for number in range(30, 60):
        bridge.frame(number, (1, 2), 0.0)
        seen.append(shown(observer))
    assert seen == [999_999] * FALSE_JUMP + [29, *range(35, 60)]


def test_a_run_seen_from_its_middle_on_is_not_taken_back(observer: Observer, bridge: Any):
    for number in range(5000, 5100):
        bridge.frame(number, (1,), 0.0)
    for number in range(4000, 4100):
        bridge.frame(number, (1,), 0.0)
    assert shown(observer) == 5099


def test_parts_of_frames_far_ahead_do_not_push_out_those_that_come(observer: Observer, bridge: Any, make: Any):
    for number in range(10**6, 10**6 + 3 * KEPT_FRAMES):
        observer.take_track(make.track(1), make.RUN, number, number, 0.0)
    bridge.frame(0, (1, 2), 0.0)
    assert shown(observer) == 0


def test_an_assembly_weighs_what_it_keeps(make: Any):
    assembly = Assembly()
    for number in range(3):
        assembly.add_estimates(make.estimates(number, 1, 2), None)
        assembly.add_estimates(make.estimates(number, 1, 2), None)
        assembly.add_track(number, make.track(number), None)
        assembly.add_guard(number, "a report")
    assert assembly.weight == 3 * 6


def forged(make: Any) -> dict[str, Callable[[int], tuple[str, bytes, dict[str, str]]]]:
    """Floods of valid messages: many runs, frames, tracks, rules."""
    text = "x" * 2000

    def track(number: int) -> tuple[str, bytes, dict[str, str]]:
        one = make.track(number).model_copy(update={"transponder_id": text + str(number)})
        return topics.TRACKS.subject, one.to_json(), {RUN: make.run(number % 40), FRAME: str(number % 5000)}

    def alert(number: int) -> tuple[str, bytes, dict[str, str]]:
        one = make.alert(number, 1).model_copy(update={"message": text + str(number)})
        return topics.GUARD.subject, one.to_json(), {RUN: make.run(number % 40), FRAME: str(number)}

    def cleared(number: int) -> tuple[str, bytes, dict[str, str]]:
        one = make.cleared(number, 1, run=make.run(number % 40)).model_copy(update={"fsm_event": text + str(number)})
        return GUARD_CLEARED.subject, one.to_json(), {RUN: make.run(number % 40), FRAME: str(number)}

    def estimates(number: int) -> tuple[str, bytes, dict[str, str]]:
        one = make.estimates(0, *range(5)).model_copy(update={"frame": number, "run_id": make.run(number % 40)})
        return topics.ESTIMATES.subject, one.to_json(), {}

    return {"tracks": track, "alerts": alert, "ends of alerts": cleared, "estimates": estimates}


@pytest.mark.parametrize("kind", ["tracks", "alerts", "ends of alerts", "estimates"])
def test_a_flood_of_forged_messages_takes_bounded_memory(
    observer: Observer, make: Any, kind: str, monkeypatch: pytest.MonkeyPatch
):
    """With small bounds for a small flood: three times as many messages take no more than one."""
    for name in ("frames.KEPT_PARTS", "alerts.KEPT_IN_ALL", "observer.KEPT_IN_ALL"):
        monkeypatch.setattr(f"qiki.agent.perception.{name}", 200)
    flood, inputs = forged(make)[kind], Inputs(observer, Health("agent"), lockstep=False)

    def send(first: int, last: int) -> int:
        for number in range(first, last):
            subject, body, headers = flood(number)
            inputs._stored(SimpleNamespace(subject=subject, data=body, headers=headers), number + 1)
        for cached in (make.track, make.alert, make.cleared, make.estimates, make.track_id):
            getattr(cached, "cache_clear", lambda: None)()
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        empty = send(0, 1)
        once = send(1, 500) - empty
        thrice = send(500, 1500) - empty
    finally:
        tracemalloc.stop()
    assert thrice < 1.3 * once + OTHERS_BYTES
    assert thrice < 200 * 25_000


@pytest.mark.parametrize(
    "subject", [topics.TRACKS.subject, topics.TRACKED.subject, topics.GUARD.subject, topics.ESTIMATES.subject]
)
def test_a_body_of_many_times_the_usual_size_is_refused_unread(subject: str, observer: Observer):
    inputs = Inputs(observer, Health("agent"), lockstep=False)
    sent = SimpleNamespace(subject=subject, data=b"[" * 2_000_000, headers={})
    tracemalloc.start()
    try:
        inputs._stored(sent, 1)  # type: ignore[arg-type]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 500_000


def test_frames_that_come_late_in_a_run_with_a_gap_are_not_a_jump_back(observer: Observer, bridge: Any, make: Any):
    """The radar was off: the time has passed, the numbers go on."""
    bridge.frame(0, (1,), 0.0)
    late = make.tracked(1, 0)
    observer.take_tracked(late.model_copy(update={"timestamp": late.timestamp + timedelta(hours=1)}), 0, 0, 5, 0.0)
    assert shown(observer) == 1
