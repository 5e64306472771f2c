"""locks/pins.toml: the base image, nixpkgs and the workflow's actions, and the files that must say the same."""

import json
import os
import re
import subprocess
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from qiki_harness.errors import LockError

FILE = Path("locks/pins.toml")
DOCKERFILE = Path("Dockerfile")
FLAKE_LOCK = Path("flake.lock")
FLAKE = Path("flake.nix")
WORKFLOWS = Path(".github/workflows")
_BASE = re.compile(r"^ARG PYTHON_IMAGE=.*$", re.MULTILINE)
_NIXPKGS = re.compile(r'^(  inputs\.nixpkgs\.url = "github:NixOS/nixpkgs/)[^"]*', re.MULTILINE)
_ACTION = re.compile(r"(?P<before>\buses: +)(?P<name>[\w./-]+)@\S+(?: +#.*)?$", re.MULTILINE)
_HEXADECIMAL = {"digest": re.compile(r"sha256:[0-9a-f]{64}"), "commit": re.compile(r"[0-9a-f]{40}")}
_ANSWER_S = 30


@dataclass(frozen=True)
class Base:
    """The image that ours begin with; without a digest its tag alone holds."""

    image: str
    tag: str
    digest: str

    @property
    def tagged(self) -> str:
        """The image by its tag."""
        return f"{self.image}:{self.tag}"

    def __str__(self) -> str:
        return f"{self.tagged}@{self.digest}" if self.digest else self.tagged


@dataclass(frozen=True)
class Action:
    """An action of the workflow; without a commit its tag alone holds."""

    name: str
    tag: str
    commit: str

    def __str__(self) -> str:
        return f"{self.name}@{self.commit} # {self.tag}" if self.commit else f"{self.name}@{self.tag}"


@dataclass(frozen=True)
class Pins:
    """All of the file."""

    base: Base
    nixpkgs_ref: str
    nixpkgs_commit: str
    actions: Mapping[str, Action]


def read(root: Path) -> Pins:
    """Read the pins of a checkout; a LockError names what is malformed."""
    text = (root / FILE).read_text(encoding="utf-8")
    try:
        table = tomllib.loads(text)
        base = Base(**table["base"])
        actions = {name: Action(name, **one) for name, one in table["actions"].items()}
        pins = Pins(base, table["nixpkgs"]["ref"], table["nixpkgs"]["commit"], actions)
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise LockError(
            f"{FILE}: expected [base], [nixpkgs] and [actions] as scripts/pins writes them: {error}"
        ) from None
    commits = [pins.nixpkgs_commit, *(one.commit for one in actions.values())]
    for kind, values in (("digest", [base.digest]), ("commit", commits)):
        for value in filter(None, values):
            if not _HEXADECIMAL[kind].fullmatch(value):
                raise LockError(f"{FILE}: {value!r} is no {kind}")
    return pins


def write(root: Path, pins: Pins) -> None:
    """Write the pins, and keep the comment at the file's head."""
    head = (root / FILE).read_text(encoding="utf-8").partition("\n[")[0]
    actions = [
        f'"{one.name}" = {{ tag = "{one.tag}", commit = "{one.commit}" }}' for _, one in sorted(pins.actions.items())
    ]
    base = f'[base]\nimage = "{pins.base.image}"\ntag = "{pins.base.tag}"\ndigest = "{pins.base.digest}"'
    nixpkgs = f'[nixpkgs]\nref = "{pins.nixpkgs_ref}"\ncommit = "{pins.nixpkgs_commit}"'
    text = "\n".join([head, base, "", nixpkgs, "", "[actions]", *actions, ""])
    (root / FILE).write_text(text, encoding="utf-8")


def pinned(root: Path, pins: Pins) -> dict[Path, str]:
    """Return each file that repeats a pin, with the text that it must have."""
    found = {DOCKERFILE: _BASE.sub(f"ARG PYTHON_IMAGE={pins.base}", (root / DOCKERFILE).read_text(encoding="utf-8"))}
    found[FLAKE] = _NIXPKGS.sub(rf"\g<1>{pins.nixpkgs_ref}", (root / FLAKE).read_text(encoding="utf-8"))
    for file in sorted((root / WORKFLOWS).glob("*.yml")):
        found[WORKFLOWS / file.name] = _ACTION.sub(_action(file, pins), file.read_text(encoding="utf-8"))
    return found


def _action(file: Path, pins: Pins) -> Callable[[re.Match[str]], str]:
    def substitute(use: re.Match[str]) -> str:
        if use["name"] not in pins.actions:
            raise LockError(f"{file.name} uses {use['name']}, which {FILE} does not pin: add it to [actions]")
        return f"{use['before']}{pins.actions[use['name']]}"

    return substitute


def differences(root: Path, pins: Pins) -> Iterator[str]:
    """Yield a line for each file that says something else than the pins."""
    for file, text in pinned(root, pins).items():
        if (root / file).read_text(encoding="utf-8") != text:
            yield f"{file} says other versions than {FILE}: run scripts/pins"
    locked = json.loads((root / FLAKE_LOCK).read_text(encoding="utf-8"))["nodes"]["nixpkgs"]["locked"]["rev"]
    if locked != pins.nixpkgs_commit:
        yield f"{FLAKE_LOCK} has nixpkgs at {locked}, and {FILE} says {pins.nixpkgs_commit}: they must be the same"


def looked_up(pins: Pins) -> tuple[Pins, list[str]]:
    """Return the pins with what registry and GitHub answer now, and a line for each that nobody answered for."""
    silent: list[str] = []
    base = pins.base
    if (digest := _digest(base)) is not None:
        base = replace(base, digest=digest)
    else:
        silent.append(f"no registry answers for {base.tagged}: {_kept('digest', base.digest)}")
    actions = {}
    for name, one in pins.actions.items():
        commit = _commit(one)
        actions[name] = replace(one, commit=commit or one.commit)
        if commit is None:
            silent.append(f"nobody answers for {name} {one.tag}: {_kept('commit', one.commit)}")
    return replace(pins, base=base, actions=actions), silent


def _kept(kind: str, value: str) -> str:
    return f"its {kind} stays {value or 'empty'}"


def _digest(base: Base) -> str | None:
    command = ["docker", "buildx", "imagetools", "inspect", base.tagged, "--format", "{{.Manifest.Digest}}"]
    said = _output(command) or ""
    return said.strip() if _HEXADECIMAL["digest"].fullmatch(said.strip()) else None


def _commit(action: Action) -> str | None:
    """Return the commit of a tag; of one with a message, what it stands for. GITHUB_SERVER_URL names the server."""
    if not (server := os.environ.get("GITHUB_SERVER_URL")):
        return None
    repository = "/".join(action.name.split("/")[:2])
    said = _output(
        ["git", "ls-remote", f"{server}/{repository}", f"refs/tags/{action.tag}", f"refs/tags/{action.tag}^{{}}"]
    )
    lines = [line.split() for line in (said or "").splitlines()]
    return lines[-1][0] if lines and _HEXADECIMAL["commit"].fullmatch(lines[-1][0]) else None


def _output(command: list[str]) -> str | None:
    quiet = os.environ | {"GIT_TERMINAL_PROMPT": "0"}
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_ANSWER_S, check=True, env=quiet)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout
