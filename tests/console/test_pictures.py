"""The pictures of the documents: `QIKI_PICTURES=1` writes them to docs/pictures; otherwise they are only looked at."""

import base64
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest

DOCS = Path(__file__).parents[2] / "docs" / "pictures"
CLOSEST = 185
LARGEST = 200_000
PHONE = {"width": 390, "height": 844}
PIXELS = """async text => {
  const image = new Image();
  image.src = `data:image/png;base64,${text}`;
  await image.decode();
  const context = new OffscreenCanvas(image.width, image.height).getContext("2d");
  context.drawImage(image, 0, 0);
  const bytes = context.getImageData(0, 0, image.width, image.height).data;
  let out = "";
  for (let at = 0; at < bytes.length; at += 8192) out += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return [image.width, image.height, btoa(out)];
}"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where the pictures go."""
    if os.environ.get("QIKI_PICTURES") != "1":
        return tmp_path_factory.mktemp("pictures")
    DOCS.mkdir(exist_ok=True)
    return DOCS


@pytest.fixture(scope="module")
def recording(qiki, tmp_path_factory):
    file = tmp_path_factory.mktemp("flight") / "a.mcap"
    qiki("record", "--fly", "mixed-traffic", file, "--seconds", 25)
    return file


@pytest.fixture(scope="module")
def page(recording, qiki_page):
    """The address of a page with a recording."""
    return qiki_page("console", recording)[0]


@pytest.fixture(scope="module")
def pair(recording, qiki, qiki_page):
    """The address of a page with a recording, and one that went on with other chance."""
    other = recording.with_name("b.mcap")
    qiki("fork", f"{recording}@10", "--seconds", 15, "-o", other, "--seed", 7)
    return qiki_page("console", recording, other)[0]


def at_closest(screen):
    """Go to the stranger's closest approach and choose it."""
    screen.until("the recording", lambda: (screen.frame or 0) > 240 and screen.rows())
    screen.go_to(CLOSEST)
    stranger = screen.until(
        "the stranger", lambda: next((row for row in screen.rows().values() if row[4].startswith("46.")), None)
    )
    screen.page.locator(".roll tbody tr[id]").first.click()
    screen.until("the choice", lambda: stranger[0] in screen.text(".track"))
    return screen


def taken(screen, folder, name):
    """Take a picture; it has many colours and few bytes."""
    screen.page.mouse.move(0, 0)
    shot = base64.b64encode(screen.page.screenshot(animations="disabled")).decode()
    width, height, pixels = screen.page.evaluate(PIXELS, shot)
    colours = np.frombuffer(base64.b64decode(pixels), np.uint8).reshape(height, width, 4)[:, :, :3]
    assert len(np.unique(colours.reshape(-1, 3), axis=0)) > 100
    path = folder / f"page-{name}.png"
    path.write_bytes(png(colours))
    assert path.stat().st_size < LARGEST


def png(colours):
    """Return a PNG of 256 colours: the most frequent ones, and for the others the nearest of them."""
    found, index, count = np.unique(colours.reshape(-1, 3), axis=0, return_inverse=True, return_counts=True)
    palette = found[np.argsort(count)[::-1][:256]]
    nearest = np.array(
        [np.argmin(((palette.astype(int) - one) ** 2).sum(axis=1)) for one in found.astype(int)], np.uint8
    )
    height, width = colours.shape[:2]
    lines = np.zeros((height, width + 1), np.uint8)  # each begins with its filter: none
    lines[:, 1:] = nearest[index].reshape(height, width)
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    parts = (
        (b"IHDR", header),
        (b"PLTE", palette.tobytes()),
        (b"IDAT", zlib.compress(lines.tobytes(), 9)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def inside(screen, name=None):
    picture = screen.drawn(name)
    box = screen.page.locator(".scope-plan canvas").first.bounding_box()
    assert len(picture["tracks"]) > 5
    assert all(0 <= one["x"] <= box["width"] and 0 <= one["y"] <= box["height"] for one in picture["tracks"])


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_the_page_at_the_closest_approach(page, open_page, folder, scheme):
    screen = at_closest(open_page(page, color_scheme=scheme))
    inside(screen)
    taken(screen, folder, scheme)


def test_the_page_in_the_past(page, open_page, folder):
    screen = open_page(page)
    screen.until("the recording", lambda: (screen.frame or 0) > 240)
    screen.go_to(230)
    screen.tab("Plots")
    screen.until("plots", lambda: screen.page.locator(".plots canvas").count() > 3)
    inside(screen)
    taken(screen, folder, "past")


def test_the_page_on_a_phone(page, open_page, folder):
    screen = open_page(page, viewport=PHONE, has_touch=True)
    screen.until("the recording", lambda: (screen.frame or 0) > 240)
    screen.page.locator(".slider").focus()
    screen.go_to(CLOSEST)
    inside(screen)
    taken(screen, folder, "phone")


def test_two_runs_side_by_side(pair, open_page, folder):
    screen = open_page(pair)
    screen.until("both", lambda: (screen.frame or 0) > 240 and screen.drawn("b.mcap"))
    screen.page.locator(".slider").focus()
    screen.page.keyboard.press("d")
    screen.until("the difference", lambda: screen.mode == "PAST" and "differs" in screen.text(".difference"))
    inside(screen, "a.mcap")
    inside(screen, "b.mcap")
    taken(screen, folder, "compare")
