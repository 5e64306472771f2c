"""The plan of a run: which faults come when. The same seed, minutes and kinds give the same plan."""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

PYTHON_SERVICES = ("q-sim-service", "q-sim-radar", "faststream-bridge", "registrar", "qiki-dev", "operator-console")
BROKER = "nats"
SERVICES = (BROKER, *PYTHON_SERVICES)
CLIENTS = "clients"
LINKS = (
    *((service, "nats") for service in (*PYTHON_SERVICES, CLIENTS)),
    ("q-sim-radar", "sim"), ("qiki-dev", "sim"),
)  # fmt: skip
"""Connections, each through a proxy of its own."""
VOLUMES = ("jetstream", "audit", "bridge")
WINDOW_S = 10.0  # the duplicate window of the run's streams: longer than every fault but `away`
WARM_UP_S = 3.0
TAIL_S = 5.0
_PAIRED = 0.25  # part of the rounds in which a second fault comes while the first lasts

Values = Mapping[str, Any]


@dataclass(frozen=True)
class Fault:
    """One fault.

    Attributes:
        at_s: its begin, from the begin of the load
        duration_s: until it is healed; 0: it heals by itself
    """

    kind: str
    at_s: float
    duration_s: float
    parameters: Values = field(default_factory=dict)

    def __str__(self) -> str:
        """Return it in a line."""
        given = " ".join(f"{name}={value}" for name, value in self.parameters.items())
        return f"{self.at_s:7.1f} s  {self.kind:<7} {self.duration_s:5.1f} s  {given}"


@dataclass(frozen=True)
class Plan:
    """The rounds of a run, in order: the faults of one overlap, and all are healed before the next."""

    seed: int
    minutes: float
    rounds: tuple[tuple[Fault, ...], ...]

    @property
    def faults(self) -> tuple[Fault, ...]:
        """All faults in the order of their begin."""
        return tuple(fault for one in self.rounds for fault in one)

    @property
    def clocks(self) -> tuple[str, ...]:
        """The services whose clocks are moved."""
        moved = {fault.parameters["service"] for fault in self.faults if fault.kind == "clock"}
        return tuple(sorted(moved))


def _kill(chance: random.Random) -> tuple[float, Values]:
    return 0.0, {"service": chance.choice(SERVICES), "times": chance.choice((1, 1, 1, 2, 3))}


def _freeze(chance: random.Random) -> tuple[float, Values]:
    return _seconds(chance, 1.0, 7.0), {"service": chance.choice(SERVICES)}


def _cut(chance: random.Random) -> tuple[float, Values]:
    return _seconds(chance, 1.0, 7.0), {**_link(chance), "way": chance.choice(("both", "to", "from"))}


def _slow(chance: random.Random) -> tuple[float, Values]:
    pace = {"delay_ms": chance.choice((20, 50, 100, 200)), "rate_kb_s": chance.choice((50, 200, 1000))}
    return _seconds(chance, 3.0, 7.0), {**_link(chance), **pace}


def _memory(chance: random.Random) -> tuple[float, Values]:
    return _seconds(chance, 2.0, 6.0), {"service": chance.choice(SERVICES), "margin_mb": chance.choice((0, 1, 4, 16))}


def _disk(chance: random.Random) -> tuple[float, Values]:
    return _seconds(chance, 2.0, 6.0), {"volume": chance.choice(VOLUMES)}


def _clock(chance: random.Random) -> tuple[float, Values]:
    offset_s = round(chance.choice((-1, 1)) * 10 ** chance.uniform(0.0, 3.6), 1)
    return _seconds(chance, 2.0, 7.0), {"service": chance.choice(PYTHON_SERVICES), "offset_s": offset_s}


def _away(chance: random.Random) -> tuple[float, Values]:
    return round(WINDOW_S * chance.uniform(1.2, 1.6), 1), {"service": BROKER}


def _link(chance: random.Random) -> Values:
    service, link = chance.choice(LINKS)
    return {"service": service, "link": link}


def _seconds(chance: random.Random, least: float, most: float) -> float:
    return round(chance.uniform(least, most), 1)


_DRAW: Mapping[str, Callable[[random.Random], tuple[float, Values]]] = {
    "kill": _kill, "freeze": _freeze, "cut": _cut, "slow": _slow,
    "memory": _memory, "disk": _disk, "clock": _clock, "away": _away,
}  # fmt: skip
KINDS = tuple(_DRAW)


def make_plan(seed: int, minutes: float, kinds: Sequence[str] = KINDS) -> Plan:
    """Draw rounds until the minutes are over."""
    chance = random.Random(seed)  # noqa: S311
    return Plan(seed, minutes, tuple(_rounds(chance, 60 * minutes - TAIL_S, _drawn(chance, kinds))))


def _rounds(chance: random.Random, end_s: float, kinds: Iterator[str]) -> Iterator[tuple[Fault, ...]]:
    at_s = WARM_UP_S
    while True:
        first = _fault(chance, next(kinds), round(at_s, 1))
        faults = [first]
        if chance.random() < _PAIRED:
            faults.append(_fault(chance, next(kinds), round(at_s + chance.uniform(0.0, first.duration_s + 0.5), 1)))
        healed_s = max(fault.at_s + fault.duration_s for fault in faults)
        if healed_s > end_s:
            return
        yield tuple(faults)
        at_s = healed_s + chance.uniform(2.0, 5.0)


def _drawn(chance: random.Random, kinds: Sequence[str]) -> Iterator[str]:
    """Yield kinds without end, all of them before one comes again."""
    while True:
        yield from chance.sample(kinds, len(kinds))


def _fault(chance: random.Random, kind: str, at_s: float) -> Fault:
    duration_s, parameters = _DRAW[kind](chance)
    return Fault(kind, at_s, duration_s, parameters)
