"""A scenario, the checks across its fields, and its file."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Self

from pydantic import AwareDatetime, Field, model_validator

from qiki.contracts.enums import TransponderMode
from qiki.contracts.headers import MAX_IDENTITIES_BYTES, identities_text
from qiki.contracts.ticks import TICK_RATE_HZ
from qiki.errors import UserError
from qiki.fields import Location, Name, Number, Spec, Whole, field_error
from qiki.radar.parameters import RadarParameters
from qiki.shipped import SCENARIOS, SUFFIX, scenario_names
from qiki.world.scenario.contact import ContactSpec, SwarmSpec
from qiki.world.scenario.motion import KnownSideName, Point, VelocityVector
from qiki.yamlfile import load_yaml_model

MAX_CONTACTS = 4000
Delay = Annotated[Number, Field(ge=0, le=60)]
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
FIRST_EPOCH, LAST_EPOCH = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
"""Time is counted in microseconds of Unix time, and ends with the year 9999: 7,799 years are left for any run."""


class BotStart(Spec):
    """Initial state of the bot."""

    position_m: Point = (0.0, 0.0, 0.0)
    velocity_mps: VelocityVector = (0.0, 0.0, 0.0)
    heading_deg: Annotated[Number, Field(ge=0, lt=360)] = 0.0


class Latency(Spec):
    """Delays of commands over gRPC, as the agent gives them; each is drawn uniformly between two bounds [s]."""

    thinking_s: tuple[Delay, Delay] = (0.0, 0.0)
    link_s: tuple[Delay, Delay] = (0.0, 0.0)

    @model_validator(mode="after")
    def _bounds_ascend(self) -> Self:
        for name in ("thinking_s", "link_s"):
            low, high = getattr(self, name)
            if high < low:
                raise field_error((name,), f"{low:g} to {high:g} (expected the lower bound first)")
        return self


class Scenario(Spec):
    """A world: its contacts, the bot's initial state, the radar, and the times of all changes."""

    name: Name
    description: Annotated[str, Field(min_length=1, max_length=120, pattern=r"^[^\n]*$")]
    epoch: AwareDatetime = EPOCH
    seed: Annotated[Whole, Field(ge=0, lt=2**63)] = 0
    frame_rate_hz: Annotated[Number, Field(gt=0, le=TICK_RATE_HZ)] = 10.0
    bot: BotStart = BotStart()
    radar: RadarParameters = RadarParameters()
    latency: Latency | None = None
    identities: dict[Name, KnownSideName] = Field(default_factory=dict)
    contacts: Annotated[tuple[ContactSpec, ...], Field(max_length=2000)] = ()
    swarms: Annotated[tuple[SwarmSpec, ...], Field(max_length=20)] = ()

    @model_validator(mode="after")
    def _epoch_leaves_time_for_a_run(self) -> Self:
        if not FIRST_EPOCH <= self.epoch <= LAST_EPOCH:
            reason = f"{self.epoch.date()} is too far away (expected {FIRST_EPOCH.date()} to {LAST_EPOCH.date()})"
            raise field_error(("epoch",), reason)
        return self

    @model_validator(mode="after")
    def _frames_fall_on_ticks(self) -> Self:
        ticks = TICK_RATE_HZ / self.frame_rate_hz
        if abs(ticks - round(ticks)) > 1e-9:
            reason = f"{self.frame_rate_hz:g} Hz does not fall on ticks (expected 20, 10, 5, 4, 2, 1, 0.5, ...)"
            raise field_error(("frame_rate_hz",), reason)
        if self.radar.dwell_s * self.frame_rate_hz > 1:
            frame_s = 1 / self.frame_rate_hz
            reason = f"one look takes {self.radar.dwell_s:g} s (expected at most a frame's {frame_s:g} s)"
            raise field_error(("radar", "pulses"), reason)
        return self

    @model_validator(mode="after")
    def _contacts_are_limited_and_distinct(self) -> Self:
        count = len(self.contacts) + sum(swarm.count for swarm in self.swarms)
        if count > MAX_CONTACTS:
            raise field_error(("swarms",), f"{count} contacts in all (expected at most {MAX_CONTACTS})")
        _refuse_repeats("contact", self._contact_ids())
        _refuse_repeats("transponder", self._transponder_ids())
        return self

    @model_validator(mode="after")
    def _identities_fit(self) -> Self:
        size = len(identities_text(self.identities))
        if size > MAX_IDENTITIES_BYTES:
            reason = f"{len(self.identities)} identities take {size} bytes in every frame's headers"
            raise field_error(("identities",), f"{reason} (expected at most {MAX_IDENTITIES_BYTES}: fewer, or shorter)")
        return self

    @model_validator(mode="after")
    def _identities_agree(self) -> Self:
        owned = {name for name, _ in self._transponder_ids()}
        spoofed = {contact.transponder.spoof_id for contact in self.contacts}
        for name in self.identities:
            if name not in owned | spoofed:
                raise field_error(("identities", name), f"no contact carries or claims {name}")
        for i, contact in enumerate(self.contacts):
            own, claimed = contact.transponder.id, contact.transponder.spoof_id
            if claimed is not None and claimed not in owned | set(self.identities):
                reason = f"unknown identity {claimed} (expected another contact's transponder id or one of identities)"
                raise field_error(("contacts", i, "transponder", "spoof_id"), reason)
            side = self.identities.get(own or "")
            if side not in {None, contact.side}:
                reason = f"is {contact.side.name}, but identities call {own} {side.name}"
                raise field_error(("contacts", i, "side"), reason)
        return self

    def _contact_ids(self) -> Iterator[tuple[str, Location]]:
        for i, contact in enumerate(self.contacts):
            yield contact.id, ("contacts", i, "id")
        for i, swarm in enumerate(self.swarms):
            yield from ((swarm.member_id(k), ("swarms", i, "id")) for k in range(swarm.count))

    def _transponder_ids(self) -> Iterator[tuple[str, Location]]:
        for i, contact in enumerate(self.contacts):
            if contact.transponder.id is not None:
                yield contact.transponder.id, ("contacts", i, "transponder", "id")
        for i, swarm in enumerate(self.swarms):
            if swarm.transponder_mode == TransponderMode.ON:
                yield from ((swarm.member_id(k), ("swarms", i, "id")) for k in range(swarm.count))


def _refuse_repeats(what: str, names: Iterator[tuple[str, Location]]) -> None:
    seen: set[str] = set()
    for name, location in names:
        if name in seen:
            raise field_error(location, f"{what} id {name} is taken (expected a new one)")
        seen.add(name)


def load_scenario(name_or_path: str | Path, folder: Path = SCENARIOS) -> Scenario:
    """Read a scenario by its name, or by a path, which has a slash or ends in .yaml or .yml; UserError in one line."""
    path = Path(name_or_path)
    if "/" in str(name_or_path) or path.suffix in {SUFFIX, ".yml"}:
        return load_yaml_model(path, Scenario)
    return load_named_scenario(str(name_or_path), folder)


def load_named_scenario(name: str, folder: Path = SCENARIOS) -> Scenario:
    """Read a scenario of a folder, and no file elsewhere: the name may come from the network. UserError in one line."""
    names = scenario_names(folder)
    if name not in names:
        raise UserError(f"no scenario is called {name!r} (expected one of: {', '.join(names) or 'none'})")
    return load_yaml_model(folder / f"{name}{SUFFIX}", Scenario)
