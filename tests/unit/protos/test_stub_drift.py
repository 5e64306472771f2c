"""The committed stubs are what protos/ gives, and the check says so when they are not."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def check(root: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, root / "scripts/gen_protos.py", "--check"],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for folder in ("protos", "generated"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts/gen_protos.py", tmp_path / "scripts")
    return tmp_path


def test_the_committed_stubs_are_fresh():
    done = check(ROOT)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_stubs_that_differ_are_shown(copy: Path):
    (copy / "generated/common_types_pb2.py").write_text("# edited\n")
    (copy / "generated/left_over_pb2.py").write_text("# of a proto that is gone\n")
    (copy / "generated/radar/v1/radar_pb2.pyi").unlink()
    done = check(copy)
    assert done.returncode == 1
    assert done.stderr == "gen_protos: 3 file(s) in generated/ are stale; run scripts/gen_protos.sh\n"
    for name in ("common_types_pb2.py", "left_over_pb2.py", "radar/v1/radar_pb2.pyi"):
        assert f"--- generated/{name}" in done.stdout


def test_writing_mends_them(copy: Path):
    (copy / "generated/left_over_pb2.py").write_text("# of a proto that is gone\n")
    (copy / "generated/common_types_pb2.py").unlink()
    subprocess.run([sys.executable, copy / "scripts/gen_protos.py"], check=True, timeout=60)
    assert check(copy).returncode == 0
