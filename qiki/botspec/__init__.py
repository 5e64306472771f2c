"""The specification of the bot, one YAML file, and the configuration generated from it."""

from qiki.botspec.config import BotConfig, generate, profile_hash
from qiki.botspec.spec import DEFAULT_SPEC, BotSpec, load_spec

__all__ = ["DEFAULT_SPEC", "BotConfig", "BotSpec", "generate", "load_spec", "profile_hash"]
