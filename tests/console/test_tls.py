"""The page from another machine: over TLS, under another name, with the stack's own authority."""

import pytest

NAME = "twin.test"


@pytest.fixture(scope="module")
def twin(start_module_twin):
    return start_module_twin("crossing", env={"QIKI_TLS_NAMES": NAME})


@pytest.fixture
def far(start_browser):
    """A browser for which the stack's machine has another name."""
    opened = start_browser(f"--host-resolver-rules=MAP {NAME} 127.0.0.1")
    yield opened
    opened.close()


def test_page_and_listener_speak_tls_under_the_name_and_show_tracks(twin, far, open_page, operator_address):
    address = operator_address(twin).replace("127.0.0.1", NAME)
    assert address.startswith(f"https://{NAME}:")
    screen = open_page(address, on=far, ignore_https_errors=True)
    sockets = []
    screen.page.on("websocket", lambda socket: sockets.append(socket.url))
    screen.until("the operator's right", lambda: "Operator until" in screen.text(".head"))
    begin = screen.until_drawn("tracks", lambda picture: picture["tracks"])["frame"]
    screen.until_drawn("them to go on", lambda picture: picture["frame"] > begin + 5)
    assert all(socket.startswith(f"wss://{NAME}:") for socket in sockets)
    screen.tab("Commands")
    screen.press("Pause")
    screen.until("its answer", lambda: "sim.pause done" in screen.text(".answers"))
