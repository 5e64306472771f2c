"""The twin of an environment, flown in this process."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from qiki.agent import BotConfig, Proposal, World
from qiki.agent.discovery import LINKED
from qiki.envs.views import View
from qiki.flight import Flight, FlownFrame, SavedFlight
from qiki.flight.saved import Perception
from qiki.guard.rules import GuardRules
from qiki.tasks import Seen
from qiki.tasks.frames import FrameFlight
from qiki.world.scenario import Scenario

LATCH, PORT = "sim.dock.engage", "A"
"""The command with which a station takes the vehicle, and the port."""


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
        self._frames: FrameFlight | None = None
        self._flown: FlownFrame | None = None

    def begin(self, scenario: Scenario, run_id: UUID) -> View:
        """Begin a run, and return the view at its first frame."""
        self._flown = None
        self._frames = FrameFlight.of(
            scenario,
            self._engines,
            digests=self._digests,
            run_id=run_id,
            bot=self._bot,
            rules=self._rules,
            perception=self._perception,
        )
        return self._advance()

    def step(self, *proposed: Sequence[Proposal]) -> View:
        """Let the agent decide on the proposals of each engine, and return the view at the next frame."""
        self._propose(proposed)
        self._running.flight.decide()
        self._propose([()] * len(self._engines))
        return self._advance()

    def latch(self) -> None:
        """Have the dock latch at the next tick."""
        self._running.flight.command(LATCH, port=PORT)

    def digest(self) -> str | None:
        """End the run, and return its digest."""
        return self._running.digest()

    def save(self) -> SavedFlight:
        """Return the state of the run, with the decision due."""
        return self._running.flight.save()

    def load(self, saved: SavedFlight) -> View:
        """Go on from a state, and return its view; StateError if it does not fit."""
        flight = Flight.resume(saved, self._engines)
        self._frames, self._flown = FrameFlight(flight), None
        return View(flight.look(), None, self._seen(), flight.world.t_s)

    def close(self) -> None:
        """Forget the run."""
        self._frames = self._flown = None

    def _propose(self, proposed: Sequence[Sequence[Proposal]]) -> None:
        for engine, given in zip(self._engines.values(), proposed, strict=True):
            engine.proposals = tuple(given)

    def _advance(self) -> View:
        frame = self._running.advance()
        self._flown = frame.flown or self._flown
        return View(frame.world, frame.facts, self._seen(), frame.moments[-1].t_s)

    def _seen(self) -> Seen | None:
        if self._perception == "tracks":
            return None
        return Seen.of_reports(self._flown.tracked.reports) if self._flown else Seen.of_tracks(())

    @property
    def _running(self) -> FrameFlight:
        if self._frames is None:
            raise RuntimeError("no run has begun")
        return self._frames
