"""The manifest of an environment, and the comparison of two."""

from qiki_harness.manifest.collect import collect
from qiki_harness.manifest.diff import Comparison, Difference
from qiki_harness.manifest.model import Distribution, Manifest, read_manifest

__all__ = ["Comparison", "Difference", "Distribution", "Manifest", "collect", "read_manifest"]
