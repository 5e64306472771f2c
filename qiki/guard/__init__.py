"""Guard rules as data, and the judge that finds the tracks which meet them."""

from pathlib import Path

DEFAULT_RULES = Path(__file__).parent / "rules.yaml"
