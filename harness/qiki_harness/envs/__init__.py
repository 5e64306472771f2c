"""The environments of `qiki.envs` over a stack."""

from qiki_harness.envs.stack_env import StackEnv

__all__ = ["StackEnv"]
