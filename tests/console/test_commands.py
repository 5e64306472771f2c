"""Commands from the page: who may, what they do, what is said of them, and what can be taken back."""

import re
import time

import pytest

from qiki.contracts import topics

USED = "The link gives no right to command: this link was used already, or is too old: `qiki console` prints a new one"


@pytest.fixture(scope="module")
def twin(start_module_twin):
    return start_module_twin("crossing")


@pytest.fixture
def operator(twin, open_page, operator_address):
    twin.command("sim.start", speed=1)
    screen = open_page(operator_address(twin))
    screen.tab("Commands")
    screen.until("the operator's right", lambda: "Operator until" in screen.text(".head"))
    return screen


def answered(screen, text):
    """Wait for the newest acknowledgement to be this one."""
    return screen.until(f"the answer {text!r}", lambda: text in (screen.texts(".answers li") or [""])[0])


def test_a_viewer_has_no_buttons_and_is_told_how_to_get_the_right(twin, open_page, viewer_address):
    screen = open_page(viewer_address(twin))
    screen.tab("Commands")
    assert "run `qiki console` and open the link" in screen.text("#tab-panel")
    assert screen.texts("#tab-panel button") == []
    assert "Viewer" in screen.text(".head")


def test_a_link_makes_one_tab_the_operators_and_its_token_leaves_the_address(
    twin, open_page, operator_address, viewer_address
):
    address = operator_address(twin)
    screen = open_page(address, tolerate=("403",))
    screen.until("the operator's right", lambda: re.search(r"Operator until \d\d:\d\d UTC", screen.text(".head")))
    assert "token" not in screen.address

    screen.page.reload()
    screen.until("the right after a reload", lambda: "Operator until" in screen.text(".head"))
    beside = screen.another(viewer_address(twin))
    beside.until("the viewer beside", lambda: "Viewer" in beside.text(".head") and beside.frame is not None)
    used = screen.another(address)
    used.until("the used link's reason", lambda: used.banner == USED)
    assert "Viewer" in used.text(".head")
    assert "token" not in used.address


def test_a_right_that_the_broker_does_not_know_is_refused_with_its_reason(twin, open_page, viewer_address):
    screen = open_page(viewer_address(twin), tolerate=("WebSocket",))
    right = f"{{user: 'page-1', password: 'wrong', until: {1000 * time.time() + 600_000:.0f}}}"
    screen.page.evaluate(f"() => sessionStorage.setItem('qiki-operator', JSON.stringify({right}))")
    screen.page.reload()
    refused = "The broker refuses the right to command: "
    screen.until("the refusal", lambda: refused in screen.banner and "Run `qiki console`" in screen.banner)
    screen.until("the viewer", lambda: "Viewer" in screen.text(".head") and screen.frame is not None)
    screen.page.reload()
    screen.until("the viewer again", lambda: "Viewer" in screen.text(".head") and screen.frame is not None)
    assert refused not in screen.banner


def test_pause_and_speed_are_acknowledged_and_can_be_undone(twin, operator):
    operator.press("Pause")
    answered(operator, "sim.pause done")
    operator.until("the pause", lambda: operator.text(".head .chip") == "paused")
    operator.press("Undo")
    answered(operator, "sim.start done")
    operator.until("time to go on", lambda: operator.text(".head .chip") == "runs 1\u00d7")

    operator.page.get_by_label("Speed \u00d7").fill("2")
    operator.press("Go on")
    operator.until("twice the speed", lambda: operator.text(".head .chip") == "runs 2\u00d7")
    assert twin.telemetry()[-1].data.sim_state.speed == 2
    operator.press("Undo")
    operator.until("the speed before", lambda: operator.text(".head .chip") == "runs 1\u00d7")


def test_steps_are_counted_in_frames_and_a_refusal_says_why(twin, operator):
    operator.press("Do")
    refused = answered(operator, "sim.step refused: ")
    assert refused
    assert "sim.pause" in operator.texts(".answers li.bad")[0] or "pause" in operator.texts(".answers li.bad")[0]

    operator.press("Pause")
    operator.until("the pause", lambda: operator.text(".head .chip") == "paused")
    operator.until("the newest frame", lambda: operator.frame == twin.tracked_frames()[-1].frame)
    before = operator.frame
    operator.page.get_by_label("Step", exact=True).fill("7")
    operator.press("Do")
    answered(operator, "sim.step done")
    operator.until("seven frames more", lambda: operator.frame == before + 7)
    operator.until_drawn("the same frame", lambda picture: picture["frame"] == before + 7)


def test_a_reset_asks_first_and_cancel_changes_nothing(twin, operator):
    run, before = operator.text(".place").rpartition("run ")[2], len(twin.acknowledgements())
    operator.press("Reset…")
    dialog = operator.page.get_by_role("dialog", name="Begin a new run?")
    assert "cannot go on" in dialog.inner_text()
    dialog.get_by_role("button", name="Cancel").click()
    dialog.wait_for(state="hidden")
    assert operator.page.locator(".answers li").count() == 0

    operator.press("Reset…")
    operator.page.keyboard.press("Escape")
    dialog.wait_for(state="hidden")
    assert (len(twin.acknowledgements()), operator.text(".place").rpartition("run ")[2]) == (before, run)


def test_a_reset_begins_a_run_of_the_chosen_scenario_and_seed_and_the_one_before_stays(twin, operator):
    operator.until("frames", lambda: (operator.frame or 0) > 5)
    run = str(twin.tracked_frames()[-1].run)
    operator.press("Reset…")
    dialog = operator.page.get_by_role("dialog")
    dialog.get_by_label("Scenario").select_option("formation")
    dialog.get_by_label("Seed").fill("7")
    dialog.get_by_role("button", name="Begin a new run").click()
    operator.until("the new world", lambda: operator.text(".head .scenario") == "formation")
    operator.until("its announcement", lambda: "A new run has begun: formation" in operator.banner)
    before = f"The run before: crossing {run[:8]}. Its last moment It stays stored for an hour. To keep it: "
    assert before + f"qiki record --run {run[:8]}" in operator.banner
    operator.until("time to pass", lambda: operator.text(".head .chip") == "runs 1\u00d7" and (operator.frame or 0) > 5)
    assert any("A run of formation begins, seed 7" in line for line in operator.events())
    operator.tab("Commands")
    assert [line.split(" ", 1)[1] for line in operator.texts(".answers li")] == ["sim.start done", "sim.reset done"]
    operator.page.locator(".commands").get_by_role("button", name="Its last moment").click()
    last = max(notice.frame for notice in twin.tracked_frames(run=run))
    operator.until("its last moment", lambda: (operator.mode, operator.frame) == ("PAST", last))
    operator.until("its world", lambda: operator.text(".head .scenario") == "crossing")


def test_the_transponder_is_switched_and_switched_back(twin, operator):
    def pressed():
        return operator.text("#tab-panel button[aria-pressed=true]")

    operator.until("the present mode", lambda: pressed() == "ON")
    operator.press("SILENT")
    answered(operator, "sim.xpdr.mode done")
    operator.until("silence", lambda: pressed() == "SILENT")
    operator.press("Undo")
    operator.until("the mode before", lambda: pressed() == "ON")
    assert twin.telemetry()[-1].data.comms.xpdr_mode.name == "ON"


def test_orders_that_took_effect_are_told_with_their_givers_and_kept_to_the_moment(twin, operator):
    before, begin = operator.frame, twin.now()
    operator.press("SILENT")
    answered(operator, "sim.xpdr.mode done")
    tick = twin.await_message(topics.ORDERS, order="xpdr.mode", after=begin).data.tick
    given = f"xpdr.mode mode=SILENT by operator_page (command) · at tick {tick}"
    newest = operator.until("the order", lambda: next((line for line in operator.orders() if given in line), None))
    words = newest.partition(" · at")[0].replace(" by", " · by")
    operator.until("its mark on the bar", lambda: marks(operator)[-1:] == [words])

    operator.page.locator(".orders .time").first.click()
    operator.until("its moment", lambda: operator.mode == "PAST" and operator.frame >= before)
    operator.until("the order there", lambda: newest in operator.orders())
    operator.press("\u221210 s 10 seconds back")
    operator.until("a moment before it", lambda: newest not in operator.orders())
    assert marks(operator)
    operator.press("LIVE")
    operator.until("the order again", lambda: newest in operator.orders())


def marks(screen):
    """Return the words of the orders' marks on the bar of time."""
    return screen.page.locator(".order-mark").evaluate_all("marks => marks.map(mark => mark.title)")


def test_thrust_moves_the_vehicle_and_is_stopped(twin, operator):
    def speed():
        return float(re.search(r"Speed (\S+) m/s", operator.text(".services"))[1])

    operator.page.get_by_label("Axis").select_option("starboard")
    operator.page.get_by_label("s", exact=True).fill("600")
    operator.press("Fire")
    answered(operator, "sim.rcs.fire done")
    operator.tab("Services")
    operator.until("speed", lambda: speed() > 0.05)
    operator.tab("Commands")
    operator.press("Stop thrust")
    answered(operator, "sim.rcs.stop done")
    twin.await_telemetry(after=twin.now(), propulsion__rcs_active=False)


def test_the_end_of_the_right_makes_a_viewer_and_says_so(own_twin, open_page, operator_address):
    twin = own_twin("crossing", env={"CONSOLE_SESSION_SEC": "10"})
    screen = open_page(operator_address(twin), tolerate=("WebSocket",))
    screen.tab("Commands")
    screen.until("the operator's right", lambda: "Operator until" in screen.text(".head"))
    screen.until("its end", lambda: "Viewer" in screen.text(".head"))
    screen.until("its words", lambda: "Your right to command has ended. Run `qiki console`" in screen.banner)
    assert screen.texts("#tab-panel button") == []
    ended = screen.frame
    screen.until("the page to go on", lambda: screen.frame > ended)
