"""Fork servers: the variables that count, the record of imports, and what the stack's own services import."""

import json
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import yaml

from qiki_harness.environment import base_environment, differences, numerical
from qiki_harness.forks.imports import changed, stamp

ROOT = Path(__file__).parents[3]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.phase1.yml").read_text())["services"]
SERVICES = [entry["command"][2] for entry in COMPOSE.values() if entry["command"][:2] == ["python", "-m"]]


@pytest.mark.parametrize(
    "name",
    [
        "COVERAGE_PROCESS_START", "COV_CORE_SOURCE", "GRPC_VERBOSITY", "LC_ALL", "LD_PRELOAD", "MALLOC_ARENA_MAX",
        "OMP_NUM_THREADS", "PROMETHEUS_MULTIPROC_DIR", "PYTHONPATH", "TZ", "X_NUM_THREADS",
    ],
)  # fmt: skip
def test_a_variable_that_counts_makes_a_difference(name: str):
    assert differences({}, {name: "1"}) == [name]
    assert differences({name: "1"}, {}) == [name]
    assert differences({name: "1"}, {name: "2"}) == [name]
    assert differences({name: "1"}, {name: "1"}) == []


@pytest.mark.parametrize("name", ["NATS_URL", "QIKI_HTTP_PORT", "PYTHONUNBUFFERED", "PATH", "HOME"])
def test_a_variable_that_is_read_later_makes_none(name: str):
    assert differences({}, {name: "1"}) == []


def test_the_variables_of_blas_are_known():
    given = {"OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OMP_PROC_BIND": "true", "NATS_URL": "x", "TZ": "UTC"}
    assert numerical(given).keys() == {"OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_PROC_BIND"}


def test_a_service_computes_with_the_instructions_that_the_shell_chose_and_sees_no_more_of_it():
    seen = base_environment({"OPENBLAS_CORETYPE": "Haswell", "OPENBLAS_NUM_THREADS": "4", "PATH": "/bin"})
    assert seen.keys() == {"OPENBLAS_CORETYPE", "PATH"}


def test_a_file_that_was_changed_or_is_gone_is_found(tmp_path: Path):
    files = [tmp_path / name for name in ("a", "b")]
    for file in files:
        file.write_text("as it was")
    stamps = {str(file): found for file in files if (found := stamp(str(file)))}
    assert changed(stamps) is None
    os.utime(files[0], ns=(1, 1))
    assert changed(stamps) == str(files[0])
    stamps[str(files[0])] = (1, files[0].stat().st_size)
    files[1].unlink()
    assert changed(stamps) == str(files[1])


IN_A_PROCESS = """
import json, os, sys
from qiki_harness.forks.preload import Preload
preload = Preload({"PATH": os.environ["PATH"]})
preload.begin()
preload.add(sys.argv[2:], {"OPENBLAS_NUM_THREADS": "1"})
sys.path.insert(0, sys.argv[1])
while preload.pending:
    preload.step()
folder, environment = sys.argv[1], preload.environment
found = {name: sorted(preload.check(name, environment, folder).modules) for name in sys.argv[2:]}
files = {name: sorted(preload.check(name, environment, folder).files) for name in sys.argv[2:]}
print(json.dumps([found, files, sorted(sys.modules)]))
"""


def preloaded(folder: Path, *services: str) -> tuple[dict[str, list[str]], dict[str, list[str]], list[str]]:
    done = subprocess.run(
        [sys.executable, "-P", "-c", IN_A_PROCESS, str(folder), *services],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    modules, files, every = json.loads(done.stdout)
    return modules, files, every


def test_each_service_of_the_stack_has_modules_of_its_own():
    modules, files, every = preloaded(ROOT, *SERVICES)
    for service in SERVICES:
        others = set(SERVICES) - {service}
        assert not others & {name.partition(".")[0] for name in modules[service]}
        assert str(ROOT / "services" / service / "__main__.py") in files[service]
        assert str(ROOT / "qiki/contracts/topics.py") in files[service]
    for service in ("nats_js_init", "q_core_agent", "q_sim_radar", "registrar"):
        assert "numpy" not in modules[service]
    # The watchdog rests under a debugger, and knows one by its module.
    assert not {"pdb", "pydevd", "debugpy"} & set(every)


def test_every_way_to_import_is_recorded(tmp_path: Path):
    names = ("plainly", "from_it", "in_passing", "by_name", "later", "above")
    for name in (*names, "apart"):
        (tmp_path / f"{name}.py").write_text("X = 1\n")
    (tmp_path / "above.py").write_text("import deep\n")
    (tmp_path / "deep.py").write_text("X = 1\n")
    for package, body in {
        "one": "",
        "two": "import apart, deep, plainly, from_it, in_passing, by_name, later, above",
    }.items():
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").write_text("")
        (tmp_path / package / "__main__.py").write_text(f"import qiki.runtime.lean\nimport {package}.body\n")
        (tmp_path / package / "body.py").write_text(body)
    (tmp_path / "one/part.py").write_text("import in_passing\n")
    (tmp_path / "one/body.py").write_text(
        "import importlib, plainly, above\nfrom from_it import X\nfrom . import part\n"
        "importlib.import_module('by_name')\ndef work():\n    import later\nwork()\n"
    )
    modules, files, _ = preloaded(tmp_path, "two", "one")  # those of one are there already
    ours = {Path(file).name for file in files["one"] if Path(file).is_relative_to(tmp_path)}
    expected = {f"{name}.py" for name in (*names, "deep", "part", "body", "__init__", "__main__")}
    assert ours == expected
    assert "apart" in modules["two"]
    assert "apart" not in modules["one"]


def test_a_title_shows_in_place_of_the_command_line_and_no_longer_than_there_is_room():
    script = (
        "import sys\nfrom qiki_harness.forks.title import take_title\n"
        "take_title(['short', 'words'], 'a_name_that_is_too_long')\nprint(flush=True)\ninput()\n"
        "take_title(['w' * 100_000], 'b')\nprint(flush=True)\ninput()\n"
    )
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        process.stdout.readline()
        shown = psutil.Process(process.pid)
        assert (shown.name(), shown.cmdline()) == ("a_name_that_is_", ["short", "words"])
        print(file=process.stdin, flush=True)
        process.stdout.readline()
        (title,) = psutil.Process(process.pid).cmdline()
        assert set(title) == {"w"}
        assert psutil.Process(process.pid).environ()["PATH"] == os.environ["PATH"]
        process.kill()
