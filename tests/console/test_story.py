"""The README's story of `mixed-traffic`, followed on the page alone: live, by going back, and from a recording."""

import re

import pytest

STRANGER, IMPOSTOR, SILENT = "Unknown contact close by", "Contact claims an identity", "Foe with its transponder off"
CLOSEST, WITHIN_500, FOE_HOLDS = 185, 300, 600
"""Frames: the stranger passes, the impostor is within 500 m, the silent foe keeps its station."""
SECONDS = 82


@pytest.fixture(scope="module")
def played(qiki, qiki_page, tmp_path_factory):
    """The address of a page that has all of a recorded flight."""
    file = tmp_path_factory.mktemp("story") / "story.mcap"
    qiki("record", "--fly", "mixed-traffic", file, "--seconds", SECONDS)
    return qiki_page("console", file)[0]


@pytest.fixture(scope="module")
def twin(start_module_twin):
    return start_module_twin("mixed-traffic", speed=2)


def alerts(screen):
    """Return the guard's alerts, oldest first: time, text and track are the same in each telling but the id."""
    lines = [line for line in reversed(screen.events()) if "radar_guard" in line and " 802 " in line]
    return [re.sub(r"\(track \w+\)", "", line) for line in lines]


def row_of(screen, mark):
    return next((row for row in screen.rows().values() if mark(row)), None)


def told_at(screen):
    """Return what the page tells of the three encounters and of the end, going there."""
    told = {}
    screen.go_to(CLOSEST)
    nearest = next(iter(screen.rows().values()))
    told["stranger"] = (nearest[1:5], screen.agent, screen.text(".agent .causes").partition(" (track")[0])
    screen.go_to(WITHIN_500)
    told["impostor"] = row_of(screen, lambda row: row[3])[1:5]
    screen.go_to(FOE_HOLDS)
    told["foe"] = (row_of(screen, lambda row: row[1] == "foe" and row[4].startswith("11"))[1:4], screen.agent)
    return told


def check(told):
    side, identity, mark, distance = told["stranger"][0]
    assert (side, identity, mark) == ("unknown", "", "")
    assert distance.startswith("46.")
    assert told["stranger"][1] == "SAFE_MODE"
    assert told["stranger"][2].startswith(f"RADAR_ALERT_UNKNOWN_CLOSE: {STRANGER}: ")
    side, identity, mark, distance = told["impostor"]
    assert (identity, mark) == ("SHP-ALBA", "! false")
    assert float(distance.split()[0]) < 500
    assert told["foe"] == (["foe", "", ""], "SAFE_MODE")


def test_the_story_is_seen_while_it_happens(twin, open_page, viewer_address):
    screen = open_page(viewer_address(twin))
    screen.until("the alert", lambda: any(STRANGER in line for line in screen.events()))
    screen.until("SAFE_MODE", lambda: screen.agent == "SAFE_MODE")
    assert "RADAR_ALERT_UNKNOWN_CLOSE" in screen.text(".agent .causes")
    screen.until("the impostor's mark", lambda: row_of(screen, lambda row: (row[2], row[3]) == ("SHP-ALBA", "! false")))
    screen.until_drawn("it in the view", lambda picture: any(one["spoof"] for one in picture["tracks"]))
    screen.until("the silent foe", lambda: any(SILENT in line for line in screen.events()))
    screen.until("SAFE_MODE again", lambda: "RADAR_ALERT_FOE_APPROACH" in screen.text(".agent .causes"))
    screen.until("its end", lambda: any("FOE_TRANSPONDER_OFF_APPROACH" in line for line in screen.events()))
    screen.until("NORMAL by itself", lambda: screen.agent == "NORMAL" and "No cause" in screen.text(".agent"))


def test_the_story_is_found_again_by_going_back(twin, open_page, viewer_address):
    twin.await_tracked_frame(frame=800, deadline_s=120)
    twin.command("sim.pause")
    screen = open_page(viewer_address(twin))
    newest = screen.until("frames", lambda: screen.frame)
    screen.drag(CLOSEST / newest)
    screen.until("the past", lambda: screen.mode == "PAST" and abs(screen.frame - CLOSEST) < 12)
    check(told_at(screen))


def test_a_recording_tells_the_same_story(twin, played, open_page, viewer_address):
    screen = open_page(played)
    screen.until("the recording's end", lambda: (screen.frame or 0) >= 10 * SECONDS - 2)
    told = told_at(screen)
    check(told)
    live = open_page(viewer_address(twin))
    live.until("frames", lambda: live.frame)
    assert told_at(live) == told
    assert [line for line in alerts(live) if line in alerts(screen)] == alerts(live)
