"""`toxfile.py`: tox in the environment at hand."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
OTHER = {11: "unit-py312", 12: "unit-py313", 13: "unit-py311"}[sys.version_info.minor]


def test_at_hand_nothing_is_installed_and_another_python_is_skipped(tmp_path):
    words = ["-e", f"unit,{OTHER}", "-x", "testenv.commands=python -c 'import sys; print(sys.prefix)'"]
    done = subprocess.run(
        [sys.executable, "-m", "tox", *words],
        cwd=ROOT,
        env={**os.environ, "QIKI_TOX_RUNNER": "at-hand", "TOX_WORK_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert sys.prefix in done.stdout.splitlines()
    assert f"{OTHER}: skipped because could not find python interpreter" in done.stdout
    assert "install" not in done.stdout
