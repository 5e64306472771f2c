"""An alert that had ended and holds again within the guard's cooldown."""

from typing import Any

from qiki.agent.perception.observer import Observer
from qiki.contracts.events import GUARD_RESUMED


def test_it_is_an_alert_until_its_next_end_and_evidence_of_its_own(make: Any):
    observer = Observer(1.0, lockstep=False)
    observer.take_telemetry(make.telemetry(), 0.0)
    reports = {
        1: lambda: observer.take_alert(make.alert(1, 1), make.RUN, 1, 11, 0.0),
        2: lambda: observer.take_cleared(make.cleared(1, 2), 2, 12, 0.0),
        3: lambda: observer.take_resumed(make.alert(1, 3), make.RUN, 3, 13, 0.0),
        4: lambda: observer.take_cleared(make.cleared(1, 4), 4, 14, 0.0),
    }
    shown = []
    for frame, take in reports.items():
        observer.take_tracked(make.tracked(frame, 1), 1, frame, 0.0)
        observer.take_track(make.track(1, frame * 0.1), make.RUN, frame, frame, 0.0)
        take()
        shown.append([one.evidence.sequence for one in observer.world(1, 0.0, None).alerts])
        if frame == 3:
            (alert,) = observer.world(1, 0.0, None).alerts
            assert alert.evidence.subject == GUARD_RESUMED.subject
    assert shown == [[11], [], [13], []]
