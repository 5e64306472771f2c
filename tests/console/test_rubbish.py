"""Rubbish from the bus: it is shown as text, or not at all, and the page lives."""

import json
from uuid import uuid4

import pytest

from qiki.contracts import topics

MARKUP = "<img src=x onerror=\"document.title='struck'\"><script>document.title='struck'</script>"
CONTROL = "a\u202eb\u0000c\u001b[31md\u2028e\ufefff"
LONG = "z" * 10_000
SUBJECT = "qiki.events.v1.rubbish"
CHANGES = (
    {"range_m": "far"},
    {"range_m": 1e308, "bearing_deg": -1e308},
    {"transponder_id": MARKUP},
    {"iff": 99},
    {"position": None},
    {"position": {"x": "a"}},
    {"status": -7},
    {"track_id": MARKUP},
)


@pytest.fixture(scope="module")
def twin(start_module_twin):
    twin = start_module_twin("crossing")
    twin.await_tracked_frame(frame=20)
    return twin


@pytest.fixture
def screen(twin, open_page, viewer_address):
    screen = open_page(viewer_address(twin))
    screen.until("frames", lambda: (screen.frame or 0) > 0)
    return screen


def headers(kind, code="802", severity="WARNING", source="urn:qiki:rubbish"):
    return {
        "ce-specversion": "1.0",
        "ce-id": str(uuid4()),
        "ce-type": f"qiki.events.v1.{kind}",
        "ce-source": source,
        "ce-time": "2026-01-01T00:00:05.000Z",
        "Nats-Msg-Id": str(uuid4()),
        "x-qiki-code": code,
        "x-qiki-severity": severity,
    }


def publish(twin, kind, body, subject=SUBJECT, **given):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    twin.publish(subject, raw, headers(kind, **given))


def lives(twin, screen):
    """Wait for newer frames; nothing was made from what came."""
    begin = screen.drawn()["frame"]
    screen.until_drawn("frames to go on", lambda picture: picture["frame"] > begin + 5)
    assert screen.page.locator("img").count() == 0
    assert screen.page.locator("body script").count() == 0
    assert screen.page.title() == "QIKI operator's page"


def test_markup_is_text(twin, screen):
    publish(twin, "RadarGuardAlert", {"message": MARKUP, "track_id": MARKUP, "rule_id": MARKUP})
    screen.until("the text itself", lambda: any("<img src=x onerror=" in line for line in screen.events()))
    publish(
        twin, "Decision", {"justification": MARKUP, "source": MARKUP, "status": 2, "rests_on": [{"subject": MARKUP}]}
    )
    screen.tab("Decisions")
    screen.until("the decision", lambda: "<script>document.title" in screen.text(".decisions"))
    lives(twin, screen)


def test_unseen_characters_are_blanks_and_long_texts_are_cut(twin, screen):
    publish(twin, "RadarGuardAlert", {"message": CONTROL, "track_id": "11"})
    line = screen.until("the text", lambda: next((one for one in screen.events() if "a b c" in one), None))
    assert not set(line) & set("\u202e\u0000\u001b\u2028\ufeff")
    publish(
        twin, "Anything", {"text": LONG, **{f"{LONG[:50]}{n}": n for n in range(300)}}, source="urn:qiki:" + LONG[:3000]
    )
    line = screen.until("the long one", lambda: next((one for one in screen.events() if "zzzz" in one), None))
    assert len(line) < 1000
    assert screen.page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    lives(twin, screen)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe\x00",
        b"[" * 5000,
        b'{"message": NaN, "track_id": Infinity}',
        b"null",
        b'"text"',
        {},
        {"message": {"deep": [1, {"x": None}]}, "track_id": 7, "status": "x", "rests_on": 5, "actions": {"a": 1}},
        {"justification": None, "rests_on": [None, 7, {}], "actions": ["x", None], "status": 1e308, "type": -1},
        {"post_results": [{"status": {}}], "all_systems_go": "x", "reasons": [[[]]], "mode": 1e400},
    ],
    ids=[
        "empty",
        "no text",
        "deep",
        "no numbers",
        "null",
        "a string",
        "no fields",
        "other types",
        "nulls and huge numbers",
        "lists and objects",
    ],
)
def test_events_with_other_bodies_do_no_harm(twin, screen, body):
    for kind in ("RadarGuardAlert", "Decision", "SystemMode", "BiosStatus", "PowerLevel", "__proto__", "constructor"):
        publish(twin, kind, body)
    publish(twin, "RadarGuardAlert", {"message": "the last of them", "track_id": "12"})
    screen.until("the last one", lambda: any("the last of them" in line for line in screen.events()))
    screen.tab("Decisions")
    lives(twin, screen)


def test_headers_that_are_none_do_no_harm(twin, screen):
    twin.publish(SUBJECT, b"{}", None)
    publish(twin, "", {}, code="x", severity="LOUD", source="")
    publish(twin, MARKUP, {}, code="-1", severity=LONG[:100], source=CONTROL.replace("\u0000", ""))
    publish(twin, "RadarGuardAlert", {"message": "behind them", "track_id": "13"})
    screen.until("what follows", lambda: any("behind them" in line for line in screen.events()))
    lives(twin, screen)


def test_a_track_of_rubbish_is_left_out_or_shown_as_text(twin, screen):
    newest = twin.tracks()[-1]
    good = json.loads(newest.body)
    for change in CHANGES:
        twin.publish(
            newest.subject, json.dumps(good | change).encode(), {**newest.headers, "Nats-Msg-Id": str(uuid4())}
        )
    for body in (b"", b"{", b"[]", b"null", LONG.encode()):
        twin.publish(newest.subject, body, {**newest.headers, "Nats-Msg-Id": str(uuid4())})
        twin.publish(topics.TRACKED.subject, body, {"Nats-Msg-Id": str(uuid4())})
        twin.publish(topics.AGENT_STATE.subject, body, {"Nats-Msg-Id": str(uuid4())})
        twin.publish("qiki.health.v1.rubbish", body, {"Nats-Msg-Id": str(uuid4())})
    lives(twin, screen)
    assert screen.rows()
    screen.tab("Services")
    assert "ready" in screen.text(".services")
    lives(twin, screen)
