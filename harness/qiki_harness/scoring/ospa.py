"""OSPA, the optimal sub-pattern assignment metric.

Schuhmacher, Vo & Vo, A consistent metric for performance evaluation of multi-object filters, IEEE Transactions on
Signal Processing 56 (2008), equations 3 and 4.
"""

from qiki.arrays import Array
from qiki_harness.scoring.assignment import assign, distances
from qiki_harness.scoring.gospa import CUTOFF_M, ORDER


def ospa(contacts: Array, tracks: Array, cutoff: float = CUTOFF_M, order: float = ORDER) -> float:
    """Return the error a contact or track, at most `cutoff`.

    Args:
        contacts: (n, d)
        tracks: (m, d)
        cutoff: c, the error that a missed or a false one counts for
        order: p, at least 1
    """
    most = max(len(contacts), len(tracks))
    if not most:
        return 0.0
    cost = distances(contacts, tracks).clip(max=cutoff) ** order
    rows, columns = assign(cost)
    unpaired = most - len(rows)
    return float(((cost[rows, columns].sum() + cutoff**order * unpaired) / most) ** (1 / order))
