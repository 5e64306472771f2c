"""Transponders of all contacts: mode and claimed identity at a time."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from qiki.contracts.enums import TransponderMode
from qiki.world.scenario.contact import TransponderSpec


class Transponders:
    """Schedules of modes, and the identity that a reply claims in each mode."""

    def __init__(self, specs: Sequence[TransponderSpec]) -> None:
        longest = max((len(spec.modes) for spec in specs), default=1)
        self._from_s = np.full((len(specs), longest), np.inf)
        self._modes = np.zeros((len(specs), longest), np.int64)
        self._claims = np.full((len(specs), len(TransponderMode)), None, dtype=object)
        self._rows = np.arange(len(specs))
        for row, spec in enumerate(specs):
            self._from_s[row, : len(spec.modes)] = (0.0, *(change.at_s for change in spec.schedule))
            self._modes[row, : len(spec.modes)] = spec.modes
            self._claims[row, TransponderMode.ON] = spec.id
            self._claims[row, TransponderMode.SPOOF] = spec.spoof_id

    def at(self, t_s: float) -> tuple[NDArray[np.int64], NDArray[np.object_]]:
        """Return true modes, (n,), and claimed identities, (n,), None where there is no reply."""
        modes = self._modes[self._rows, np.count_nonzero(self._from_s <= t_s, axis=1) - 1]
        return modes, self._claims[self._rows, modes]
