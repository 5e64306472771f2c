from base64 import urlsafe_b64encode
from hashlib import sha256
from pathlib import Path

import pytest

from qiki_harness.manifest.collect import digest_of, packages, source_hashes
from qiki_harness.manifest.record import altered, digest, of_the_wheel, read_record

WHEEL = {
    "array/__init__.py": b"from array._fast import add\n",
    "array/_fast.so": b"\x7fELF and the rest",
    'array/"quoted", with a comma.txt': b"",
    "array-1.0.dist-info/METADATA": b"Name: array\n",
    "../../../bin/array-server": b"\x7fELF too",
}
UV = {
    "../../../bin/array-tool": b"#!/one/place/bin/python\n",
    "array-1.0.dist-info/INSTALLER": b"uv",
    "array-1.0.dist-info/uv_cache.json": b"{}",
}
PIP = {
    "array-1.0.dist-info/INSTALLER": b"pip\n",
    "array-1.0.dist-info/REQUESTED": b"",
    "array-1.0.dist-info/direct_url.json": b"{}",
    "array/__pycache__/__init__.cpython-313.pyc": b"compiled",
    "../../../bin/array-tool": b"#!/another/bin/python\n",
}
COMMANDS = {"array-tool"}


@pytest.fixture
def installed(tmp_path):
    """The folder of packages that a wheel was installed into."""
    folder = tmp_path / "lib" / "python3.13" / "site-packages"
    for path, content in WHEEL.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return folder


def record(*files):
    """The RECORD that an installer writes for these files."""
    rows = [
        f"{quoted(path)},sha256={hashed(content)},{len(content)}" for each in files for path, content in each.items()
    ]
    return "\n".join([*rows, "array-1.0.dist-info/RECORD,,"]) + "\n"


def quoted(path):
    return '"' + path.replace('"', '""') + '"' if "," in path else path


def hashed(content):
    return urlsafe_b64encode(sha256(content).digest()).rstrip(b"=").decode()


def rows(*files):
    return of_the_wheel(read_record(record(*files)), COMMANDS)


def test_whoever_installs_a_wheel_the_digest_is_the_same():
    assert [row.place for row in rows(WHEEL, PIP)] == sorted(path.replace("../../../bin", "bin") for path in WHEEL)
    assert digest(rows(WHEEL, UV)) == digest(rows(PIP, WHEEL)) == digest(rows(WHEEL))


def test_where_programs_are_put_does_not_matter():
    elsewhere = {path.replace("../../../bin", "../../../../usr/bin"): content for path, content in WHEEL.items()}
    assert digest(rows(elsewhere)) == digest(rows(WHEEL))


@pytest.mark.parametrize("path", WHEEL)
def test_any_other_file_of_the_wheel_counts(path):
    other = WHEEL | {path: b"changed"}
    fewer = {each: content for each, content in WHEEL.items() if each != path}
    assert len({digest(rows(each)) for each in (WHEEL, other, fewer)}) == 3


def test_a_launcher_is_left_out_and_a_program_of_that_folder_is_not():
    named_alike = {"array/array-tool": b"a file of the package"}
    assert "array/array-tool" in {row.place for row in rows(WHEEL, named_alike)}
    assert "bin/array-server" in {row.place for row in rows(WHEEL)}


def test_files_that_are_as_recorded_are_not_altered(installed):
    assert dict(altered(rows(WHEEL), installed)) == {}


def test_files_that_are_changed_or_gone_are_named(installed):
    (installed / "array/__init__.py").write_bytes(b"import os\n")
    (installed / "array/_fast.so").write_bytes(b"\x7fELF and other libraries")
    (installed / "array-1.0.dist-info/METADATA").unlink()
    found = dict(altered(rows(WHEEL), installed))
    assert found.keys() == {"array/__init__.py", "array/_fast.so", "array-1.0.dist-info/METADATA"}
    assert found["array/__init__.py"].sha256 == sha256(b"import os\n").hexdigest()
    assert {path for path, state in found.items() if state.native} == {"array/_fast.so"}
    assert found["array-1.0.dist-info/METADATA"].sha256 == "missing"


def test_sources_are_hashed_by_path_and_content_and_without_bytecode(tmp_path):
    (tmp_path / "a.py").write_text("one")
    first = digest_of(tmp_path)
    for junk in ("__pycache__/a.cpython-313.pyc", ".a.py.swp", ".cache/b.py"):
        (tmp_path / junk).parent.mkdir(exist_ok=True)
        (tmp_path / junk).write_text(junk)
    assert digest_of(tmp_path) == first
    (tmp_path / "a.py").write_text("two")
    second = digest_of(tmp_path)
    (tmp_path / "a.py").rename(tmp_path / "b.py")
    assert len({first, second, digest_of(tmp_path)}) == 3


def test_every_package_of_ours_is_found():
    hashes = source_hashes()
    assert hashes.keys() == packages().keys() > {"generated", "qiki", "qiki_harness", "registrar"}
    assert hashes["generated"] == digest_of(Path(__file__).parents[3] / "generated")
