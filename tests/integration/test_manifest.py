"""`qiki manifest` on the environment that the tests run in, and on one that was tampered with."""

import json
import os
import re
import subprocess
import sys
from base64 import urlsafe_b64encode
from hashlib import sha256
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
QIKI = [sys.executable, "-c", "from qiki_harness.cli import main; main()"]


def manifest(*words, **environment):
    return subprocess.run(
        [*QIKI, "manifest", *words], cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def here():
    """The manifest of the environment at hand."""
    done = manifest("--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_it_holds_every_pin_of_the_lock_as_its_wheel_brought_it(here):
    pins = dict(re.findall(r"^([a-z0-9-]+)==([^\s;]+) \\", (ROOT / "locks/dev.txt").read_text(), re.MULTILINE))
    assert len(pins) > 50
    installed = {name: each["version"] for name, each in here["distributions"].items() if "dev" in each["locks"]}
    assert pins.items() <= installed.items()
    assert {name: each["altered"] for name, each in here["distributions"].items() if each["altered"]} == {}
    assert all(each["files"] and not each["pinned"] for name, each in here["distributions"].items() if each["locks"])


def test_the_programs_are_of_the_version_that_is_pinned(here):
    assert here["tools"].keys() == {"nats-server", "buf", "ruff", "uv"}
    for tool in here["tools"].values():
        assert tool["version"] == here["distributions"][tool["distribution"]]["version"]


def test_what_was_tampered_with_is_named_and_told_from_the_true_one(here, tmp_path):
    site = tmp_path / "site"
    content = b"value = 1\n"
    (site / "altered-1.0.dist-info").mkdir(parents=True)
    (site / "altered-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: Altered\nVersion: 1.0\n")
    digest = urlsafe_b64encode(sha256(content).digest()).rstrip(b"=").decode()
    rows = [f"altered.py,sha256={digest},10", "gone.py,,", "altered-1.0.dist-info/METADATA,,"]
    (site / "altered-1.0.dist-info" / "RECORD").write_text("\n".join([*rows, "altered-1.0.dist-info/RECORD,,"]))
    (site / "altered.py").write_text("value = 2\n")
    (site / "sitecustomize.py").write_text("")
    path = os.pathsep.join(filter(None, (str(site), os.environ.get("PYTHONPATH"))))

    told = manifest(PYTHONPATH=path).stdout
    for line in (
        "altered: altered.py is changed",
        "altered: gone.py is missing",
        "no distribution brought sitecustomize.py",
    ):
        assert line in told.splitlines()

    (tmp_path / "true.json").write_text(json.dumps(here))
    done = manifest("diff", str(tmp_path / "true.json"), PYTHONPATH=path)
    assert done.returncode == 1
    assert "altered 1.0: only in this environment" in done.stdout.splitlines()
    assert "files that no distribution brought in this environment: sitecustomize.py" in done.stdout.splitlines()
