"""What the flake says, on all systems, before anything is built."""

import json
import re
import tomllib
from pathlib import Path

import pytest
import yaml

from qiki_harness.supply.pins import read

ROOT = Path(__file__).parents[2]
SYSTEM = "x86_64-linux"
SYSTEMS = {"x86_64-linux", "aarch64-linux", "aarch64-darwin"}
SERVICES = {path.parent.name.replace("_", "-") for path in (ROOT / "services").glob("*/__main__.py")}
IMAGES = {"image-nats", "image-runtime", "image-dev"}
OUTPUTS = {
    "packages": {"default", "runtime", "dev", "nats-server", *SERVICES},
    "devShells": {"default", "ci"},
    "apps": {"up", "test", "smoke", *SERVICES},
    "checks": {"unit", "integration", "lint", "formatting", "types", "storeys", "stubs", "documents"},
}
# From the branch that flake.nix names; docs/nix.md says how to go on.
PIN = {
    "type": "github",
    "owner": "NixOS",
    "repo": "nixpkgs",
    "rev": read(ROOT).nixpkgs_commit,
    "narHash": "sha256-ugpsyk3NM2s87vXfUiIIiibbJ4Pp0JPS5p/3mfs+q+c=",
    "lastModified": 1789114715,
}


def test_the_one_input_is_locked():
    nodes = json.loads((ROOT / "flake.lock").read_text())["nodes"]
    assert nodes.keys() == {"root", "nixpkgs"}
    assert nodes["nixpkgs"]["locked"] == PIN
    original = nodes["nixpkgs"]["original"]
    assert f"github:{original['owner']}/{original['repo']}/{original['ref']}" in (ROOT / "flake.nix").read_text()


def test_the_services_are_the_compose_file_s():
    services = yaml.safe_load((ROOT / "docker-compose.phase1.yml").read_text())["services"].values()
    modules = {service["command"][2] for service in services if service["command"][:2] == ["python", "-m"]}
    assert {module.replace("_", "-") for module in modules} == SERVICES


def test_every_output_evaluates_on_every_system(nix, checkout):
    nix.run("flake", "check", checkout.flake, "--all-systems", "--no-build")
    shown = json.loads(nix.run("flake", "show", checkout.flake, "--json", "--all-systems"))
    for output, names in OUTPUTS.items():
        assert shown[output].keys() == SYSTEMS
        for system, found in shown[output].items():
            only_linux = {"packages": IMAGES, "apps": {"load-images"}}.get(output, set())
            assert found.keys() == names | (only_linux if system.endswith("linux") else set()), (output, system)
    assert shown["formatter"].keys() == SYSTEMS
    assert all(app["description"] for apps in shown["apps"].values() for app in apps.values())


def test_the_manifest_is_what_the_locks_say(nix, checkout):
    wheels = json.loads((ROOT / "locks/wheels.json").read_text())["wheels"]
    manifest = nix.value(f"{checkout.flake}#lib.manifest")
    assert manifest.keys() == wheels.keys() == SYSTEMS
    for system, found in manifest.items():
        for lock in ("build", "runtime", "dev"):
            pinned = {wheel["name"]: wheel["version"] for wheel in wheels[system] if lock in wheel["locks"]}
            assert found["locks"][lock] == pinned
        assert found["python"] == nix.host["version"]
        assert {"docker-client", "docker-compose", "git"} <= found["tools"].keys()


def derivations(nix, flake):
    return nix.value(f"{flake}#packages.{SYSTEM}", "--apply", "builtins.mapAttrs (_: package: package.drvPath)")


def test_a_changed_readme_builds_nothing_anew(nix, checkout, broken):
    broken.edit("README.md", "# QIKI DTMP", "# QIKI DTMP, changed")
    broken.edit("docs/README.ru.md", "# QIKI DTMP", "# QIKI DTMP, changed")
    assert derivations(nix, broken.flake) == derivations(nix, checkout.flake)


def test_a_changed_source_builds_the_project_and_no_package_of_the_lock_anew(nix, checkout, broken):
    broken.edit("qiki/clock.py", '"""', '"""Changed. ')
    before, after = (inputs(nix, flake) for flake in (checkout.flake, broken.flake))
    assert {name for name in before if before[name] != after[name]} == {"qiki-build_wheel"}


def inputs(nix, flake):
    """Name to path of each derivation that the runtime environment is made from."""
    (shown,) = json.loads(nix.run("derivation", "show", f"{flake}#runtime")).values()
    return {re.sub(r"^[^-]*-|\.drv$", "", Path(path).name): path for path in shown["inputDrvs"]}


def test_an_image_has_the_settings_of_the_dockerfile_s(nix, checkout):
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", "")
    for stage in ("nats", "runtime", "dev"):
        chapter = re.split(rf"^FROM \S+ AS {stage}$", text, flags=re.MULTILINE)[1].split("\nFROM ")[0]
        said = [word for line in re.findall(r"^ENV (.*)$", chapter, re.MULTILINE) for word in settings(line)]
        config = nix.value(f"{checkout.flake}#packages.{SYSTEM}.image-{stage}.config")
        assert {word for word in said if not word.startswith("PATH=")} <= set(config["Env"])
        assert f"WORKDIR {config['WorkingDir']}\n" in chapter
        entry = re.search(r"^ENTRYPOINT (.*)$", chapter, re.MULTILINE)
        assert config.get("Entrypoint") == (json.loads(entry[1]) if entry else None)


def settings(line):
    """NAME=VALUE, a value with blanks in quotes."""
    return [word.replace('"', "") for word in re.findall(r'\w+=(?:"[^"]*"|\S+)', line)]


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("nix/tools.nix", "    docker-client\n", "    docker-cliont\n", "attribute 'docker-cliont' missing"),
        (
            "nix/checks.nix",
            "lib.concatMapStringsSep",
            "lib.concatMapStringSep",
            "attribute 'concatMapStringSep' missing",
        ),
        ("nix/environments.nix", "dontStrip = true", "dontStripp = true", "unexpected argument 'dontStripp'"),
        ("nix/images.nix", "extraCommands = base", "extraComands = base", "unexpected argument 'extraComands'"),
        ("nix/shells.nix", "shellHook = settings", "shelHook = settings", "unexpected argument 'shelHook'"),
        (
            "nix/services.nix",
            "    inherit name;\n",
            "    inherit name;\n runtimeInput = [ ];\n",
            "unexpected argument 'runtimeInput'",
        ),
        ("nix/sources.nix", "../scenarios\n", "../scenaria\n", "scenaria does not exist"),
    ],
    ids=lambda value: value if isinstance(value, str) and value.startswith("nix/") else "",
)
def test_a_misspelt_name_is_named(nix, broken, name, old, new, said):
    broken.edit(name, old, new)
    done = nix.attempt("flake", "check", broken.flake, "--all-systems", "--no-build")
    assert done.returncode != 0
    assert said in done.stderr


def test_the_stand_in_has_what_its_table_lists_and_nothing_else(nix):
    table = json.loads((nix.stand_in / "attributes.json").read_text())
    flake = f"path:{nix.stand_in}"
    assert set(nix_names(nix, f"{flake}#lib")) == table["lib"].keys()
    for system in SYSTEMS:
        assert set(nix_names(nix, f"{flake}#legacyPackages.{system}")) == table["packages"].keys()


def nix_names(nix, installable):
    return nix.value(installable, "--apply", "builtins.attrNames")


def test_every_attribute_of_the_table_is_used():
    table = json.loads((ROOT / "tests/nix/nixpkgs/attributes.json").read_text())
    text = "".join(path.read_text() for path in [ROOT / "flake.nix", *sorted((ROOT / "nix").glob("*.nix"))])
    words = set(re.findall(r"[A-Za-z][\w-]*", text))
    assert (table["lib"].keys() | table["packages"].keys()) - words == set()


def test_the_python_of_the_flake_is_the_wheels_own():
    python = json.loads((ROOT / "locks/wheels.json").read_text())["python"]
    assert f"pkgs.python{python.replace('.', '')}" in (ROOT / "nix/default.nix").read_text()
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"] == ">=3.11,<3.14"
