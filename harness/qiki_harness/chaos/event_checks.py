"""Checks of events: from the clients' acknowledgements into the stream, from the stream into the audit log."""

from collections import defaultdict

from qiki.contracts import topics
from qiki.contracts.events import AUDIT_PRUNED, RADAR_FRAMES_SEEN
from qiki_harness.chaos.facts import Facts, Report
from qiki_harness.chaos.history import Operation

OWN_SOURCES = {AUDIT_PRUNED.source, RADAR_FRAMES_SEEN.source}
CLIENT_SOURCE = "urn:qiki:chaos:client"


def check_events(facts: Facts, report: Report) -> None:
    """Check that acknowledged events are stored at their places, and stored ones were sent."""
    places = {one["seq"]: one for one in facts.stored(topics.QIKI_EVENTS_V1)}
    for answer in facts.of("event", state="stored"):
        there = places.get(answer["seq"])
        if there is None or there["id"] != answer["id"]:
            found = there["id"] if there else "nothing"
            text = f"event {answer['id']} was acknowledged at {answer['seq']}, where there is {found}"
            report.add("lost", text, *facts.of("event", id=answer["id"]), *([there] if there else []))
    sent = {one["id"] for one in facts.of("event", state="sent")}
    for one in places.values():
        if one.get("source") == CLIENT_SOURCE and one["id"] not in sent:
            report.add("invented", f"event {one['id']} is stored at {one['seq']}, and no client sent it", one)


def check_audit(facts: Facts, report: Report) -> None:
    """Check that each stored event has one audit record, each record its event, and the log no damage."""
    for one in facts.of("damage"):
        report.add("lost", f"audit log: {one['what']}", one)
    records: dict[tuple[str, str], list[Operation]] = defaultdict(list)
    for one in facts.of("audit"):
        records[(one["source"], one["id"])].append(one)
    events = {
        (one["source"], one["event_id"]): one
        for one in facts.stored(topics.QIKI_EVENTS_V1)
        if one["subject"] != topics.AUDIT.subject and (one["subject"], one["seq"]) not in facts.buried
    }
    for key, event in events.items():
        if key not in records and event["seq"] <= facts.settings["registered_to"]:
            report.add("lost", f"event {key[1]} of {key[0]} is stored at {event['seq']}, and not registered", event)
    for key, copies in records.items():
        if len(copies) > 1:
            numbers = " and ".join(str(one["sequence"]) for one in copies)
            report.add("doubled", f"event {key[1]} of {key[0]} is registered as {numbers}", *copies)
        if key not in events and key[0] not in OWN_SOURCES:
            report.add("invented", f"event {key[1]} of {key[0]} is registered, and not stored", *copies)
    _check_published(facts, report)


def _check_published(facts: Facts, report: Report) -> None:
    """Check that the audit subject has what the files have, up to the newest that it has."""
    published = {one["id"]: one for one in facts.stored(topics.QIKI_EVENTS_V1, topics.AUDIT.subject)}
    files = {f"audit:{one['hash']}": one for one in facts.of("audit")}
    newest = max((files[identity]["sequence"] for identity in published if identity in files), default=0)
    for identity, one in files.items():
        if identity not in published and one["sequence"] <= newest:
            report.add("lost", f"audit record {one['sequence']} is in the files, and not on its subject", one)
    for identity, one in published.items():
        if identity not in files:
            report.add("lost", f"audit message {one['seq']} is on its subject, and not in the files", one)
