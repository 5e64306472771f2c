"""Environments for learning agents, as Gymnasium has them; they take the extra `train`.

After `import qiki.envs`, `gymnasium.make("qiki/Avoid-v0")` makes one.
"""

from qiki.errors import UserError

try:
    from gymnasium.envs.registration import register
except ModuleNotFoundError:
    raise UserError("qiki.envs takes Gymnasium, which is not installed: pip install 'qiki-dtmp[train]'") from None

from qiki.envs.env import TwinEnv
from qiki.envs.saved import SavedEnv

__all__ = ["IDS", "SavedEnv", "TwinEnv"]
IDS = {
    f"qiki/{name}{infix}-v0": {"task": name.lower(), "perception": perception}
    for name in ("Avoid", "Rendezvous", "Inspect")
    for infix, perception in (("", "tracks"), ("Truth", "truth"))
}
"""The environments' ids, and what is chosen by them; those with Truth show the truth, and are faster."""

for _name, _choice in IDS.items():
    register(_name, entry_point="qiki.envs.env:TwinEnv", kwargs=_choice)
