"""No file beside locks/pins.toml and those that scripts/pins writes names a base image's or an action's version."""

import json
import re
import subprocess
from pathlib import Path

import yaml

from qiki_harness.supply import pins

ROOT = Path(__file__).parents[3]
WRITTEN = {pins.FILE, pins.DOCKERFILE, pins.FLAKE, pins.FLAKE_LOCK, pins.WORKFLOWS / "ci.yml"}
TEXT = {".json", ".md", ".nix", ".py", ".sh", ".toml", ".txt", ".yaml", ".yml", ""}


def test_the_files_say_what_is_pinned():
    assert list(pins.differences(ROOT, pins.read(ROOT))) == []


def test_every_action_that_is_pinned_is_used():
    uses = "".join(path.read_text() for path in (ROOT / pins.WORKFLOWS).glob("*.yml"))
    assert [name for name in pins.read(ROOT).actions if f"uses: {name}@" not in uses] == []


def test_the_compose_file_names_images_of_ours_alone():
    services = yaml.safe_load((ROOT / "docker-compose.phase1.yml").read_text())["services"].values()
    assert {re.sub(r":\$\{QIKI_IMAGE_TAG:-latest\}$", "", service["image"]) for service in services} <= {
        "qiki-dtmp-nats",
        "qiki-dtmp-runtime",
        "qiki-dtmp-dev",
    }


def test_the_dockerfile_begins_with_the_pinned_image_or_with_nothing():
    stages = re.findall(r"^FROM (\S+)(?: AS (\S+))?$", (ROOT / pins.DOCKERFILE).read_text(), re.MULTILINE)
    own = {name for _, name in stages}
    assert {image for image, _ in stages} - own == {"${PYTHON_IMAGE}", "scratch"}


def test_nothing_else_names_them():
    found = pins.read(ROOT)
    named = re.compile(rf"{re.escape(found.base.tag)}|{found.nixpkgs_commit}|\buses: +[a-z-]+/")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    files = [Path(name) for name in listed.split("\0") if Path(name).suffix in TEXT and (ROOT / name).is_file()]
    assert [
        file for file in files if file not in WRITTEN and named.search((ROOT / file).read_text(errors="replace"))
    ] == []


def test_the_devcontainer_s_cli_is_locked_by_hash_and_by_no_address():
    text = (ROOT / "locks/devcontainer/package-lock.json").read_text()
    wanted = json.loads((ROOT / "locks/devcontainer/package.json").read_text())["dependencies"]
    own, *packages = json.loads(text)["packages"].values()
    assert own["dependencies"] == wanted
    assert packages
    assert all(re.fullmatch(r"sha512-[A-Za-z0-9+/]{86}==", package["integrity"]) for package in packages)
    assert "://" not in text
    assert "resolved" not in text
