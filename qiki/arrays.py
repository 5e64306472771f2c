"""Array types of the signatures; shapes and units stand in the docstrings, as in `(n, 3) [m]`."""

import numpy as np
from numpy.typing import NDArray

from qiki.state import converted

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Index = NDArray[np.intp]  # row numbers
FLOATS = converted(np.ndarray.tolist, lambda saved: np.array(saved, dtype=np.float64))
"""Type of a field with an array of floats, in a saved state."""


def blocks(count: int, size: int) -> list[slice]:
    """Return slices of so many rows at most that cover `count` rows."""
    return [slice(start, min(start + size, count)) for start in range(0, count, size)]
