"""A disk that loses its power: a file system in memory that forgets what was not synced."""

from qiki_harness.power.disk import Disk, Names
from qiki_harness.power.drive import Drive, lacking

__all__ = ["Disk", "Drive", "Names", "lacking"]
