"""Truth that waits for a slow connection is bounded by its bytes."""

from typing import Any
from uuid import UUID

import pytest
from prometheus_client import REGISTRY

from q_sim_service.nats_publisher import NatsPublisher
from qiki.botspec.planes import BotParameters
from qiki.contracts.telemetry import TruthSnapshot
from qiki.runtime.events import Events
from qiki.runtime.nats import Link, new_client
from qiki.world.scenario import load_scenario
from qiki.world.world import SimWorld


def dropped() -> float:
    return REGISTRY.get_sample_value("qiki_sim_unsent_total", {"what": "truth"}) or 0.0


def test_the_oldest_truth_is_dropped_and_counted(monkeypatch: pytest.MonkeyPatch):
    client: Any = new_client()
    monkeypatch.setattr(type(client), "is_connected", True)  # and nothing is taken
    publisher = NatsPublisher(Events("test"))
    publisher._link = Link(client)
    world, before = SimWorld(load_scenario("single-pass"), BotParameters(), 1, UUID(int=1)), dropped()
    frames = [tick.frame for tick in (world.tick() for _ in range(40)) if tick.frame is not None]
    publisher.take_frame(world, frames[0])
    size = len(publisher._truth[0])
    monkeypatch.setattr("q_sim_service.nats_publisher.TRUTH_WAITING_BYTES", 5 * size)
    for frame in frames[1:]:
        publisher.take_frame(world, frame)
    kept = [TruthSnapshot.from_json(body).frame for body in publisher._truth]
    assert kept == list(range(len(frames)))[-len(kept) :]
    assert sum(map(len, publisher._truth)) <= 5 * size
    assert len(kept) >= 4
    assert dropped() - before == len(frames) - len(kept)
