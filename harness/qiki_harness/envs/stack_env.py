"""An environment over a stack in lockstep: real services, the same spaces and numbers as in one process."""

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

import yaml

from qiki.agent import Proposal
from qiki.contracts import topics
from qiki.contracts.enums import RadarRangeBand
from qiki.contracts.headers import Message
from qiki.contracts.ticks import TICK_RATE_HZ, TICK_S
from qiki.envs import TwinEnv
from qiki.envs.flown import LATCH, PORT
from qiki.envs.views import View
from qiki.errors import UserError
from qiki.flight.digest import GROUP_OF, Chains, FrameCollector
from qiki.guard.rules import GuardRules
from qiki.state import StateError
from qiki.tasks import Facts
from qiki.world.scenario import Scenario
from qiki_harness.envs.link import EngineLink
from qiki_harness.errors import HarnessError
from qiki_harness.testing import ServiceProcess
from qiki_harness.twin import Twin, start_twin
from qiki_harness.twin.records import Record

DEADLINE_S = 60.0
_AGENT, _MODULE = "qiki-dev", "q_core_agent"
_BESIDE = ("operator-console",)
"""Services that no run needs."""


class StackEnv(TwinEnv):
    """`qiki.envs.TwinEnv` over a native stack of its own, whose agent waits for the actions in lockstep.

    The agent is the service's own process, and an engine of it asks here at every tick. Each episode is a run of a
    fresh stack. For the same seed and actions observations, rewards and digests equal those of `TwinEnv`, to the last
    bit.

    Args:
        folder: for the stacks; by default a temporary one
        options: those of `TwinEnv`; the vehicle and the guard's rules are the platform's own, and there is no truth

    Raises:
        UserError: an option is none, or none of a stack.
    """

    def __init__(self, *args: Any, folder: Path | None = None, **options: Any) -> None:
        self._folder = folder
        super().__init__(*args, **options)

    def _make_twin(self, rules: GuardRules | None, *, digests: bool) -> "StackTwin":
        if self._perception != "tracks" or rules is not None or self._has_own_bot or len(self._engines) != 1:
            raise UserError(
                "a stack flies the platform's own vehicle with its own rules and one engine, and sees tracks"
            )
        return StackTwin(self._folder, digests=digests)


class StackTwin:
    """The twin of an environment on a stack; see `qiki.envs.views.Twin`.

    Attributes:
        agent: its process; None between runs
    """

    def __init__(self, folder: Path | None, *, digests: bool) -> None:
        self._ends, self._remove = ExitStack(), ExitStack()
        if folder is None:
            temporary = TemporaryDirectory(prefix="qiki-env-", ignore_cleanup_errors=True)
            folder = Path(self._remove.enter_context(temporary))
        self._folder, self._digests = folder, digests
        self._runs = 0
        self._twin: Twin | None = None
        self._link: EngineLink | None = None
        self.agent: ServiceProcess | None = None
        self._last = -1
        self._run_id = ""

    def begin(self, scenario: Scenario, run_id: UUID) -> View:
        """Start a stack with this world, and return the view at its first frame."""
        self._end()
        place = self._folder / f"run-{self._runs}"
        self._runs, self._last, self._run_id = self._runs + 1, -1, str(run_id)
        place.mkdir(parents=True)
        world = place / f"{scenario.name}.yaml"
        world.write_text(yaml.safe_dump(scenario.model_dump(mode="json", exclude_unset=True), sort_keys=False))
        ticks = round(TICK_RATE_HZ / scenario.frame_rate_hz)
        conduct = {"AGENT_LOCKSTEP_TICKS": str(ticks)}
        try:
            self._twin = start_twin(
                place / "stack", world, run_id=run_id, start=False, env=conduct, without=(_AGENT, *_BESIDE)
            )
            self._ends.callback(self._twin.close)
            self._link = EngineLink()
            self._ends.callback(self._link.close)
            keys = {"QIKI_DEV_KEYS_DIR": self._twin.stack.folder.keys(_AGENT)}
            addresses = self._twin.stack.info.addresses
            settings = {**keys, **conduct, **self._link.variable, **addresses}
            self.agent = ServiceProcess(_MODULE, place / "agent.log", **settings)
            self.agent.start()
            self._ends.callback(self.agent.kill)
            return self._view()
        except BaseException:
            self._end()
            raise

    def step(self, *proposed: Sequence[Proposal]) -> View:
        """Answer the agent, and return the view at the next frame."""
        (given,) = proposed
        self._running[1].send(given)
        return self._view()

    def latch(self) -> None:
        """Have the dock latch at the next tick."""
        answer = self._running[0].command(LATCH, port=PORT)
        if not answer.ok:
            raise HarnessError(f"{LATCH} was refused: {answer.error_detail}")

    def digest(self) -> str | None:
        """End the agent, and return the digest of the run up to its newest frame."""
        if not self._digests:
            return None
        twin = self._running[0]
        frames, chains = FrameCollector(self._run_id, late_frames=self._last + 1), Chains(self._run_id)
        self._end_agent(twin)
        twin.await_tracked_frame(run=self._run_id, frame=self._last)
        kept: Iterable[Iterable[Record[Any]]] = (
            *(twin.frames(band=band) for band in RadarRangeBand),
            *(twin.tracks(), twin.estimates(), twin.tracked_frames(), twin.truth(), twin.events()),
        )
        for record in chain.from_iterable(kept):
            if record.subject in GROUP_OF:
                frames.add(Message(record.subject, record.body, record.headers))
        for frame in frames.finish():
            chains.add(frame)
        return chains.links[-1].whole if chains.links else None

    def _end_agent(self, twin: Twin) -> None:
        """Stop the agent, which sends its last events before it ends, and wait until they have come."""
        if self.agent is None:
            return
        self.agent.terminate()
        self.agent = None
        last = twin.jetstream(lambda jetstream: jetstream.stream_info(str(topics.EVENTS.stream))).state.last_seq
        twin.await_until("all events have come", lambda: any(one.sequence >= last for one in twin.events()[-1:]))

    def save(self) -> Any:
        """Refuse: a stack is forked from a recording."""
        raise StateError("a stack's state is not a value: record it, and `qiki up --from FILE@T` goes on from there")

    def load(self, saved: Any) -> View:
        """Refuse, as `save` does."""
        raise StateError(f"a stack cannot take up a state of {type(saved).__name__}")

    def close(self) -> None:
        """End the stack and the agent, and remove the folder if it was temporary."""
        self._end()
        self._remove.close()

    def _end(self) -> None:
        self._ends.close()
        self._twin = self._link = self.agent = None

    @property
    def _running(self) -> tuple[Twin, EngineLink]:
        if self._twin is None or self._link is None:
            raise UserError("no run has begun: call reset first")
        return self._twin, self._link

    def _view(self) -> View:
        """Wait for the agent's next question, and for the truth of a frame that has come with it."""
        twin, link = self._running
        world = link.receive(DEADLINE_S)
        facts = None
        if world.frame is not None and world.frame > self._last:
            self._last = world.frame
            facts = Facts.of_snapshot(twin.await_truth(run_id=self._run_id, frame=world.frame).data, world)
        t_s = world.own.sim_state.tick * TICK_S if world.own else 0.0
        return View(world, facts, None, t_s)
