"""Habits of the page: for who has no mouse, does not see, reads Russian, sits in the light or holds a phone."""

import re

import pytest

PHONE = {"width": 390, "height": 844}
TABS = 7
AREAS = 4
FOCUS = """() => {
  const at = document.activeElement, style = getComputedStyle(at);
  const name = at.getAttribute("aria-label") || at.innerText || at.getAttribute("name") || at.className;
  return {tag: at.tagName, name: `${at.tagName} ${name.slice(0, 40)}`,
          seen: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0 || style.boxShadow !== "none"};
}"""
TO_THE_TOP = "() => { document.body.tabIndex = -1; document.body.focus(); document.body.removeAttribute('tabindex'); }"
# Names and codes of the wire, units, and the other language's own name are the same in both.
SAME = re.compile(r"`[^`]+`|[A-Z0-9_]{2,}|UTC|[a-z_]+[-_:.][\w.:-]+|SHP-\w+|in English|QIKI|\b[0-9a-f]{8}\b")


@pytest.fixture(scope="module")
def twin(start_module_twin):
    twin = start_module_twin("mixed-traffic", speed=3)
    twin.await_tracked_frame(frame=190, deadline_s=120)
    twin.command("sim.pause")
    return twin


def shown(screen):
    screen.until("frames", lambda: screen.frame is not None and screen.rows())
    return screen


def each_part(screen, phone):
    """Turn to each tab, and on a phone to each part of the page."""
    areas = screen.page.locator(".areas button")
    for area in range(AREAS if phone else 1):
        if phone:
            areas.nth(area).click()
        tabs = screen.page.get_by_role("tab")
        for tab in range(tabs.count() if tabs.first.is_visible() else 1):
            if tabs.first.is_visible():
                tabs.nth(tab).click()
            yield f"area {area}, tab {tab}"


@pytest.mark.parametrize("scheme", ["dark", "light"])
@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
def test_the_checker_finds_nothing_serious_and_nothing_overflows(
    twin, open_page, viewer_address, operator_address, complaints, scheme, phone
):
    address = operator_address(twin) if scheme == "dark" else viewer_address(twin)
    size = {"viewport": PHONE, "has_touch": True} if phone else {}
    screen = shown(open_page(address, color_scheme=scheme, **size))
    found = []
    for part in each_part(screen, phone):
        found += [f"{part}: {one}" for one in complaints(screen)]
        wide = screen.page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
        found += [f"{part}: {wide} px too wide"] if wide > 0 else []
    if not phone:
        screen.go_to(150)
        screen.page.locator(".roll tbody tr[id]").first.click()
        found += [f"past: {one}" for one in complaints(screen)]
    assert found == []


def test_everything_is_reached_by_the_tab_key_and_its_focus_is_seen(twin, open_page, operator_address):
    screen = shown(open_page(operator_address(twin)))
    screen.until("the operator's right", lambda: "Operator until" in screen.text(".head"))
    screen.tab("Commands")
    screen.page.evaluate(TO_THE_TOP)
    names, unseen = [], []
    for _ in range(120):
        screen.page.keyboard.press("Tab")
        at = screen.page.evaluate(FOCUS)
        if at["tag"] == "BODY":
            break
        names.append(at["name"])
        unseen += [] if at["seen"] else [at["name"]]
    assert unseen == []
    reached = " ".join(names)
    for name in ("Skip to the tracks", "CANVAS", "Zoom in", "Filter", "TABLE Tracks", "Commands", "Pause", "Fire"):
        assert name in reached
    for name in ("Reset…", "Moment that is shown", "LIVE"):
        assert name in reached


def test_tabs_and_table_are_worked_by_keys(twin, open_page, viewer_address):
    screen = shown(open_page(viewer_address(twin)))
    screen.page.get_by_role("tab", name="Events").focus()
    screen.page.keyboard.press("ArrowRight")
    screen.until("the next tab", lambda: "Decisions" in screen.texts("[role=tab][aria-selected=true]"))
    screen.page.get_by_role("grid", name="Tracks").focus()
    screen.page.keyboard.press("ArrowDown")
    screen.page.keyboard.press("ArrowDown")
    second = list(screen.rows())[1]
    screen.until("the second row", lambda: second in screen.text(".roll tr[aria-selected=true]"))
    screen.page.get_by_role("button", name="Closing").press("Enter")
    column = screen.page.get_by_role("columnheader", name="Closing")
    screen.until("another order", lambda: column.get_attribute("aria-sort") == "ascending")


def test_the_page_is_russian_at_a_press_and_stays_so(twin, open_page, viewer_address):
    screen = shown(open_page(viewer_address(twin)))
    assert screen.page.locator("html").get_attribute("lang") == "en"
    screen.page.get_by_role("button", name="RU: по-русски").click()
    screen.until("Russian", lambda: screen.page.locator("html").get_attribute("lang") == "ru")
    english = []
    for tab in range(TABS):
        screen.page.get_by_role("tab").nth(tab).click()
        for text in screen.texts(
            "button, th[scope=col], dt, legend, label, h2, h3, .empty, .viewer, .place, .ages, .scope-notes"
        ):
            english += [text] if re.search(r"[a-z]{4,}", SAME.sub("", text)) else []
    assert english == []
    screen.page.reload()
    screen.until("Russian after a reload", lambda: "Цели" in screen.text(".tracks h2"))


def test_a_page_opened_by_a_russian_browser_is_russian(twin, open_page, viewer_address):
    screen = shown(open_page(viewer_address(twin), locale="ru-RU", reduced_motion="reduce"))
    assert screen.page.locator("html").get_attribute("lang") == "ru"
    assert screen.text(".agent h2") == "Агент"


def test_nothing_moves_where_less_motion_is_asked_for(twin, open_page, viewer_address):
    screen = shown(open_page(viewer_address(twin), reduced_motion="reduce"))
    moving = "() => document.getAnimations().filter(one => one.playState === 'running').length"
    assert screen.page.evaluate(moving) == 0
    slow = """() => [...document.querySelectorAll("*")].filter(one => getComputedStyle(one).transitionDuration
        .split(",").some(time => parseFloat(time) > 0.01)).map(one => one.className)"""
    assert screen.page.evaluate(slow) == []


def test_the_theme_is_switched_and_stays_so(twin, open_page, viewer_address):
    screen = shown(open_page(viewer_address(twin)))
    ground = "() => getComputedStyle(document.body).backgroundColor"
    dark = screen.page.evaluate(ground)
    screen.press("Light")
    screen.until("light", lambda: screen.page.evaluate(ground) != dark)
    light = screen.page.evaluate(ground)
    screen.page.reload()
    assert shown(screen).page.evaluate(ground) == light
