"""Digests of the radar, tracker, guard and truth bytes of every shipped scenario: whether a change kept them."""

import hashlib
from collections import defaultdict
from datetime import UTC, datetime
from uuid import UUID

from qiki.contracts import topics
from qiki.flight import Flight
from qiki.world.scenario import load_scenario, scenario_names

RUN = UUID("5ca1ab1e-0000-4000-8000-000000000003")
INGEST = datetime(2026, 1, 1, tzinfo=UTC)
SECONDS = 60.0
GROUPS = {
    topics.FRAMES.subject: "radar",
    topics.FRAMES_LR.subject: "radar",
    topics.FRAMES_SR.subject: "radar",
    topics.TRACKS.subject: "tracks",
    topics.TRACKED.subject: "tracked",
    topics.TRUTH.subject: "truth",
}


def digests(name: str, seconds: float = SECONDS) -> tuple[int, dict[str, str]]:
    """How many frames a scenario gave, and the first 16 digits of the SHA-256 of each group of subjects."""
    sums = defaultdict(hashlib.sha256)
    frames = 0
    for moment in Flight(load_scenario(name), run_id=RUN, agent=None).fly(seconds):
        if moment.frame is None:
            continue
        frames += 1
        for message in moment.frame.messages(INGEST):
            group = GROUPS.get(message.subject, "guard")
            subject = message.subject.encode() if group in {"radar", "guard"} else b""
            sums[group].update(subject + message.body)
    return frames, {group: total.hexdigest()[:16] for group, total in sorted(sums.items())}


def main() -> None:
    """Print a line a scenario."""
    for name in scenario_names():
        frames, found = digests(name)
        print(f"{name:14} {frames:4}", *(f"{group}={digest}" for group, digest in found.items()), flush=True)


if __name__ == "__main__":
    main()
