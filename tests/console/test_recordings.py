"""Recordings on the page: two side by side, and one that is played, which an operator pauses and seeks in."""

import re

import pytest

FORKED_AT_S, SECONDS = 10, 20
NARROW = "cells => cells.filter(one => one.scrollWidth > one.clientWidth).map(one => one.innerText)"
CUT = """notes => notes.filter(one => {
  const end = one.closest(".scope").getBoundingClientRect().bottom;
  const hidden = one.scrollWidth > one.clientWidth + 1 || one.scrollHeight > one.clientHeight + 1;
  return hidden || one.getBoundingClientRect().bottom > end + 1;
}).map(one => one.innerText)"""


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
    screen.until("both recordings", lambda: (screen.frame or 0) >= 10 * SECONDS - 2 and all(frames(screen)))
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


def test_a_track_of_one_run_only_is_marked_in_its_view_and_in_the_table(screen):
    counts = re.compile(r"differs: (\d+) only in a\.mcap, (\d+) only in b\.mcap")
    go_to(screen, 10 * FORKED_AT_S)

    def step():
        """Go on, frame by frame, until only one run has some track."""
        found = counts.search(screen.text(".difference"))
        if found and sum(map(int, found.groups())):
            return [int(count) for count in found.groups()]
        screen.page.locator(".slider").press("ArrowRight")
        screen.until(
            "the next frame in both", lambda: len(set(frames(screen))) == 1 and screen.frame == frames(screen)[0]
        )
        return None

    numbers = screen.until("a track of one run only", step)
    for name, count in zip(("a.mcap", "b.mcap"), numbers, strict=True):
        screen.page.get_by_label("Panels show").select_option(label=name)
        starred = screen.until(
            "the table's stars", lambda count=count: len(found := stars(screen)) == count and (found, 1)
        )
        assert screen.page.locator(".roll tbody td:first-child").evaluate_all(NARROW) == []
        picture = screen.until_drawn(
            "the rings", lambda one, count=count: f"this run: {count}." in note(one) or not count, name
        )
        assert {one["id"][:8] for one in picture["tracks"] if one["only"]} <= starred[0]
        assert all("*" in one["label"] for one in picture["tracks"] if one["only"] and one["label"])


def stars(screen):
    """Return the ids of the rows that have a star."""
    return {name.rstrip("*") for name in screen.rows() if name.endswith("*")}


def note(picture):
    return " ".join(picture["notes"])


def test_both_views_have_names_of_their_own_and_the_checker_finds_nothing_at_all(screen, complaints):
    go_to(screen, 10 * SECONDS - 10)
    views = [
        screen.page.get_by_role("region", name=f"{view}, {name}", exact=True).count()
        for view in ("Plan view", "Side view")
        for name in ("a.mcap", "b.mcap")
    ]
    assert views == [1, 1, 1, 1]
    assert complaints(screen, ("minor", "moderate", "serious", "critical")) == []


def test_no_note_is_cut_where_two_runs_share_the_room(screen):
    go_to(screen, 10 * SECONDS - 10)
    for _ in range(4):
        screen.page.locator(".scope-plan canvas").first.press("+")  # most tracks are beyond the edges then
    english = screen.until("long notes", lambda: all(texts := screen.texts(".scope-notes")) and texts)
    assert all("Beyond the edges" in text for text in english)
    assert screen.page.locator(".scope-notes").evaluate_all(CUT) == []
    screen.page.get_by_role("button", name="RU: по-русски").click()
    screen.until("Russian notes", lambda: not set(english) & set(screen.texts(".scope-notes")))
    assert screen.page.locator(".scope-notes").evaluate_all(CUT) == []


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
