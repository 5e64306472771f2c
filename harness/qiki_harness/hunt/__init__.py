"""Hunts: searches for a run in which a criterion fails, and for the simplest world in which it still does."""
