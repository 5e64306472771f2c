"""The assignment of least total cost."""

import lap
import numpy as np

from qiki.arrays import Array, Index


def assign(cost: Array) -> tuple[Index, Index]:
    """Return rows and columns of the cheapest assignment of the smaller side to the larger.

    Args:
        cost: (n, m), finite

    Returns:
        (min(n, m),) rows, in order, and their columns
    """
    if not cost.size:
        return np.zeros(0, dtype=np.intp), np.zeros(0, dtype=np.intp)
    rows, columns = lap.lapjvc(cost, return_cost=False)
    order = np.argsort(rows, kind="stable")
    return np.asarray(rows, dtype=np.intp)[order], np.asarray(columns, dtype=np.intp)[order]


def distances(one: Array, other: Array) -> Array:
    """Return the distances between all points of two sets: (n, d), (m, d) -> (n, m)."""
    between = one[:, None] - other[None]
    result: Array = np.sqrt(np.vecdot(between, between))
    return result
