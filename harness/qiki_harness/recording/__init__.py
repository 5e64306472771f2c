"""Recordings: what a run published, in an MCAP file; written from a stack or a flight, read, checked, verified."""
