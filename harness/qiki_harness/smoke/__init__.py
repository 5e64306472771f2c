"""The smoke test: whether every part of a running stack does its work, in a few seconds and without disturbing it."""
