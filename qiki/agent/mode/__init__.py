"""The agent's mode: its state machine, its self test, and the faults that lead to SAFE_MODE."""
