"""The bar of time: everything on the page is of the moment that it stands at, live or past."""

import re

import pytest

from qiki.contracts import topics

MODES = {1: "BOOTING", 2: "NORMAL", 3: "NORMAL", 4: "SAFE_MODE", 5: "SHUTDOWN"}
LAST = 300


@pytest.fixture(scope="module")
def twin(start_module_twin):
    """Half a minute of a run, and time that stands still."""
    twin = start_module_twin("mixed-traffic", speed=3)
    twin.await_tracked_frame(frame=LAST, deadline_s=120)
    twin.command("sim.pause")
    newest = twin.frames()[-1].frame
    twin.await_tracked_frame(frame=newest)
    return twin


def stored_at(twin, stream, record):
    return twin.jetstream(lambda jetstream: jetstream.get_msg(stream, record.sequence)).time


def of_moment(twin, frame, topic):
    """Return what the streams say was known when a frame was the newest, oldest first."""
    (following,) = twin.tracked_frames(frame=frame + 1, run=twin.tracked_frames()[0].run)
    end = stored_at(twin, "QIKI_TRACKER_V1", following)
    return [record for record in twin.history(topic) if stored_at(twin, "QIKI_STATE_V1", record) < end]


def utc(record):
    time = record.data.timestamp
    return f"{time:%Y-%m-%d %H:%M:%S}.{time.microsecond // 100_000} UTC"


def nearest_in(twin, frames):
    """Return the nearest ranges in frames; they are plotted at the times of telemetry, once a second of the clock."""
    tracks = [record for record in twin.tracks() if record.frame in frames and record.data.status != 3]
    return {min(one.data.range_m for one in tracks if one.frame == frame) for frame in {one.frame for one in tracks}}


@pytest.fixture
def screen(twin, open_page, viewer_address):
    screen = open_page(viewer_address(twin))
    screen.until("the newest frame", lambda: screen.frame == twin.tracked_frames()[-1].frame)
    return screen


def test_dragging_back_shows_frame_time_tracks_and_agent_of_one_moment(twin, screen, cells_of):
    screen.drag(0.4)
    screen.until("the past", lambda: screen.mode == "PAST")
    screen.settle()
    frame, newest = screen.frame, twin.tracked_frames()[-1].frame
    assert 0.3 * newest < frame < 0.5 * newest
    assert f"the past, {(newest - frame) / 10:.1f} s before the newest frame" in screen.text(".place")
    (notice,) = twin.tracked_frames(frame=frame)
    assert utc(notice) in screen.text(".place")

    expected = cells_of(twin.tracks(frame=frame))
    screen.until("its tracks", lambda: {name: row[1:5] for name, row in screen.rows().items()} == expected)
    picture = screen.until_drawn("its picture", lambda picture: picture["frame"] == frame)
    assert {one["id"][:8] for one in picture["tracks"]} <= expected.keys()
    state = of_moment(twin, frame, topics.AGENT_STATE)[-1].data
    screen.until("the agent's mode", lambda: screen.agent == MODES[state.fsm.current_state.value])
    assert f"{state.tracks} tracks, {state.alerts} alerts" in screen.text(".agent")


def test_services_and_plots_are_of_that_moment_too(twin, screen):
    screen.go_to(185)
    screen.tab("Services")
    reported = {record.subject.rpartition(".")[2] for record in of_moment(twin, 185, topics.HEALTH)}
    screen.until("its services", lambda: set(screen.texts(".services th[scope=row]")) == reported)
    assert "stale" not in screen.text(".services")  # their ages count from that moment
    assert screen.texts(".ages .stale") == []

    screen.tab("Plots")
    possible = {f"Nearest track {value:.0f} m" for value in nearest_in(twin, range(140, 186))}
    before = screen.until("the nearest track", lambda: possible & set(screen.texts(".plots figcaption")))
    moved = {f"Nearest track {value:.0f} m" for value in nearest_in(twin, range(60, 106))}
    screen.go_to(105)
    screen.until("another value", lambda: (moved - before) & set(screen.texts(".plots figcaption")))


def test_events_end_at_that_moment(twin, screen):
    screen.go_to(160)
    screen.until("few events", lambda: not any("Unknown contact" in line for line in screen.events()))
    screen.go_to(185)
    screen.until("the alert", lambda: any("Unknown contact close by" in line for line in screen.events()))
    assert not any("no longer meets UNKNOWN_CONTACT_CLOSE" in line for line in screen.events())


def test_live_follows_again_and_keys_move_a_frame(twin, screen):
    newest = screen.frame
    slider = screen.page.get_by_role("slider", name="Moment that is shown")
    slider.focus()
    for key, frame in (("ArrowLeft", newest - 1), ("PageDown", newest - 101), ("Home", 0), ("ArrowRight", 1)):
        screen.page.keyboard.press(key)
        screen.until(f"{key}", lambda frame=frame: (screen.mode, screen.frame) == ("PAST", frame))
    assert "frame 1" in slider.get_attribute("aria-valuetext")
    screen.press("LIVE")
    screen.until("the newest", lambda: (screen.mode, screen.frame) == ("LIVE", newest))


def test_a_replay_walks_on_and_stands_where_it_is_stopped(twin, screen):
    screen.go_to(100)
    screen.press("▶ 4\u00d7 Replay at 4 times simulated time")
    screen.until("the replay", lambda: screen.mode == "REPLAY" and 110 < screen.frame < 290)
    screen.press("■ Stand still at this moment")
    screen.until("the past", lambda: screen.mode == "PAST")
    screen.settle()
    stopped = screen.frame
    screen.until_drawn("the same frame", lambda picture: picture["frame"] == stopped)
    assert screen.frame == stopped
    screen.press("▶ 4\u00d7 Replay at 4 times simulated time")
    screen.until("the end to be live", lambda: screen.mode == "LIVE")
    assert screen.frame == twin.tracked_frames()[-1].frame


def test_the_address_takes_moment_and_choice_to_somebody_else(twin, screen, open_page):
    screen.go_to(150)
    chosen = next(iter(screen.rows()))
    screen.page.locator(".roll tbody tr[id]").first.click()
    screen.until("the address", lambda: re.search(r"#run=[0-9a-f-]{36}&frame=150&track=" + chosen, screen.address))
    other = open_page(screen.address)
    other.until("the same moment", lambda: (other.mode, other.frame) == ("PAST", 150))
    other.until("the same tracks", lambda: other.rows() == screen.rows())
    other.until("the same choice", lambda: chosen in other.texts(".roll tr[aria-selected=true]")[0])
    screen.press("LIVE")
    screen.until("an address of now", lambda: "frame=" not in screen.address and chosen in screen.address)


def test_a_new_run_is_told_and_marked_and_the_one_before_stays(twin, screen):
    before = screen.text(".place").rpartition("run ")[2]
    last = screen.frame
    twin.command("sim.reset", scenario="crossing")
    twin.command("sim.start")
    screen.until("its announcement", lambda: "A new run has begun: crossing" in screen.banner)
    screen.until("its frames", lambda: before not in screen.text(".place") and (screen.frame or 0) > 10)
    assert screen.page.locator(".run-mark").count() == 2
    runs = screen.page.get_by_label("Go to the beginning of a run")
    runs.select_option(label=f"mixed-traffic {before}")
    screen.until("its first frame", lambda: (screen.mode, screen.frame) == ("PAST", 0))
    screen.until("its scenario", lambda: screen.text(".head .scenario") == "mixed-traffic")
    runs.select_option(index=1)
    screen.until(
        "the other one", lambda: before not in screen.text(".place") and screen.text(".place") and screen.frame == 0
    )
    screen.page.locator(".slider").press("ArrowLeft")
    screen.until("the last frame of the run before", lambda: screen.frame == last and before in screen.text(".place"))
