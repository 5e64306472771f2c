"""Training of small policies by an evolution strategy."""

from qiki_harness.training.evolve import Generation, evolve
from qiki_harness.training.tied import GENES, START, tied_policy

__all__ = ["GENES", "START", "Generation", "evolve", "tied_policy"]
