"""The keeper of the run: a simulator that is killed goes on with it, where it was."""

from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import structlog
from pydantic import ValidationError

from q_sim_service.kept_run import MOST_TRIES, Entry, Journal, KeptAnswer, KeptRunError, KeptState, RunFiles, boot_id
from qiki.contracts.fields import first_fault
from qiki.contracts.sim import SimOrder, SimRun
from qiki.state import MISFITS, StateError, misfit
from qiki.world.inputs import describe, order_body, read_inputs
from qiki.world.simulator import RunState, Simulator
from qiki.world.vehicle.orders import Order
from qiki.world.world import GivenOrder, Giver, SimWorld

SAVE_EVERY_S = 1.0
SAFE_TICKS = 2
"""Ticks beyond those of the last process after which it was not the run that ended it: it repeats to the bit."""
KEPT_ANSWERS = 32
log = structlog.get_logger()


@dataclass(frozen=True)
class Resumed:
    """A run to go on with.

    Attributes:
        world: in the state that was saved
        orders: that were given since, each with its tick
        reached: tick up to which the world was computed when the process ended
        planted: no process of a simulator has left it: it begins in the middle of another run
    """

    world: SimWorld
    orders: tuple[SimOrder, ...]
    reached: int
    state: RunState
    speed: float
    default_speed: float
    answers: tuple[KeptAnswer, ...]
    planted: bool


class Keeper:
    """Saves the run of one simulator once a second, and what is ordered between, as it comes.

    A disk that refuses is no reason to end: then nothing is kept until it takes a state again.

    Args:
        settings: what the process begins a run with; with others, another run begins
        clock: monotonic seconds
    """

    def __init__(self, folder: Path, settings: dict[str, Any], clock: Callable[[], float]) -> None:
        self._files, self._settings, self._clock = RunFiles(folder), settings, clock
        self._journal: Journal | None = None
        self._older = self._number = 0  # of the states on the disk
        self._run_id: UUID | None = None  # of the newest
        self._saved_s = 0.0  # when the newest was
        self._tick = 0  # that was reached
        self._tries = 0
        self._trying = False  # this process counts as one
        self._safe_tick = 0
        self._fails = False
        self._described: tuple[SimWorld, SimRun] | None = None
        self._answers: OrderedDict[UUID, KeptAnswer] = OrderedDict()

    def resume(self) -> Resumed | None:
        """Return the run to go on with; None where a new one begins."""
        try:
            first, newest, entries = self._files.read()
            marked, self._tries = self._files.mark_of(newest.number)
            world = self._world(first)
        except (KeptRunError, StateError, *MISFITS) as error:
            if str(error):
                reason = str(error) if isinstance(error, KeptRunError | StateError) else misfit(error)
                log.warning("a new run begins: the last one cannot go on", reason=reason)
            self._tries = 0
            self._files.forget()
            return None
        reached = max(marked, int(newest.world["tick_count"]))
        self._older, self._number, self._run_id = first.number, newest.number, first.run.run_id
        self._tick, self._safe_tick = reached, reached + SAFE_TICKS
        self._saved_s = self._clock()  # the older state stays the one to go on from
        answers = [*first.answers, *(entry.answer for entry in entries if entry.answer)]
        self._answers = OrderedDict((one.message_id, one) for one in answers)
        return Resumed(
            world=world,
            orders=tuple(entry.order for entry in entries if entry.order),
            reached=reached,
            state=newest.state,
            speed=newest.speed,
            default_speed=newest.default_speed,
            answers=tuple(self._answers.values()),
            planted=first.settings is None,
        )

    def save(self, simulator: Simulator) -> None:
        """Save the run as it is between two ticks."""
        world, now_s = simulator.world, self._clock()
        same_run = self._run_id == world.run_id
        older = self._older if same_run and now_s - self._saved_s < SAVE_EVERY_S else self._number
        state = KeptState(
            boot=boot_id(),
            number=self._number + 1,
            run=self._description(simulator),
            settings=self._settings,
            state=simulator.state,
            speed=simulator.speed,
            default_speed=simulator.default_speed,
            world=world.save_state(),
            answers=tuple(self._answers.values()),
        )
        before = self._journal
        self._number, self._run_id, self._saved_s, self._tick = state.number, world.run_id, now_s, world.tick_count
        try:
            self._journal = self._files.write(state)
            self._mark()
            self._files.drop(older if same_run else state.number, state.number)
        except OSError as error:
            self._refused(error)
        else:
            self._older, self._fails = (older if same_run else state.number), False
        if before is not None:
            before.close()

    def trying(self) -> None:
        """Note, before this process computes, that it tries to go on: a tick may end it."""
        if not self._trying:
            self._trying = True
            self._tries += 1
            self._mark()

    def tried(self) -> None:
        """Note that the ticks of the last process are done again: what ends this one before another is not the run."""
        if self._trying:
            self._trying = False
            self._tries -= 1
            self._mark()

    def reached(self, tick: int) -> None:
        """Note that so many ticks are done; what the last one brought is handed on after that."""
        self._tick = tick
        if tick >= self._safe_tick:
            self._tries = 0
        self._mark()

    def _mark(self) -> None:
        self._files.set_mark(self._number, self._tick, self._tries)

    def save_if_due(self, simulator: Simulator) -> None:
        """Save if the newest state is `SAVE_EVERY_S` old."""
        if self._clock() - self._saved_s >= SAVE_EVERY_S:
            self.save(simulator)

    def note_order(self, world: SimWorld, tick: int, order: Order, giver: Giver) -> None:
        """Note an order that takes effect after `tick` ticks."""
        self._add(Entry(order=order_body(world, GivenOrder(tick, world.order_count, order, giver))))

    def note_answer(self, answer: KeptAnswer) -> None:
        """Note the answer that a command gets, or how far a step goes."""
        self._answers.pop(answer.message_id, None)
        self._answers[answer.message_id] = answer
        if len(self._answers) > KEPT_ANSWERS:
            self._answers.popitem(last=False)
        self._add(Entry(answer=answer))

    def forget(self) -> None:
        """End the run with this process, which was asked to stop."""
        self.close()
        self._files.forget()

    def close(self) -> None:
        """Keep no more; what is on the disk stays."""
        if self._journal is not None:
            self._journal.close()
            self._journal = None

    def _world(self, state: KeptState) -> SimWorld:
        if state.settings is not None and state.settings != self._settings:
            changed = sorted(name for name in self._settings if state.settings.get(name) != self._settings[name])
            raise KeptRunError(f"the settings have changed: {', '.join(changed)}")
        if self._tries >= MOST_TRIES:
            raise KeptRunError(f"{self._tries} processes have tried to go on with it, and ended")
        try:
            inputs = read_inputs(state.run)
        except ValidationError as error:
            raise KeptRunError(first_fault(error)) from None
        world = SimWorld(inputs.scenario, inputs.parameters, state.run.seed, state.run.run_id, state.run.sr_threshold_m)
        world.restore_state(state.world)
        return world

    def _description(self, simulator: Simulator) -> SimRun:
        """Return the description of the run; it is made once."""
        if self._described is None or self._described[0] is not simulator.world:
            self._described = simulator.world, describe(simulator.world, simulator.default_speed)
        return self._described[1]

    def _add(self, entry: Entry) -> None:
        try:
            if self._journal is not None:
                self._journal.add(entry)
        except OSError as error:
            self._refused(error)

    def _refused(self, error: OSError) -> None:
        """Give up what is on the disk: with a gap in it, it is another run."""
        self.close()
        with suppress(OSError):
            self._files.forget()
        if not self._fails:
            log.error("the run is not kept: if this process is killed, another one begins", reason=repr(error))
        self._fails = True
