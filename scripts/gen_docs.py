"""Write the documents that are made from the code, or check that they are fresh."""

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from library_docs import library
from licence_docs import licences
from pydantic import BaseModel

from faststream_bridge.app import build
from qiki.contracts import headers, topics
from qiki.contracts.audit import AUDIT_TYPE, AuditRecord
from qiki.contracts.enums import ObjectType
from qiki.contracts.events import EVENTS, RANGES
from qiki.contracts.fields import Payload
from qiki.contracts.identities import SERVICES
from qiki.contracts.methods import API, METHODS, Method
from qiki.contracts.radar import MAX_DETECTIONS, MAX_FRAME_BYTES, MAX_FRAME_NODES
from qiki.contracts.radar_figures import RadarFigures
from qiki.contracts.topics import STREAMS, TOPICS, Durability, Stream, Topic
from qiki.tracking.classify import CLASSES, LEAST_CONFIDENCE, LEAST_HITS, ObjectClass
from qiki.world.commands import COMMANDS

DOCS = Path(__file__).parent.parent / "docs"
SCHEMAS = DOCS / "schemas"


def documents() -> dict[Path, str]:
    """Return every generated document's content by its path."""
    schemas = {kind.ce_type: kind.model for kind in EVENTS} | {AUDIT_TYPE: AuditRecord}
    schemas |= {topic.model.__name__: topic.model for topic in TOPICS if topic.model and topic.model is not AuditRecord}
    return {
        DOCS / "asyncapi.yaml": _asyncapi(),
        DOCS / "events.md": events_table(),
        DOCS / "library.md": library(),
        DOCS / "licences.md": licences(),
        DOCS / "wire.md": wire(),
        **{SCHEMAS / f"{name}.json": schema(name, model) for name, model in sorted(schemas.items())},
    }


def schema(ce_type: str, model: type[Payload]) -> str:
    """Return the JSON Schema of a payload."""
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"urn:{ce_type.replace('.', ':')}"}
    return json.dumps(head | model.model_json_schema(mode="serialization"), indent=2, ensure_ascii=False) + "\n"


def events_table() -> str:
    """Return the table of events, by code."""
    lines = [
        "# Events",
        "",
        "Published on `qiki.events.v1.>` and registered in the audit log. CloudEvents in binary mode; code and",
        "severity travel in the headers `x-qiki-code` and `x-qiki-severity`. Made by `scripts/gen_docs.py`.",
    ]
    for first, purpose in RANGES.items():
        kinds = sorted((kind for kind in EVENTS if kind.code // 100 == first), key=lambda kind: kind.code)
        if not kinds:
            continue
        lines += ["", f"## {first}xx: {purpose}", "", "| code | when | severity | subject | source | payload |"]
        lines += ["| --- | --- | --- | --- | --- | --- |"]
        lines += [
            f"| {kind.code} {kind.name} | {kind.when} | {kind.severity} | `{kind.subject}` | `{kind.source}` "
            f"| [{kind.ce_type}](schemas/{kind.ce_type}.json) |"
            for kind in kinds
        ]
    return "\n".join(lines) + "\n"


def wire() -> str:
    """Return tables of topics, object types, radar figures, streams, commands and gRPC methods."""
    return "\n".join(
        [
            "# The wire",
            "",
            "Bodies are JSON: enumerations as integers, absent values as null, times in UTC with six decimals. Made by",
            "`scripts/gen_docs.py` from the tables in `qiki/contracts`, the tracker's classes and the simulator's",
            "commands.",
            "",
            "## Topics",
            "",
            "| subject | payload | from | content | rate | kept in | durability | durables |",
            "| --- | --- | --- | --- | --- | --- | --- | --- |",
            *map(_topic, TOPICS),
            "",
            "A topic with a rate is stale after five periods without a message.",
            "",
            *_object_types(),
            "",
            *_radar_header(),
            "",
            "## Streams",
            "",
            "| stream | subjects | at most | for | durability | `persist_mode` |",
            "| --- | --- | --- | --- | --- | --- |",
            *map(_stream, STREAMS),
            "",
            "| durability | what an acknowledged message survives |",
            "| --- | --- |",
            *(f"| {one.name} | {one.value} |" for one in Durability),
            "",
            *DURABILITY,
            "",
            *PERMANENT,
            "",
            "## Commands",
            "",
            f"On `{topics.COMMANDS.subject}`; each gets one acknowledgement on `{topics.RESPONSES.subject}`,",
            "and on the command's reply subject if it has one. They are executed one after the other. A command that",
            "is sent again with the same `message_id` is not executed again: it gets the same acknowledgement, a",
            "refusal too. The last 1,024 are remembered, the last 32 by the next process of a killed simulator; the",
            "same id with another command or other parameters is refused. `sim.pause`, `sim.stop` and `sim.reset` end",
            "the steps before them: such a step is acknowledged with `ok` false, `error` and `status` `ended`, and in",
            "`details` `ticks` and `ticks_done`. Bounds: [limits.md](limits.md).",
            "",
            "| command | parameters |",
            "| --- | --- |",
            *(f"| `{name}` | {_parameters(command)} |" for name, command in COMMANDS.items()),
            "",
            "The broker does not say who sent a message: `metadata.source` is what the sender claims. Who may send",
            "commands at all is a right of his identity.",
            "",
            "## gRPC methods",
            "",
            "`qiki.api.QSimAPIService`, with the standard health and reflection services. On the loopback interface",
            "nobody needs an identity for what commands nothing; elsewhere everybody does ([tls.md](tls.md)).",
            "",
            "| method | may be called by |",
            "| --- | --- |",
            *map(_method, METHODS),
            "",
        ]
    )


def _method(method: Method) -> str:
    """Return the row of a method."""
    further = "further ones that may operate" if method.commands else "all further ones"
    return f"| `{method.path.removeprefix(API)}` | {', '.join(method.callers)}, {further} |"


def _object_types() -> list[str]:
    """Return the tracker's assumptions on each type, and its conditions for a type."""
    return [
        "## Object types",
        "",
        "A track's `object_type` is inferred from mean cross-section, world velocity and the transponder's reply, see",
        "[classify.py](../qiki/tracking/classify.py). From",
        f"{LEAST_HITS} plots and a probability of {LEAST_CONFIDENCE:g} on the track has a type, and the header",
        f"`{headers.TYPE_CONFIDENCE}` has the probability, rounded down to a hundredth. Else the type is 0, without",
        "the header. All types are assumed equally frequent, beside unnamed objects of any size and speed. A false",
        "identity proves a transmitter as well as a true one; silence is weak evidence, in short range only. So most",
        "silent, drifting objects stay 0.",
        "",
        "| type | mean cross-section, dBsm | velocity, standard deviation of a component | identifies itself |",
        "| --- | --- | --- | --- |",
        *(_object_class(kind, one) for kind, one in CLASSES.items()),
    ]


def _radar_header() -> list[str]:
    """Return the figures of a frame's header on its radar, and the limits of a frame."""
    return [
        "## A frame's radar",
        "",
        f"The header `{headers.RADAR}` of a frame gives the tracker the radar's figures: all those below, as",
        "`name=value&…`. It is optional. A frame without it is treated as one of the platform's own radar with the",
        "defaults of [scenarios.md](scenarios.md), whose frames do not have it. The header of the first frame of a",
        "run, or of another radar's sensor, holds for all its frames. A frame with a malformed one is a dead letter.",
        "",
        "| figure | least | greatest |",
        "| --- | --- | --- |",
        *(f"| `{name}` | {_bounds(one)} |" for name, one in RadarFigures.model_json_schema()["properties"].items()),
        "",
        f"A frame has at most {MAX_DETECTIONS} detections and {MAX_FRAME_BYTES} bytes, and at most {MAX_FRAME_NODES}",
        "objects and lists, unknown fields included. One with more is a dead letter.",
    ]


def _bounds(figure: Mapping[str, float]) -> str:
    least = f"above {figure['exclusiveMinimum']:g}" if "exclusiveMinimum" in figure else f"{figure['minimum']:g}"
    return f"{least} | {figure['maximum']:g}"


def _object_class(kind: ObjectType, one: ObjectClass) -> str:
    motion = ", ".join(f"{sigma_mps:g} m/s ({share:.0%})" for sigma_mps, share in one.motion.items())
    return f"| {kind.name} | {one.rcs_dbsm:g} ± {one.rcs_spread_db:g} | {motion} | {one.answers:.1%} |"


PERMANENT = f"""\
The server deletes no single message of these, and it does not purge them (`deny_delete`, `deny_purge`); the oldest
messages go when one is full: {", ".join(f"`{stream.name}`" for stream in STREAMS if stream.permanent)}.
""".splitlines()
DURABILITY = """\
All are on file, with `allow_direct` and `allow_batched` (fast ingest, ADR-50), and the broker syncs always. A killed
broker takes nothing acknowledged from a stream of mode `default`. From one of mode `async` it takes what it
acknowledged in its last 10 ms or so, as it writes a little later; a power failure takes up to a second
([durability.md](durability.md)). Our publishers keep what was stored in the last
second and send it again after each lost connection: so it is there again, perhaps with other sequences. That fails
only if the publisher dies too before it is back, or if the broker is away for longer than 100 s: the table of message
ids ends at 120 s.

`python -m nats_js_init` updates streams that are there, but the server takes `persist_mode` for a new stream only: the
old mode is kept, and a line says so. `python -m nats_js_init --migrate [FOLDER]` makes such a stream again from a copy
in FOLDER, with its messages, sequences and the places of its durables. Best stop all but the broker before, and start
the broker again behind it: until then it knows none of the last message ids, and stores twice what is sent twice.
""".splitlines()


def _stream(stream: Stream) -> str:
    age = f"{stream.max_age_s / 3600:g} h" if stream.max_age_s >= 3600 else f"{stream.max_age_s / 60:g} min"
    size = f"{stream.max_bytes >> 20} MiB | {age if stream.max_age_s else 'ever'}"
    mode = "async" if stream.persist_async else "default"
    subjects = ", ".join(f"`{one}`" for one in stream.subjects)
    return f"| {stream.name} | {subjects} | {size} | {stream.durability.name} | `{mode}` |"


def _topic(topic: Topic[Any]) -> str:
    payload = f"[{topic.model.__name__}](schemas/{_schema_name(topic.model)}.json)" if topic.model else ""
    rate = f"{topic.rate_hz:g} Hz" if topic.rate_hz else ""
    durables = ", ".join(f"`{durable.name}` ({durable.reader})" for durable in topic.durables)
    writers = "all services" if topic.writers == SERVICES else ", ".join(topic.writers)
    kept = (topic.stream or "", topic.durability.name)
    cells = (f"`{topic.subject}`", payload, writers, topic.about, rate, *kept, durables)
    return f"| {' | '.join(cells)} |"


def _schema_name(model: type[Payload]) -> str:
    return AUDIT_TYPE if model is AuditRecord else model.__name__


def _parameters(command: type[BaseModel]) -> str:
    """Return names, types and defaults, as in the JSON Schema."""
    schema = command.model_json_schema()
    required = schema.get("required", [])
    parameters = []
    for name, given in schema.get("properties", {}).items():
        field = schema["$defs"][given["$ref"].rpartition("/")[2]] | given if "$ref" in given else given
        kinds = [one.get("type", "") for one in field.get("anyOf", [field])]
        choice = " of " + ", ".join(map(str, field["enum"])) if "enum" in field else ""
        default = "" if name in required else f", default {json.dumps(field.get('default'))}"
        parameters.append(f"`{name}` ({'/'.join(filter(None, kinds)) or 'any'}{choice}{default})")
    return ", ".join(parameters)


def _asyncapi() -> str:
    """Return the bridge's document, its keys in order: FastStream's order of channels changes from run to run."""
    specification = build(_unused).schema.to_specification().to_jsonable()
    return yaml.safe_dump(specification, sort_keys=True, allow_unicode=True)


async def _unused(*_: object) -> None:
    """The application is only described here."""


def main() -> None:
    """Write or check the documents."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only check that the documents are fresh")
    check = parser.parse_args().check
    made = documents()
    left_over = [path for path in SCHEMAS.glob("*.json") if path not in made]
    if check:
        stale = [path for path, content in made.items() if not path.exists() or path.read_text() != content]
        for path in [*stale, *left_over][:1]:
            sys.exit(f"gen_docs: {path.relative_to(DOCS.parent)} is stale; run python scripts/gen_docs.py")
        return
    SCHEMAS.mkdir(exist_ok=True)
    for path, content in made.items():
        path.write_text(content)
    for path in left_over:
        path.unlink()


if __name__ == "__main__":
    main()
