"""The runner `at-hand`: tox installs nothing and runs its commands in the environment that it runs in itself.

The workspace uses it (QIKI_TOX_RUNNER=at-hand): its image has all that tests and tools need, and perhaps no network.
The package tox-current-env would run the environment of another Python version under this one, runs `commands_pre`,
and does nothing where tox.ini names a runner. Here such an environment is skipped, and nothing is installed.
"""

import os
import platform
import sys
import sysconfig
from functools import cached_property
from pathlib import Path
from typing import Any

from tox.config.loader.memory import MemoryLoader
from tox.config.sets import EnvConfigSet
from tox.execute.local_sub_process import LocalSubProcessExecutor
from tox.plugin import impl
from tox.session.state import State
from tox.tox_env.installer import Installer
from tox.tox_env.python.api import PythonInfo, VersionInfo
from tox.tox_env.python.runner import PythonRun
from tox.tox_env.register import ToxEnvRegister
from virtualenv.discovery.py_spec import PythonSpec

NAME = "at-hand"


class NoInstaller(Installer[Any]):
    """Installs nothing."""

    def _register_config(self) -> None: ...

    def installed(self) -> list[str]:
        """Return nothing: nothing was installed."""
        return []

    def install(self, arguments: Any, section: str, of_type: str) -> None:
        """Install nothing."""


class AtHand(PythonRun):
    """The environment that tox itself runs in."""

    @staticmethod
    def id() -> str:
        """Return the runner's name."""
        return NAME

    @cached_property
    def executor(self) -> LocalSubProcessExecutor:
        """Runs the commands."""
        return LocalSubProcessExecutor(self.options.is_colored)

    @property
    def installer(self) -> Installer[Any]:
        """Installs nothing."""
        return NoInstaller(self)

    def create_python_env(self) -> None:
        """Create nothing: it is there."""

    def _get_python(self, base_python: list[str]) -> PythonInfo | None:
        """Return this interpreter; None where another version is asked for, and the environment is skipped."""
        wanted = [PythonSpec.from_string_spec(name) for name in base_python]
        here = sys.version_info
        if not any(spec.major in {None, here.major} and spec.minor in {None, here.minor} for spec in wanted):
            return None
        return PythonInfo(
            implementation=sys.implementation.name,
            version_info=VersionInfo(*here),
            version=sys.version,
            is_64=sys.maxsize > 1 << 32,
            platform=platform.platform(),
            extra={"executable": Path(sys.executable)},
        )

    @classmethod
    def python_spec_for_path(cls, path: Path) -> PythonSpec:  # noqa: ARG003
        """Return the specification of this interpreter."""
        return PythonSpec.from_string_spec(f"{sys.implementation.name}{sys.version_info[0]}.{sys.version_info[1]}")

    def env_site_package_dir(self) -> Path:
        """Return the packages' folder."""
        return Path(sysconfig.get_path("purelib"))

    def env_bin_dir(self) -> Path:
        """Return the commands' folder."""
        return Path(sysconfig.get_path("scripts"))

    def env_python(self) -> Path:
        """Return this interpreter."""
        return Path(sys.executable)

    def prepend_env_var_path(self) -> list[Path]:
        """Put the own commands first."""
        return [self.env_bin_dir()]

    runs_on_platform = sys.platform
    _external_pkg_tox_env_type = ""
    _package_tox_env_type = ""


@impl
def tox_register_tox_env(register: ToxEnvRegister) -> None:
    """Register the runner."""
    register.add_run_env(AtHand)


@impl
def tox_add_env_config(env_conf: EnvConfigSet, state: State) -> None:  # noqa: ARG001
    """Leave out the commands that install."""
    if os.environ.get("QIKI_TOX_RUNNER") == NAME:
        env_conf.loaders.insert(0, MemoryLoader(commands_pre=[], pass_env=["*"]))
