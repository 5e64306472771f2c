"""The twin of an environment, flown in this process."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from qiki.agent import BotConfig, Proposal, World
from qiki.agent.discovery import LINKED
from qiki.contracts.ticks import TICK_RATE_HZ
from qiki.envs.views import View
from qiki.flight import Flight, FlownFrame, SavedFlight
from qiki.flight.digest import RunDigest
from qiki.flight.flight import LOCKSTEP
from qiki.flight.saved import Perception
from qiki.guard.rules import GuardRules
from qiki.tasks import Facts, Seen
from qiki.world.scenario import Scenario

LATCH, PORT = "sim.dock.engage", "A"
"""The command with which a station takes the vehicle, and the port."""
INGEST = datetime(2026, 1, 1, tzinfo=UTC)
"""Counts for nothing: a digest leaves it out."""


class GivenProposals:
    """An engine that proposes what it was given for this tick."""

    def __init__(self) -> None:
        self.proposals: tuple[Proposal, ...] = ()

    def propose(self, world: World) -> Iterable[Proposal]:  # noqa: ARG002  # it is the caller's who looks
        """Return the proposals."""
        return self.proposals

    def save(self) -> None:
        """Keep nothing from tick to tick."""

    def load(self, saved: None) -> None:
        """Take up nothing."""


class FlownTwin:
    """A twin in one process.

    Args:
        perception: "tracks" or "truth"
        digests: make the digest of each run, which takes as long as the flight itself
        engines: names of the engines whose proposals the caller gives
    """

    def __init__(
        self,
        bot: BotConfig,
        rules: GuardRules | None,
        perception: Perception,
        *,
        digests: bool = False,
        engines: Sequence[str] = (LINKED,),
    ) -> None:
        self._bot, self._rules, self._perception, self._digests = bot, rules, perception, digests
        self._engines = {name: GivenProposals() for name in engines}
        self._flight: Flight | None = None
        self._digest: RunDigest | None = None
        self._frame: FlownFrame | None = None

    @property
    def flight(self) -> Flight:
        """The run; RuntimeError before the first one."""
        if self._flight is None:
            raise RuntimeError("no run has begun: call reset first")
        return self._flight

    def begin(self, scenario: Scenario, run_id: UUID) -> View:
        """Begin a run, and return the view at its first frame."""
        self._frame = None
        ticks = round(TICK_RATE_HZ / scenario.frame_rate_hz)
        self._flight = Flight(
            scenario,
            run_id=run_id,
            bot=self._bot,
            rules=self._rules,
            engines=self._engines,
            agent=replace(LOCKSTEP, lockstep_ticks=ticks),
            agent_ticks=ticks,
            perception=self._perception,
        )
        self._digest = RunDigest(str(run_id)) if self._digests else None
        return self._advance()

    def step(self, *proposed: Sequence[Proposal]) -> View:
        """Let the agent decide on the proposals of each engine, and return the view at the next frame."""
        self._propose(proposed)
        self.flight.decide()
        self._propose([()] * len(self._engines))
        return self._advance()

    def latch(self) -> None:
        """Have the dock latch at the next tick."""
        self.flight.command(LATCH, port=PORT)

    def digest(self) -> str | None:
        """End the run, and return its digest."""
        link = self._digest.finish() if self._digest else None
        return link.whole if link else None

    def save(self) -> SavedFlight:
        """Return the state of the run, with the decision due."""
        return self.flight.save()

    def load(self, saved: SavedFlight) -> View:
        """Go on from a state, and return its view; StateError if it does not fit."""
        self._flight = Flight.resume(saved, self._engines)
        self._digest = self._frame = None
        return View(self._flight.look(), None, self._seen(), self._flight.world.t_s)

    def close(self) -> None:
        """Forget the run."""
        self._flight = self._digest = self._frame = None

    def _propose(self, proposed: Sequence[Sequence[Proposal]]) -> None:
        for engine, given in zip(self._engines.values(), proposed, strict=True):
            engine.proposals = tuple(given)

    def _advance(self) -> View:
        """Tick until the agent's decision is due."""
        frame = None
        while True:
            moment = self.flight.tick(decide=False)
            frame = moment.frame or frame
            if self._digest:
                for message in moment.messages(INGEST):
                    self._digest.add(message)
            if self.flight.decides_now:
                break
        self._frame = frame or self._frame
        world = self.flight.look()
        facts = None if frame is None else Facts.of_flown(frame, world)
        return View(world, facts, self._seen(), moment.t_s)

    def _seen(self) -> Seen | None:
        if self._perception == "tracks":
            return None
        return Seen.of_reports(self._frame.tracked.reports) if self._frame else Seen.of_tracks(())
