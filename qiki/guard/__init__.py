"""Guard rules as data, and the judge that finds the tracks which meet them."""

from pathlib import Path

from qiki.guard.judge import Ended, GuardJudge, Judgement
from qiki.guard.rules import GuardRule, GuardRules
from qiki.guard.tracked_run import Tracked, TrackedRun
from qiki.shipped import DEFAULT_RULES
from qiki.yamlfile import load_yaml_model

__all__ = [
    "DEFAULT_RULES",
    "Ended",
    "GuardJudge",
    "GuardRule",
    "GuardRules",
    "Judgement",
    "Tracked",
    "TrackedRun",
    "load_rules",
]


def load_rules(path: Path = DEFAULT_RULES) -> GuardRules:
    """Read a file of guard rules, by default the platform's own; raise UserError, one line, if it is none."""
    return load_yaml_model(path, GuardRules)
