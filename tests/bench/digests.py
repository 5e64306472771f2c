"""Digests of every shipped scenario: whether a change kept the bytes that its run publishes."""

from datetime import UTC, datetime
from uuid import UUID

from qiki.flight import Flight
from qiki.flight.digest import DECISIONS, GROUPS, Link, RunDigest
from qiki.world.scenario import load_scenario, scenario_names

RUN = UUID("5ca1ab1e-0000-4000-8000-000000000003")
INGEST = datetime(2026, 1, 1, tzinfo=UTC)
SECONDS = 60.0
SHOWN = tuple(group for group in GROUPS if group != DECISIONS)


def digest(name: str, seconds: float = SECONDS) -> Link | None:
    """The digest of a scenario that is flown without an agent."""
    chains = RunDigest(str(RUN), SHOWN)
    for moment in Flight(load_scenario(name), run_id=RUN, agent=None).fly(seconds):
        for message in moment.messages(INGEST):
            chains.add(message)
    return chains.finish()


def main() -> None:
    """Print a line a scenario: its frames, and the first 16 digits for each group of subjects."""
    for name in scenario_names():
        if link := digest(name):
            shown = (f"{group}={link.groups[group][:16]}" for group in SHOWN)
            print(f"{name:14} {link.frame + 1:4}", *shown, flush=True)


if __name__ == "__main__":
    main()
