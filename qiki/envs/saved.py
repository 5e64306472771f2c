"""The state of an environment between two steps, as a value."""

import json
from dataclasses import dataclass
from typing import Any, Self

from qiki.flight import SavedFlight
from qiki.state import StateError, misfit

FORMAT = 1


@dataclass(frozen=True)
class SavedEnv:
    """All of an episode; nobody changes it.

    Attributes:
        observation: of the step that it was saved after, by part
        random: state of the generator from which further episodes draw their seeds
        frame_s, t_s: duration of a frame, and simulated time since the run's begin
    """

    flight: SavedFlight
    encoder: Any
    referee: Any
    observation: dict[str, Any]
    random: Any
    frame_s: float
    t_s: float

    def to_bytes(self) -> bytes:
        """Return the value as JSON, for `from_bytes`."""
        content = {name: value for name, value in vars(self).items() if name != "flight"}
        return json.dumps({"format": FORMAT, "flight": self.flight.to_bytes().decode(), **content}).encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """Read a value; StateError if it is none, or of another version."""
        try:
            saved = json.loads(content)
            if saved.pop("format") != FORMAT:
                raise StateError("saved by another version of the environment")
            return cls(SavedFlight.from_bytes(saved.pop("flight").encode()), **saved)
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise StateError(f"not a saved environment: {misfit(error)}") from None
