"""The keeper of the run: a simulator that is killed goes on with it, where it was."""

from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from pydantic import ValidationError

from q_sim_service.kept_run import MOST_RESUMES, Entry, Journal, KeptAnswer, KeptRunError, KeptState, RunFiles, boot_id
from qiki.contracts.fields import first_fault
from qiki.contracts.sim import SimOrder, SimRun
from qiki.state import StateError
from qiki.world.inputs import describe, order_body, read_inputs
from qiki.world.simulator import RunState, Simulator
from qiki.world.vehicle.orders import Order
from qiki.world.world import GivenOrder, Giver, SimWorld

SAVE_EVERY_S = 1.0
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
        self._number, self._resumes = 0, 0
        self._due_s = 0.0
        self._fails = False
        self._described: tuple[SimWorld, SimRun] | None = None
        self._answers: OrderedDict[str, KeptAnswer] = OrderedDict()

    def resume(self) -> Resumed | None:
        """Return the run to go on with; None where a new one begins."""
        try:
            state, entries = self._files.read()
            world = self._world(state)
        except (KeptRunError, StateError) as error:
            if str(error):
                log.warning("a new run begins: the last one cannot go on", reason=str(error))
            self._files.forget()
            return None
        reached, resumes = self._files.mark
        self._number, self._resumes = state.number, resumes + 1
        self._files.set_mark(reached, self._resumes)
        answers = [*state.answers, *(entry.answer for entry in entries if entry.answer)]
        self._answers = OrderedDict((one.message_id, one) for one in answers)
        return Resumed(
            world=world,
            orders=tuple(entry.order for entry in entries if entry.order),
            reached=reached,
            state=state.state,
            speed=state.speed,
            default_speed=state.default_speed,
            answers=tuple(self._answers.values()),
            planted=state.settings is None,
        )

    def save(self, simulator: Simulator) -> None:
        """Save the run as it is between two ticks."""
        self._due_s = self._clock() + SAVE_EVERY_S
        state = KeptState(
            boot=boot_id(),
            number=self._number + 1,
            run=self._description(simulator),
            settings=self._settings,
            state=simulator.state,
            speed=simulator.speed,
            default_speed=simulator.default_speed,
            world=simulator.world.save_state(),
            answers=tuple(self._answers.values()),
        )
        before = self._journal
        try:
            self._journal = self._files.write(state, simulator.world.tick_count)
        except OSError as error:
            self._refused(error)
        else:
            self._fails = False
        self._number, self._resumes = state.number, 0
        if before is not None:
            before.close()

    def reached(self, simulator: Simulator) -> None:
        """Note that a tick is done, before anybody sees what it brought."""
        self._files.set_mark(simulator.world.tick_count, self._resumes)

    def look(self, simulator: Simulator) -> None:
        """Save if it is time."""
        if self._clock() >= self._due_s:
            self.save(simulator)

    def note_order(self, world: SimWorld, order: Order, giver: Giver) -> None:
        """Note an order that takes effect at the next tick."""
        self._add(Entry(order=order_body(world, GivenOrder(world.tick_count, world.order_count, order, giver))))

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
        _, resumes = self._files.mark
        if state.settings is not None and state.settings != self._settings:
            changed = sorted(name for name in self._settings if state.settings.get(name) != self._settings[name])
            raise KeptRunError(f"the settings have changed: {', '.join(changed)}")
        if resumes >= MOST_RESUMES:
            raise KeptRunError(f"{resumes} simulators have gone on with it from one state, and ended")
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
        self._journal = None
        with suppress(OSError):
            self._files.forget()
        if not self._fails:
            log.error("the run is not kept: if this process is killed, another one begins", reason=repr(error))
        self._fails = True
