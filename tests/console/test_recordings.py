"""Recordings on the page: two side by side, and one that is played, which an operator pauses and seeks in."""

import re

import pytest

FORKED_AT_S, SECONDS = 10, 20


@pytest.fixture(scope="module")
def files(qiki, tmp_path_factory):
    """A run, and a fork of it that goes on with other chance."""
    folder = tmp_path_factory.mktemp("recordings")
    first, second = folder / "a.mcap", folder / "b.mcap"
    qiki("record", "--fly", "mixed-traffic", first, "--seconds", SECONDS)
    qiki("fork", f"{first}@{FORKED_AT_S}", "--seconds", SECONDS - FORKED_AT_S, "-o", second, "--seed", 7)
    return first, second


@pytest.fixture(scope="module")
def pair(files, qiki_page):
    return qiki_page("console", *files)[0]


@pytest.fixture
def screen(pair, open_page):
    screen = open_page(pair)
    screen.until("both recordings", lambda: screen.frame is not None and all(frames(screen)))
    return screen


def frames(screen):
    return [(screen.drawn(name) or {}).get("frame") for name in ("a.mcap", "b.mcap")]


def go_to(screen, frame):
    screen.go_to(frame)
    screen.until("the same frame in both", lambda: frames(screen) == [frame, frame])


def test_two_runs_show_the_same_frame_and_are_the_same_before_the_fork(screen):
    assert screen.texts(".sights h2") == ["a.mcap", "b.mcap"]
    go_to(screen, 10 * FORKED_AT_S - 20)
    screen.until(
        "no difference", lambda: f"Frame {10 * FORKED_AT_S - 20}: the same in both" in screen.text(".difference")
    )
    one, other = screen.drawn("a.mcap")["tracks"], screen.drawn("b.mcap")["tracks"]
    assert [(round(track["x"]), round(track["y"])) for track in one] == [
        (round(track["x"]), round(track["y"])) for track in other
    ]


def test_a_key_goes_to_the_first_difference_and_what_differs_is_counted(screen):
    go_to(screen, 40)
    button = screen.text(".difference button")
    frame = int(re.fullmatch(r"Go to the first difference, frame (\d+) \(d\)", button)[1])
    assert 10 * FORKED_AT_S - 2 <= frame <= 10 * FORKED_AT_S + 10
    screen.page.keyboard.press("d")
    screen.until("the first difference", lambda: frames(screen) == [frame, frame] and screen.mode == "PAST")
    assert screen.page.locator(".divergence-mark").count() == 1
    go_to(screen, 10 * SECONDS - 10)
    counted = r"Frame \d+ differs: \d+ only in a\.mcap, \d+ only in b\.mcap, [1-9]\d* with other values"
    screen.until("the differences", lambda: re.search(counted, screen.text(".difference")))


def test_the_panels_show_the_run_that_is_chosen(screen):
    go_to(screen, 10 * SECONDS - 10)
    first = screen.rows()
    screen.page.get_by_label("Panels show").select_option(label="b.mcap")
    screen.until("the other run's rows", lambda: screen.rows() and screen.rows() != first)


def test_an_operator_pauses_a_played_recording_and_seeks_in_it(files, qiki_page, open_page):
    screen = open_page(qiki_page("play", files[0])[1], tolerate=("WebSocket", "ERR_"))
    screen.until("the operator's right", lambda: "Operator until" in screen.text(".head"))
    screen.until("frames", lambda: (screen.frame or 0) > 5)
    screen.tab("Commands")
    assert "Reset…" not in screen.texts("#tab-panel button")
    screen.press("Pause")
    screen.until("its answer", lambda: "sim.pause done" in screen.text(".answers"))
    screen.page.get_by_label("Seconds since its first frame").fill("15")
    screen.press("Seek")
    screen.until("its answer", lambda: "play.seek done" in screen.text(".answers"))
    screen.until("the moment", lambda: screen.mode == "LIVE" and 145 <= (screen.frame or 0) <= 160)
    screen.press("Go on")
    screen.until("the end", lambda: (screen.frame or 0) >= 10 * SECONDS - 2)
