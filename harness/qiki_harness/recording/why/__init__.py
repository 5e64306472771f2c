"""The reasons of an agent's actions: from a command back to the plots, and what it would have done otherwise."""
