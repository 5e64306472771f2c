"""Where the environment at hand is the one to test in, tox installs nothing and runs its commands right there.

So it is in the workspace (QIKI_TOX_RUNNER=at-hand), whose image holds all that tests and tools need, and which may have
no network. All else of tox.ini holds there as everywhere.
"""

import os
import platform
import sys
import sysconfig
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from tox.config.loader.memory import MemoryLoader
from tox.config.sets import EnvConfigSet
from tox.execute.api import Execute
from tox.execute.local_sub_process import LocalSubProcessExecutor
from tox.plugin import impl
from tox.session.state import State
from tox.tox_env.installer import Installer
from tox.tox_env.python.api import PythonInfo, VersionInfo
from tox.tox_env.python.runner import PythonRun
from tox.tox_env.register import ToxEnvRegister
from virtualenv.discovery.py_spec import PythonSpec

NAME = "at-hand"


class Nothing(Installer[Any]):
    """Installs nothing: all is there."""

    def _register_config(self) -> None:
        pass

    def installed(self) -> list[str]:
        """What is there."""
        return sorted(f"{one.name}=={one.version}" for one in distributions())

    def install(self, arguments: Any, section: str, of_type: str) -> None:
        """Do nothing."""


class AtHand(PythonRun):
    """An environment that is the one tox itself runs in."""

    _executor: Execute | None = None

    @staticmethod
    def id() -> str:
        """The runner's name."""
        return NAME

    @property
    def executor(self) -> Execute:
        """Runs the commands."""
        self._executor = self._executor or LocalSubProcessExecutor(self.options.is_colored)
        return self._executor

    @property
    def installer(self) -> Installer[Any]:
        """Installs nothing."""
        return Nothing(self)

    def create_python_env(self) -> None:
        """It is there."""

    def _get_python(self, base_python: list[str]) -> PythonInfo | None:
        """The interpreter at hand; None where another version is asked for, and the environment is skipped."""
        wanted = [PythonSpec.from_string_spec(name) for name in base_python]
        here = sys.version_info
        if not any(spec.major in {None, here.major} and spec.minor in {None, here.minor} for spec in wanted):
            return None
        return PythonInfo(
            implementation=sys.implementation.name,
            version_info=VersionInfo(*sys.version_info),
            version=sys.version,
            is_64=sys.maxsize > 1 << 32,
            platform=platform.platform(),
            extra={"executable": Path(sys.executable)},
        )

    @classmethod
    def python_spec_for_path(cls, path: Path) -> PythonSpec:  # noqa: ARG003
        """What the interpreter at hand is."""
        return PythonSpec.from_string_spec(f"{sys.implementation.name}{sys.version_info[0]}.{sys.version_info[1]}")

    def env_site_package_dir(self) -> Path:
        """Where packages are."""
        return Path(sysconfig.get_path("purelib"))

    def env_bin_dir(self) -> Path:
        """Where commands are."""
        return Path(sysconfig.get_path("scripts"))

    def env_python(self) -> Path:
        """The interpreter."""
        return Path(sys.executable)

    def prepend_env_var_path(self) -> list[Path]:
        """Its own commands come first."""
        return [self.env_bin_dir()]

    @property
    def runs_on_platform(self) -> str:
        """Any."""
        return sys.platform

    @property
    def _external_pkg_tox_env_type(self) -> str:
        return ""

    @property
    def _package_tox_env_type(self) -> str:
        return ""


@impl
def tox_register_tox_env(register: ToxEnvRegister) -> None:
    """Make it known."""
    register.add_run_env(AtHand)


@impl
def tox_add_env_config(env_conf: EnvConfigSet, state: State) -> None:  # noqa: ARG001
    """Leave out the commands that install."""
    if os.environ.get("QIKI_TOX_RUNNER") == NAME:
        env_conf.loaders.insert(0, MemoryLoader(commands_pre=[], pass_env=["*"]))
