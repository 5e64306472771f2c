"""Faults of the stack as the page tells them, and its way on by itself."""

import pytest

BROKER, SIMULATOR, CONSOLE, BRIDGE = "nats", "q-sim-service", "operator-console", "faststream-bridge"
CUT = ("WebSocket", "ERR_")  # the browser's own words for connections that these tests cut


@pytest.fixture(scope="module")
def twin(start_module_twin):
    return start_module_twin("crossing")


@pytest.fixture
def screen(twin, open_page, viewer_address):
    twin.await_ready()
    screen = open_page(viewer_address(twin), tolerate=CUT)
    screen.until("frames", lambda: screen.mode == "LIVE" and (screen.frame or 0) > 0)
    return screen


def until_it_goes_on(screen):
    """Wait until new frames are painted, live."""
    begin = screen.until("a frame", lambda: screen.frame)
    screen.until_drawn("frames to go on", lambda picture: picture["frame"] > begin + 10)
    assert screen.mode == "LIVE"


def test_a_killed_broker_is_told_and_the_page_is_live_again_by_itself(twin, screen):
    twin.kill(BROKER)
    screen.until("the banner", lambda: "The connection was lost at" in screen.banner)
    screen.until("its end", lambda: "The connection is back." in screen.banner)
    assert "was lost" not in screen.banner
    until_it_goes_on(screen)


def test_a_stopped_simulator_looks_stale_until_its_new_run(twin, screen):
    twin.stack.stop_service(SIMULATOR)
    screen.until("old telemetry", lambda: any("telemetry" in one for one in screen.texts(".ages .stale")))
    screen.until("a note on the scope", lambda: "The newest frame is" in screen.text(".scope-plan .scope-notes"))
    twin.restart(SIMULATOR)  # its run ended with it
    twin.command("sim.start")
    screen.until("the new run", lambda: "A new run has begun: crossing" in screen.banner)
    until_it_goes_on(screen)
    screen.until("fresh telemetry", lambda: screen.texts(".ages .stale") == [])


def test_a_killed_simulator_goes_on_with_its_run(twin, screen):
    run = screen.text(".place").rpartition("run ")[2]
    twin.kill(SIMULATOR)
    twin.await_ready()
    until_it_goes_on(screen)
    assert screen.text(".place").rpartition("run ")[2] == run
    assert any("The simulator was killed; crossing goes on" in line for line in screen.events())


def test_the_page_lives_without_the_service_that_gave_it(twin, screen):
    twin.kill(CONSOLE)
    until_it_goes_on(screen)
    assert "lost" not in screen.banner
    twin.await_ready()


def test_a_stopped_tracker_looks_stale_and_is_named(twin, screen):
    twin.stack.stop_service(BRIDGE)
    screen.until("old frames", lambda: any("frames" in one and "stale" in one for one in screen.texts(".ages .stale")))
    screen.until("a note on the scope", lambda: "The newest frame is" in screen.text(".scope-plan .scope-notes"))
    screen.until("its name", lambda: f"{BRIDGE} has not reported since" in screen.banner)
    assert f"no tracks and no alerts. See `qiki ps`; `qiki restart {BRIDGE}`." in screen.banner
    twin.restart(BRIDGE)
    until_it_goes_on(screen)
    screen.until("fresh frames", lambda: screen.texts(".ages .stale") == [] and BRIDGE not in screen.banner)


def test_what_is_missing_is_said_before_anything_is_stored(own_twin, open_page, viewer_address):
    twin = own_twin("crossing", start=False)
    screen = open_page(viewer_address(twin))
    screen.until("the advice", lambda: "No radar frame is stored yet." in screen.banner)
    assert "let time pass" in screen.banner
    assert "No radar frame yet." in screen.text(".scope-plan .scope-notes")
    twin.command("sim.start")
    screen.until("frames", lambda: (screen.frame or 0) > 3)
    screen.until("no advice", lambda: screen.banner == "")
