"""Array types of the signatures; shapes and units stand in the docstrings, as in `(n, 3) [m]`."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Index = NDArray[np.intp]  # row numbers


def blocks(count: int, size: int) -> list[slice]:
    """Return slices of so many rows at most that cover `count` rows."""
    return [slice(start, min(start + size, count)) for start in range(0, count, size)]
