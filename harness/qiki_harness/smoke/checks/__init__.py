"""The table of what the smoke test checks, each with the checks that it needs."""

from qiki_harness.smoke.check import Check
from qiki_harness.smoke.checks.agent import agent, guard
from qiki_harness.smoke.checks.events import cloudevents, registrar
from qiki_harness.smoke.checks.jetstream import lag, streams
from qiki_harness.smoke.checks.radar import radar, tracks
from qiki_harness.smoke.checks.simulator import botspec, simulator

CHECKS = (
    Check("streams", "JetStream has the streams and durables of the table of topics, so configured", streams),
    Check("cloudevents", "the newest events are CloudEvents of known types, and their bodies validate", cloudevents),
    Check("grpc", "the simulator answers gRPC: the standard health service and HealthCheck", simulator),
    Check("botspec", "the specification is valid, and the simulator's bot is made from it", botspec, ("grpc",)),
    Check("registrar", "an event that happens now is on record, in the audit log's chain", registrar, ("grpc",)),
    Check("radar", "frames come on their three subjects, in order and without a gap", radar, ("grpc",)),
    Check("tracks", "every frame is tracked, and gives as many valid tracks as is said of it", tracks, ("radar",)),
    Check("lag", "the bridge watches how far every durable is behind", lag, ("tracks",)),
    Check("agent", "the agent ticks, and its self test finds every device in order", agent, ("grpc",)),
    Check("guard", "a stranger close by puts the agent into SAFE_MODE until it is gone", guard, ("tracks", "agent")),
)
