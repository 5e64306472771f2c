"""A twin that only watches, for the measurement of what it takes: `onlooker.py NATS_URL event|frames`.

`event` waits for an event that never comes; `frames` waits for each tracked frame and reads its tracks.
"""

import sys

from qiki_harness.twin import ForeignStack
from qiki_harness.twin.twin import Twin
from qiki_harness.twin.watcher import Moment

FOR_EVER_S = 3600.0


def main(url: str, what: str) -> None:
    """Wait until somebody ends this process."""
    twin = Twin(ForeignStack({"NATS_URL": url, "QSIM_GRPC": "127.0.0.1:1"}), only_new=True)
    print("ready", flush=True)
    if what == "event":
        twin.await_event(code=999, deadline_s=FOR_EVER_S)
    moment = twin.now()
    while True:
        moment = follow(twin, moment)


def follow(twin: Twin, moment: Moment) -> Moment:
    """Wait for the next frame and read its tracks; return the moment at which they are there."""
    tracked = twin.await_tracked_frame(after=moment, deadline_s=FOR_EVER_S)
    twin.await_until("its tracks", lambda: len(twin.tracks(after=moment)) >= tracked.data.tracks)
    return twin.now()


if __name__ == "__main__":
    main(*sys.argv[1:])
