"""Engines: loading them, and checking what they propose."""
