"""Faults by a seeded plan on a native stack under load, and a checker of the history that it leaves (docs/chaos.md)."""
