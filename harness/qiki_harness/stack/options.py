"""Options of a stack."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

PORTS = range(1024, 65_536)  # those that every user may take


def is_port(text: str) -> bool:
    """Return whether a text is the number of such a port."""
    return text.isdecimal() and int(text) in PORTS


@dataclass(frozen=True, slots=True)
class StackOptions:
    """Compose file and run folder (this stack's alone), and the differences from the file's defaults.

    Attributes:
        variables: values for variables of the file, over those of the environment
        ports: numbers for some of its ports, by variable
        auto_ports: free ports for the rest, instead of the file's defaults: for stacks side by side
        without: services that the user runs himself
    """

    compose_file: Path
    folder: Path
    name: str = "default"
    variables: Mapping[str, str] = field(default_factory=dict)
    ports: Mapping[str, int] = field(default_factory=dict)
    auto_ports: bool = False
    without: tuple[str, ...] = ()

    def to_json(self) -> str:
        """Return the options in one line."""
        return json.dumps({**asdict(self), "compose_file": str(self.compose_file), "folder": str(self.folder)})

    @classmethod
    def from_json(cls, text: str) -> "StackOptions":
        """Return the options that `to_json` wrote."""
        values = json.loads(text)
        paths = {key: Path(values[key]) for key in ("compose_file", "folder")}
        return cls(**{**values, **paths, "without": tuple(values["without"])})
