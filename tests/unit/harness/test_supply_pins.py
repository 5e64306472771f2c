"""Pins beside the locks: looked up where somebody answers, and written wherever they are repeated."""

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from qiki_harness.errors import LockError
from qiki_harness.supply import pins

ROOT = Path(__file__).parents[3]
DIGEST = f"sha256:{'0a' * 32}"
COMMIT = "12" * 20


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The files that have pins."""
    for file in (pins.FILE, pins.DOCKERFILE, pins.FLAKE, pins.FLAKE_LOCK, pins.WORKFLOWS / "ci.yml"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, tmp_path / file)
    return tmp_path


def with_all(found: pins.Pins) -> pins.Pins:
    actions = {name: replace(one, commit=COMMIT) for name, one in found.actions.items()}
    return replace(found, base=replace(found.base, digest=DIGEST), actions=actions)


def test_what_is_written_is_what_is_read(checkout: Path):
    before = (checkout / pins.FILE).read_text()
    found = pins.read(checkout)
    pins.write(checkout, found)
    assert (checkout / pins.FILE).read_text() == before
    pins.write(checkout, with_all(found))
    assert pins.read(checkout) == with_all(found)


def test_digest_and_commits_go_into_the_files_that_repeat_them(checkout: Path):
    found = with_all(pins.read(checkout))
    for file, text in pins.pinned(checkout, found).items():
        (checkout / file).write_text(text)
    assert f"\nARG PYTHON_IMAGE={found.base.tagged}@{DIGEST}\n" in (checkout / pins.DOCKERFILE).read_text()
    uses = [line for line in (checkout / pins.WORKFLOWS / "ci.yml").read_text().splitlines() if "uses:" in line]
    assert uses
    assert all(f"@{COMMIT} # v" in line for line in uses)
    assert list(pins.differences(checkout, found)) == []
    # And back to the tags.
    bare = pins.read(checkout)
    assert len(list(pins.differences(checkout, bare))) == 2
    for file, text in pins.pinned(checkout, bare).items():
        (checkout / file).write_text(text)
    assert list(pins.differences(checkout, bare)) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        ("Dockerfile", "ARG PYTHON_IMAGE=python:", "ARG PYTHON_IMAGE=pypy:", "Dockerfile says other versions than"),
        ("flake.nix", "nixpkgs/nixos-", "nixpkgs/nixes-", "flake.nix says other versions than"),
        (
            ".github/workflows/ci.yml",
            "actions/checkout@",
            "actions/checkout@main # ",
            "ci.yml says other versions than",
        ),
        ("flake.lock", '"rev": "', '"rev": "0', "flake.lock has nixpkgs at 0"),
    ],
)
def test_a_file_that_says_something_else_is_named(checkout: Path, file: str, old: str, new: str, words: str):
    text = (checkout / file).read_text()
    assert old in text
    (checkout / file).write_text(text.replace(old, new, 1))
    (line,) = pins.differences(checkout, pins.read(checkout))
    assert words in line


def test_an_action_that_is_not_pinned_is_an_error(checkout: Path):
    workflow = checkout / pins.WORKFLOWS / "ci.yml"
    workflow.write_text(workflow.read_text().replace("actions/checkout@", "somebody/else@"))
    with pytest.raises(LockError, match=r"uses somebody/else, which locks/pins.toml does not pin"):
        list(pins.differences(checkout, pins.read(checkout)))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('digest = "', 'digest = "sha256:12', "'sha256:12' is no digest"),
        ('tag = "v5", commit = ""', 'tag = "v5", commit = "v5"', "'v5' is no commit"),
        ("[base]", "[bass]", r"expected \[base\]"),
        ('tag = "v5", ', "", r"expected \[base\], \[nixpkgs\] and \[actions\]"),
    ],
)
def test_what_is_malformed_is_one_line(checkout: Path, old: str, new: str, words: str):
    text = (checkout / pins.FILE).read_text()
    assert old in text
    (checkout / pins.FILE).write_text(text.replace(old, new, 1))
    with pytest.raises(LockError, match=words) as caught:
        pins.read(checkout)
    assert "\n" not in str(caught.value)


def git(folder: Path, *words: str) -> str:
    author = ["-c", "user.name=Test", "-c", "user.email=test@example.invalid"]
    done = subprocess.run(["git", *author, *words], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_commits_are_looked_up_on_the_server_that_is_named(checkout: Path, tmp_path: Path, monkeypatch):
    """A tag with a message stands for a commit; what nobody answers for stays, and is said."""
    repository = tmp_path / "server/actions/checkout"
    repository.mkdir(parents=True)
    git(repository, "init", "--quiet")
    git(repository, "commit", "--quiet", "--allow-empty", "--message", "first")
    git(repository, "tag", "--annotate", "v5", "--message", "fifth")
    monkeypatch.setenv("GITHUB_SERVER_URL", f"file://{tmp_path}/server")
    monkeypatch.setenv("PATH", str(Path(str(shutil.which("git"))).parent))
    before = pins.read(checkout)
    found, silent = pins.looked_up(replace(before, base=replace(before.base, image="localhost:9/none")))
    assert found.actions["actions/checkout"].commit == git(repository, "rev-parse", "HEAD")
    assert {one.commit for name, one in found.actions.items() if name != "actions/checkout"} == {""}
    assert len(silent) == len(before.actions)
    assert any(line.startswith("no registry answers for localhost:9/none:") for line in silent)
