"""The plan view: what is painted is what the bus says of the same frame, at the place where it is."""

import math

import pytest

from generated import common_types_pb2 as common
from generated import q_sim_api_pb2 as api
from generated.actuator_raw_out_pb2 import ActuatorCommand, CommandType
from qiki_harness.twin.where import near

SIDES = {1: ("circle", "friend"), 2: ("diamond", "foe")}
SPOOF = 3
NEAR_PX = 1.0
CANVAS = ".scope-plan canvas"


@pytest.fixture(scope="module")
def twin(start_module_twin):
    """A stack whose time stands still at a frame with tracks of all sides, one with a false identity."""
    twin = start_module_twin("mixed-traffic", speed=3)
    twin.await_tracked_frame(frame=140, deadline_s=120)
    twin.command("sim.pause")
    twin.await_tracked_frame(frame=twin.frames()[-1].frame)
    return twin


@pytest.fixture
def tracks(twin):
    """The tracks of the newest frame on the bus, by their ids."""
    newest = twin.tracked_frames()[-1].frame
    return {str(one.data.track_id): one.data for one in twin.tracks(frame=newest)}


@pytest.fixture
def screen(twin, open_page, viewer_address):
    screen = open_page(viewer_address(twin))
    screen.until_drawn("the newest frame", lambda picture: picture["frame"] == twin.tracked_frames()[-1].frame)
    screen.page.locator(CANVAS).focus()
    return screen


def box(screen):
    return screen.page.locator(CANVAS).bounding_box()


def centre(screen):
    return box(screen)["width"] / 2, box(screen)["height"] / 2


def scale_of(picture, tracks, middle, turn=0.0):
    """Return the pixels of a metre, with which all tracks are painted where they are; fail where one is not."""
    pairs = []
    for one in picture["tracks"]:
        at = tracks[one["id"]].position
        bearing, flat = math.atan2(at.x, at.y) - math.radians(turn), math.hypot(at.x, at.y)
        pairs.append((one["x"] - middle[0], one["y"] - middle[1], flat * math.sin(bearing), -flat * math.cos(bearing)))
    scale = sum(x * e + y * n for x, y, e, n in pairs) / sum(e * e + n * n for _, _, e, n in pairs)
    wrong = [
        (x - scale * e, y - scale * n) for x, y, e, n in pairs if math.hypot(x - scale * e, y - scale * n) > NEAR_PX
    ]
    assert wrong == []
    return scale


def test_tracks_are_painted_where_the_bus_says_north_up(screen, tracks):
    picture = screen.drawn()
    assert len(picture["tracks"]) >= 8
    scale = scale_of(picture, tracks, centre(screen))
    width, height = box(screen)["width"], box(screen)["height"]
    assert min(width, height) / 2 / scale == pytest.approx(6000, rel=0.01)
    beyond = len(tracks) - len(picture["tracks"])
    assert f"Beyond the edges: {beyond}." in screen.text(".scope-plan .scope-notes")


def test_shape_colour_and_mark_tell_side_and_false_identity(screen, tracks):
    picture = screen.drawn()
    for one in picture["tracks"]:
        track = tracks[one["id"]]
        assert (one["shape"], one["colour"]) == SIDES.get(track.iff.value, ("square", "unknown"))
        assert one["spoof"] == (track.transponder_mode == SPOOF)
    assert {one["shape"] for one in picture["tracks"]} == {"circle", "diamond", "square"}
    (impostor,) = [one for one in picture["tracks"] if one["spoof"]]
    assert impostor["label"].startswith("!SHP-ALBA")


def test_heights_are_in_the_side_view(screen, tracks):
    picture = screen.until_drawn("the side view", lambda picture: picture["tracks"], "/side")
    places = [(one["y"], tracks[one["id"]].position.z) for one in picture["tracks"]]
    (low_y, low), (high_y, high) = min(places, key=lambda one: one[1]), max(places, key=lambda one: one[1])
    assert low_y - high_y > 10
    rise = (low_y - high_y) / (high - low)
    assert [y for y, up in places if abs(low_y - (up - low) * rise - y) > NEAR_PX] == []


def test_keys_and_wheel_zoom_and_nothing_else_moves(screen, tracks):
    before = scale_of(screen.drawn(), tracks, centre(screen))
    screen.page.keyboard.press("+")
    closer = screen.until_drawn("a closer look", lambda one: one["painted"] and spread(one, tracks) > 1.2 * before)
    assert scale_of(closer, tracks, centre(screen)) == pytest.approx(1.35 * before, rel=0.01)
    screen.page.keyboard.press("0")
    screen.until_drawn("the first sight", lambda one: abs(spread(one, tracks) / before - 1) < 0.01)

    at = screen.drawn()["tracks"][0]
    corner = box(screen)
    screen.page.mouse.move(corner["x"] + at["x"], corner["y"] + at["y"])
    screen.page.mouse.wheel(0, -120)
    still = screen.until_drawn("the wheel", lambda one: spread(one, tracks, at["id"]) > 1.2 * before)
    (same,) = [one for one in still["tracks"] if one["id"] == at["id"]]
    assert (same["x"], same["y"]) == pytest.approx((at["x"], at["y"]), abs=NEAR_PX)


def spread(picture, tracks, about=None):
    """Return the pixels of a metre between two painted tracks, one of them `about`."""
    painted = {one["id"]: one for one in picture["tracks"]}
    first = about or next(iter(painted))
    one, other = tracks[first].position, None
    ids = [name for name in painted if name != first]
    name = max(ids, key=lambda name: math.hypot(tracks[name].position.x - one.x, tracks[name].position.y - one.y))
    other = tracks[name].position
    pixels = math.hypot(painted[name]["x"] - painted[first]["x"], painted[name]["y"] - painted[first]["y"])
    return pixels / math.hypot(other.x - one.x, other.y - one.y)


def test_dragging_shifts_all_tracks_alike(screen):
    before, corner = {one["id"]: one for one in screen.drawn()["tracks"]}, box(screen)
    screen.page.mouse.move(corner["x"] + 100, corner["y"] + 300)
    screen.page.mouse.down()
    screen.page.mouse.move(corner["x"] + 140, corner["y"] + 280, steps=4)
    screen.page.mouse.up()
    picture = screen.until_drawn("the shift", lambda one: shifted(one, before))
    assert {(round(x), round(y)) for x, y in shifted(picture, before)} == {(40, -20)}


def shifted(picture, before):
    both = [(one, before[one["id"]]) for one in picture["tracks"] if one["id"] in before]
    moves = {(one["x"] - other["x"], one["y"] - other["y"]) for one, other in both}
    return moves if all(abs(x - 40) < NEAR_PX for x, _ in moves) else set()


def test_a_click_chooses_and_keys_go_to_the_next(screen, tracks):
    at = next(one for one in screen.drawn()["tracks"] if one["spoof"])
    corner = box(screen)
    screen.page.mouse.click(corner["x"] + at["x"], corner["y"] + at["y"])
    screen.until("its values", lambda: at["id"] in screen.text(".track"))
    assert "SHP-ALBA" in screen.text(".track h3")
    assert "false identity" in screen.text(".track header")
    assert at["id"][:8] in screen.texts(".roll tr[aria-selected=true]")[0]

    nearest = sorted(tracks.values(), key=lambda track: track.range_m)
    screen.page.keyboard.press("Escape")
    screen.page.keyboard.press("n")
    screen.until("the nearest", lambda: str(nearest[0].track_id) in screen.text(".track"))
    screen.page.keyboard.press("n")
    screen.until("the second", lambda: str(nearest[1].track_id) in screen.text(".track"))


def test_heading_up_turns_the_view_with_the_vehicle(twin, screen):
    turn = ActuatorCommand(
        actuator_id=common.UUID(value="motor_left"), command_type=CommandType.ROTATE, float_value=40.0
    )
    twin.command("sim.start", speed=1)
    assert twin.sim.SendActuatorCommand(api.SendActuatorCommandRequest(command=turn), timeout=20).accepted
    heading = twin.await_telemetry(after=twin.now(), heading=near(40, 0.01)).data.heading
    twin.command("sim.pause")
    twin.await_tracked_frame(frame=twin.frames()[-1].frame)
    tracks = {str(one.data.track_id): one.data for one in twin.tracks(frame=twin.tracked_frames()[-1].frame)}
    screen.until_drawn("its last frame", lambda picture: picture["frame"] == twin.tracked_frames()[-1].frame)
    assert scale_of(screen.drawn(), tracks, centre(screen)) > 0
    screen.page.keyboard.press("h")
    button = screen.page.get_by_role("button", name="Heading up")
    screen.until("the button", lambda: button.get_attribute("aria-pressed") == "true")
    assert scale_of(screen.drawn(), tracks, centre(screen), turn=heading) > 0
