"""The smoke test: checks every part of a running stack, in a few seconds and without disturbing it."""
