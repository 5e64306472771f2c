"""The environment of a service: what it inherits, and which of its variables count before its first line runs."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

# A container sees nothing of the user's shell, so that a stray variable there changes nothing. A process needs these;
# OPENBLAS_CORETYPE chooses the processor's instructions, on which the last digits of a run depend.
_INHERITED = {
    "DYLD_LIBRARY_PATH", "HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "LOCALE_ARCHIVE", "LOGNAME",
    "OPENBLAS_CORETYPE", "PYTHONPYCACHEPREFIX", "QIKI_CHECKOUT", "SHELL", "SSL_CERT_FILE", "TMPDIR", "TZ", "USER",
    "VIRTUAL_ENV", "XDG_RUNTIME_DIR",
}  # fmt: skip

_AT_EXEC = (  # the loader, the C library, the interpreter and its hooks
    "ASAN_", "COVERAGE_", "COV_", "DYLD_", "GLIBC_", "LANG", "LC_", "LD_", "LOCALE_", "LSAN_", "MALLOC_", "PYTHON",
    "TCMALLOC_", "TSAN_", "TZ", "UBSAN_", "VIRTUAL_ENV",
)  # fmt: skip
_AT_IMPORT = (  # packages that read it when they are imported
    "FASTSTREAM_", "FORCE_COLOR", "GRPC_", "NO_COLOR", "NPY_", "NUMPY_", "OPENSSL_", "PROMETHEUS_",
    "PROTOCOL_BUFFERS_", "PYDANTIC_", "UVLOOP_", "prometheus_",
)  # fmt: skip
_BLAS = ("BLIS_", "GOTO_", "KMP_", "MKL_", "OMP_", "OPENBLAS_", "VECLIB_")  # read when numpy is imported
_THREADS = "_NUM_THREADS"
_FOLDERS = "_KEYS_DIR"  # of credentials: those of the faststream-bridge begin as a package's own variables do
ONE_BLAS_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
"""As in a stack: results do not depend on the number of threads, and workers do not take each other's time."""
_PER_PROCESS = {"PYTHONUNBUFFERED"}  # a forked service honours it


def base_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what every service inherits; the programs beside our own Python come first on its PATH."""
    kept = {name: environ[name] for name in sorted(_INHERITED) if name in environ}
    path = os.pathsep.join([str(Path(sys.executable).parent), environ.get("PATH", os.defpath)])
    return {**kept, "PATH": path}


def numerical(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that numpy and its BLAS read."""
    return {name: value for name, value in environment.items() if _is_numerical(name)}


def differences(imported: Mapping[str, str], wanted: Mapping[str, str]) -> list[str]:
    """Return the variables that count at exec or at import, and differ."""
    counting = [name for name in imported.keys() | wanted.keys() if _counts(name)]
    return sorted(name for name in counting if imported.get(name) != wanted.get(name))


def _counts(name: str) -> bool:
    ours = name in _PER_PROCESS or name.endswith(_FOLDERS)
    return not ours and (name.startswith((*_AT_EXEC, *_AT_IMPORT)) or _is_numerical(name))


def _is_numerical(name: str) -> bool:
    return name.startswith(_BLAS) or name.endswith(_THREADS)
